"""Shared parts of the commands: exit codes and the option --device."""

import argparse
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from safetensors import SafetensorError


@contextmanager
def exit_on_error(parser: argparse.ArgumentParser) -> Iterator[None]:
    """End the process with one line instead of a traceback.

    The exit code is 2 for errors that the user can correct, and 130 for Ctrl-C, as in shells, and
    for SIGTERM, which lets contexts end what they began.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except (ValueError, OSError, FloatingPointError, SafetensorError) as error:
        parser.exit(2, f"error: {error}\n")
    except KeyboardInterrupt as stop:
        parser.exit(130, f"{str(stop) or 'interrupted'}\n")
    finally:
        signal.signal(signal.SIGTERM, before)


class Stopped(KeyboardInterrupt):
    """A signal ended the training between two iterations; everything is saved."""


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM, so that a run ends between two iterations."""
    received: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(s, lambda number, _frame: received.append(number)) for s in signals]
    try:
        yield received
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the option --device, for `check_device`."""
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=default, help="cpu, cuda, cuda:1 ... (%(default)s)")


def check_device(name: str) -> None:
    """Raise ValueError if there is no such device."""
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise ValueError(f"no device {name!r}; there is cpu and cuda (cuda:1 ...)")
    if name != "cpu":
        there = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(name.partition(":")[2] or 0) >= there:
            raise ValueError(
                f"device {name!r} was asked for, but torch {torch.__version__} sees {there} CUDA "
                "GPUs; use --device cpu"
            )
