"""Writes instances in the SRN layout (see srn_data)."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from tiny_nvs_ros.geometry import check_pose
from tiny_nvs_ros.srn_cameras import Intrinsics

DEPTH_UNIT = 2e-4  # of written depth, in the poses' unit: up to 13.1


def write_instance(
    path: str | Path,
    images: np.ndarray,
    poses: np.ndarray,
    intrinsics: Intrinsics | Sequence[Intrinsics],
    depths: np.ndarray | None = None,
    depth_unit: float = DEPTH_UNIT,
) -> None:
    """Write one instance; the folder appears under its name only when it is complete.

    images: (V, H, W, 3 or 4) uint8, RGB or RGBA; poses: (V, 4, 4) T_object_camera; intrinsics: of
    all views, or one for each; depths: (V, H, W), along the optical axis in the poses' unit, 0 or
    not finite where there is nothing; depth_unit: of a stored step, in the poses' unit. Raises
    ValueError if their numbers differ, a pose is not rigid, or a depth does not fit in 16 bits.
    """
    path = Path(path)
    one = isinstance(intrinsics, Intrinsics)
    for name, values in (
        ("poses", poses),
        ("intrinsics", images if one else intrinsics),
        ("depths", images if depths is None else depths),
    ):
        if len(images) != len(values):
            raise ValueError(f"{path}: {len(images)} images but {len(values)} {name}")
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "rgb").mkdir(parents=True)
    (partial / "pose").mkdir()
    for i, (image, pose) in enumerate(zip(images, check_pose(poses), strict=True)):
        order = cv2.COLOR_RGBA2BGRA if image.shape[-1] == 4 else cv2.COLOR_RGB2BGR
        _write_png(partial / "rgb" / f"{i:06d}.png", cv2.cvtColor(image, order))
        numbers = " ".join(f"{value:.9g}" for value in pose.ravel())
        (partial / "pose" / f"{i:06d}.txt").write_text(numbers + "\n")
    if one:
        intrinsics.write(partial / "intrinsics.txt")
    else:
        (partial / "intrinsics").mkdir()
        for i, each in enumerate(intrinsics):
            each.write(partial / "intrinsics" / f"{i:06d}.txt")
    if depths is not None:
        _write_depths(partial, depths, depth_unit)
    partial.rename(path)


def _write_depths(folder: Path, depths: np.ndarray, unit: float) -> None:
    steps = np.round(np.nan_to_num(depths, nan=0, posinf=0, neginf=0) / unit)
    if steps.min() < 0 or steps.max() > 65535:
        raise ValueError(f"{folder}: depths must be 0 to {65535 * unit:g} with the unit {unit:g}")
    (folder / "depth").mkdir()
    for i, depth in enumerate(steps.astype(np.uint16)):
        _write_png(folder / "depth" / f"{i:06d}.png", depth)
    (folder / "depth.json").write_text(json.dumps({"unit": unit}) + "\n")


def _write_png(path: Path, pixels: np.ndarray) -> None:
    if not cv2.imwrite(str(path), pixels):
        raise OSError(f"{path.parent}: cannot be written")
