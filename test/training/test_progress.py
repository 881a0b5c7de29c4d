import io

import pytest

from training import progress
from training.progress import Progress, track


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets, in seconds."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(progress.time, "monotonic", lambda: Clock.now)
    return Clock


def test_log_gets_one_line_per_period_and_one_at_the_end(clock):
    log = io.StringIO()
    with Progress(1000, "train", "frame", stream=log) as bar:
        for _ in range(1000):
            clock.now += 0.125
            bar.update()
    lines = log.getvalue().splitlines()
    assert len(lines) == 5
    assert lines[0] == "train: 240/1000 (24 %), 8 frame/s, 2 min left"
    assert lines[-1] == "train: 1000/1000 (100 %), 8 frame/s"
    assert "\r" not in log.getvalue()


def test_rate_counts_only_this_run(clock):
    log = io.StringIO()
    with Progress(1000, unit="it", initial=900, stream=log) as bar:
        clock.now += 200
        bar.set_status("loss 0.5")
        bar.update(100)
    assert log.getvalue().splitlines()[-1] == "1000/1000 (100 %), 2 s/it, loss 0.5"


def test_unknown_total_is_left_out(clock):
    log = io.StringIO()
    with Progress(None, "read", "message", stream=log) as bar:
        clock.now += 10
        bar.update(50)
    assert log.getvalue() == "read: 50, 5 message/s\n"


def test_nothing_done_writes_nothing():
    log = io.StringIO()
    with Progress(10, stream=log):
        pass
    assert log.getvalue() == ""


def test_terminal_gets_a_bar():
    terminal = Terminal()
    with Progress(10, "train", stream=terminal) as bar:
        bar.update(10)
    assert "100%" in terminal.getvalue() and "\r" in terminal.getvalue()


def test_track_yields_all_items(capsys):
    assert list(track(range(3), name="files")) == [0, 1, 2]
    assert capsys.readouterr().err.startswith("files: 3/3 (100 %)")
