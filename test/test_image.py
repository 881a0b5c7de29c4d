import numpy as np
import pytest

from tiny_nvs_ros import image


def test_resize_shrinks_by_area():
    checks = np.indices((64, 64)).sum(0) % 2 * 255
    small = image.resize(np.repeat(checks[..., None], 3, 2).astype(np.uint8), 32)
    assert small.shape == (32, 32, 3)
    assert np.abs(small.astype(int) - 127.5).max() <= 1


def test_wide_image_is_padded_with_white():
    wide = np.zeros((10, 30, 3), np.uint8)
    square = image.pad_to_square(wide)
    assert square.shape == (30, 30, 3)
    assert (square[:10] == 255).all() and (square[20:] == 255).all()
    assert (square[10:20] == 0).all()


@pytest.mark.parametrize("shape", [(10, 300), (300, 10), (70, 50), (7, 33), (3, 5)])
def test_resize_equals_resize_of_the_padded_image(shape):
    source = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    ours, theirs = image.resize(source, 32), image.resize(image.pad_to_square(source), 32)
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_line_of_pixels_is_shrunk_before_it_is_padded():
    line = image.resize(np.zeros((1, 10**6, 3), np.uint8), 32)  # 3 TB, were it padded first
    assert line.shape == (32, 32, 3) and line.min() >= 253


@pytest.mark.parametrize("bad", [np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3))])
def test_empty_or_float_image_is_refused(bad):
    with pytest.raises(ValueError, match="uint8"):
        image.resize(bad, 32)


def test_alpha_becomes_white():
    rgba = np.array([[[200, 0, 0, 255], [200, 0, 0, 0], [0, 0, 0, 128]]], np.uint8)
    np.testing.assert_array_equal(
        image.on_white(rgba), [[[200, 0, 0], [255, 255, 255], [127, 127, 127]]]
    )


def test_rotate_goes_from_x_towards_y():
    source = np.full((33, 33, 3), 255, np.uint8)
    source[16, 26] = 0  # on the +x side of the centre
    turned = image.rotate(source, np.pi / 2)
    assert turned[26, 16].max() < 5  # on the +y side, which is down


def test_rotate_scales_about_the_centre():
    source = np.full((33, 33, 3), 255, np.uint8)
    source[8:25, 8:25] = 0
    small = image.rotate(source, 0.0, scale=0.5)
    assert (small[13:20, 13:20] == 0).all()
    assert (small[:11] == 255).all() and (small[:, 22:] == 255).all()
    depth = np.ones((33, 33), np.float32)
    assert image.rotate(depth, 0.0, scale=0.5)[0, 0] == 0


def test_montage_places_images_row_by_row():
    black, grey = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 99, np.uint8)
    sheet = image.montage([[black, grey], [grey]], gap=1)
    assert sheet.shape == (11, 11, 3)
    assert (sheet[1:5, 6:10] == 99).all() and (sheet[6:10, 1:5] == 99).all()
    assert (sheet[6:10, 6:10] == 255).all()


@pytest.mark.parametrize("mark", [np.uint8(255), np.uint8(1), np.uint8(7), np.bool_(True)])
def test_mask_becomes_alpha(mark):
    """255, 1, or the number of a class."""
    source = np.full((2, 3, 3), 50, np.uint8)
    mask = np.zeros((2, 3), mark.dtype)
    mask[0, 1] = mask[1, 2] = mark
    found = image.with_mask(source, mask)
    assert (found[..., :3] == 50).all()
    np.testing.assert_array_equal(found[..., 3], 255 * (mask != 0))


@pytest.mark.parametrize("beside, known", [(0, False), (255, False), (254, True), (70, True)])
def test_scene_is_known_unless_the_object_is_cut_out(beside, known):
    rgba = np.full((4, 5, 4), beside, np.uint8)
    rgba[..., 3] = 0
    rgba[1:3, 1:3] = 90, 0, 255, 255
    scene = image.scene_of(rgba)
    assert (scene is not None) == known
    if known:
        np.testing.assert_array_equal(scene, rgba[..., :3])


def test_scene_of_an_opaque_image_is_not_known():
    assert image.scene_of(np.full((4, 5, 4), 255, np.uint8)) is None


def test_mask_of_another_size_or_of_one_value_is_refused():
    source = np.zeros((2, 3, 3), np.uint8)
    with pytest.raises(ValueError, match="mask has 4x2 pixels, its image 3x2"):
        image.with_mask(source, np.ones((2, 4), np.uint8))
    with pytest.raises(ValueError, match="no object"):
        image.with_mask(source, np.zeros((2, 3), np.uint8))
    with pytest.raises(ValueError, match="zero nowhere"):
        image.with_mask(source, np.ones((2, 3), np.uint8))
