import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_nvs_ros import geometry

coordinate = st.floats(-10, 10)
point = st.tuples(coordinate, coordinate, coordinate).map(np.array)
quaternion = (
    st.tuples(*[st.floats(-1, 1)] * 4)
    .map(np.array)
    .filter(lambda q: np.linalg.norm(q) > 1e-2)
    .map(lambda q: q / np.linalg.norm(q))
)
pose = st.builds(geometry.pose_from, point, quaternion)


@given(pose)
def test_inverse_undoes_a_pose(T):
    np.testing.assert_allclose(geometry.inverse(T) @ T, np.eye(4), atol=1e-9)


@given(pose, pose, pose)
def test_relative_poses_compose(a, b, c):
    through_b = geometry.relative_pose(a, b) @ geometry.relative_pose(b, c)
    np.testing.assert_allclose(through_b, geometry.relative_pose(a, c), atol=1e-8)


@given(pose, point)
def test_relative_pose_takes_points_from_target_to_source(T_object_source, p_target):
    T_object_target = geometry.pose_from([1.0, 2.0, 3.0], [0.0, 0.0, 0.0, 1.0])
    p_object = T_object_target @ np.append(p_target, 1)
    p_source = geometry.relative_pose(T_object_source, T_object_target) @ np.append(p_target, 1)
    np.testing.assert_allclose(T_object_source @ p_source, p_object, atol=1e-8)


@given(point, point, point.filter(lambda up: np.linalg.norm(up) > 0.1))
def test_look_at_puts_the_target_on_the_optical_axis_upright(eye, target, up):
    distance = np.linalg.norm(target - eye)
    if distance < 1e-3:
        return
    T = geometry.check_pose(geometry.look_at(eye, target, up))
    seen = geometry.inverse(T) @ np.append(target, 1)
    np.testing.assert_allclose(seen, [0, 0, distance, 1], atol=1e-6)
    assert T[:3, 1] @ up <= 1e-6  # y points down


def test_look_at_follows_the_optical_frame_convention():
    T = geometry.look_at([-2.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    np.testing.assert_allclose(T[:3, 2], [1, 0, 0])  # forward
    np.testing.assert_allclose(T[:3, 0], [0, -1, 0])  # right
    np.testing.assert_allclose(T[:3, 1], [0, 0, -1])  # down


@pytest.mark.parametrize("eye", [(0.0, 0.0, 1.3), (0.0, 0.0, -1.3)])
def test_look_at_along_up_has_y_up_in_the_image(eye):
    T = geometry.check_pose(geometry.look_at(eye, np.zeros(3)))
    np.testing.assert_allclose(T[:3, 1], [0, -1, 0])


def test_look_at_of_a_camera_at_its_target_is_refused():
    with pytest.raises(ValueError, match="equals its target"):
        geometry.look_at([1.0, 1.0, 1.0], [1.0, 1.0, 1.0])


@given(st.integers(1, 24), st.lists(st.floats(-1.4, 1.4), min_size=1, max_size=3),
       st.floats(0.1, 5))  # fmt: skip
def test_orbit_cameras_look_at_the_centre_from_the_distance(count, elevations, distance):
    poses = geometry.orbit(count, elevations, distance)
    assert poses.shape == (count * len(elevations), 4, 4)
    np.testing.assert_allclose(np.linalg.norm(poses[:, :3, 3], axis=1), distance)
    centre = geometry.inverse(poses)[:, :3, 3]
    np.testing.assert_allclose(centre, np.tile([0, 0, distance], (len(poses), 1)), atol=1e-9)


@given(quaternion)
def test_quaternions_round_trip(q):
    R = geometry.rotation_from_quaternion(q)
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-12)
    back = geometry.quaternion_from_rotation(R)
    np.testing.assert_allclose(np.abs(back @ q), 1, atol=1e-9)  # q and -q are one rotation


@pytest.mark.parametrize("q", [(0, 0, 0, 0), (np.nan, 0, 0, 1), (1, 1, 1, 1)])
def test_quaternion_not_of_unit_length_is_refused(q):
    with pytest.raises(ValueError, match="unit length"):
        geometry.rotation_from_quaternion(q)


@pytest.mark.parametrize(
    "bad, reason",
    [
        (np.eye(3), "shape"),
        (np.full((4, 4), np.nan), "finite"),
        (2 * np.eye(4), "rigid"),
        (np.diag([1.0, 1.0, -1.0, 1.0]), "rigid"),
    ],
)
def test_check_pose_reports_the_reason(bad, reason):
    with pytest.raises(ValueError, match=reason):
        geometry.check_pose(bad)


@given(st.floats(-3, 3), st.floats(-1.5, 1.5), st.floats(0.1, 3), st.floats(-1.5, 1.5))
@settings(deadline=None)
def test_upright_source_finds_the_elevation(azimuth, elevation, further, target_elevation):
    eyes = geometry.eye_at([azimuth, azimuth + further], [elevation, target_elevation])
    source, target = geometry.look_at(eyes, np.zeros(3))
    straight = geometry.look_at(geometry.eye_at(azimuth, 0.1), np.zeros(3))  # tells nothing
    poses = geometry.relative_pose(source, np.stack([straight, target]))
    found = geometry.upright_source(poses)
    expected = geometry.look_at(geometry.eye_at(0.0, elevation), np.zeros(3))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_upright_source_of_equal_azimuths_is_refused():
    source = geometry.orbit(2)  # opposite each other
    with pytest.raises(ValueError, match="elevation"):
        geometry.upright_source(geometry.relative_pose(source[0], source))


@given(st.floats(0.6, 20))
def test_model_camera_shows_the_sphere_equally_large_from_any_distance(distance):
    camera = geometry.ModelCamera()
    shown = camera.focal_at(distance) * camera.radius / distance  # image widths
    assert shown == pytest.approx(camera.focal * camera.radius / camera.distance)


def test_model_camera_has_the_cameras_of_srn_cars_by_default():
    """131.25 pixels of 128, 1.3 units from objects with a diagonal of 1."""
    camera = geometry.SRN_CAMERA
    assert (camera.size, camera.radius, camera.distance) == (32, 0.5, 1.3)
    assert camera.focal * 128 == 131.25


@pytest.mark.parametrize(
    "bad, reason",
    [
        (dict(size=0), "size is 0; it must be positive"),
        (dict(size=32.5), "size is 32.5; it must be a whole number"),
        (dict(focal=float("nan")), "focal is nan; it must be positive"),
        (dict(distance="far"), "distance is 'far'; it must be a number"),
        (dict(radius=-1.0), "radius is -1.0; it must be positive"),
        (dict(distance=0.4), "distance is 0.4, within the object's radius, 0.5"),
    ],
)
def test_invalid_model_camera_is_refused(bad, reason):
    with pytest.raises(ValueError, match=reason):
        geometry.ModelCamera(**bad)
