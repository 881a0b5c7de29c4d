"""A camera that can be placed anywhere around a simulated object.

Publishes whole images with alpha, camera_info and TF of what the camera sees from its present pose.
The topic ~/camera_pose places it, at once, as a robot arm would in seconds.
"""

import sys

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped

from tiny_nvs_ros import geometry
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.arguments import warn_of_unused_arguments
from tiny_nvs_ros.node.camera import T_WORLD_OBJECT, CameraNode
from tiny_nvs_ros.node.process import run_node
from tiny_nvs_ros.simulation.objects import SimulatedObject, source_pose

SIZE = 160  # pixels
FOCAL = 220.0  # pixels: a field of view of 40 degrees


class CameraSimulator(CameraNode):
    """Node `camera_simulator`."""

    def __init__(self, **kwargs: object):
        """Raises ValueError if there is no object of that name."""
        super().__init__("camera_simulator", **kwargs)
        name = self.parameter("object", "van", "the object, one of the viewer's")
        self._radius = self.parameter(
            "object_radius", 0.1, "m: half the diagonal of its bounding box", (1e-3, 1e3)
        )
        self._subject = SimulatedObject.load(name)
        self._place(scaled(source_pose(0), self._radius))
        self.create_subscription(PoseStamped, "~/camera_pose", self._on_pose, 1)
        self.create_timer(1 / self.rate, self._publish)
        self.get_logger().info(
            f"simulating a camera that sees a {name} of object_radius {self._radius:g} m, at "
            f"{self.rate:g} Hz on {self.image_publisher.topic_name}"
        )

    def _on_pose(self, message: PoseStamped) -> None:
        frame = message.header.frame_id
        frames = {self.object_frame: np.eye(4), self.world_frame: geometry.inverse(T_WORLD_OBJECT)}
        if frame not in frames:
            known = " or ".join(frames)
            self.get_logger().warning(f"camera_pose is in frame {frame!r}; it must be in {known}")
            return
        try:
            pose = conversions.matrix_from_pose(message.pose)
        except ValueError as error:
            self.get_logger().warning(f"camera_pose is invalid: {error}")
            return
        self._place(frames[frame] @ pose)

    def _place(self, T_object_camera: np.ndarray) -> None:
        self._pose = T_object_camera
        self._image = self._subject.render(scaled(self._pose, 1 / self._radius), FOCAL, SIZE)

    def _publish(self) -> None:
        self.publish(self._image, self._pose, (FOCAL, SIZE / 2, SIZE / 2))


def scaled(pose: np.ndarray, factor: float) -> np.ndarray:
    """Return a pose (4, 4) in another unit of length."""
    result = pose.copy()
    result[:3, 3] *= factor
    return result


def main(args: list[str] | None = None) -> int:
    """Run until Ctrl-C. Returns the process's exit code."""
    return run_node("camera_simulator", lambda: simulate(args), args)


def simulate(args: list[str] | None = None) -> int:
    node = CameraSimulator()
    warn_of_unused_arguments(node, args)
    rclpy.spin(node)
    return 0


if __name__ == "__main__":
    sys.exit(main())
