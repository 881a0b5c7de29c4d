"""Camera poses of a data set: SRN's random training views, its test spiral, and a ring.

All cameras are at the distance of the SRN cameras from the object's centre and look at it, with the
object's z axis up. Poses are (V, 4, 4) T_object_camera, optical frame: x right, y down, z forward.
"""

import numpy as np

from tiny_nvs_ros.geometry import eye_at, look_at, orbit

SPIRAL_VIEWS = 251


def random_views(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return poses (count, 4, 4) of cameras, uniform on the whole sphere, also from below."""
    azimuth = rng.uniform(-np.pi, np.pi, count)
    elevation = np.arcsin(rng.uniform(-1.0, 1.0, count))
    return look_at(eye_at(azimuth, elevation), np.zeros(3))


def spiral() -> np.ndarray:
    """Return poses (251, 4, 4) of SRN's test trajectory.

    View i has the elevation 90 deg * i / 250 and the azimuth 0.08 * (250 - i) rad: it rises from
    the horizon to the pole in three turns. At the pole the image's up is that of `look_at`.
    """
    i = np.arange(SPIRAL_VIEWS)
    last = SPIRAL_VIEWS - 1
    eye = eye_at(0.08 * (last - i), np.pi / 2 * i / last)
    return look_at(eye, np.zeros(3))


def ring(count: int) -> np.ndarray:
    """Return poses (count, 4, 4) once around the object at 30 deg elevation, as in the demo."""
    return orbit(count, elevations=(np.pi / 6,))
