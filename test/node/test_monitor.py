"""Counts, latencies and log messages of the monitor, with a simulated clock."""

from types import SimpleNamespace

import pytest

from tiny_nvs_ros.node.monitor import MAX_LATENCIES, NEWER_IMAGE, Monitor

IMAGE = "image on /image"


class Log:
    """Log messages, each with the first letter of its severity."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, text: str) -> None:
        self.lines.append(f"I {text}")

    def warning(self, text: str) -> None:
        self.lines.append(f"W {text}")

    def error(self, text: str) -> None:
        self.lines.append(f"E {text}")

    def take(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines


@pytest.fixture
def clock():
    return SimpleNamespace(now=1000.0)


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def monitor(clock, log):
    node = SimpleNamespace(get_logger=lambda: log, context=SimpleNamespace(ok=lambda: True))
    return Monitor(node, lambda: clock.now)


def test_missing_input_is_logged_once_and_again_when_it_arrives(monitor, clock, log):
    for _ in range(40):
        monitor.report_missing("transform", "no transform")
        clock.now += 1
    assert log.take() == ["W no transform"]
    assert monitor.missing == {"transform": "no transform"}
    monitor.received("transform")
    monitor.received("transform")
    assert log.take() == ["I receiving transform"]
    assert not monitor.missing


def test_flickering_input_is_logged_at_most_every_ten_seconds(monitor, clock, log):
    for _ in range(300):  # 30 s
        monitor.report_missing("transform", "no transform")
        assert monitor.missing
        monitor.received("transform")
        clock.now += 0.1
    assert log.take() == ["W no transform", "I receiving transform"] * 3


def test_missing_input_expires(monitor, clock):
    """For example the transform of a camera that no longer publishes."""
    monitor.report_missing("transform", "no transform")
    clock.now += 61
    assert not monitor.missing


def test_stopped_stream_is_logged_once_and_again_when_it_resumes(monitor, clock, log):
    monitor.expect_stream(IMAGE)
    assert log.take() == [f"W no {IMAGE} yet"]
    for _ in range(100):
        monitor.received(IMAGE)
        clock.now += 0.1
        monitor.check_streams()
    assert log.take() == [f"I receiving {IMAGE}"]
    for _ in range(100):
        clock.now += 1
        monitor.check_streams()
    assert log.take() == [f"W no {IMAGE} for 5 s"]
    assert monitor.missing == {IMAGE: f"no {IMAGE} for 5 s"}
    monitor.received(IMAGE)
    assert log.take() == [f"I receiving {IMAGE}"]


def test_slow_stream_is_missing_after_three_of_its_intervals(monitor, clock, log):
    monitor.expect_stream(IMAGE)
    for _ in range(3):
        monitor.received(IMAGE)
        clock.now += 20
    monitor.check_streams()
    assert not monitor.missing
    clock.now += 41
    monitor.check_streams()
    assert monitor.missing == {IMAGE: f"no {IMAGE} for 60 s"}


def test_stream_that_never_came_stays_missing(monitor, clock):
    monitor.expect_stream(IMAGE)
    for _ in range(200):
        clock.now += 1
        monitor.check_streams()
    assert list(monitor.missing) == [IMAGE]


def test_forgotten_stream_is_not_missing(monitor, clock, log):
    monitor.expect_stream(IMAGE)
    monitor.forget(IMAGE)
    clock.now += 100
    monitor.check_streams()
    assert not monitor.missing
    assert log.take() == [f"W no {IMAGE} yet"]


def test_drop_with_a_reason_is_always_counted_and_rarely_logged(monitor, clock, log):
    for _ in range(25):
        monitor.dropped("old", "5 s")
        monitor.dropped("max_rate")
        clock.now += 1
    assert log.take() == ["W image dropped, old: 5 s"] * 3
    assert monitor.counts == {"old": 25, "max_rate": 25}


def test_errors_and_warnings_expire_after_ten_seconds(monitor, clock, log):
    monitor.error("image", "Traceback:\n  line\nRuntimeError: bad\n")
    monitor.warn("old", "image dropped")
    assert log.take() == ["E Traceback:\n  line\nRuntimeError: bad\n", "W image dropped"]
    clock.now += 9
    monitor.warn("old", "image dropped again")  # is not logged, but is known
    assert not log.take()
    assert (monitor.errors, monitor.warnings) == (["RuntimeError: bad"], ["image dropped again"])
    clock.now += 2
    assert (monitor.errors, monitor.warnings) == ([], ["image dropped again"])


def test_rate_and_latencies_cover_recent_images_only(monitor, clock):
    for i in range(100):  # 2 Hz
        monitor.published(i, age=None)
        clock.now += 0.5
    assert monitor.rate == pytest.approx(2, abs=0.11)
    assert monitor.latencies == list(range(100))
    clock.now += 20
    assert monitor.rate == 0
    assert len(monitor.latencies) == pytest.approx(80, abs=1)
    clock.now += 60
    assert monitor.latencies == []


def test_age_is_that_of_the_last_image(monitor):
    monitor.published(0.1, age=0.3)
    assert monitor.age == 0.3
    monitor.published(0.1, age=None)
    assert monitor.age is None


def test_memory_of_the_monitor_is_bounded(monitor):
    for i in range(3 * MAX_LATENCIES):
        monitor.published(0.1, age=0.2)
        monitor.dropped("old", f"{i} s")
        monitor.error("image", f"error {i}")
    assert len(monitor.latencies) == MAX_LATENCIES
    assert len(monitor.errors) == len(monitor.warnings) == 1


def test_images_that_only_supersede_one_another_are_a_warning(monitor, clock):
    monitor.published(0.1, None)
    for _ in range(300):
        monitor.dropped(NEWER_IMAGE)
        clock.now += 0.1
        assert not monitor.warnings
    clock.now += 0.1
    assert monitor.warnings == ["images come, but no views for 30 s: slow, or it hangs"]
    monitor.published(30.0, None)
    monitor.dropped(NEWER_IMAGE)
    assert not monitor.warnings


def test_pause_is_no_stall(monitor, clock):
    monitor.dropped(NEWER_IMAGE)
    clock.now += 100
    monitor.dropped(NEWER_IMAGE)
    assert not monitor.warnings


def test_reset_returns_the_counts_and_clears_them(monitor, clock):
    monitor.expect_stream(IMAGE)
    monitor.published(0.1, 0.2)
    monitor.dropped("old", "5 s")
    monitor.error("image", "bad")
    assert monitor.reset() == "images: old 1, published 1"
    monitor.check_streams()
    assert not (monitor.missing or monitor.errors or monitor.warnings or monitor.latencies)
    assert monitor.age is None and monitor.reset() == "images: none"


def test_nothing_is_logged_after_the_shutdown(log):
    node = SimpleNamespace(get_logger=lambda: log, context=SimpleNamespace(ok=lambda: False))
    monitor = Monitor(node)
    monitor.warn("old", "late")
    monitor.error("image", "late")
    monitor.expect_stream(IMAGE)
    monitor.received(IMAGE)
    assert not log.take()
