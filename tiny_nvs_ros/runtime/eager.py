"""The model in torch, operation by operation: the reference that every device can run."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from tiny_nvs_ros.model import NovelViewModel, NovelViews
from tiny_nvs_ros.runtime.renderer import Renderer, free_cores


class EagerRenderer(Renderer):
    """Renders novel views with NovelViewModel as it is."""

    name = "eager"

    def __init__(self, weights: str | Path, device: str, threads: int | None = None):
        if device == "cpu":
            # They wait for each other after every tiny operation: with all cores busy elsewhere
            # too, that costs many times more than a core.
            torch.set_num_threads(threads or min(torch.get_num_threads(), free_cores()))
        self._model = NovelViewModel.from_pretrained(weights, device)
        self.device, self.config = device, self._model.config

    def generate(
        self,
        image: np.ndarray,
        poses: ArrayLike,
        samples: int = 1,
        seed: int | None = None,
        steps: int | None = None,
        **told: Any,
    ) -> NovelViews:
        try:
            return self._model.generate(image, poses, samples, seed, steps, **told)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            reason = str(error)
        # Here the error is gone, and with it what it held of the failed run's tensors.
        if self.device != "cpu":
            torch.cuda.empty_cache()
        raise MemoryError(f"{self.device} has no memory left: {reason}")

    def warm_up(self, views: int, samples: int = 1, steps: int | None = None) -> None:
        super().warm_up(views, samples, 2)  # all steps are alike


def is_out_of_memory(error: RuntimeError) -> bool:
    # On a CPU torch has no class for it.
    return isinstance(error, torch.cuda.OutOfMemoryError) or "can't allocate memory" in str(error)
