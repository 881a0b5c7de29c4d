"""The node with a flow model by ONNX Runtime: object_heading and steps."""

import numpy as np
import pytest
from rendering import render_relative

from tiny_nvs_ros import geometry, runtime
from tiny_nvs_ros.decode import rgb_from_raw

CAMERA = geometry.look_at([0.9, -0.7, 0.65], [0.0, 0.0, 0.0])
SAMPLES = 2


@pytest.fixture(scope="module")
def nvs(start, robot, flow):
    parameters = {"weights": flow, "runtime": "onnx", "samples": SAMPLES, "views.orbit.count": 2}
    process = start("tiny_nvs_ros.node", parameters)
    yield process
    assert process.end() == 0, process.output
    assert "Traceback" not in process.output, process.output


@pytest.mark.parametrize("known", [True, False])
def test_heading_is_used_only_if_it_is_known(nvs, robot, flow, picture, known):
    heading = "known" if known else "unknown"
    assert not robot.set_parameters("/nvs", object_heading=heading)
    views = robot.imagine(picture, CAMERA)
    seen = np.stack([rgb_from_raw(image) for image in views.images])

    renderer = runtime.load(flow, "cpu", "onnx")
    cameras = np.stack([CAMERA, *geometry.orbit(2, [0.5236], np.linalg.norm(CAMERA[:3, 3]))])
    cameras[:, :3, 3] *= geometry.SRN_CAMERA.distance / np.linalg.norm(
        CAMERA[:3, 3]
    )  # in model units
    poses = geometry.relative_pose(cameras[0], cameras[1:])

    def off(known: bool) -> float:
        mean = render_relative(
            renderer,
            picture,
            poses,
            samples=SAMPLES,
            seed=0,
            source_pose=cameras[0],
            heading_known=known,
        ).mean
        return np.abs(seen - mean * 255).max()

    assert off(known) < 1.5 < off(not known)


def test_steps_that_the_graph_does_not_support_are_refused(nvs, robot, picture):
    refusal = robot.set_parameters("/nvs", steps=4)
    assert "steps is 4, but the graph of the runtime onnx takes 1" in refusal
    assert not robot.set_parameters("/nvs", steps=1)
    assert robot.imagine(picture, CAMERA)


def test_steps_that_the_graph_does_not_support_end_the_start(start, robot, flow):
    process = start("tiny_nvs_ros.node", {"weights": flow, "runtime": "onnx", "steps": 4})
    assert process.popen.wait(timeout=60) == 1
    assert "cannot load the model: steps is 4, but the graph" in process.output
