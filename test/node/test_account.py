"""What is counted and timed, and what is said, on a clock of the test's own."""

from types import SimpleNamespace

import pytest

from tiny_nvs_ros.node.account import KEPT, OVERTAKEN, Account

IMAGE = "image on /image"


class Log:
    """What was said, with the first letter of its severity."""

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
def account(clock, log):
    node = SimpleNamespace(get_logger=lambda: log, context=SimpleNamespace(ok=lambda: True))
    return Account(node, lambda: clock.now)


def test_what_is_awaited_is_said_once_and_when_it_came(account, clock, log):
    for _ in range(40):
        account.awaits("transform", "no transform")
        clock.now += 1
    assert log.take() == ["W no transform"]
    assert account.awaited == {"transform": "no transform"}
    account.came("transform")
    account.came("transform")
    assert log.take() == ["I transform is there"]
    assert not account.awaited


def test_what_comes_and_goes_fast_is_said_seldom(account, clock, log):
    for _ in range(300):  # 30 s
        account.awaits("transform", "no transform")
        assert account.awaited
        account.came("transform")
        clock.now += 0.1
    assert log.take() == ["W no transform", "I transform is there"] * 3


def test_what_nobody_missed_lately_is_not_awaited(account, clock):
    """As the transform of a camera whose images come no more."""
    account.awaits("transform", "no transform")
    clock.now += 61
    assert not account.awaited


def test_a_stream_that_stops_is_said_once_and_when_it_comes_back(account, clock, log):
    account.expects(IMAGE)
    assert log.take() == [f"W no {IMAGE} yet"]
    for _ in range(100):
        account.came(IMAGE)
        clock.now += 0.1
        account.listen()
    assert log.take() == [f"I {IMAGE} is there"]
    for _ in range(100):
        clock.now += 1
        account.listen()
    assert log.take() == [f"W no {IMAGE} for 5 s"]
    assert account.awaited == {IMAGE: f"no {IMAGE} for 5 s"}
    account.came(IMAGE)
    assert log.take() == [f"I {IMAGE} is there"]


def test_a_slow_stream_has_not_stopped_before_three_of_its_intervals(account, clock, log):
    account.expects(IMAGE)
    for _ in range(3):
        account.came(IMAGE)
        clock.now += 20
    account.listen()
    assert not account.awaited
    clock.now += 41
    account.listen()
    assert account.awaited == {IMAGE: f"no {IMAGE} for 60 s"}


def test_a_stream_that_never_came_stays_awaited(account, clock):
    account.expects(IMAGE)
    for _ in range(200):
        clock.now += 1
        account.listen()
    assert list(account.awaited) == [IMAGE]


def test_a_stream_that_is_forgotten_is_not_missed(account, clock, log):
    account.expects(IMAGE)
    account.forget(IMAGE)
    clock.now += 100
    account.listen()
    assert not account.awaited
    assert log.take() == [f"W no {IMAGE} yet"]


def test_a_drop_with_a_reason_is_said_seldom_and_counted_always(account, clock, log):
    for _ in range(25):
        account.dropped("old", "5 s")
        account.dropped("max_rate")
        clock.now += 1
    assert log.take() == ["W image dropped, old: 5 s"] * 3
    assert account.counts == {"old": 25, "max_rate": 25}


def test_errors_and_warnings_are_of_now_for_ten_seconds(account, clock, log):
    account.error("image", "Traceback:\n  line\nRuntimeError: bad\n")
    account.warn("old", "image dropped")
    assert log.take() == ["E Traceback:\n  line\nRuntimeError: bad\n", "W image dropped"]
    clock.now += 9
    account.warn("old", "image dropped again")  # is not logged, but is known
    assert not log.take()
    assert (account.errors, account.warnings) == (["RuntimeError: bad"], ["image dropped again"])
    clock.now += 2
    assert (account.errors, account.warnings) == ([], ["image dropped again"])


def test_rate_and_latencies_are_of_lately(account, clock):
    for i in range(100):  # 2 Hz
        account.published(i, age=None)
        clock.now += 0.5
    assert account.rate == pytest.approx(2, abs=0.11)
    assert account.latencies == list(range(100))
    clock.now += 20
    assert account.rate == 0
    assert len(account.latencies) == pytest.approx(80, abs=1)
    clock.now += 60
    assert account.latencies == []


def test_the_age_is_that_of_the_last_image(account):
    account.published(0.1, age=0.3)
    assert account.age == 0.3
    account.published(0.1, age=None)
    assert account.age is None


def test_memory_is_bounded(account):
    for i in range(3 * KEPT):
        account.published(0.1, age=0.2)
        account.dropped("old", f"{i} s")
        account.error("image", f"error {i}")
    assert len(account.latencies) == KEPT
    assert len(account.errors) == len(account.warnings) == 1


def test_images_that_only_overtake_one_another_are_a_warning(account, clock):
    account.published(0.1, None)
    for _ in range(300):
        account.dropped(OVERTAKEN)
        clock.now += 0.1
        assert not account.warnings
    clock.now += 0.1
    assert account.warnings == ["images come, but no views for 30 s: slow, or it hangs"]
    account.published(30.0, None)
    account.dropped(OVERTAKEN)
    assert not account.warnings


def test_a_pause_is_no_stall(account, clock):
    account.dropped(OVERTAKEN)
    clock.now += 100
    account.dropped(OVERTAKEN)
    assert not account.warnings


def test_close_sums_up_and_begins_anew(account, clock):
    account.expects(IMAGE)
    account.published(0.1, 0.2)
    account.dropped("old", "5 s")
    account.error("image", "bad")
    assert account.close() == "images: old 1, published 1"
    account.listen()
    assert not (account.awaited or account.errors or account.warnings or account.latencies)
    assert account.age is None and account.close() == "images: none"


def test_nothing_is_said_after_the_shutdown(log):
    node = SimpleNamespace(get_logger=lambda: log, context=SimpleNamespace(ok=lambda: False))
    account = Account(node)
    account.warn("old", "late")
    account.error("image", "late")
    account.expects(IMAGE)
    account.came(IMAGE)
    assert not log.take()
