"""Features of upright cameras that look at the object's centre, in a frame shared by all views.

Lengths are object radii. A camera's distance rho is its distance from the object's centre; its
focal length grows with rho, so that the object's bounding sphere keeps its size in the image. All
functions take torch tensors with any leading dimensions that broadcast.
"""

import torch
from torch import Tensor

from tiny_nvs_ros.model.layers import centres, fourier_features
from tiny_nvs_ros.model.multiview import NEAREST

HALF_WIDTH = 1.2678  # object radii from the object's centre to the image's edge (SRN cars' cameras)
CAMERA_FEATURES = 7
POINTS_PER_TOKEN = 3  # on a token's line of sight
POINT_SPACING = 0.6  # object radii between them


def shared_frame(rotations: Tensor, valid: Tensor, heading_known: Tensor) -> Tensor:
    """Return R_shared_object, (B, 3, 3): the frame in which all cameras are described.

    With a known heading it is the object's frame. Otherwise it is turned about z to the mean
    azimuth of the source cameras, so that neither the object frame's heading nor the order of the
    sources changes the result.

    rotations: (B, n, 3, 3) R_object_source; valid: (B, n) bool, False for padding; heading_known:
    (B,) bool.
    """
    weight = valid.to(rotations)
    # The x axis of an upright camera is (-sin(azimuth), cos(azimuth), 0), also at the poles.
    cosine = (rotations[..., 1, 0] * weight).sum(dim=-1)
    sine = (-rotations[..., 0, 0] * weight).sum(dim=-1)
    length = (cosine.square() + sine.square()).sqrt()
    fixed = heading_known | (length < 1e-3)  # opposite sources have no mean azimuth
    length = torch.where(fixed, 1.0, length)
    cosine = torch.where(fixed, 1.0, cosine / length)
    sine = torch.where(fixed, 0.0, sine / length)
    zero, one = torch.zeros_like(cosine), torch.ones_like(cosine)
    rows = torch.stack([cosine, sine, zero, -sine, cosine, zero, zero, zero, one], dim=-1)
    return rows.unflatten(-1, (3, 3))


def camera_features(rotation: Tensor, rho: Tensor, heading_known: Tensor) -> Tensor:
    """Return Fourier features of cameras, (..., 1 + (CAMERA_FEATURES - 1) * 7).

    Direction from the object to the camera, cosine and sine of the azimuth (which the direction
    lacks at the poles), nearness, and whether the heading is known.

    rotation: (..., 3, 3) R_shared_camera; rho: (...) object radii; heading_known: (...) bool.
    """
    direction = -rotation[..., :, 2]
    azimuth = torch.stack([rotation[..., 1, 0], -rotation[..., 0, 0]], dim=-1)
    nearness = (NEAREST / rho)[..., None]
    numbers = torch.cat([direction, azimuth, nearness], dim=-1)
    known = heading_known.expand(rho.shape).to(numbers)[..., None]
    return torch.cat([fourier_features(numbers), known], dim=-1)


def token_points(rotation: Tensor, rho: Tensor, side: int) -> Tensor:
    """Return points on the line of sight of each token, (..., side^2, 3 POINTS_PER_TOKEN).

    Coordinates in the shared frame, half of the image's width is 1. rotation: (..., 3, 3)
    R_shared_camera; rho: (...) object radii.
    """
    ticks = centres(side, rotation)
    depths = torch.arange(POINTS_PER_TOKEN, device=rotation.device) - (POINTS_PER_TOKEN - 1) / 2
    v, u, w = torch.meshgrid(ticks, ticks, POINT_SPACING * depths, indexing="ij")
    points = unproject(torch.stack([u, v, w], dim=-1).flatten(0, 2), rho)
    points = (points @ rotation.transpose(-1, -2)) / HALF_WIDTH
    return points.unflatten(-2, (side**2, -1)).flatten(-2)


def unproject(cells: Tensor, rho: Tensor) -> Tensor:
    """Return points (..., n, 3) in the camera's axes, from the object's centre, in object radii.

    cells: (..., n, 3): image position to the right and down, each -1 to 1 across the image, and
    distance behind the object's centre along the optical axis, object radii. rho: (...).
    """
    u, v, w = cells.unbind(dim=-1)
    across = HALF_WIDTH * (1 + w / rho[..., None])
    return torch.stack(torch.broadcast_tensors(u * across, v * across, w), dim=-1)


def project(points: Tensor, rho: Tensor) -> Tensor:
    """Return cells (..., n, 3) of points (..., n, 3): the inverse of `unproject`."""
    x, y, w = points.unbind(dim=-1)
    across = HALF_WIDTH * (1 + w / rho[..., None])
    return torch.stack([x / across, y / across, w], dim=-1)


def pair_features(
    target: Tensor, target_rho: Tensor, sources: Tensor, source_rho: Tensor
) -> Tensor:
    """Return features of each pair of a target and a source camera, (B, K, n, 8).

    target: (B, K, 3, 3) and sources: (B, n, 3, 3), R_shared_camera.
    """
    t, s = -target[:, :, None, :, 2], -sources[:, None, :, :, 2]
    cosine = (t * s).sum(dim=-1)
    t_x, s_x = target[:, :, None, :, 0], sources[:, None, :, :, 0]
    azimuth_cosine = (t_x * s_x).sum(dim=-1)
    azimuth_sine = s_x[..., 0] * t_x[..., 1] - s_x[..., 1] * t_x[..., 0]
    t_z, s_z, t_near, s_near = (
        value.expand_as(cosine)
        for value in (
            t[..., 2],
            s[..., 2],
            (NEAREST / target_rho)[:, :, None],
            (NEAREST / source_rho)[:, None],
        )
    )
    return torch.stack(
        [cosine, cosine.square(), azimuth_cosine, azimuth_sine, t_z, s_z, t_near, s_near], dim=-1
    )
