"""TF lookups that wait without blocking the executor."""

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
from tiny_nvs_ros.node.rejection import MissingInput
from tiny_nvs_ros.node.tf_hints import TransformHistory


class NoTransform(MissingInput):
    """A transform did not arrive in time; the text says why."""

    def __init__(self, target: str, source: str, reason: object, hint: str = ""):
        what = transform_name(target, source)
        super().__init__("no transform", what, f"no {what}: {reason}", hint)


def transform_name(target: str, source: str) -> str:
    return f"transform {target} <- {source}"


class NotifyingBuffer(Buffer):
    """A TF buffer that calls `on_data` after each transform it receives.

    on_data: gets the transform and whether it is static.
    """

    on_data: Callable[[TransformStamped, bool], None]

    def set_transform(self, transform: TransformStamped, authority: str) -> None:
        super().set_transform(transform, authority)
        self.on_data(transform, False)

    def set_transform_static(self, transform: TransformStamped, authority: str) -> None:
        super().set_transform_static(transform, authority)
        self.on_data(transform, True)


@dataclass(frozen=True, eq=False)
class Wait:
    """A lookup that waits. over: completes when the transform is there or the time is up."""

    target: str
    source: str
    time: Time
    over: Future = field(default_factory=Future)

    def end(self) -> None:
        if not self.over.done():
            self.over.set_result(None)


class AsyncTransforms:
    """TF as 4x4 matrices, for coroutines.

    It keeps its own list of waits, because tf2_ros keeps each wait that timed out until the next
    transform arrives, which may be never.
    """

    def __init__(
        self,
        node: Node,
        on_time_jump: Callable[[], None] = lambda: None,
        on_found: Callable[[str], None] = lambda what: None,
    ):
        """on_time_jump: called after ROS time jumped back (simulation, bag) and `clear` ran.
        on_found: called with the name of each transform that a lookup finds.
        """
        self._node, self._on_time_jump, self._on_found = node, on_time_jump, on_found
        self._waits: list[Wait] = []
        self._history = TransformHistory(node)
        self._buffer = NotifyingBuffer()
        self._buffer.on_data = self._on_data
        self._listener = TransformListener(self._buffer, node)
        # Steady, because a paused simulation must not stop the timeouts.
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)
        threshold = JumpThreshold(min_forward=None, min_backward=Duration(seconds=-1))
        self._jumps = node.get_clock().create_jump_callback(threshold, post_callback=self._on_jump)

    def close(self) -> None:
        """Stop listening and end all waits."""
        self._listener.unregister()
        self._jumps.unregister()
        for wait in self._waits:
            wait.end()

    def clear(self) -> None:
        """Discard the transforms of moving frames, which are invalid after time jumps back."""
        self._buffer.clear()
        self._history.clear()

    async def lookup(self, target: str, source: str, time: Time, timeout: float) -> np.ndarray:
        """Return T_target_source, 4x4, metres, at `time` (0: the latest).

        Names may have the leading slash of ROS 1. Waits up to `timeout` seconds. Raises
        NoTransform, with the reason, if it does not arrive, and ValueError if it is not a rigid
        transform.
        """
        target, source = target.lstrip("/"), source.lstrip("/")
        if timeout > 0 and not self._buffer.can_transform(target, source, time):
            await self._arrival(Wait(target, source, time), timeout)
        try:
            message = self._buffer.lookup_transform(target, source, time)
        except TransformException as error:
            hint = self._history.hint(target, source, time, timeout)
            raise NoTransform(target, source, error, hint) from error
        matrix = matrix_from_transform(message.transform)
        self._on_found(transform_name(target, source))
        return matrix

    async def _arrival(self, wait: Wait, timeout: float) -> None:
        # Each timer has its own group, because rclpy's groups keep what was ever in them.
        group = ReentrantCallbackGroup()
        timer = self._node.create_timer(timeout, wait.end, group, self._clock)
        self._waits.append(wait)
        try:
            await wait.over
        finally:
            self._waits.remove(wait)
            self._node.destroy_timer(timer)

    def _on_data(self, transform: TransformStamped, static: bool) -> None:
        self._history.record(transform, static)
        for wait in self._waits:
            if self._buffer.can_transform(wait.target, wait.source, wait.time):
                wait.end()

    def _on_jump(self, _: object) -> None:
        self.clear()
        self._on_time_jump()
