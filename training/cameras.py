"""Old import path of training.data.cameras."""

import numpy as np

from tiny_nvs_ros.geometry import FOCAL
from training.data.cameras import *  # noqa: F403


def intrinsics(size: int) -> np.ndarray:
    """K (3, 3) in pixels; only tests use it."""
    return np.array([[FOCAL * size, 0.0, size / 2], [0.0, FOCAL * size, size / 2], [0.0, 0.0, 1.0]])
