"""Uploads: what is read, how objects are cut out, and what is refused."""

import io

import cv2
import numpy as np
import pytest

pytest.importorskip("PIL")

from PIL import Image

from tiny_nvs_ros.simulation.objects import PHOTO_SHARE, PHOTO_SIZE
from tiny_nvs_ros.viewer import photo


def encoded(image: np.ndarray, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, kind, **options)
    return stream.getvalue()


def table(height: int = 300, width: int = 400, noise: float = 2.0) -> np.ndarray:
    """Return a photo of an elliptical object, light above, on a light table with a gradient."""
    rng = np.random.default_rng(0)
    image = np.full((height, width, 3), 215.0)
    image += np.linspace(-12, 12, width)[:, None]
    cv2.ellipse(image, (width // 2 + 40, height // 2), (60, 40), 0, 0, 360, (60, 90, 170), -1)
    image += rng.normal(0, noise, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def test_object_on_a_light_table_is_cut_out():
    rgba = photo.cut_out(photo.decode(encoded(table())))
    truth = np.zeros(rgba.shape[:2], np.uint8)
    cv2.ellipse(truth, (240, 150), (60, 40), 0, 0, 360, 1, -1)
    found = rgba[..., 3] > 127
    assert (found & (truth > 0)).sum() / (found | (truth > 0)).sum() > 0.95


def test_object_is_centred_and_scaled():
    read = photo.read_photo("cup.png", encoded(table()))
    assert read.rgba.shape == (PHOTO_SIZE, PHOTO_SIZE, 4)
    rows, columns = np.nonzero(read.rgba[..., 3] > 127)
    assert abs((rows.min() + rows.max()) / 2 - (PHOTO_SIZE - 1) / 2) < 1.5
    assert abs((columns.min() + columns.max()) / 2 - (PHOTO_SIZE - 1) / 2) < 1.5
    diagonal = np.hypot(np.ptp(rows) + 1, np.ptp(columns) + 1)
    assert diagonal == pytest.approx(PHOTO_SHARE * PHOTO_SIZE, rel=0.05)
    inside = read.rgba[PHOTO_SIZE // 2, PHOTO_SIZE // 2, :3].astype(int)
    assert np.abs(inside - (60, 90, 170)).max() < 8


def test_transparent_image_keeps_its_alpha():
    rgba = np.dstack([np.full((90, 120, 3), 30, np.uint8), np.zeros((90, 120), np.uint8)])
    rgba[20:70, 30:90, 3] = 255
    assert (photo.cut_out(photo.decode(encoded(rgba)))[..., 3] == rgba[..., 3]).all()


def test_exif_orientation_is_applied():
    image = table()
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90 degrees
    upright = photo.decode(encoded(image, "JPEG", quality=95, exif=exif))
    assert upright.shape[:2] == (400, 300)


def test_text_file_is_refused():
    with pytest.raises(ValueError, match="not a PNG, JPEG or WebP"):
        photo.decode(b"hello, I am not an image\n" * 100)


def test_truncated_image_is_refused():
    content = encoded(table(noise=40.0))
    with pytest.raises(ValueError, match="damaged"):
        photo.decode(content[: len(content) // 2])


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_forty_megapixels_are_refused_before_they_are_decoded(kind, monkeypatch):
    content = encoded(np.full((5000, 8000), 255, np.uint8), kind)

    def load(*_):
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(ValueError, match="40 megapixels; at most 25"):
        photo.decode(content)


def test_file_of_too_many_bytes_is_refused():
    with pytest.raises(ValueError, match="at most 16 are read"):
        photo.decode(bytes(photo.MAX_BYTES + 1))


def test_busy_background_is_refused_with_what_to_do():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (200, 200, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"not plain and light.*cut it out"):
        photo.read_photo("x.png", encoded(image))


def test_dark_background_is_refused():
    with pytest.raises(ValueError, match="not plain and light"):
        photo.read_photo("x.png", encoded(255 - table()))


def test_empty_photo_is_refused():
    with pytest.raises(ValueError, match="No object"):
        photo.read_photo("x.png", encoded(np.full((200, 200, 3), 250, np.uint8)))


def test_object_that_is_cut_off_is_refused():
    with pytest.raises(ValueError, match="cut off"):
        photo.read_photo("x.png", encoded(table()[:, :250]))
