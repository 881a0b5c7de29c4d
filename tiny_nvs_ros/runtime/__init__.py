"""How a model runs on a device."""

import re
from pathlib import Path

import torch

from tiny_nvs_ros.runtime.eager import EagerRenderer

RUNTIMES = ("auto", "eager")


def load(weights: str | Path, device: str = "auto", runtime: str = "auto") -> EagerRenderer:
    """A renderer for a weights folder.

    device: "cpu", "cuda" (also "cuda:1"), or "auto" for a GPU where there is one. runtime: "auto"
    or "eager". Raises ValueError for a device that is not there and for weights that cannot be
    used, FileNotFoundError where they are missing.
    """
    if runtime not in RUNTIMES:
        raise ValueError(f"no runtime {runtime!r}; there is {', '.join(RUNTIMES)}")
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise ValueError(f"no device {device!r}; there is auto, cpu, cuda, cuda:1 ...")
    if device == "auto":
        device = "cuda" if gpu_count() else "cpu"
    elif device != "cpu" and int(device.partition(":")[2] or 0) >= gpu_count():
        raise ValueError(f"device {device!r} was asked for, but {seen_gpus()}; use cpu or auto")
    return EagerRenderer(weights, device)


def gpu_count() -> int:
    # device_count alone also counts those whose driver torch cannot use.
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def seen_gpus() -> str:
    """What torch sees of GPUs, in words."""
    return f"torch {torch.__version__} sees {gpu_count() or 'no'} CUDA GPU"
