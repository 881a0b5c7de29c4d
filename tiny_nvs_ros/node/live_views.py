"""Receives what a running nvs node imagines, as numpy arrays: for the viewer's --ros."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from tf2_ros import Buffer, TransformException, TransformListener

from tiny_nvs_ros.decode import rgb_from_raw
from tiny_nvs_ros.geometry import SRN_CAMERA
from tiny_nvs_ros.msg import NovelViews
from tiny_nvs_ros.node.conversions import matrix_from_pose, matrix_from_transform
from tiny_nvs_ros.node.point_cloud import POINT


@dataclass(frozen=True)
class LiveViews:
    """The views of one message.

    images: (N, H, W, 3) uint8; uncertainties: (N, H, W) float32, None if there is one sample.
    T_object_views: (N, 4, 4); T_object_source: (4, 4), of the newest source; metres. object_radius:
    metres, that the node assumes. sources: how many were given. latency: s.
    """

    images: np.ndarray
    uncertainties: np.ndarray | None
    T_object_views: np.ndarray
    T_object_source: np.ndarray
    object_radius: float
    sources: int
    latency: float


@dataclass(frozen=True)
class LivePoints:
    """points: (M, 3) float32, metres, object frame; colors: (M, 3) uint8; confidence: (M,)."""

    points: np.ndarray
    colors: np.ndarray
    confidence: np.ndarray


class LiveListener:
    """Subscribes to ~/novel_views and ~/points of a node, in a thread, until `close`.

    name: of the node, with its namespace, such as /nvs. on_views, on_points: called with what
    arrives. on_problem: called with the reason if views cannot be placed. arguments: of ROS.
    """

    def __init__(
        self,
        name: str,
        on_views: Callable[[LiveViews], None],
        on_points: Callable[[LivePoints], None],
        on_problem: Callable[[str], None],
        arguments: list[str] | None = None,
    ):
        self._on_views, self._on_points, self._on_problem = on_views, on_points, on_problem
        # A context of its own, without signal handlers: Ctrl+C is the caller's.
        self._context = rclpy.Context()
        rclpy.init(args=arguments, context=self._context)
        self._node = rclpy.create_node("nvs_viewer", context=self._context)
        self._buffer = Buffer()
        self._listener = TransformListener(self._buffer, self._node)
        name = "/" + name.strip("/")
        self._node.create_subscription(NovelViews, f"{name}/novel_views", self._receive_views, 1)
        self._node.create_subscription(PointCloud2, f"{name}/points", self._receive_points, 1)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave ROS."""
        self._context.try_shutdown()
        self._thread.join()

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()

    def _receive_views(self, message: NovelViews) -> None:
        header = message.header
        try:
            found = self._buffer.lookup_transform(
                message.object_frame, header.frame_id, Time.from_msg(header.stamp)
            )
        except TransformException as error:
            self._on_problem(f"No transform to {message.object_frame}: {error}")
            return
        T_object_source = matrix_from_transform(found.transform)
        poses = np.stack([matrix_from_pose(pose) for pose in message.camera_poses])
        T_object_views = T_object_source @ poses
        uncertainties = [float_image(each) for each in message.uncertainties]
        self._on_views(
            LiveViews(
                np.stack([rgb_from_raw(image) for image in message.images]),
                np.stack(uncertainties) if uncertainties else None,
                T_object_views,
                T_object_source,
                object_radius(message.camera_info, T_object_views),
                message.sources,
                message.latency.sec + message.latency.nanosec * 1e-9,
            )
        )

    def _receive_points(self, message: PointCloud2) -> None:
        self._on_points(points_from_cloud(message))


def object_radius(info: CameraInfo, T_object_views: np.ndarray) -> float:
    """Return the radius of the object's sphere that views show as large as in training, metres.

    info: of all views; the nearest one shows it as large. The inverse of VirtualCamera.focal.
    """
    distance = np.linalg.norm(T_object_views[:, :3, 3], axis=-1).min()
    focal = info.k[0] / info.width
    return float(SRN_CAMERA.focal * SRN_CAMERA.radius / SRN_CAMERA.distance * distance / focal)


def float_image(message: Image) -> np.ndarray:
    """Return a 32FC1 image of this package, H x W float32."""
    return np.frombuffer(message.data, np.float32).reshape(message.height, message.width)


def points_from_cloud(message: PointCloud2) -> LivePoints:
    """Return the points of a cloud of this package; see point_cloud."""
    points = np.frombuffer(message.data, POINT)
    rgb = points["rgb"]
    colors = np.stack([rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255], axis=-1).astype(np.uint8)
    positions = np.stack([points[axis] for axis in "xyz"], axis=-1)
    return LivePoints(positions, colors, points["confidence"])
