import numpy as np
import pytest

pytest.importorskip("moderngl")

from training.data.cameras import at_distances, random_distances, random_views
from training.data.mesh_builder import MeshBuilder
from training.data.random_views import displace, random_poses, render_instance


def box():
    builder = MeshBuilder()
    builder.box((0, 0, 0), (0.6, 0.5, 0.4), (0.8, 0.1, 0.1))
    return builder.build()


def test_displaced_objects_are_within_the_limits_and_most_nearly_in_place():
    offsets, scales = [], []
    rng = np.random.default_rng(0)
    for _ in range(2000):
        (mesh,) = displace([box()], rng)
        low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
        offsets.append(np.linalg.norm((low + high) / 2))
        scales.append(np.linalg.norm(high - low) / np.linalg.norm([0.6, 0.5, 0.4]))
    assert max(offsets) < 0.101 and min(scales) > 0.64 and max(scales) < 1.2
    near = (np.array(offsets) < 0.04) & (np.abs(np.log(scales)) < 0.12)
    assert np.mean(near) == pytest.approx(0.76, abs=0.03)


def test_parts_of_an_object_are_displaced_together():
    first, second = displace([box(), box()], np.random.default_rng(0))
    np.testing.assert_array_equal(first.vertices, second.vertices)
    assert not np.allclose(first.vertices, box().vertices)


def test_four_of_five_random_cameras_are_above_ten_degrees_below_the_horizon():
    poses = random_poses(20000, np.random.default_rng(0))
    elevation = np.degrees(np.arcsin(poses[:, 2, 3] / 1.3))
    assert np.mean(elevation > -10) == pytest.approx(0.8, abs=0.01)
    assert elevation.min() < -80 and elevation.max() > 80


def test_random_distances_are_log_uniform():
    logs = np.log(random_distances(20000, np.random.default_rng(0), 2.2, 20))
    assert np.log(2.2) <= logs.min() and logs.max() <= np.log(20)
    shares = np.histogram(logs, 5, (np.log(2.2), np.log(20)))[0] / len(logs)
    np.testing.assert_allclose(shares, 0.2, atol=0.015)


def test_moved_cameras_keep_their_direction_and_the_size_of_the_object():
    poses = random_views(5, np.random.default_rng(0))
    radii = np.array([2.2, 2.6, 5, 8, 20])
    moved, focals = at_distances(poses, radii)
    np.testing.assert_allclose(np.linalg.norm(moved[:, :3, 3], axis=-1), radii / 2)
    np.testing.assert_array_equal(moved[:, :3, :3], poses[:, :3, :3])
    np.testing.assert_allclose(focals / radii, 131.25 / 128 / 2.6)
    np.testing.assert_allclose(moved[1], poses[1], atol=1e-12)
    assert np.linalg.norm(poses[0, :3, 3]) == pytest.approx(1.3)  # the argument is left alone


def test_instance_does_not_depend_on_what_was_rendered_before():
    first = render_instance([box()], np.random.default_rng(1), 6, 32)
    render_instance([box()], np.random.default_rng(2), 90, 32)
    again = render_instance([box()], np.random.default_rng(1), 6, 32)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    rgba, depth, poses, focal = first
    assert rgba.shape == (6, 32, 32, 4) and rgba.dtype == np.uint8
    assert depth.shape == (6, 32, 32) and depth.dtype == np.float32
    assert poses.shape == (6, 4, 4) and focal.shape == (6,)
