"""Inference beside the executor: one thread, requests first, then the newest frame."""

import threading
from collections import deque
from collections.abc import Callable

from rclpy.task import Future

Job = Callable[[], object]


class Interrupted(Exception):
    """The job that runs is not wanted any more."""


class Worker:
    """Runs jobs one at a time in a thread of its own.

    Requests go first, but a frame waits only for those that were there before it could go: clients
    who ask all the time do not keep frames from being served.

    Each job's future completes with what the job returns or raises. A future completes with
    None where nothing comes of its job: a frame that a newer one displaced, or whatever waited or
    ran at `clear`. wake: called from the thread after a future completes, since rclpy's executor
    does not notice by itself (`executor.wake`).
    """

    def __init__(self, wake: Callable[[], None]):
        self._wake = wake
        self._requests: deque[tuple[Job, Future]] = deque()
        self._frame: tuple[Job, Future] | None = None
        self._ahead: int | None = None  # requests that still go before the frame
        self._stopped = False
        self._interrupted = False  # the job that runs
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()

    def request(self, job: Job) -> Future:
        """Run a job after the requests that came earlier, and before frames."""
        future = Future()
        with self._changed:
            self._requests.append((job, future))
            self._changed.notify()
        self._clear_if_stopped()
        return future

    def newest(self, job: Job) -> Future:
        """Run a job next, instead of the frame that still waits."""
        future = Future()
        with self._changed:
            displaced, self._frame = self._frame, (job, future)
            self._changed.notify()
        if displaced:
            self._complete(displaced[1])
        self._clear_if_stopped()
        return future

    def check(self) -> None:
        """Raises Interrupted when the job that runs need not go on; for that job to call."""
        if self._interrupted:
            raise Interrupted

    def clear(self) -> None:
        """Forget all jobs: those that wait, and the one that runs, which ends at its next check."""
        with self._changed:
            self._interrupted = True
            waiting = [*self._requests, *([self._frame] if self._frame else [])]
            self._requests.clear()
            self._frame = None
        for _, future in waiting:
            self._complete(future)

    def stop(self) -> None:
        """Forget all jobs and wait for the end of the one that runs. The end of this worker."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self.clear()
        self._thread.join()

    def _clear_if_stopped(self) -> None:
        if self._stopped:
            self.clear()

    def _complete(self, future: Future, result: object = None) -> None:
        future.set_result(result)
        self._wake()

    def _run(self) -> None:
        while not self._stopped:
            self._run_next()  # a call of its own: while none comes, the last job is not held

    def _take(self) -> tuple[Job, Future]:
        if self._frame is None:
            self._ahead = None
            return self._requests.popleft()
        if self._ahead is None:
            self._ahead = len(self._requests)
        if self._requests and self._ahead > 0:
            self._ahead -= 1
            return self._requests.popleft()
        taken, self._frame, self._ahead = self._frame, None, None
        return taken

    def _run_next(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._requests or self._frame)
            if self._stopped:
                return
            job, future = self._take()
            self._interrupted = False
        try:
            result = job()
        except Interrupted:
            result = None
        except BaseException as error:  # a thread that ends here would leave all others waiting
            known = isinstance(error, Exception)
            future.set_exception(error if known else RuntimeError(repr(error)))
            self._wake()
            return
        self._complete(future, None if self._interrupted else result)
