"""Source images of the object that the node remembers: few, and from different sides."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tiny_nvs_ros.node.parameters import NodeSettings
from tiny_nvs_ros.pipeline import PreparedSource


@dataclass(frozen=True, eq=False)
class Remembered:
    """A prepared source image. stamp: of the image, ns."""

    source: PreparedSource
    stamp: int

    @property
    def direction(self) -> np.ndarray:
        """Unit vector from the object to the camera, in the object frame."""
        position = self.source.camera.pose[:3, 3]
        return position / np.linalg.norm(position)


@dataclass(frozen=True, eq=False)
class Side:
    """A side of the object and the newest image of it.

    direction: of the side's first image; it stays, so that a camera that moves on by small steps
    does not carry the side along.
    """

    image: Remembered
    direction: np.ndarray


class SourceMemory:
    """Remembers the newest image, and images of other sides of the object.

    An image from a direction that differs from those of all sides by memory.min_angle is a new
    side. Of more than memory.size sides, the one that the others show best is forgotten. Everything
    is forgotten if parameters change that give the images their meaning. All methods may be called
    from any thread.
    """

    def __init__(self) -> None:
        self._sides: list[Side] = []  # oldest first
        self._given: list[Remembered] = []  # newest first
        self._meaning: tuple = ()
        self._lock = threading.Lock()

    def add(self, new: Remembered, settings: NodeSettings, most: int) -> list[PreparedSource]:
        """Remember an image and return all sources to imagine from, the new one first.

        They are the new image and those of other sides than its own. most: how many sources the
        model takes.
        """
        meaning = (settings.object_frame, settings.object_radius, settings.weights)
        size, angle = min(settings.memory_size, most), settings.memory_min_angle
        with self._lock:
            if meaning != self._meaning:
                self._sides, self._meaning = [], meaning
            sides = [each for each in self._sides if not expired(each, new, settings)]
            angles = [angle_between(each.direction, new.direction) for each in sides]
            if not sides or min(angles) > angle:
                sides.append(Side(new, new.direction))
                if len(sides) > size:
                    del sides[most_redundant(sides)]
            elif min(angles) < angle / 2:
                side = int(np.argmin(angles))
                sides[side] = replace(sides[side], image=new)
            self._sides = sides
            others = [
                each.image
                for each in sides
                if each.image is not new
                and angle_between(each.image.direction, new.direction) > angle
            ]
            if len(others) == size:  # the new image shows the nearest side too
                nearest = [angle_between(each.direction, new.direction) for each in others]
                del others[int(np.argmin(nearest))]
            self._given = [new, *sorted(reversed(others), key=lambda each: -each.stamp)]
            return [each.source for each in self._given]

    def keep_only(self, source: PreparedSource) -> int:
        """Forget all other sources; returns how many sides are forgotten."""
        return self._forget(lambda each: each.source is not source)

    def forget(self) -> int:
        """Forget all sources; returns how many sides are forgotten."""
        return self._forget(lambda each: True)

    def _forget(self, unwanted: Callable[[Remembered], bool]) -> int:
        with self._lock:
            before = len(self._sides)
            self._sides = [each for each in self._sides if not unwanted(each.image)]
            self._given = [each for each in self._given if not unwanted(each)]
            return before - len(self._sides)

    def sources(self) -> list[PreparedSource]:
        """Return the sources that `add` returned last, without those forgotten since."""
        with self._lock:
            return [each.source for each in self._given]

    def stamps(self) -> list[int]:
        """Return the stamps of these sources, ns."""
        with self._lock:
            return [each.stamp for each in self._given]


def expired(side: Side, new: Remembered, settings: NodeSettings) -> bool:
    return 0 < settings.memory_max_age < (new.stamp - side.image.stamp) * 1e-9


def angle_between(a: np.ndarray, b: np.ndarray) -> float:
    """Return the angle between two unit vectors, rad."""
    return float(np.arccos(np.clip(a @ b, -1, 1)))


def most_redundant(sides: list[Side]) -> int:
    """Return the index of the side that the others show best.

    sides: oldest first. It is the one with the nearest neighbour; of two neighbours the one that is
    nearer to a third; else the oldest.
    """
    directions = np.stack([each.direction for each in sides])
    angles = np.arccos(np.clip(directions @ directions.T, -1, 1))
    neighbours = np.sort(angles, axis=1)[:, 1:].round(3)
    return min(range(len(sides)), key=lambda i: tuple(neighbours[i]))
