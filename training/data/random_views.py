"""Random views of a randomly displaced and lit object."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from tiny_nvs_ros.geometry import eye_at, look_at
from training.data.cameras import at_distances, random_distances
from training.data.mesh import Mesh
from training.data.renderer import Renderer
from training.data.scene import random_scene

NEAR = 0.75  # share of objects that are nearly where their frame says
NEAR_SCALE, NEAR_OFFSET = 0.04, 0.01  # standard deviations of these
SCALES = 0.65, 1.15  # of the others
MAX_OFFSET = 0.1  # of their centre, in diagonals of the bounding box
LOWEST = np.radians(-10)  # elevation above which most cameras are
SHARE_ABOVE = 0.8


def render_instance(
    meshes: list[Mesh],
    rng: np.random.Generator,
    views: int,
    size: int,
    device: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return random views of an object in a random scene.

    rgba (V, size, size, 4) uint8 with straight alpha, depth (V, size, size) float32 along the
    optical axis in the unit of the meshes (0 where empty), poses (V, 4, 4) T_object_camera and
    focal (V,) in image widths. meshes: normalised; device: see renderer.open_context.
    """
    placed = displace(meshes, rng)
    poses, focal = at_distances(random_poses(views, rng), random_distances(views, rng))
    renderer = _renderer(size, device)
    rgba, depth = renderer.render_with_depth(placed, poses, random_scene(rng), focal * size)
    return rgba, depth, poses, focal


@lru_cache(maxsize=4)
def _renderer(size: int, device: int | None) -> Renderer:
    return Renderer(size, device=device)


def random_poses(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return poses (count, 4, 4) of cameras around an object, SHARE_ABOVE of them above LOWEST.

    Above and below LOWEST they are uniform on the sphere.
    """
    azimuth = rng.uniform(-np.pi, np.pi, count)
    above = rng.random(count) < SHARE_ABOVE
    low, high = np.where(above, np.sin(LOWEST), -1.0), np.where(above, 1.0, np.sin(LOWEST))
    return look_at(eye_at(azimuth, np.arcsin(rng.uniform(low, high))), np.zeros(3))


def displace(meshes: list[Mesh], rng: np.random.Generator) -> list[Mesh]:
    """Return normalised meshes scaled and moved, as if the object's frame were not quite right.

    NEAR of the objects are nearly where their frame says, the others anywhere within MAX_OFFSET and
    SCALES: a model that trusts every frame fails on a robot, and one that trusts none cannot tell
    from one view how far away the object is.
    """
    if rng.random() < NEAR:
        scale, offset = np.exp(rng.normal(0, NEAR_SCALE)), rng.normal(0, NEAR_OFFSET, 3)
    else:
        offset = rng.normal(size=3)
        offset *= MAX_OFFSET * rng.uniform() ** 0.5 / np.linalg.norm(offset)
        scale = rng.uniform(*SCALES)
    return [replace(mesh, vertices=mesh.vertices * scale + offset) for mesh in meshes]
