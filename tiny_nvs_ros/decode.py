"""Image messages to RGB: raw (sensor_msgs/Image) and compressed (sensor_msgs/CompressedImage).

Needs no ROS: any object with the message's fields will do.
"""

import re
import struct
from typing import Any, NamedTuple

import cv2
import numpy as np

from tiny_nvs_ros.image import on_white

# Of a compressed image, 8192 x 8192: its header is checked first, because a few bytes can claim
# any size.
MAX_COMPRESSED_PIXELS = 2**26


class Encoding(NamedTuple):
    """Memory layout of the pixels of a sensor_msgs/Image.

    channels: bytes per pixel in a row; to_rgb: OpenCV's conversion to RGB or RGBA, None if it is
    one already; cell: columns and rows of pixels that share a colour, which divide the width and
    the height; planes: rows of data per row of pixels.
    """

    channels: int
    to_rgb: int | None
    cell: tuple[int, int] = (1, 1)
    planes: float = 1


# Encodings of sensor_msgs/image_encodings.hpp. ROS names a Bayer pattern by the first two pixels of
# its first two rows, OpenCV by the second and third of its second row: bayer_rggb8 is BayerBG.
BAYER = {
    "bayer_rggb8": Encoding(1, cv2.COLOR_BayerBG2RGB),
    "bayer_bggr8": Encoding(1, cv2.COLOR_BayerRG2RGB),
    "bayer_gbrg8": Encoding(1, cv2.COLOR_BayerGR2RGB),
    "bayer_grbg8": Encoding(1, cv2.COLOR_BayerGB2RGB),
}
ENCODINGS = {
    "rgb8": Encoding(3, None),
    "bgr8": Encoding(3, cv2.COLOR_BGR2RGB),
    "rgba8": Encoding(4, None),
    "bgra8": Encoding(4, cv2.COLOR_BGRA2RGBA),
    "mono8": Encoding(1, cv2.COLOR_GRAY2RGB),
    "8UC1": Encoding(1, cv2.COLOR_GRAY2RGB),
    "uyvy": Encoding(2, cv2.COLOR_YUV2RGB_UYVY, cell=(2, 1)),
    "yuv422": Encoding(2, cv2.COLOR_YUV2RGB_UYVY, cell=(2, 1)),
    "yuyv": Encoding(2, cv2.COLOR_YUV2RGB_YUY2, cell=(2, 1)),
    "yuv422_yuy2": Encoding(2, cv2.COLOR_YUV2RGB_YUY2, cell=(2, 1)),
    "nv12": Encoding(1, cv2.COLOR_YUV2RGB_NV12, cell=(2, 2), planes=1.5),
    "nv21": Encoding(1, cv2.COLOR_YUV2RGB_NV21, cell=(2, 2), planes=1.5),
    **BAYER,
}
DEPTH_ENCODINGS = ("16UC1", "32FC1")
# Besides bytes, detectors send instance or class numbers as wider integers.
MASK_ENCODINGS = {
    "mono8": "u1",
    "8UC1": "u1",
    "8SC1": "i1",
    "mono16": "u2",
    "16UC1": "u2",
    "16SC1": "i2",
    "32SC1": "i4",
}


def check_raw(message: Any) -> None:
    """Raise ValueError, with the reason, if a sensor_msgs/Image cannot be converted to RGB.

    It checks the encoding (one of ENCODINGS), the size, and the lengths of the rows and of the
    data. It reads no pixel.
    """
    if message.encoding not in ENCODINGS:
        hint = _hint(message.encoding)
        raise ValueError(f"encoding {message.encoding!r} is not supported: {hint}")
    _check_size(message, "image", ENCODINGS[message.encoding])


def rgb_from_raw(message: Any) -> np.ndarray:
    """Convert a sensor_msgs/Image to RGB, H x W x 3 uint8.

    Transparent pixels become white. An rgb8 image is a view of the message's data, not a copy.
    Raises ValueError as check_raw does.
    """
    check_raw(message)
    encoding = ENCODINGS[message.encoding]
    pixels = _pixels(message, encoding)
    if encoding.to_rgb is None:
        return on_white(pixels)
    try:
        return on_white(cv2.cvtColor(pixels, encoding.to_rgb))
    except cv2.error as error:  # OpenCV of 2021 does not convert a single pixel
        size = f"{message.width}x{message.height}"
        raise ValueError(
            f"image of {size} {message.encoding} cannot be converted: {error}"
        ) from error


def mask_from_raw(message: Any) -> np.ndarray:
    """Return the mask of a sensor_msgs/Image, H x W bool: any number but 0 is the object.

    Its encoding is one of MASK_ENCODINGS. Raises ValueError for another one, and as check_raw does.
    """
    if message.encoding not in MASK_ENCODINGS:
        names = ", ".join(MASK_ENCODINGS)
        raise ValueError(f"mask has the encoding {message.encoding!r}; it must be one of {names}")
    return _numbers(message, "mask", MASK_ENCODINGS[message.encoding]) != 0


def depth_from_raw(message: Any) -> np.ndarray:
    """Return depths, H x W float32, metres, NaN where unknown, of a depth image (REP 118).

    Its encoding is 16UC1 (millimetres, 0 is unknown) or 32FC1 (metres). Raises ValueError for
    another encoding, and as check_raw does.
    """
    if message.encoding not in DEPTH_ENCODINGS:
        names = " (millimetres) or ".join(DEPTH_ENCODINGS)
        raise ValueError(
            f"depth has the encoding {message.encoding!r}; it must be {names} (metres)"
        )
    kind = {"16UC1": "u2", "32FC1": "f4"}[message.encoding]
    depth = _numbers(message, "depth", kind).astype(np.float32)
    if message.encoding == "16UC1":
        depth *= np.float32(1e-3)
    depth[~(np.isfinite(depth) & (depth > 0))] = np.nan
    return depth


def _hint(encoding: str) -> str:
    """Return what to do about an encoding that is not one of ENCODINGS."""
    if encoding in DEPTH_ENCODINGS:
        return "it is a depth image; remap image to the camera's colour image"
    if encoding in ("8UC3", "8UC4"):
        return "it does not define the colour order; the publisher must set rgb8 or bgr8"
    if re.fullmatch(r"(mono|rgba?|bgra?|bayer_[rgb]{4})16", encoding):
        return "it has 16 bits per channel; set the camera's driver to 8"
    return f"supported are {', '.join(ENCODINGS)}"


def _check_size(message: Any, what: str, encoding: Encoding) -> None:
    width, height, step = message.width, message.height, message.step
    what = f"{what} of {width}x{height} {message.encoding}"
    if width == 0 or height == 0:
        raise ValueError(f"{what} is empty")
    columns, rows = encoding.cell
    if width % columns or height % rows:
        raise ValueError(
            f"{what} is invalid: its width must be a multiple of {columns}, its height of {rows}"
        )
    if message.encoding in BAYER and min(width, height) < 3:
        raise ValueError(f"{what} is too small to interpolate its colours")
    if step < width * encoding.channels:
        raise ValueError(f"{what} has rows of {step} bytes (step), fewer than its width needs")
    needed = int(step * height * encoding.planes)
    if len(message.data) < needed:
        raise ValueError(f"{what} needs {needed} bytes (step {step}), has {len(message.data)}")


def _numbers(message: Any, what: str, kind: str) -> np.ndarray:
    """Return an image of one channel as H x W numbers of a kind of NumPy."""
    type_ = np.dtype(kind)
    _check_size(message, what, Encoding(type_.itemsize, None))
    data = np.frombuffer(message.data, np.uint8, message.step * message.height)
    rows = data.reshape(message.height, message.step)[:, : message.width * type_.itemsize]
    order = type_.newbyteorder(">" if message.is_bigendian else "<")
    return np.ascontiguousarray(rows).view(order)


def _pixels(message: Any, encoding: Encoding) -> np.ndarray:
    """Return the data as H x W x channels (H x W if one) without the rows' padding; no copy."""
    rows = int(message.height * encoding.planes)
    data = np.frombuffer(message.data, np.uint8, message.step * rows).reshape(rows, message.step)
    pixels = data[:, : message.width * encoding.channels]
    if encoding.channels == 1:
        return pixels
    return pixels.reshape(rows, message.width, encoding.channels)


def rgb_from_compressed(message: Any) -> np.ndarray:
    """Decode a sensor_msgs/CompressedImage to RGB, H x W x 3 uint8.

    Transparent pixels become white. Raises ValueError unless it is a complete JPEG or PNG image of
    8 bits per channel and at most MAX_COMPRESSED_PIXELS, which its header tells before decoding.
    """
    name = f"compressed image of format {message.format!r}"
    # image_transport writes "rgb8; jpeg compressed bgr8" or "16UC1; compressedDepth png".
    encoding, _, compression = message.format.partition(";")
    if encoding in DEPTH_ENCODINGS or "compressedDepth" in compression:
        raise ValueError(f"{name} is not supported: {_hint(DEPTH_ENCODINGS[0])}")
    data = bytes(message.data)
    width, height, bits = _compressed_size(data, name)
    if bits > 8:
        raise ValueError(f"{name} is not supported: {_hint('mono16')}")
    if not 0 < width * height <= MAX_COMPRESSED_PIXELS:
        raise ValueError(
            f"{name} has {width}x{height} pixels by its header; from 1 to {MAX_COMPRESSED_PIXELS} "
            "are allowed"
        )
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{name} cannot be decoded: its data are damaged")
    if pixels.ndim == 2:
        mosaic = BAYER.get(encoding) if "mono8" not in compression else None
        return cv2.cvtColor(pixels, mosaic.to_rgb if mosaic else cv2.COLOR_GRAY2RGB)
    if "compressed rgb" not in compression:  # that was written with red and blue exchanged
        opaque = pixels.shape[-1] == 3
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if opaque else cv2.COLOR_BGRA2RGBA)
    return on_white(pixels)


def _compressed_size(data: bytes, name: str) -> tuple[int, int, int]:
    """Return width, height and bits per channel from the header of a JPEG or PNG image.

    Raises ValueError if it is neither, or truncated.
    """
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) > 25:
        header, end = 16, b"IEND"
        width, height, bits = struct.unpack_from(">IIB", data, header)
    elif header := _jpeg_frame(data):
        end = b"\xff\xd9"
        bits, height, width = struct.unpack_from(">BHH", data, header)
    else:
        raise ValueError(f"{name} cannot be decoded: its data are neither JPEG nor PNG")
    if data.rfind(end, header) < 0:
        raise ValueError(f"{name} cannot be decoded: its data are truncated")
    return width, height, bits


def _jpeg_frame(data: bytes) -> int:
    """Return the offset of the sample precision in a JPEG image's frame header; 0 without one."""
    at = 2 if data[:2] == b"\xff\xd8" else len(data)
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return at + 4
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0
