"""What becomes of the images, counted and timed, and what is said of it: once, or seldom."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from rclpy.node import Node

QUIET = 10.0  # s between two logs of the same kind
RECENT = 10.0  # s that a problem counts as one of now; the span of `rate`, too
SILENCE = 5.0  # s after which a stream has stopped, if it was a fast one
SLOW = 3  # images' intervals after which a slow one has
ORPHANED = 60.0  # s after which nobody waits any more for what was said to be awaited
STALL = 30.0  # s in which images come and overtake one another, and none is published
WINDOW = 60.0  # s: the span of `latencies`
KEPT = 4096  # latencies
OVERTAKEN = "newer image"  # what an image is dropped as when a newer one takes its place


@dataclass
class Absence:
    """Something that is awaited. text: what is said of it. said: whether it was. asserted: when it
    was found missing last (s)."""

    text: str
    said: bool
    asserted: float


@dataclass
class Stream:
    """Messages that should come on and on. last: when one came. patience: how long until the next
    one is missed. Both s."""

    last: float | None = None
    patience: float = SILENCE


class Account:
    """counts: images published, and images dropped by reason. age: of the last image published when
    it was, from its stamp (s; None: it had none, or there was no image)."""

    def __init__(self, node: Node, now: Callable[[], float] = time.monotonic):
        self._node = node
        self._now = now
        self._begin()

    def _begin(self) -> None:
        self.counts: Counter[str] = Counter()
        self.age: float | None = None
        self._absences: dict[str, Absence] = {}
        self._streams: dict[str, Stream] = {}
        self._quiet_until: dict[str, float] = {}
        self._errors: dict[str, tuple[float, str]] = {}  # when last, and what
        self._warnings: dict[str, tuple[float, str]] = {}
        self._published: deque[tuple[float, float]] = deque(maxlen=KEPT)  # when, after how long
        self._overtaken_since, self._overtaken_last = inf, -inf

    # What does not come

    def expects(self, what: str) -> None:
        """A stream: awaited from now on, and again whenever it stops (`listen` says so)."""
        self._streams[what] = Stream()
        self.listen()

    def awaits(self, what: str, text: str) -> None:
        """Say once that something is awaited; `came` says when it is there."""
        absence = self._absences.setdefault(what, Absence(text, False, 0.0))
        absence.text, absence.asserted = text, self._now()
        absence.said = absence.said or self._say(what, text)

    def came(self, what: str) -> None:
        stream = self._streams.get(what)
        if stream:
            now = self._now()
            if stream.last is not None:
                stream.patience = max(SILENCE, SLOW * (now - stream.last))
            stream.last = now
        absence = self._absences.pop(what, None)
        if absence and absence.said:
            self._node.get_logger().info(f"{what} is there")

    def forget(self, what: str) -> None:
        """Nobody waits for it any more."""
        self._absences.pop(what, None)
        self._streams.pop(what, None)

    def listen(self) -> None:
        """Find out which streams have stopped. To be called every second or so."""
        now = self._now()
        for what, stream in self._streams.items():
            if stream.last is None:
                self.awaits(what, f"no {what} yet")
            elif now - stream.last > stream.patience:
                self.awaits(what, f"no {what} for {stream.patience:.0f} s")

    @property
    def awaited(self) -> dict[str, str]:
        """What is awaited and has not come, and what was said of it."""
        since = self._now() - ORPHANED
        absences = sorted(self._absences.items())
        return {what: absence.text for what, absence in absences if absence.asserted > since}

    # What becomes of the images

    def published(self, latency: float, age: float | None) -> None:
        """Count an image whose views are published. latency: from its arrival to that, age: from
        its stamp (None: it has none); s."""
        self.counts["published"] += 1
        self.age = age
        self._published.append((self._now(), latency))
        self._overtaken_since = inf

    def dropped(self, kind: str, reason: str = "") -> None:
        """Count an image that is dropped; where the reason needs words, they are said."""
        self.counts[kind] += 1
        if kind == OVERTAKEN:
            now = self._now()
            if now - self._overtaken_last > RECENT or self._overtaken_since == inf:
                self._overtaken_since = now
            self._overtaken_last = now
        if reason:
            self.warn(kind, f"image dropped, {kind}: {reason}")

    @property
    def rate(self) -> float:
        """Images published a second (Hz)."""
        since = self._now() - RECENT
        return sum(when > since for when, _ in self._published) / RECENT

    @property
    def latencies(self) -> list[float]:
        """Of the images published lately (s)."""
        since = self._now() - WINDOW
        return [latency for when, latency in self._published if when > since]

    # What goes wrong

    def warn(self, kind: str, text: str) -> None:
        """Log, unless something of that kind was logged just now."""
        self._warnings[kind] = (self._now(), text)
        self._say(kind, text)

    def error(self, kind: str, text: str) -> None:
        """Log an error, traceback and all, unless one of that kind was logged just now."""
        self._errors[kind] = (self._now(), text)
        self._say(kind, text, error=True)

    @property
    def errors(self) -> list[str]:
        """What went wrong just now, each in one line: a traceback's is its last."""
        return self._recent(self._errors)

    @property
    def warnings(self) -> list[str]:
        """What was to be warned of just now, each in one line."""
        now = self._now()
        stalled = now - self._overtaken_since
        texts = self._recent(self._warnings)
        if stalled > STALL and now - self._overtaken_last < RECENT:
            texts.append(f"images come, but no views for {stalled:.0f} s: slow, or it hangs")
        return texts

    def _recent(self, texts: dict[str, tuple[float, str]]) -> list[str]:
        since = self._now() - RECENT
        return [text.strip().splitlines()[-1] for when, text in texts.values() if when > since]

    def _say(self, kind: str, text: str, error: bool = False) -> bool:
        """Log, unless something of that kind was logged just now; whether it was."""
        now = self._now()
        # After the shutdown /rosout is closed, and the logger would complain of that.
        if not self._node.context.ok() or now < self._quiet_until.get(kind, -inf):
            return False
        self._quiet_until[kind] = now + QUIET
        logger = self._node.get_logger()
        # rclpy ties each place of a call to one severity.
        if error:
            logger.error(text)
        else:
            logger.warning(text)
        return True

    def close(self) -> str:
        """Begin anew. Returns the sum of it all."""
        counts = ", ".join(f"{kind} {count}" for kind, count in sorted(self.counts.items()))
        self._begin()
        return f"images: {counts or 'none'}"
