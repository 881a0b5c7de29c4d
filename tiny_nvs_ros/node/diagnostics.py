"""Publishes the node's status on /diagnostics at 1 Hz."""

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

from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.qos import Topics
from tiny_nvs_ros.resources import fingerprint

PERIOD_S = 1.0
CLOCK = "time on /clock"
MAX_CLOCKLESS = 3  # statuses without a time, after which it is missing: it may come late
STATUS_NAME = "novel views"  # follows the node's name
LATENCY_PERCENTILES = (50, 95, 99)
HARDWARE_ID = "tiny_nvs_ros"  # the same on all machines; the node has no hardware


class Diagnostics(ManagedEntity):
    """Publishes one status.

    ERROR for a failed transition and for recent errors, WARN for missing inputs and recent
    warnings, OK otherwise. An inactive or paused node and one without subscribers are OK; the
    message says so. STALE is left to the receivers of the status.

    The node sets these, and a transition that succeeds resets them:
    model: "weights", "device" and "runtime" of the loaded model. fault: why a transition failed.
    """

    def __init__(
        self,
        node: LifecycleNode,
        monitor: Monitor,
        topics: Topics,
        idle_reason: Callable[[], str],
        source_ages: Callable[[], list[float]],
    ):
        """idle_reason: returns why an active node has nothing to do now; empty if it has.
        source_ages: returns the ages of the remembered source images, s.
        """
        self._source_ages = source_ages
        self.model: dict[str, str] = {}
        self.fault = ""
        self._node, self._monitor, self._topics, self._idle_reason = (
            node,
            monitor,
            topics,
            idle_reason,
        )
        self._state = "unconfigured"
        self._clockless = 0  # statuses in a row without a time
        self._publisher = topics.advertise(DiagnosticArray, "/diagnostics", 1, managed=False)
        clock = Clock(clock_type=ClockType.STEADY_TIME)  # runs on while a simulation is paused
        group = MutuallyExclusiveCallbackGroup()
        node.create_timer(PERIOD_S, self._publish, group, clock)
        node.add_managed_entity(self)

    # Lifecycle: called after a transition has succeeded.

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

    # Status

    def _publish(self) -> None:
        self._monitor.check_streams()
        self._check_clock()
        self._topics.check()
        message = DiagnosticArray(status=[self.status()])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def _check_clock(self) -> None:
        """Report a clock that does not run: nobody publishes the time of a simulation or bag."""
        if self._node.get_clock().now().nanoseconds:
            self._clockless = 0
            self._monitor.received(CLOCK)
            return
        self._clockless += 1
        if self._clockless > MAX_CLOCKLESS:
            text = "use_sim_time is true, but no time has come on /clock (ros2 bag play --clock)"
            self._monitor.report_missing(CLOCK, text)

    def status(self) -> DiagnosticStatus:
        """Return the node's current status."""
        idle = self._idle_reason() if self._state == "active" else ""
        state = f"{self._state}, {idle}" if idle else self._state
        level, message = self._summary(state)
        return DiagnosticStatus(
            level=level,
            name=f"{self._node.get_fully_qualified_name()}: {STATUS_NAME}",
            message=message,
            hardware_id=HARDWARE_ID,
            values=[KeyValue(key=k, value=v) for k, v in self._values(state).items()],
        )

    def _summary(self, state: str) -> tuple[bytes, str]:
        monitor = self._monitor
        if self.fault:
            return DiagnosticStatus.ERROR, f"{state}: {self.fault}"
        if self._state == "active":
            if monitor.errors:
                return DiagnosticStatus.ERROR, "; ".join(monitor.errors)
            warnings = [*monitor.missing.values(), *monitor.warnings]
            if warnings:
                return DiagnosticStatus.WARN, "; ".join(warnings)
        return DiagnosticStatus.OK, state

    def _values(self, state: str) -> dict[str, str]:
        monitor = self._monitor
        values = {"state": state, "awaited": ", ".join(monitor.missing) or "nothing"}
        values |= {key: self.model.get(key, "none") for key in ("weights", "device", "runtime")}
        values["rate (Hz)"] = f"{monitor.rate:.2f}"
        latencies = monitor.latencies
        found = (
            np.percentile(latencies, LATENCY_PERCENTILES)
            if latencies
            else [None] * len(LATENCY_PERCENTILES)
        )
        for percent, latency in zip(LATENCY_PERCENTILES, found, strict=True):
            values[f"latency p{percent} (ms)"] = milliseconds(latency)
        values["age (ms)"] = milliseconds(monitor.age)
        ages = self._source_ages()
        values["sources"] = str(len(ages))
        values["source ages (s)"] = " ".join(f"{age:.1f}" for age in ages) or "none"
        values["published"] = str(monitor.counts["published"])
        for kind, count in sorted(monitor.counts.items()):
            if kind != "published":
                values[f"dropped, {kind}"] = str(count)
        return values


def milliseconds(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds * 1e3:.1f}"


def weights_id(folder: Path) -> str:
    """Return the name and the hash of a weights folder, which identify the model."""
    return f"{folder.resolve().name} {fingerprint(folder)[:12]}"
