"""The SRN layout, which is the one format of our data: reader and writer.

    <split>/<instance>/rgb/000000.png     image; where it has alpha, on white
    <split>/<instance>/pose/000000.txt    T_object_camera, 16 numbers, row by row
    <split>/<instance>/intrinsics.txt     "f cx cy 0." / "0. 0. 0." / "1." / "height width"

The official archives (cars_train, cars_val, cars_test) load as they are. Other files and folders
beside these are left alone. Source: Sitzmann et al., Scene Representation Networks, 2019.
"""

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from tiny_nvs_ros.geometry import check_pose
from tiny_nvs_ros.image import on_white, resize


class SrnError(ValueError):
    """Something in a data folder is not as the SRN layout wants it; the message names the file."""


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera, in pixels of an image of height x width."""

    focal: float
    cx: float
    cy: float
    height: int
    width: int

    @classmethod
    def centred(cls, focal: float, size: int) -> "Intrinsics":
        return cls(focal, size / 2, size / 2, size, size)

    @classmethod
    def read(cls, path: Path) -> "Intrinsics":
        try:
            lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
            focal, cx, cy = (float(v) for v in lines[0][:3])
            height, width = (int(float(v)) for v in lines[-1])
        except OSError as error:
            raise SrnError(f"{path}: cannot be read ({error.strerror}); {_HELP}") from error
        except (ValueError, IndexError) as error:
            raise SrnError(
                f'{path}: the first line must be "f cx cy 0." and the last "height width"'
            ) from error
        return cls(focal, cx, cy, height, width)

    def write(self, path: Path) -> None:
        path.write_text(
            f"{self.focal:.6f} {self.cx:.6f} {self.cy:.6f} 0.\n0. 0. 0.\n1.\n"
            f"{self.height} {self.width}\n"
        )

    @property
    def matrix(self) -> np.ndarray:
        """K (3, 3)."""
        return np.array([[self.focal, 0, self.cx], [0, self.focal, self.cy], [0, 0, 1.0]])


_HELP = "an instance is a folder with rgb/, pose/ and intrinsics.txt"


class SrnInstance:
    """One object: its views, in the order of their file names."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.name = self.path.name
        self.image_paths = _numbered(self.path / "rgb", ".png")
        self.pose_paths = _numbered(self.path / "pose", ".txt")
        images = {p.stem for p in self.image_paths}
        poses = {p.stem for p in self.pose_paths}
        if not images:
            raise SrnError(f"{self.path / 'rgb'}: no .png files; {_HELP}")
        if images != poses:
            lonely = sorted(images ^ poses)[0]
            missing = f"pose/{lonely}.txt" if lonely in images else f"rgb/{lonely}.png"
            raise SrnError(
                f"{self.path / missing}: missing ({len(images)} images in rgb, {len(poses)} poses "
                "in pose); each image needs the pose of the same name: complete or delete the pair"
            )

    def __len__(self) -> int:
        return len(self.image_paths)

    @cached_property
    def poses(self) -> np.ndarray:
        """(V, 4, 4) float64 T_object_camera, optical frames."""
        poses = np.stack([_read_numbers(path) for path in self.pose_paths])
        try:
            return check_pose(poses)
        except ValueError:  # one of them: the first that is bad on its own
            for path, pose in zip(self.pose_paths, poses, strict=True):
                _check_pose(pose, path)
            raise

    @cached_property
    def intrinsics(self) -> Intrinsics:
        """Of the images as they are stored."""
        return Intrinsics.read(self.path / "intrinsics.txt")

    def image(self, index: int, size: int | None = None) -> np.ndarray:
        """View `index`, H x W x 3 uint8 RGB; with size: size x size, reduced by area."""
        path = self.image_paths[index]
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if image is None or image.dtype != np.uint8:
            raise SrnError(f"{path}: not a readable 8-bit PNG; fetch or render this instance again")
        if image.ndim == 2:
            image = image[..., None].repeat(3, axis=-1)
        image = on_white(image)[..., ::-1]
        return np.ascontiguousarray(image) if size is None else resize(image, size)

    def images(self, size: int | None = None) -> np.ndarray:
        """All views, (V, H, W, 3) uint8."""
        views = [self.image(i, size) for i in range(len(self))]
        if len({view.shape for view in views}) > 1:
            raise SrnError(f"{self.path / 'rgb'}: images of different sizes; ask for one size")
        return np.stack(views)


@dataclass(frozen=True)
class Views:
    """All views of a split in flat arrays; instances may have different numbers of views.

    images: (N, size, size, 3) uint8; poses: (N, 4, 4) float32 T_object_camera;
    offsets: (instances + 1,) int64: instance k has the views offsets[k] to offsets[k + 1].
    """

    images: np.ndarray
    poses: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.images)


class SrnSplit:
    """A folder of instances, sorted by name.

    Raises SrnError where the folder has no instance, and says where to look instead.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if not self.path.is_dir():
            raise SrnError(f"{self.path}: no such folder")
        if (self.path / "rgb").is_dir():
            raise SrnError(
                f"{self.path}: is one instance; give the folder above it, {self.path.parent}"
            )
        folders = sorted(p for p in self.path.iterdir() if p.is_dir() and p.name[0] != ".")
        instances = [p for p in folders if (p / "rgb").is_dir() or (p / "pose").is_dir()]
        if not instances:
            for folder in folders:
                if any((p / "rgb").is_dir() for p in folder.iterdir() if p.is_dir()):
                    raise SrnError(f"{self.path}: holds splits; give one of them, such as {folder}")
            raise SrnError(f"{self.path}: no instances; {_HELP}")
        self.instances = [SrnInstance(p) for p in instances]

    def __len__(self) -> int:
        return len(self.instances)

    def load(self, size: int, on_disk: bool = False) -> Views:
        """Everything, images reduced to size x size; the files are read by threads.

        on_disk: keep the images in an unnamed temporary file, which takes memory only while they
        are looked at.
        """
        counts = [len(instance) for instance in self.instances]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        shape = (int(offsets[-1]), size, size, 3)
        if on_disk:
            with tempfile.TemporaryFile() as file:
                images = np.memmap(file, np.uint8, shape=shape)
        else:
            images = np.empty(shape, np.uint8)
        poses = np.empty((offsets[-1], 4, 4), np.float32)

        def read(k: int) -> None:
            views = slice(offsets[k], offsets[k + 1])
            images[views] = self.instances[k].images(size)
            poses[views] = self.instances[k].poses

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(read, range(len(self))))
        return Views(images, poses, offsets)


def write_instance(
    path: str | Path, images: np.ndarray, poses: np.ndarray, intrinsics: Intrinsics
) -> None:
    """Write one instance; the folder appears under its name only when it is complete.

    images: (V, H, W, 3) uint8 RGB; poses: (V, 4, 4) T_object_camera.
    """
    path = Path(path)
    if len(images) != len(poses):
        raise ValueError(f"{path}: {len(images)} images but {len(poses)} poses")
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "rgb").mkdir(parents=True)
    (partial / "pose").mkdir()
    for i, (image, pose) in enumerate(zip(images, check_pose(poses), strict=True)):
        if not cv2.imwrite(str(partial / "rgb" / f"{i:06d}.png"), image[..., ::-1]):
            raise OSError(f"{partial / 'rgb'}: cannot be written")
        numbers = " ".join(f"{value:.9g}" for value in pose.ravel())
        (partial / "pose" / f"{i:06d}.txt").write_text(numbers + "\n")
    intrinsics.write(partial / "intrinsics.txt")
    partial.rename(path)


def _numbered(folder: Path, suffix: str) -> list[Path]:
    if not folder.is_dir():
        raise SrnError(f"{folder}: missing; {_HELP}")
    return sorted(p for p in folder.iterdir() if p.suffix == suffix and p.name[0] != ".")


def _read_numbers(path: Path) -> np.ndarray:
    try:
        pose = np.array(path.read_text().split(), dtype=float)
    except ValueError as error:
        raise SrnError(f"{path}: holds something that is not a number") from error
    if pose.size != 16:
        raise SrnError(f"{path}: has {pose.size} numbers; a pose is 4x4, 16 numbers")
    return pose.reshape(4, 4)


def _check_pose(pose: np.ndarray, path: Path) -> None:
    try:
        check_pose(pose, str(path))
    except ValueError as error:
        raise SrnError(f"{error}; it must take the camera's points to the object's frame") from None
