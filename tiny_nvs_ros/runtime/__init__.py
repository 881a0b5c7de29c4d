"""Runtimes: how a model runs on a device. `load` chooses one."""

from tiny_nvs_ros.runtime.loader import RUNTIMES, best_runtime, describe_gpus, gpu_count, load
from tiny_nvs_ros.runtime.renderer import Renderer

__all__ = ["RUNTIMES", "Renderer", "best_runtime", "describe_gpus", "gpu_count", "load"]
