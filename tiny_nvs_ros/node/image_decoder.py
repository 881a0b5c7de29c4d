"""Decodes image messages to RGB: by the package's own table, or by cv_bridge if it is installed.

Most encodings need no cv_bridge. It is imported only for an encoding that the table does not have,
because cv_bridge may be missing, or be compiled for another numpy or OpenCV than the installed one.
"""

import importlib.util
from typing import Any

import numpy as np
from rclpy.logging import get_logger
from sensor_msgs.msg import CompressedImage, Image

from tiny_nvs_ros.decode import (
    ENCODINGS,
    check_raw,
    rgb_from_compressed,
    rgb_from_raw,
)
from tiny_nvs_ros.image import on_white

LOGGER = "nvs"
ALPHA_ENCODINGS = ("rgba16", "bgra16")


def to_rgb(message: Image | CompressedImage) -> np.ndarray:
    """Decode an image message: H x W x 3 uint8 RGB, white where it is transparent.

    Raises ValueError for malformed data, and for an encoding that neither the table nor cv_bridge
    converts.
    """
    if isinstance(message, CompressedImage):
        return rgb_from_compressed(message)
    if message.encoding not in ENCODINGS and cv_bridge.available():
        return cv_bridge.to_rgb(message)
    return rgb_from_raw(message)


def check_image(message: Image) -> None:
    """Raise ValueError if an image can be seen to be invalid without reading its pixels."""
    if message.encoding not in ENCODINGS and cv_bridge.available():
        return  # cv_bridge judges when it converts
    check_raw(message)


class OptionalCvBridge:
    """cv_bridge, imported when it is needed first. What is wrong with it is logged once."""

    def __init__(self) -> None:
        self._tried = False
        self._bridge: Any = None

    def available(self) -> bool:
        """Return whether cv_bridge can be used; import it and try it on the first call."""
        if not self._tried:
            self._tried = True
            try:
                self._bridge = load_cv_bridge()
            except Exception as error:  # a wrong numpy raises ImportError, AttributeError, ...
                reason = " ".join(str(error).split()) or type(error).__name__
                get_logger(LOGGER).warning(f"cv_bridge is not used: {reason}")
        return self._bridge is not None

    def to_rgb(self, message: Image) -> np.ndarray:
        """Decode an image whose encoding the table does not have. Raises ValueError."""
        wanted = "rgba8" if message.encoding in ALPHA_ENCODINGS else "rgb8"
        try:
            return on_white(self._bridge.imgmsg_to_cv2(message, desired_encoding=wanted))
        except Exception as error:  # CvBridgeError, and numpy's for data that are too short
            raise ValueError(
                f"{refusal(message)}; nor does cv_bridge convert it: {error}"
            ) from error


def refusal(message: Image) -> str:
    """Return why the table does not convert an image, with what to do about it."""
    try:
        check_raw(message)
    except ValueError as error:
        return str(error)
    return f"encoding {message.encoding!r} is not supported"


def load_cv_bridge() -> Any:
    """Return a CvBridge that works. Raises ImportError, or what its compiled part raises."""
    from cv_bridge import CvBridge

    bridge = CvBridge()
    # The compiled part is imported by the first conversion; its numpy or OpenCV may not fit.
    pixel = Image(width=1, height=1, step=3, encoding="bgr8", data=bytes([1, 2, 3]))
    if bridge.imgmsg_to_cv2(pixel, desired_encoding="rgb8").tolist() != [[[3, 2, 1]]]:
        raise ImportError("it does not convert a pixel correctly")
    return bridge


def report_cv_bridge() -> str:
    """Return a log message if cv_bridge is not installed; empty if it is."""
    if importlib.util.find_spec("cv_bridge"):
        return ""
    return (
        "cv_bridge is not installed: 16-bit and other encodings that only it converts are refused"
    )


cv_bridge = OptionalCvBridge()
