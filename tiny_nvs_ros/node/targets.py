"""Target cameras: the poses that are imagined of every image, by views.source."""

import numpy as np
from geometry_msgs.msg import PoseArray
from rclpy.node import Node

from tiny_nvs_ros import geometry
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.parameters import MAX_VIEWS, NodeSettings
from tiny_nvs_ros.node.rejection import MissingInput
from tiny_nvs_ros.node.source import Source
from tiny_nvs_ros.node.transforms import AsyncTransforms
from tiny_nvs_ros.virtual_camera import virtual_camera

VIEW_POSES = "view_poses"


class Targets:
    """Computes the poses of the target cameras; keeps the last message on view_poses."""

    def __init__(self, node: Node, monitor: Monitor, transforms: AsyncTransforms):
        self._monitor, self._transforms = monitor, transforms
        self._name = f"poses on {node.resolve_topic_name(VIEW_POSES)}"
        self._view_poses: PoseArray | None = None

    def on_view_poses(self, message: PoseArray) -> None:
        """Keep the target poses; callback of the topic view_poses."""
        self._view_poses = message
        self._monitor.received(self._name)

    async def poses(self, source: Source, settings: NodeSettings) -> np.ndarray:
        """Return T_object_target of the cameras to imagine, (N, 4, 4), metres.

        Raises MissingInput if a transform or view_poses is missing, ValueError for invalid poses.
        """
        if settings.views_source == "orbit":
            camera = virtual_camera(source.pose)  # raises if it does not see the object
            distance = settings.orbit_distance or camera.distance
            return geometry.orbit(settings.orbit_count, settings.orbit_elevations, distance)
        if settings.views_source == "poses":
            return await self._from_view_poses(source, settings)
        frames = settings.view_frames
        return np.stack([await self._lookup(frame, source, settings) for frame in frames])

    async def _from_view_poses(self, source: Source, settings: NodeSettings) -> np.ndarray:
        """Return the poses of view_poses; their frame is taken at the image's stamp."""
        message = self._view_poses
        if message is None:
            raise MissingInput("no view_poses", self._name, f"no {self._name} yet")
        if not 1 <= len(message.poses) <= MAX_VIEWS:
            raise ValueError(
                f"view_poses has {len(message.poses)} poses; it must have 1 to {MAX_VIEWS}"
            )
        frame = message.header.frame_id
        if not frame:
            raise ValueError("view_poses has no frame_id")
        T_object_frame = await self._lookup(frame, source, settings)
        return T_object_frame @ conversions.matrices_from_poses(message.poses, VIEW_POSES)

    async def _lookup(self, frame: str, source: Source, settings: NodeSettings) -> np.ndarray:
        return await self._transforms.lookup(
            settings.object_frame, frame, source.stamp, settings.tf_timeout
        )
