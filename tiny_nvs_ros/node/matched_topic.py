"""Topics whose messages belong to images: camera_info and masks."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from rclpy.task import Future
from rclpy.time import Time

from tiny_nvs_ros.node.conversions import nanoseconds
from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.qos import SubscriptionEventCallbacks, Topics
from tiny_nvs_ros.node.rejection import NEWER_IMAGE, MissingInput, Rejected

PAIRED_AFTER = 2  # images in a row with a message of their own, after which the next one has it too
KEPT_MESSAGES = 16  # a mask may arrive long after its image, and others before it
STAMP_ROUNDING_S = 1e-6  # of stamps that were floating point numbers on their way
QOS = QoSProfile(depth=KEPT_MESSAGES, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED_QOS = QoSProfile(depth=KEPT_MESSAGES, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@dataclass(frozen=True, eq=False)
class Wait:
    """An image that waits for its message. over: completes when the wait ends."""

    stamp: Time
    tolerance: float
    over: Future

    def end(self) -> None:
        if not self.over.done():
            self.over.set_result(None)


class MatchedTopic:
    """Keeps the last messages of a topic and finds the one that belongs to an image.

    exact: only the message with the image's stamp matches (a mask), or one within a tolerance.
    Otherwise the newest message matches if that one is missing (camera_info, which seldom changes;
    if the images before had their own, this one's is waited for, because it may come after its
    image), and a message that was latched before the node started is received, too.
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
        self._type, self._topic, self._exact = type_, topic, exact
        self._name = f"{topic} on {node.resolve_topic_name(topic)}"
        self._messages: deque[Any] = deque(maxlen=KEPT_MESSAGES)
        self._waiting: list[Wait] = []
        self._closed = False
        self._paired = 0  # images in a row whose own message has come, perhaps after its image
        self._previous: Time | None = None  # stamp of the image before
        self._latched: Subscription | None = None
        # Steady, because a paused simulation must not stop the timeouts.
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._subscription = topics.subscribe(
            type_, topic, self._on_message, QOS, ReentrantCallbackGroup()
        )

    def close(self) -> None:
        """Unsubscribe and end all waits."""
        self._closed = True
        self._topics.unsubscribe(self._subscription)
        if self._latched:
            self._node.destroy_subscription(self._latched)
        for wait in self._waiting:
            wait.end()
        self._waiting.clear()

    async def match(self, stamp: Time, timeout: float, tolerance: float = 0.0) -> Any:
        """Return the message that belongs to an image; wait up to `timeout` seconds for it.

        tolerance: largest difference of the stamps if the match must be exact, s. Raises
        MissingInput if the message does not arrive in time.
        """
        if not self._exact and not self._messages:
            self._subscribe_to_latched()
        self._count_paired(stamp)
        if timeout > 0 and self._must_wait(stamp, tolerance):
            await self._arrival(stamp, timeout, tolerance)
        if self._closed:
            raise Rejected(NEWER_IMAGE)
        message = self._find(stamp, tolerance)
        if message is None:
            raise MissingInput(f"no {self._topic}", self._name, *self._missing_texts(stamp))
        self._monitor.received(self._name)
        return message

    def _missing_texts(self, stamp: Time) -> tuple[str, str]:
        """Return the reason why no message matches, and what to do about it."""
        hint = "" if self._messages else self._topics.type_hint(self._topic, self._type)
        if not self._exact:
            return f"no {self._name} yet", hint
        text = f"no {self._name} with the stamp of the image"
        if not self._messages:
            return text, hint or f"no {self._topic} has arrived at all"
        seconds = min((difference(message, stamp) for message in self._messages), key=abs)
        side = "later" if seconds > 0 else "earlier"
        return (
            f"{text}: the nearest is {abs(seconds):.3g} s {side}",
            f"copy the image's stamp to the {self._topic}, or raise mask_tolerance",
        )

    def _subscribe_to_latched(self) -> None:
        """Subscribe again, transient local, if a publisher offers that and nothing arrives.

        The first subscription is volatile, because a transient local one receives nothing from
        volatile publishers; it misses what was published before it existed.
        """
        publishers = self._node.get_publishers_info_by_topic(self._topic)
        latched = any(
            each.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for each in publishers
        )
        if latched and not self._latched and not self._closed:
            self._latched = self._node.create_subscription(
                self._type,
                self._topic,
                self._on_message,
                LATCHED_QOS,
                callback_group=ReentrantCallbackGroup(),
                event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
            )

    def _on_message(self, message: Any) -> None:
        self._messages.append(message)
        for wait in self._waiting:
            if not self._must_wait(wait.stamp, wait.tolerance):
                wait.end()

    def _count_paired(self, stamp: Time) -> None:
        if self._previous is not None:
            wanted = self._previous.to_msg()
            came = any(message.header.stamp == wanted for message in self._messages)
            self._paired = self._paired + 1 if came else 0
        self._previous = stamp

    def _must_wait(self, stamp: Time, tolerance: float) -> bool:
        """Return whether the message that belongs to an image is still to come."""
        message = self._find(stamp, tolerance)
        if message is None:
            return True
        if self._exact or self._paired < PAIRED_AFTER or message.header.stamp == stamp.to_msg():
            return False
        return difference(self._messages[-1], stamp) < 0  # else it was lost

    def _find(self, stamp: Time, tolerance: float) -> Any | None:
        if not self._messages:
            return None
        newest_first = list(reversed(self._messages))
        if not self._exact:
            wanted = stamp.to_msg()
            same = (message for message in newest_first if message.header.stamp == wanted)
            return next(same, newest_first[0])
        nearest = min(newest_first, key=lambda message: abs(difference(message, stamp)))
        within = abs(difference(nearest, stamp)) <= max(tolerance, STAMP_ROUNDING_S)
        return nearest if within else None

    async def _arrival(self, stamp: Time, timeout: float, tolerance: float) -> None:
        """Wait until the message is there, until the time is up, or until this is closed."""
        wait = Wait(stamp, tolerance, Future())
        # Each timer has its own group, because rclpy's groups keep what was ever in them.
        timer = self._node.create_timer(timeout, wait.end, ReentrantCallbackGroup(), self._clock)
        self._waiting.append(wait)
        try:
            await wait.over
        finally:
            self._node.destroy_timer(timer)
            if wait in self._waiting:
                self._waiting.remove(wait)


def difference(message: Any, stamp: Time) -> float:
    """Return how much later a message is stamped than an image, s."""
    return (nanoseconds(message.header.stamp) - stamp.nanoseconds) * 1e-9
