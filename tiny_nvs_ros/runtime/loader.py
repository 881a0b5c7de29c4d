"""Loads weights into the runtime that suits the device."""

import re
import sys
from glob import glob
from importlib.util import find_spec
from pathlib import Path

from tiny_nvs_ros.model.config import read_config
from tiny_nvs_ros.runtime.onnx import FILE, OnnxRenderer
from tiny_nvs_ros.runtime.renderer import Renderer

RUNTIMES = ("auto", "eager", "onnx", "cuda_graph")
NVIDIA_DEVICES = ("/dev/nvidia*", "/dev/nvhost*", "/dev/nvmap", "/dev/dxg")  # PC, Jetson, WSL


def load(
    weights: str | Path,
    device: str = "auto",
    runtime: str = "auto",
    threads: int | None = None,
) -> Renderer:
    """Return a renderer for a weights folder.

    device: "cpu", "cuda" (also "cuda:1"), or "auto" for a GPU if there is one. runtime: "eager"
    (torch, any model), "onnx" (CPU), "cuda_graph" (GPU), or "auto" for the fastest available.
    torch is imported only if it is needed. threads: on a CPU, None for half of the cores (onnx
    takes both of two cores).
    Raises ValueError for a runtime or device that is not available and for weights that cannot be
    used, FileNotFoundError if they are missing, and ImportError if python lacks a package that the
    runtime needs.
    """
    if runtime not in RUNTIMES:
        raise ValueError(f"no runtime {runtime!r}; there is {', '.join(RUNTIMES)}")
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise ValueError(f"no device {device!r}; there is auto, cpu, cuda, cuda:1 ...")
    if device == "auto":
        device = "cpu" if runtime == "onnx" or not gpu_count() else "cuda"
    elif device != "cpu" and int(device.partition(":")[2] or 0) >= gpu_count():
        raise ValueError(f"device {device!r} was asked for, but {describe_gpus()}; use cpu or auto")
    if runtime == "auto":
        runtime = best_runtime(Path(weights), device)
    if runtime == "onnx":
        return OnnxRenderer(weights, device, threads)
    if missing := [name for name in ("torch", "safetensors") if not find_spec(name)]:
        raise ImportError(
            f"{' and '.join(missing)} not found by {sys.executable}, which the runtime {runtime} "
            f"needs; on the CPU, onnxruntime would do for weights with a {FILE}"
        )
    if runtime == "cuda_graph":
        from tiny_nvs_ros.runtime.cuda_graph import CudaGraphRenderer

        return CudaGraphRenderer(weights, device)
    from tiny_nvs_ros.runtime.eager import EagerRenderer

    return EagerRenderer(weights, device, threads)


def best_runtime(weights: Path, device: str) -> str:
    """Return the runtime that "auto" takes."""
    if not read_config(weights).exportable:
        return "eager"
    if device != "cpu":
        return "cuda_graph"
    available = find_spec("onnxruntime") and (weights / FILE).is_file()
    return "onnx" if available else "eager"


def gpu_count() -> int:
    """Return how many CUDA GPUs torch can use."""
    if not any(map(glob, NVIDIA_DEVICES)) or not find_spec("torch"):
        return 0
    import torch

    # device_count alone also counts those whose driver torch cannot use.
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def describe_gpus() -> str:
    """Describe which GPUs are visible."""
    if count := gpu_count():
        return f"torch sees {count} CUDA GPU"
    if not any(map(glob, NVIDIA_DEVICES)):
        return "this machine has no NVIDIA GPU"
    if not find_spec("torch"):
        return "torch, which would see a GPU, is not installed"
    import torch

    return f"torch {torch.__version__} sees no CUDA GPU"
