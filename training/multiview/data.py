"""Views of many objects in the memory of the model's device."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

OBJECT_RADIUS = 0.5  # of the data's objects, in the data's unit (half the bounding-box diagonal)


@dataclass
class ObjectViews:
    """The same number of views of each of N objects.

    rgba: (N, V, 2 size, 2 size, 4) uint8, straight alpha; depth: (N, V, size, size) float16, of the
    visible surface behind the object frame's origin along the optical axis, object radii;
    rotations: (N, V, 3, 3) R_object_camera; rho: (N, V) distance, object radii. available: objects
    that are filled; a loader may fill the rest while training runs. A depth of NaN is unknown.
    chances: (N,) of each object to be drawn, None if all are equal. own: (N,) bool, objects whose
    mirror images and recoloured copies are other objects, None if there are none.
    """

    rgba: Tensor
    depth: Tensor
    rotations: Tensor
    rho: Tensor
    available: int
    chances: Tensor | None = None
    own: Tensor | None = None

    @classmethod
    def empty(cls, objects: int, views: int, size: int, device: str) -> "ObjectViews":
        return cls(
            torch.empty(objects, views, 2 * size, 2 * size, 4, dtype=torch.uint8, device=device),
            torch.empty(objects, views, size, size, dtype=torch.float16, device=device),
            torch.empty(objects, views, 3, 3, device=device),
            torch.empty(objects, views, device=device),
            0,
        )

    def append(
        self, rgba: np.ndarray, depth: np.ndarray, rotations: np.ndarray, rho: np.ndarray
    ) -> None:
        """Add objects: arrays as the fields, without those beyond the capacity."""
        count = min(len(rgba), len(self.rgba) - self.available)
        rows = slice(self.available, self.available + count)
        for mine, new in (
            (self.rgba, rgba),
            (self.depth, depth),
            (self.rotations, rotations),
            (self.rho, rho),
        ):
            mine[rows] = torch.from_numpy(new[:count]).to(mine)
        self.available += count


def half_size_depth(depth: np.ndarray, distance: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return depth at half of the size as ObjectViews holds it.

    depth: (V, 2 size, 2 size) along the optical axis in the data's unit, 0 where empty; distance:
    (V,) of the camera from the origin; alpha: (V, 2 size, 2 size). Returns (V, size, size) float16,
    0 where empty, NaN where there is an object but no depth, as in holes of a real sensor's depth.
    """
    views, side = depth.shape[:2]
    blocks = depth.reshape(views, side // 2, 2, side // 2, 2)
    full = blocks > 0
    offset = np.where(full, blocks - distance[:, None, None, None, None], 0).sum(axis=(2, 4))
    count = full.sum(axis=(2, 4))
    offset = offset / np.maximum(count, 1) / OBJECT_RADIUS
    object_there = (alpha.reshape(blocks.shape) > 0).any(axis=(2, 4))
    return np.where(object_there & (count == 0), np.nan, offset).astype(np.float16)


def premultiplied(rgba: Tensor) -> Tensor:
    """Return (M, 4, H, W) float in [0, 1], colour multiplied by alpha, of (M, H, W, 4) uint8."""
    image = rgba.permute(0, 3, 1, 2).float() / 255
    return torch.cat([image[:, :3] * image[:, 3:], image[:, 3:]], dim=1)


def targets_of(rgba: Tensor) -> tuple[Tensor, Tensor]:
    """Return colour on white (M, 3, size, size) and alpha (M, 1, size, size) of `premultiplied`."""
    color, alpha = F.avg_pool2d(rgba, 2).split([3, 1], dim=1)
    return color + 1 - alpha, alpha
