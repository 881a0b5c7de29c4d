"""Volumes of features in a camera's frustum, resampled into other cameras.

A volume has cells (depth, rows, columns): the columns and rows of the image, and slices from one
object radius before the object's centre to one behind it, scaled by DEPTH_RANGE. What a change of
camera does to an image is geometry and need not be learnt (transformable bottleneck networks:
Olszewski et al. 2019).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from tiny_nvs_ros.model.layers import centres
from tiny_nvs_ros.model.multiview.camera_encoding import project, unproject

DEPTH_RANGE = 1.2  # object radii before and behind the object's centre; objects may be displaced


def resample(
    volume: Tensor,
    source: Tensor,
    source_rho: Tensor,
    target: Tensor,
    target_rho: Tensor,
) -> Tensor:
    """Return what each source's volume holds at each target's cells, (B, K, n, cells, channels).

    volume: (B, n, channels, depth, rows, columns). source: (B, n, 3, 3) R_object_source and
    target: (B, K, 3, 3) R_object_target, in one frame; source_rho (B, n), target_rho (B, K),
    object radii. Linear between the cells, 0 outside.
    """
    sizes, views = volume.shape[3:], target.shape[1]
    points = unproject(cell_centres(sizes, target), target_rho)  # (B, K, cells, 3)
    R_source_target = source[:, None].transpose(-1, -2) @ target[:, :, None]  # (B, K, n, 3, 3)
    points = points[:, :, None] @ R_source_target.transpose(-1, -2)
    cells = project(points, source_rho[:, None])
    # grid_sample counts the last axis from -1 to 1 too.
    cells = torch.cat([cells[..., :2], cells[..., 2:] / DEPTH_RANGE], dim=-1)
    grid = (
        cells.transpose(1, 2).flatten(0, 1).flatten(1, 2)[:, :, None, None]
    )  # (B n, K cells, ...)
    sampled = F.grid_sample(volume.flatten(0, 1), grid.to(volume.dtype), align_corners=False)
    sampled = sampled[..., 0, 0].unflatten(2, (views, -1)).unflatten(0, volume.shape[:2])
    return sampled.permute(0, 3, 1, 4, 2)


def cell_centres(sizes: tuple[int, int, int], like: Tensor) -> Tensor:
    """Return the centres of a volume's cells, (cells, 3), as `unproject` takes them."""
    w, v, u = torch.meshgrid(*(centres(n, like) for n in sizes), indexing="ij")
    return torch.stack([u, v, DEPTH_RANGE * w], dim=-1).flatten(0, 2)
