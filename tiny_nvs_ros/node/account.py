"""What became of the images, counted, and what is said of it: once, or seldom."""

import time
from collections import Counter

from rclpy.node import Node

QUIET = 10.0  # s between two logs of the same kind


class Account:
    """counts: images published, and images dropped by reason."""

    def __init__(self, node: Node):
        self._node = node
        self.counts: Counter[str] = Counter()
        self._awaited: set[str] = set()
        self._quiet_until: dict[str, float] = {}

    @property
    def awaited(self) -> list[str]:
        """What was said to be awaited and has not come."""
        return sorted(self._awaited)

    def awaits(self, what: str, text: str) -> None:
        """Say once that something is awaited; `came` says when it is there."""
        if what not in self._awaited and self.warn(what, text):
            self._awaited.add(what)

    def came(self, what: str) -> None:
        if what in self._awaited:
            self._awaited.remove(what)
            self._node.get_logger().info(f"{what} is there")

    def dropped(self, kind: str, reason: str = "") -> None:
        """Count an image that is dropped; where the reason needs words, they are said."""
        self.counts[kind] += 1
        if reason:
            self.warn(kind, f"image dropped, {kind}: {reason}")

    def warn(self, kind: str, text: str) -> bool:
        """Log, unless something of that kind was logged just now; whether it was."""
        now = time.monotonic()
        # After the shutdown /rosout is closed, and the logger would complain of that.
        if not self._node.context.ok() or now < self._quiet_until.get(kind, 0.0):
            return False
        self._quiet_until[kind] = now + QUIET
        self._node.get_logger().warning(text)
        return True

    def close(self) -> str:
        """Begin anew. Returns the sum of it all."""
        counts = ", ".join(f"{kind} {count}" for kind, count in sorted(self.counts.items()))
        self.counts.clear()
        self._awaited.clear()
        self._quiet_until.clear()
        return f"images: {counts or 'none'}"
