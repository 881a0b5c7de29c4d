"""Objects to measure shape and next views on: mesh files, procedural objects and cars.

Everything of an object depends on the seed and its name or number alone. The unit of length, which
stands in for metres, is twice the object's radius.
"""

import argparse
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from tiny_nvs_ros.geometry import SRN_CAMERA, eye_at, look_at
from tiny_nvs_ros.model import ViewSamples
from tiny_nvs_ros.pipeline import SourceImage
from training.data.cars import car
from training.data.load_meshes import SUFFIXES, find_mesh_files, load_meshes
from training.data.mesh import Mesh
from training.data.objects import build_object
from training.data.random_views import displace
from training.data.renderer import Renderer
from training.data.scene import Scene, random_scene

RADIUS = SRN_CAMERA.radius
SIZE = 64  # pixels of rendered images, twice the model's
SOURCE_AZIMUTHS = 0.0, 126.0, 229.0, 63.0  # degrees from the first source
SOURCE_ELEVATIONS = 0.0, 60.0  # degrees
SOURCE_DISTANCES = 2.5, 12.0  # object radii


@dataclass(frozen=True)
class Subject:
    """An object that can be rendered: meshes as they stand, in the light of `scene`."""

    name: str
    number: int
    meshes: list[Mesh]
    scene: Scene

    def rng(self, *stream: int) -> np.random.Generator:
        """Return random numbers of this object's own."""
        return np.random.default_rng([self.number, *stream])

    def render(self, poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return images (V, SIZE, SIZE, 4) uint8 and depths (V, SIZE, SIZE) of the model's cameras
        at poses (V, 4, 4); depth along the optical axis, 0 where there is nothing."""
        focals = SRN_CAMERA.focal_at(np.linalg.norm(poses[:, :3, 3], axis=-1)) * SIZE
        return _renderer().render_with_depth(self.meshes, poses, self.scene, focals)

    def source_images(self, poses: np.ndarray) -> list[SourceImage]:
        """Return the images of cameras (V, 4, 4), crops as the model's cameras see them."""
        images = self.render(poses)[0]
        return [SourceImage(image, pose) for image, pose in zip(images, poses, strict=True)]

    def true_views(self, poses: np.ndarray) -> ViewSamples:
        """Return what the model should say of cameras (V, 4, 4), as one sample of each."""
        rgba, depth = self.render(poses)
        distances = np.linalg.norm(poses[:, :3, 3], axis=-1)[:, None, None, None, None]
        blocks = depth.reshape(len(depth), SIZE // 2, 2, SIZE // 2, 2)
        count = (blocks > 0).sum(axis=(2, 4))
        behind = np.where(blocks > 0, blocks - distances, 0).sum(axis=(2, 4)) / RADIUS
        alpha = rgba[..., 3:] / np.float32(255)
        color = alpha * rgba[..., :3] + 255 * (1 - alpha)
        color, alpha = (
            each.reshape(len(each), SIZE // 2, 2, SIZE // 2, 2, -1).mean(axis=(2, 4))
            for each in (color, alpha)
        )
        return ViewSamples(
            np.round(color).astype(np.uint8)[:, None],
            alpha[..., 0].astype(np.float32)[:, None],
            (behind / np.maximum(count, 1)).astype(np.float32)[:, None],
        )

    def source_poses(self) -> np.ndarray:
        """Return four random cameras, (4, 4, 4), on different sides of the object."""
        rng, count = self.rng(1), len(SOURCE_AZIMUTHS)
        azimuths = rng.uniform(0, 2 * np.pi) + np.radians(SOURCE_AZIMUTHS)
        elevations = np.radians(rng.uniform(*SOURCE_ELEVATIONS, count))
        distances = RADIUS * np.exp(rng.uniform(*np.log(SOURCE_DISTANCES), count))
        return look_at(eye_at(azimuths, elevations, distances), np.zeros(3))


@cache
def _renderer() -> Renderer:
    return Renderer(SIZE)


@dataclass(frozen=True)
class SubjectFile:
    """An object that is not built yet. displaced: it is not quite where its frame says, and its
    lights are random, as in training."""

    name: str
    number: int
    load: Callable[[], list[Mesh]]
    displaced: bool

    def build(self) -> Subject:
        rng = np.random.default_rng([self.number, 0])
        meshes = self.load()
        if not self.displaced:
            return Subject(self.name, self.number, meshes, Scene())
        return Subject(self.name, self.number, displace(meshes, rng), random_scene(rng))


def procedural(objects: int, cars: int, seed: int, displaced: bool) -> list[SubjectFile]:
    """Return objects and cars number 0, 1 ... of a seed."""
    kinds = ("object", objects, build_object), ("car", cars, car)
    return [
        SubjectFile(
            name := f"{kind}_{seed}_{i:05d}", _number(name), partial(build, seed, i), displaced
        )
        for kind, count, build in kinds
        for i in range(count)
    ]


def _number(name: str) -> int:
    return zlib.crc32(name.encode())


def add_subjects(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which objects are measured."""
    parser.add_argument(
        "--meshes",
        type=Path,
        nargs="+",
        default=[],
        help=f"files or folders: {', '.join(SUFFIXES)}",
    )
    parser.add_argument("--objects", type=int, default=0, help="number of procedural objects")
    parser.add_argument("--cars", type=int, default=0, help="number of procedural cars")
    parser.add_argument(
        "--seed", type=int, default=90211, help="of procedural objects and cars (%(default)s)"
    )
    parser.add_argument(
        "--displaced",
        action="store_true",
        help="draw objects off their frame and in random light, as in training",
    )


def read_subjects(options: argparse.Namespace) -> list[SubjectFile]:
    """Return the objects of the command line. Raises ValueError if there is none."""
    files = find_mesh_files(options.meshes)[0] if options.meshes else {}
    found = [
        SubjectFile(name, _number(name), partial(load_meshes, path), options.displaced)
        for name, path in files.items()
    ]
    if min(options.objects, options.cars, options.seed) < 0:
        raise ValueError("--objects, --cars and --seed must not be negative")
    found += procedural(options.objects, options.cars, options.seed, options.displaced)
    if not found:
        raise ValueError("no object to measure: give --meshes, --objects or --cars")
    return found
