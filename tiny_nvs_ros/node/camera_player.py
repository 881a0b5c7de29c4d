"""Plays a folder of posed images (SRN layout) as a camera that moves around an object.

Publishes image, camera_info and TF: the object is static in the world, the camera moves. The object
is off the world's origin and rotated, so that a mix-up of the frames shows.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rclpy
from geometry_msgs.msg import TransformStamped
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tf2_ros import StaticTransformBroadcaster, TransformBroadcaster

from tiny_nvs_ros import geometry
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.arguments import warn_of_unused_arguments
from tiny_nvs_ros.node.process import run_node
from tiny_nvs_ros.resources import share_folder
from tiny_nvs_ros.srn_data import SrnInstance, find_instance

T_WORLD_OBJECT = geometry.pose_from([2.0, 1.0, 0.5], [0.0, 0.0, np.sin(0.4), np.cos(0.4)])


@dataclass(frozen=True)
class Frame:
    """One view. image: H x W x 3 uint8 RGB; pose: (4, 4) T_object_camera, in the folder's unit."""

    image: np.ndarray
    pose: np.ndarray


@dataclass(frozen=True)
class Sequence:
    """All views of one object, in order. intrinsics: focal length, cx, cy, pixels."""

    name: str
    frames: list[Frame]
    intrinsics: tuple[float, float, float]


def read_sequence(folder: str | Path, instance: str = "") -> Sequence:
    """Read one object of a folder in the SRN layout, the first one if `instance` is empty.

    folder: the instance itself, or one or two levels above it. Its cameras need not be a model's:
    they must see the object's centre. Raises FileNotFoundError if there is none, and ValueError,
    with the file, if one is invalid.
    """
    found = SrnInstance(find_instance(folder, instance), camera=None)
    images = found.images()
    height, width = images.shape[1:3]
    scaled = found.intrinsics.scaled_to(width, height)
    frames = [Frame(image, pose) for image, pose in zip(images, found.poses, strict=True)]
    return Sequence(found.name, frames, (scaled.focal, scaled.cx, scaled.cy))


class CameraPlayer(Node):
    """Node `camera_player`. done: completes after the last image, unless it loops."""

    def __init__(self, **kwargs: object):
        """Raises OSError or ValueError if the folder is missing or invalid."""
        super().__init__("camera_player", **kwargs)
        folder = self._parameter("folder", "", "folder in the SRN layout; empty: the demo's cars")
        instance = self._parameter("instance", "", "object of the folder; empty: the first")
        rate = self._parameter("rate", 10.0, "Hz: images per second", (0.01, 1000.0))
        self._loop = self._parameter("loop", True, "start again after the last image; false: exit")
        scale = self._parameter("scale", 1.0, "m: one unit of the folder's poses", (1e-6, 1e6))
        self._world = self._parameter("world_frame", "world", "TF frame of the world")
        self._object = self._parameter("object_frame", "object", "TF frame of the object")
        self._camera = self._parameter("camera_frame", "camera", "TF frame of the camera, optical")

        self.sequence = read_sequence(folder or share_folder("demo") / "cars", instance)
        self.done = rclpy.task.Future()
        self._scale = scale
        self._next = 0
        self._image_publisher = self.create_publisher(Image, "image", 1)
        self._info_publisher = self.create_publisher(CameraInfo, "camera_info", 1)
        self._broadcaster = TransformBroadcaster(self)
        self._static_broadcaster = StaticTransformBroadcaster(self)
        now = self.get_clock().now().to_msg()
        self._static_broadcaster.sendTransform(
            self._transform(Header(stamp=now, frame_id=self._world), self._object, T_WORLD_OBJECT)
        )
        self.create_timer(1 / rate, self._play)
        frames = self.sequence.frames
        self.get_logger().info(
            f"playing {self.sequence.name}, {len(frames)} images of {frames[0].image.shape[1]}x"
            f"{frames[0].image.shape[0]}, at {rate:g} Hz on {self._image_publisher.topic_name}"
        )

    def _parameter(
        self,
        name: str,
        default: object,
        description: str,
        range: tuple[float, float] | None = None,
    ) -> object:
        descriptor = ParameterDescriptor(description=description, read_only=True)
        if range:
            low, high = range
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
        return self.declare_parameter(name, default, descriptor).value

    def _transform(self, header: Header, child: str, matrix: np.ndarray) -> TransformStamped:
        transform = conversions.transform_from_matrix(matrix)
        return TransformStamped(header=header, child_frame_id=child, transform=transform)

    def _play(self) -> None:
        if self._next == len(self.sequence.frames):
            if not self._loop:
                if not self.done.done():
                    self.done.set_result(None)
                return
            self._next = 0
        frame = self.sequence.frames[self._next]
        self._next += 1
        stamp = self.get_clock().now().to_msg()
        T_object_camera = frame.pose.copy()
        T_object_camera[:3, 3] *= self._scale
        # The transform first, so that it has arrived when the image arrives.
        self._broadcaster.sendTransform(
            self._transform(
                Header(stamp=stamp, frame_id=self._world),
                self._camera,
                T_WORLD_OBJECT @ T_object_camera,
            )
        )
        header = Header(stamp=stamp, frame_id=self._camera)
        height, width = frame.image.shape[:2]
        self._info_publisher.publish(
            conversions.pinhole(width, height, *self.sequence.intrinsics, header)
        )
        self._image_publisher.publish(conversions.image_from_array(frame.image, header))


def main(args: list[str] | None = None) -> int:
    """Play until the end or Ctrl-C. Returns the process's exit code."""
    return run_node("camera_player", lambda: play(args), args)


def play(args: list[str] | None = None) -> int:
    node = CameraPlayer()
    warn_of_unused_arguments(node, args)
    rclpy.spin_until_future_complete(node, node.done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
