"""The paper's architecture: a KL autoencoder, and a UNet that predicts the noise of its latents.

"Novel View Synthesis from Single Images with Tiny Latent Diffusion Models" (E. Chun, MIT). The
condition is the source view's latent and the relative pose. Without torch here.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiny_nvs_ros.model.base import NovelViewModel
    from tiny_nvs_ros.model.config import ModelConfig

MAX_SOURCES = 1
NEEDS_OBJECT_FRAME = False
DEFAULTS = {
    "autoencoder": {"width": 16, "multipliers": [1, 2, 2, 4], "latent_channels": 1},
    "denoiser": {"widths": [16, 32, 64], "blocks": 2, "time_channels": 64},
    "schedule": {"timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02},
    "geometry": {"size": 32, "distance": 1.3, "focal": 131.25 / 128},
    "sampler": {"name": "ddim", "steps": 20},
}


def latent_shape(config: "ModelConfig") -> tuple[int, int, int]:
    side = config.size // 2 ** (len(config.autoencoder["multipliers"]) - 1)
    return config.autoencoder["latent_channels"], side, side


def load_class() -> "type[NovelViewModel]":
    from tiny_nvs_ros.model.paper.model import PaperModel

    return PaperModel
