"""A thread that runs inferences beside the executor: requests first, then the newest frame."""

import threading
from collections import deque
from collections.abc import Callable

from rclpy.task import Future

Job = Callable[[], object]


class Interrupted(Exception):
    """The running job is no longer wanted."""


class InferenceWorker:
    """Runs jobs one at a time in its own thread.

    Requests go first, but a frame waits only for the requests that were there before it could run:
    clients that ask all the time do not starve the frames.

    Each job's future completes with what the job returns or raises. It completes with None if the
    job has no result: a frame that a newer one replaced, or a job that waited or ran at `clear`.
    """

    def __init__(self, wake: Callable[[], None]):
        """wake: called from the thread after a future completes, because rclpy's executor does not
        notice it by itself (`executor.wake`).
        """
        self._wake = wake
        self._requests: deque[tuple[Job, Future]] = deque()
        self._frame: tuple[Job, Future] | None = None
        self._ahead: int | None = None  # requests that still run before the frame
        self._stopped = False
        self._interrupted = False  # the running job
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()

    def run_request(self, job: Job) -> Future:
        """Run a job after the requests that came earlier, and before frames."""
        future = Future()
        with self._changed:
            self._requests.append((job, future))
            self._changed.notify()
        self._clear_if_stopped()
        return future

    def run_newest(self, job: Job) -> Future:
        """Run the job of a frame next; it replaces the frame that still waits."""
        future = Future()
        with self._changed:
            replaced, self._frame = self._frame, (job, future)
            self._changed.notify()
        if replaced:
            self._complete(replaced[1])
        self._clear_if_stopped()
        return future

    def check_interrupted(self) -> None:
        """Raise Interrupted if the running job is no longer wanted; the job calls this."""
        if self._interrupted:
            raise Interrupted

    def clear(self) -> None:
        """Discard the jobs that wait, and the running one, which ends at its next check."""
        with self._changed:
            self._interrupted = True
            waiting = [*self._requests, *([self._frame] if self._frame else [])]
            self._requests.clear()
            self._frame = None
        for _, future in waiting:
            self._complete(future)

    def stop(self) -> None:
        """Discard all jobs, wait for the running one to end, and end the thread."""
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
            self._run_next()  # a separate call, so that an idle thread holds no finished job

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
        except BaseException as error:  # if the thread ended here, all others would wait for ever
            known = isinstance(error, Exception)
            future.set_exception(error if known else RuntimeError(repr(error)))
            self._wake()
            return
        self._complete(future, None if self._interrupted else result)
