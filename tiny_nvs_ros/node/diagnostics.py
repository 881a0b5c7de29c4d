"""How the node fares, on /diagnostics, once a second."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import (
    LifecycleNode,
    LifecycleState,
    ManagedEntity,
    TransitionCallbackReturn,
)

from tiny_nvs_ros.node.account import Account
from tiny_nvs_ros.node.qos import Topics

PERIOD = 1.0  # s
NAME = "novel views"  # of the status, after the node's
PERCENTILES = (50, 95, 99)  # of the latency
HARDWARE_ID = "tiny_nvs_ros"  # the same on all machines, since there is no hardware of ours


class Diagnostics(ManagedEntity):
    """Publishes one status.

    ERROR for a fault and for what went wrong in the last seconds, WARN for what is awaited and what
    was warned of, OK otherwise: to be inactive, paused or without listeners is no problem, and the
    message says so. STALE is left to those who hear nothing of the node any more.

    The node sets both of these, and a transition that succeeds resets them:
    model: what is loaded, its "weights", "device" and "runtime". fault: why a transition failed.
    """

    def __init__(
        self, node: LifecycleNode, account: Account, topics: Topics, idle: Callable[[], str]
    ):
        """idle: in a word, why an active node has nothing to do now; "" where it has."""
        self.model: dict[str, str] = {}
        self.fault = ""
        self._node, self._account, self._topics, self._idle = node, account, topics, idle
        self._state = "unconfigured"
        self._publisher = topics.advertise(DiagnosticArray, "/diagnostics", 1, managed=False)
        clock = Clock(clock_type=ClockType.STEADY_TIME)  # a paused sim time must not stop us
        group = MutuallyExclusiveCallbackGroup()
        node.create_timer(PERIOD, self._publish, group, clock)
        node.add_managed_entity(self)

    # Lifecycle; these are called where a transition has succeeded.

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._enter("inactive")

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._enter("active")

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._enter("inactive")

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._enter("unconfigured")

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._enter("finalized")

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._enter("unconfigured")

    def _enter(self, state: str) -> TransitionCallbackReturn:
        self._state, self.fault = state, ""
        if state in ("unconfigured", "finalized"):
            self.model = {}
        return TransitionCallbackReturn.SUCCESS

    # What is told

    def _publish(self) -> None:
        self._account.listen()
        self._topics.check()
        message = DiagnosticArray(status=[self.status()])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def status(self) -> DiagnosticStatus:
        """How the node fares now."""
        idle = self._idle() if self._state == "active" else ""
        state = f"{self._state}, {idle}" if idle else self._state
        level, message = self._summary(state)
        return DiagnosticStatus(
            level=level,
            name=f"{self._node.get_fully_qualified_name()}: {NAME}",
            message=message,
            hardware_id=HARDWARE_ID,
            values=[KeyValue(key=k, value=v) for k, v in self._values(state).items()],
        )

    def _summary(self, state: str) -> tuple[bytes, str]:
        account = self._account
        if self.fault:
            return DiagnosticStatus.ERROR, f"{state}: {self.fault}"
        if self._state == "active":
            if account.errors:
                return DiagnosticStatus.ERROR, "; ".join(account.errors)
            warnings = [*account.awaited.values(), *account.warnings]
            if warnings:
                return DiagnosticStatus.WARN, "; ".join(warnings)
        return DiagnosticStatus.OK, state

    def _values(self, state: str) -> dict[str, str]:
        account = self._account
        values = {"state": state, "awaited": ", ".join(account.awaited) or "nothing"}
        values |= {key: self.model.get(key, "none") for key in ("weights", "device", "runtime")}
        values["rate (Hz)"] = f"{account.rate:.2f}"
        latencies = account.latencies
        found = np.percentile(latencies, PERCENTILES) if latencies else [None] * len(PERCENTILES)
        for percent, latency in zip(PERCENTILES, found, strict=True):
            values[f"latency p{percent} (ms)"] = milliseconds(latency)
        values["age (ms)"] = milliseconds(account.age)
        values["published"] = str(account.counts["published"])
        for kind, count in sorted(account.counts.items()):
            if kind != "published":
                values[f"dropped, {kind}"] = str(count)
        return values


def milliseconds(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds * 1e3:.1f}"


def weights_id(folder: Path) -> str:
    """Name and hash of a weights folder: which model this is, for certain."""
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    return f"{folder.resolve().name} {digest[:12]}"
