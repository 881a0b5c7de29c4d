"""Advice for transforms that are missing, by what was received on /tf and /tf_static."""

from types import SimpleNamespace

import pytest
from geometry_msgs.msg import TransformStamped
from rclpy.clock import ClockType
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.time import Time

from tiny_nvs_ros.node.tf_hints import TF_TYPE, TransformHistory

TIMEOUT = 0.5


def at(seconds: float) -> Time:
    return Time(nanoseconds=round(seconds * 1e9), clock_type=ClockType.ROS_TIME)


@pytest.fixture
def graph():
    """A ROS graph: topics with their types, and the QoS of TF's publishers."""
    return SimpleNamespace(topics=[("/tf", [TF_TYPE])], publishers={"/tf": [], "/tf_static": []})


@pytest.fixture
def clock():
    return SimpleNamespace(now=0.0)


@pytest.fixture
def history(graph, clock):
    node = SimpleNamespace(
        resolve_topic_name=lambda name: name,
        get_topic_names_and_types=lambda: graph.topics,
        get_publishers_info_by_topic=lambda name: [
            SimpleNamespace(qos_profile=qos) for qos in graph.publishers[name]
        ],
    )
    return TransformHistory(node, lambda: clock.now)


@pytest.fixture
def send(history):
    """send(child, seconds, parent, static) records a transform."""

    def send(child: str, seconds: float, parent: str = "world", static: bool = False) -> None:
        transform = TransformStamped(child_frame_id=child)
        transform.header.frame_id = parent
        transform.header.stamp = at(seconds).to_msg()
        history.record(transform, static)

    return send


@pytest.fixture
def hint(history):
    return lambda seconds, target="object", source="camera": history.hint(
        target, source, at(seconds), TIMEOUT
    )


def test_object_sent_once_on_tf_is_told_to_use_tf_static(send, hint):
    send("object", 10.0)
    for i in range(5):
        send("camera", 10.0 + i)
    assert hint(14.0) == (
        "'object' was sent only once, on /tf: publish it on /tf_static if it does not move, else "
        "at least every 0.5 s (tf_timeout)"
    )


def test_camera_sent_once_on_tf_is_told_too(send, hint):
    send("camera", 10.0)
    send("object", 1.0, static=True)
    assert hint(14.0).startswith("'camera' was sent only once, on /tf")


def test_parent_of_the_camera_sent_once_on_tf_is_told(send, hint):
    send("object", 1.0, static=True)
    send("camera", 1.0, parent="arm", static=True)
    send("arm", 10.0)
    assert hint(14.0).startswith("'arm' was sent only once, on /tf")


def test_latest_transform_of_an_object_sent_once_is_told(send, hint):
    send("object", 10.0)
    send("camera", 30.0)
    assert hint(0.0).startswith("'object' was sent only once, on /tf")


def test_transform_sent_again_with_the_same_stamp_is_told(send, hint):
    for i in range(5):
        send("camera", 10.0 + i)
        send("object", 0.0)
    assert hint(14.0).startswith("'object' is sent on /tf with a stamp that never changes")


def test_transform_with_a_negative_stamp_is_recorded(history, send, hint):
    send("camera", 10.0)
    before = TransformStamped(child_frame_id="object")
    before.header.frame_id, before.header.stamp.sec = "world", -5
    history.record(before, static=False)
    assert hint(0.0).startswith("'object' was sent only once, on /tf")


def test_transform_that_stopped_is_told(send, hint, clock):
    for i in range(5):
        send("object", 10.0 + i)
    clock.now = 30.0
    send("camera", 40.0)
    assert hint(40.0) == "'object' is no longer sent on /tf"


def test_stamps_of_different_clocks_are_told(send, hint):
    send("object", 0.0, static=True)
    for i in range(5):
        send("camera", 10.0 + i)
    assert "stamped more than a minute apart" in hint(1.8e9)
    for i in range(5):
        send("camera", 1.8e9 + i)
    assert "stamped more than a minute apart" in hint(14.0)


def test_frames_that_move_and_come_late_have_no_advice(send, hint):
    for i in range(5):
        send("object", 10.0 + i)
        send("camera", 10.0 + i)
    assert hint(14.1) == ""


def test_static_frames_have_no_advice(send, hint):
    send("object", 1.0, static=True)
    send("camera", 1.0, static=True)
    assert hint(14.0) == ""


def test_unknown_frame_is_compared_with_the_known_ones(send, hint):
    send("robot1/camera", 1.0, static=True)
    send("Object", 1.0, static=True)
    assert hint(1.0) == (
        "there is no frame 'object', but 'Object'; there is no frame 'camera', but 'robot1/camera'"
    )


def test_tf_in_a_namespace_is_told_with_the_remedy(graph, hint):
    graph.topics += [("/robot1/tf", [TF_TYPE]), ("/robot1/tf_static", [TF_TYPE])]
    assert hint(1.0) == (
        "transforms are published on /robot1/tf: start the node with -r /tf:=/robot1/tf "
        "-r /tf_static:=/robot1/tf_static (nvs.launch.py: tf_namespace:=/robot1)"
    )


def test_topic_of_another_type_named_tf_is_not_told(graph, hint):
    graph.topics += [("/robot1/tf", ["std_msgs/msg/String"])]
    assert hint(1.0) == ""


def test_best_effort_publisher_of_tf_is_told(graph, hint):
    qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    graph.publishers["/tf"] = [QoSProfile(depth=1), qos]
    assert hint(1.0) == "a publisher of /tf is best effort, so ignored: make it reliable"


def test_volatile_publisher_of_tf_static_is_told(graph, hint):
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    graph.publishers["/tf_static"] = [latched, QoSProfile(depth=1)]
    assert hint(1.0) == (
        "a publisher of /tf_static is volatile, so ignored: make it transient_local"
    )


def test_two_trees_are_searched_for_other_tf_topics(graph, send, hint):
    send("object", 1.0, parent="map", static=True)
    send("camera", 1.0, parent="base", static=True)
    assert hint(1.0) == ""
    graph.topics += [("/robot1/tf", [TF_TYPE])]
    assert "transforms are published on /robot1/tf" in hint(1.0)


def test_moving_frames_are_forgotten_when_time_jumps_back(history, send, hint):
    send("object", 10.0, static=True)
    send("camera", 10.0)
    history.clear()
    send("camera", 1.0)
    send("camera", 2.0)
    assert hint(2.1) == ""


def test_loop_of_parents_does_not_hang(send, hint):
    send("object", 1.0, parent="camera", static=True)
    send("camera", 1.0, parent="object", static=True)
    assert hint(1.0) == ""
