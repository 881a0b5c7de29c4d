"""The object's mask from an aligned depth image: what lies at the object's place, on no plane.

The object is what is within object_radius of its frame's origin and above its support plane, the
plane of constant z on which most of its surroundings lie.
"""

import cv2
import numpy as np

from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.geometry import inverse

SIDE = 192  # at most so many rows and columns of pixels are examined, evenly spread
SURROUNDINGS = 2.0  # object radii from the object's axis: where a support plane is looked for
BIN = 0.04  # object radii: of heights
MIN_PLANE_SHARE = 0.3  # of the surroundings' points that lie in the plane's bin
MIN_PLANE_POINTS = 40
CLEARANCE = 0.05  # object radii above the plane: depth cameras blur the edge to the table
MIN_OBJECT_POINTS = 12


def object_mask(
    depth: np.ndarray, camera: Camera, T_object_camera: np.ndarray, object_radius: float
) -> np.ndarray:
    """Return where the object is, H x W bool.

    depth: H x W float32, metres along the optical axis, NaN where unknown, aligned with the images
    of `camera`; T_object_camera: (4, 4), metres, its pose (T_frame_camera included); object_radius:
    half the diagonal of the object's bounding box, metres. Small holes in the depth are filled.
    Raises ValueError if the depth image has another size than the camera's images, or shows nothing
    at the object's place.
    """
    if depth.shape != (camera.height, camera.width):
        raise ValueError(
            f"the depth image has {depth.shape[1]}x{depth.shape[0]} pixels, camera_info says "
            f"{camera.width}x{camera.height}: it must be aligned with the image"
        )
    rows, columns = _pixels(camera, T_object_camera, object_radius)
    points = _points(depth, camera, T_object_camera, rows, columns)
    inside = np.linalg.norm(points, axis=-1) < object_radius  # False for NaN
    plane = _support_plane(points, object_radius)
    if plane is not None:
        inside &= points[..., 2] > plane + CLEARANCE * object_radius
    if inside.sum() < MIN_OBJECT_POINTS:
        raise ValueError(
            f"the depth image shows nothing within object_radius, {object_radius:g} m, of the "
            "object's centre: check the object's pose (TF), object_radius and the depth's unit"
        )
    closed = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    mask = np.zeros(depth.shape, bool)
    top, left = rows[0], columns[0]
    height, width = rows[-1] + 1 - top, columns[-1] + 1 - left
    region = cv2.resize(closed, (int(width), int(height)), interpolation=cv2.INTER_NEAREST)
    mask[top : top + height, left : left + width] = region > 0
    return mask


def _pixels(
    camera: Camera, T_object_camera: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns of pixels that may see the object or its surroundings."""
    centre = inverse(T_object_camera)[:3, 3]
    sides = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 0, 1)])
    seen = camera.project(centre + SURROUNDINGS * radius * sides)
    limits = np.array([camera.width - 1, camera.height - 1])
    if np.isnan(seen).any():  # beside or behind the camera
        low, high = np.zeros(2, int), limits
    else:
        low = np.clip(np.floor(seen.min(axis=0)), 0, limits).astype(int)
        high = np.clip(np.ceil(seen.max(axis=0)), 0, limits).astype(int)
    columns, rows = (
        np.unique(np.linspace(a, b, min(b - a + 1, SIDE)).round().astype(int))
        for a, b in zip(low, high, strict=True)
    )
    return rows, columns


def _points(
    depth: np.ndarray,
    camera: Camera,
    T_object_camera: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
) -> np.ndarray:
    """Return what pixels see, (rows, columns, 3), in the object frame; NaN where unknown."""
    x, y = np.meshgrid(columns, rows)
    rays = camera.rays(np.stack([x.ravel(), y.ravel()], axis=-1))
    points = rays * depth[np.ix_(rows, columns)].reshape(-1, 1)
    points = points @ T_object_camera[:3, :3].T + T_object_camera[:3, 3]
    return points.reshape(len(rows), len(columns), 3)


def _support_plane(points: np.ndarray, radius: float) -> float | None:
    """Return the height of the object's support plane, in the object frame; None without one."""
    across = np.hypot(points[..., 0], points[..., 1])
    beside = (across > radius) & (across < SURROUNDINGS * radius)
    below = (points[..., 2] > -radius) & (points[..., 2] < 0.25 * radius)
    heights = points[..., 2][beside & below]
    if len(heights) < MIN_PLANE_POINTS:
        return None
    width = BIN * radius
    counts, edges = np.histogram(heights, np.arange(-radius, 0.25 * radius + width, width))
    # A plane's points may lie on both sides of an edge.
    pairs = counts[:-1] + counts[1:]
    best = int(pairs.argmax())
    if pairs[best] < max(MIN_PLANE_POINTS, MIN_PLANE_SHARE * len(heights)):
        return None
    within = (heights >= edges[best]) & (heights <= edges[best + 2])
    return float(np.median(heights[within]))
