"""A new architecture needs a package and a line in ARCHITECTURES; the runtimes stay as they are."""

import sys
from types import ModuleType

import numpy as np
import pytest

from tiny_nvs_ros.geometry import orbit, relative_pose
from tiny_nvs_ros.model import ModelConfig, ViewRequest, config
from tiny_nvs_ros.model.request import MAX_VIEWS_AT_ONCE
from tiny_nvs_ros.runtime.renderer import WholeModelRenderer

CAMERAS = orbit(5)
IMAGE = np.full((32, 32, 3), 100, np.uint8)


def inputs(request):
    return {
        "sources": np.stack([source.image for source in request.sources]),
        "poses": request.T_object_targets.astype(np.float32),
        "noise": request.noise,
    }


class AllOutputs(WholeModelRenderer):
    name, device = "test", "cpu"

    def __init__(self, model_config):
        self.config = model_config

    def run(self, inputs, steps):
        shape = (*inputs["noise"].shape[:2], 32, 32)
        count = len(inputs["sources"])
        rgb = np.full((*shape, 3), count, np.uint8)
        return [rgb, np.full(shape, 0.5, np.float32), np.full(shape, -0.1, np.float32)]


@pytest.fixture
def renderer(monkeypatch):
    package = ModuleType("architecture_of_a_test")
    package.DEFAULTS = {"sampler": {"name": "direct", "steps": 1}}
    package.MAX_SOURCES, package.NEEDS_OBJECT_FRAME = 8, True
    package.PER_VIEW, package.OUTPUTS = ("poses", "noise"), ("rgb", "alpha", "depth")
    package.latent_shape = lambda config: (4, 1, 1)
    package.inputs = inputs
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.setitem(config.ARCHITECTURES, "test", package.__name__)
    return AllOutputs(ModelConfig(architecture="test", preset="test"))


@pytest.mark.parametrize("sources", [1, 3, 8])
def test_several_sources_give_colour_alpha_and_depth(renderer, sources):
    pairs = [(IMAGE, CAMERAS[i % 5]) for i in range(sources)]
    targets = CAMERAS[np.arange(MAX_VIEWS_AT_ONCE + 1) % 5]  # in two parts
    request = ViewRequest.create(renderer.config, pairs, targets, samples=2, seed=0)
    views = renderer.render(request)
    assert (views.rgb == sources).all() and views.rgb.shape == (len(targets), 2, 32, 32, 3)
    assert views.alpha.shape == views.depth.shape == (len(targets), 2, 32, 32)


def test_more_sources_than_the_architecture_takes_are_refused(renderer):
    with pytest.raises(ValueError, match=r"9 source views are given; .* takes 1 to 8"):
        ViewRequest.create(renderer.config, [(IMAGE, CAMERAS[0])] * 9, CAMERAS)


def test_no_targets_give_empty_outputs_of_every_kind(renderer):
    request = ViewRequest.create(renderer.config, (IMAGE, CAMERAS[0]), CAMERAS[:0], samples=3)
    views = renderer.render(request)
    assert views.rgb.shape == (0, 3, 32, 32, 3) and views.alpha.shape == (0, 3, 32, 32)


def test_relative_poses_without_the_source_pose_are_placed_upright(renderer):
    request = ViewRequest.from_relative_poses(
        renderer.config, IMAGE, relative_pose(CAMERAS[0], CAMERAS), samples=1
    )
    assert not request.heading_known
    np.testing.assert_allclose(request.T_object_targets[:, 2, 0], 0, atol=1e-6)  # x is level
