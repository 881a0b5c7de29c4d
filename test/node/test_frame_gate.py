"""FrameGate: which images are dropped because of their order, age, number or rate."""

from types import SimpleNamespace

import pytest
from rclpy.clock import ClockType
from rclpy.time import Time

from tiny_nvs_ros.node.frame_gate import MAX_WAITING_IMAGES, FrameGate
from tiny_nvs_ros.node.parameters import NodeSettings
from tiny_nvs_ros.node.rejection import Rejected

SETTINGS = NodeSettings(max_image_age=1.0)


def at(seconds: float) -> Time:
    return Time(nanoseconds=round(seconds * 1e9), clock_type=ClockType.ROS_TIME)


@pytest.fixture
def clock():
    return SimpleNamespace(ros=100.0, steady=0.0)


@pytest.fixture
def time_jumps():
    return []


@pytest.fixture
def gate(clock, time_jumps):
    monitor = SimpleNamespace(warn=lambda *_: None)
    return FrameGate(
        monitor, lambda: at(clock.ros), lambda: time_jumps.append(1), lambda: clock.steady
    )


def kind_of_drop(check, *args) -> str:
    """Why a check drops an image; empty if it does not."""
    try:
        check(*args)
    except Rejected as rejection:
        return rejection.kind
    return ""


def test_image_older_than_the_last_one_is_out_of_order(gate):
    gate.check_time(at(100.0), SETTINGS)
    assert kind_of_drop(gate.check_time, at(99.9), SETTINGS) == "out of order"
    assert kind_of_drop(gate.check_time, at(100.0), SETTINGS) == ""


def test_image_older_than_max_image_age_is_dropped_as_old(gate):
    assert kind_of_drop(gate.check_time, at(98.9), SETTINGS) == "old"
    assert kind_of_drop(gate.check_time, at(99.1), SETTINGS) == ""
    assert kind_of_drop(gate.check_time, at(99.2), NodeSettings(max_image_age=0.0)) == ""


def test_image_without_a_stamp_has_no_age_and_no_order(gate):
    gate.check_time(at(100.0), SETTINGS)
    assert kind_of_drop(gate.check_time, at(0.0), SETTINGS) == ""
    assert gate.age(at(0.0)) is None
    assert gate.age(at(99.5)) == pytest.approx(0.5)


def test_stamps_that_jump_back_reset_the_gate_and_keep_the_new_image(gate, time_jumps, clock):
    first = gate.enter()
    gate.check_time(at(100.0), SETTINGS)
    gate.keep_latest(SimpleNamespace(number=first))
    clock.ros = 50.0
    second = gate.enter()
    gate.check_time(at(50.0), SETTINGS)
    assert time_jumps == [1]
    assert gate.latest is None
    assert kind_of_drop(gate.check_current, first) == "newer image"
    assert kind_of_drop(gate.check_current, second) == ""


def test_image_superseded_by_a_newer_one_is_dropped(gate):
    first, second = gate.enter(), gate.enter()
    gate.supersede_older(second)
    assert kind_of_drop(gate.check_current, first) == "newer image"
    assert kind_of_drop(gate.check_current, second) == ""


def test_pending_images_are_dropped_after_invalidate_pending(gate):
    pending = gate.enter()
    gate.invalidate_pending()
    assert kind_of_drop(gate.check_current, pending) == "newer image"
    assert kind_of_drop(gate.check_current, gate.enter()) == ""


def test_views_of_an_older_image_are_not_published_after_those_of_a_newer_one(gate):
    older, newer = gate.enter(), gate.enter()
    gate.claim_publication(newer)
    assert kind_of_drop(gate.claim_publication, older) == "newer image"


def test_latest_is_the_newest_source_whatever_their_order(gate):
    for number in (2, 1):
        gate.keep_latest(SimpleNamespace(number=number))
    assert gate.latest.number == 2


def test_images_beyond_the_limit_of_waiting_ones_are_dropped(gate):
    waiting = [gate.waiting() for _ in range(MAX_WAITING_IMAGES)]
    for each in waiting:
        each.__enter__()
    with pytest.raises(Rejected), gate.waiting():
        pass
    waiting[0].__exit__(None, None, None)
    with gate.waiting():
        pass


def test_mean_rate_is_max_rate_although_images_jitter(gate, clock):
    settings = NodeSettings(max_rate=10.0)
    passed = 0
    for i in range(300):  # 30 Hz, each second image 10 ms late
        clock.steady = i / 30 + (0.01 if i % 2 else 0.0)
        passed += not kind_of_drop(gate.check_rate, settings)
    assert passed == pytest.approx(100, abs=2)


def test_no_max_rate_lets_every_image_pass(gate):
    assert all(not kind_of_drop(gate.check_rate, SETTINGS) for _ in range(10))
