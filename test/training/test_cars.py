import colorsys

import numpy as np
import pytest

from training.data.cars.generator import STYLES, car, styled_car
from training.data.cars.paint import draw_paint


@pytest.mark.parametrize("style", STYLES)
def test_each_style_gives_a_sound_mesh(style):
    for k in range(3):
        (mesh,) = styled_car(style, np.random.default_rng(k))
        assert np.isfinite(mesh.vertices).all()
        assert mesh.faces.min() >= 0 and mesh.faces.max() < len(mesh.vertices)
        assert mesh.colors.shape == (len(mesh.faces), 3) and mesh.colors.dtype == np.uint8


@pytest.mark.parametrize("style", STYLES)
def test_each_style_is_longest_along_y_and_lies_centred_in_the_unit_cube(style):
    (mesh,) = styled_car(style, np.random.default_rng(1))
    x, y, z = np.ptp(mesh.vertices, axis=0)
    assert y > x and y > z
    assert np.linalg.norm([x, y, z]) == pytest.approx(1)
    np.testing.assert_allclose(mesh.vertices.min(0), -mesh.vertices.max(0), atol=1e-9)


def test_a_car_depends_on_seed_and_index_alone():
    (first,), (again,) = car(3, 5), car(3, 5)
    np.testing.assert_array_equal(first.vertices, again.vertices)
    np.testing.assert_array_equal(first.colors, again.colors)


def test_no_two_cars_are_alike():
    seen = {car(seed, i)[0].vertices.tobytes() for seed in range(2) for i in range(15)}
    assert len(seen) == 30


def test_cars_of_one_style_differ_in_proportions():
    spans = np.array(
        [
            np.ptp(styled_car("sedan", np.random.default_rng(k))[0].vertices, axis=0)
            for k in range(20)
        ]
    )
    ratio = spans[:, 2] / spans[:, 1]  # height to length
    assert ratio.max() / ratio.min() > 1.15


def test_the_front_is_at_plus_y():
    """The lamps at the rear are red: most of the reddest faces lie at -y."""
    where = []
    for k in range(8):
        (mesh,) = styled_car("suv", np.random.default_rng(k))
        red, green, blue = mesh.colors.astype(int).T
        lamps = (red > 130) & (green < 35) & (blue == 13)
        where.extend(mesh.vertices[mesh.faces[lamps]][..., 1].ravel())
    assert len(where) > 100 and np.mean(np.array(where) < 0) > 0.9


def test_paint_is_balanced_over_the_hues():
    rng = np.random.default_rng(0)
    paints = np.array([draw_paint(rng) for _ in range(3000)])
    saturation, hue = np.array([colorsys.rgb_to_hsv(*paint)[1::-1] for paint in paints]).T
    coloured = saturation > 0.5
    assert 0.6 < coloured.mean() < 0.72
    # red, yellow, green, blue and so on by their own widths: none below half its even share
    borders = [0, 12, 42, 68, 165, 200, 255, 290, 348, 360]
    counts, _ = np.histogram(hue[coloured] * 360, borders)
    counts = np.append(counts[1:-1], counts[0] + counts[-1])
    assert counts.min() > 0.5 * coloured.sum() / 8
    value = paints[~coloured].mean(axis=1)
    assert (value > 0.8).mean() > 0.15 and (value < 0.15).mean() > 0.15
