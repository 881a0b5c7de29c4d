"""The architecture `multiview`: one to eight source views to colour, silhouette and depth.

One pass of one network gives a sample. It is told where the cameras stand, their distances
included, and if it is known, the object's heading. Without torch here.
"""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tiny_nvs_ros.geometry import SRN_CAMERA

if TYPE_CHECKING:
    from tiny_nvs_ros.model.base import NovelViewModel
    from tiny_nvs_ros.model.config import ModelConfig
    from tiny_nvs_ros.model.request import SourceView, ViewRequest

MAX_SOURCES = 8
NEEDS_OBJECT_FRAME = True
STEPS = (1,)
PER_SOURCE = "images", "source_rotations", "source_rho"  # of inputs
PER_VIEW = "rotations", "rho", "noise"  # of inputs
OUTPUTS = "rgb", "alpha", "depth"
DEFAULTS = {
    "denoiser": {
        "channels": 128,
        "depth": 4,
        "noise_depth": 2,
        "heads": 4,
        "expansion": 3,
        "widths": [32, 64],
        "volume_channels": 16,
        "noise_channels": 16,
        "repair_channels": 32,
    },
    "geometry": {"size": 32, "distance": 1.3, "focal": 131.25 / 128, "any_distance": True},
    "sampler": {"name": "direct", "steps": 1},
}
# Distances of the training's cameras, object radii; others are given as the nearest of these.
NEAREST, FARTHEST = 2.2, 20.0
OBJECT_BELOW = 0.98  # of white: where alpha is not known, a channel of the object is darker
SURROUNDINGS = 4  # pixels around the mask in which the model is given the image itself
TOKEN = 8  # pixels along a side of a token's square


def latent_shape(config: "ModelConfig") -> tuple[int, int, int]:
    """Return the shape of a sample's noise."""
    side = config.size // TOKEN
    return config.denoiser["noise_channels"], side, side


def inputs(request: "ViewRequest") -> dict[str, np.ndarray]:
    """Return the arguments of MultiviewModel.forward, by name."""
    sources = np.stack([source.T_object_camera for source in request.sources])
    return {
        "images": np.stack([_channels(source) for source in request.sources]),
        "source_rotations": sources[:, :3, :3].astype(np.float32),
        "source_rho": rho(sources),
        "heading_known": np.array(request.heading_known),
        "rotations": request.T_object_targets[:, :3, :3].astype(np.float32),
        "rho": rho(request.T_object_targets),
        "noise": request.noise,
    }


def rho(poses: np.ndarray) -> np.ndarray:
    """Return distances of cameras (N, 4, 4) from the object's centre, object radii: (N,).

    They are at least NEAREST and at most FARTHEST. Raises ValueError for a camera that is inside
    the object's sphere.
    """
    distances = np.linalg.norm(poses[:, :3, 3], axis=-1) / SRN_CAMERA.radius
    if distances.min(initial=np.inf) <= 1:
        raise ValueError(
            f"a camera is {distances.min():.2g} object radii from the object's centre, so inside "
            "the object. The model's unit of length is the object's diagonal; pipeline.imagine "
            "takes metres"
        )
    return distances.clip(NEAREST, FARTHEST).astype(np.float32)


def _channels(source: "SourceView") -> np.ndarray:
    """Return colour on white, alpha and surroundings, (size, size, 7) float32 in [0, 1].

    The surroundings are the image that the mask was taken from, near the mask and without what it
    shows: there the network sees where the mask is wrong. White where they are not known.
    """
    color, alpha = source.image / np.float32(255), source.alpha
    surroundings = np.ones_like(color)
    if alpha is None:
        alpha = (color.min(axis=-1) < OBJECT_BELOW).astype(np.float32)
    elif source.scene is not None:
        reach = np.ones((2 * SURROUNDINGS + 1,) * 2, np.uint8)
        near = cv2.dilate((alpha > 0).astype(np.uint8), reach) > 0
        around = source.scene / np.float32(255) + 1 - color
        surroundings[near] = around[near].clip(0, 1)
    return np.concatenate([color, alpha[..., None], surroundings], axis=-1)


def load_class() -> "type[NovelViewModel]":
    from tiny_nvs_ros.model.multiview.model import MultiviewModel

    return MultiviewModel
