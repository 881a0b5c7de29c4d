"""Signals and transitions during an inference of many minutes and during waits for TF."""

import signal

import numpy as np
import pytest
from lifecycle_msgs.srv import GetState

from tiny_nvs_ros import geometry

NVS = "tiny_nvs_ros.node"
CAMERA = geometry.look_at([1.2, -0.9, 0.8], [0.0, 0.0, 0.0])
AT_ONCE = 30  # s: an inference takes many minutes here, a denoising step a second on a busy machine


@pytest.fixture
def nvs(start, robot, weights, picture):
    process = start(NVS, {"weights": weights, "samples": 1, "steps": 1, "views.orbit.count": 1})
    robot.imagine(picture, CAMERA)
    yield process
    process.kill()


@pytest.fixture
def keep_busy(nvs, robot, picture):
    """keep_busy() starts an inference of 64 x 64 samples with 1000 steps each."""

    def keep_busy() -> None:
        assert not robot.set_parameters("/nvs", steps=1000, samples=64, views__orbit__count=64)
        robot.views.clear()
        before = nvs.cpu_time
        robot.spin_until(
            lambda: nvs.cpu_time > before + 2, again=lambda: robot.see(picture, CAMERA)
        )

    return keep_busy


def test_ctrl_c_ends_the_node_during_an_inference(nvs, keep_busy, robot):
    keep_busy()
    assert nvs.end(signal.SIGINT, seconds=AT_ONCE) == 0, nvs.output
    assert "Traceback" not in nvs.output
    assert not robot.views


def test_transitions_are_made_during_an_inference(nvs, keep_busy, robot):
    def change_state(*names: str) -> str:
        for name in names:
            assert robot.change_state(name, seconds=AT_ONCE)
        request = GetState.Request()
        return robot.call(GetState, "/nvs/get_state", request).current_state.label

    keep_busy()
    answer = robot.ask_view(CAMERA, samples=64)
    assert change_state("DEACTIVATE", "CLEANUP") == "unconfigured"
    robot.spin_until(answer.done)
    assert not answer.result().success and answer.result().message
    assert not robot.set_parameters("/nvs", samples=1, views__orbit__count=1)
    assert change_state("CONFIGURE", "ACTIVATE") == "active"
    keep_busy()
    assert change_state("ACTIVE_SHUTDOWN") == "finalized"
    assert nvs.end(seconds=AT_ONCE) == 0, nvs.output
    assert "Traceback" not in nvs.output
    assert not robot.views


def test_sigterm_ends_the_node_while_images_and_requests_wait_for_tf(nvs, robot, picture):
    assert not robot.set_parameters("/nvs", tf_timeout=60.0)
    for _ in range(5):
        robot.show(picture, robot.now(), frame="unknown")
        robot.ask_view(np.eye(4), "unknown")
    robot.imagine(picture, CAMERA)
    assert nvs.end(signal.SIGTERM, seconds=AT_ONCE) == 0, nvs.output
    assert "Traceback" not in nvs.output
    assert "Exception ignored" not in nvs.output
