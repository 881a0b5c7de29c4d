"""Volumes of features in a camera's view, resampled into other cameras.

What a change of camera does to an image is geometry and need not be learnt (transformable
bottleneck networks: Olszewski et al. 2019).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from tiny_nvs_ros.geometry import ModelCamera
from tiny_nvs_ros.model.layers import centres


def cell_centres(shape: tuple[int, int, int], like: Tensor) -> Tensor:
    """Return the centres of the cells of a camera's view, (cells, 3), on the device of `like`.

    shape: of the volume: slices, rows, columns.

    Numbers of each go from -1 to 1: to the right and down across the picture, and away from the
    camera through the object, from its radius before its centre to as far behind.
    """
    w, v, u = torch.meshgrid(*(centres(n, like) for n in shape), indexing="ij")
    return torch.stack([u, v, w], dim=-1).flatten(0, 2)


def reproject(points: Tensor, rotation: Tensor, camera: ModelCamera) -> Tensor:
    """Return where another camera sees points of a camera's view; both look at the object's centre.

    points: (n, 3), numbers as of cell_centres; rotation: (..., 3, 3) R_other_camera. Returns
    (..., n, 3), numbers likewise.
    """
    focal = 2 * camera.focal  # in halves of the image's width
    u, v, w = points.unbind(dim=-1)
    w = camera.radius * w
    across = (camera.distance + w) / focal
    about_centre = torch.stack([u * across, v * across, w], dim=-1)
    x, y, w = (about_centre @ rotation.transpose(-1, -2)).unbind(dim=-1)
    across = (camera.distance + w) / focal
    return torch.stack([x / across, y / across, w / camera.radius], dim=-1)


def sample_volume(volume: Tensor, points: Tensor) -> Tensor:
    """Return what volumes hold at points, by trilinear interpolation; 0 outside.

    volume: (B, channels, slices, rows, columns); points: (B, n, 3), numbers as of cell_centres.
    Returns (B, n, channels).
    """
    grid = points[:, :, None, None]
    return F.grid_sample(volume, grid, align_corners=False).flatten(2).transpose(1, 2)
