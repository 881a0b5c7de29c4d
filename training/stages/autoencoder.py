"""The stage that trains the autoencoder, of any architecture."""

import numpy as np
import torch
from torch import Tensor, nn

from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.base import to_tensor, to_uint8
from tiny_nvs_ros.srn_data import Views
from training.stages.base import CHANNEL_PERMUTATIONS, Stage, augment, evenly, tiled
from training.stages.settings import AutoencoderSettings


class AutoencoderLoss(nn.Module):
    """L1 and squared error of the image, and KL of the posterior; each summed over an image.

    Most cars are nearly grey, so colour is a small part of any error. If `chroma_weight` is 1, an
    autoencoder learns early to decode everything grey, and stays there.
    """

    def __init__(self, autoencoder: nn.Module, settings: AutoencoderSettings):
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


class AutoencoderStage(Stage):
    """Trains the autoencoder alone."""

    name = "autoencoder"
    Settings = AutoencoderSettings

    def __init__(self, model: NovelViewModel, views: Views, settings: AutoencoderSettings):
        self.model, self.views, self.settings = model, views, settings
        self.module = model.autoencoder
        self.loss = AutoencoderLoss(self.module, settings)

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        rng = np.random.default_rng([self.settings.seed, iteration])
        batch, device = self.settings.batch_size, self.model.device
        chosen = rng.integers(len(self.views), size=batch)
        eps = rng.standard_normal((batch, *self.model.config.latent_shape), np.float32)
        images = self.views.images[chosen[share]]
        if self.settings.augment:
            mirrored = rng.random(batch) < 0.5
            orders = CHANNEL_PERMUTATIONS[rng.integers(len(CHANNEL_PERMUTATIONS), size=batch)]
            images = augment(images, mirrored[share], orders[share])
        image = to_tensor(images, device)
        kl_weight = torch.tensor(self.settings.kl_weight_at(iteration), device=device)
        return image, torch.from_numpy(eps[share]).to(device), kl_weight

    @torch.inference_mode()
    def grid(self) -> np.ndarray:
        """Return images above their reconstructions."""
        images = self.views.images[evenly(len(self.views), 16)]
        mean = self.module.encode(to_tensor(images, self.model.device)).mean
        return tiled([images, to_uint8(self.module.decode(mean))])
