"""What a stage of training provides to the trainer, and helpers that stages share."""

from itertools import permutations
from pathlib import Path
from typing import ClassVar

import numpy as np
from torch import Tensor, nn

from tiny_nvs_ros.model import ModelConfig, NovelViewModel
from tiny_nvs_ros.srn_data import SrnError, SrnSplit, Views
from training.data.silhouettes import check_silhouettes
from training.data.test_sets import refuse_test_sets
from training.stages.settings import StageSettings

CHANNEL_PERMUTATIONS = np.array(list(permutations(range(3))))  # the first is the identity


class Stage:
    """One stage of training. The trainer uses these names and nothing else of a stage.

    name: on the command line, in presets and in config.json. Settings: class of its settings.
    builds_on: stages whose weights, in the same folder, this one keeps; the first stage of an
    architecture builds on none. needs_init: it starts from trained weights only (--init).
    invalidates: stages whose training is lost if this one trains the model further.
    module: holds all parameters that are trained; loss: module that maps a batch to scalars, of
    which "loss" is minimised.
    """

    name: ClassVar[str]
    Settings: ClassVar[type[StageSettings]] = StageSettings
    builds_on: ClassVar[tuple[str, ...]] = ()
    needs_init: ClassVar[bool] = False
    invalidates: ClassVar[tuple[str, ...]] = ()

    model: NovelViewModel
    module: nn.Module
    loss: nn.Module
    settings: StageSettings

    @classmethod
    def load_data(cls, path: Path, config: ModelConfig) -> Views:
        """Return the training data; ValueError if the stage cannot be trained on it."""
        refuse_test_sets(path)
        split = SrnSplit(path)
        if cls.builds_on or cls.needs_init:
            for instance in split.instances:
                if len(instance) < 2:
                    raise SrnError(
                        f"{instance.path}: has one view only; the {cls.name} learns from pairs of "
                        "views"
                    )
        check_silhouettes(split.instances)
        return split.load(config.size)

    @property
    def data_size(self) -> dict[str, int]:
        """Number of instances and views, for config.json."""
        return {"instances": len(self.views.offsets) - 1, "views": len(self.views)}

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        """Return the arguments of the loss: the `share` of the batch of an iteration.

        Every draw depends on the seed and the iteration alone.
        """
        raise NotImplementedError

    def matrices(self) -> list[Tensor]:
        """Return the parameters that Muon may train."""
        return []

    def grid(self) -> np.ndarray:
        """Return an image (H, W, 3) uint8 for TensorBoard."""
        raise NotImplementedError


def augment(images: np.ndarray, mirrored: np.ndarray, permutation: np.ndarray) -> np.ndarray:
    """Mirror images (B, H, W, 3) where `mirrored` (B,), and permute channels: (B, 3) indices."""
    images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    return np.take_along_axis(images, permutation[:, None, None], axis=-1)


def evenly(count: int, wanted: int) -> np.ndarray:
    """Return up to `wanted` indices, evenly spaced over `count`."""
    return np.linspace(0, count - 1, min(count, wanted)).astype(int)


def tiled(rows: list[np.ndarray]) -> np.ndarray:
    """Return one image of rows of images."""
    return np.concatenate([np.concatenate(list(row), axis=1) for row in rows])
