"""The SRN layout, the one format of our data: reader and writer.

    <split>/<instance>/rgb/000000.png     image, RGB or RGBA
    <split>/<instance>/pose/000000.txt    T_object_camera, 16 numbers, row by row
    <split>/<instance>/intrinsics.txt     "f cx cy 0." / "0. 0. 0." / "1." / "height width"

Optional, and ours:

    <split>/<instance>/intrinsics/000000.txt  of each view, instead of intrinsics.txt
    <split>/<instance>/depth/000000.png       16 bit: steps along the optical axis, 0 is nothing
    <split>/<instance>/depth.json             {"unit": length of a step, in the poses' unit}

The official archives (cars_train, cars_val, cars_test) load as they are. Other files and folders
are ignored. Source: Sitzmann et al., Scene Representation Networks, 2019.
"""

import json
import math
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from tiny_nvs_ros.geometry import SRN_CAMERA, ModelCamera
from tiny_nvs_ros.image import on_white, resize, resize_depth
from tiny_nvs_ros.resources import is_lfs_pointer
from tiny_nvs_ros.srn_cameras import (
    INSTANCE_HELP,
    Intrinsics,
    SrnError,
    at_model_distance,
    check_model_cameras,
    check_rigid,
    check_sees_object,
)
from tiny_nvs_ros.srn_writer import write_instance

MAX_DEPTH_RADII = 1.5  # of the median depth from the object's centre, object radii
MAX_ASPECT_ERROR = 0.02  # relative, of an image's aspect ratio to that of its intrinsics

__all__ = [
    "Intrinsics",
    "SrnError",
    "SrnInstance",
    "SrnSplit",
    "Views",
    "array_on_disk",
    "find_instance",
    "write_instance",
]


class SrnInstance:
    """One object: its views, in the order of their file names.

    camera: the model's camera, which all its cameras must be (see check_model_cameras), if not
    None: then they must only see the object's centre. keep_distance: leave the cameras at their
    distances; else they are moved to the model's, for models of one distance.
    """

    def __init__(
        self,
        path: str | Path,
        camera: ModelCamera | None = SRN_CAMERA,
        keep_distance: bool = False,
    ):
        """Raises SrnError if images or poses are missing."""
        self.path = Path(path)
        self.name = self.path.name
        self._camera, self._keep_distance = camera, keep_distance
        self.image_paths = _numbered(self.path / "rgb", ".png")
        self.pose_paths = _numbered(self.path / "pose", ".txt")
        if not self.image_paths:
            others = {p.suffix for p in (self.path / "rgb").iterdir() if p.suffix and p.is_file()}
            there = f" (there: {', '.join(sorted(others))}; convert them)" if others else ""
            raise SrnError(f"{self.path / 'rgb'}: no .png files{there}; {INSTANCE_HELP}")
        self._check_complete("pose", self.pose_paths)

    def __len__(self) -> int:
        return len(self.image_paths)

    @cached_property
    def poses(self) -> np.ndarray:
        """(V, 4, 4) float64 T_object_camera, optical frames.

        Raises SrnError, naming the file, for poses and intrinsics that are invalid or not the
        model's cameras.
        """
        poses = self._stored_poses
        if self._camera is None:
            check_sees_object(poses, self.view_intrinsics, self.pose_paths)
            return poses
        check_model_cameras(
            poses,
            self.view_intrinsics,
            self.pose_paths,
            self._intrinsics_paths,
            self._camera,
        )
        return poses if self._keep_distance else at_model_distance(poses, self._camera)

    @cached_property
    def _stored_poses(self) -> np.ndarray:
        poses = np.stack([_read_pose(path) for path in self.pose_paths])
        check_rigid(poses, self.pose_paths)
        return poses

    @cached_property
    def intrinsics(self) -> Intrinsics:
        """The intrinsics of all views. Raises SrnError if they differ from view to view."""
        if len(set(self.view_intrinsics)) > 1:
            raise SrnError(f"{self.path / 'intrinsics'}: the views have different intrinsics")
        return self.view_intrinsics[0]

    @cached_property
    def view_intrinsics(self) -> list[Intrinsics]:
        """The intrinsics of each view."""
        read = {path: Intrinsics.read(path) for path in set(self._intrinsics_paths)}
        return [read[path] for path in self._intrinsics_paths]

    @cached_property
    def _intrinsics_paths(self) -> list[Path]:
        if not (self.path / "intrinsics").is_dir():
            return [self.path / "intrinsics.txt"] * len(self)
        paths = _numbered(self.path / "intrinsics", ".txt")
        self._check_complete("intrinsics", paths)
        return paths

    def image(self, index: int, size: int | None = None, alpha: bool = False) -> np.ndarray:
        """Return view `index`, H x W x 3 uint8 RGB on white; with size: size x size.

        alpha: H x W x 4, RGBA as stored. Raises SrnError, naming the file, if it cannot be read,
        has another shape than its intrinsics, or has no alpha.
        """
        path = self.image_paths[index]
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if image is None or image.dtype != np.uint8:
            reason = "not a readable 8-bit PNG; fetch or render this instance again"
            if image is not None:
                reason = "has 16 bits a channel; convert it to 8 bits"
            elif path.is_file() and is_lfs_pointer(path):
                reason = "is a git-lfs pointer, not the image: run `git lfs pull`"
            raise SrnError(f"{path}: {reason}")
        self._check_aspect(image, path, index)
        if image.ndim == 2:
            image = image[..., None].repeat(3, axis=-1)
        if not alpha:
            image = np.ascontiguousarray(on_white(image)[..., ::-1])
        elif image.shape[-1] == 4:
            image = cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)
        else:
            raise SrnError(f"{path}: has no alpha; render this instance again")
        return image if size is None else resize(image, size)

    def images(self, size: int | None = None, alpha: bool = False) -> np.ndarray:
        """Return all views, (V, H, W, 3 or 4) uint8; see image."""
        views = [self.image(i, size, alpha) for i in range(len(self))]
        if len({view.shape for view in views}) > 1:
            raise SrnError(f"{self.path / 'rgb'}: images of different sizes; ask for one size")
        return np.stack(views)

    @cached_property
    def has_alpha(self) -> bool:
        """Return whether the images are RGBA, as the first is."""
        first = cv2.imread(str(self.image_paths[0]), cv2.IMREAD_UNCHANGED)
        return first is not None and first.ndim == 3 and first.shape[-1] == 4

    @property
    def has_depth(self) -> bool:
        return (self.path / "depth").is_dir()

    def depth(self, index: int, size: int | None = None) -> np.ndarray:
        """Return the depth of view `index`, H x W float32, along the optical axis; NaN is nothing.

        In the unit of the poses. With size: size x size, the mean over the object's part of each
        pixel, NaN if that is less than half. Raises SrnError, naming the file, if there is none, or
        if it is not where the camera's pose has the object.
        """
        path = self.path / "depth" / self.image_paths[index].name
        stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if stored is None or stored.dtype != np.uint16 or stored.ndim != 2:
            raise SrnError(f"{path}: not a readable 16-bit PNG; render this instance again")
        self._check_aspect(stored, path, index)
        depth = stored * np.float32(self._depth_unit)
        self._check_depth(depth, path, index)
        if size is not None:
            depth = resize_depth(depth, size)
        depth[depth == 0] = np.nan
        return depth

    def depths(self, size: int | None = None) -> np.ndarray:
        """Return the depth of all views, (V, H, W) float32; see depth."""
        return np.stack([self.depth(i, size) for i in range(len(self))])

    @cached_property
    def _depth_unit(self) -> float:
        path = self.path / "depth.json"
        try:
            unit = float(json.loads(path.read_text())["unit"])
            if not 0 < unit < np.inf:
                raise ValueError(unit)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SrnError(f'{path}: must be {{"unit": length of a step of depth}}') from error
        return unit

    def _check_complete(self, folder: str, paths: list[Path]) -> None:
        """Raise SrnError unless each image has the file of its name, and no file is left over."""
        images, others = {p.stem for p in self.image_paths}, {p.stem for p in paths}
        if images != others:
            name = min(images ^ others)
            missing = f"{folder}/{name}.txt" if name in images else f"rgb/{name}.png"
            raise SrnError(
                f"{self.path / missing}: missing ({len(images)} images in rgb, {len(others)} files "
                f"in {folder}); each image needs the file of the same name: complete or delete the "
                "pair"
            )

    def _check_depth(self, depth: np.ndarray, path: Path, index: int) -> None:
        """Raise SrnError if most of an object's depth is out of its bounding sphere."""
        if self._camera is None or not (depth > 0).any():
            return
        distance = np.linalg.norm(self._stored_poses[index, :3, 3])
        median = np.median(depth[depth > 0])
        if abs(median - distance) > MAX_DEPTH_RADII * self._camera.radius:
            raise SrnError(
                f"{path}: the depth (median {median:.3g}) is not that of an object at the distance "
                f"of the camera's pose, {distance:.3g}: check the unit in {self.path.name}/"
                "depth.json; depth is along the optical axis, and 0 beside the object"
            )

    def _check_aspect(self, image: np.ndarray, path: Path, index: int) -> None:
        lens, (height, width) = self.view_intrinsics[index], image.shape[:2]
        if abs(width * lens.height / (height * lens.width) - 1) > MAX_ASPECT_ERROR:
            raise SrnError(
                f"{path}: has {width}x{height} pixels, {self._intrinsics_paths[index].name} is for "
                f"{lens.width}x{lens.height}: another shape"
            )


@dataclass(frozen=True)
class Views:
    """All views of a split in flat arrays; instances may have different numbers of views.

    images: (N, size, size, 3 or 4) uint8; poses: (N, 4, 4) float32 T_object_camera;
    offsets: (instances + 1,) int64: instance k has the views offsets[k] to offsets[k + 1];
    depths: (N, size, size) float32, NaN is nothing, None unless asked for.
    """

    images: np.ndarray
    poses: np.ndarray
    offsets: np.ndarray
    depths: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.images)


class SrnSplit:
    """A folder of instances, sorted by name. camera, keep_distance: see SrnInstance.

    Raises SrnError if the folder has no instance, with a hint where to look instead.
    """

    def __init__(
        self,
        path: str | Path,
        camera: ModelCamera | None = SRN_CAMERA,
        keep_distance: bool = False,
    ):
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
            raise SrnError(f"{self.path}: no instances; {INSTANCE_HELP}")
        self.instances = [SrnInstance(p, camera, keep_distance) for p in instances]

    def __len__(self) -> int:
        return len(self.instances)

    def load(
        self, size: int, on_disk: bool = False, alpha: bool = False, depth: bool = False
    ) -> Views:
        """Return all views, images reduced to size x size; threads read the files.

        on_disk: keep the images in an unnamed temporary file, which takes memory only while they
        are used. alpha, depth: with them, from every instance. Raises SrnError, naming the file,
        for data that cannot be read and cameras that are not the model's.
        """
        counts = [len(instance) for instance in self.instances]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        total = int(offsets[-1])
        shape = (total, size, size, 4 if alpha else 3)
        images = array_on_disk(shape) if on_disk else np.empty(shape, np.uint8)
        poses = np.empty((total, 4, 4), np.float32)
        depths = np.empty((total, size, size), np.float32) if depth else None

        def read(k: int) -> None:
            views, instance = slice(offsets[k], offsets[k + 1]), self.instances[k]
            poses[views] = instance.poses
            images[views] = instance.images(size, alpha)
            if depths is not None:
                depths[views] = instance.depths(size)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(read, range(len(self))))
        return Views(images, poses, offsets, depths)


def array_on_disk(shape: tuple[int, ...]) -> np.ndarray:
    """Return a uint8 array in an unnamed temporary file; OSError if the disk has no room for it.

    On a CPU it takes memory only while it is used.
    """
    with tempfile.TemporaryFile() as file:
        try:
            os.posix_fallocate(file.fileno(), 0, math.prod(shape))  # or else a full disk is SIGBUS
        except OSError as error:
            raise OSError(error.errno, error.strerror, tempfile.gettempdir()) from error
        return np.memmap(file, np.uint8, shape=shape)


def find_instance(folder: str | Path, instance: str = "") -> Path:
    """Return the path of an instance in a folder, the first if `instance` is empty.

    folder: the instance itself, or one or two levels above it. Raises FileNotFoundError, with the
    names of the instances, if it is not there.
    """
    folder = Path(folder).expanduser()
    found = sorted(p.parent for level in ("", "*/", "*/*/") for p in folder.glob(f"{level}rgb"))
    if not found:
        raise FileNotFoundError(f"{folder} holds no object: a folder with rgb/ and pose/")
    for path in found:
        if instance in ("", path.name):
            return path
    names = ", ".join(path.name for path in found)
    raise FileNotFoundError(f"no instance {instance!r} in {folder}: there is {names}")


def _numbered(folder: Path, suffix: str) -> list[Path]:
    if not folder.is_dir():
        raise SrnError(f"{folder}: missing; {INSTANCE_HELP}")
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() == suffix and p.name[0] != ".")
    if len({path.stem for path in paths}) < len(paths):
        raise SrnError(f"{folder}: some names differ in upper and lower case of {suffix} only")
    return paths


def _read_pose(path: Path) -> np.ndarray:
    try:
        pose = np.array(path.read_text("utf-8-sig").split(), dtype=float)
    except ValueError as error:
        raise SrnError(
            f"{path}: holds something that is not a number; a pose is 16 numbers with spaces "
            "between them"
        ) from error
    if pose.size != 16:
        hint = ": append the row 0 0 0 1" if pose.size == 12 else ""
        raise SrnError(f"{path}: has {pose.size} numbers; a pose is 4x4, 16 numbers{hint}")
    return pose.reshape(4, 4)
