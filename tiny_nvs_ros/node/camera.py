"""What the cameras without hardware share: image, camera_info and TF of a camera in a world.

The object is static, off the world's origin and rotated, so that a mix-up of the frames shows.
"""

import numpy as np
from geometry_msgs.msg import TransformStamped
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tf2_ros import StaticTransformBroadcaster, TransformBroadcaster

from tiny_nvs_ros import geometry
from tiny_nvs_ros.node import conversions

T_WORLD_OBJECT = geometry.pose_from([2.0, 1.0, 0.5], [0.0, 0.0, np.sin(0.4), np.cos(0.4)])


class CameraNode(Node):
    """Publishes images with their camera_info and TF. Its parameters are read-only."""

    def __init__(self, name: str, **kwargs: object):
        super().__init__(name, **kwargs)
        self.rate = self.parameter("rate", 10.0, "Hz: images per second", (0.01, 1000.0))
        self.world_frame = self.parameter("world_frame", "world", "TF frame of the world")
        self.object_frame = self.parameter("object_frame", "object", "TF frame of the object")
        self.camera_frame = self.parameter(
            "camera_frame", "camera", "TF frame of the camera, optical"
        )
        self.image_publisher = self.create_publisher(Image, "image", 1)
        self._info_publisher = self.create_publisher(CameraInfo, "camera_info", 1)
        self._broadcaster = TransformBroadcaster(self)
        self._static_broadcaster = StaticTransformBroadcaster(self)
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self.world_frame)
        self._static_broadcaster.sendTransform(transform(header, self.object_frame, T_WORLD_OBJECT))

    def parameter(
        self,
        name: str,
        default: object,
        description: str,
        range: tuple[float, float] | None = None,
    ) -> object:
        """Declare a parameter and return its value. range: smallest and largest value."""
        descriptor = ParameterDescriptor(description=description, read_only=True)
        if range:
            low, high = range
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
        return self.declare_parameter(name, default, descriptor).value

    def publish(
        self,
        image: np.ndarray,
        T_object_camera: np.ndarray,
        intrinsics: tuple[float, float, float],
    ) -> None:
        """Publish an image (H x W x 3 or 4 uint8) of now.

        T_object_camera: metres. intrinsics: focal length, cx, cy, pixels, see
        `conversions.pinhole`.
        """
        stamp = self.get_clock().now().to_msg()
        world = Header(stamp=stamp, frame_id=self.world_frame)
        # The transform first, so that it has arrived when the image arrives.
        self._broadcaster.sendTransform(
            transform(world, self.camera_frame, T_WORLD_OBJECT @ T_object_camera)
        )
        header = Header(stamp=stamp, frame_id=self.camera_frame)
        height, width = image.shape[:2]
        self._info_publisher.publish(conversions.pinhole(width, height, *intrinsics, header))
        self.image_publisher.publish(conversions.image_from_array(image, header))


def transform(header: Header, child: str, matrix: np.ndarray) -> TransformStamped:
    """Return the TransformStamped of a 4x4 T_frame_child."""
    return TransformStamped(
        header=header,
        child_frame_id=child,
        transform=conversions.transform_from_matrix(matrix),
    )
