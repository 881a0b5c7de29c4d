import os

import numpy as np
import pytest
import torch

from tiny_nvs_ros import runtime
from tiny_nvs_ros.model import NovelViewModel

no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    NovelViewModel.from_preset("paper").save_pretrained(folder)
    return folder


def generate(renderer):
    image = np.zeros((32, 32, 3), np.uint8)
    return renderer.generate(image, np.eye(4)[None], samples=2, seed=0, steps=2).images


def test_it_renders_what_the_model_does(weights):
    renderer = runtime.load(weights, "cpu")
    renderer.warm_up(2)
    assert (renderer.name, renderer.device, renderer.config.size) == ("eager", "cpu", 32)
    np.testing.assert_array_equal(
        generate(renderer), generate(NovelViewModel.from_pretrained(weights))
    )


def test_it_leaves_cores_to_others(weights):
    runtime.load(weights, "cpu")
    assert torch.get_num_threads() <= max(1, len(os.sched_getaffinity(0)) // 2)


@no_gpu
def test_auto_takes_the_cpu_without_a_gpu(weights):
    assert runtime.load(weights).device == "cpu"


@no_gpu
def test_cuda_without_a_gpu_is_refused_by_name(weights):
    with pytest.raises(ValueError, match="'cuda' was asked for"):
        runtime.load(weights, "cuda")


@gpu
def test_a_gpu_gives_nearly_the_same_views(weights):
    there, here = (generate(runtime.load(weights, device)) for device in ("cuda", "cpu"))
    assert np.abs(there.astype(int) - here).max() <= 4


@pytest.mark.parametrize("wrong", [{"device": "tpu"}, {"runtime": "magic"}])
def test_what_is_not_there_is_named(weights, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong.values()))):
        runtime.load(weights, **wrong)
