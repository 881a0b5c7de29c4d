"""Topics whose messages go with images: their camera_info, their masks."""

from collections import deque
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.task import Future
from rclpy.time import Time

from tiny_nvs_ros.node.qos import Topics

KEPT = 16  # messages; a mask may come long after its image, and so may others before it
QOS = QoSProfile(depth=KEPT, reliability=ReliabilityPolicy.BEST_EFFORT)


class Companion:
    """The last messages of a topic, for coroutines that need the one of their image.

    exact: only the message with the image's stamp will do (a mask); otherwise the newest does where
    that one is not there (camera_info, which seldom changes).
    """

    def __init__(self, node: Node, topics: Topics, type_: type, topic: str, exact: bool = False):
        self._node, self._topics, self._exact, self.topic = node, topics, exact, topic
        self.name = f"{topic} on {node.resolve_topic_name(topic)}"
        self._messages: deque[Any] = deque(maxlen=KEPT)
        self._waiting: list[tuple[Time, Future]] = []
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)  # a paused sim time must not stop us
        self._subscription = topics.subscribe(
            type_, topic, self._on_message, QOS, ReentrantCallbackGroup()
        )

    @property
    def absence(self) -> str:
        """What is wrong where there is none."""
        return f"no {self.name} {'with the stamp of the image' if self._exact else 'yet'}"

    def close(self) -> None:
        """Unsubscribe; who waits gets nothing."""
        self._topics.unsubscribe(self._subscription)
        for _, future in self._waiting:
            future.set_result(None)
        self._waiting.clear()

    def _on_message(self, message: Any) -> None:
        self._messages.append(message)
        for stamp, future in self._waiting:
            if self._find(stamp) is not None and not future.done():
                future.set_result(None)

    def _find(self, stamp: Time) -> Any | None:
        wanted = stamp.to_msg()
        same = (m for m in reversed(self._messages) if m.header.stamp == wanted)
        newest = self._messages[-1] if self._messages and not self._exact else None
        return next(same, newest)

    async def of(self, stamp: Time, timeout: float) -> Any | None:
        """The message that goes with an image, awaited for `timeout` seconds; None without one."""
        if timeout > 0 and self._find(stamp) is None:
            future = Future()

            def end() -> None:
                if not future.done():
                    future.set_result(None)

            # A group of its own each: rclpy's groups never forget what was in them.
            timer = self._node.create_timer(timeout, end, ReentrantCallbackGroup(), self._clock)
            waiter = (stamp, future)
            self._waiting.append(waiter)
            try:
                await future
            finally:
                self._node.destroy_timer(timer)
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
        return self._find(stamp)
