"""Camera poses of a data set: SRN's random training views, its test spiral, and a ring.

All cameras look at the object's centre, with the object's z axis up, from the distance of the SRN
cameras unless moved by `at_distances`. Poses are (V, 4, 4) T_object_camera, optical frame: x right,
y down, z forward.
"""

import numpy as np

from tiny_nvs_ros.geometry import SRN_CAMERA, eye_at, look_at, orbit
from tiny_nvs_ros.srn_cameras import OBJECT_RADII

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


def random_distances(
    count: int,
    rng: np.random.Generator,
    nearest: float = OBJECT_RADII[0],
    farthest: float = OBJECT_RADII[1],
) -> np.ndarray:
    """Return log-uniform distances (count,) from the object's centre, in object radii."""
    return np.exp(rng.uniform(np.log(nearest), np.log(farthest), count))


def at_distances(poses: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Move cameras along their line to the object's centre.

    poses: (V, 4, 4); radii: (V,) the new distances in object radii (of SRN_CAMERA). Returns the
    poses, and the focal lengths (V,) in image widths that show the object as large as before.
    """
    distances = np.asarray(radii) * SRN_CAMERA.radius
    moved = np.array(poses)
    eyes = moved[:, :3, 3]
    eyes *= (distances / np.linalg.norm(eyes, axis=-1))[:, None]
    return moved, SRN_CAMERA.focal_at(distances)
