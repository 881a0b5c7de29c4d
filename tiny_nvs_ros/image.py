"""Array operations on images: square, upright, on the white background that the models expect."""

import cv2
import numpy as np

WHITE = 255


def with_mask(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return an image, H x W x 3 uint8, with a mask as alpha: H x W x 4, 255 where it is not zero.

    mask: H x W uint8 or bool; any value but zero is the object, because segmentations mark it by 1,
    255 or the number of its class. Raises ValueError if the mask has another size than the image,
    or is zero everywhere or nowhere.
    """
    if mask.shape != image.shape[:2]:
        (height, width), (rows, columns) = image.shape[:2], mask.shape
        raise ValueError(f"the mask has {columns}x{rows} pixels, its image {width}x{height}")
    if not mask.any():
        raise ValueError("the mask is zero everywhere: there is no object in it")
    if mask.all():
        raise ValueError("the mask is zero nowhere: it must be 0 outside the object")
    rgba = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)
    rgba[..., 3] = np.where(mask, np.uint8(255), np.uint8(0))
    return rgba


def scene_of(image: np.ndarray) -> np.ndarray | None:
    """Return what an image, H x W x 4 uint8, shows without its alpha, H x W x 3.

    None if no transparent pixel, or nothing but black or white, shows what is beside the object:
    then it was cut out.
    """
    pixels = np.ascontiguousarray(image).view("<u4")  # alpha is the highest byte
    transparent, black, white = (
        np.count_nonzero(each) for each in (pixels <= 0xFFFFFF, pixels == 0, pixels == 0xFFFFFF)
    )
    return None if transparent in (black, white) else cv2.cvtColor(image, cv2.COLOR_RGBA2RGB)


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """Resize H x W x 3 (or 4) uint8 to size x size: by area if it shrinks, else linearly.

    An image that is not square is padded, centred, with white (RGBA: transparent), so that pixels
    stay square. Colours of an RGBA image are weighted by alpha. Raises ValueError for an image that
    is empty or not uint8.
    """
    _check_image(image)
    if image.shape[-1] == 4:
        return _resize_rgba(image, size)
    height, width = image.shape[:2]
    side = max(height, width)
    interpolation = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    if height != width and side > size:
        # Shrink before padding: a line of pixels, padded to a square, could fill the memory.
        if width > height:
            image = _pad(cv2.resize(image, (size, height), interpolation=interpolation), side, size)
        else:
            image = _pad(cv2.resize(image, (width, size), interpolation=interpolation), size, side)
    else:
        image = pad_to_square(image)
    if image.shape[:2] == (size, size):
        return image
    return cv2.resize(image, (size, size), interpolation=interpolation)


def _resize_rgba(image: np.ndarray, size: int) -> np.ndarray:
    """Resize straight RGBA: alpha as it is, colours weighted by alpha."""
    height, width = image.shape[:2]
    if max(height, width) > size:  # before padding, as above
        scale = size / max(height, width)
        shape = (max(1, round(width * scale)), max(1, round(height * scale)))
        how = cv2.INTER_AREA
    else:
        image, shape, how = pad_to_square(image), (size, size), cv2.INTER_LINEAR
    premultiplied = image.astype(np.float32)
    premultiplied[..., :3] *= premultiplied[..., 3:] / 255
    premultiplied = cv2.resize(premultiplied, shape, interpolation=how)
    alpha = premultiplied[..., 3:]
    premultiplied[..., :3] *= 255 / np.maximum(alpha, 1e-3)
    resized = np.clip(np.round(premultiplied), 0, 255).astype(np.uint8)
    return _pad(resized, size, size)


def resize_depth(depth: np.ndarray, size: int) -> np.ndarray:
    """Resize depth H x W float32 to size x size, padded to a square; 0 is nothing.

    A pixel has the mean of what is there, 0 if that is less than half of it.
    """
    side = max(depth.shape)
    top, left = (side - depth.shape[0]) // 2, (side - depth.shape[1]) // 2
    square = np.zeros((side, side), np.float32)
    square[top : top + depth.shape[0], left : left + depth.shape[1]] = depth
    how = cv2.INTER_AREA if side > size else cv2.INTER_NEAREST
    filled = cv2.resize((square > 0).astype(np.float32), (size, size), interpolation=how)
    total = cv2.resize(square, (size, size), interpolation=how)
    return np.where(filled >= 0.5, total / np.maximum(filled, 0.5), 0).astype(np.float32)


def pad_to_square(image: np.ndarray) -> np.ndarray:
    """Return H x W x C uint8 centred on a square of its longer side: white, RGBA transparent."""
    _check_image(image)
    side = max(image.shape[:2])
    return _pad(image, side, side)


def _check_image(image: np.ndarray) -> None:
    if image.ndim != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(f"an image is H x W x C uint8, got {image.shape} {image.dtype}")


def _pad(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Centre the image on a background of that size: white, for RGBA transparent."""
    rows, columns, channels = image.shape
    if (rows, columns) == (height, width):
        return image
    padded = np.full((height, width, channels), WHITE, np.uint8)
    padded[..., 3:] = 0
    top, left = (height - rows) // 2, (width - columns) // 2
    padded[top : top + rows, left : left + columns] = image
    return padded


def on_white(image: np.ndarray) -> np.ndarray:
    """Composite RGBA, H x W x 4 uint8, on white: H x W x 3. An RGB image is returned as it is."""
    if image.shape[-1] == 3:
        return image
    coloured = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGBA2mRGBA), cv2.COLOR_RGBA2RGB)
    clear = cv2.cvtColor(~cv2.extractChannel(image, 3), cv2.COLOR_GRAY2RGB)
    return cv2.add(coloured, clear, dst=clear)


def rotate(image: np.ndarray, angle: float, scale: float = 1.0) -> np.ndarray:
    """Rotate an image about its centre by `angle` radians from x towards y, and scale it.

    image: H x W x 3 uint8, filled with white, or H x W float32, filled with 0. scale: above 1
    enlarges. Cubic interpolation for uint8, which keeps small images sharp.
    """
    if abs(angle) < 1e-6 and abs(scale - 1) < 1e-6:
        return image
    height, width = image.shape[:2]
    centre = ((width - 1) / 2, (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, -np.degrees(angle), scale)
    if image.dtype == np.uint8:
        how = dict(flags=cv2.INTER_CUBIC, borderValue=(WHITE,) * 3)
    else:
        how = dict(flags=cv2.INTER_LINEAR, borderValue=0.0)
    return cv2.warpAffine(image, matrix, (width, height), **how)


def montage(rows: list[list[np.ndarray]], gap: int = 2) -> np.ndarray:
    """Return images of one size, arranged in rows on white, uint8.

    rows: lists of H x W x 3 uint8; a shorter row ends in white. gap: between images, pixels.
    """
    height, width = rows[0][0].shape[:2]
    columns = max(len(row) for row in rows)
    sheet = np.full(
        (len(rows) * (height + gap) + gap, columns * (width + gap) + gap, 3), WHITE, np.uint8
    )
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = gap + i * (height + gap), gap + j * (width + gap)
            sheet[top : top + height, left : left + width] = image
    return sheet
