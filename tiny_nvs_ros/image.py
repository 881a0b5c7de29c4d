"""Images as the model wants them: square, upright, RGB uint8 on its background."""

from typing import Any

import cv2
import numpy as np

WHITE = 255

# sensor_msgs/Image.encoding: its channels, and how they become RGB or RGBA
ENCODINGS = {
    "rgb8": (3, None),
    "bgr8": (3, cv2.COLOR_BGR2RGB),
    "rgba8": (4, None),
    "bgra8": (4, cv2.COLOR_BGRA2RGBA),
    "mono8": (1, cv2.COLOR_GRAY2RGB),
}


def check_raw(message: Any) -> None:
    """Raises ValueError, with the reason, for a sensor_msgs/Image that is no picture.

    That is: an encoding that is not one of ENCODINGS, an empty image, rows or data that are
    shorter than they must be.
    """
    size = f"image of {message.width}x{message.height} {message.encoding}"
    if message.encoding not in ENCODINGS:
        raise ValueError(
            f"encoding {message.encoding!r} is not supported, only {', '.join(ENCODINGS)}"
        )
    if message.width == 0 or message.height == 0:
        raise ValueError(f"{size} is empty")
    channels, _ = ENCODINGS[message.encoding]
    if message.step < message.width * channels:
        raise ValueError(f"{size} has rows of {message.step} bytes (step), too few")
    needed = message.step * message.height
    if len(message.data) < needed:
        raise ValueError(f"{size} needs {needed} bytes (step * height), has {len(message.data)}")


def from_raw(message: Any) -> np.ndarray:
    """The picture, H x W x 3 uint8, of a sensor_msgs/Image or anything with its fields.

    Alpha becomes white. Raises ValueError as check_raw does.
    """
    check_raw(message)
    channels, to_rgb = ENCODINGS[message.encoding]
    rows = np.frombuffer(message.data, np.uint8, message.step * message.height)
    rows = rows.reshape(message.height, message.step)
    pixels = rows[:, : message.width * channels].reshape(message.height, message.width, channels)
    return on_white(pixels if to_rgb is None else cv2.cvtColor(pixels, to_rgb))


def from_compressed(message: Any) -> np.ndarray:
    """The picture, H x W x 3 uint8, of a sensor_msgs/CompressedImage or anything with its fields.

    Raises ValueError where it is not a whole 8-bit image that OpenCV reads (JPEG, PNG, ...).
    """
    data = np.frombuffer(message.data, np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if pixels is None or pixels.dtype != np.uint8:
        raise ValueError(f"compressed image of format {message.format!r} cannot be read")
    if pixels.ndim == 2:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    bgr = pixels.shape[-1] == 3
    return on_white(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if bgr else cv2.COLOR_BGRA2RGBA))


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """H x W x C uint8 to size x size x C: by area where it shrinks, linear where it grows.

    An image that is not square is first padded with white, centred, so that pixels stay square.
    """
    image = pad_to_square(image)
    if image.shape[0] == size:
        return image
    shrinks = image.shape[0] > size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=interpolation)


def pad_to_square(image: np.ndarray) -> np.ndarray:
    """H x W x C uint8, centred on a white square of the longer side."""
    if image.ndim != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(f"an image is H x W x C uint8, got {image.shape} {image.dtype}")
    height, width = image.shape[:2]
    if height == width:
        return image
    side = max(height, width)
    square = np.full((side, side, image.shape[2]), WHITE, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square


def on_white(image: np.ndarray) -> np.ndarray:
    """H x W x 4 uint8 with alpha to H x W x 3 on white; three channels pass unchanged."""
    if image.shape[-1] == 3:
        return image
    alpha = image[..., 3:].astype(np.float32) / 255
    return np.round(image[..., :3] * alpha + WHITE * (1 - alpha)).astype(np.uint8)


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
    fill = (WHITE,) * 3 if image.dtype == np.uint8 else 0.0
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=fill)


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
