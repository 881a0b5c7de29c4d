import re
import shutil

import numpy as np
import pytest

from tiny_nvs_ros import runtime
from tiny_nvs_ros.geometry import eye_at, look_at, orbit
from tiny_nvs_ros.model import NovelViewModel, SourceView, ViewRequest
from tiny_nvs_ros.model.multiview import FARTHEST, NEAREST, inputs
from tiny_nvs_ros.resources import find_weights
from training.export import export

TARGETS = orbit(5, (0.3,), 3.0)


def source(azimuth: float, color: tuple[int, int, int] = (200, 60, 30)) -> tuple:
    """Return a picture, RGBA, of a disc and its camera, 4 radii from the object."""
    y, x = np.mgrid[:32, :32] - 15.5
    disc = np.hypot(x, y) < 9
    image = np.zeros((32, 32, 4), np.uint8)
    image[disc] = (*color, 255)
    return image, look_at(eye_at(azimuth, 0.4, 2.0), np.zeros(3))


@pytest.fixture(scope="module")
def model():
    return NovelViewModel.from_pretrained(find_weights("objects"))


def test_samples_have_colour_alpha_and_depth(model):
    views = model.generate(source(0.2), TARGETS, samples=3, seed=0)
    assert views.rgb.shape == (5, 3, 32, 32, 3) and views.rgb.dtype == np.uint8
    assert views.alpha.shape == views.depth.shape == (5, 3, 32, 32)
    middle, corner = views.alpha[..., 14:18, 14:18], views.alpha[..., :3, :3]
    assert middle.mean() > 0.9 and corner.mean() < 0.1
    assert (views.depth.mean(axis=1)[..., 14:18, 14:18] < 0.2).all()  # the surface is in front
    again = model.generate(source(0.2), TARGETS, samples=3, seed=0)
    np.testing.assert_array_equal(views.rgb, again.rgb)


def test_order_of_the_sources_does_not_matter(model):
    sources = [source(azimuth) for azimuth in (0.0, 1.0, 2.5)]
    first, second = (
        model.generate(each, TARGETS, samples=2, seed=0) for each in (sources, sources[::-1])
    )
    np.testing.assert_allclose(first.depth, second.depth, atol=1e-3)
    assert np.abs(first.rgb.astype(int) - second.rgb).max() <= 1


def test_alpha_of_a_source_is_kept_or_else_estimated_from_white(model):
    rgba, pose = source(0.0)
    given = ViewRequest.create(model.config, (rgba, pose), TARGETS, samples=1)
    white = np.where(rgba[..., 3:] > 0, rgba[..., :3], np.uint8(255))
    estimated = ViewRequest.create(model.config, (white, pose), TARGETS, samples=1)
    assert estimated.sources[0].alpha is None
    given_rgba, estimated_rgba = (inputs(x)["images"][..., :4] for x in (given, estimated))
    np.testing.assert_allclose(given_rgba, estimated_rgba, atol=1e-6)
    np.testing.assert_allclose(inputs(given)["images"][0, ..., 3], rgba[..., 3] / 255)


def test_distances_are_given_in_radii_within_those_of_the_training(model):
    rgba, pose = source(0.0)
    targets = np.stack([look_at(eye_at(0, 0.4, d), np.zeros(3)) for d in (0.6, 2.5, 50.0)])
    request = ViewRequest.create(model.config, (rgba, pose), targets)
    np.testing.assert_allclose(inputs(request)["source_rho"], [4], rtol=1e-6)
    np.testing.assert_allclose(inputs(request)["rho"], [NEAREST, 5, FARTHEST], rtol=1e-6)


def test_graph_gives_the_same_views_from_one_to_eight_sources(model, tmp_path):
    for name in ("config.json", "model.safetensors"):
        shutil.copy(find_weights("objects") / name, tmp_path)
    assert export(tmp_path) <= 1
    renderer = runtime.load(tmp_path, "cpu")
    assert renderer.name == "onnx"
    for count in (1, 8):
        sources = [source(azimuth) for azimuth in np.arange(count)]
        request = ViewRequest.create(model.config, sources, TARGETS, samples=2, seed=0)
        ours, theirs = renderer.render(request), model.render(request)
        assert np.abs(ours.rgb.astype(int) - theirs.rgb).max() <= 1
        np.testing.assert_allclose(ours.alpha, theirs.alpha, atol=2e-3)
        np.testing.assert_allclose(ours.depth, theirs.depth, atol=2e-3)


@pytest.mark.parametrize(
    "options, reason",
    [
        ({"steps": 2}, "steps is 2; the architecture multiview takes one step"),
        ({"sampler": "euler"}, "no sampler 'euler'"),
    ],
)
def test_steps_and_samplers_that_it_has_not_are_refused(model, options, reason):
    with pytest.raises(ValueError, match=reason):
        model.generate(source(0.0), TARGETS, **options)


def test_nine_sources_are_refused(model):
    with pytest.raises(ValueError, match=r"9 source views .* takes 1 to 8"):
        model.generate([source(0.1 * i) for i in range(9)], TARGETS)


def test_alpha_of_another_shape_is_refused(model):
    view = SourceView(np.zeros((32, 32, 3), np.uint8), TARGETS[0], np.ones((8, 8), np.float32))
    with pytest.raises(ValueError, match=re.escape("alpha has shape (8, 8); it must be (32, 32)")):
        model.generate(view, TARGETS)


@pytest.mark.parametrize("which", ["source", "target"])
def test_camera_inside_the_object_is_refused(model, which):
    image, pose = source(0.0)
    inside = look_at(eye_at(0.0, 0.4, 0.3), np.zeros(3))
    given, targets = ((image, inside), TARGETS) if which == "source" else ((image, pose), [inside])
    with pytest.raises(ValueError, match=r"0\.6 object radii from the object's centre, so inside"):
        model.generate(given, targets)
