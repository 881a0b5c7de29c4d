import os
import weakref

import numpy as np
import pytest
import torch
from rendering import render_relative

from tiny_nvs_ros import runtime
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.base import LatentModel
from tiny_nvs_ros.model.request import MAX_VIEWS_AT_ONCE

no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    NovelViewModel.from_preset("paper").save_pretrained(folder)
    return folder


IMAGE = np.zeros((32, 32, 3), np.uint8)


def generate(renderer):
    return render_relative(renderer, IMAGE, np.eye(4)[None], samples=2, seed=0, steps=2).rgb


def test_it_renders_what_the_model_does(weights):
    renderer = runtime.load(weights, "cpu")
    renderer.warm_up(2)
    assert (renderer.name, renderer.device, renderer.config.size) == ("eager", "cpu", 32)
    np.testing.assert_array_equal(
        generate(renderer), generate(NovelViewModel.from_pretrained(weights))
    )


def test_what_python_lacks_is_named_with_what_would_do(weights, monkeypatch):
    monkeypatch.setattr(runtime.loader, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"^torch and safetensors not found by /.*onnxruntime"):
        runtime.load(weights, "cpu")


def test_it_leaves_cores_to_others(weights):
    runtime.load(weights, "cpu")
    assert torch.get_num_threads() <= max(1, len(os.sched_getaffinity(0)) // 2)


class Enough(Exception):
    pass


def test_a_generation_can_be_ended_between_steps(weights):
    renderer = runtime.load(weights, "cpu")
    steps = []

    def on_step():
        steps.append(None)
        if len(steps) == 3:
            raise Enough

    with pytest.raises(Enough):
        render_relative(renderer, IMAGE, np.eye(4)[None], steps=1000, on_step=on_step)
    assert len(steps) == 3


def test_a_generation_of_several_batches_can_be_ended_in_each(weights):
    renderer, steps = runtime.load(weights, "cpu"), []
    poses = np.tile(np.eye(4), (MAX_VIEWS_AT_ONCE + 1, 1, 1))
    views = render_relative(renderer, IMAGE, poses, steps=2, on_step=lambda: steps.append(None))
    assert len(steps) == 4
    assert views.rgb.shape == (MAX_VIEWS_AT_ONCE + 1, 1, 32, 32, 3)


def test_the_warm_up_is_of_one_batch(weights, monkeypatch):
    renderer, asked = runtime.load(weights, "cpu"), []
    monkeypatch.setattr(
        LatentModel,
        "render",
        lambda _, request, *options: asked.append(request.noise.shape[:2]),
    )
    renderer.warm_up(views=1000, samples=64)
    assert asked == [(MAX_VIEWS_AT_ONCE // 64, 64)]


@pytest.mark.parametrize(
    "exhaust",
    [
        pytest.param(lambda: torch.empty(2**50), id="cpu"),
        pytest.param(lambda: raise_(torch.cuda.OutOfMemoryError("CUDA out of memory")), id="cuda"),
        pytest.param(lambda: np.empty(2**50), id="numpy"),
    ],
)
def test_want_of_memory_is_a_memory_error(weights, monkeypatch, exhaust):
    renderer = runtime.load(weights, "cpu")
    with monkeypatch.context() as patch:
        patch.setattr(renderer._model.denoiser, "forward", lambda *_: exhaust())
        with pytest.raises(MemoryError, match=r"memory|allocate"):
            generate(renderer)
    generate(renderer)


def raise_(error):
    raise error


def test_want_of_gpu_memory_empties_the_cache_once_the_failed_run_is_gone(weights, monkeypatch):
    renderer = runtime.load(weights, "cpu")
    renderer.device = "cuda"
    held, left = [], []

    def exhaust(z, t, context):
        held.append(weakref.ref(z))
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(renderer._model.denoiser, "forward", exhaust)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: left.append(held[0]()))
    with pytest.raises(MemoryError, match="cuda is out of memory"):
        generate(renderer)
    assert left == [None]


def test_other_errors_of_torch_pass(weights, monkeypatch):
    renderer = runtime.load(weights, "cpu")
    monkeypatch.setattr(
        renderer._model.denoiser, "forward", lambda *_: torch.ones(2) @ torch.ones(3)
    )
    with pytest.raises(RuntimeError, match="size"):
        generate(renderer)


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


def test_a_gpu_that_is_not_there_is_refused_by_number(weights, monkeypatch):
    monkeypatch.setattr(runtime.loader, "gpu_count", lambda: 1)
    with pytest.raises(ValueError, match=r"'cuda:1' was asked for, but .* 1 CUDA GPU"):
        runtime.load(weights, "cuda:1")


@pytest.mark.parametrize(
    "wrong",
    [{"device": "tpu"}, {"device": "cuda:x"}, {"device": "cpu:1"}, {"runtime": "magic"}],
    ids=str,
)
def test_what_is_not_there_is_named(weights, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong.values()))):
        runtime.load(weights, **wrong)
