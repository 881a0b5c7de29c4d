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
angle = st.floats(-3.1, 3.1)
place = st.builds(geometry.eye_at, angle, st.floats(-1.5, 1.5), st.floats(0.3, 5))
pose = st.builds(geometry.pose_from, point, quaternion)


def aside_and_rolled(aside: float, towards: float, roll: float) -> np.ndarray:
    """Turn of a camera away from what it looks at, to any side, then about its own axis."""
    half = np.sin(aside / 2)
    away = [half * np.cos(towards), half * np.sin(towards), 0, np.cos(aside / 2)]
    about = [0, 0, np.sin(roll / 2), np.cos(roll / 2)]
    return geometry.pose_from(np.zeros(3), away) @ geometry.pose_from(np.zeros(3), about)


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
def test_look_at_puts_the_target_on_the_optical_axis_and_up_up(eye, target, up):
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


def test_look_at_refuses_a_camera_at_its_target():
    with pytest.raises(ValueError, match="equals its target"):
        geometry.look_at([1.0, 1.0, 1.0], [1.0, 1.0, 1.0])


@given(st.integers(1, 24), st.lists(st.floats(-1.4, 1.4), min_size=1, max_size=3),
       st.floats(0.1, 5))  # fmt: skip
def test_orbit_cameras_stand_at_the_distance_and_see_the_centre(count, elevations, distance):
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
def test_quaternions_not_of_unit_length_are_refused(q):
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
def test_check_pose_names_what_is_wrong(bad, reason):
    with pytest.raises(ValueError, match=reason):
        geometry.check_pose(bad)


@given(st.floats(0.05, 20), st.floats(-3.1, 3.1), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1))
def test_virtual_camera_sees_the_centre_from_the_same_side(distance, azimuth, elevation, roll):
    upright = geometry.look_at(geometry.eye_at(azimuth, elevation, distance), np.zeros(3))
    rolled = upright @ geometry.pose_from(np.zeros(3), [0, 0, np.sin(roll / 2), np.cos(roll / 2)])
    camera = geometry.virtual_camera(rolled)
    assert camera.distance == pytest.approx(distance)
    expected = upright.copy()
    expected[:3, 3] *= geometry.DISTANCE / distance
    np.testing.assert_allclose(camera.pose, expected, atol=1e-6)
    assert np.cos(camera.roll - roll) == pytest.approx(1)


@given(angle, st.floats(-1.5, 1.5), st.floats(0.3, 5), st.floats(0, 0.44), angle, angle)
def test_where_a_camera_looks_does_not_change_its_virtual_camera(
    azimuth, elevation, distance, aside, towards, roll
):
    """Up to 25 degrees off the object, rolled anyhow: the view is from the same place, upright."""
    straight = geometry.look_at(geometry.eye_at(azimuth, elevation, distance), np.zeros(3))
    camera = straight @ aside_and_rolled(aside, towards, roll)
    virtual = geometry.virtual_camera(camera)
    np.testing.assert_allclose(virtual.pose, geometry.virtual_camera(straight).pose, atol=1e-9)
    ahead = virtual.rotation @ camera[:3, :3].T @ -camera[:3, 3]
    np.testing.assert_allclose(ahead, [0, 0, distance], atol=1e-9)


@given(st.floats(0, 0.44), angle, angle)
def test_the_roll_is_what_is_left_once_a_camera_is_turned_to_the_object(aside, towards, roll):
    straight = geometry.look_at([0.8, 0.5, 0.4], np.zeros(3))
    camera = geometry.virtual_camera(straight @ aside_and_rolled(aside, towards, roll))
    assert np.cos(camera.roll - roll) == pytest.approx(1, abs=1e-9)


@given(place, place)
def test_the_condition_is_exact(source, target):
    """Against the same written out by hand: forward, right and down of a camera at each place."""

    def pose(eye):
        forward = -eye / np.sqrt(eye @ eye)
        right = np.array([-eye[1], eye[0], 0]) / np.hypot(*eye[:2])
        return right, np.cross(forward, right), forward, -1.3 * forward

    *axes, s = pose(source)
    *columns, t = pose(target)
    expected = [[*(a @ c for c in columns), a @ (t - s)] for a in axes] + [[0, 0, 0, 1]]
    cameras = [
        geometry.virtual_camera(geometry.look_at(eye, 0.05 * eye[::-1])) for eye in (source, target)
    ]
    condition = geometry.relative_pose(*(camera.pose for camera in cameras))
    np.testing.assert_allclose(condition, expected, atol=1e-9)


def test_virtual_camera_refuses_an_object_behind_it():
    behind = geometry.look_at([1.0, 0.0, 0.0], [2.0, 0.0, 0.0])
    with pytest.raises(ValueError, match=r"behind the camera of view 2, .* optical \(z forward\)"):
        geometry.virtual_camera(behind, "the camera of view 2")
    across = geometry.look_at([1.0, 0.0, 0.0], [1.0, 1.0, 0.0])
    with pytest.raises(ValueError, match="behind the camera"):
        geometry.virtual_camera(across)


def test_virtual_camera_refuses_a_camera_at_the_centre():
    with pytest.raises(ValueError, match="the camera stands at the object's centre"):
        geometry.virtual_camera(np.eye(4))


def test_virtual_camera_refuses_what_is_no_pose():
    with pytest.raises(ValueError, match="the pose of the camera has values that are not finite"):
        geometry.virtual_camera(np.full((4, 4), np.nan))


def test_a_camera_inside_the_object_is_told_from_one_outside():
    camera = geometry.virtual_camera(geometry.look_at([0.3, 0.0, 0.0], np.zeros(3)))
    camera.check_outside(0.29)
    with pytest.raises(ValueError, match="the camera is inside the object: nearer"):
        camera.check_outside(0.3)


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


def test_upright_source_refuses_poses_that_leave_the_elevation_open():
    source = geometry.orbit(2)  # opposite each other
    with pytest.raises(ValueError, match="elevation"):
        geometry.upright_source(geometry.relative_pose(source[0], source))
