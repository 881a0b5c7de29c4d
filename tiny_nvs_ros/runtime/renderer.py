"""What all runtimes have in common."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from tiny_nvs_ros.geometry import orbit, relative_pose
from tiny_nvs_ros.model import ModelConfig, NovelViews, Request
from tiny_nvs_ros.model.views import BATCH


class Renderer(ABC):
    """A model that is ready on a device. name: of the runtime."""

    name: str
    device: str
    config: ModelConfig

    @abstractmethod
    def generate(
        self,
        image: np.ndarray,
        poses: ArrayLike,
        samples: int = 1,
        seed: int | None = None,
        steps: int | None = None,
        *,
        source_pose: ArrayLike | None = None,
        heading_known: bool = True,
        on_step: Callable[[], None] = lambda: None,
    ) -> NovelViews:
        """As NovelViewModel.generate. Raises MemoryError where the device's memory is full.

        on_step: called between steps, or between batches where a runtime takes all steps at once.
        """

    def steps(self, asked: int | None) -> int:
        """How many steps are taken where `asked` are (None: the model's own number).

        Raises ValueError for a number that this runtime cannot take.
        """
        return self.config.sampler["steps"] if asked is None else asked

    def warm_up(self, views: int, samples: int = 1, steps: int | None = None) -> None:
        """Pay the first run's costs now: allocations and the choice of kernels."""
        blank = np.full((self.config.size, self.config.size, 3), 255, np.uint8)
        # More views are further runs of as many (Request.parts).
        cameras = orbit(max(1, min(views, BATCH // samples)))
        poses, source = relative_pose(cameras[0], cameras), cameras[0]
        self.generate(blank, poses, samples, seed=0, steps=steps, source_pose=source)


class WholePathRenderer(Renderer):
    """Of a flow, by something that takes a request's arrays and all steps at once."""

    def generate(
        self,
        image: np.ndarray,
        poses: ArrayLike,
        samples: int = 1,
        seed: int | None = None,
        steps: int | None = None,
        *,
        source_pose: ArrayLike | None = None,
        heading_known: bool = True,
        on_step: Callable[[], None] = lambda: None,
    ) -> NovelViews:
        steps = self.steps(steps)
        rng = np.random.default_rng(seed)
        request = Request.of(self.config, image, poses, samples, rng, source_pose, heading_known)
        images = [np.zeros((0, samples, *request.image.shape), np.uint8)]
        for part in request.parts():
            on_step()
            images.append(self.run(part.arrays(), steps))
        return NovelViews(np.concatenate(images))

    @abstractmethod
    def run(self, arrays: dict[str, np.ndarray], steps: int) -> np.ndarray:
        """Images of Request.arrays, (N, S, size, size, 3) uint8."""


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


def free_cores() -> int:
    """How many threads leave half of the cores to others."""
    return max(1, cores() // 2)
