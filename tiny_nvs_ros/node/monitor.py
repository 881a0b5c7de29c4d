"""Counts images and latencies; rate-limits log messages."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from rclpy.node import Node

from tiny_nvs_ros.node.rejection import NEWER_IMAGE

LOG_PERIOD_S = 10.0  # between two log messages of the same kind
RECENT_S = 10.0  # how long a problem counts as current; also the span of `rate`
STREAM_TIMEOUT_S = 5.0  # without a message, after which a fast stream has stopped
STREAM_TIMEOUT_INTERVALS = 3  # of its messages, after which a slow stream has stopped
HINT_AFTER_S = 2.0  # without a first message, after which advice is useful
MISSING_EXPIRES_S = 60.0  # without another report, after which an input no longer counts as missing
STALL_S = 30.0  # in which images supersede one another and none is published
LATENCY_WINDOW_S = 60.0  # span of `latencies`
MAX_LATENCIES = 4096


@dataclass
class MissingReport:
    """An input that is missing. recovered: the log message when it arrives. text: the log message
    now. logged: whether one was logged. hint: the last advice that was logged. reported: when it
    was last found missing, s."""

    recovered: str
    text: str = ""
    logged: bool = False
    hint: str = ""
    reported: float = 0.0


@dataclass
class Stream:
    """A topic on which messages should keep coming. last: arrival of the last one, None before the
    first; timeout: how long until the next one is missing. Both s. recovered: the log message when
    messages come again. hint: returns advice if the first message does not come. since: when it
    was expected first, s."""

    recovered: str
    hint: Callable[[], str]
    since: float
    last: float | None = None
    timeout: float = STREAM_TIMEOUT_S


class Monitor:
    """Records what happens to the node's inputs and images, for the log and for diagnostics.

    Each missing input is logged once, and again when it arrives. Other log messages of a kind are
    at least LOG_PERIOD_S apart.

    counts: images published, and images dropped by reason. age: of the last published image when
    it was published, from its stamp (s; None without a stamp or before the first image).
    """

    def __init__(self, node: Node, now: Callable[[], float] = time.monotonic):
        self._node = node
        self._now = now
        self._clear()

    def _clear(self) -> None:
        self.counts: Counter[str] = Counter()
        self.age: float | None = None
        self._missing: dict[str, MissingReport] = {}
        self._streams: dict[str, Stream] = {}
        self._next_log: dict[str, float] = {}  # s, by kind
        self._errors: dict[str, tuple[float, str]] = {}  # time and text of the last one, by kind
        self._warnings: dict[str, tuple[float, str]] = {}
        self._published: deque[tuple[float, float]] = deque(maxlen=MAX_LATENCIES)  # time, latency
        self._stalled_since, self._superseded_last = inf, -inf

    # Missing inputs

    def expect_stream(
        self, what: str, recovered: str = "", hint: Callable[[], str] = lambda: ""
    ) -> None:
        """Report a stream missing from now on until it comes, and whenever it stops."""
        self._streams[what] = Stream(recovered, hint, self._now())
        self.check_streams()

    def report_missing(self, what: str, text: str, recovered: str = "", hint: str = "") -> None:
        """Log once that an input is missing; `received` logs its arrival.

        recovered: the log message then; "receiving WHAT" if it is empty. hint: advice in the text;
        a new one is logged again.
        """
        report = self._missing.setdefault(what, MissingReport(recovered))
        report.text, report.reported = text, self._now()
        if hint and hint != report.hint:
            report.logged = self._log(f"{what}: {hint}", text) or report.logged
            report.hint = hint
        elif not report.logged:
            report.logged = self._log(what, text)

    def received(self, what: str) -> None:
        """Record that an input has arrived."""
        stream = self._streams.get(what)
        if stream:
            now = self._now()
            if stream.last is not None:
                stream.timeout = max(
                    STREAM_TIMEOUT_S, STREAM_TIMEOUT_INTERVALS * (now - stream.last)
                )
            stream.last = now
        report = self._missing.pop(what, None)
        if report and report.logged:
            self._node.get_logger().info(report.recovered or f"receiving {what}")

    def forget(self, what: str) -> None:
        """Stop expecting an input."""
        self._missing.pop(what, None)
        self._streams.pop(what, None)

    def check_streams(self) -> None:
        """Report the streams that have stopped. Call it about once a second."""
        now = self._now()
        for what, stream in self._streams.items():
            if stream.last is None:
                hint = stream.hint() if now - stream.since > HINT_AFTER_S else ""
                text = f"no {what} yet; {hint}" if hint else f"no {what} yet"
                self.report_missing(what, text, stream.recovered, hint)
            elif now - stream.last > stream.timeout:
                text = f"no {what} for {stream.timeout:.0f} s"
                self.report_missing(what, text, stream.recovered)

    @property
    def missing(self) -> dict[str, str]:
        """The inputs that are missing now, with their log messages."""
        since = self._now() - MISSING_EXPIRES_S
        reports = sorted(self._missing.items())
        return {what: report.text for what, report in reports if report.reported > since}

    # Images

    def published(self, latency: float, age: float | None) -> None:
        """Count an image whose views are published.

        latency: from its arrival until now; age: from its stamp until now, None without a stamp. s.
        """
        self.counts["published"] += 1
        self.age = age
        self._published.append((self._now(), latency))
        self._stalled_since = inf

    def dropped(self, kind: str, reason: str = "") -> None:
        """Count an image that is dropped; log the reason if there is one."""
        self.counts[kind] += 1
        if kind == NEWER_IMAGE:
            now = self._now()
            if now - self._superseded_last > RECENT_S or self._stalled_since == inf:
                self._stalled_since = now
            self._superseded_last = now
        if reason:
            self.warn(kind, f"image dropped, {kind}: {reason}")

    @property
    def rate(self) -> float:
        """Images published per second (Hz)."""
        since = self._now() - RECENT_S
        return sum(when > since for when, _ in self._published) / RECENT_S

    @property
    def latencies(self) -> list[float]:
        """Latencies of the images published in the last LATENCY_WINDOW_S (s)."""
        since = self._now() - LATENCY_WINDOW_S
        return [latency for when, latency in self._published if when > since]

    # Errors and warnings

    def warn(self, kind: str, text: str) -> None:
        """Log a warning, unless one of that kind was logged recently."""
        self._warnings[kind] = (self._now(), text)
        self._log(kind, text)

    def error(self, kind: str, text: str) -> None:
        """Log an error, unless one of that kind was logged recently. text: may be a traceback."""
        self._errors[kind] = (self._now(), text)
        self._log(kind, text, error=True)

    @property
    def errors(self) -> list[str]:
        """The recent errors, one line each: the last line of a traceback."""
        return self._recent(self._errors)

    @property
    def warnings(self) -> list[str]:
        """The recent warnings, one line each."""
        now = self._now()
        stalled = now - self._stalled_since
        texts = self._recent(self._warnings)
        if stalled > STALL_S and now - self._superseded_last < RECENT_S:
            texts.append(f"images come, but no views for {stalled:.0f} s: slow, or it hangs")
        return texts

    def _recent(self, texts: dict[str, tuple[float, str]]) -> list[str]:
        since = self._now() - RECENT_S
        return [text.strip().splitlines()[-1] for when, text in texts.values() if when > since]

    def _log(self, kind: str, text: str, error: bool = False) -> bool:
        """Log, unless a message of that kind was logged recently. Returns whether it did."""
        now = self._now()
        # After the shutdown /rosout is closed, and the logger would complain.
        if not self._node.context.ok() or now < self._next_log.get(kind, -inf):
            return False
        self._next_log[kind] = now + LOG_PERIOD_S
        logger = self._node.get_logger()
        # rclpy ties each call site to one severity.
        if error:
            logger.error(text)
        else:
            logger.warning(text)
        return True

    def reset(self) -> str:
        """Discard everything recorded. Returns a summary of the counts."""
        counts = ", ".join(f"{kind} {count}" for kind, count in sorted(self.counts.items()))
        self._clear()
        return f"images: {counts or 'none'}"
