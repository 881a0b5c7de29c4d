"""What the commands of this folder share: how they end, and on which device they run."""

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def tidy_exit(parser: argparse.ArgumentParser) -> Iterator[None]:
    """Ends the process with one line instead of a traceback.

    With code 2 for what the user can mend, and 130, as shells do, for Ctrl-C.
    """
    try:
        yield
    except (ValueError, OSError, FloatingPointError) as error:
        parser.exit(2, f"error: {error}\n")
    except KeyboardInterrupt as stop:
        parser.exit(130, f"{str(stop) or 'interrupted'}\n")


def add_device(parser: argparse.ArgumentParser) -> None:
    """The option --device, for `check_device`."""
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=default, help="cpu, cuda, cuda:1 ... (%(default)s)")


def check_device(name: str) -> None:
    """Raises ValueError where there is no such device."""
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise ValueError(f"no device {name!r}; there is cpu and cuda (cuda:1 ...)")
    if name != "cpu":
        there = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(name.partition(":")[2] or 0) >= there:
            raise ValueError(
                f"device {name!r} was asked for, but torch {torch.__version__} sees {there} CUDA "
                "GPUs; use --device cpu"
            )
