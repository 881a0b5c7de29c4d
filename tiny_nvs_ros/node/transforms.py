"""Transforms that are awaited without blocking the executor."""

import numpy as np
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
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


class Transforms:
    """TF as 4x4 matrices, for coroutines."""

    def __init__(self, node: Node):
        self._node = node
        self._buffer = Buffer()
        self._listener = TransformListener(self._buffer, node)
        self._group = ReentrantCallbackGroup()
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)  # a paused sim time must not stop us

    def close(self) -> None:
        self._listener.unregister()

    def clear(self) -> None:
        """Forget the transforms of moving frames, as must be when time jumps back."""
        self._buffer.clear()

    async def lookup(self, target: str, source: str, time: Time, timeout: float) -> np.ndarray:
        """T_target_source, 4x4, metres, at `time` (0: the latest).

        Waits up to `timeout` seconds for it. Raises NoTransform, with the reason, where it did not
        come, and ValueError where it is not a rigid transform.
        """
        if timeout > 0 and not self._buffer.can_transform(target, source, time):
            await self._arrival(target, source, time, timeout)
        try:
            message = self._buffer.lookup_transform(target, source, time)
        except TransformException as error:
            raise NoTransform(transform_name(target, source), error) from error
        return matrix_from_transform(message.transform)

    async def _arrival(self, target: str, source: str, time: Time, timeout: float) -> None:
        """Returns when the transform is there or the time is up, whichever comes first."""
        over = Future()

        def end(_: object = None) -> None:
            if not over.done():
                over.set_result(None)
                self._node.executor.wake()

        arrival = self._buffer.wait_for_transform_async(target, source, time)
        arrival.add_done_callback(end)
        timer = self._node.create_timer(timeout, end, self._group, self._clock)
        try:
            await over
        finally:
            self._node.destroy_timer(timer)
            if not arrival.done():
                arrival.cancel()  # takes its callback out of the buffer
