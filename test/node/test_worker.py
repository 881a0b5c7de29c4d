import threading
import time
import weakref

import pytest

from tiny_nvs_ros.node.worker import InferenceWorker


class Slow:
    """A job that runs until `go` is set."""

    def __init__(self, result: object = None):
        self.running, self.go = threading.Event(), threading.Event()
        self.result = result

    def __call__(self) -> object:
        self.running.set()
        assert self.go.wait(10)
        return self.result


@pytest.fixture
def woken():
    return threading.Semaphore(0)


@pytest.fixture
def worker(woken):
    worker = InferenceWorker(woken.release)
    yield worker
    worker.stop()


@pytest.fixture
def busy(worker):
    """A job that the worker runs; other jobs wait."""
    slow = Slow("busy")
    slow.future = worker.run_request(slow)
    assert slow.running.wait(10)
    yield slow
    slow.go.set()


def test_job_completes_its_future_and_wakes_the_executor(worker, woken):
    future = worker.run_request(lambda: 7)
    assert woken.acquire(timeout=60)
    assert future.done() and future.result() == 7


def test_job_that_raises_does_not_end_the_worker(worker, woken):
    def fail():
        raise RuntimeError("no memory")

    failed, fine = worker.run_newest(fail), worker.run_request(lambda: 1)
    for _ in range(2):
        assert woken.acquire(timeout=60)
    assert str(failed.exception()) == "no memory"
    assert fine.result() == 1


def test_newest_frame_replaces_the_waiting_one(worker, woken, busy):
    ran = []
    frames = [worker.run_newest(lambda i=i: ran.append(i) or i) for i in range(4)]
    for _ in range(3):
        assert woken.acquire(timeout=60)
    assert [frame.done() for frame in frames] == [True, True, True, False]
    assert [frame.result() for frame in frames[:3]] == [None] * 3
    busy.go.set()
    for _ in range(2):
        assert woken.acquire(timeout=60)
    assert ran == [3] and frames[3].result() == 3


def test_requests_run_before_frames_in_their_order(worker, woken, busy):
    ran = []
    worker.run_newest(lambda: ran.append("frame"))
    worker.run_request(lambda: ran.append("first"))
    worker.run_request(lambda: ran.append("second"))
    busy.go.set()
    for _ in range(4):
        assert woken.acquire(timeout=60)
    assert ran == ["first", "second", "frame"]


def test_frame_does_not_wait_for_later_requests(worker, woken, busy):
    ran = []

    def ask_again(number: int) -> None:
        ran.append(number)
        if number < 5:
            worker.run_request(lambda: ask_again(number + 1))

    worker.run_request(lambda: ask_again(0))
    worker.run_request(lambda: ran.append("other"))
    frame = worker.run_newest(lambda: ran.append("frame"))
    busy.go.set()
    for _ in range(3 + 6):
        assert woken.acquire(timeout=60)
    assert frame.done()
    assert ran == [0, "other", "frame", 1, 2, 3, 4, 5]


def test_clear_completes_waiting_and_running_jobs_with_none(worker, woken, busy):
    waiting = [worker.run_request(lambda: 1), worker.run_newest(lambda: 2)]
    worker.clear()
    assert [future.result() for future in waiting] == [None, None]
    assert not busy.future.done()
    busy.go.set()
    for _ in range(3):
        assert woken.acquire(timeout=60)
    assert busy.future.done() and busy.future.result() is None


class Endless:
    """A job of endless steps."""

    def __init__(self, worker: InferenceWorker):
        self.worker, self.running = worker, threading.Event()

    def __call__(self) -> None:
        pause = threading.Event()
        while not pause.wait(0.001):
            self.running.set()
            self.worker.check_interrupted()


@pytest.mark.parametrize("end", [InferenceWorker.clear, InferenceWorker.stop])
def test_running_job_ends_at_its_next_check(worker, woken, end):
    endless = Endless(worker)
    future = worker.run_newest(endless)
    assert endless.running.wait(10)
    end(worker)
    assert woken.acquire(timeout=60)
    assert future.done() and future.result() is None


def test_job_after_an_interrupted_one_runs(worker, woken):
    endless = Endless(worker)
    worker.run_newest(endless)
    assert endless.running.wait(10)
    worker.clear()
    future = worker.run_request(lambda: worker.check_interrupted() or 3)
    for _ in range(2):
        assert woken.acquire(timeout=60)
    assert future.result() == 3


def test_system_exit_of_a_job_does_not_end_the_worker(worker, woken):
    def leave():
        raise SystemExit("a library's")

    failed, fine = worker.run_newest(leave), worker.run_request(lambda: 1)
    for _ in range(2):
        assert woken.acquire(timeout=60)
    assert "a library's" in str(failed.exception()) and isinstance(failed.exception(), Exception)
    assert fine.result() == 1


def test_finished_job_is_released(worker, woken):
    class Picture:
        pass

    picture = Picture()
    ref = weakref.ref(picture)
    worker.run_newest(lambda picture=picture: picture and None)
    assert woken.acquire(timeout=60)
    del picture
    end = time.monotonic() + 60
    while ref() is not None and time.monotonic() < end:  # the thread's last lines
        time.sleep(0.01)
    assert ref() is None


def test_job_of_a_stopped_worker_completes_with_none(worker):
    worker.stop()
    assert worker.run_request(lambda: 1).done()
    assert worker.run_newest(lambda: 1).done()
