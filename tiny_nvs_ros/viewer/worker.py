"""A thread that does one page's work in order, and of repeated work only the latest."""

import threading
from collections.abc import Callable
from enum import IntEnum


class Priority(IntEnum):
    """What is done first."""

    CHANGE = 0  # of the session, in the order in which the changes came
    VIEW = 1
    SHAPE = 2  # when the camera rests


class Worker:
    """Runs jobs in its own thread until `stop`. on_error: called with what a job raises."""

    def __init__(self, on_error: Callable[[Exception], None]):
        self._on_error = on_error
        self._jobs: dict[str, tuple[Priority, Callable[[], None]]] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="viewer", daemon=True)
        self._thread.start()

    def submit(self, name: str, priority: Priority, job: Callable[[], None]) -> None:
        """Run a job soon; it takes the place of one of the same name that has not begun."""
        with self._changed:
            self._jobs[name] = priority, job
            self._changed.notify()

    def stop(self) -> None:
        """End the thread after the present job, and drop the others."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._stopped)
                if self._stopped:
                    return
                name = min(self._jobs, key=lambda name: self._jobs[name][0])
                _, job = self._jobs.pop(name)
            try:
                job()
            except Exception as error:  # shown on the page, which goes on
                self._on_error(error)
