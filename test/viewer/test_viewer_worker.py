import threading

from tiny_nvs_ros.viewer.worker import Priority, Worker

TIMEOUT_S = 10


def run(jobs) -> list:
    """Submit jobs (name, priority, result) while another one runs; return the results in order."""
    began, go, end = (threading.Event() for _ in range(3))
    results = []
    worker = Worker(results.append)

    def first() -> None:
        began.set()
        assert go.wait(TIMEOUT_S)

    worker.submit("first", Priority.CHANGE, first)
    assert began.wait(TIMEOUT_S)
    for name, priority, result in jobs:
        worker.submit(name, priority, lambda result=result: results.append(result))
    worker.submit("last", Priority.SHAPE, end.set)
    go.set()
    assert end.wait(TIMEOUT_S)
    worker.stop()
    return results


def test_changes_come_first_then_views_then_shapes():
    jobs = [("shape", Priority.SHAPE, 4), ("view", Priority.VIEW, 3), ("a", Priority.CHANGE, 1),
            ("b", Priority.CHANGE, 2)]  # fmt: skip
    assert run(jobs) == [1, 2, 3, 4]


def test_only_the_latest_job_of_a_name_runs():
    assert run([("view", Priority.VIEW, i) for i in range(5)]) == [4]


def test_error_is_reported_and_work_goes_on():
    errors, done = [], threading.Event()
    worker = Worker(errors.append)

    def fail() -> None:
        raise ValueError("no")

    worker.submit("bad", Priority.CHANGE, fail)
    worker.submit("good", Priority.SHAPE, done.set)
    assert done.wait(TIMEOUT_S)
    worker.stop()
    assert [str(error) for error in errors] == ["no"]


def test_stopped_worker_ends_its_thread():
    worker = Worker(lambda _: None)
    worker.stop()
    worker._thread.join(TIMEOUT_S)
    assert not worker._thread.is_alive()
