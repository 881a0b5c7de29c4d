"""Lookups wait for transforms; lookups that time out leave nothing behind."""

import gc

import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped
from rclpy.clock import ClockType
from rclpy.parameter import Parameter
from rclpy.time import Time
from rosgraph_msgs.msg import Clock
from tf2_ros import TransformBroadcaster

from tiny_nvs_ros.node.transforms import AsyncTransforms, NoTransform, Wait

LONG = 600.0  # s


@pytest.fixture
def jumps():
    return []


@pytest.fixture
def transforms(ros_node, jumps):
    transforms = AsyncTransforms(ros_node, lambda: jumps.append(None))
    yield transforms
    transforms.close()


@pytest.fixture
def send(ros_node, transforms, spin_until):
    """send(seconds) publishes on /tf that the camera is at x = 1 of the object at that time."""
    broadcaster = TransformBroadcaster(ros_node)
    spin_until(lambda: broadcaster.pub_tf.get_subscription_count() == 1)

    def send(seconds: float) -> None:
        message = TransformStamped(child_frame_id="camera")
        message.header.frame_id = "object"
        message.header.stamp = at(seconds).to_msg()
        message.transform.translation.x = 1.0
        broadcaster.sendTransform(message)

    return send


@pytest.fixture
def look_up(ros_node, transforms, spin_until):
    """look_up(seconds, timeout) is a task whose result is the transform, or why there is none."""

    async def outcome(seconds: float, timeout: float, frame: str) -> np.ndarray | str:
        try:
            return await transforms.lookup("object", frame, at(seconds), timeout)
        except NoTransform as error:
            return str(error)

    def look_up(seconds: float, timeout: float, frame: str = "camera"):
        return ros_node.executor.create_task(outcome, seconds, timeout, frame)

    return look_up


def at(seconds: float) -> Time:
    return Time(nanoseconds=round(seconds * 1e9), clock_type=ClockType.ROS_TIME)


def test_lookup_waits_for_the_transform(send, look_up, spin_until):
    task = look_up(10.0, LONG)
    send(9.0)
    send(11.0)
    spin_until(task.done)
    np.testing.assert_allclose(task.result()[:3, 3], [1, 0, 0])


def test_frame_with_the_leading_slash_of_ros_1_is_found(send, look_up, spin_until):
    task = look_up(10.0, LONG, "/camera")
    send(10.0)
    spin_until(task.done)
    np.testing.assert_allclose(task.result()[:3, 3], [1, 0, 0])


def test_timed_out_lookups_leave_no_timers_or_waits(ros_node, look_up, spin_until):
    timers = len(list(ros_node.timers))
    tasks = [look_up(10.0, 0.01) for _ in range(20)]
    spin_until(lambda: all(task.done() for task in tasks))
    assert all(task.result().startswith("no transform object <- camera: ") for task in tasks)
    assert len(list(ros_node.timers)) == timers

    def left() -> list[Wait]:
        gc.collect()
        return [thing for thing in gc.get_objects() if type(thing) is Wait]

    spin_until(lambda: not left())  # the executor lets tasks go when it comes round


def test_close_ends_pending_lookups(ros_node, transforms, look_up, spin_until):
    timers = len(list(ros_node.timers))
    task = look_up(10.0, LONG)
    spin_until(lambda: len(list(ros_node.timers)) > timers)  # its timeout runs
    transforms.close()
    spin_until(task.done)
    assert isinstance(task.result(), str)


def test_clock_that_jumps_back_clears_the_transforms(ros_node, jumps, send, look_up, spin_until):
    ros_node.set_parameters([Parameter("use_sim_time", value=True)])
    clock = ros_node.create_publisher(Clock, "/clock", 10)
    spin_until(lambda: clock.get_subscription_count() == 1)
    clock.publish(Clock(clock=at(100.0).to_msg()))
    spin_until(lambda: ros_node.get_clock().now() == at(100.0))
    jumps.clear()  # to have a clock at all was one
    task = look_up(100.0, LONG)
    send(100.0)
    spin_until(task.done)
    assert not jumps
    clock.publish(Clock(clock=at(50.0).to_msg()))
    spin_until(lambda: jumps)
    task = look_up(100.0, 0.0)
    spin_until(task.done)
    assert isinstance(task.result(), str)
