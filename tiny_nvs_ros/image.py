"""Images as the model wants them: square, upright, RGB uint8 on its background."""

import re
import struct
from typing import Any, NamedTuple

import cv2
import numpy as np

WHITE = 255
MAX_PIXELS = 2**26  # of a compressed image, 8192x8192: a few bytes can claim to be any size


class Encoding(NamedTuple):
    """How the bytes of a sensor_msgs/Image are pixels.

    channels: bytes of a pixel in its row; to_rgb: OpenCV's conversion to RGB or RGBA; cell: width
    and height are multiples of its; planes: rows of data to rows of pixels.
    """

    channels: int
    to_rgb: int | None
    cell: tuple[int, int] = (1, 1)
    planes: float = 1


# sensor_msgs/image_encodings.hpp. OpenCV names a Bayer pattern by its second row's second and third
# pixel, ROS by the first two rows' first two: bayer_rggb8 is OpenCV's BayerBG.
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
DEPTH = ("16UC1", "32FC1")
MASK_ENCODINGS = {name: ENCODINGS[name] for name in ("mono8", "8UC1")}


def check_raw(message: Any) -> None:
    """Raises ValueError, with the reason, for a sensor_msgs/Image that is no picture.

    That is: an encoding that is not one of ENCODINGS, a size that it cannot have, rows or data
    that are shorter than they must be. Reads no pixel.
    """
    if message.encoding not in ENCODINGS:
        remedy = _remedy(message.encoding)
        raise ValueError(f"encoding {message.encoding!r} is not supported: {remedy}")
    _check_size(message, "image", ENCODINGS[message.encoding])


def from_raw(message: Any) -> np.ndarray:
    """The picture, H x W x 3 uint8, of a sensor_msgs/Image or anything with its fields.

    Alpha becomes white. An rgb8 picture is a view of the message's data, not a copy. Raises
    ValueError as check_raw does.
    """
    check_raw(message)
    encoding = ENCODINGS[message.encoding]
    pixels = _pixels(message, encoding)
    if encoding.to_rgb is None:
        return on_white(pixels)
    try:
        return on_white(cv2.cvtColor(pixels, encoding.to_rgb))
    except cv2.error as error:  # a single pixel, in the OpenCV of 2021
        size = f"{message.width}x{message.height}"
        raise ValueError(f"image of {size} {message.encoding} cannot be read: {error}") from error


def mask_from_raw(message: Any) -> np.ndarray:
    """The mask, H x W uint8, of a sensor_msgs/Image in mono8 or 8UC1; for cut_out.

    A view of the message's data. Raises ValueError for another encoding, and as check_raw does.
    """
    if message.encoding not in MASK_ENCODINGS:
        names = " or ".join(MASK_ENCODINGS)
        raise ValueError(f"mask has the encoding {message.encoding!r}; it must be {names}")
    _check_size(message, "mask", MASK_ENCODINGS[message.encoding])
    return _pixels(message, MASK_ENCODINGS[message.encoding])


def _remedy(encoding: str) -> str:
    """What to do about an encoding that is not one of ENCODINGS."""
    if encoding in DEPTH:
        return "it is for depth; remap image to the camera's colour image"
    if encoding in ("8UC3", "8UC4"):
        return "it does not say whether red or blue comes first; the sender must name rgb8 or bgr8"
    if re.fullmatch(r"(mono|rgba?|bgra?|bayer_[rgb]{4})16", encoding):
        return "it has 16 bits a channel; let the camera's driver send 8"
    return f"only {', '.join(ENCODINGS)} are"


def _check_size(message: Any, what: str, encoding: Encoding) -> None:
    width, height, step = message.width, message.height, message.step
    what = f"{what} of {width}x{height} {message.encoding}"
    if width == 0 or height == 0:
        raise ValueError(f"{what} is empty")
    columns, rows = encoding.cell
    if width % columns or height % rows:
        pixels = f"{columns}x{rows} pixels"
        raise ValueError(f"{what} cannot be: {pixels} share a colour, so they must come whole")
    if message.encoding in BAYER and min(width, height) < 3:
        raise ValueError(f"{what} is too small to tell its colours")
    if step < width * encoding.channels:
        raise ValueError(f"{what} has rows of {step} bytes (step), too few")
    needed = int(step * height * encoding.planes)
    if len(message.data) < needed:
        raise ValueError(f"{what} needs {needed} bytes (step {step}), has {len(message.data)}")


def _pixels(message: Any, encoding: Encoding) -> np.ndarray:
    """The data as H x W x channels, H x W with one, without the padding of rows; no copy."""
    rows = int(message.height * encoding.planes)
    data = np.frombuffer(message.data, np.uint8, message.step * rows).reshape(rows, message.step)
    pixels = data[:, : message.width * encoding.channels]
    if encoding.channels == 1:
        return pixels
    return pixels.reshape(rows, message.width, encoding.channels)


def from_compressed(message: Any) -> np.ndarray:
    """The picture, H x W x 3 uint8, of a sensor_msgs/CompressedImage or anything with its fields.

    Alpha becomes white. Raises ValueError where it is not a whole JPEG or PNG image of 8 bits a
    channel and at most MAX_PIXELS, which is looked at before anything is decoded.
    """
    name = f"compressed image of format {message.format!r}"
    # of image_transport: "rgb8; jpeg compressed bgr8", "16UC1; compressedDepth png"
    encoding, _, compression = message.format.partition(";")
    if encoding in DEPTH or "compressedDepth" in compression:
        raise ValueError(f"{name} is not supported: {_remedy(DEPTH[0])}")
    data = bytes(message.data)
    width, height, bits = _compressed_size(data, name)
    if bits > 8:
        raise ValueError(f"{name} is not supported: {_remedy('mono16')}")
    if not 0 < width * height <= MAX_PIXELS:
        raise ValueError(f"{name} claims {width}x{height} pixels; it can have {MAX_PIXELS} at most")
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{name} cannot be read: its data are damaged")
    if pixels.ndim == 2:
        mosaic = BAYER.get(encoding) if "mono8" not in compression else None
        return cv2.cvtColor(pixels, mosaic.to_rgb if mosaic else cv2.COLOR_GRAY2RGB)
    if "compressed rgb" not in compression:  # else it was written with red and blue exchanged
        opaque = pixels.shape[-1] == 3
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if opaque else cv2.COLOR_BGRA2RGBA)
    return on_white(pixels)


def _compressed_size(data: bytes, name: str) -> tuple[int, int, int]:
    """Width, height, bits a channel that a JPEG or PNG image says it has, if it is there whole."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) > 25:
        header, end = 16, b"IEND"
        width, height, bits = struct.unpack_from(">IIB", data, header)
    elif header := _jpeg_frame(data):
        end = b"\xff\xd9"
        bits, height, width = struct.unpack_from(">BHH", data, header)
    else:
        raise ValueError(f"{name} cannot be read: its data are neither JPEG nor PNG")
    if data.rfind(end, header) < 0:
        raise ValueError(f"{name} cannot be read: its data end too early")
    return width, height, bits


def _jpeg_frame(data: bytes) -> int:
    """Where a JPEG image's frame header says its size; 0 where there is none."""
    at = 2 if data[:2] == b"\xff\xd8" else len(data)
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return at + 4
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0


def cut_out(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The picture's object on white: a copy of H x W x 3 uint8, white where the mask is zero.

    mask: H x W uint8 or bool; whatever is not zero is the object, since segmentations mark it with
    1, 255 or the number of its class. Raises ValueError where the mask has another size than the
    picture, or no object.
    """
    if mask.shape != picture.shape[:2]:
        (height, width), (rows, columns) = picture.shape[:2], mask.shape
        raise ValueError(f"the mask has {columns}x{rows} pixels, its image {width}x{height}")
    if not mask.any():
        raise ValueError("the mask is zero everywhere: there is no object in it")
    return cv2.copyTo(picture, mask.astype(np.uint8, copy=False), np.full_like(picture, WHITE))


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """H x W x C uint8 to size x size x C: by area where it shrinks, linear where it grows.

    An image that is not square is padded with white, centred, so that pixels stay square.
    """
    _check_image(image)
    height, width = image.shape[:2]
    side = max(height, width)
    interpolation = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    if height != width and side > size:
        # First the longer side: as a square, a mere line of pixels could fill the memory.
        if width > height:
            image = _pad(cv2.resize(image, (size, height), interpolation=interpolation), side, size)
        else:
            image = _pad(cv2.resize(image, (width, size), interpolation=interpolation), size, side)
    else:
        image = pad_to_square(image)
    if image.shape[:2] == (size, size):
        return image
    return cv2.resize(image, (size, size), interpolation=interpolation)


def pad_to_square(image: np.ndarray) -> np.ndarray:
    """H x W x C uint8, centred on a white square of the longer side."""
    _check_image(image)
    side = max(image.shape[:2])
    return _pad(image, side, side)


def _check_image(image: np.ndarray) -> None:
    if image.ndim != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(f"an image is H x W x C uint8, got {image.shape} {image.dtype}")


def _pad(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The image in the middle of a white one of that size."""
    rows, columns, channels = image.shape
    if (rows, columns) == (height, width):
        return image
    padded = np.full((height, width, channels), WHITE, np.uint8)
    top, left = (height - rows) // 2, (width - columns) // 2
    padded[top : top + rows, left : left + columns] = image
    return padded


def on_white(image: np.ndarray) -> np.ndarray:
    """H x W x 4 uint8 with alpha to H x W x 3 on white; three channels pass unchanged."""
    if image.shape[-1] == 3:
        return image
    coloured = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGBA2mRGBA), cv2.COLOR_RGBA2RGB)
    clear = cv2.cvtColor(~cv2.extractChannel(image, 3), cv2.COLOR_GRAY2RGB)
    return cv2.add(coloured, clear, dst=clear)


def turn(image: np.ndarray, angle: float, scale: float = 1.0) -> np.ndarray:
    """The picture turned about its centre by `angle` radians from x towards y, white beyond.

    scale: size of what it shows, afterwards to before. H x W x 3 uint8, or H x W float32 with 0
    beyond.
    """
    if abs(angle) < 1e-6 and abs(scale - 1) < 1e-6:
        return image
    height, width = image.shape[:2]
    centre = ((width - 1) / 2, (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, -np.degrees(angle), scale)
    if image.dtype == np.uint8:  # cubic keeps small pictures sharp
        how = dict(flags=cv2.INTER_CUBIC, borderValue=(WHITE,) * 3)
    else:
        how = dict(flags=cv2.INTER_LINEAR, borderValue=0.0)
    return cv2.warpAffine(image, matrix, (width, height), **how)


def montage(rows: list[list[np.ndarray]], gap: int = 2) -> np.ndarray:
    """Pictures of one size in rows, on white.

    rows: lists of H x W x 3 uint8; shorter rows leave white. Returns the sheet, uint8.
    """
    height, width = rows[0][0].shape[:2]
    columns = max(len(row) for row in rows)
    sheet = np.full(
        (len(rows) * (height + gap) + gap, columns * (width + gap) + gap, 3), WHITE, np.uint8
    )
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            top, left = gap + i * (height + gap), gap + j * (width + gap)
            sheet[top : top + height, left : left + width] = picture
    return sheet
