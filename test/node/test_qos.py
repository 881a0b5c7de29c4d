"""QoS over DDS: parameters override them, and a mismatch is reported with its remedy."""

import time

import pytest
import rclpy
from rclpy.exceptions import ParameterException
from rclpy.lifecycle import LifecycleNode
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.qos import Topics, advice

BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
IMAGE, VIEWS = "matching QoS on /image", "matching QoS on /nvs/views"


@pytest.fixture
def make(ros_node):
    """make(qos_overrides...) makes a node `nvs` with its Topics and Monitor."""
    executor = rclpy.executors.SingleThreadedExecutor()
    executor.add_node(ros_node)
    nodes = []

    def make(**overrides: object):
        parameters = [
            Parameter(f"qos_overrides.{name}", value=value) for name, value in overrides.items()
        ]
        node = LifecycleNode("nvs", parameter_overrides=parameters)
        executor.add_node(node)
        nodes.append(node)
        monitor = Monitor(node)
        return node, Topics(node, monitor), monitor

    make.executor = executor
    yield make
    for node in nodes:
        node.destroy_node()
    executor.shutdown()


@pytest.fixture
def until(make):
    def until(condition, again=lambda: None):
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, "not so"
            again()
            make.executor.spin_once(timeout_sec=0.1)

    return until


def test_parameters_override_the_qos_of_a_subscription_each_time_it_is_made(make):
    node, topics, _ = make(**{"/image.subscription.reliability": "reliable"})
    for _ in range(3):
        subscription = topics.subscribe(String, "image", print, BEST_EFFORT)
        assert subscription.qos_profile.reliability == ReliabilityPolicy.RELIABLE
        topics.unsubscribe(subscription)
    assert BEST_EFFORT.reliability == ReliabilityPolicy.BEST_EFFORT
    assert node.get_parameter("qos_overrides./image.subscription.depth").value == 1


def test_parameters_override_the_qos_of_a_managed_publisher(make):
    _, topics, _ = make(
        **{"/nvs/views.publisher.depth": 7, "/nvs/views.publisher.durability": "transient_local"}
    )
    qos = topics.advertise(String, "~/views", 1).qos_profile
    assert (qos.depth, qos.durability) == (7, DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.mark.parametrize(
    "policy, value, reason",
    [
        ("reliability", "very", "qos_overrides./image: .*very"),
        ("depth", -1, "qos_overrides./image: "),
        ("depth", "x", "qos_overrides./image.subscription.depth"),
    ],
)
def test_invalid_qos_is_refused_by_name(make, policy, value, reason):
    _, topics, _ = make(**{f"/image.subscription.{policy}": value})
    with pytest.raises((ValueError, ParameterException), match=reason):
        topics.subscribe(String, "image", print, BEST_EFFORT)


def test_best_effort_publisher_of_a_reliable_subscription_is_reported(make, until, ros_node):
    _, topics, monitor = make(**{"/image.subscription.reliability": "reliable"})
    topics.subscribe(String, "image", print, BEST_EFFORT)
    publisher = ros_node.create_publisher(String, "image", BEST_EFFORT)
    until(lambda: IMAGE in monitor.missing)
    assert "qos_overrides./image.subscription.reliability:=best_effort" in monitor.missing[IMAGE]
    for _ in range(5):
        topics.check()
    assert IMAGE in monitor.missing  # for it still is there
    ros_node.destroy_publisher(publisher)
    until(lambda: IMAGE not in monitor.missing, again=topics.check)


def test_reported_remedy_makes_the_qos_match(make, until, ros_node):
    _, topics, monitor = make(**{"/image.subscription.reliability": "best_effort"})
    got = []
    topics.subscribe(String, "image", got.append, RELIABLE)
    publisher = ros_node.create_publisher(String, "image", BEST_EFFORT)
    until(lambda: got, again=lambda: publisher.publish(String(data="here")))
    assert not monitor.missing


def test_subscriber_that_requests_more_than_offered_is_reported(make, until, ros_node):
    _, topics, monitor = make()
    topics.advertise(String, "~/views", 1)
    subscription = ros_node.create_subscription(String, "/nvs/views", print, LATCHED)
    until(lambda: VIEWS in monitor.missing)
    remedy = "qos_overrides./nvs/views.publisher.durability:=transient_local"
    assert remedy in monitor.missing[VIEWS]
    for _ in range(5):
        topics.check()
    assert VIEWS in monitor.missing
    monitor.reset()  # as on deactivation; the publisher stays
    topics.check()
    assert VIEWS in monitor.missing
    ros_node.destroy_subscription(subscription)
    until(lambda: VIEWS not in monitor.missing, again=topics.check)


def test_mismatch_ends_with_its_subscription(make, until, ros_node):
    _, topics, monitor = make()
    subscription = topics.subscribe(String, "image", print, RELIABLE)
    ros_node.create_publisher(String, "image", BEST_EFFORT)
    until(lambda: IMAGE in monitor.missing)
    topics.unsubscribe(subscription)
    topics.check()
    assert not monitor.missing


def test_policy_without_an_override_names_the_other_side():
    assert advice("/views", "publisher", "deadline").endswith(
        "change the deadline of that subscriber"
    )


def test_topic_of_another_type_is_named(make, until):
    node, topics, _ = make()
    assert topics.type_hint("image", Image) == ""
    node.create_publisher(CompressedImage, "image", 1)
    until(lambda: topics.type_hint("image", Image))
    assert topics.type_hint("image", Image) == (
        "/image is published as sensor_msgs/msg/CompressedImage, not sensor_msgs/msg/Image: remap "
        "it, or set image_transport (image is then the name without /compressed)"
    )
    assert topics.type_hint("image", CompressedImage) == ""
    node.create_publisher(String, "mask", 1)
    until(lambda: topics.type_hint("mask", Image))
    assert topics.type_hint("mask", Image).endswith(
        "std_msgs/msg/String, not sensor_msgs/msg/Image: remap it"
    )
