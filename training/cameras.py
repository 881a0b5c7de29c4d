"""The cameras of a data set: SRN's random training views and its test spiral, and an orbit.

All stand at DISTANCE from the object's centre, look at it with the object's z up, and have SRN's
focal length. Poses are (V, 4, 4) T_object_camera, optical frame: x right, y down, z forward.
"""

import numpy as np

from tiny_nvs_ros.geometry import FOCAL, eye_at, look_at, orbit

SPIRAL_VIEWS = 251


def intrinsics(size: int) -> np.ndarray:
    """K (3, 3) in pixels of a size x size image: focal 131.25 and centre 64, 64 at 128 (SRN)."""
    focal, centre = FOCAL * size, size / 2
    return np.array([[focal, 0.0, centre], [0.0, focal, centre], [0.0, 0.0, 1.0]])


def random_views(count: int, rng: np.random.Generator) -> np.ndarray:
    """Poses (count, 4, 4) of cameras uniformly on the whole sphere, below included."""
    azimuth = rng.uniform(-np.pi, np.pi, count)
    elevation = np.arcsin(rng.uniform(-1.0, 1.0, count))
    return look_at(eye_at(azimuth, elevation), np.zeros(3))


def spiral() -> np.ndarray:
    """Poses (251, 4, 4) of SRN's test trajectory.

    View i has the elevation 90 deg * i / 250 and the azimuth 0.08 * (250 - i) rad: from the
    horizon in three turns up to the pole, where the image's up is that of `look_at`.
    """
    i = np.arange(SPIRAL_VIEWS)
    last = SPIRAL_VIEWS - 1
    eye = eye_at(0.08 * (last - i), np.pi / 2 * i / last)
    return look_at(eye, np.zeros(3))


def ring(count: int) -> np.ndarray:
    """Poses (count, 4, 4) once around the object at 30 deg of elevation, the demo's path."""
    return orbit(count, elevations=(np.pi / 6,))
