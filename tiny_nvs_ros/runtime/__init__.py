"""How a model runs on a device."""

from pathlib import Path

import torch

from tiny_nvs_ros.runtime.eager import EagerRenderer

RUNTIMES = ("auto", "eager")
DEVICES = ("auto", "cpu", "cuda")


def load(weights: str | Path, device: str = "auto", runtime: str = "auto") -> EagerRenderer:
    """A renderer for a weights folder.

    device: "cpu", "cuda" (also "cuda:1"), or "auto" for a GPU where there is one. runtime: "auto"
    or "eager". Raises ValueError for a device that is not there and for weights that cannot be
    used, FileNotFoundError where they are missing.
    """
    if runtime not in RUNTIMES:
        raise ValueError(f"no runtime {runtime!r}; there is {', '.join(RUNTIMES)}")
    if device.split(":")[0] not in DEVICES:
        raise ValueError(f"no device {device!r}; there is {', '.join(DEVICES)}")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    elif device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"device {device!r} was asked for, but torch {torch.__version__} sees no "
                         "CUDA GPU; use cpu or auto")  # fmt: skip
    return EagerRenderer(weights, device)
