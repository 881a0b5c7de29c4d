"""Explains why TF does not know a transform, from what was received on /tf and /tf_static."""

import difflib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rclpy.time import Time

from tiny_nvs_ros.node.conversions import nanoseconds

TF_TYPE = "tf2_msgs/msg/TFMessage"
STOPPED_S = 2.0  # without a message, after which a frame has stopped
OTHER_CLOCK_S = 60.0  # between the stamps of an image and of TF, if different clocks made them


@dataclass
class FrameHistory:
    """Statistics of the messages about one frame.

    parent: its parent frame; messages: their number; stamps: the number of different stamps;
    newest: the newest stamp, ns; arrival: of the last message, s of the steady clock.
    """

    parent: str
    static: bool
    messages: int = 0
    stamps: int = 0
    newest: int = -1
    arrival: float = 0.0


class TransformHistory:
    """Records the frames that TF receives, and explains why a lookup fails."""

    def __init__(self, node: Node, steady: Callable[[], float] = time.monotonic):
        self._node, self._steady = node, steady
        self._frames: dict[str, FrameHistory] = {}

    def record(self, transform: TransformStamped, static: bool) -> None:
        """Record a transform that was received on /tf, or on /tf_static."""
        parent, child = transform.header.frame_id.lstrip("/"), transform.child_frame_id.lstrip("/")
        history = self._frames.get(child)
        if history is None or (history.parent, history.static) != (parent, static):
            history = self._frames[child] = FrameHistory(parent, static)
        stamp = nanoseconds(transform.header.stamp)
        history.messages += 1
        history.stamps += stamp > history.newest
        history.newest = max(history.newest, stamp)
        history.arrival = self._steady()

    def clear(self) -> None:
        """Discard the moving frames, as TF does when time jumps back."""
        self._frames = {name: each for name, each in self._frames.items() if each.static}

    def hint(self, target: str, source: str, stamp: Time, timeout: float) -> str:
        """Return advice for a lookup of target <- source that failed; empty if there is none.

        timeout: how long it waited, s. The advice has no numbers that change from call to call.
        """
        known = set(self._frames) | {each.parent for each in self._frames.values()}
        unknown = [frame for frame in (target, source) if frame not in known]
        if unknown:
            return "; ".join([*self._similar(unknown, known), *self._topics()])
        for name in (*self._ancestry(target), *self._ancestry(source)):
            if advice := self._moving_frame(name, stamp.nanoseconds, timeout):
                return advice
        connected = self._root(target) == self._root(source)
        return "" if connected else "; ".join(self._topics())

    def _ancestry(self, frame: str) -> Iterator[str]:
        """Yield a frame and its ancestors but the root."""
        seen = set()
        while frame in self._frames and frame not in seen:
            seen.add(frame)
            yield frame
            frame = self._frames[frame].parent

    def _root(self, frame: str) -> str:
        *_, last = [frame, *self._ancestry(frame)]
        return self._frames[last].parent if last in self._frames else last

    def _moving_frame(self, name: str, stamp: int, timeout: float) -> str:
        """Return advice for a frame on /tf that has no transform at a stamp (ns; 0: any)."""
        frame = self._frames[name]
        if frame.static:
            return ""
        if 0 < stamp <= frame.newest:
            far = frame.newest - stamp > OTHER_CLOCK_S * 1e9
            return self._clocks(name) if far else ""
        if frame.messages == 1:
            return (
                f"{name!r} was sent only once, on /tf: publish it on /tf_static if it does not "
                f"move, else at least every {timeout:g} s (tf_timeout)"
            )
        if frame.stamps == 1:
            return (
                f"{name!r} is sent on /tf with a stamp that never changes: publish it on "
                "/tf_static if it does not move, else stamp it with the time of its pose"
            )
        if stamp and stamp - frame.newest > OTHER_CLOCK_S * 1e9:
            return self._clocks(name)
        if self._steady() - frame.arrival > max(timeout, STOPPED_S):
            return f"{name!r} is no longer sent on /tf"
        return ""

    def _clocks(self, name: str) -> str:
        return (
            f"the image and {name!r} are stamped more than a minute apart: by different clocks, or "
            "one of them without use_sim_time"
        )

    def _similar(self, unknown: list[str], known: set[str]) -> Iterator[str]:
        for frame in unknown:
            suffix = [name for name in sorted(known) if name.endswith(f"/{frame}")]
            if similar := suffix or difflib.get_close_matches(frame, known, n=1):
                yield f"there is no frame {frame!r}, but {similar[0]!r}"

    def _topics(self) -> Iterator[str]:
        """Yield advice if TF is published where the node does not receive it."""
        node = self._node
        tf, tf_static = (node.resolve_topic_name(name) for name in ("/tf", "/tf_static"))
        for name, types in sorted(node.get_topic_names_and_types()):
            if TF_TYPE in types and name.endswith("/tf") and name != tf:
                namespace = name.removesuffix("/tf")
                yield (
                    f"transforms are published on {name}: start the node with "
                    f"-r /tf:={name} -r /tf_static:={namespace}/tf_static (nvs.launch.py: "
                    f"tf_namespace:={namespace})"
                )
                break
        publishers = [(tf, each) for each in node.get_publishers_info_by_topic("/tf")]
        static = [(tf_static, each) for each in node.get_publishers_info_by_topic("/tf_static")]
        if any(each.qos_profile.durability == DurabilityPolicy.VOLATILE for _, each in static):
            yield f"a publisher of {tf_static} is volatile, so ignored: make it transient_local"
        for name, each in publishers + static:
            if each.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT:
                yield f"a publisher of {name} is best effort, so ignored: make it reliable"
                break
