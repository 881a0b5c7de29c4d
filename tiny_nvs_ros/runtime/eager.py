"""The model in torch, operation by operation: the reference, on every device."""

from collections.abc import Callable
from pathlib import Path

import torch

from tiny_nvs_ros.model import NovelViewModel, ViewRequest, ViewSamples
from tiny_nvs_ros.runtime.renderer import Renderer, half_of_cores


class EagerRenderer(Renderer):
    """Renders views with NovelViewModel."""

    name = "eager"

    def __init__(self, weights: str | Path, device: str, threads: int | None = None):
        if device == "cpu":
            # Threads wait for each other after every tiny operation: if other processes keep all
            # cores busy, that costs many times more than a core.
            torch.set_num_threads(threads or min(torch.get_num_threads(), half_of_cores()))
        self._model = NovelViewModel.from_pretrained(weights, device)
        self.device, self.config = device, self._model.config

    def render(
        self, request: ViewRequest, on_step: Callable[[], None] = lambda: None
    ) -> ViewSamples:
        try:
            return self._model.render(request, on_step)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            reason = str(error)
        # Here the error is gone, and with it the tensors of the failed run that it held.
        if self.device != "cpu":
            torch.cuda.empty_cache()
        raise MemoryError(f"{self.device} is out of memory: {reason}")

    def warm_up(self, views: int, samples: int = 1, steps: int | None = None) -> None:
        super().warm_up(views, samples, min(2, self.steps(steps)))  # all steps are alike


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether an error of torch means a lack of memory."""
    # On a CPU torch has no class for it.
    return isinstance(error, torch.cuda.OutOfMemoryError) or "can't allocate memory" in str(error)
