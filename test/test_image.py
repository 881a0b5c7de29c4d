from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tiny_nvs_ros import image


def test_resize_shrinks_by_area():
    checks = np.indices((64, 64)).sum(0) % 2 * 255
    small = image.resize(np.repeat(checks[..., None], 3, 2).astype(np.uint8), 32)
    assert small.shape == (32, 32, 3)
    assert np.abs(small.astype(int) - 127.5).max() <= 1


def test_a_wide_image_is_padded_with_white_not_stretched():
    wide = np.zeros((10, 30, 3), np.uint8)
    square = image.pad_to_square(wide)
    assert square.shape == (30, 30, 3)
    assert (square[:10] == 255).all() and (square[20:] == 255).all()
    assert (square[10:20] == 0).all()


@pytest.mark.parametrize("bad", [np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3))])
def test_an_empty_or_float_image_is_refused(bad):
    with pytest.raises(ValueError, match="uint8"):
        image.resize(bad, 32)


def test_alpha_becomes_white():
    rgba = np.array([[[200, 0, 0, 255], [200, 0, 0, 0], [0, 0, 0, 128]]], np.uint8)
    np.testing.assert_array_equal(
        image.on_white(rgba), [[[200, 0, 0], [255, 255, 255], [127, 127, 127]]]
    )


def test_turn_goes_from_x_towards_y():
    picture = np.full((33, 33, 3), 255, np.uint8)
    picture[16, 26] = 0  # on the +x side of the centre
    turned = image.turn(picture, np.pi / 2)
    assert turned[26, 16].max() < 5  # on the +y side, which is down


def test_turn_scales_about_the_centre():
    picture = np.full((33, 33, 3), 255, np.uint8)
    picture[8:25, 8:25] = 0
    small = image.turn(picture, 0.0, scale=0.5)
    assert (small[13:20, 13:20] == 0).all()
    assert (small[:11] == 255).all() and (small[:, 22:] == 255).all()
    depth = np.ones((33, 33), np.float32)
    assert image.turn(depth, 0.0, scale=0.5)[0, 0] == 0


def test_montage_places_pictures_row_by_row():
    black, grey = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 99, np.uint8)
    sheet = image.montage([[black, grey], [grey]], gap=1)
    assert sheet.shape == (11, 11, 3)
    assert (sheet[1:5, 6:10] == 99).all() and (sheet[6:10, 1:5] == 99).all()
    assert (sheet[6:10, 6:10] == 255).all()


def raw(encoding="rgb8", height=2, width=2, step=None, data=bytes(range(64))):
    return SimpleNamespace(
        encoding=encoding, height=height, width=width, step=step or 4 * width, data=data
    )


def test_rows_of_a_message_may_be_longer_than_the_picture():
    np.testing.assert_array_equal(image.from_raw(raw())[1], [[8, 9, 10], [11, 12, 13]])
    np.testing.assert_array_equal(image.from_raw(raw("bgr8"))[0], [[2, 1, 0], [5, 4, 3]])
    np.testing.assert_array_equal(image.from_raw(raw("mono8"))[1], [[8] * 3, [9] * 3])


def test_transparent_pixels_of_a_message_are_white():
    pixels = bytes([10, 20, 30, 255, 10, 20, 30, 0])
    for encoding, first in (("rgba8", [10, 20, 30]), ("bgra8", [30, 20, 10])):
        picture = image.from_raw(raw(encoding, height=1, data=pixels))
        np.testing.assert_array_equal(picture, [[first, [255] * 3]])


@pytest.mark.parametrize(
    "message, words",
    [
        (raw("16UC1"), "'16UC1' is not supported"),
        (raw(height=0), "2x0 rgb8 is empty"),
        (raw(step=5), "rows of 5 bytes"),
        (raw(data=b"short"), "needs 16 bytes"),
    ],
)
def test_messages_that_hold_no_picture_are_refused(message, words):
    with pytest.raises(ValueError, match=words):
        image.from_raw(message)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_compressed_messages_become_rgb_on_white(channels):
    pixels = np.full((4, 4, channels), 255, np.uint8)
    pixels[..., 0] = 7  # grey, or blue for OpenCV
    message = SimpleNamespace(format="png", data=cv2.imencode(".png", pixels)[1].tobytes())
    expected = [7] * 3 if channels == 1 else [255, 255, 7]
    assert (image.from_compressed(message) == expected).all()


@pytest.mark.parametrize("data", [b"", b"no image"])
def test_compressed_messages_that_hold_no_picture_are_refused(data):
    with pytest.raises(ValueError, match="format 'jpeg' cannot be read"):
        image.from_compressed(SimpleNamespace(format="jpeg", data=data))
