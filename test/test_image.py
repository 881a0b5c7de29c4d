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
