import json
import shutil
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from rendering import render_relative, rgb_of

pytest.importorskip("onnxruntime")

from tiny_nvs_ros import runtime
from tiny_nvs_ros.geometry import orbit, relative_pose
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.request import MAX_VIEWS_AT_ONCE
from tiny_nvs_ros.resources import find_weights

CAMERAS = orbit(5)
IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)


def generate(renderer, **changes):
    told = {"samples": 3, "seed": 1, "source_pose": CAMERAS[0], **changes}
    return rgb_of(renderer, IMAGE, relative_pose(CAMERAS[0], CAMERAS), **told)


@pytest.fixture
def copy(flow, tmp_path):
    return shutil.copytree(flow, tmp_path / "copy")


@pytest.mark.parametrize(
    "told", [{}, {"heading_known": False}, {"source_pose": None}, {"samples": 1}], ids=str
)
def test_it_renders_what_torch_does(flow, told):
    onnx, eager = (generate(runtime.load(flow, "cpu", name), **told) for name in ("onnx", "eager"))
    assert np.abs(onnx - eager).max() <= 2
    assert (onnx == generate(runtime.load(flow, "cpu", "onnx"), **told)).all()


@pytest.mark.parametrize("views", [1, 2, 5])
def test_threads_share_the_views_and_change_no_bit(flow, views):
    poses = relative_pose(CAMERAS[0], CAMERAS[:views])

    def images(threads):
        renderer = runtime.load(flow, "cpu", "onnx", threads)
        told = {"samples": 2, "seed": 1, "source_pose": CAMERAS[0]}
        return rgb_of(renderer, IMAGE, poses, **told)

    alone = images(1)
    assert all((images(threads) == alone).all() for threads in (2, 3))


def test_an_error_in_another_thread_is_not_lost(flow, monkeypatch):
    renderer = runtime.load(flow, "cpu", "onnx", 2)
    run = renderer._session.run

    def fails_elsewhere(*arguments):
        if threading.current_thread() is threading.main_thread():
            return run(*arguments)
        raise RuntimeError("bad allocation: Failed to allocate memory for requested buffer")

    monkeypatch.setattr(renderer, "_session", SimpleNamespace(run=fails_elsewhere))
    with pytest.raises(MemoryError, match="cpu is out of memory"):
        generate(renderer)


def test_auto_takes_it_for_a_flow_that_has_a_graph(flow, copy):
    assert runtime.load(flow, "cpu").name == "onnx"
    (copy / "model.onnx").unlink()
    assert runtime.load(copy, "cpu").name == "eager"


def test_large_requests_go_in_batches_and_can_be_ended_between_them(flow):
    renderer, batches = runtime.load(flow, "cpu", "onnx"), []
    poses = relative_pose(CAMERAS[0], CAMERAS[np.arange(MAX_VIEWS_AT_ONCE + 1) % 5])
    views = render_relative(
        renderer,
        IMAGE,
        poses,
        seed=0,
        source_pose=CAMERAS[0],
        on_step=lambda: batches.append(None),
    )
    assert views.rgb.shape == (MAX_VIEWS_AT_ONCE + 1, 1, 32, 32, 3) and len(batches) == 2
    renderer.warm_up(1000, 64)


def test_no_poses_give_no_views(flow):
    views = render_relative(
        runtime.load(flow, "cpu", "onnx"), IMAGE, np.zeros((0, 4, 4)), samples=2
    )
    assert views.rgb.shape == (0, 2, 32, 32, 3)


def test_torch_is_not_imported(flow):
    code = f"""
import sys
import numpy as np
from tiny_nvs_ros import runtime
from tiny_nvs_ros import pipeline
renderer = runtime.load({str(flow)!r}, "cpu")
renderer.warm_up(8, 4)
sys.exit("torch" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_graph_that_is_missing_is_named_with_the_remedy(copy):
    (copy / "model.onnx").unlink()
    with pytest.raises(FileNotFoundError, match=r"model\.onnx is missing; .*training\.export"):
        runtime.load(copy, "cpu", "onnx")


def test_a_graph_of_other_weights_is_refused(copy):
    model = NovelViewModel.from_pretrained(copy)
    model.denoiser.null_time_embed += 1
    model.save_pretrained(copy)
    with pytest.raises(
        ValueError, match=r"not exported from the weights beside it; .*training\.export"
    ):
        runtime.load(copy, "cpu", "onnx")


def test_a_graph_of_another_architecture_than_config_json_is_refused(copy):
    shutil.copy(find_weights("objects") / "config.json", copy)
    renderer = runtime.load(copy, "cpu", "onnx")
    with pytest.raises(ValueError, match=r"does not fit .*config\.json \(architecture multiview"):
        renderer.warm_up(2, 1, 1)


def test_a_graph_of_other_inputs_is_named_with_the_remedy(flow, monkeypatch):
    """As one that was exported before the inputs changed."""
    renderer = runtime.load(flow, "cpu", "onnx")
    now = renderer.config.module.inputs

    def before(request):
        return {**now(request), "image": now(request)["image"][..., :2]}

    monkeypatch.setattr(renderer.config.module, "inputs", before)
    with pytest.raises(ValueError, match=r"(?s)by another version: .* --weights .* writes it"):
        generate(renderer)


def test_git_lfs_pointer_instead_of_the_weights_is_named_with_the_remedy(copy):
    (copy / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ValueError, match=r"model\.safetensors is a git-lfs pointer.*git lfs pull"):
        runtime.load(copy, "cpu", "onnx")


@pytest.mark.parametrize("channels", ["16", 0, -1, 2.5, None])
def test_invalid_latent_channels_are_named_without_torch_too(copy, channels):
    config = json.loads((copy / "config.json").read_text())
    config["autoencoder"]["latent_channels"] = channels
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json is not a model's configuration: .*latent"):
        runtime.load(copy, "cpu", "onnx")


@pytest.mark.parametrize("content", [b"", b"not a graph"])
def test_a_file_that_is_no_graph_is_refused(copy, content):
    (copy / "model.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.onnx is not the graph of a model"):
        runtime.load(copy, "cpu", "onnx")


def test_other_numbers_of_steps_are_refused(flow):
    with pytest.raises(ValueError, match=r"steps is 4, but the graph .* takes 1"):
        generate(runtime.load(flow, "cpu", "onnx"), steps=4)


def test_it_is_for_the_cpu(flow, monkeypatch):
    monkeypatch.setattr(runtime.loader, "gpu_count", lambda: 1)
    with pytest.raises(ValueError, match="onnx is for the cpu, not 'cuda'"):
        runtime.load(flow, "cuda", "onnx")


def test_want_of_memory_is_a_memory_error(flow, monkeypatch):
    renderer = runtime.load(flow, "cpu", "onnx")

    def run(*_):
        raise RuntimeError("bad allocation: Failed to allocate memory for requested buffer")

    monkeypatch.setattr(renderer, "_session", SimpleNamespace(run=run))
    with pytest.raises(MemoryError, match="cpu is out of memory"):
        generate(renderer)
