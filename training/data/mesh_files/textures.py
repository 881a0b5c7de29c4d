"""Texture images: decoding, colour spaces, wrapping, and transparency."""

import io

import cv2
import numpy as np
from PIL import Image

MAX_SIDE = 8192  # of a texture, texels: more than this, OpenGL may draw black in silence
MAX_CLAMPED_TEXELS = 2**26  # of a clamped texture, with its border repeated as far as it is seen
# Pillow warns from here on and refuses twice as many pixels; photogrammetry writes 16384 x 16384.
Image.MAX_IMAGE_PIXELS = 2**28
OPAQUE = 128  # alpha from which a surface is drawn; below, it is left out
# First bytes of image formats that are not read, whose names tell more than Pillow's message.
UNSUPPORTED_IMAGES = {b"\xabKTX": "KTX", b"v/1\x01": "OpenEXR", b"#?RADIANCE": "Radiance HDR",
                      b"8BPS": "Photoshop", b"gimp xcf": "GIMP", b"<svg": "SVG",
                      b"<?xml": "SVG or XML"}  # fmt: skip


def decode_image(data: bytes) -> np.ndarray:
    """Return an image file's pixels as (H, W, 3) or, with transparency, (H, W, 4) uint8 sRGB.

    Grey, palette, CMYK and 16-bit images are converted. Raises ValueError if it cannot be read.
    """
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except Exception as error:  # a broken file raises whatever its decoder runs into
        reason = str(error).partition(" <")[0] or type(error).__name__  # without PIL's object
        for start, name in UNSUPPORTED_IMAGES.items():
            if data.startswith(start):
                reason = f"{name} images are not supported; convert it to PNG"
        raise ValueError(f"cannot be read ({reason})") from error
    if image.mode.startswith("I"):  # 16 bits; convert("RGB") would clip them at 255
        grey = np.asarray(image).astype(float) / 257
        if grey.min() < 0 or grey.max() > 255:
            raise ValueError(f"cannot be read (mode {image.mode}, beyond 16 bits)")
        return np.repeat(np.uint8(np.round(grey))[..., None], 3, axis=2)
    if image.mode == "F":
        raise ValueError("cannot be read (floating-point pixels)")
    transparent = "A" in image.getbands() or "a" in image.getbands()
    mode = "RGBA" if transparent or "transparency" in image.info else "RGB"
    return np.asarray(image.convert(mode))


def linear_from_srgb(srgb: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, values in [0, 1]."""
    srgb = np.asarray(srgb, float)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(linear: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, values in [0, 1]; values outside are clipped."""
    linear = np.clip(np.asarray(linear, float), 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Values in [0, 1] to 0..255, rounded and clipped."""
    return np.uint8(np.round(255 * np.clip(values, 0, 1)))


def multiply_linear(rgb: np.ndarray, factor: np.ndarray, add: np.ndarray) -> np.ndarray:
    """sRGB pixels (H, W, 3) uint8 times `factor` plus `add`, both (3,), in linear light."""
    linear = linear_from_srgb(np.arange(256) / 255)
    tables = [to_uint8(srgb_from_linear(linear * f + a)) for f, a in zip(factor, add, strict=True)]
    return np.stack([table[rgb[..., k]] for k, table in enumerate(tables)], axis=-1)


def add_linear(rgb: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Sum of two sRGB images in linear light; `other` is resized to the first one's size."""
    height, width = rgb.shape[:2]
    if other.shape[:2] != (height, width):
        other = cv2.resize(other, (width, height), interpolation=cv2.INTER_AREA)
    total = linear_from_srgb(rgb / 255) + linear_from_srgb(other / 255)
    return to_uint8(srgb_from_linear(total))


def wrap(
    image: np.ndarray, uv: np.ndarray, modes: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return an image and uv that look the same if the texture is repeated.

    modes: "repeat", "mirror", "clamp" or "border" along u and v. Raises ValueError if uv goes
    outside [0, 1] where the texture has a border, or, where it is clamped, so far that the image
    would become too large.
    """
    for axis, mode in enumerate(modes):
        low, high = uv[:, axis].min(initial=0), uv[:, axis].max(initial=1)
        if low > -1e-3 and high < 1 + 1e-3:
            continue
        if mode == "border":
            raise ValueError("its texture does not repeat, and ends inside a surface")
        if mode == "clamp":
            image, uv = _repeat_border(image, uv, axis, low, high)
        if mode == "mirror":
            dimension = 1 - axis  # u runs along columns
            flipped = np.flip(image, dimension)
            # v counts rows from below, so that the mirrored copy lies above.
            pair = (image, flipped) if axis == 0 else (flipped, image)
            image = np.concatenate(pair, axis=dimension)
            uv = uv * ([0.5, 1] if axis == 0 else [1, 0.5])
    return image, uv


def _repeat_border(
    image: np.ndarray, uv: np.ndarray, axis: int, low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return a larger image, and the uv there, that shows what clamping does from low to high."""
    dimension = 1 - axis
    size = image.shape[dimension]
    if not (high - low) * image.shape[0] * image.shape[1] <= MAX_CLAMPED_TEXELS:
        raise ValueError(
            f"its texture is clamped, and its texture coordinates go from {low:.3g} to "
            f"{high:.3g}; give it a repeating texture"
        )
    before, after = int(np.ceil(-low * size)) + 1, int(np.ceil((high - 1) * size)) + 1
    widths = [(0, 0)] * 3
    widths[dimension] = (before, after) if axis == 0 else (after, before)  # rows run from the top
    uv = uv.copy()
    uv[:, axis] = (uv[:, axis] * size + before) / (size + before + after)
    return np.pad(image, widths, mode="edge"), uv


def limit_size(image: np.ndarray) -> np.ndarray:
    """Return a texture (H, W, 3 or 4), reduced to MAX_SIDE texels a side if it has more."""
    height, width = image.shape[:2]
    if max(height, width) <= MAX_SIDE:
        return image
    shape = (min(width, MAX_SIDE), min(height, MAX_SIDE))
    return cv2.resize(image, shape, interpolation=cv2.INTER_AREA)


def cut_out(image: np.ndarray, alpha: np.ndarray) -> np.ndarray | None:
    """Return what is drawn of a texture (H, W, 4), of which only the texels with `alpha` show.

    That is the image without alpha if all of them are opaque, with alpha if some are left out, and
    None if all are.
    """
    if (alpha >= OPAQUE).all():
        return image[..., :3]
    return image if (alpha >= OPAQUE).any() else None


def used_texels(uv: np.ndarray, faces: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Mask (H, W) of the texels that triangles show; all of them if one repeats the image."""
    height, width = shape
    corners = uv[faces] - np.floor(uv[faces].min(axis=1, keepdims=True) + 1e-6)
    if corners.max(initial=0) > 1 + 1e-3:
        return np.ones(shape, bool)
    mask = np.zeros(shape, np.uint8)
    pixels = np.stack([corners[..., 0] * width, (1 - corners[..., 1]) * height], axis=-1)
    limit = [width - 1, height - 1]
    for triangle in np.clip(np.floor(pixels), 0, limit).astype(np.int32):
        cv2.fillConvexPoly(mask, triangle, 1)
    return mask.astype(bool)
