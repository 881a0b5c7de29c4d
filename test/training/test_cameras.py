import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiny_nvs_ros.geometry import SRN_CAMERA, check_pose, inverse
from training.data import cameras


def centres(poses):
    return poses[:, :3, 3]


@given(st.integers(1, 40), st.integers(0, 2**32))
def test_random_views_look_at_the_centre_from_the_model_distance(count, seed):
    poses = check_pose(cameras.random_views(count, np.random.default_rng(seed)))
    assert poses.shape == (count, 4, 4)
    centre_in_camera = inverse(poses)[:, :3, 3]
    np.testing.assert_allclose(centre_in_camera, [[0, 0, SRN_CAMERA.distance]] * count, atol=1e-9)


@given(st.integers(0, 2**32))
def test_random_views_are_upright(seed):
    poses = cameras.random_views(20, np.random.default_rng(seed))
    assert np.all(np.abs(poses[:, 2, 0]) < 1e-9)  # the image's x axis is level
    assert np.all(poses[:, 2, 1] <= 1e-9)  # the image's y axis points down


def test_random_views_are_uniform_on_the_whole_sphere():
    eyes = centres(cameras.random_views(20000, np.random.default_rng(0))) / SRN_CAMERA.distance
    # Archimedes: each coordinate of a uniform direction is uniform in -1..1.
    for axis in range(3):
        shares, _ = np.histogram(eyes[:, axis], bins=10, range=(-1, 1))
        np.testing.assert_allclose(shares / 20000, 0.1, atol=0.01)


def test_same_seed_gives_the_same_random_views():
    first, again, other = (cameras.random_views(5, np.random.default_rng(s)) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_spiral_follows_the_srn_formula():
    poses = cameras.spiral()
    assert poses.shape == (251, 4, 4)
    x, y, z = centres(poses)[64] / 1.3
    assert np.degrees(np.arcsin(z)) == pytest.approx(90 * 64 / 250)
    assert np.arctan2(y, x) % (2 * np.pi) == pytest.approx(0.08 * (250 - 64) % (2 * np.pi))


def test_spiral_ends_at_the_pole_with_y_up_in_the_image():
    last = check_pose(cameras.spiral())[-1]
    np.testing.assert_allclose(last[:3, 3], [0, 0, 1.3], atol=1e-9)
    np.testing.assert_allclose(last[:3, 1], [0, -1, 0], atol=1e-9)


def test_ring_is_one_even_turn_at_30_degrees_elevation():
    poses = cameras.ring(48)
    np.testing.assert_allclose(centres(poses)[:, 2], 1.3 * 0.5)
    steps = np.linalg.norm(np.diff(centres(poses), axis=0, append=centres(poses)[:1]), axis=1)
    np.testing.assert_allclose(steps, steps[0])
