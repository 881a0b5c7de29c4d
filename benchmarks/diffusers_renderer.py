"""The preset `paper` made of parts of the library diffusers, with untrained weights."""

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from diffusers.models.autoencoders.vae import Decoder

from tiny_nvs_ros.geometry import orbit, relative_pose
from tiny_nvs_ros.model import ModelConfig, ViewRequest, ViewSamples
from tiny_nvs_ros.model.base import to_tensor, to_uint8

WIDTHS, GROUPS = (16, 32, 32, 64), 8


def autoencoder() -> AutoencoderKL:
    """Return an untrained autoencoder of the paper's exact size."""
    model = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=WIDTHS,
        latent_channels=1,
        norm_num_groups=GROUPS,
    )
    # AutoencoderKL's decoder has one more ResNet block in each level.
    model.decoder = Decoder(1, 3, ("UpDecoderBlock2D",) * 4, WIDTHS, 0, GROUPS)
    return model.eval()


def denoiser() -> UNet2DConditionModel:
    """Return an untrained UNet with the paper's widths and context, and 1.4 % more parameters.

    It has one block per level in the encoder and two in the decoder; the paper has two in both.
    """
    return UNet2DConditionModel(
        in_channels=1,
        out_channels=1,
        down_block_types=("CrossAttnDownBlock2D",) * 3,
        up_block_types=("CrossAttnUpBlock2D",) * 3,
        block_out_channels=(16, 32, 64),
        layers_per_block=1,
        norm_num_groups=GROUPS,
        cross_attention_dim=32,
        attention_head_dim=4,  # diffusers uses it as the number of heads
        use_linear_projection=True,
    ).eval()


class DiffusersRenderer:
    """Renders (meaningless) views with untrained weights, step by step as a pipeline does."""

    name = "diffusers"

    def __init__(self, device: str):
        self.config = ModelConfig()
        self._device = device
        self._autoencoder, self._denoiser = autoencoder().to(device), denoiser().to(device)
        networks = (self._autoencoder, self._denoiser)
        self.parameters = sum(p.numel() for network in networks for p in network.parameters())
        self._scheduler = DDIMScheduler(
            self.config.schedule["timesteps"],
            self.config.schedule["beta_start"],
            self.config.schedule["beta_end"],
            clip_sample=False,
            timestep_spacing="trailing",
        )

    @torch.inference_mode()
    def render(self, request: ViewRequest) -> ViewSamples:
        """Answer a request."""
        source = request.sources[0]
        images = to_tensor(source.image[None], self._device)
        latent = self._autoencoder.encode(images).latent_dist.mode()
        T = relative_pose(source.T_object_camera, request.T_object_targets)
        T = torch.from_numpy(T.astype(np.float32)).to(self._device)
        samples = request.noise.shape[1]
        context = torch.cat([latent.flatten(1).expand(len(T), -1), T.flatten(1)], dim=1)[:, None]
        context = context.repeat_interleave(samples, dim=0)
        z = torch.from_numpy(request.noise).to(self._device).flatten(0, 1)
        steps = request.steps or self.config.sampler["steps"]
        self._scheduler.set_timesteps(steps, self._device)
        for t in self._scheduler.timesteps:
            noise = self._denoiser(z, t, context, return_dict=False)[0]
            z = self._scheduler.step(noise, t, z, return_dict=False)[0]
        images = to_uint8(self._autoencoder.decode(z, return_dict=False)[0])
        return ViewSamples(images.reshape(len(T), samples, *images.shape[1:]))

    def warm_up(self, views: int, samples: int = 1) -> None:
        """Render once, so that allocations do not delay the first use."""
        blank = np.full((self.config.size, self.config.size, 3), 255, np.uint8)
        cameras = orbit(views)
        self.render(
            ViewRequest.create(
                self.config, (blank, cameras[0]), cameras, samples=samples, seed=0, steps=2
            )
        )
