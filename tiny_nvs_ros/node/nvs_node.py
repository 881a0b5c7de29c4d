"""Moved to tiny_nvs_ros.node.node."""

from tiny_nvs_ros.node.node import *  # noqa: F403
