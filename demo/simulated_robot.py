"""A client of the nvs node that receives images, views and TF, and requests single views."""

import numpy as np
from geometry_msgs.msg import TransformStamped
from processes import Client, DemoFailed, Process
from rclpy.time import Time
from sensor_msgs.msg import Image
from tf2_ros import Buffer, StaticTransformBroadcaster, TransformListener

from tiny_nvs_ros.msg import NovelViews
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.srv import RenderPose


class Robot(Client):
    """Receives images, views and TF, and requests single views."""

    def __init__(self, processes: list[Process]):
        super().__init__("demo", processes)
        self._buffer = Buffer()
        self._listener = TransformListener(self._buffer, self.node)
        self.images: dict[int, Image] = {}  # by stamp (ns)
        self.views: list[tuple[NovelViews, np.ndarray]] = []  # with T_object_camera of their input
        self.node.create_subscription(Image, "image", self._on_image, 10)
        self.node.create_subscription(NovelViews, "/nvs/novel_views", self._on_views, 10)
        self._static_tf = StaticTransformBroadcaster(self.node)
        self._render_pose = self.node.create_client(RenderPose, "/nvs/render_pose")

    def _on_image(self, message: Image) -> None:
        self.images[nanoseconds(message.header.stamp)] = message

    def _on_views(self, message: NovelViews) -> None:
        where = (message.object_frame, message.header.frame_id, Time.from_msg(message.header.stamp))
        if nanoseconds(message.header.stamp) in self.images and self._buffer.can_transform(*where):
            transform = self._buffer.lookup_transform(*where).transform
            self.views.append((message, conversions.matrix_from_transform(transform)))

    def place_static(self, parent: str, child: str, T_parent_child: np.ndarray) -> None:
        """Publish a static transform."""
        transform = TransformStamped(child_frame_id=child)
        transform.header.frame_id = parent
        transform.transform = conversions.transform_from_matrix(T_parent_child)
        self._static_tf.sendTransform(transform)

    def render(self, T_object_camera: np.ndarray, source: Image) -> RenderPose.Response:
        """Request one view of an image from ~/render_pose. Raises DemoFailed if it is refused."""
        request = RenderPose.Request(source_image=source)
        request.camera_pose.header.frame_id = "object"
        request.camera_pose.pose = conversions.pose_from_matrix(T_object_camera)
        self.wait(self._render_pose.service_is_ready, 10, "nvs: /nvs/render_pose did not appear")
        answer = self._render_pose.call_async(request)
        self.wait(answer.done, 30, "nvs: /nvs/render_pose did not answer")
        if not answer.result().success:
            raise DemoFailed(f"nvs: /nvs/render_pose refused: {answer.result().message}")
        return answer.result()


def nanoseconds(time_or_duration: object) -> int:
    return time_or_duration.sec * 10**9 + time_or_duration.nanosec


def azimuth(T_object_camera: np.ndarray) -> float:
    """Return the azimuth of a camera about the object, rad."""
    return float(np.arctan2(T_object_camera[1, 3], T_object_camera[0, 3]))


def wrap(angle: float) -> float:
    """Return an angle in [-pi, pi)."""
    return float((angle + np.pi) % (2 * np.pi) - np.pi)
