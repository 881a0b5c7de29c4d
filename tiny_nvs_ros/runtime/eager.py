"""The model in torch, operation by operation: the reference that every device can run."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike

from tiny_nvs_ros.geometry import orbit, relative_pose
from tiny_nvs_ros.model import ModelConfig, NovelViewModel, NovelViews
from tiny_nvs_ros.model.novel_view_model import BATCH


class EagerRenderer:
    """Renders novel views with NovelViewModel as it is."""

    name = "eager"

    def __init__(self, weights: str | Path, device: str):
        if device == "cpu":
            # Threads wait for each other after every tiny operation: with all cores busy elsewhere
            # too, that costs many times more than a core. Half of them is for others.
            cores = len(os.sched_getaffinity(0))
            torch.set_num_threads(max(1, min(torch.get_num_threads(), cores // 2)))
        self._model = NovelViewModel.from_pretrained(weights, device)
        self.device = device

    @property
    def config(self) -> ModelConfig:
        return self._model.config

    def generate(
        self,
        image: np.ndarray,
        poses: ArrayLike,
        samples: int = 1,
        seed: int | None = None,
        steps: int | None = None,
        source_pose: ArrayLike | None = None,
        heading_known: bool = True,
        on_step: Callable[[], None] = lambda: None,
    ) -> NovelViews:
        """As NovelViewModel.generate. Raises MemoryError where the device's memory is full."""
        try:
            return self._model.generate(
                image,
                poses,
                samples,
                seed,
                steps=steps,
                source_pose=source_pose,
                heading_known=heading_known,
                on_step=on_step,
            )
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            reason = str(error)
        # Here the error is gone, and with it what it held of the failed run's tensors.
        if self.device != "cpu":
            torch.cuda.empty_cache()
        raise MemoryError(f"{self.device} has no memory left: {reason}")

    def warm_up(self, views: int, samples: int = 1) -> None:
        """Pay the first run's costs now: allocations and the choice of kernels."""
        blank = np.full((self.config.size, self.config.size, 3), 255, np.uint8)
        poses = orbit(max(1, min(views * samples, BATCH)))  # more are further runs of the same
        self.generate(blank, relative_pose(poses[0], poses), seed=0, steps=2, source_pose=poses[0])


def is_out_of_memory(error: RuntimeError) -> bool:
    # On a CPU torch has no class for it.
    return isinstance(error, torch.cuda.OutOfMemoryError) or "can't allocate memory" in str(error)
