"""Old import path of tiny_nvs_ros.srn_data."""

from tiny_nvs_ros.srn_data import *  # noqa: F403
