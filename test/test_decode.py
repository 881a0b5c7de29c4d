import struct
from array import array
from types import SimpleNamespace
from unittest import mock

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_nvs_ros import decode


def raw(encoding="rgb8", height=2, width=2, step=None, data=bytes(range(64))):
    return SimpleNamespace(
        encoding=encoding, height=height, width=width, step=step or 4 * width, data=data
    )


def test_padding_of_rows_is_skipped():
    np.testing.assert_array_equal(decode.rgb_from_raw(raw())[1], [[8, 9, 10], [11, 12, 13]])
    np.testing.assert_array_equal(decode.rgb_from_raw(raw("bgr8"))[0], [[2, 1, 0], [5, 4, 3]])
    np.testing.assert_array_equal(decode.rgb_from_raw(raw("mono8"))[1], [[8] * 3, [9] * 3])


def test_transparent_pixels_of_a_raw_image_become_white():
    pixels = bytes([10, 20, 30, 255, 10, 20, 30, 0])
    for encoding, first in (("rgba8", [10, 20, 30]), ("bgra8", [30, 20, 10])):
        rgb = decode.rgb_from_raw(raw(encoding, height=1, data=pixels))
        np.testing.assert_array_equal(rgb, [[first, [255] * 3]])


def rgb_of_yuv(y, u, v):
    """BT.601, studio swing: what V4L2 cameras send and cv_bridge assumes."""
    y, u, v = 1.164 * (np.maximum(y, 16.0) - 16), u - 128.0, v - 128.0
    rgb = np.stack([y + 1.596 * v, y - 0.392 * u - 0.813 * v, y + 2.017 * u], axis=-1)
    return np.clip(rgb, 0, 255)


def packed_yuv(data, order):
    """Convert H x W x 2 bytes; each pair of pixels has Y, U, Y, V in this order."""
    quads = data.reshape(len(data), -1, 4)
    y, u, v = (quads[..., [i for i, each in enumerate(order) if each == c]] for c in "yuv")
    return rgb_of_yuv(y, u, v).reshape(len(data), -1, 3)


def planar_yuv(data, order):
    """Convert H * 3/2 x W bytes: Y of each pixel, then two colours of each 2 x 2 pixels."""
    height = len(data) * 2 // 3
    colours = data[height:].reshape(height // 2, -1, 2).repeat(2, axis=0).repeat(2, axis=1)
    u, v = (colours[..., order.index(c)] for c in "uv")
    return rgb_of_yuv(data[:height], u, v)


def grey(data):
    return data[..., None].repeat(3, axis=-1)


READ = {  # encoding: bytes per pixel, rows of data per row of pixels, function of the data to RGB
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
def test_every_encoding_is_converted_with_any_padding(data):
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
    rgb = decode.rgb_from_raw(message)
    assert (rgb.shape, rgb.dtype) == ((height, width, 3), np.uint8)
    pixels = rows[:, : width * channels].reshape(len(rows), width, channels)
    expected = read(pixels[..., 0] if channels == 1 else pixels)
    np.testing.assert_allclose(rgb, expected, rtol=0, atol=2 if coarse else 0.5)
    assert bytes(message.data) == sent.tobytes()


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_image_is_interpolated_to_its_colours(pattern):
    """Also if the size is odd. The error of bilinear interpolation is that of half a pixel."""
    y, x = np.mgrid[:41, :61]
    scene = np.stack([200 - 2 * x, 40 + 3 * y, 10 + x + y], axis=-1).astype(np.uint8)
    mosaic = np.zeros(scene.shape[:2], np.uint8)
    for i, colour in enumerate(pattern):
        at = np.s_[i // 2 :: 2, i % 2 :: 2]
        mosaic[at] = scene[..., "rgb".index(colour)][at]
    message = raw(f"bayer_{pattern}8", 41, 61, 61, mosaic.tobytes())
    rgb = decode.rgb_from_raw(message)
    assert np.abs(rgb.astype(int) - scene).max() <= 3
    assert np.abs(rgb.astype(int) - scene)[2:-2, 2:-2].max() <= 1


def test_rgb8_image_is_not_copied():
    message = raw(data=np.arange(64, dtype=np.uint8))
    assert np.shares_memory(decode.rgb_from_raw(message), message.data)


@pytest.mark.parametrize(
    "message, words",
    [
        (
            raw("16UC1"),
            "'16UC1' is not supported: it is a depth image; remap image to ",
        ),
        (raw("32FC1"), "'32FC1' is not supported: it is a depth image"),
        (raw("mono16"), "'mono16' is not supported: it has 16 bits per channel"),
        (raw("bayer_grbg16"), "16 bits per channel; set the camera's driver to 8"),
        (raw("bgra16"), "16 bits per channel"),
        (raw("8UC3"), "does not define the colour order; the publisher must set rgb8 or bgr8"),
        (raw("nv24"), "'nv24' is not supported: supported are rgb8, bgr8, "),
        (raw(""), "'' is not supported: supported are rgb8"),
        (raw(height=0), "2x0 rgb8 is empty"),
        (raw(step=5), "rows of 5 bytes"),
        (raw(data=b"short"), "needs 16 bytes"),
        (raw(height=2**31), "needs 17179869184 bytes"),
        (
            raw("yuv422", width=3),
            "3x2 yuv422 is invalid: its width must be a multiple of 2",
        ),
        (
            raw("nv12", height=3),
            "multiple of 2, its height of 2",
        ),
        (raw("nv21", data=bytes(20)), r"needs 24 bytes \(step 8\), has 20"),
        (raw("bayer_rggb8", 2, 8), "8x2 bayer_rggb8 is too small to interpolate its colours"),
    ],
)
def test_invalid_raw_image_is_refused_with_the_reason(message, words):
    with pytest.raises(ValueError, match=words):
        decode.rgb_from_raw(message)


class Unread:
    """Data that raise if they are read."""

    def __len__(self):
        return 2**40


def test_check_raw_reads_no_pixel():
    decode.check_raw(raw(height=8192, width=8192, data=Unread()))
    with pytest.raises(ValueError, match="needs 4503599627370496 bytes"):
        decode.check_raw(raw(height=2**25, width=2**25, data=Unread()))


def mask(encoding, values):
    data = np.ascontiguousarray(values)
    height, width = values.shape
    message = raw(encoding, height, width, data.strides[0], data.tobytes())
    message.is_bigendian = int(data.dtype.byteorder == ">")
    return message


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("encoding", decode.MASK_ENCODINGS)
def test_mask_of_any_integer_encoding_is_true_at_the_object(encoding, order):
    type_ = np.dtype(decode.MASK_ENCODINGS[encoding]).newbyteorder(order)
    values = np.array([[0, 1, 0], [100, 0, 3]]).astype(type_)
    if type_.itemsize > 1:
        values[0, 1] = 256  # its lowest byte is 0
    padded = mask(encoding, np.concatenate([values, np.full((2, 1), 77, type_)], axis=1))
    padded.width = 3
    found = decode.mask_from_raw(padded)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, values != 0)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"encoding": "rgb8"}, "mask has the encoding 'rgb8'; it must be one of mono8, 8UC1"),
        ({"encoding": "32FC1"}, "mask has the encoding '32FC1'"),
        ({"step": 11}, "mask of 3x2 32SC1 has rows of 11 bytes"),
        ({"height": 3}, "mask of 3x3 32SC1 needs 36 bytes"),
        ({"height": 0}, "mask of 3x0 32SC1 is empty"),
        ({"width": 0}, "mask of 0x2 32SC1 is empty"),
    ],
)
def test_invalid_mask_is_refused_with_the_reason(changes, words):
    message = mask("32SC1", np.ones((2, 3), np.int32))
    for name, value in changes.items():
        setattr(message, name, value)
    with pytest.raises(ValueError, match=words):
        decode.mask_from_raw(message)


def compressed(pixels, format="png", extension=".png"):
    return SimpleNamespace(format=format, data=cv2.imencode(extension, pixels)[1].tobytes())


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_compressed_image_becomes_rgb(channels):
    pixels = np.full((4, 4, channels), 255, np.uint8)
    pixels[..., 0] = 7  # grey, or blue for OpenCV
    expected = [7] * 3 if channels == 1 else [255, 255, 7]
    assert (decode.rgb_from_compressed(compressed(pixels)) == expected).all()


def test_transparent_pixels_of_a_compressed_image_become_white():
    assert (decode.rgb_from_compressed(compressed(np.zeros((4, 4, 4), np.uint8))) == 255).all()


@pytest.mark.parametrize(
    "format, expected",
    [
        ("jpeg", (200, 30, 10)),
        ("rgb8; jpeg compressed bgr8", (200, 30, 10)),
        ("bgra8; jpeg compressed bgr8", (200, 30, 10)),
        ("rgb8; jpeg compressed rgb8", (10, 30, 200)),  # as image_transport undoes it
    ],
)
def test_format_of_image_transport_defines_the_colour_order(format, expected):
    pixels = np.full((16, 16, 3), (10, 30, 200), np.uint8)  # red for OpenCV
    rgb = decode.rgb_from_compressed(compressed(pixels, format, ".jpg"))
    assert np.abs(rgb.astype(int) - expected).max() <= 3


@pytest.mark.parametrize(
    "format, colour",
    [("bayer_rggb8; png compressed ", (200, 30, 10)), ("bayer_rggb8; png compressed mono8", None)],
)
def test_compressed_bayer_image_is_interpolated_unless_it_is_grey(format, colour):
    mosaic = np.full((8, 8), 30, np.uint8)
    mosaic[::2, ::2], mosaic[1::2, 1::2] = 200, 10
    rgb = decode.rgb_from_compressed(compressed(mosaic, format))
    np.testing.assert_array_equal(rgb, np.full((8, 8, 3), colour) if colour else grey(mosaic))


JPEG = compressed(np.zeros((64, 64, 3), np.uint8), extension=".jpg").data
PNG = compressed(np.zeros((64, 64, 3), np.uint8)).data
DEPTH_PNG = compressed(np.zeros((64, 64), np.uint16)).data


def with_size(data, old, new, layout):
    """Return compressed data whose header has another size."""
    return data.replace(struct.pack(layout, *old), struct.pack(layout, *new), 1)


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "neither JPEG nor PNG"),
        (b"no image", "neither JPEG nor PNG"),
        (b"\xff\xd8" + b"\xff" * 50, "neither JPEG nor PNG"),
        (JPEG[:-2], "its data are truncated"),
        (JPEG[: len(JPEG) // 2], "its data are truncated"),
        (PNG[:-12], "its data are truncated"),
        (PNG[:60] + PNG[-20:], "its data are damaged"),
        (DEPTH_PNG, "is not supported: it has 16 bits per channel"),
        (with_size(JPEG, (64, 64), (65500, 65500), ">HH"), "has 65500x65500 pixels by its header"),
        (with_size(JPEG, (64, 64), (8193, 8192), ">HH"), "from 1 to 67108864 are allowed"),
        (with_size(JPEG, (64, 64), (0, 64), ">HH"), "has 64x0 pixels"),
        (with_size(PNG, (64, 64), (2**31 - 1, 2**31 - 1), ">II"), "has 2147483647x2147483647"),
    ],
)
def test_invalid_compressed_image_is_refused_with_the_reason(data, words):
    with pytest.raises(ValueError, match=f"format 'jpeg' .*{words}"):
        decode.rgb_from_compressed(SimpleNamespace(format="jpeg", data=data))


@pytest.mark.parametrize(
    "format",
    ["16UC1; compressedDepth png", "32FC1; compressedDepth", "16UC1; jpeg compressed mono8"],
)
def test_compressed_depth_image_is_refused(format):
    message = SimpleNamespace(format=format, data=b"\0" * 12 + DEPTH_PNG)
    with pytest.raises(ValueError, match=f"'{format}' is not supported: it is a depth image"):
        decode.rgb_from_compressed(message)


@settings(deadline=None)
@given(st.binary(max_size=40), st.integers(0, 700), st.sampled_from([JPEG, PNG]))
def test_damaged_compressed_data_give_an_image_or_the_reason(patch, at, data):
    message = SimpleNamespace(format="jpeg", data=data[:at] + patch + data[at + len(patch) :])
    with mock.patch.object(decode, "MAX_COMPRESSED_PIXELS", 2**14):  # more would take long
        try:
            assert decode.rgb_from_compressed(message).shape[-1] == 3
        except ValueError as error:
            assert "compressed image of format 'jpeg'" in str(error)
