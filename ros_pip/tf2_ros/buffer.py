"""Buffer: lookups of transforms, with ways to wait for them."""

from __future__ import annotations

import threading
from typing import Any

from geometry_msgs.msg import TransformStamped
from rclpy.clock import Clock, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.task import Future

from tf2_ros.buffer_core import BufferCore


class Buffer(BufferCore):
    """Transforms over time, with ways to wait for one.

    Times are rclpy or builtin_interfaces times; time 0 means the latest at which all is known.
    """

    def __init__(self, cache_time: Duration | None = None, node: Node | None = None) -> None:
        """Keep moving frames for cache_time (10 s if None).

        When node's clock jumps back or changes its source, moving frames are forgotten: they belong
        to another run of a bag or simulation.
        """
        super().__init__(cache_time)
        self._new_data = threading.Condition(self._lock)
        self._waiting: dict[Future, tuple[str, str, Any]] = {}
        self.clock = node.get_clock() if node else Clock()
        threshold = JumpThreshold(
            min_forward=None, min_backward=Duration(seconds=-1), on_clock_change=True
        )
        self.jump_handle = self.clock.create_jump_callback(
            threshold, post_callback=self.time_jump_callback
        )

    def time_jump_callback(self, time_jump: TimeJump) -> None:
        get_logger("tf2_buffer").warning("Detected jump back in time. Clearing tf buffer.")
        self.clear()

    def lookup_transform(
        self, target_frame: str, source_frame: str, time: Any, timeout: Duration | None = None
    ) -> TransformStamped:
        """Return the transform that takes points from source_frame to target_frame.

        Waits up to timeout, blocking this thread: another one must spin the listener.

        Raises LookupException for an unknown frame, ConnectivityException for frames in different
        trees, ExtrapolationException for a time outside of what was heard, InvalidArgumentException
        for a bad name.
        """
        self.can_transform(target_frame, source_frame, time, timeout)
        return self.lookup_transform_core(target_frame, source_frame, time)

    async def lookup_transform_async(
        self, target_frame: str, source_frame: str, time: Any
    ) -> TransformStamped:
        """lookup_transform for coroutines: waits without limit, does not block the executor."""
        await self.wait_for_transform_async(target_frame, source_frame, time)
        return self.lookup_transform_core(target_frame, source_frame, time)

    def can_transform(
        self,
        target_frame: str,
        source_frame: str,
        time: Any,
        timeout: Duration | None = None,
        return_debug_tuple: bool = False,
    ) -> bool | tuple[bool, str]:
        """Return whether lookup_transform would succeed, with the reason if return_debug_tuple."""
        with self._new_data:
            if timeout is not None and timeout.nanoseconds > 0:
                self._new_data.wait_for(
                    lambda: self.can_transform_core(target_frame, source_frame, time)[0],
                    timeout.nanoseconds * 1e-9,
                )
            result = self.can_transform_core(target_frame, source_frame, time)
        return result if return_debug_tuple else result[0]

    def wait_for_transform_async(self, target_frame: str, source_frame: str, time: Any) -> Future:
        """Return a future that completes with the transform. Cancel it to give up."""
        future = Future()
        with self._lock:
            self._waiting[future] = (target_frame, source_frame, time)
        future.add_done_callback(self._forget)
        self._answer_waiting()
        return future

    def set_transform(self, transform: TransformStamped, authority: str) -> None:
        super().set_transform(transform, authority)
        self._answer_waiting()

    def set_transform_static(self, transform: TransformStamped, authority: str) -> None:
        super().set_transform_static(transform, authority)
        self._answer_waiting()

    def _answer_waiting(self) -> None:
        with self._lock:
            answers = [
                (self._waiting.pop(future), future)
                for future, wanted in list(self._waiting.items())
                if self.can_transform_core(*wanted)[0]
            ]
            answers = [(future, self.lookup_transform_core(*wanted)) for wanted, future in answers]
            self._new_data.notify_all()
        for future, transform in answers:  # without the lock: done callbacks may run in here
            future.set_result(transform)

    def _forget(self, future: Future) -> None:
        with self._lock:
            self._waiting.pop(future, None)
