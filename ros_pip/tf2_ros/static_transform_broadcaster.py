"""Publishes static frames on /tf_static, latched for later listeners."""

from __future__ import annotations

from collections.abc import Iterable

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage


class StaticTransformBroadcaster:
    def __init__(self, node: Node, qos: QoSProfile | int | None = None) -> None:
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.pub_tf = node.create_publisher(
            TFMessage, "/tf_static", latched if qos is None else qos
        )
        self._transforms: dict[str, TransformStamped] = {}  # by the child's name

    def sendTransform(self, transform: TransformStamped | Iterable[TransformStamped]) -> None:
        """Send these and all earlier ones: a later listener receives only the last message.

        As in the original, the first transform of a child stays.
        """
        for t in list(transform) if hasattr(transform, "__iter__") else [transform]:
            self._transforms.setdefault(t.child_frame_id, t)
        self.pub_tf.publish(TFMessage(transforms=list(self._transforms.values())))
