"""Uploaded photographs: read within bounds, cut out from a plain background, and centred.

Lengths are object radii: the object's sphere is guessed from its outline, its distance is not
known.
"""

import io
from dataclasses import dataclass

import cv2
import numpy as np

from tiny_nvs_ros.geometry import eye_at, look_at
from tiny_nvs_ros.pipeline import DEFAULT_DISTANCE, SourceImage
from tiny_nvs_ros.simulation.objects import PHOTO_SHARE, PHOTO_SIZE, photo_camera

MAX_BYTES = 16 * 2**20
MAX_PIXELS = 25_000_000
FORMATS = "PNG", "JPEG", "WEBP"
WORKING_SIZE = 512  # pixels of the longer side, to which photos are reduced
BORDER = 3  # pixels at the edges that are taken for background
MIN_BRIGHTNESS = 130  # of a light background, of 255
MAX_BORDER_SPREAD = 24  # of a plain background's colours, of 255: 90 % differ less from the median
BACKGROUND_STEP = 5  # of colours between neighbouring pixels of the background, of 255
BACKGROUND_RANGE = 40  # of colours of the background around the median, of 255
OBJECT_AREA = 0.005, 0.9  # share of the photo's pixels that an object covers
# The outline's bounding box, seen from any side, has about the diagonal of the object's.
HOW_TO_CUT_OUT = (
    "Photograph the object whole, on white paper in soft light; or cut it out to a transparent PNG "
    "first: on a phone hold a finger on the object in the photo and share it as a sticker or copy, "
    "on a computer use the background removal of GIMP, Photoshop, Preview or rembg"
)


@dataclass(frozen=True)
class Photo:
    """One photograph of an object.

    rgba: PHOTO_SIZE x PHOTO_SIZE x 4 uint8, the object in its middle, its sphere PHOTO_SHARE wide.
    elevation: of the camera above the object's horizon, radians.
    """

    name: str
    rgba: np.ndarray
    elevation: float = 0.35
    simulated: bool = False

    def sources(self, count: int) -> list[SourceImage]:
        pose = look_at(eye_at(0.0, self.elevation, DEFAULT_DISTANCE), np.zeros(3))
        camera = photo_camera(PHOTO_SIZE, PHOTO_SHARE * PHOTO_SIZE / 2, DEFAULT_DISTANCE)
        return [SourceImage(self.rgba, pose, camera)][:count]

    def photograph(self, T_object_camera: np.ndarray) -> None:
        return None


def read_photo(name: str, content: bytes) -> Photo:
    """Return an uploaded photograph. Raises ValueError, with what to do, if it cannot be used."""
    return Photo(name, centred(cut_out(decode(content))))


def decode(content: bytes) -> np.ndarray:
    """Return an image file as H x W x 4 uint8 RGBA, reduced to WORKING_SIZE, rotated as its EXIF
    data say. The header is checked before pixels are decoded. Raises ValueError."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    if len(content) > MAX_BYTES:
        raise ValueError(too_large(len(content)))
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise ValueError(
                    f"The photo has {width * height / 1e6:.0f} megapixels; at most "
                    f"{MAX_PIXELS / 1e6:.0f} are read. Reduce it first: the model sees 32 x 32"
                )
            image.draft("RGB", (2 * WORKING_SIZE, 2 * WORKING_SIZE))  # JPEG: decode it smaller
            image = ImageOps.exif_transpose(image).convert("RGBA")
            image.thumbnail((WORKING_SIZE, WORKING_SIZE), reducing_gap=2.0)
            return np.array(image)
    except UnidentifiedImageError:
        raise ValueError("The file is not a PNG, JPEG or WebP image") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"The image is damaged: {error}") from None


def too_large(size: int) -> str:
    """Describe a file of too many bytes."""
    return f"The file has {size / 2**20:.0f} MiB; at most {MAX_BYTES // 2**20} are read"


def cut_out(rgba: np.ndarray) -> np.ndarray:
    """Return an image, H x W x 4 uint8, that is transparent around the object.

    One that is transparent already stays as it is. Raises ValueError if the background is not plain
    and light, or there is no whole object before it.
    """
    if (rgba[..., 3] < 128).mean() > 0.02:
        alpha = rgba[..., 3]
    else:
        alpha = 255 - 255 * background(rgba[..., :3]).astype(np.uint8)
        # Single pixels are noise, and the rim is mixed with the background.
        alpha = cv2.morphologyEx(alpha, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        alpha = cv2.erode(alpha, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    solid = alpha > 127
    share = solid.mean()
    if not OBJECT_AREA[0] < share < OBJECT_AREA[1]:
        raise ValueError(f"No object stands out from the background. {HOW_TO_CUT_OUT}")
    edges = np.concatenate([solid[0], solid[-1], solid[:, 0], solid[:, -1]])
    if edges.mean() > 0.02:
        raise ValueError(f"The object is cut off at the edge of the photo. {HOW_TO_CUT_OUT}")
    return np.dstack([rgba[..., :3], alpha])


def background(rgb: np.ndarray) -> np.ndarray:
    """Return where the plain light background of a photo is, H x W bool. Raises ValueError."""
    border = np.concatenate(
        [rgb[:BORDER], rgb[-BORDER:], *(np.swapaxes(each, 0, 1) for each in
         (rgb[:, :BORDER], rgb[:, -BORDER:]))], axis=1,
    ).reshape(-1, 3).astype(int)  # fmt: skip
    median = np.median(border, axis=0)
    spread = np.percentile(np.abs(border - median).max(axis=1), 90)
    if median.min() < MIN_BRIGHTNESS or spread > MAX_BORDER_SPREAD:
        raise ValueError(f"The background is not plain and light. {HOW_TO_CUT_OUT}")
    # The background is what can be reached from the border in small steps, near to its colour.
    height, width = rgb.shape[:2]
    smooth = cv2.GaussianBlur(rgb, (3, 3), 0)
    near = (np.abs(smooth.astype(int) - median).max(axis=-1) < BACKGROUND_RANGE).astype(np.uint8)
    reached = np.pad(1 - near, 1)  # a frame that joins all borders
    step = (BACKGROUND_STEP,) * 3
    framed = cv2.copyMakeBorder(smooth, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    mask = np.pad(reached, 1, constant_values=1)
    cv2.floodFill(framed, mask, (0, 0), (0, 0, 0), step, step, 4 | cv2.FLOODFILL_MASK_ONLY | 2 << 8)
    return mask[2 : height + 2, 2 : width + 2] == 2


def centred(rgba: np.ndarray) -> np.ndarray:
    """Return the object of a transparent image as `Photo.rgba`."""
    rows, columns = np.nonzero(rgba[..., 3] > 127)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    radius = np.hypot(bottom - top, right - left) / 2
    scale = PHOTO_SHARE * PHOTO_SIZE / 2 / radius
    middle = np.array([(left + right - 1) / 2, (top + bottom - 1) / 2])
    # Premultiplied, so that no colour of the background gets in; reduced by area first.
    image = rgba.astype(np.float32)
    image[..., :3] *= image[..., 3:] / 255
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in rgba.shape[:2])
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        middle, scale = (middle + 0.5) * scale - 0.5, 1.0
    shift = (PHOTO_SIZE - 1) / 2 - scale * middle
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    image = cv2.warpAffine(image, matrix, (PHOTO_SIZE, PHOTO_SIZE), flags=cv2.INTER_LINEAR)
    alpha = image[..., 3:]
    image[..., :3] = np.where(alpha > 0.5, image[..., :3] * 255 / np.maximum(alpha, 0.5), 255)
    return np.clip(np.round(image), 0, 255).astype(np.uint8)
