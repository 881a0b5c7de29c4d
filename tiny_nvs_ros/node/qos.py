"""Publishers and subscriptions with QoS that parameters override, and that tell of a mismatch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import (
    QoSCompatibility,
    QoSPolicyKind,
    QoSProfile,
    qos_check_compatible,
    qos_policy_name_from_kind,
)
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

from tiny_nvs_ros.node.account import Account

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
# Of the policies on which both sides must agree: what every publisher offers, and what it must
# offer for every subscription.
LEAST_AND_MOST = {
    "reliability": ("best_effort", "reliable"),
    "durability": ("volatile", "transient_local"),
}
GONE = 2  # checks in a row without a mismatch: the graph may know of it later than we


@dataclass
class Mismatch:
    """Somebody's QoS on a topic (its name as it was given) that do not match ours.

    what: that is awaited. text: what is said of it. unseen: checks in a row that did not find it.
    """

    topic: str
    what: str
    text: str
    unseen: int = 0


class Topics:
    """Makes a node's publishers and subscriptions.

    Parameters qos_overrides.TOPIC.publisher (or .subscription) .history, .depth, .reliability and
    .durability, which can be set at the start, override their QoS. Of QoS that do not match the
    account is told.
    """

    def __init__(self, node: Node, account: Account):
        self._node = node
        self._account = account
        self._mismatches: dict[str, Mismatch] = {}  # by their `what`

    def subscribe(
        self,
        type_: type,
        topic: str,
        callback: Callable,
        qos: QoSProfile | int,
        group: CallbackGroup | None = None,
    ) -> Subscription:
        """Raises ValueError, or rclpy's ParameterException, for QoS that cannot be."""
        with self._overriding(topic):
            return self._node.create_subscription(
                type_,
                topic,
                callback,
                copy(qos),  # which the parameters change
                callback_group=group,
                qos_overriding_options=QoSOverridingOptions(OVERRIDABLE),
                event_callbacks=SubscriptionEventCallbacks(
                    incompatible_qos=lambda event: self._on_mismatch(topic, "subscription", event)
                ),
            )

    def unsubscribe(self, subscription: Subscription) -> None:
        """Destroy a subscription, and with it what was wrong with it."""
        what = self._name(subscription.topic)
        self._node.destroy_subscription(subscription)
        self._mismatches.pop(what, None)
        self._account.forget(what)

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
        """Find out which mismatches are over. To be called every second or so."""
        for what, mismatch in list(self._mismatches.items()):
            mismatch.unseen = 0 if self._is_there(mismatch) else mismatch.unseen + 1
            if mismatch.unseen < GONE:
                self._account.awaits(what, mismatch.text)
            else:
                del self._mismatches[what]
                self._account.came(what)

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
        self._account.awaits(mismatch.what, text)

    def _is_there(self, mismatch: Mismatch) -> bool:
        """Whether somebody on the topic does not match us.

        Our own side is taken from the graph, too: profiles are not comparable with what it has.
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


def advice(topic: str, side: str, policy: str) -> str:
    """What is wrong on a topic, and its remedies. side: ours, "publisher" or "subscription"."""
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
