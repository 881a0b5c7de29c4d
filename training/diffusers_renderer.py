"""The preset `paper` put together from parts of the library diffusers."""

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from diffusers.models.autoencoders.vae import Decoder
from numpy.typing import ArrayLike

from tiny_nvs_ros.image import on_white, resize
from tiny_nvs_ros.model import ModelConfig, NovelViews
from tiny_nvs_ros.model.novel_view_model import to_tensor, to_uint8

WIDTHS, GROUPS = (16, 32, 32, 64), 8


def autoencoder() -> AutoencoderKL:
    """Untrained, of the paper's exact size."""
    model = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=WIDTHS,
        latent_channels=1,
        norm_num_groups=GROUPS,
    )
    # Its own decoder has one ResNet block more in each level.
    model.decoder = Decoder(1, 3, ("UpDecoderBlock2D",) * 4, WIDTHS, 0, GROUPS)
    return model.eval()


def denoiser() -> UNet2DConditionModel:
    """Untrained, with the paper's widths and context, and 1.4 % more parameters.

    One block a level in the encoder and two in the decoder; the paper has two in both.
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
        attention_head_dim=4,  # which it takes for the number of heads
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
    def generate(
        self,
        image: np.ndarray,
        poses: ArrayLike,
        samples: int = 1,
        seed: int = 0,
        steps: int | None = None,
        source_pose: ArrayLike | None = None,
    ) -> NovelViews:
        """As NovelViewModel.generate; source_pose is not made use of."""
        small = resize(on_white(image), self.config.size)[None]
        latent = self._autoencoder.encode(to_tensor(small, self._device)).latent_dist.mode()
        T = torch.from_numpy(np.asarray(poses, np.float32)).to(self._device)
        context = torch.cat([latent.flatten(1).expand(len(T), -1), T.flatten(1)], dim=1)[:, None]
        context = context.repeat_interleave(samples, dim=0)
        generator = torch.Generator().manual_seed(seed)
        z = torch.randn(len(context), *self.config.latent_shape, generator=generator)
        z = z.to(self._device)
        self._scheduler.set_timesteps(steps or self.config.sampler["steps"], self._device)
        for t in self._scheduler.timesteps:
            noise = self._denoiser(z, t, context, return_dict=False)[0]
            z = self._scheduler.step(noise, t, z, return_dict=False)[0]
        images = to_uint8(self._autoencoder.decode(z, return_dict=False)[0])
        return NovelViews(images.reshape(len(T), samples, *images.shape[1:]))

    def warm_up(self, views: int, samples: int = 1) -> None:
        """Pay the first run's costs now."""
        blank = np.full((self.config.size, self.config.size, 3), 255, np.uint8)
        self.generate(blank, np.tile(np.eye(4), (views, 1, 1)), samples, steps=2)
