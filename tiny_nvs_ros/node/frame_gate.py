"""Decides which images go on: drops old, disordered, superseded and excess images."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rclpy.time import Time

from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.parameters import NodeSettings
from tiny_nvs_ros.node.rejection import NEWER_IMAGE, Rejected
from tiny_nvs_ros.node.source import Source

MAX_WAITING_IMAGES = 16  # images that wait for their transforms at once; bounds the memory
TIME_JUMP_S = 1.0  # stamps that go back further than this are a restarted bag, not disorder


class FrameGate:
    """The order of images and their age.

    Images are numbered on arrival. An image waits for its transforms and then for its inference;
    after each wait it asks here whether it is still wanted. All methods run in the executor's
    thread and raise Rejected for an image that must be dropped.

    latest: the newest source, for requests without an image. None until there is one.
    """

    def __init__(
        self,
        monitor: Monitor,
        now: Callable[[], Time],
        on_time_jump: Callable[[], None],
        steady: Callable[[], float] = time.monotonic,
    ):
        """now: the node's clock. on_time_jump: called when the stamps jump back.
        steady: a clock in seconds that never jumps.
        """
        self.latest: Source | None = None
        self._monitor, self._now, self._on_time_jump = monitor, now, on_time_jump
        self._steady = steady
        self._arrivals = 0
        self._first_valid = 0  # images with a lower number are superseded
        self._published = 0  # number of the newest image whose views are published
        self._newest_stamp = 0  # ns
        self._waiting = 0  # images that wait for their transforms
        self._rate_due = 0.0  # s, steady clock: when max_rate lets the next image through

    def enter(self) -> int:
        """Number an image that has arrived."""
        self._arrivals += 1
        return self._arrivals

    def check_time(self, stamp: Time, settings: NodeSettings) -> None:
        """Reject images out of order and images that are too old; reset if time jumps back."""
        if stamp.nanoseconds == 0:
            return  # an image without a stamp uses the latest transforms
        back = (self._newest_stamp - stamp.nanoseconds) * 1e-9
        if back > TIME_JUMP_S:
            self._monitor.warn("time", f"time jumped back by {back:.1f} s: reset")
            self.reset()
            self._on_time_jump()
        elif back > 0:
            raise Rejected("out of order")
        self._newest_stamp = stamp.nanoseconds
        age = self.age(stamp)
        if 0 < settings.max_image_age < age:
            raise Rejected(
                "old",
                f"image is {age:.1f} s old on arrival, more than max_image_age, "
                f"{settings.max_image_age:g} s (does a bag play without use_sim_time?)",
            )

    def age(self, stamp: Time) -> float | None:
        """Return the age of a stamp in seconds; None for a stamp of zero."""
        if stamp.nanoseconds == 0:
            return None
        return (self._now() - stamp).nanoseconds * 1e-9

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count an image among those that wait for their transforms; reject it if too many do."""
        if self._waiting == MAX_WAITING_IMAGES:
            raise Rejected("too many wait")
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def check_current(self, number: int) -> None:
        """Reject an image that a newer one, or a reset, has superseded."""
        if number < self._first_valid:
            raise Rejected(NEWER_IMAGE)

    def keep_latest(self, source: Source) -> None:
        """Keep a source for requests without an image, unless a newer one is kept."""
        if self.latest is None or self.latest.number < source.number:
            self.latest = source

    def check_rate(self, settings: NodeSettings) -> None:
        """Reject images that exceed max_rate."""
        if settings.max_rate == 0:
            return
        now = self._steady()
        if now < self._rate_due:
            raise Rejected("max_rate")
        # The next time counts from the due time, so that jitter does not lower the mean rate.
        self._rate_due = max(self._rate_due + 1 / settings.max_rate, now)

    def supersede_older(self, number: int) -> None:
        """Invalidate all images that arrived before this one."""
        self._first_valid = number

    def claim_publication(self, number: int) -> None:
        """Mark an image as published; reject it if a newer one already is.

        Before Kilted, rclpy resumes the coroutine that can continue last first.
        """
        if number < self._published:
            raise Rejected(NEWER_IMAGE)
        self._published = number

    def invalidate_pending(self) -> None:
        """Invalidate all images that have arrived."""
        self._arrivals += 1
        self.reset()

    def reset(self) -> None:
        """Discard what is known of earlier images; the image that arrived last stays valid."""
        self._first_valid = self._arrivals
        self.latest = None
        self._newest_stamp = 0
        self._rate_due = 0.0
