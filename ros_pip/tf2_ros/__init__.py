"""Stand-in for ROS 2's tf2_ros, which is not on PyPI: the part of its API that this project calls.

Used only where the real package is missing (see env.sh), so that product code simply imports
tf2_ros. It keeps to what the original does from Humble to Kilted; test/ros_pip/test_tf2_ros.py
passes under both. Not there: the advanced ("full") calls, `transform()`, the tf2_frames service.
"""

from tf2_ros.buffer import Buffer
from tf2_ros.buffer_core import BufferCore
from tf2_ros.exceptions import (
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TimeoutException,
    TransformException,
)
from tf2_ros.static_transform_broadcaster import StaticTransformBroadcaster
from tf2_ros.transform_broadcaster import TransformBroadcaster
from tf2_ros.transform_listener import TransformListener

__all__ = [
    "Buffer",
    "BufferCore",
    "ConnectivityException",
    "ExtrapolationException",
    "InvalidArgumentException",
    "LookupException",
    "StaticTransformBroadcaster",
    "TimeoutException",
    "TransformBroadcaster",
    "TransformException",
    "TransformListener",
]
