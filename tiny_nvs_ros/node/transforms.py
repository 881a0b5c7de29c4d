"""Transforms that are awaited without blocking the executor."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from geometry_msgs.msg import TransformStamped
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType, JumpThreshold
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.task import Future
from rclpy.time import Time
from tf2_ros import Buffer, TransformException, TransformListener

from tiny_nvs_ros.node.conversions import matrix_from_transform


class NoTransform(Exception):
    """A transform, `what`, that did not come in time; the text says why."""

    def __init__(self, what: str, reason: object):
        super().__init__(f"no {what}: {reason}")
        self.what = what


def transform_name(target: str, source: str) -> str:
    return f"transform {target} <- {source}"


class TellingBuffer(Buffer):
    """A buffer that calls `on_data` after each transform that it hears."""

    on_data: Callable[[], None]

    def set_transform(self, transform: TransformStamped, authority: str) -> None:
        super().set_transform(transform, authority)
        self.on_data()

    def set_transform_static(self, transform: TransformStamped, authority: str) -> None:
        super().set_transform_static(transform, authority)
        self.on_data()


@dataclass(frozen=True, eq=False)
class Wait:
    """Somebody waits for a transform. over: done when it is there, or the time is up."""

    target: str
    source: str
    time: Time
    over: Future = field(default_factory=Future)

    def end(self) -> None:
        if not self.over.done():
            self.over.set_result(None)


class Transforms:
    """TF as 4x4 matrices, for coroutines.

    Waits are its own: tf2_ros keeps each wait that was given up until the next transform comes, and
    where none comes that is forever.
    """

    def __init__(self, node: Node, on_jump: Callable[[], None] = lambda: None):
        """on_jump: called when ROS time jumped back (simulation, a bag) and `clear` was done."""
        self._node = node
        self._on_jump = on_jump
        self._waits: list[Wait] = []
        self._buffer = TellingBuffer()
        self._buffer.on_data = self._on_data
        self._listener = TransformListener(self._buffer, node)
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)  # a paused sim time must not stop us
        threshold = JumpThreshold(min_forward=None, min_backward=Duration(seconds=-1))
        self._jumps = node.get_clock().create_jump_callback(threshold, post_callback=self._jumped)

    def close(self) -> None:
        """Stop listening; who waits still, waits for nothing."""
        self._listener.unregister()
        self._jumps.unregister()
        for wait in self._waits:
            wait.end()

    def clear(self) -> None:
        """Forget the transforms of moving frames, as must be when time jumps back."""
        self._buffer.clear()

    async def lookup(self, target: str, source: str, time: Time, timeout: float) -> np.ndarray:
        """T_target_source, 4x4, metres, at `time` (0: the latest).

        Waits up to `timeout` seconds for it. Raises NoTransform, with the reason, where it did not
        come, and ValueError where it is not a rigid transform.
        """
        if timeout > 0 and not self._buffer.can_transform(target, source, time):
            await self._arrival(Wait(target, source, time), timeout)
        try:
            message = self._buffer.lookup_transform(target, source, time)
        except TransformException as error:
            raise NoTransform(transform_name(target, source), error) from error
        return matrix_from_transform(message.transform)

    async def _arrival(self, wait: Wait, timeout: float) -> None:
        # A group of its own each: rclpy's groups never forget what was in them.
        group = ReentrantCallbackGroup()
        timer = self._node.create_timer(timeout, wait.end, group, self._clock)
        self._waits.append(wait)
        try:
            await wait.over
        finally:
            self._waits.remove(wait)
            self._node.destroy_timer(timer)

    def _on_data(self) -> None:
        for wait in self._waits:
            if self._buffer.can_transform(wait.target, wait.source, wait.time):
                wait.end()

    def _jumped(self, _: object) -> None:
        self.clear()
        self._on_jump()
