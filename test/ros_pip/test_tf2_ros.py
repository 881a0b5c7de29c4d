"""The documented behaviour of tf2_ros, the stand-in or (where it is installed) the real one."""

import math
import os
import threading

import pytest
import rclpy
import tf2_ros
from geometry_msgs.msg import TransformStamped
from hypothesis import given
from hypothesis import strategies as st
from rclpy.duration import Duration
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rclpy.time import Time
from rosgraph_msgs.msg import Clock
from tf2_ros.buffer import Buffer
from tf2_ros.transform_listener import TransformListener

NOW = Time()  # zero stands for the latest


def at(seconds: float) -> Time:
    return Time(nanoseconds=round(seconds * 1e9))


def transform(
    parent: str,
    child: str,
    xyz: tuple[float, float, float] = (0.0, 0.0, 0.0),
    yaw: float = 0.0,
    time: float = 0.0,
) -> TransformStamped:
    message = TransformStamped()
    message.header.frame_id = parent
    message.header.stamp = at(time).to_msg()
    message.child_frame_id = child
    t, r = message.transform.translation, message.transform.rotation
    t.x, t.y, t.z = xyz
    r.z, r.w = math.sin(yaw / 2), math.cos(yaw / 2)
    return message


def xyz(message: TransformStamped) -> tuple[float, float, float]:
    t = message.transform.translation
    return t.x, t.y, t.z


def yaw(message: TransformStamped) -> float:
    r = message.transform.rotation
    assert r.x == pytest.approx(0.0) and r.y == pytest.approx(0.0)
    return math.remainder(2 * math.atan2(r.z, r.w), math.tau)


def seconds(message: TransformStamped) -> float:
    return Time.from_msg(message.header.stamp).nanoseconds * 1e-9


@pytest.fixture
def buffer() -> Buffer:
    return Buffer()


# Chaining ---------------------------------------------------------------------------------------


def test_static_frame_is_known_at_every_time(buffer):
    buffer.set_transform_static(transform("map", "camera", (1.0, 2.0, 3.0)), "test")
    for time in (NOW, at(5.0), at(1e6)):
        found = buffer.lookup_transform("map", "camera", time)
        assert xyz(found) == pytest.approx((1.0, 2.0, 3.0))
        assert (found.header.frame_id, found.child_frame_id) == ("map", "camera")
        assert seconds(found) == pytest.approx(time.nanoseconds * 1e-9)


def test_lookup_transforms_points_from_source_to_target(buffer):
    # The camera stands at x = 1 of the map and is turned left: the map's origin lies to its left.
    buffer.set_transform_static(transform("map", "camera", (1.0, 0.0, 0.0), math.pi / 2), "test")
    assert xyz(buffer.lookup_transform("camera", "map", NOW)) == pytest.approx((0.0, 1.0, 0.0))
    assert yaw(buffer.lookup_transform("camera", "map", NOW)) == pytest.approx(-math.pi / 2)


def test_frames_meet_at_a_common_ancestor(buffer):
    for message in (
        transform("world", "map", (100.0, 0.0, 0.0)),
        transform("map", "base", (1.0, 0.0, 0.0), math.pi / 2),
        transform("base", "camera", (1.0, 0.0, 0.0)),
        transform("map", "object", (1.0, 3.0, 0.0)),
    ):
        buffer.set_transform_static(message, "test")
    found = buffer.lookup_transform("camera", "object", NOW)
    assert xyz(found) == pytest.approx((2.0, 0.0, 0.0))
    assert yaw(found) == pytest.approx(-math.pi / 2)


coordinates = st.floats(-10.0, 10.0)
poses = st.tuples(coordinates, coordinates, coordinates, st.floats(-3.0, 3.0))


@given(poses, poses)
def test_transform_and_its_inverse_give_the_identity(one, two):
    buffer = Buffer()
    buffer.set_transform_static(transform("map", "one", one[:3], one[3]), "test")
    buffer.set_transform_static(transform("map", "two", two[:3], two[3]), "test")
    there = buffer.lookup_transform("one", "two", NOW)
    back = buffer.lookup_transform("two", "one", NOW)
    chained = Buffer()
    there.child_frame_id, back.header.frame_id, back.child_frame_id = "two", "two", "again"
    chained.set_transform_static(there, "test")
    chained.set_transform_static(back, "test")
    found = chained.lookup_transform("one", "again", NOW)
    assert xyz(found) == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)
    assert yaw(found) == pytest.approx(0.0, abs=1e-6)


def test_frame_in_itself_is_the_identity_even_if_unknown(buffer):
    assert xyz(buffer.lookup_transform("nowhere", "nowhere", NOW)) == (0.0, 0.0, 0.0)
    assert buffer.can_transform("nowhere", "nowhere", at(3.0))


# Time -------------------------------------------------------------------------------------------


def test_lookup_between_two_times_interpolates(buffer):
    buffer.set_transform(transform("map", "base", (0.0, 0.0, 0.0), 0.0, time=10.0), "test")
    buffer.set_transform(transform("map", "base", (4.0, 0.0, 2.0), 1.2, time=12.0), "test")
    found = buffer.lookup_transform("map", "base", at(10.5))
    assert xyz(found) == pytest.approx((1.0, 0.0, 0.5))
    assert yaw(found) == pytest.approx(0.3)
    assert seconds(found) == pytest.approx(10.5)


def test_rotations_are_interpolated_on_the_shorter_way(buffer):
    buffer.set_transform(transform("map", "base", yaw=3.0, time=10.0), "test")
    buffer.set_transform(transform("map", "base", yaw=math.tau - 3.0, time=11.0), "test")
    assert abs(yaw(buffer.lookup_transform("map", "base", at(10.5)))) == pytest.approx(math.pi)
    negated = transform("map", "base", yaw=math.tau - 3.0, time=11.0)
    negated.transform.rotation.z *= -1.0
    negated.transform.rotation.w *= -1.0
    other = Buffer()
    other.set_transform(transform("map", "base", yaw=3.0, time=10.0), "test")
    other.set_transform(negated, "test")
    assert abs(yaw(other.lookup_transform("map", "base", at(10.5)))) == pytest.approx(math.pi)


def test_order_of_arrival_does_not_matter(buffer):
    for time in (12.0, 10.0, 11.0):
        buffer.set_transform(transform("map", "base", (time, 0.0, 0.0), time=time), "test")
    assert xyz(buffer.lookup_transform("map", "base", at(10.25)))[0] == pytest.approx(10.25)
    assert xyz(buffer.lookup_transform("map", "base", at(11.75)))[0] == pytest.approx(11.75)
    assert xyz(buffer.lookup_transform("map", "base", NOW))[0] == pytest.approx(12.0)


def test_builtin_interfaces_times_are_taken_too(buffer):
    buffer.set_transform(transform("map", "base", (1.0, 0.0, 0.0), time=10.0), "test")
    assert xyz(buffer.lookup_transform("map", "base", at(10.0).to_msg())) == (1.0, 0.0, 0.0)
    with pytest.raises(TypeError):
        buffer.lookup_transform("map", "base", 10.0)


@pytest.mark.parametrize("time", [9.0, 13.0])
def test_lookup_outside_the_received_times_does_not_extrapolate(buffer, time):
    buffer.set_transform(transform("map", "base", time=10.0), "test")
    buffer.set_transform(transform("map", "base", time=12.0), "test")
    assert not buffer.can_transform("map", "base", at(time))
    with pytest.raises(tf2_ros.ExtrapolationException, match="past" if time < 10 else "future"):
        buffer.lookup_transform("map", "base", at(time))


def test_single_transform_is_known_at_its_time_only(buffer):
    buffer.set_transform(transform("map", "base", time=10.0), "test")
    assert buffer.can_transform("map", "base", at(10.0))
    with pytest.raises(tf2_ros.ExtrapolationException):
        buffer.lookup_transform("map", "base", at(10.1))


def test_latest_is_the_newest_time_common_to_the_chain(buffer):
    for time in (10.0, 11.0, 12.0):
        buffer.set_transform(transform("map", "base", (time, 0.0, 0.0), time=time), "test")
    for time in (9.0, 10.5):
        buffer.set_transform(transform("base", "arm", (0.0, time, 0.0), time=time), "test")
    buffer.set_transform_static(transform("arm", "camera"), "test")
    for target, source, sign in (("map", "camera", 1.0), ("camera", "map", -1.0)):
        found = buffer.lookup_transform(target, source, NOW)
        assert seconds(found) == pytest.approx(10.5)
        assert xyz(found) == pytest.approx((sign * 10.5, sign * 10.5, 0.0))


def test_latest_leaves_out_what_lies_above_the_meeting_point(buffer):
    buffer.set_transform(transform("world", "map", time=5.0), "test")
    buffer.set_transform(transform("map", "base", time=10.0), "test")
    for time in (9.0, 11.0):
        buffer.set_transform(transform("map", "object", time=time), "test")
    assert seconds(buffer.lookup_transform("base", "object", NOW)) == pytest.approx(10.0)


def test_cache_keeps_ten_seconds_or_the_given_time():
    for cache_time, reach in ((None, 10.0), (Duration(seconds=2), 2.0)):
        buffer = Buffer(cache_time=cache_time)
        for time in (100.0, 100.0 + reach / 2, 100.5 + reach, 101.0 + reach):
            buffer.set_transform(transform("map", "base", time=time), "test")
        assert not buffer.can_transform("map", "base", at(100.0))
        assert buffer.can_transform("map", "base", at(101.0 + reach / 2))
        buffer.set_transform(transform("map", "base", time=50.0), "test")  # too old to be heard
        assert not buffer.can_transform("map", "base", at(50.0))


def test_clear_forgets_moving_frames_but_not_static_ones(buffer):
    buffer.set_transform_static(transform("base", "camera", (1.0, 0.0, 0.0)), "test")
    buffer.set_transform(transform("map", "base", time=10.0), "test")
    buffer.clear()
    assert not buffer.can_transform("map", "base", NOW)
    assert not buffer.can_transform("map", "base", at(10.0))
    assert buffer.can_transform("base", "camera", NOW)
    buffer.set_transform(transform("map", "base", time=2.0), "test")  # an earlier time than before
    assert buffer.can_transform("map", "camera", at(2.0))


# What cannot be had -----------------------------------------------------------------------------


def test_unknown_frame_is_a_lookup_error(buffer):
    buffer.set_transform_static(transform("map", "base"), "test")
    for target, source in (("map", "nowhere"), ("nowhere", "map")):
        with pytest.raises(tf2_ros.LookupException, match="nowhere"):
            buffer.lookup_transform(target, source, NOW)
        assert not buffer.can_transform(target, source, NOW)


def test_frames_in_different_trees_are_a_connectivity_error(buffer):
    buffer.set_transform_static(transform("map", "base"), "test")
    buffer.set_transform(transform("world", "object", time=10.0), "test")
    for time in (NOW, at(10.0)):
        with pytest.raises(tf2_ros.ConnectivityException):
            buffer.lookup_transform("base", "object", time)
    possible, reason = buffer.can_transform("base", "object", NOW, return_debug_tuple=True)
    assert not possible and "base" in reason and "object" in reason


@pytest.mark.parametrize("name", ["", "/map"])
def test_invalid_frame_name_is_refused(buffer, name):
    buffer.set_transform_static(transform("map", "base"), "test")
    with pytest.raises(tf2_ros.InvalidArgumentException):
        buffer.lookup_transform(name, "base", NOW)
    assert not buffer.can_transform("base", name, NOW)


def test_leading_slash_of_a_received_frame_is_dropped(buffer):
    buffer.set_transform_static(transform("/map", "/base"), "test")
    assert buffer.can_transform("map", "base", NOW)


def test_loop_of_frames_is_an_error(buffer):
    buffer.set_transform_static(transform("a", "b"), "test")
    buffer.set_transform_static(transform("b", "a"), "test")
    buffer.set_transform_static(transform("c", "d"), "test")
    with pytest.raises(tf2_ros.TransformException):
        buffer.lookup_transform("d", "a", NOW)


def test_all_errors_are_transform_exceptions():
    for name in ("Lookup", "Connectivity", "Extrapolation", "InvalidArgument", "Timeout"):
        error = getattr(tf2_ros, f"{name}Exception")
        assert issubclass(error, tf2_ros.TransformException)


def test_invalid_transform_is_not_stored(buffer):
    zero = transform("map", "zero")
    zero.transform.rotation.w = 0.0
    for message in (
        zero,
        transform("map", "nan", (math.nan, 0.0, 0.0)),
        transform("map", ""),
        transform("", "orphan"),
        transform("self", "self"),
    ):
        buffer.set_transform_static(message, "test")
        assert not buffer.can_transform("map", message.child_frame_id or "map/", NOW)


def test_quaternions_need_not_be_of_unit_length(buffer):
    message = transform("map", "base", yaw=0.5)
    message.transform.rotation.z *= 3.0
    message.transform.rotation.w *= 3.0
    buffer.set_transform_static(message, "test")
    found = buffer.lookup_transform("map", "base", NOW)
    assert yaw(found) == pytest.approx(0.5)
    assert found.transform.rotation.w == pytest.approx(math.cos(0.25))


# Waiting ----------------------------------------------------------------------------------------


def test_wait_ends_after_its_timeout(buffer):
    assert not buffer.can_transform("map", "base", NOW, timeout=Duration(seconds=0.1))
    with pytest.raises(tf2_ros.LookupException):
        buffer.lookup_transform("map", "base", NOW, timeout=Duration(seconds=0.1))


def test_lookup_waits_for_a_transform_of_another_thread(buffer):
    message = transform("map", "base", (1.0, 0.0, 0.0))
    other = threading.Timer(0.1, buffer.set_transform_static, (message, "test"))
    other.start()
    found = buffer.lookup_transform("map", "base", NOW, timeout=Duration(seconds=20))
    assert xyz(found) == (1.0, 0.0, 0.0)
    other.join()


def test_wait_for_a_known_transform_is_over_at_once(buffer):
    buffer.set_transform_static(transform("map", "base"), "test")
    assert buffer.wait_for_transform_async("map", "base", at(3.0)).done()


def test_wait_is_over_when_the_transform_arrives(buffer):
    future = buffer.wait_for_transform_async("map", "base", at(10.5))
    for time in (10.0, 11.0):
        assert not future.done()
        buffer.set_transform(transform("map", "base", (time, 0.0, 0.0), time=time), "test")
    assert future.done() and future.result()
    buffer.set_transform(transform("map", "base", time=12.0), "test")


def test_cancelled_wait_is_not_completed(buffer):
    future = buffer.wait_for_transform_async("map", "base", NOW)
    future.cancel()
    buffer.set_transform_static(transform("map", "other"), "test")
    buffer.set_transform_static(transform("map", "base"), "test")
    assert future.cancelled()


# Over DDS ---------------------------------------------------------------------------------------


@pytest.fixture
def robot(ros_node):
    """A node with a DDS participant of its own, beside ros_node."""
    context = rclpy.Context()
    context.init()
    node = rclpy.create_node("robot", context=context)
    yield node
    node.destroy_node()
    context.shutdown()


@pytest.fixture
def listener(ros_node) -> TransformListener:
    return TransformListener(Buffer(node=ros_node), ros_node)


def test_broadcast_frames_reach_a_listener(listener, robot, spin_until):
    broadcaster = tf2_ros.TransformBroadcaster(robot)
    spin_until(lambda: broadcaster.pub_tf.get_subscription_count() == 1)
    broadcaster.sendTransform(transform("map", "base", (1.0, 0.0, 0.0), time=10.0))
    broadcaster.sendTransform(
        [transform("base", "camera", (0.0, 2.0, 0.0), time=t) for t in (9.0, 11.0)]
    )
    spin_until(lambda: listener.buffer.can_transform("map", "camera", at(10.0)))
    found = listener.buffer.lookup_transform("map", "camera", at(10.0))
    assert xyz(found) == pytest.approx((1.0, 2.0, 0.0))


def test_static_frames_reach_a_later_listener(robot, ros_node, spin_until):
    broadcaster = tf2_ros.StaticTransformBroadcaster(robot)
    broadcaster.sendTransform([transform("map", "table"), transform("table", "object")])
    listener = TransformListener(Buffer(node=ros_node), ros_node)
    spin_until(lambda: listener.buffer.can_transform("map", "object", NOW))


@pytest.mark.skipif(os.environ.get("ROS_DISTRO") == "humble", reason="Humble sends only the last")
def test_static_frames_sent_before_are_sent_again(robot, ros_node, spin_until):
    broadcaster = tf2_ros.StaticTransformBroadcaster(robot)
    broadcaster.sendTransform(transform("map", "table"))
    broadcaster.sendTransform(transform("table", "object"))
    listener = TransformListener(Buffer(node=ros_node), ros_node)
    spin_until(lambda: listener.buffer.can_transform("map", "object", NOW))


def test_coroutine_that_awaits_a_transform_resumes(listener, robot, ros_node, spin_until):
    broadcaster = tf2_ros.TransformBroadcaster(robot)
    spin_until(lambda: broadcaster.pub_tf.get_subscription_count() == 1)
    executor = ros_node.executor
    task = executor.create_task(listener.buffer.lookup_transform_async, "map", "base", at(10.5))
    executor.spin_once(timeout_sec=0.1)
    assert not task.done()
    broadcaster.sendTransform(
        [transform("map", "base", (t, 0.0, 0.0), time=t) for t in (10.0, 11.0)]
    )
    executor.spin_until_future_complete(task, timeout_sec=20.0)  # nothing else wakes it
    assert xyz(task.result()) == pytest.approx((10.5, 0.0, 0.0))


def test_topics_have_the_qos_of_the_original(listener, robot, ros_node):
    senders = [tf2_ros.TransformBroadcaster(robot), tf2_ros.StaticTransformBroadcaster(robot)]
    for topic, durability in (
        ("/tf", DurabilityPolicy.VOLATILE),
        ("/tf_static", DurabilityPolicy.TRANSIENT_LOCAL),
    ):
        ends = ros_node.get_subscriptions_info_by_topic(topic)
        ends += robot.get_publishers_info_by_topic(topic)
        assert len(ends) == len(senders)
        assert all(end.qos_profile.durability == durability for end in ends)
        assert all(end.qos_profile.reliability == ReliabilityPolicy.RELIABLE for end in ends)
        assert all(end.topic_type == "tf2_msgs/msg/TFMessage" for end in ends)


def test_unregistered_listener_receives_nothing(listener, robot, ros_node, spin_until):
    broadcaster = tf2_ros.TransformBroadcaster(robot)
    spin_until(lambda: broadcaster.pub_tf.get_subscription_count() == 1)
    listener.unregister()
    assert ros_node.get_subscriptions_info_by_topic("/tf") == []


@pytest.mark.skipif(os.environ.get("ROS_DISTRO") == "humble", reason="not in Humble")
def test_clock_that_jumps_back_clears_the_buffer(listener, robot, ros_node, spin_until):
    ros_node.set_parameters([Parameter("use_sim_time", value=True)])
    publisher = robot.create_publisher(Clock, "/clock", 10)

    def comes(time):
        """Again and again, as a simulator does: the first may come before the subscription."""
        publisher.publish(Clock(clock=at(time).to_msg()))
        return ros_node.get_clock().now().nanoseconds == at(time).nanoseconds

    spin_until(lambda: comes(100.0))
    buffer = listener.buffer
    buffer.set_transform(transform("map", "base", time=100.0), "test")
    assert buffer.can_transform("map", "base", NOW)
    spin_until(lambda: comes(50.0))
    spin_until(lambda: not buffer.can_transform("map", "base", NOW))
    buffer.set_transform(transform("map", "base", time=50.0), "test")
    assert buffer.can_transform("map", "base", at(50.0))
