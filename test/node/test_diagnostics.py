"""Levels, messages and values on /diagnostics."""

import hashlib
from types import SimpleNamespace

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.lifecycle import LifecycleNode
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock

from tiny_nvs_ros.node.diagnostics import HARDWARE_ID, Diagnostics, weights_id
from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.qos import Topics

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
IMAGE = "image on /image"
MODEL = {"weights": "cars 0123", "device": "cpu", "runtime": "eager"}


@pytest.fixture
def clock():
    return SimpleNamespace(now=1000.0)


@pytest.fixture
def node(ros_node):
    sim_time = Parameter("use_sim_time", value=True)  # and nobody publishes /clock
    node = LifecycleNode("nvs", namespace="robot", parameter_overrides=[sim_time])
    yield node
    node.destroy_node()


@pytest.fixture
def monitor(node, clock):
    return Monitor(node, lambda: clock.now)


@pytest.fixture
def idle():
    return []  # its last word says why


@pytest.fixture
def diagnostics(node, monitor, idle):
    return Diagnostics(
        node, monitor, Topics(node, monitor), lambda: (idle or [""])[-1], lambda: [2.5, 0.1]
    )


@pytest.fixture
def active(node, diagnostics):
    """The diagnostics of an active node."""
    node.trigger_configure()
    diagnostics.model = MODEL
    node.trigger_activate()
    return diagnostics


def told(diagnostics):
    """Return level and message of the status, and its values."""
    status = diagnostics.status()
    return (status.level, status.message), {pair.key: pair.value for pair in status.values}


def test_status_is_published_while_sim_time_is_paused(node, diagnostics, ros_node):
    got = []
    ros_node.create_subscription(DiagnosticArray, "/diagnostics", got.append, 10)
    executor = rclpy.executors.SingleThreadedExecutor()
    for each in (node, ros_node):
        executor.add_node(each)
    for _ in range(600):
        executor.spin_once(timeout_sec=0.1)
        if len(got) >= 2:
            break
    executor.shutdown()
    (status,) = got[1].status
    assert status.name == "/robot/nvs: novel views"
    assert status.hardware_id == HARDWARE_ID
    assert (status.level, status.message) == (OK, "unconfigured")


def test_status_follows_the_lifecycle(node, diagnostics):
    node.trigger_configure()
    diagnostics.model = MODEL
    for trigger, message in (
        (lambda: None, "inactive"),
        (node.trigger_activate, "active"),
        (node.trigger_deactivate, "inactive"),
    ):
        trigger()
        summary, values = told(diagnostics)
        assert summary == (OK, message)
        assert values["state"] == message
        assert {key: values[key] for key in MODEL} == MODEL
    node.trigger_cleanup()
    assert told(diagnostics)[1]["device"] == "none"
    node.trigger_shutdown()
    assert told(diagnostics)[0] == (OK, "finalized")


def test_failed_transition_is_an_error_until_it_succeeds(node, diagnostics):
    diagnostics.fault = "cannot load the model"
    assert told(diagnostics)[0] == (ERROR, "unconfigured: cannot load the model")
    node.trigger_configure()
    assert told(diagnostics)[0] == (OK, "inactive")


def test_missing_input_of_an_inactive_node_is_ok(node, diagnostics, monitor):
    node.trigger_configure()
    monitor.report_missing("matching QoS", "no matching QoS")
    summary, values = told(diagnostics)
    assert summary == (OK, "inactive")
    assert values["awaited"] == "matching QoS"


def test_missing_input_of_an_active_node_is_a_warning(active, monitor):
    monitor.expect_stream(IMAGE)
    monitor.report_missing("transform object <- camera", "no transform object <- camera: unknown")
    summary, values = told(active)
    assert summary == (WARN, f"no {IMAGE} yet; no transform object <- camera: unknown")
    assert values["awaited"] == f"{IMAGE}, transform object <- camera"
    monitor.received(IMAGE)
    monitor.received("transform object <- camera")
    assert told(active)[0] == (OK, "active")


def test_stopped_stream_is_found_by_the_timer(active, monitor, clock, node):
    monitor.expect_stream(IMAGE)
    monitor.received(IMAGE)
    clock.now += 6
    executor = rclpy.executors.SingleThreadedExecutor()
    executor.add_node(node)
    for _ in range(600):
        executor.spin_once(timeout_sec=0.1)
        if monitor.missing:
            break
    executor.shutdown()
    assert told(active)[0] == (WARN, f"no {IMAGE} for 5 s")


def test_error_expires_after_some_seconds(active, monitor, clock):
    monitor.dropped("error")
    monitor.error("image", "Traceback (most recent call last):\nRuntimeError: out of memory")
    monitor.report_missing(IMAGE, "no image")
    summary, values = told(active)
    assert summary == (ERROR, "RuntimeError: out of memory")
    assert values["dropped, error"] == "1"
    clock.now += 11
    monitor.received(IMAGE)
    assert told(active)[0] == (OK, "active")


def test_image_dropped_with_a_reason_is_a_warning(active, monitor):
    monitor.dropped("old", "image is 5 s old")
    assert told(active)[0] == (WARN, "image dropped, old: image is 5 s old")


def test_idle_node_is_ok(active, monitor, idle):
    idle.append("paused")
    summary, values = told(active)
    assert summary == (OK, "active, paused")
    assert values["state"] == "active, paused"
    monitor.expect_stream(IMAGE)  # but a request would need one
    assert told(active)[0] == (WARN, f"no {IMAGE} yet")


def test_values_hold_rate_latencies_age_and_counts(active, monitor, clock):
    for i in range(100):
        monitor.published(latency=0.001 * i, age=0.25)
    for kind in ("old", "newer image", "newer image"):
        monitor.dropped(kind)
    _, values = told(active)
    assert values["rate (Hz)"] == "10.00"
    latencies = [float(values[f"latency p{percent} (ms)"]) for percent in (50, 95, 99)]
    assert latencies == pytest.approx([49.5, 94.0, 98.0], abs=0.1)
    assert values["age (ms)"] == "250.0"
    assert values["published"] == "100"
    assert (values["dropped, newer image"], values["dropped, old"]) == ("2", "1")


def test_before_the_first_image_the_values_are_none(active):
    _, values = told(active)
    assert values["rate (Hz)"] == "0.00"
    assert values["latency p50 (ms)"] == values["age (ms)"] == "none"


def test_weights_are_identified_by_name_and_hash(tmp_path):
    folder = tmp_path / "cars"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    assert weights_id(folder) == f"cars {hashlib.sha256(b'weights').hexdigest()[:12]}"


def test_clock_that_does_not_run_is_reported_until_it_does(active, node, ros_node):
    got = []
    ros_node.create_subscription(DiagnosticArray, "/diagnostics", got.append, 10)
    clock = ros_node.create_publisher(Clock, "/clock", 10)
    executor = rclpy.executors.SingleThreadedExecutor()
    for each in (node, ros_node):
        executor.add_node(each)

    def wait(condition):
        for _ in range(200):
            if got and condition(got[-1].status[0].message):
                return
            executor.spin_once(timeout_sec=0.1)
        raise AssertionError(got[-1].status[0].message)

    wait(lambda message: "use_sim_time is true, but no time has come on /clock" in message)
    clock.publish(Clock(clock=rclpy.time.Time(seconds=5).to_msg()))
    wait(lambda message: "/clock" not in message)
    executor.shutdown()
