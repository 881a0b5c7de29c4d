"""Configure refuses invalid weights and devices; cleanup releases everything."""

import json
import os
import pickle
import re
import shutil

import pytest
import torch
from lifecycle_msgs.srv import GetState
from safetensors.torch import load_file, save_file

from tiny_nvs_ros import geometry

INVALID_CONFIG = "config.json is not a model's configuration"
CAMERA = geometry.look_at([1.2, -0.9, 0.8], [0.0, 0.0, 0.0])


@pytest.fixture(scope="module")
def nvs(start, robot, weights):
    parameters = {"samples": 1, "steps": 1, "views.orbit.count": 1, "autostart": "false"}
    process = start("tiny_nvs_ros.node", {"weights": weights, **parameters})
    yield process
    assert process.end() == 0, process.output
    assert "Traceback" not in process.output


@pytest.fixture
def why_not(nvs, robot, weights):
    """why_not(parameter=value) is what the node logs when it is configured with that value."""

    def why_not(**parameters: str) -> str:
        before = len(nvs.output)
        assert not robot.set_parameters("/nvs", **parameters)
        assert not robot.change_state("CONFIGURE")
        state = robot.call(GetState, "/nvs/get_state", GetState.Request()).current_state
        assert state.label == "unconfigured"
        robot.spin_until(lambda: "cannot load the model: " in nvs.output[before:])
        return nvs.output[before:]

    yield why_not
    assert not robot.set_parameters("/nvs", weights=str(weights), device="cpu")
    assert robot.change_state("CONFIGURE")
    assert robot.change_state("CLEANUP")


def missing(folder):
    (folder / "model.safetensors").unlink()


def truncated(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def of_another_model(folder):
    file = folder / "model.safetensors"
    save_file({**load_file(file), "denoiser.conv_in.weight": torch.zeros(16, 4, 3, 3)}, file)


def of_another_architecture(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architecture": "huge"}))


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def pickled(folder):
    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb(folder / "exploded")))


def saved_by_torch(folder):
    torch.save({"weight": torch.zeros(3)}, folder / "model.safetensors")


@pytest.mark.parametrize(
    "spoil, reason",
    [
        (missing, "model.safetensors is missing"),
        (truncated, "model.safetensors is not a whole safetensors file"),
        (of_another_model, "model.safetensors does not fit the model of config.json"),
        (
            of_another_architecture,
            f"{INVALID_CONFIG}: architecture is 'huge'",
        ),
        (pickled, "model.safetensors is not a whole safetensors file"),
        (saved_by_torch, "model.safetensors is not a whole safetensors file"),
    ],
)
def test_invalid_weights_are_refused_by_file_name(why_not, weights, tmp_path, spoil, reason):
    folder = tmp_path / "weights"
    shutil.copytree(weights, folder)
    spoil(folder)
    assert f"{folder}/{reason}" in why_not(weights=str(folder))
    assert not (folder / "exploded").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    "device, reason",
    [
        ("cuda", "device 'cuda' was asked for, but .* no (NVIDIA|CUDA) GPU"),
        ("cuda:3", "device 'cuda:3' was asked for"),
        ("npu", "no device 'npu'; there is auto, cpu, cuda"),
    ],
)
def test_missing_device_is_refused_by_name(why_not, device, reason):
    assert re.search(reason, why_not(device=device))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_device_auto_without_a_gpu_logs_that_it_uses_the_cpu(nvs, robot):
    before = len(nvs.output)
    assert not robot.set_parameters("/nvs", device="auto")
    assert robot.change_state("CONFIGURE")
    robot.spin_until(lambda: "configured: " in nvs.output[before:])
    assert re.search(r"on cpu \(auto: .* no (NVIDIA|CUDA) GPU\)", nvs.output[before:])
    assert robot.change_state("CLEANUP")


def test_depth_without_object_radius_is_warned_of(nvs, robot, weights):
    assert not robot.set_parameters("/nvs", weights="objects")
    assert robot.change_state("CONFIGURE") and robot.change_state("ACTIVATE")
    robot.spin_until(lambda: "depths and points are not to scale" in nvs.output)
    assert robot.change_state("DEACTIVATE") and robot.change_state("CLEANUP")
    assert not robot.set_parameters("/nvs", weights=str(weights))


def test_repeated_configure_and_cleanup_do_not_grow_memory_or_threads(nvs, robot, picture, capsys):
    """Memory and threads after 50 cycles are those after 5."""

    def cycle(imagine: bool) -> None:
        assert robot.change_state("CONFIGURE")
        assert robot.change_state("ACTIVATE")
        if imagine:
            robot.imagine(picture, CAMERA)
        assert robot.change_state("DEACTIVATE")
        assert robot.change_state("CLEANUP")

    for _ in range(5):
        cycle(imagine=True)
    memory, threads = nvs.memory, nvs.threads
    for number in range(50):
        cycle(imagine=number % 10 == 0)
    with capsys.disabled():
        print(f"\n{memory:.1f} to {nvs.memory:.1f} MB, {threads} to {nvs.threads} threads")
    assert nvs.threads <= threads
    assert nvs.memory < memory + 10
