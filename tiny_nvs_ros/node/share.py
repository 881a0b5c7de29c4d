"""Old import path of tiny_nvs_ros.resources."""

from tiny_nvs_ros.resources import share_folder  # noqa: F401
