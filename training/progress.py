"""A progress bar on a terminal; a line now and then in a log file or a pipe."""

import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TextIO, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
LOG_PERIOD_S = 30.0


class Progress:
    """Counts up to `total` and shows it on stderr.

    On a terminal this is a tqdm bar. Elsewhere it is one line every LOG_PERIOD_S, and one at the
    end, because a bar would write a line for every redraw:

        train: 1200/5000 (24 %), 3.1 frame/s, 20 min left

    total: None if it is not known. unit: what is counted. Use as a context manager.
    """

    def __init__(
        self,
        total: int | None,
        name: str = "",
        unit: str = "it",
        initial: int = 0,
        stream: TextIO | None = None,
    ):
        self.stream = stream or sys.stderr
        self.total, self.name, self.unit = total, name, unit
        self.done, self.initial = initial, initial
        self.status = ""
        self.start = self.last_line = time.monotonic()
        self.bar = None
        if self.stream.isatty():
            self.bar = tqdm(
                total=total, desc=name or None, unit=unit, initial=initial, file=self.stream
            )

    def update(self, count: int = 1) -> None:
        """Count `count` more."""
        self.done += count
        if self.bar is not None:
            self.bar.update(count)
        elif time.monotonic() - self.last_line >= LOG_PERIOD_S:
            self._write_line()

    def set_status(self, text: str) -> None:
        """Show `text`, such as the loss, behind the count; it appears with the next line."""
        self.status = text
        if self.bar is not None:
            self.bar.set_postfix_str(text, refresh=False)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        elif self.done > self.initial:
            self._write_line(final=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _write_line(self, final: bool = False) -> None:
        self.last_line = time.monotonic()
        seconds = max(self.last_line - self.start, 1e-9)
        rate = (self.done - self.initial) / seconds
        line = f"{self.name}: " if self.name else ""
        line += f"{self.done}"
        if self.total:
            line += f"/{self.total} ({100 * self.done // self.total} %)"
        line += f", {rate:.3g} {self.unit}/s" if rate >= 1 else f", {1 / rate:.3g} s/{self.unit}"
        if self.total and self.done < self.total and not final:
            line += f", {_duration((self.total - self.done) / rate)} left"
        line += f", {self.status}" if self.status else ""
        print(line, file=self.stream, flush=True)


def track(
    items: Iterable[Item], total: int | None = None, name: str = "", unit: str = "it"
) -> Iterator[Item]:
    """Yield the items and show the progress; total: their number (len(items) if it has one)."""
    if total is None and hasattr(items, "__len__"):
        total = len(items)
    with Progress(total, name, unit) as progress:
        for item in items:
            yield item
            progress.update()


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{round(seconds)} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
