import struct
from array import array
from types import SimpleNamespace
from unittest import mock

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize("shape", [(10, 300), (300, 10), (70, 50), (7, 33), (3, 5)])
def test_a_resized_image_is_the_padded_one_resized(shape):
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    ours, theirs = image.resize(picture, 32), image.resize(image.pad_to_square(picture), 32)
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_a_line_of_pixels_does_not_become_a_huge_square():
    line = image.resize(np.zeros((1, 10**6, 3), np.uint8), 32)  # 3 TB, were it padded first
    assert line.shape == (32, 32, 3) and line.min() >= 253


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


def rgb_of_yuv(y, u, v):
    """BT.601, studio swing: what V4L2 cameras send and cv_bridge assumes."""
    y, u, v = 1.164 * (np.maximum(y, 16.0) - 16), u - 128.0, v - 128.0
    rgb = np.stack([y + 1.596 * v, y - 0.392 * u - 0.813 * v, y + 2.017 * u], axis=-1)
    return np.clip(rgb, 0, 255)


def packed_yuv(data, order):
    """H x W x 2 bytes, whose pairs of pixels have Y, U, Y, V in this order."""
    quads = data.reshape(len(data), -1, 4)
    y, u, v = (quads[..., [i for i, each in enumerate(order) if each == c]] for c in "yuv")
    return rgb_of_yuv(y, u, v).reshape(len(data), -1, 3)


def planar_yuv(data, order):
    """H * 3/2 x W bytes: Y of each pixel, then two colours of each 2 x 2 of them."""
    height = len(data) * 2 // 3
    colours = data[height:].reshape(height // 2, -1, 2).repeat(2, axis=0).repeat(2, axis=1)
    u, v = (colours[..., order.index(c)] for c in "uv")
    return rgb_of_yuv(data[:height], u, v)


def grey(data):
    return data[..., None].repeat(3, axis=-1)


READ = {  # encoding: bytes a pixel, rows of data a row of pixels, and the picture of such data
    "rgb8": (3, 1, lambda data: data),
    "bgr8": (3, 1, lambda data: data[..., ::-1]),
    "rgba8": (4, 1, lambda data: 255 - (255.0 - data[..., :3]) * data[..., 3:] / 255),
    "bgra8": (4, 1, lambda data: 255 - (255.0 - data[..., 2::-1]) * data[..., 3:] / 255),
    "mono8": (1, 1, grey),
    "8UC1": (1, 1, grey),
    "uyvy": (2, 1, lambda data: packed_yuv(data, "uyvy")),
    "yuv422": (2, 1, lambda data: packed_yuv(data, "uyvy")),
    "yuyv": (2, 1, lambda data: packed_yuv(data, "yuyv")),
    "yuv422_yuy2": (2, 1, lambda data: packed_yuv(data, "yuyv")),
    "nv12": (1, 1.5, lambda data: planar_yuv(data, "uv")),
    "nv21": (1, 1.5, lambda data: planar_yuv(data, "vu")),
}


@settings(deadline=None)
@given(st.data())
def test_pictures_are_read_from_every_encoding_however_it_is_padded(data):
    encoding = data.draw(st.sampled_from(list(READ)))
    channels, planes, read = READ[encoding]
    coarse = encoding not in ("rgb8", "bgr8", "rgba8", "bgra8", "mono8", "8UC1")
    height, width = (data.draw(st.integers(1, 6)) * (2 if coarse else 1) for _ in range(2))
    padding, tail = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 5))
    container = data.draw(st.sampled_from([bytes, bytearray, lambda b: array("B", b), np.array]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    rows = rng.integers(0, 256, (int(height * planes), width * channels + padding), np.uint8)
    sent = np.append(rows.ravel(), np.zeros(tail, np.uint8))
    message = SimpleNamespace(
        encoding=encoding,
        height=height,
        width=width,
        step=rows.shape[1],
        is_bigendian=data.draw(st.integers(0, 1)),  # of no meaning to single bytes
        data=sent.copy() if container is np.array else container(sent.tobytes()),
    )
    picture = image.from_raw(message)
    assert (picture.shape, picture.dtype) == ((height, width, 3), np.uint8)
    pixels = rows[:, : width * channels].reshape(len(rows), width, channels)
    expected = read(pixels[..., 0] if channels == 1 else pixels)
    np.testing.assert_allclose(picture, expected, rtol=0, atol=2 if coarse else 0.5)
    assert bytes(message.data) == sent.tobytes()


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_a_bayer_mosaic_has_its_colours_back(pattern):
    """Also of a picture of odd size. Bilinear: wrong by no more than what half a pixel changes."""
    y, x = np.mgrid[:41, :61]
    scene = np.stack([200 - 2 * x, 40 + 3 * y, 10 + x + y], axis=-1).astype(np.uint8)
    mosaic = np.zeros(scene.shape[:2], np.uint8)
    for i, colour in enumerate(pattern):
        at = np.s_[i // 2 :: 2, i % 2 :: 2]
        mosaic[at] = scene[..., "rgb".index(colour)][at]
    message = raw(f"bayer_{pattern}8", 41, 61, 61, mosaic.tobytes())
    picture = image.from_raw(message)
    assert np.abs(picture.astype(int) - scene).max() <= 3
    assert np.abs(picture.astype(int) - scene)[2:-2, 2:-2].max() <= 1


def test_an_rgb_picture_is_not_copied():
    message = raw(data=np.arange(64, dtype=np.uint8))
    assert np.shares_memory(image.from_raw(message), message.data)


@pytest.mark.parametrize(
    "message, words",
    [
        (raw("16UC1"), "'16UC1' is not supported: it is for depth; remap image to the camera's"),
        (raw("32FC1"), "'32FC1' is not supported: it is for depth"),
        (raw("mono16"), "'mono16' is not supported: it has 16 bits a channel"),
        (raw("bayer_grbg16"), "16 bits a channel; let the camera's driver send 8"),
        (raw("bgra16"), "16 bits a channel"),
        (raw("8UC3"), "whether red or blue comes first; the sender must name rgb8 or bgr8"),
        (raw("nv24"), "'nv24' is not supported: only rgb8, bgr8, "),
        (raw(""), "'' is not supported: only rgb8"),
        (raw(height=0), "2x0 rgb8 is empty"),
        (raw(step=5), "rows of 5 bytes"),
        (raw(data=b"short"), "needs 16 bytes"),
        (raw(height=2**31), "needs 17179869184 bytes"),
        (raw("yuv422", width=3), "3x2 yuv422 cannot be: 2x1 pixels share a colour"),
        (raw("nv12", height=3), "2x3 nv12 cannot be: 2x2 pixels share a colour"),
        (raw("nv21", data=bytes(20)), r"needs 24 bytes \(step 8\), has 20"),
        (raw("bayer_rggb8", 2, 8), "8x2 bayer_rggb8 is too small to tell its colours"),
    ],
)
def test_messages_that_hold_no_picture_are_refused(message, words):
    with pytest.raises(ValueError, match=words):
        image.from_raw(message)


class Unread:
    """Data that nobody looks at."""

    def __len__(self):
        return 2**40


def test_the_check_reads_no_pixel():
    image.check_raw(raw(height=8192, width=8192, data=Unread()))
    with pytest.raises(ValueError, match="needs 4503599627370496 bytes"):
        image.check_raw(raw(height=2**25, width=2**25, data=Unread()))


@pytest.mark.parametrize("mark", [np.uint8(255), np.uint8(1), np.uint8(7), np.bool_(True)])
def test_what_the_mask_leaves_out_is_white(mark):
    """255, 1, or the number of a class."""
    picture = np.full((2, 3, 3), 50, np.uint8)
    mask = np.zeros((2, 3), mark.dtype)
    mask[0, 1] = mask[1, 2] = mark
    cut = image.cut_out(picture, mask)
    np.testing.assert_array_equal(cut[mask != 0], [[50] * 3] * 2)
    assert (cut[mask == 0] == 255).all()
    assert (picture == 50).all()


def test_a_mask_of_another_size_or_without_an_object_is_refused():
    picture = np.zeros((2, 3, 3), np.uint8)
    with pytest.raises(ValueError, match="mask has 4x2 pixels, its image 3x2"):
        image.cut_out(picture, np.ones((2, 4), np.uint8))
    with pytest.raises(ValueError, match="no object"):
        image.cut_out(picture, np.zeros((2, 3), np.uint8))


@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_a_mask_is_read_without_the_padding_of_its_rows(encoding):
    mask = image.mask_from_raw(raw(encoding, height=2, width=3, step=5))
    np.testing.assert_array_equal(mask, [[0, 1, 2], [5, 6, 7]])


@pytest.mark.parametrize(
    "message, words",
    [
        (raw("rgb8"), "mask has the encoding 'rgb8'; it must be mono8 or 8UC1"),
        (raw("mono8", data=b""), "mask of 2x2 mono8 needs 16 bytes"),
    ],
)
def test_messages_that_hold_no_mask_are_refused(message, words):
    with pytest.raises(ValueError, match=words):
        image.mask_from_raw(message)


def compressed(pixels, format="png", extension=".png"):
    return SimpleNamespace(format=format, data=cv2.imencode(extension, pixels)[1].tobytes())


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_compressed_messages_become_rgb_on_white(channels):
    pixels = np.full((4, 4, channels), 255, np.uint8)
    pixels[..., 0] = 7  # grey, or blue for OpenCV
    expected = [7] * 3 if channels == 1 else [255, 255, 7]
    assert (image.from_compressed(compressed(pixels)) == expected).all()


def test_transparent_pixels_of_a_compressed_message_are_white():
    assert (image.from_compressed(compressed(np.zeros((4, 4, 4), np.uint8))) == 255).all()


@pytest.mark.parametrize(
    "format, expected",
    [
        ("jpeg", (200, 30, 10)),
        ("rgb8; jpeg compressed bgr8", (200, 30, 10)),
        ("bgra8; jpeg compressed bgr8", (200, 30, 10)),
        ("rgb8; jpeg compressed rgb8", (10, 30, 200)),  # as image_transport undoes it
    ],
)
def test_formats_of_image_transport_say_which_colour_is_red(format, expected):
    pixels = np.full((16, 16, 3), (10, 30, 200), np.uint8)  # red for OpenCV
    picture = image.from_compressed(compressed(pixels, format, ".jpg"))
    assert np.abs(picture.astype(int) - expected).max() <= 3


@pytest.mark.parametrize(
    "format, colour",
    [("bayer_rggb8; png compressed ", (200, 30, 10)), ("bayer_rggb8; png compressed mono8", None)],
)
def test_a_compressed_mosaic_has_its_colours_back_unless_it_was_made_grey(format, colour):
    mosaic = np.full((8, 8), 30, np.uint8)
    mosaic[::2, ::2], mosaic[1::2, 1::2] = 200, 10
    picture = image.from_compressed(compressed(mosaic, format))
    np.testing.assert_array_equal(picture, np.full((8, 8, 3), colour) if colour else grey(mosaic))


JPEG = compressed(np.zeros((64, 64, 3), np.uint8), extension=".jpg").data
PNG = compressed(np.zeros((64, 64, 3), np.uint8)).data
DEPTH_PNG = compressed(np.zeros((64, 64), np.uint16)).data


def claiming(data, old, new, layout):
    """Compressed data whose header tells another size."""
    return data.replace(struct.pack(layout, *old), struct.pack(layout, *new), 1)


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "neither JPEG nor PNG"),
        (b"no image", "neither JPEG nor PNG"),
        (b"\xff\xd8" + b"\xff" * 50, "neither JPEG nor PNG"),
        (JPEG[:-2], "its data end too early"),
        (JPEG[: len(JPEG) // 2], "its data end too early"),
        (PNG[:-12], "its data end too early"),
        (PNG[:60] + PNG[-20:], "its data are damaged"),
        (DEPTH_PNG, "is not supported: it has 16 bits a channel"),
        (claiming(JPEG, (64, 64), (65500, 65500), ">HH"), "claims 65500x65500 pixels"),
        (claiming(JPEG, (64, 64), (8193, 8192), ">HH"), "can have 67108864 at most"),
        (claiming(JPEG, (64, 64), (0, 64), ">HH"), "claims 64x0 pixels"),
        (claiming(PNG, (64, 64), (2**31 - 1, 2**31 - 1), ">II"), "claims 2147483647x2147483647"),
    ],
)
def test_compressed_messages_that_hold_no_picture_are_refused(data, words):
    with pytest.raises(ValueError, match=f"format 'jpeg' .*{words}"):
        image.from_compressed(SimpleNamespace(format="jpeg", data=data))


@pytest.mark.parametrize(
    "format",
    ["16UC1; compressedDepth png", "32FC1; compressedDepth", "16UC1; jpeg compressed mono8"],
)
def test_compressed_depth_is_refused_by_name(format):
    message = SimpleNamespace(format=format, data=b"\0" * 12 + DEPTH_PNG)
    with pytest.raises(ValueError, match=f"'{format}' is not supported: it is for depth"):
        image.from_compressed(message)


@settings(deadline=None)
@given(st.binary(max_size=40), st.integers(0, 700), st.sampled_from([JPEG, PNG]))
def test_damaged_data_give_a_picture_or_a_reason(patch, at, data):
    message = SimpleNamespace(format="jpeg", data=data[:at] + patch + data[at + len(patch) :])
    with mock.patch.object(image, "MAX_PIXELS", 2**14):  # more would take long
        try:
            assert image.from_compressed(message).shape[-1] == 3
        except ValueError as error:
            assert "compressed image of format 'jpeg'" in str(error)
