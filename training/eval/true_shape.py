"""True shapes of meshes, watertight or not: what cameras all around an object see of it.

Many rendered depth images carve space: what lies in front of the visible surface in any of them is
empty, all else is solid. So a closed body is filled, a bowl is open, and inner walls do not count.
Lengths are object radii (half of the bounding box's diagonal, by the frame: a displaced object may
be larger or smaller), in the object's frame.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from tiny_nvs_ros.geometry import SRN_CAMERA, look_at
from tiny_nvs_ros.shape import SIDE, grid_centres
from training.data.mesh import Mesh
from training.data.renderer import Renderer

VIEWS = 160
SIZE = 160  # pixels
DISTANCE = 6.0  # object radii
HALF_WIDTH = 1.8  # object radii at the centre: the whole cube of the grid is in the image
FINE = 2  # samples of a voxel along each axis
SURFACE_SPACING = 0.03  # object radii between points of the true surface
RADIUS = SRN_CAMERA.radius  # unit of meshes


@dataclass(frozen=True)
class TrueShape:
    """occupancy: (SIDE, SIDE, SIDE) bool, whether at least half of a voxel is solid. points: (M, 3)
    of the surface that can be seen from somewhere, one in each cell of SURFACE_SPACING."""

    occupancy: np.ndarray
    points: np.ndarray


@cache
def _renderer() -> Renderer:
    return Renderer(SIZE, focal=SIZE / 2 * DISTANCE / HALF_WIDTH, supersample=1)


def sphere(count: int) -> np.ndarray:
    """Return unit vectors (count, 3) that cover the sphere evenly (Fibonacci lattice)."""
    i = np.arange(count) + 0.5
    z, azimuth = 1 - 2 * i / count, np.pi * (1 + 5**0.5) * i
    ring = np.sqrt(1 - z**2)
    return np.stack([ring * np.cos(azimuth), ring * np.sin(azimuth), z], axis=-1)


def true_shape(meshes: list[Mesh]) -> TrueShape:
    """Return the shape of meshes whose unit is twice the object's radius."""
    poses = look_at(DISTANCE * RADIUS * sphere(VIEWS), np.zeros(3))
    depths = _renderer().render_with_depth(meshes, poses)[1] / RADIUS
    poses[:, :3, 3] /= RADIUS
    centres = grid_centres(SIDE * FINE).reshape(-1, 3)
    solid = np.arange(len(centres))  # of the centres: those that no view has carved yet
    surface = []
    for pose, depth in zip(poses, depths, strict=True):
        across, forward = pose[:3, :2], pose[:3, 2]
        points = centres[solid]
        z = points @ forward + DISTANCE
        pixel = points @ across * (DISTANCE / HALF_WIDTH * SIZE / 2) / z[:, None] + SIZE / 2
        column, row = pixel.astype(int).T
        seen = depth[row, column]
        solid = solid[(seen > 0) & (z >= seen)]
        row, column = np.nonzero(depth)
        z = depth[row, column]
        offset = np.stack([column, row], axis=-1) + 0.5 - SIZE / 2
        offset *= z[:, None] * (HALF_WIDTH / DISTANCE * 2 / SIZE)
        surface.append(offset @ across.T + (z - DISTANCE)[:, None] * forward)
    occupied = np.zeros(len(centres), bool)
    occupied[solid] = True
    blocks = occupied.reshape(SIDE, FINE, SIDE, FINE, SIDE, FINE)
    return TrueShape(blocks.mean(axis=(1, 3, 5)) >= 0.5, thin_out(np.concatenate(surface)))


def thin_out(points: np.ndarray, spacing: float = SURFACE_SPACING) -> np.ndarray:
    """Return the first point in each cell of a grid."""
    cells = np.floor(points / spacing).astype(np.int64)
    first = np.unique(cells @ np.array([1, 1 << 20, 1 << 40]), return_index=True)[1]
    return points[np.sort(first)].astype(np.float32)
