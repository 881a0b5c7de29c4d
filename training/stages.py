"""The stages in which a model is trained: what a batch is, and its loss."""

import math
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import torch
from torch import Tensor, nn

from tiny_nvs_ros.geometry import relative_pose
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.base import to_tensor, to_uint8
from training.baselines import regress
from training.srn import Views

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
ORDERS = np.array(list(permutations(range(3))))  # of colours; the first is their own


@dataclass(frozen=True)
class Settings:
    """Of one stage; the same settings, data and device give the same weights.

    precision: of the networks' forward pass, a key of PRECISIONS; losses, weights and their
    average are float32. Whether they are compiled is, like the device, no setting of the weights.
    """

    iterations: int
    batch_size: int
    learning_rate: float
    warmup: int
    ema: float
    seed: int = 0
    l1_weight: float = 1.0  # these two: of the autoencoder, and of the paper's denoiser
    l2_weight: float = 0.0
    chroma_weight: float = 1.0  # these three: of the autoencoder; of a pixel's distance from grey
    kl_weight: float = 5.0
    kl_warmup: float = 0.0
    precision: str = "float32"
    begin: int = 0  # where a finished run was taken up again to go further
    beta2: float = 0.999  # of AdamW
    augment: bool = False  # of the autoencoder: mirrored images, colours in any order
    targets: int = 1  # these four: of a flow; targets for each source (batch_size counts sources)
    shortcuts: int = 0  # how many of these targets train the shortcuts
    shortcuts_from: float = 0.0  # share of the run after which they begin
    variants: int = 1  # of each instance: mirrored, and with its colours in other orders
    matrix_learning_rate: float = 0.0  # of Muon, for a flow's matrices; 0: AdamW has them all

    def rate_at(self, iteration: int) -> float:
        """Share of the learning rates.

        Linear warm-up from `begin` on, then a cosine down to zero at the last iteration.
        """
        done = iteration - self.begin
        ramp = min(1.0, (done + 1) / max(self.warmup, 1))
        cosine = 0.5 * (1 + math.cos(math.pi * done / (self.iterations - self.begin)))
        return ramp * cosine

    def kl_weight_at(self, iteration: int) -> float:
        """Grows over the first share `kl_warmup` of the run, lest the posterior collapses."""
        if self.begin:
            return self.kl_weight
        return self.kl_weight * min(1.0, iteration / max(self.kl_warmup * self.iterations, 1))

    def shortcuts_at(self, iteration: int) -> int:
        """None over the first share `shortcuts_from` of the run: first the flow must be known."""
        begun = self.begin or iteration >= self.shortcuts_from * self.iterations
        return self.shortcuts if begun else 0


class AutoencoderLoss(nn.Module):
    """L1 and squared error of the image + KL of the posterior, summed over an image.

    Most cars are nearly grey, so that colour is a small part of any error: without a greater
    `chroma_weight` an autoencoder soon learns to decode everything grey and stays with it.
    """

    def __init__(self, autoencoder: nn.Module, settings: Settings):
        super().__init__()
        self.autoencoder, self.settings = autoencoder, settings

    def forward(self, image: Tensor, eps: Tensor, kl_weight: Tensor) -> dict[str, Tensor]:
        posterior = self.autoencoder.encode(image)
        posterior.mean, posterior.log_variance = (
            moment.float() for moment in (posterior.mean, posterior.log_variance)
        )
        reconstruction = self.autoencoder.decode(posterior.sample(eps))
        error = reconstruction - image
        l1 = error.abs().sum(dim=(1, 2, 3)).mean()
        kl = posterior.kl().mean()
        loss = self.settings.l1_weight * l1 + kl_weight * kl
        if self.settings.l2_weight:
            grey = error.mean(dim=1, keepdim=True)
            squares = 3 * grey.square() + self.settings.chroma_weight * (
                (error - grey).square().sum(dim=1, keepdim=True)
            )
            loss = loss + self.settings.l2_weight * squares.sum(dim=(1, 2, 3)).mean()
        return {"loss": loss, "l1": l1, "kl": kl}


class DenoiserLoss(nn.Module):
    """L1 and squared error of the noise in a target view's latent, given a source view and pose."""

    def __init__(self, denoiser: nn.Module, settings: Settings):
        super().__init__()
        self.denoiser, self.settings = denoiser, settings

    def forward(self, noisy: Tensor, t: Tensor, context: Tensor, eps: Tensor) -> dict[str, Tensor]:
        error = self.denoiser(noisy, t, context) - eps
        loss = self.settings.l1_weight * error.abs().mean()
        if self.settings.l2_weight:
            loss = loss + self.settings.l2_weight * error.square().mean()
        return {"loss": loss}


class RegressorLoss(nn.Module):
    """Squared error of a target view's latent, predicted by the denoiser's network at once."""

    def __init__(self, denoiser: nn.Module, last: int):
        super().__init__()
        self.denoiser, self.last = denoiser, last

    def forward(self, z: Tensor, context: Tensor) -> dict[str, Tensor]:
        return {"loss": (regress(self.denoiser, self.last, z, context) - z).square().mean()}


def changed(images: np.ndarray, mirrored: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Images (B, H, W, 3), left to right where `mirrored` (B,), colours in the orders (B, 3)."""
    images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    return np.take_along_axis(images, orders[:, None, None], axis=-1)


class AutoencoderStage:
    name = "autoencoder"

    def __init__(self, model: NovelViewModel, views: Views, settings: Settings):
        self.model, self.views, self.settings = model, views, settings
        self.module = model.autoencoder
        self.loss = AutoencoderLoss(self.module, settings)

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        """The `share` of the batch of an iteration: arguments of the loss."""
        rng = np.random.default_rng([self.settings.seed, iteration])
        batch, device = self.settings.batch_size, self.model.device
        chosen = rng.integers(len(self.views), size=batch)
        eps = rng.standard_normal((batch, *self.model.config.latent_shape), np.float32)
        images = self.views.images[chosen[share]]
        if self.settings.augment:
            mirrored = rng.random(batch) < 0.5
            orders = ORDERS[rng.integers(len(ORDERS), size=batch)]
            images = changed(images, mirrored[share], orders[share])
        image = to_tensor(images, device)
        kl_weight = torch.tensor(self.settings.kl_weight_at(iteration), device=device)
        return image, torch.from_numpy(eps[share]).to(device), kl_weight

    @torch.inference_mode()
    def grid(self) -> np.ndarray:
        """Images above their reconstructions."""
        images = self.views.images[evenly(len(self.views), 16)]
        mean = self.module.encode(to_tensor(images, self.model.device)).mean
        return tiled([images, to_uint8(self.module.decode(mean))])


class DenoiserStage:
    name = "denoiser"

    def __init__(self, model: NovelViewModel, views: Views, settings: Settings):
        self.model, self.views, self.settings = model, views, settings
        self.module = model.denoiser
        self.loss = DenoiserLoss(self.module, settings)
        scale, model.config.latent_scale = model.config.latent_scale, 1.0
        means = model.encode(views.images)
        trained = "denoiser" in model.config.training  # and so knows latents of that scale
        model.config.latent_scale = scale if trained else float(1 / means.std())
        self.latents = means * model.config.latent_scale

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        """The `share` of the batch of an iteration: arguments of the loss."""
        rng = np.random.default_rng([self.settings.seed, iteration])
        source, target = self.pairs(rng)
        schedule, device = self.model.schedule, self.model.device
        t = rng.integers(len(schedule), size=len(target))
        eps = rng.standard_normal((len(target), *self.model.config.latent_shape), np.float32)
        t, eps = (torch.from_numpy(draw[share]).to(device) for draw in (t, eps))
        noisy = schedule.add_noise(self.latents[target[share]], eps, t)
        return noisy, t, self.context(source[share], target[share]), eps

    def pairs(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of a batch's source and target views, any two of one instance."""
        starts, batch = self.views.offsets, self.settings.batch_size
        instance = rng.integers(len(starts) - 1, size=batch)
        source, target = rng.integers(starts[instance], starts[instance + 1], size=(2, batch))
        return source, target

    def context(self, source: np.ndarray, target: np.ndarray) -> Tensor:
        T = relative_pose(self.views.poses[source], self.views.poses[target]).astype(np.float32)
        return self.model.context(self.latents[source], torch.from_numpy(T).to(self.model.device))

    def imagined(self, context: Tensor) -> Tensor:
        """Latents for the grid, (B, C, h, w)."""
        shape = (len(context), *self.model.config.latent_shape)
        noise = np.random.default_rng(0).standard_normal(shape, np.float32)
        return self.model.sample_latents(context, torch.from_numpy(noise).to(context.device))

    @torch.inference_mode()
    def grid(self) -> np.ndarray:
        """Source view, true target, and the imagined one, of instances spread over the set."""
        source = self.views.offsets[:-1][evenly(len(self.views.offsets) - 1, 16)]
        target = source + 1
        imagined = self.model.decode(self.imagined(self.context(source, target)))
        return tiled([self.views.images[source], self.views.images[target], imagined])


class RegressorStage(DenoiserStage):
    """Not a part of the model: the baseline that tells what diffusion is good for."""

    name = "regressor"

    def __init__(self, model: NovelViewModel, views: Views, settings: Settings):
        super().__init__(model, views, settings)
        self.loss = RegressorLoss(self.module, len(model.schedule) - 1)

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        source, target = self.pairs(np.random.default_rng([self.settings.seed, iteration]))
        return self.latents[target[share]], self.context(source[share], target[share])

    def imagined(self, context: Tensor) -> Tensor:
        empty = context.new_zeros(len(context), *self.model.config.latent_shape)
        return regress(self.module, self.loss.last, empty, context)


def evenly(count: int, wanted: int) -> np.ndarray:
    return np.linspace(0, count - 1, min(count, wanted)).astype(int)


def tiled(rows: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.concatenate(list(row), axis=1) for row in rows])
