from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from srn_inputs import random_images, refuses, write_split

from tiny_nvs_ros.geometry import SRN_CAMERA, eye_at, look_at, pose_from
from tiny_nvs_ros.srn_cameras import check_model_cameras
from tiny_nvs_ros.srn_data import Intrinsics, SrnError, SrnInstance, SrnSplit, write_instance


@pytest.fixture
def split(tmp_path):
    return write_split(tmp_path / "cars_train")


def rewrite(instance, pose=lambda T: T, intrinsics=lambda text: text):
    for path in (instance / "pose").iterdir():
        numbers = pose(np.loadtxt(path).reshape(4, 4))
        path.write_text(" ".join(f"{value:.9g}" for value in numbers.ravel()))
    path = instance / "intrinsics.txt"
    path.write_text(intrinsics(path.read_text()))


def scaled(factor):
    return lambda T: np.block([[T[:3, :3], factor * T[:3, 3:]], [np.zeros((1, 3)), 1]])


def moved(x, y, z):
    return lambda T: np.array([[1, 0, 0, x], [0, 1, 0, y], [0, 0, 1, z], [0, 0, 0, 1]]) @ T


SKEW = pose_from([0, 0, 0], [0.2, -0.4, 0.4, 0.8])
OPENGL = np.diag([1, -1, -1, 1.0])
PYTORCH3D = np.diag([-1, -1, 1, 1.0])
TO_Y_UP = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])
LLFF = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1.0]])
BODY = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])  # x forward
OTHER_CONVENTIONS = {
    "opengl": (lambda T: T @ OPENGL, r"180 deg.*OpenGL or Blender camera axes"),
    "world to camera": (np.linalg.inv, "world-to-camera poses: convert"),
    "opengl world to camera": (
        lambda T: np.linalg.inv(T @ OPENGL),
        "world-to-camera poses with OpenGL",
    ),
    "pytorch3d": (lambda T: T @ PYTORCH3D, "not upright.*PyTorch3D"),
    "llff": (lambda T: T @ LLFF, "LLFF camera axes"),
    "body axes": (lambda T: T @ BODY, "body camera axes"),
    "y up": (lambda T: TO_Y_UP @ T, "not upright.*a world with y up"),
    "y up and opengl": (lambda T: TO_Y_UP @ T @ OPENGL, "OpenGL.* with a world with y up"),
    "y up, world to camera": (
        lambda T: np.linalg.inv(TO_Y_UP @ T),
        "world-to-camera poses with a world with y up",
    ),
    "identity": (lambda T: np.eye(4), "stands at the object's centre"),
    "rotations only": (lambda T: scaled(0)(T), "stands at the object's centre"),
    "object elsewhere": (
        moved(0.4, 0.2, 0),
        r"past the object's centre.*look at the point \(0.4, 0.2, 0\)",
    ),
    "object elsewhere, opengl": (
        lambda T: moved(0.4, 0, 0)(T) @ OPENGL,
        r"look at the point \(0.4, 0, 0\) \(and to be OpenGL",
    ),
    "arbitrary": (lambda T: T @ SKEW, "poses must be camera-to-object"),
    "transposed": (lambda T: T.T, "is transposed"),
    "scaled": (lambda T: T @ np.diag([2, 2, 2, 1.0]), "axes have the length 2, not 1"),
    "rounded": (lambda T: T.round(2), "write its numbers with 6 decimals"),
    "left-handed": (lambda T: T @ np.diag([1, 1, -1, 1.0]), "left-handed"),
}


@pytest.mark.parametrize("pose, words", OTHER_CONVENTIONS.values(), ids=OTHER_CONVENTIONS)
def test_poses_of_another_convention_are_refused_with_a_hint(split, pose, words):
    rewrite(split / "b", pose)
    with pytest.raises(SrnError, match=rf"b/pose/00000\d\.txt.*{words}"):
        SrnSplit(split).load(8)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("16.400000", "32.8", "focal length 32.8 shows the object 2 times as large"),
        ("16.400000", "12.0", "focal length 12 shows the object 0.731 times as large"),
        ("8.000000 8.000000", "0.0 16.0", r"principal point (0, 16) is not the centre"),
        ("8.000000 8.000000", "8.0 9.0", r"principal point (8, 9) is not the centre"),
        ("16 16", "16 32", "principal point (8, 8) is not the centre of the image, (16, 8)"),
        ("16.400000", "-16.4", "the first line must be"),
        ("16.400000", "nan", "the first line must be"),
    ],
)
def test_intrinsics_of_another_camera_are_refused(split, old, new, words):
    rewrite(split / "b", intrinsics=lambda text: text.replace(old, new))
    refuses(words, lambda: SrnSplit(split).load(8))


def test_cameras_at_another_distance_with_the_same_focal_length_are_refused_with_a_hint(split):
    """SRN's chairs: cameras at 2.0."""
    rewrite(split / "b", scaled(2 / 1.3))
    refuses("shows the object 0.65 times as large", SrnSplit(split).load, 8)
    refuses("radius 0.77 and not 0.5, multiply all positions by 0.65", SrnSplit(split).load, 8)


def test_hint_for_a_few_bad_cameras_is_that_for_them_alone(split):
    path = split / "b/pose/000003.txt"
    pose = np.loadtxt(path).reshape(4, 4) @ OPENGL
    path.write_text(" ".join(map(str, pose.ravel())))
    refuses("(1 of 5 cameras are so); these seem to be OpenGL", SrnSplit(split).load, 8)
    instance = SrnInstance(split / "b", camera=None)
    refuses("(1 of 5 cameras are so); these seem to be OpenGL", lambda: instance.poses)


def test_views_that_all_have_one_pose_are_refused(split):
    first = (split / "b/pose/000000.txt").read_text()
    for path in (split / "b/pose").iterdir():
        path.write_text(first)
    refuses("b/pose: all 5 poses are the same", SrnSplit(split).load, 8)


def test_pose_that_is_not_finite_is_named_without_a_warning(split, recwarn):
    (split / "b/pose/000002.txt").write_text("nan " * 16)
    refuses("000002.txt has values that are not finite", SrnSplit(split).load, 8)
    assert not recwarn


def test_image_of_another_shape_than_its_intrinsics_is_refused(split):
    cv2.imwrite(str(split / "b/rgb/000003.png"), np.zeros((16, 12, 3), np.uint8))
    refuses("000003.png: has 12x16 pixels, intrinsics.txt is for 16x16", SrnSplit(split).load, 8)


@pytest.mark.parametrize("text", ["16.4 0 8\n0 16.4 8\n0 0 1\n"])
def test_intrinsics_as_a_matrix_are_refused_with_a_hint(split, text):
    (split / "b/intrinsics.txt").write_text(text)
    refuses("it looks like a 3x3 or 4x4 matrix K", SrnSplit(split).load, 8)


def test_principal_point_by_pixel_centres_is_accepted(split):
    rewrite(split / "b", intrinsics=lambda text: text.replace("8.000000 8.000000", "7.5 7.5"))
    assert len(SrnSplit(split).load(8)) == 8


def test_intrinsics_of_images_in_another_resolution_are_accepted(split):
    rewrite(split / "b", intrinsics=lambda text: "131.25 64. 64. 0.\n0. 0. 0.\n1.\n128 128\n")
    assert len(SrnSplit(split).load(8)) == 8


def write_at(path, distances, focals):
    """Write an instance with a camera at each distance, and intrinsics of its own."""
    eyes = eye_at(np.linspace(0, 5, len(distances)), 0.4, distances)
    lenses = [Intrinsics.centred(focal, 16) for focal in focals]
    write_instance(path, random_images(len(distances)), look_at(eyes, np.zeros(3)), lenses)


def test_cameras_at_other_distances_are_read_if_the_focal_length_grows(tmp_path):
    distances = np.array([1.1, 1.3, 4.0, 10.0])
    focals = SRN_CAMERA.focal_at(distances) * 16
    write_at(tmp_path / "x", distances, focals)
    instance = SrnInstance(tmp_path / "x", keep_distance=True)
    np.testing.assert_allclose(np.linalg.norm(instance.poses[:, :3, 3], axis=1), distances)
    read = [lens.focal for lens in instance.view_intrinsics]
    np.testing.assert_allclose(read, focals, atol=1e-6)
    refuses("different intrinsics", lambda: instance.intrinsics)
    moved = SrnInstance(tmp_path / "x").poses  # for models of one distance
    np.testing.assert_allclose(np.linalg.norm(moved[:, :3, 3], axis=1), 1.3, rtol=1e-6)
    np.testing.assert_array_equal(moved[:, :3, :3], instance.poses[:, :3, :3])
    np.testing.assert_array_equal(moved[1], instance.poses[1])


@pytest.mark.parametrize(
    ("distance", "focal", "words"),
    [
        (1.0, None, "stands at 2 object radii"),
        (10.5, None, "stands at 21 object radii"),
        (4.0, 16.4, "times as large"),
    ],
)
def test_distance_out_of_range_or_without_its_focal_length_is_refused(
    tmp_path, distance, focal, words
):
    focal = focal or SRN_CAMERA.focal_at(distance) * 16
    write_at(tmp_path / "x", np.array([1.3, distance]), [16.4, focal])
    refuses(words, lambda: SrnInstance(tmp_path / "x", keep_distance=True).poses)


def test_cameras_that_only_see_the_object_are_read_on_request(split):
    """Real cameras, to be played: at any distance, looking past the object."""
    rewrite(split / "b", lambda T: moved(0.2, 0, 0)(scaled(3.0)(T)))
    assert len(SrnInstance(split / "b", camera=None).poses) == 5
    rewrite(split / "b", lambda T: T @ OPENGL)
    refuses("does not see the object's centre", lambda: SrnInstance(split / "b", None).poses)


def test_view_without_its_intrinsics_is_named(tmp_path):
    write_at(tmp_path / "x", np.array([1.3, 1.3]), [16.4, 16.4])
    (tmp_path / "x/intrinsics/000001.txt").unlink()
    refuses("intrinsics/000001.txt: missing", lambda: SrnInstance(tmp_path / "x").poses)


@settings(deadline=None)  # all hints are tried, on busy machines too
@given(
    st.lists(
        st.tuples(st.floats(-3.1, 3.1), st.floats(-1.5, 1.5)),
        min_size=1,
        max_size=5,
        unique_by=lambda direction: round(direction[1], 1),
    ),
    st.floats(np.radians(2.5), 3.0),
    st.integers(0, 2),
)
def test_camera_rotated_away_is_refused(directions, angle, axis):
    """About any of its axes: past the object, or not upright."""
    poses = look_at([eye_at(*direction) for direction in directions], np.zeros(3))
    lenses = [Intrinsics.centred(16.4, 16)] * len(poses)
    paths = [Path(f"{i}.txt") for i in range(len(poses))]

    def check():
        check_model_cameras(poses, lenses, paths, paths, SRN_CAMERA)

    check()
    turn = np.eye(4)
    turn[:3, :3] = cv2.Rodrigues(angle * np.eye(3)[axis])[0]
    poses[-1] = poses[-1] @ turn
    with pytest.raises(SrnError, match=rf"^{len(poses) - 1}\.txt: the camera"):
        check()
