"""The stage that trains the denoiser of the architecture `paper`."""

import numpy as np
import torch
from torch import Tensor, nn

from tiny_nvs_ros.geometry import relative_pose
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.srn_data import Views
from training.history import has_trained
from training.stages.base import Stage, evenly, tiled
from training.stages.settings import DenoiserSettings


class DenoiserLoss(nn.Module):
    """L1 and squared error of the predicted noise in a target view's latent."""

    def __init__(self, denoiser: nn.Module, settings: DenoiserSettings):
        super().__init__()
        self.denoiser, self.settings = denoiser, settings

    def forward(self, noisy: Tensor, t: Tensor, context: Tensor, eps: Tensor) -> dict[str, Tensor]:
        error = self.denoiser(noisy, t, context) - eps
        loss = self.settings.l1_weight * error.abs().mean()
        if self.settings.l2_weight:
            loss = loss + self.settings.l2_weight * error.square().mean()
        return {"loss": loss}


class DenoiserStage(Stage):
    """Trains the noise prediction on the latents of a trained autoencoder."""

    name = "denoiser"
    Settings = DenoiserSettings
    builds_on = ("autoencoder",)
    invalidates = ("finetune",)

    def __init__(self, model: NovelViewModel, views: Views, settings: DenoiserSettings):
        self.model, self.views, self.settings = model, views, settings
        self.module = model.denoiser
        self.loss = DenoiserLoss(self.module, settings)
        scale, model.config.latent_scale = model.config.latent_scale, 1.0
        means = model.encode(views.images)
        trained = has_trained(model.config.training, "denoiser")  # on latents of that scale
        model.config.latent_scale = scale if trained else float(1 / means.std())
        self.latents = means * model.config.latent_scale

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        rng = np.random.default_rng([self.settings.seed, iteration])
        source, target = self.pairs(rng)
        schedule, device = self.model.schedule, self.model.device
        t = rng.integers(len(schedule), size=len(target))
        eps = rng.standard_normal((len(target), *self.model.config.latent_shape), np.float32)
        t, eps = (torch.from_numpy(draw[share]).to(device) for draw in (t, eps))
        noisy = schedule.add_noise(self.latents[target[share]], eps, t)
        return noisy, t, self.context(source[share], target[share]), eps

    def pairs(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return indices of source and target views, any two of one instance each."""
        starts, batch = self.views.offsets, self.settings.batch_size
        instance = rng.integers(len(starts) - 1, size=batch)
        source, target = rng.integers(starts[instance], starts[instance + 1], size=(2, batch))
        return source, target

    def context(self, source: np.ndarray, target: np.ndarray) -> Tensor:
        T = relative_pose(self.views.poses[source], self.views.poses[target]).astype(np.float32)
        return self.model.context(self.latents[source], torch.from_numpy(T).to(self.model.device))

    def imagined(self, context: Tensor) -> Tensor:
        """Return latents for the grid, (B, C, h, w)."""
        shape = (len(context), *self.model.config.latent_shape)
        noise = np.random.default_rng(0).standard_normal(shape, np.float32)
        return self.model.sample_latents(context, torch.from_numpy(noise).to(context.device))

    @torch.inference_mode()
    def grid(self) -> np.ndarray:
        """Return source view, true target, and imagined target of some instances."""
        source = self.views.offsets[:-1][evenly(len(self.views.offsets) - 1, 16)]
        target = source + 1
        imagined = self.model.decode(self.imagined(self.context(source, target)))
        return tiled([self.views.images[source], self.views.images[target], imagined])
