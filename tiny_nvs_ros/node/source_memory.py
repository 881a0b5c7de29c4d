"""Source images of the object that the node remembers: few, and from different sides."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tiny_nvs_ros.node.parameters import NodeSettings
from tiny_nvs_ros.pipeline import PreparedSource


@dataclass(frozen=True)
class Remembered:
    """A prepared source image. stamp: of the image, ns."""

    source: PreparedSource
    stamp: int

    @property
    def direction(self) -> np.ndarray:
        """Unit vector from the object to the camera, in the object frame."""
        position = self.source.camera.pose[:3, 3]
        return position / np.linalg.norm(position)


class SourceMemory:
    """Remembers up to memory.size source images whose directions differ by memory.min_angle.

    An image replaces those from nearly the same side. Where there are too many, the older one of
    the two that differ least is forgotten. Everything is forgotten if parameters change that give
    the images their meaning. All methods may be called from any thread.
    """

    def __init__(self) -> None:
        self._kept: list[Remembered] = []  # oldest first
        self._meaning: tuple = ()
        self._lock = threading.Lock()

    def add(self, new: Remembered, settings: NodeSettings, most: int) -> list[PreparedSource]:
        """Remember an image and return all sources to imagine from, the new one first.

        most: how many sources the model takes.
        """
        meaning = (settings.object_frame, settings.object_radius, settings.weights)
        with self._lock:
            if meaning != self._meaning:
                self._kept, self._meaning = [], meaning
            kept = [each for each in self._kept if not replaces(new, each, settings)]
            kept.append(new)
            if len(kept) > min(settings.memory_size, most):
                del kept[most_redundant(kept)]
            self._kept = kept
            others = [each.source for each in reversed(kept) if each is not new]
        return [new.source, *others]

    def keep_only(self, source: PreparedSource) -> int:
        """Forget all other sources; returns how many."""
        return self._forget(lambda each: each.source is not source)

    def forget(self) -> int:
        """Forget all sources; returns how many."""
        return self._forget(lambda each: True)

    def _forget(self, unwanted: Callable[[Remembered], bool]) -> int:
        with self._lock:
            before = len(self._kept)
            self._kept = [each for each in self._kept if not unwanted(each)]
            return before - len(self._kept)

    def sources(self) -> list[PreparedSource]:
        """Return what is remembered, newest first."""
        with self._lock:
            return [each.source for each in reversed(self._kept)]

    def stamps(self) -> list[int]:
        """Return the stamps of what is remembered, ns, oldest first."""
        with self._lock:
            return [each.stamp for each in self._kept]


def replaces(new: Remembered, old: Remembered, settings: NodeSettings) -> bool:
    """Return whether an image is of no use beside a new one: from the same side, or too old."""
    age = (new.stamp - old.stamp) * 1e-9
    if 0 < settings.memory_max_age < age:
        return True
    return float(new.direction @ old.direction) > np.cos(settings.memory_min_angle)


def most_redundant(kept: list[Remembered]) -> int:
    """Return the index of the older one of the two images whose directions differ least.

    kept: oldest first. The newest is never the older one.
    """
    directions = np.stack([each.direction for each in kept])
    closeness = directions @ directions.T
    closeness[np.tril_indices(len(kept))] = -np.inf
    return int(np.unravel_index(closeness.argmax(), closeness.shape)[0])
