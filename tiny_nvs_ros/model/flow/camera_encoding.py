"""Features of upright cameras that look at the object's centre, for the flow transformer."""

import torch
from torch import Tensor

from tiny_nvs_ros.model.layers import centres

CAMERA_FEATURES = 10
POINTS_PER_TOKEN = 3  # on a token's line of sight
POINT_SPACING = 0.5  # between them; 1 is half of the image's width


def camera_features(rotation: Tensor, source_rotation: Tensor, heading_known: Tensor) -> Tensor:
    """Return features of upright cameras that look at the object's centre.

    rotation: (..., 3, 3) R_object_camera; source_rotation: the source camera's; heading_known:
    (...) bool; all broadcast. Returns (..., CAMERA_FEATURES): the direction from the object to the
    camera, cosine and sine of its azimuth (which the direction lacks at the poles) and of its
    azimuth relative to the source's, the source's elevation likewise, and whether the heading is
    known. If it is not, azimuths count from the source's, and rotating the object about z changes
    nothing.
    """
    rotation, source_rotation = torch.broadcast_tensors(rotation, source_rotation)

    def elevation(r: Tensor, cosine: Tensor, sine: Tensor) -> tuple[Tensor, Tensor]:
        return -(r[..., 0, 2] * cosine + r[..., 1, 2] * sine), -r[..., 2, 2]

    cosine, sine = _azimuth(rotation)
    source_cosine, source_sine = _azimuth(source_rotation)
    ring, height = elevation(rotation, cosine, sine)
    source_ring, source_height = elevation(source_rotation, source_cosine, source_sine)
    relative = (
        cosine * source_cosine + sine * source_sine,
        sine * source_cosine - cosine * source_sine,
    )
    known = heading_known.expand(cosine.shape)
    cosine = torch.where(known, cosine, relative[0])
    sine = torch.where(known, sine, relative[1])
    numbers = [ring * cosine, ring * sine, height, cosine, sine, *relative]
    return torch.stack([*numbers, source_ring, source_height, known.to(ring)], dim=-1)


def token_points(
    rotation: Tensor, source_rotation: Tensor, heading_known: Tensor, side: int
) -> Tensor:
    """Return points on the line of sight of each token of an upright camera.

    Arguments as of camera_features. Returns (..., side^2, 3 POINTS_PER_TOKEN): coordinates in the
    object's frame, or if the heading is not known in one that is rotated about z to the source's
    azimuth. Half of the image's width is 1, and the lines of sight are parallel.
    """
    rotation, source_rotation = torch.broadcast_tensors(rotation, source_rotation)
    cosine, sine = _azimuth(source_rotation)
    cosine = torch.where(heading_known, 1.0, cosine)
    sine = torch.where(heading_known, 0.0, sine)
    x, y, z = rotation.unbind(dim=-2)
    cosine, sine = cosine[..., None], sine[..., None]
    frame = torch.stack([cosine * x + sine * y, cosine * y - sine * x, z], dim=-2)
    ticks = centres(side, frame)
    depths = POINT_SPACING * (
        torch.arange(POINTS_PER_TOKEN, device=frame.device) - (POINTS_PER_TOKEN - 1) / 2
    )
    v, u, w = torch.meshgrid(ticks, ticks, depths, indexing="ij")
    points = torch.stack([u, v, w], dim=-1).flatten(0, 2)
    return (points @ frame.transpose(-1, -2)).unflatten(-2, (side**2, -1)).flatten(-2)


def _azimuth(rotation: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosine and sine of the azimuth: the camera's x axis is (-sine, cosine, 0)."""
    return rotation[..., 1, 0], -rotation[..., 0, 0]
