"""cv_bridge converts what the package's own table does not, and may be missing or broken.

cv_bridge comes with ROS alone. STAND_IN takes its place here, for what depends on whether and how
it works; the test with the real one is skipped without it.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from sensor_msgs.msg import Image

from tiny_nvs_ros.node import image_decoder
from tiny_nvs_ros.node.image_decoder import (
    OptionalCvBridge,
    check_image,
    report_cv_bridge,
    to_rgb,
)

# What cv_bridge documents: converts between encodings of colour, raises CvBridgeError for others.
STAND_IN = """
import numpy as np

class CvBridgeError(TypeError):
    pass

class CvBridge:
    def imgmsg_to_cv2(self, img_msg, desired_encoding="passthrough"):
        scale = {"rgb16": 256, "bgr16": 256, "rgba16": 256, "bgr8": 1}.get(img_msg.encoding)
        if scale is None:
            raise CvBridgeError(f"[{img_msg.encoding}] is not a color format")
        channels = 4 if "a" in img_msg.encoding else 3
        type_ = np.uint16 if scale > 1 else np.uint8
        shape = (img_msg.height, img_msg.width, channels)
        pixels = np.ndarray(shape, type_, buffer=img_msg.data) // scale
        order = [2, 1, 0] if img_msg.encoding.startswith("bgr") else [0, 1, 2]
        order += [3] if desired_encoding == "rgba8" else []
        return pixels[..., order].astype(np.uint8)
"""
OTHER_NUMPY = "raise ImportError('numpy.core.multiarray failed to import')"
OTHER_NUMPY_LATER = """
class CvBridge:
    def imgmsg_to_cv2(self, img_msg, desired_encoding="passthrough"):
        raise AttributeError("_ARRAY_API not found")
"""
WRONG = """
class CvBridge:
    def imgmsg_to_cv2(self, img_msg, desired_encoding="passthrough"):
        import numpy as np
        return np.zeros((img_msg.height, img_msg.width, 3), np.uint8)
"""
RGB = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 14


def message(encoding: str, pixels: np.ndarray) -> Image:
    height, width = pixels.shape[:2]
    step = pixels.nbytes // height
    return Image(height=height, width=width, encoding=encoding, step=step, data=pixels.tobytes())


@pytest.fixture
def log(monkeypatch):
    """The warnings that are logged."""
    lines = []
    logger = type("Logger", (), {"warning": lambda self, text: lines.append(text)})()
    monkeypatch.setattr(image_decoder, "get_logger", lambda name: logger)
    return lines


@pytest.fixture
def install(monkeypatch, tmp_path, log):
    """install(source) puts a module cv_bridge of that source on sys.path; None: there is none."""

    def install(source: str | None) -> None:
        monkeypatch.delitem(sys.modules, "cv_bridge", raising=False)
        if source is None:
            monkeypatch.setitem(sys.modules, "cv_bridge", None)
        else:
            (tmp_path / "cv_bridge.py").write_text(source)
            monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(image_decoder, "cv_bridge", OptionalCvBridge())

    yield install
    sys.modules.pop("cv_bridge", None)


RGB16 = message("rgb16", RGB.astype(np.uint16) * 256 + 7)
DEPTH = message("16UC1", RGB[..., 0].astype(np.uint16))


def test_encoding_that_only_cv_bridge_knows_is_converted_by_it(install, log):
    install(STAND_IN)
    check_image(RGB16)
    np.testing.assert_array_equal(to_rgb(RGB16), RGB)
    bgr16 = message("bgr16", RGB[..., ::-1].astype(np.uint16) * 256)
    np.testing.assert_array_equal(to_rgb(bgr16), RGB)
    assert not log


def test_transparent_pixels_of_cv_bridge_become_white(install):
    install(STAND_IN)
    pixels = np.dstack([RGB, np.zeros((2, 3), np.uint8)]).astype(np.uint16) * 256
    np.testing.assert_array_equal(to_rgb(message("rgba16", pixels)), np.full((2, 3, 3), 255))


def test_encoding_that_neither_converts_is_refused_by_name(install):
    install(STAND_IN)
    check_image(DEPTH)  # cv_bridge is asked when it converts
    with pytest.raises(ValueError, match=r"encoding '16UC1' is not supported.*nor"):
        to_rgb(DEPTH)


def test_data_that_are_too_short_for_cv_bridge_are_refused(install):
    install(STAND_IN)
    short = message("rgb16", RGB.astype(np.uint16))
    short.data = short.data[:-2]
    with pytest.raises(ValueError, match="encoding 'rgb16'"):
        to_rgb(short)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (None, "cv_bridge"),
        (OTHER_NUMPY, "numpy.core.multiarray failed to import"),
        (OTHER_NUMPY_LATER, "_ARRAY_API not found"),
        (WRONG, "it does not convert a pixel correctly"),
    ],
)
def test_unusable_cv_bridge_is_left_out_with_one_log_line(install, log, source, reason):
    install(source)
    for _ in range(3):
        with pytest.raises(ValueError, match="encoding 'rgb16' is not supported"):
            check_image(RGB16)
        with pytest.raises(ValueError, match="encoding 'rgb16' is not supported"):
            to_rgb(RGB16)
    (line,) = log
    assert line.startswith("cv_bridge is not used: ") and reason in line


@pytest.mark.parametrize("source", [None, STAND_IN, OTHER_NUMPY])
def test_cv_bridge_is_not_imported_for_encodings_of_the_table(install, log, source):
    install(source)
    check_image(message("bgr8", RGB[..., ::-1].copy()))
    np.testing.assert_array_equal(to_rgb(message("bgr8", RGB[..., ::-1].copy())), RGB)
    assert sys.modules.get("cv_bridge") is None
    assert not log


def test_report_says_whether_cv_bridge_is_installed(install, monkeypatch):
    install(STAND_IN)
    assert report_cv_bridge() == ""
    monkeypatch.setattr(sys, "path", [p for p in sys.path if not Path(p, "cv_bridge.py").exists()])
    monkeypatch.setattr(image_decoder.importlib.util, "find_spec", lambda name: None)
    assert report_cv_bridge().startswith("cv_bridge is not installed: ")


def test_real_cv_bridge_converts_16_bits(monkeypatch):
    pytest.importorskip("cv_bridge", reason="cv_bridge is missing: it comes with ROS")
    monkeypatch.setattr(image_decoder, "cv_bridge", OptionalCvBridge())
    assert np.abs(to_rgb(RGB16).astype(int) - RGB).max() <= 1
    with pytest.raises(ValueError, match="encoding '16UC1' is not supported"):
        to_rgb(DEPTH)
