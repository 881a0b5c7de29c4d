"""Topics whose messages belong to images: camera_info and masks."""

from collections import deque
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.task import Future
from rclpy.time import Time

from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.qos import Topics
from tiny_nvs_ros.node.rejection import NEWER_IMAGE, MissingInput, Rejected

KEPT_MESSAGES = 16  # a mask may arrive long after its image, and others before it
QOS = QoSProfile(depth=KEPT_MESSAGES, reliability=ReliabilityPolicy.BEST_EFFORT)


class MatchedTopic:
    """Keeps the last messages of a topic and finds the one that belongs to an image.

    exact: only the message with the image's stamp matches (a mask). Otherwise the newest message
    matches if that one is missing (camera_info, which seldom changes).
    """

    def __init__(
        self,
        node: Node,
        topics: Topics,
        monitor: Monitor,
        type_: type,
        topic: str,
        exact: bool = False,
    ):
        self._node, self._topics, self._monitor = node, topics, monitor
        self._topic, self._exact = topic, exact
        self._name = f"{topic} on {node.resolve_topic_name(topic)}"
        self._messages: deque[Any] = deque(maxlen=KEPT_MESSAGES)
        self._waiting: list[tuple[Time, Future]] = []
        self._closed = False
        # Steady, because a paused simulation must not stop the timeouts.
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._subscription = topics.subscribe(
            type_, topic, self._on_message, QOS, ReentrantCallbackGroup()
        )

    def close(self) -> None:
        """Unsubscribe and end all waits."""
        self._closed = True
        self._topics.unsubscribe(self._subscription)
        for _, future in self._waiting:
            finish(future)
        self._waiting.clear()

    async def match(self, stamp: Time, timeout: float) -> Any:
        """Return the message that belongs to an image; wait up to `timeout` seconds for it.

        Raises MissingInput if it does not arrive in time.
        """
        if timeout > 0 and self._find(stamp) is None:
            await self._arrival(stamp, timeout)
        if self._closed:
            raise Rejected(NEWER_IMAGE)
        message = self._find(stamp)
        if message is None:
            raise MissingInput(f"no {self._topic}", self._name, self._missing_text())
        self._monitor.received(self._name)
        return message

    def _missing_text(self) -> str:
        return f"no {self._name} {'with the stamp of the image' if self._exact else 'yet'}"

    def _on_message(self, message: Any) -> None:
        self._messages.append(message)
        for stamp, future in self._waiting:
            if self._find(stamp) is not None:
                finish(future)

    def _find(self, stamp: Time) -> Any | None:
        wanted = stamp.to_msg()
        same = (m for m in reversed(self._messages) if m.header.stamp == wanted)
        newest = self._messages[-1] if self._messages and not self._exact else None
        return next(same, newest)

    async def _arrival(self, stamp: Time, timeout: float) -> None:
        """Wait until the message is there, until the time is up, or until this is closed."""
        future = Future()
        # Each timer has its own group, because rclpy's groups keep what was ever in them.
        timer = self._node.create_timer(
            timeout, lambda: finish(future), ReentrantCallbackGroup(), self._clock
        )
        waiter = (stamp, future)
        self._waiting.append(waiter)
        try:
            await future
        finally:
            self._node.destroy_timer(timer)
            if waiter in self._waiting:
                self._waiting.remove(waiter)


def finish(future: Future) -> None:
    if not future.done():
        future.set_result(None)
