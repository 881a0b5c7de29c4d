"""Draws triangles with a z-buffer, in numpy: photographs of simulated objects from anywhere."""

import numpy as np

from tiny_nvs_ros.geometry import inverse

NEAR = 1e-3  # in the unit of the vertices; triangles that come nearer are left out


def rasterize(
    vertices: np.ndarray,
    faces: np.ndarray,
    front: np.ndarray,
    back: np.ndarray,
    T_object_camera: np.ndarray,
    focal: float,
    size: int,
) -> np.ndarray:
    """Return an image, size x size x 4 uint8 RGBA, of triangles; white where there are none.

    vertices: (V, 3); faces: (F, 3) indices, counter-clockwise from outside; front, back: (F, 3, 3)
    uint8, colour of each corner as seen from either side. T_object_camera: (4, 4), optical frame.
    focal: pixels, the principal point is the image's centre. A pixel is covered if its centre is.
    """
    T_camera_object = inverse(T_object_camera)
    points = vertices @ T_camera_object[:3, :3].T + T_camera_object[:3, 3]
    z = points[:, 2]
    # Pixel centres are at whole numbers.
    xy = focal * points[:, :2] / np.maximum(z, NEAR)[:, None] + (size - 1) / 2
    corners = xy[faces]  # (F, 3, 2)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = _cross(b - a, c - a)
    low = np.maximum(np.ceil(corners.min(axis=1)), 0).astype(np.int64)
    high = np.minimum(np.floor(corners.max(axis=1)), size - 1).astype(np.int64)
    extent = np.maximum(high - low + 1, 0)
    ahead = (z[faces] > NEAR).all(axis=1)
    drawn = np.flatnonzero(ahead & (extent.prod(axis=1) > 0) & (np.abs(area) > 1e-9))
    # Each pixel of each triangle's bounding box is a candidate.
    count = extent[drawn].prod(axis=1)
    face = np.repeat(drawn, count)
    within = np.arange(len(face)) - np.repeat(np.cumsum(count) - count, count)
    column = low[face, 0] + within % extent[face, 0]
    row = low[face, 1] + within // extent[face, 0]
    p = np.stack([column, row], axis=-1)
    u = _cross(c[face] - b[face], p - b[face]) / area[face]
    v = _cross(a[face] - c[face], p - c[face]) / area[face]
    weights = np.stack([u, v, 1 - u - v], axis=-1)
    inside = (weights >= 0).all(axis=-1)
    face, column, row, weights = face[inside], column[inside], row[inside], weights[inside]
    # Inverse depth is linear in the image.
    weights = weights / z[faces[face]]
    inverse_depth = weights.sum(axis=-1)
    pixel = row * size + column
    nearest = np.zeros(size * size)
    np.maximum.at(nearest, pixel, inverse_depth)
    kept = np.flatnonzero(inverse_depth == nearest[pixel])
    face, weights = face[kept], weights[kept] / inverse_depth[kept, None]
    # In the image, with y down, a triangle seen from its front has a negative area.
    colors = np.where((area[face] < 0)[:, None, None], front[face], back[face])
    image = np.full((size * size, 4), (255, 255, 255, 0), np.uint8)
    image[pixel[kept], :3] = np.round((weights[..., None] * colors).sum(axis=1))
    image[pixel[kept], 3] = 255
    return image.reshape(size, size, 4)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
