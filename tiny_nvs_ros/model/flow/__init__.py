"""The architecture `flow`: a flow in a roomier latent, in one step, told where the cameras stand.

Beyond the relative pose it knows the cameras' elevations and, if it is known, the object's
heading. Without torch here.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tiny_nvs_ros.model.base import NovelViewModel
    from tiny_nvs_ros.model.config import ModelConfig
    from tiny_nvs_ros.model.request import ViewRequest

MAX_SOURCES = 1
NEEDS_OBJECT_FRAME = True
STEPS = 1, 2, 4, 8  # that the shortcuts learn
PER_SOURCE = ()  # of inputs
PER_VIEW = "rotations", "noise"  # of inputs
OUTPUTS = ("rgb",)
DEFAULTS = {
    "autoencoder": {"widths": [32, 64, 128], "latent_channels": 16},
    "denoiser": {
        "channels": 128,
        "depth": 4,
        "denoising_depth": 1,
        "heads": 4,
        "expansion": 3,
        "volume_channels": 16,
    },
    "geometry": {"size": 32, "distance": 1.3, "focal": 131.25 / 128},
    "sampler": {"name": "shortcut", "steps": 1},
}
LATENT_REDUCTION = 8  # of the image's size


def latent_shape(config: "ModelConfig") -> tuple[int, int, int]:
    side = config.size // LATENT_REDUCTION
    return config.autoencoder["latent_channels"], side, side


def inputs(request: "ViewRequest") -> dict[str, np.ndarray]:
    """Return the arguments of FlowModel.forward, by name."""
    return {
        "image": request.sources[0].image,
        "source_rotation": request.sources[0].T_object_camera[:3, :3].astype(np.float32),
        "heading_known": np.array(request.heading_known),
        "rotations": request.T_object_targets[:, :3, :3].astype(np.float32),
        "noise": request.noise,
    }


def load_class() -> "type[NovelViewModel]":
    from tiny_nvs_ros.model.flow.model import FlowModel

    return FlowModel
