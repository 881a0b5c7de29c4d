"""The paper's model: latent diffusion, conditioned on the source's latent and the relative pose."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from tiny_nvs_ros.geometry import relative_pose
from tiny_nvs_ros.model.base import LatentModel
from tiny_nvs_ros.model.config import ModelConfig
from tiny_nvs_ros.model.paper.autoencoder import Autoencoder
from tiny_nvs_ros.model.paper.unet import UNet
from tiny_nvs_ros.model.request import ViewRequest
from tiny_nvs_ros.model.samplers import ETA, NoiseSchedule, check_sampler, sample


class PaperModel(LatentModel):
    """See the package."""

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        self.autoencoder = Autoencoder(**config.autoencoder)
        self.denoiser = UNet(
            **config.denoiser,
            latent_channels=config.latent_shape[0],
            context_channels=int(np.prod(config.latent_shape)) + 16,
        )
        self.schedule = NoiseSchedule(**config.schedule)
        check_sampler(config.sampler["name"], ETA)
        self.schedule.spaced(config.sampler["steps"])  # raises ValueError for too many

    def context(self, source: Tensor, T_source_target: Tensor) -> Tensor:
        """Return context tokens (B, 1, D) of latents (B, C, h, w) and poses (B, 4, 4)."""
        return torch.cat([source.flatten(1), T_source_target.flatten(1)], dim=1)[:, None]

    def sample_latents(
        self,
        context: Tensor,
        noise: Tensor,
        steps: int | None = None,
        sampler: str | None = None,
        generator: torch.Generator | None = None,
        on_step: Callable[[], None] = lambda: None,
    ) -> Tensor:
        """Return scaled latents from noise (B, C, h, w), given context tokens (B, 1, D)."""

        def predict_noise(z: Tensor, t: Tensor) -> Tensor:
            on_step()
            return self.denoiser(z, t, context)

        steps = self.config.sampler["steps"] if steps is None else steps
        sampler = sampler or self.config.sampler["name"]
        return sample(predict_noise, noise, self.schedule, steps, sampler, generator)

    @torch.inference_mode()
    def sample_request(
        self,
        request: ViewRequest,
        on_step: Callable[[], None] = lambda: None,
        sampler: str | None = None,
    ) -> Tensor:
        source = self.encode(request.sources[0].image)
        generator = torch.Generator().manual_seed(request.sampler_seed)
        z = []
        for part in request.parts():
            noise = torch.from_numpy(part.noise).to(self.device)
            count, samples = noise.shape[:2]
            T = relative_pose(part.sources[0].T_object_camera, part.T_object_targets)
            T = torch.from_numpy(T.astype(np.float32)).to(self.device)
            context = self.context(source.expand(count, -1, -1, -1), T)
            context = context.repeat_interleave(samples, dim=0)
            latents = self.sample_latents(
                context, noise.flatten(0, 1), request.steps, sampler, generator, on_step
            )
            z.append(latents.unflatten(0, (count, samples)))
        return torch.cat(z)
