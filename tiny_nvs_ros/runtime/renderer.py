"""The interface of all runtimes."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from tiny_nvs_ros.geometry import orbit
from tiny_nvs_ros.model import ModelConfig, ViewRequest, ViewSamples
from tiny_nvs_ros.model.request import MAX_VIEWS_AT_ONCE


class Renderer(ABC):
    """A model that is ready on a device. name: of the runtime."""

    name: str
    device: str
    config: ModelConfig

    @abstractmethod
    def render(
        self, request: ViewRequest, on_step: Callable[[], None] = lambda: None
    ) -> ViewSamples:
        """Answer a request. Raises MemoryError if the device's memory is full.

        on_step: called between steps, or between parts of the views if a runtime takes all steps
        at once.
        """

    def steps(self, requested: int | None) -> int:
        """Return how many steps are taken if `requested` are (None: the model's own number).

        Raises ValueError for a number that this runtime cannot take.
        """
        return self.config.sampler["steps"] if requested is None else requested

    def warm_up(self, views: int, samples: int = 1, steps: int | None = None) -> None:
        """Render once, so that allocations and the choice of kernels do not delay the first use."""
        blank = np.full((self.config.size, self.config.size, 3), 255, np.uint8)
        # More views are further runs of as many (ViewRequest.parts).
        cameras = orbit(max(1, min(views, MAX_VIEWS_AT_ONCE // samples)))
        self.render(
            ViewRequest.create(
                self.config, (blank, cameras[0]), cameras, samples=samples, seed=0, steps=steps
            )
        )


class WholeModelRenderer(Renderer):
    """A renderer that runs the model's forward as a whole, with all steps."""

    def render(
        self, request: ViewRequest, on_step: Callable[[], None] = lambda: None
    ) -> ViewSamples:
        steps = self.steps(request.steps)
        names, samples = self.config.module.OUTPUTS, request.noise.shape[1]
        parts = [ViewSamples.empty(names, samples, self.config.size)]
        for part in request.parts():
            on_step()
            outputs = self.run(self.config.module.inputs(part), steps)
            parts.append(ViewSamples(**dict(zip(names, outputs, strict=True))))
        return ViewSamples.concatenate(parts)

    @abstractmethod
    def run(self, inputs: dict[str, np.ndarray], steps: int) -> list[np.ndarray]:
        """Return the architecture's OUTPUTS of the model's inputs, (N, S, size, size, ...) each."""


def core_count() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def half_of_cores() -> int:
    """Return the number of threads that leaves half of the cores to others."""
    return max(1, core_count() // 2)
