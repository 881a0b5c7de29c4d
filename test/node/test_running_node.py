"""The running nvs node: /diagnostics, markers, QoS by parameters."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseArray
from std_srvs.srv import SetBool
from visualization_msgs.msg import MarkerArray

from tiny_nvs_ros import geometry

NVS = "tiny_nvs_ros.node"
CAMERA = geometry.look_at([1.2, -0.9, 0.8], np.zeros(3))  # T_object_camera


@pytest.fixture(scope="module")
def nvs(start, robot, weights):
    process = start(NVS, {"weights": weights, "steps": 2, "views.orbit.count": 3})
    yield process
    assert process.end() == 0, process.output
    assert "Traceback" not in process.output, process.output


@pytest.fixture
def told(robot):
    """told(condition) is the first status that meets a condition."""
    statuses = []
    subscription = robot.node.create_subscription(
        DiagnosticArray, "/diagnostics", lambda message: statuses.extend(message.status), 10
    )

    def told(condition, again=lambda: None):
        statuses.clear()
        robot.spin_until(lambda: any(map(condition, statuses)), again=again)
        return next(status for status in statuses if condition(status))

    yield told
    robot.node.destroy_subscription(subscription)


@pytest.fixture
def picture(picture):
    """With a white margin, so that nothing is warned of."""
    return np.pad(picture[14:-14, 14:-14], ((14, 14), (14, 14), (0, 0)), constant_values=255)


def test_diagnostics_show_missing_images_and_then_numbers(nvs, robot, told, picture, weights):
    status = told(lambda s: s.level == DiagnosticStatus.WARN)
    assert status.name == "/nvs: novel views"
    assert status.message == "no image on /image yet"
    robot.imagine(picture, CAMERA)
    status = told(
        lambda s: s.message == "active" and s.values[5].value != "0.00",
        again=lambda: robot.imagine(picture, CAMERA),
    )
    values = {pair.key: pair.value for pair in status.values}
    assert values["weights"].startswith(weights.name)
    assert (values["device"], values["runtime"]) == ("cpu", "eager")
    assert 0 < float(values["latency p50 (ms)"]) <= float(values["latency p99 (ms)"])
    assert 0 < float(values["age (ms)"]) < 60000
    assert int(values["published"]) >= 1


def test_end_of_the_images_is_reported(nvs, robot, told, picture):
    robot.imagine(picture, CAMERA)
    told(lambda s: s.message.startswith("no image on /image for "))
    robot.spin_until(lambda: "no image on /image for " in nvs.output)
    robot.imagine(picture, CAMERA)
    told(lambda s: s.level == DiagnosticStatus.OK, again=lambda: robot.see(picture, CAMERA))


def test_paused_node_is_ok(nvs, robot, told, picture):
    robot.call(SetBool, "/nvs/enable", SetBool.Request(data=False))
    try:
        told(lambda s: s.message == "active, paused", again=lambda: robot.see(picture, CAMERA))
    finally:
        robot.call(SetBool, "/nvs/enable", SetBool.Request(data=True))


def test_cameras_are_published_as_markers_and_poses(nvs, robot, picture):
    got = {}
    for type_, name in ((MarkerArray, "/nvs/cameras"), (PoseArray, "/nvs/camera_poses")):
        robot.node.create_subscription(type_, name, lambda m, t=type_: got.update({t: m}), 1)
    robot.spin_until(lambda: len(got) == 2, again=lambda: robot.imagine(picture, CAMERA))
    assert len(got[PoseArray].poses) == 3
    assert len(got[MarkerArray].markers) == 4


def test_invalid_qos_ends_the_start(start, weights):
    name = "qos_overrides./image.subscription.reliability"
    process = start(NVS, {"weights": weights, name: "very"})
    assert process.popen.wait(timeout=60) == 1
    assert "cannot subscribe: qos_overrides./image: " in process.output
    assert "Traceback" not in process.output


def test_invalid_qos_of_a_later_subscription_is_an_error_until_it_is_undone(
    start, robot, weights, told
):
    names = {"__node": "later"}
    qos = {"qos_overrides./image/compressed.subscription.reliability": "very"}
    process = start(NVS, {"weights": weights} | qos, names)
    robot.spin_until(lambda: "active" in process.output)
    assert robot.set_parameters("/later", image_transport="compressed") == ""
    status = told(lambda s: s.name.startswith("/later") and s.level == DiagnosticStatus.ERROR)
    assert "cannot subscribe: qos_overrides./image/compressed: " in status.message
    assert robot.set_parameters("/later", image_transport="raw") == ""
    told(lambda s: s.name.startswith("/later") and s.level == DiagnosticStatus.WARN)
    assert process.end() == 0
    assert "Traceback" not in process.output


def test_qos_mismatch_is_reported_with_the_remedy(start, robot, weights, told, picture):
    name = "qos_overrides./image.subscription.durability"
    process = start(NVS, {"weights": weights, name: "transient_local"}, {"__node": "latched"})
    robot.spin_until(lambda: "image.subscription.durability:=volatile" in process.output)
    told(lambda s: s.name == "/latched: novel views" and s.level == DiagnosticStatus.WARN)
    assert process.end() == 0
