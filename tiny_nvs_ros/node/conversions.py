"""Conversions between numpy arrays and ROS messages of poses, cameras and images.

Received images are decoded elsewhere (image_decoder.py). This uses numpy alone, so that it works
with any numpy, unlike cv_bridge.
"""

import sys
from array import array
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time as Stamp
from geometry_msgs.msg import Pose, Transform
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from tiny_nvs_ros import geometry


def nanoseconds(stamp: Stamp) -> int:
    """Return a stamp's nanoseconds; rclpy's Time cannot be negative, but a message can."""
    return stamp.sec * 10**9 + stamp.nanosec


def time_of(stamp: Stamp) -> Time:
    """Return a stamp as rclpy's Time. Raises ValueError if it is negative."""
    if stamp.sec < 0:
        raise ValueError(f"a stamp of {stamp.sec} s is negative: its publisher's clock is wrong")
    return Time.from_msg(stamp)


def image_from_array(pixels: np.ndarray, header: Header) -> Image:
    """Return an Image message.

    Its encoding is mono8 for H x W uint8, rgb8 for H x W x 3 uint8, rgba8 for H x W x 4 uint8 and
    32FC1 for H x W float32.
    """
    encoding = "32FC1"
    if pixels.dtype == np.uint8:
        encoding = "mono8" if pixels.ndim == 2 else {3: "rgb8", 4: "rgba8"}[pixels.shape[-1]]
    message = Image(header=header, encoding=encoding, height=pixels.shape[0], width=pixels.shape[1])
    message.step = pixels.nbytes // pixels.shape[0]
    message.is_bigendian = int(sys.byteorder == "big")
    # rclpy takes an array.array as it is; in other types it checks every byte, in Python.
    message.data = array("B", pixels.tobytes())
    return message


def matrix_from_pose(pose: Pose) -> np.ndarray:
    """Return the 4x4 of a Pose.

    Raises ValueError if it is not finite or its quaternion is not of unit length.
    """
    p, q = pose.position, pose.orientation
    return geometry.pose_from([p.x, p.y, p.z], [q.x, q.y, q.z, q.w])


def matrices_from_poses(poses: Sequence[Pose], name: str) -> np.ndarray:
    """Return the (N, 4, 4) of N >= 1 Poses; raises ValueError as matrix_from_pose, with the number
    of the pose. name: of the list, for errors."""
    matrices = []
    for i, pose in enumerate(poses):
        try:
            matrices.append(matrix_from_pose(pose))
        except ValueError as error:
            raise ValueError(f"pose {i} of {name}: {error}") from None
    return np.stack(matrices)


def matrix_from_transform(transform: Transform) -> np.ndarray:
    """Return the 4x4 of a Transform, which takes points from child_frame_id to header.frame_id.

    Raises ValueError as matrix_from_pose does.
    """
    p, q = transform.translation, transform.rotation
    return geometry.pose_from([p.x, p.y, p.z], [q.x, q.y, q.z, q.w])


def pose_from_matrix(matrix: np.ndarray) -> Pose:
    """Return the Pose of a 4x4 rigid transform."""
    return poses_from_matrices(matrix[None])[0]


def poses_from_matrices(matrices: np.ndarray) -> list[Pose]:
    """Return the Pose of each rigid transform, (N, 4, 4)."""
    quaternions = geometry.quaternion_from_rotation(matrices[:, :3, :3])
    poses = [Pose() for _ in matrices]
    for pose, position, quaternion in zip(
        poses, matrices[:, :3, 3].tolist(), quaternions.tolist(), strict=True
    ):
        p, q = pose.position, pose.orientation
        p.x, p.y, p.z = position
        q.x, q.y, q.z, q.w = quaternion
    return poses


def transform_from_matrix(matrix: np.ndarray) -> Transform:
    """Return the Transform of a 4x4 rigid transform."""
    transform = Transform()
    p, q = transform.translation, transform.rotation
    p.x, p.y, p.z = matrix[:3, 3].tolist()
    q.x, q.y, q.z, q.w = geometry.quaternion_from_rotation(matrix[:3, :3]).tolist()
    return transform


def pinhole(
    width: int, height: int, focal: float, cx: float, cy: float, header: Header
) -> CameraInfo:
    """Return the CameraInfo of a camera without distortion; all in pixels.

    cx, cy: from the image's corner, as in SRN and graphics. CameraInfo counts from the centre of
    the first pixel (OpenCV), which lies half a pixel further in.
    """
    cx, cy = cx - 0.5, cy - 0.5
    info = CameraInfo(header=header, width=width, height=height, distortion_model="plumb_bob")
    info.d = [0.0] * 5
    info.k = [focal, 0.0, cx, 0.0, focal, cy, 0.0, 0.0, 1.0]
    info.r = np.eye(3).ravel().tolist()
    info.p = [focal, 0.0, cx, 0.0, 0.0, focal, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return info
