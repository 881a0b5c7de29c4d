"""The object's mask from depth, of scenes whose depth is computed by ray casting."""

import numpy as np
import pytest

from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.depth_mask import object_mask
from tiny_nvs_ros.geometry import eye_at, look_at

RADIUS = 0.1  # of the object's sphere
BALL = 0.07
K = np.array([[520.0, 0, 319.5], [0, 520, 239.5], [0, 0, 1]])
PINHOLE = Camera(K, np.zeros(0), False, 640, 480)
LENS = Camera(K, np.array([-0.2, 0.05, 1e-3, -1e-3]), False, 640, 480)


def scene(camera: Camera, pose: np.ndarray, table: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the depth of a ball at the origin on a table of that height, and where the ball is."""
    y, x = np.mgrid[: camera.height, : camera.width]
    rays = camera.rays(np.stack([x.ravel(), y.ravel()], axis=-1))
    directions, eye = rays @ pose[:3, :3].T, pose[:3, 3]
    depth = np.full(len(rays), np.nan)
    if table is not None:
        depth = (table - eye[2]) / directions[:, 2]
        depth[depth <= 0] = np.nan
    a, b = (directions**2).sum(axis=1), directions @ eye
    root = b**2 - a * (eye @ eye - BALL**2)
    hit = root > 0
    ball = np.where(hit, (-b - np.sqrt(np.maximum(root, 0))) / a, np.inf)
    hit &= ball < np.where(np.isnan(depth), np.inf, depth)
    depth[hit] = ball[hit]
    shape = camera.height, camera.width
    return depth.reshape(shape).astype(np.float32), hit.reshape(shape)


def camera_at(distance: float, elevation: float = 0.6) -> np.ndarray:
    return look_at(eye_at(0.7, elevation, distance), np.zeros(3))


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    return (mask & truth).sum() / (mask | truth).sum()


@pytest.mark.parametrize("camera", [PINHOLE, LENS], ids=["pinhole", "lens"])
@pytest.mark.parametrize("table", [None, -BALL])
@pytest.mark.parametrize("distance", [0.4, 0.9])
def test_mask_is_the_object_and_not_its_table(camera, table, distance):
    depth, ball = scene(camera, camera_at(distance), table)
    assert iou(object_mask(depth, camera, camera_at(distance), RADIUS), ball) > 0.93


def test_holes_nan_and_zero_are_filled_where_they_are_small():
    pose = camera_at(0.5)
    depth, ball = scene(PINHOLE, pose, -BALL)
    rng = np.random.default_rng(0)
    holes = rng.random(depth.shape) < 0.1
    noisy = depth + rng.normal(0, 0.001, depth.shape).astype(np.float32)
    noisy[holes] = np.nan
    assert iou(object_mask(noisy, PINHOLE, pose, RADIUS), ball) > 0.9


def test_a_neighbour_beyond_the_radius_is_not_the_object():
    pose = camera_at(0.5)
    depth, _ = scene(PINHOLE, pose, -BALL)
    moved = pose.copy()
    moved[:3, 3] += [0.25, 0.0, 0.0]  # the same ball, 25 cm beside the object frame's origin
    with pytest.raises(ValueError, match=r"nothing within object_radius, 0\.1 m"):
        object_mask(depth, PINHOLE, moved, RADIUS)


def test_depth_of_another_size_is_refused():
    with pytest.raises(ValueError, match="320x240 pixels, camera_info says 640x480"):
        object_mask(np.ones((240, 320), np.float32), PINHOLE, camera_at(0.5), RADIUS)


def test_depth_without_any_value_is_refused():
    empty = np.full((480, 640), np.nan, np.float32)
    with pytest.raises(ValueError, match="the depth image shows nothing"):
        object_mask(empty, PINHOLE, camera_at(0.5), RADIUS)
