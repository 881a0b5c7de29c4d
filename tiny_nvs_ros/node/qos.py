"""Publishers and subscriptions whose QoS parameters override; reports QoS that do not match."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import (
    DurabilityPolicy,
    QoSCompatibility,
    QoSPolicyKind,
    QoSProfile,
    qos_check_compatible,
    qos_policy_name_from_kind,
)
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

from tiny_nvs_ros.node.monitor import Monitor

try:
    from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks, SubscriptionEventCallbacks

OVERRIDABLE = (
    QoSPolicyKind.HISTORY,
    QoSPolicyKind.DEPTH,
    QoSPolicyKind.RELIABILITY,
    QoSPolicyKind.DURABILITY,
)
# The least and the most that a publisher can offer, of the policies that must be compatible.
LEAST_AND_MOST = {
    "reliability": ("best_effort", "reliable"),
    "durability": ("volatile", "transient_local"),
}
IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
RESOLVED_CHECKS = 2  # in a row without a mismatch; the graph may learn of it later than we do


@dataclass
class Mismatch:
    """QoS of another node that do not match ours. topic: as it was given, not resolved.

    what: its name in the monitor. text: its log message. unseen: checks in a row without it.
    """

    topic: str
    what: str
    text: str
    unseen: int = 0

    @property
    def recovered(self) -> str:
        return f"{self.what.removeprefix('matching ')} match"


class Topics:
    """Creates a node's publishers and subscriptions.

    The parameters qos_overrides.TOPIC.publisher (or .subscription) .history, .depth, .reliability
    and .durability override their QoS at the start. QoS that do not match are reported missing.
    """

    def __init__(self, node: Node, monitor: Monitor):
        self._node = node
        self._monitor = monitor
        self._mismatches: dict[str, Mismatch] = {}  # by their `what`

    def subscribe(
        self,
        type_: type,
        topic: str,
        callback: Callable,
        qos: QoSProfile | int,
        group: CallbackGroup | None = None,
    ) -> Subscription:
        """Raises ValueError, or rclpy's ParameterException, for invalid QoS."""
        with self._overriding(topic):
            return self._node.create_subscription(
                type_,
                topic,
                callback,
                copy(qos),  # because the parameters change it
                callback_group=group,
                qos_overriding_options=QoSOverridingOptions(OVERRIDABLE),
                event_callbacks=SubscriptionEventCallbacks(
                    incompatible_qos=lambda event: self._on_mismatch(topic, "subscription", event)
                ),
            )

    def unsubscribe(self, subscription: Subscription) -> None:
        """Destroy a subscription and forget its mismatch."""
        what = self._name(subscription.topic)
        self._node.destroy_subscription(subscription)
        self._mismatches.pop(what, None)
        self._monitor.forget(what)

    def advertise(
        self,
        type_: type,
        topic: str,
        qos: QoSProfile | int,
        managed: bool = True,
    ) -> Publisher:
        """A managed publisher publishes only while its node is active. Raises as subscribe does."""
        node = self._node
        create = node.create_lifecycle_publisher if managed else node.create_publisher
        with self._overriding(topic):
            return create(
                type_,
                topic,
                copy(qos),
                qos_overriding_options=QoSOverridingOptions(OVERRIDABLE),
                event_callbacks=PublisherEventCallbacks(
                    incompatible_qos=lambda event: self._on_mismatch(topic, "publisher", event)
                ),
            )

    def check(self) -> None:
        """Find the mismatches that are resolved. Call it about once a second."""
        for what, mismatch in list(self._mismatches.items()):
            mismatch.unseen = 0 if self._persists(mismatch) else mismatch.unseen + 1
            if mismatch.unseen < RESOLVED_CHECKS:
                self._monitor.report_missing(what, mismatch.text, mismatch.recovered)
            else:
                del self._mismatches[what]
                self._monitor.received(what)

    def latched_hint(self, topic: str) -> str:
        """Return advice if a publisher latches its messages, and ours may come too late for them.

        topic: of a volatile subscription that has received nothing.
        """
        publishers = self._node.get_publishers_info_by_topic(topic)
        if all(
            each.qos_profile.durability != DurabilityPolicy.TRANSIENT_LOCAL for each in publishers
        ):
            return ""
        overrides = f"qos_overrides.{self._node.resolve_topic_name(topic)}.subscription"
        return (
            "a publisher is there, and what it sent before the node started is received only with "
            f"{overrides}.durability:=transient_local and {overrides}.reliability:=reliable"
        )

    def type_hint(self, topic: str, type_: type) -> str:
        """Return advice if a topic is published with another type than ours; empty if it is not."""
        ours = f"{type_.__module__.partition('.')[0]}/msg/{type_.__name__}"
        publishers = self._node.get_publishers_info_by_topic(topic)
        others = sorted({each.topic_type for each in publishers} - {ours})
        if not others:
            return ""
        name = self._node.resolve_topic_name(topic)
        return f"{name} is published as {' and '.join(others)}, not {ours}: remap it" + (
            ", or set image_transport (image is then the name without /compressed)"
            if ours in IMAGE_TYPES and others[0] in IMAGE_TYPES
            else ""
        )

    @contextmanager
    def _overriding(self, topic: str) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            name = self._node.resolve_topic_name(topic)
            raise ValueError(f"qos_overrides.{name}: {error}") from error

    def _name(self, topic: str) -> str:
        return f"matching QoS on {self._node.resolve_topic_name(topic)}"

    def _on_mismatch(self, topic: str, side: str, event: object) -> None:
        policy = qos_policy_name_from_kind(event.last_policy_kind).lower()
        text = advice(self._node.resolve_topic_name(topic), side, policy)
        mismatch = Mismatch(topic, self._name(topic), text)
        self._mismatches[mismatch.what] = mismatch
        self._monitor.report_missing(mismatch.what, text, mismatch.recovered)

    def _persists(self, mismatch: Mismatch) -> bool:
        """Return whether the QoS of another node on the topic still do not match ours.

        Our own QoS are taken from the graph too, because a profile is not comparable with them.
        """
        node = self._node
        ours = (node.get_name(), node.get_namespace())
        return any(
            qos_check_compatible(publisher.qos_profile, subscription.qos_profile)[0]
            == QoSCompatibility.ERROR
            for publisher in node.get_publishers_info_by_topic(mismatch.topic)
            for subscription in node.get_subscriptions_info_by_topic(mismatch.topic)
            if ours in [(side.node_name, side.node_namespace) for side in (publisher, subscription)]
        )


def override_names(topic: str, side: str) -> list[str]:
    """Return the parameters that override the QoS of a topic (full name).

    side: "publisher" or "subscription".
    """
    return [f"qos_overrides.{topic}.{side}.{policy.name.lower()}" for policy in OVERRIDABLE]


def advice(topic: str, side: str, policy: str) -> str:
    """Return what does not match on a topic and how to fix it.

    side: ours, "publisher" or "subscription".
    """
    wrong, other = {
        "subscription": ("a publisher offers less {} than the node asks for", "that publisher"),
        "publisher": ("a subscriber asks for more {} than the node offers", "that subscriber"),
    }[side]
    text = f"no matching QoS on {topic}: {wrong.format(policy)}; no message passes between them: "
    if policy not in LEAST_AND_MOST:
        return f"{text}change the {policy} of {other}"
    least, most = LEAST_AND_MOST[policy]
    ours, theirs = (least, most) if side == "subscription" else (most, least)
    return (
        f"{text}start the node with qos_overrides.{topic}.{side}.{policy}:={ours}, "
        f"or make {other} {theirs}"
    )
