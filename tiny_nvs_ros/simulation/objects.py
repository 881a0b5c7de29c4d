"""Simulated objects, which can be photographed from anywhere. Lengths are object radii."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.geometry import eye_at, look_at
from tiny_nvs_ros.pipeline import SourceImage
from tiny_nvs_ros.simulation.rasterize import rasterize

FOLDER = Path(__file__).parent / "objects"
PHOTO_SIZE = 160  # pixels
PHOTO_SHARE = 0.5  # of a photo's width that the object's sphere fills: its radius may be set wrong
SOURCE_DISTANCE = 4.0
SOURCE_ELEVATION = np.radians(25)
FIRST_AZIMUTH = np.radians(50)  # a three-quarter view of the front of cars
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)  # each further source is far from all before it


class Subject(Protocol):
    """What is looked at. name: in the menu. simulated: whether new photographs can be taken."""

    name: str
    simulated: bool

    def sources(self, count: int) -> list[SourceImage]:
        """Return the first photographs of it, at most `count`."""

    def photograph(self, T_object_camera: np.ndarray) -> SourceImage | None:
        """Return what a camera sees that looks at the centre; None if that is not known."""


@dataclass(frozen=True)
class SimulatedObject:
    """A shipped object: triangles, see `rasterize`, in a sphere of radius 1."""

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    front: np.ndarray
    back: np.ndarray
    simulated: bool = True

    @classmethod
    def load(cls, name: str) -> "SimulatedObject":
        """Read a shipped object. Raises ValueError if there is none of this name."""
        if name not in object_names():
            raise ValueError(f"no object {name!r}; there is {', '.join(object_names())}")
        with np.load(FOLDER / f"{name.replace(' ', '_')}.npz") as arrays:
            mesh = {key: arrays[key] for key in ("vertices", "faces", "front", "back")}
        return cls(name, **mesh)

    def sources(self, count: int) -> list[SourceImage]:
        return [self.photograph(source_pose(i)) for i in range(count)]

    def photograph(self, T_object_camera: np.ndarray) -> SourceImage:
        distance = float(np.linalg.norm(T_object_camera[:3, 3]))
        camera = photo_camera(PHOTO_SIZE, PHOTO_SHARE * PHOTO_SIZE / 2, distance)
        image = self.render(T_object_camera, camera.matrix[0, 0], PHOTO_SIZE)
        return SourceImage(image, T_object_camera, camera)

    def render(self, T_object_camera: np.ndarray, focal: float, size: int) -> np.ndarray:
        """Return what a camera sees, size x size x 4 uint8 RGBA; see `rasterize`."""
        mesh = self.vertices, self.faces, self.front, self.back
        return rasterize(*mesh, T_object_camera, focal, size)


def object_names() -> list[str]:
    """Return the names of the shipped objects."""
    return sorted(file.stem.replace("_", " ") for file in FOLDER.glob("*.npz"))


def source_pose(index: int) -> np.ndarray:
    """Return the camera (4, 4) of the first, second ... photograph of a simulated object."""
    azimuth = FIRST_AZIMUTH + index * GOLDEN_ANGLE
    return look_at(eye_at(azimuth, SOURCE_ELEVATION, SOURCE_DISTANCE), np.zeros(3))


def photo_camera(size: int, radius: float, distance: float) -> Camera:
    """Return the pinhole camera of a square photograph with the object in the middle.

    size: pixels; radius: of the object's sphere in the image, pixels, at this distance.
    """
    focal, centre = radius * distance, (size - 1) / 2
    matrix = np.array([[focal, 0, centre], [0, focal, centre], [0, 0, 1.0]])
    return Camera(matrix, np.zeros(0), False, size, size)
