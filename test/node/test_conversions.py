from array import array

import numpy as np
import pytest
from builtin_interfaces.msg import Time as Stamp
from geometry_msgs.msg import Pose
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from tiny_nvs_ros import geometry
from tiny_nvs_ros.decode import rgb_from_raw
from tiny_nvs_ros.node import conversions

RGB = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 14  # 2 rows of 3 pixels
OPAQUE = np.full((2, 3, 1), 255, np.uint8)


def message(encoding: str, pixels: np.ndarray, padding: int = 0) -> Image:
    rows = pixels.reshape(pixels.shape[0], -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=77)
    image = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding)
    image.step = rows.shape[1]
    image.data = array("B", rows.tobytes())
    return image


ENCODED = {
    "rgb8": RGB,
    "bgr8": RGB[..., ::-1],
    "rgba8": np.concatenate([RGB, OPAQUE], axis=-1),
    "bgra8": np.concatenate([RGB[..., ::-1], OPAQUE], axis=-1),
}


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", ENCODED)
def test_every_colour_encoding_decodes_to_the_same_image(encoding, padding):
    image = message(encoding, ENCODED[encoding], padding)
    np.testing.assert_array_equal(rgb_from_raw(image), RGB)
    image.is_bigendian = 1  # of no meaning to single bytes
    np.testing.assert_array_equal(rgb_from_raw(image), RGB)


BYTES = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
RAW = {
    "mono8": BYTES[..., 0],
    "yuv422": BYTES[..., :2],
    "yuv422_yuy2": BYTES[..., :2],
    **{f"bayer_{pattern}8": BYTES[..., 0] for pattern in ("rggb", "bggr", "gbrg", "grbg")},
}


@pytest.mark.parametrize("encoding", [*ENCODED, *RAW])
def test_decoded_images_equal_those_of_cv_bridge(encoding):
    cv_bridge = pytest.importorskip("cv_bridge", reason="cv_bridge is missing: it comes with ROS")
    image = message(encoding, (ENCODED | RAW)[encoding], padding=3)
    theirs = cv_bridge.CvBridge().imgmsg_to_cv2(image, "rgb8")
    assert np.abs(rgb_from_raw(image).astype(int) - theirs).max() <= 1  # another OpenCV


def test_image_message_holds_the_pixels_of_the_array():
    header = Header(frame_id="camera")
    image = conversions.image_from_array(RGB[:, ::-1], header)
    assert (image.encoding, image.height, image.width, image.step) == ("rgb8", 2, 3, 9)
    np.testing.assert_array_equal(rgb_from_raw(image), RGB[:, ::-1])
    depth = np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)
    image = conversions.image_from_array(depth, header)
    assert (image.encoding, image.step, image.header) == ("32FC1", 12, header)
    np.testing.assert_array_equal(np.frombuffer(image.data, np.float32).reshape(2, 3), depth)


numbers = st.tuples(*[st.floats(-1, 1)] * 7).filter(lambda v: np.linalg.norm(v[3:]) > 0.01)


@given(numbers)
def test_poses_and_transforms_round_trip(values):
    quaternion = np.array(values[3:]) / np.linalg.norm(values[3:])
    matrix = geometry.pose_from(values[:3], quaternion)
    there = conversions.matrix_from_pose(conversions.pose_from_matrix(matrix))
    np.testing.assert_allclose(there, matrix, atol=1e-9)
    there = conversions.matrix_from_transform(conversions.transform_from_matrix(matrix))
    np.testing.assert_allclose(there, matrix, atol=1e-9)


def test_pose_without_a_rotation_is_refused():
    pose = Pose()
    pose.orientation.w = 0.0
    with pytest.raises(ValueError, match="unit length"):
        conversions.matrix_from_pose(pose)
    pose = Pose()
    pose.position.x = float("nan")
    with pytest.raises(ValueError, match="finite"):
        conversions.matrix_from_pose(pose)


def test_pinhole_projects_by_its_matrices():
    info = conversions.pinhole(32, 24, 30.0, 16.0, 12.0, Header(frame_id="camera"))
    point = np.array([0.2, -0.1, 2.0])
    u, v, w = info.k.reshape(3, 3) @ point
    from_corner = (30 * 0.1 + 16, -30 * 0.05 + 12)
    assert (u / w + 0.5, v / w + 0.5) == pytest.approx(from_corner)
    np.testing.assert_allclose(info.p.reshape(3, 4)[:, :3], info.k.reshape(3, 3))
    assert (info.width, info.height, list(info.d)) == (32, 24, [0.0] * 5)


def test_invalid_pose_of_a_list_is_named():
    poses = [Pose(), Pose()]
    poses[1].position.x = float("nan")
    with pytest.raises(ValueError, match=r"pose 1 of view_poses: position .* is not finite"):
        conversions.matrices_from_poses(poses, "view_poses")


def test_negative_stamp_is_refused():
    assert conversions.time_of(Stamp(sec=5, nanosec=7)).nanoseconds == 5_000_000_007
    with pytest.raises(ValueError, match="a stamp of -5 s is negative"):
        conversions.time_of(Stamp(sec=-5, nanosec=7))
