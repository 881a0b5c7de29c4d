"""Messages that belong to images: by stamp, within a tolerance, and latched ones."""

import pytest
from rclpy.clock import ClockType
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.task import Future
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, Image

from tiny_nvs_ros.node.matched_topic import MatchedTopic
from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.qos import Topics
from tiny_nvs_ros.node.rejection import MissingInput, Rejected

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def at(seconds: float) -> Time:
    return Time(nanoseconds=round(seconds * 1e9), clock_type=ClockType.ROS_TIME)


def stamped(type_: type, seconds: float):
    message = type_()
    message.header.stamp = at(seconds).to_msg()
    return message


@pytest.fixture
def nvs(ros_node, spin_until):
    node = LifecycleNode("nvs")
    ros_node.executor.add_node(node)
    yield node
    ros_node.executor.remove_node(node)
    node.destroy_node()


@pytest.fixture
def subscribe(nvs):
    """subscribe(type, topic, exact) makes a MatchedTopic of the node `nvs`."""
    made = []

    def subscribe(type_: type, topic: str, exact: bool = False) -> MatchedTopic:
        monitor = Monitor(nvs)
        made.append(MatchedTopic(nvs, Topics(nvs, monitor), monitor, type_, topic, exact))
        return made[-1]

    yield subscribe
    for each in made:
        each.close()


@pytest.fixture
def match(ros_node):
    """match(topic, seconds, timeout, tolerance) is a task for a stamp (s), or why there is none."""

    async def outcome(topic: MatchedTopic, *args) -> float | str:
        try:
            message = await topic.match(*args)
        except Rejected as error:
            return str(error) or error.kind
        return Time.from_msg(message.header.stamp).nanoseconds * 1e-9

    def match(topic: MatchedTopic, seconds: float, timeout=60.0, tolerance=0.0) -> Future:
        return ros_node.executor.create_task(outcome, topic, at(seconds), timeout, tolerance)

    return match


@pytest.fixture
def send(ros_node, spin_until):
    """send(topic, message, qos) publishes a message once somebody subscribes."""

    def send(topic: str, *messages, qos=10) -> None:
        publisher = ros_node.create_publisher(type(messages[0]), topic, qos)
        spin_until(lambda: publisher.get_subscription_count() > 0)
        for message in messages:
            publisher.publish(message)

    return send


def test_camera_info_latched_before_the_node_starts_is_received(
    ros_node, subscribe, match, spin_until
):
    ros_node.create_publisher(CameraInfo, "camera_info", LATCHED).publish(stamped(CameraInfo, 1.0))
    spin_until(lambda: ros_node.count_publishers("camera_info") == 1)
    infos = subscribe(CameraInfo, "camera_info")
    results = []

    def found() -> bool:
        if not results or (results[-1].done() and not isinstance(results[-1].result(), float)):
            results.append(match(infos, 5.0, timeout=0.5))
        return results[-1].done() and isinstance(results[-1].result(), float)

    spin_until(found)
    assert results[-1].result() == 1.0


def test_camera_info_of_a_volatile_publisher_adds_no_second_subscription(
    ros_node, subscribe, match, send, spin_until
):
    infos = subscribe(CameraInfo, "camera_info")
    task = match(infos, 5.0)
    send("camera_info", stamped(CameraInfo, 4.0))
    spin_until(task.done)
    assert task.result() == 4.0
    assert ros_node.count_subscribers("camera_info") == 1


def test_missing_camera_info_is_named(subscribe, match, spin_until):
    task = match(subscribe(CameraInfo, "camera_info"), 5.0, timeout=0.01)
    spin_until(task.done)
    assert task.result() == "no camera_info on /camera_info yet"


def test_mask_with_another_stamp_is_not_used_and_its_distance_is_told(
    subscribe, match, send, spin_until
):
    masks = subscribe(Image, "mask", exact=True)
    task = match(masks, 10.0, timeout=2.0)
    send("mask", stamped(Image, 9.9), stamped(Image, 10.03))
    spin_until(task.done)
    assert task.result() == (
        "no mask on /mask with the stamp of the image: the nearest is 0.03 s later; copy the "
        "image's stamp to the mask, or raise mask_tolerance"
    )


def test_no_mask_at_all_is_told(subscribe, match, spin_until):
    task = match(subscribe(Image, "mask", exact=True), 10.0, timeout=0.01)
    spin_until(task.done)
    assert task.result() == (
        "no mask on /mask with the stamp of the image; no mask has arrived at all"
    )


@pytest.mark.parametrize(
    "mask, tolerance", [(10.0, 0.0), (10.0 + 4e-7, 0.0), (10.03, 0.05), (9.97, 0.05)]
)
def test_mask_within_the_tolerance_is_used(subscribe, match, send, spin_until, mask, tolerance):
    task = match(subscribe(Image, "mask", exact=True), 10.0, tolerance=tolerance)
    send("mask", stamped(Image, 9.0), stamped(Image, mask))
    spin_until(task.done)
    assert task.result() == pytest.approx(mask)


def test_nearest_mask_within_the_tolerance_is_used(subscribe, match, send, spin_until):
    masks = subscribe(Image, "mask", exact=True)
    first = match(masks, 10.04, tolerance=0.001)
    send("mask", stamped(Image, 9.97), stamped(Image, 10.01), stamped(Image, 10.04))
    spin_until(first.done)  # so all have arrived
    task = match(masks, 10.0, tolerance=0.05)
    spin_until(task.done)
    assert task.result() == pytest.approx(10.01)


def test_waits_end_when_the_topic_is_closed(subscribe, match, spin_until, nvs):
    infos = subscribe(CameraInfo, "camera_info")
    timers = len(list(nvs.timers))
    task = match(infos, 5.0)
    spin_until(lambda: len(list(nvs.timers)) > timers)
    infos.close()
    spin_until(task.done)
    assert task.result() == "newer image"
    assert len(list(nvs.timers)) == timers


def test_missing_input_says_the_hint_after_the_reason():
    error = MissingInput("no mask", "mask on /mask", "no mask on /mask", "publish one")
    assert (str(error), error.hint) == ("no mask on /mask; publish one", "publish one")


def test_camera_info_after_its_image_is_waited_for_if_the_images_before_had_theirs(
    ros_node, subscribe, match, spin_until
):
    """Else a region of interest that moves would be that of the image before."""
    infos = subscribe(CameraInfo, "camera_info")
    publisher = ros_node.create_publisher(CameraInfo, "camera_info", 10)
    spin_until(lambda: publisher.get_subscription_count() > 0)
    for seconds in (1.0, 2.0, 3.0):
        task = match(infos, seconds)
        spin_until(lambda: ros_node.executor.spin_once(timeout_sec=0.05) or True)
        publisher.publish(stamped(CameraInfo, seconds))
        spin_until(task.done)
        waited = task.result()
    assert waited == 3.0
    lost = match(infos, 4.0)
    publisher.publish(stamped(CameraInfo, 5.0))  # ends the wait for one that was lost
    spin_until(lost.done)
    assert lost.result() == 5.0
    at_once = match(infos, 6.0)
    spin_until(at_once.done, 5.0)
    assert at_once.result() == 5.0


def test_message_with_a_negative_stamp_is_another_images(subscribe, match, send, spin_until):
    masks = subscribe(Image, "mask", exact=True)
    task = match(masks, 5.0)
    wrong = Image()
    wrong.header.stamp.sec = -5
    send("mask", wrong, stamped(Image, 5.0))
    spin_until(task.done)
    assert task.result() == 5.0
