"""Checks of the cameras of a data set in the SRN layout.

Other data sets and tools have other conventions (OpenGL axes, world-to-camera, y up). Trained on or
evaluated as they are, they give bad results without an error, so that they are refused here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiny_nvs_ros.geometry import ModelCamera, check_pose, inverse

MAX_ANGLE = np.radians(2.0)  # of a camera's axis to the object's centre, and of its roll
MIN_SLANT = 0.02  # of the axis against z, sine: seen from nearer to a pole any roll is accepted
SAME_POSE = 1e-6
NEARLY_RIGID = 0.02  # relative, of the lengths of a rotation's axes
MAX_SIZE_ERROR = 0.02  # relative, of the distance and of the focal length
MAX_OFFSET = 0.01  # of the principal point from the image's centre, image widths
MAX_OFFSET_PIXELS = 0.6  # so that a principal point in OpenCV's convention (w / 2 - 0.5) passes
OBJECT_RADII = (2.2, 20.0)  # range of distances, in object radii, if any distance is allowed


class SrnError(ValueError):
    """A data folder does not follow the SRN layout. The message names the file."""


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera, in pixels of an image of height x width.

    cx, cy: principal point from the image's corner (the centre of a 128 x 128 image is 64, 64).
    """

    focal: float
    cx: float
    cy: float
    height: int
    width: int

    @classmethod
    def centred(cls, focal: float, size: int) -> "Intrinsics":
        """Return those of a square image with the principal point in its centre."""
        return cls(focal, size / 2, size / 2, size, size)

    @classmethod
    def read(cls, path: Path) -> "Intrinsics":
        """Read the SRN format. Raises SrnError, naming the file, if it is missing or invalid."""
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise SrnError(f"{path}: cannot be read ({reason}); {INSTANCE_HELP}") from error
        lines = [line.split() for line in text.splitlines() if line.strip()]
        try:
            focal, cx, cy = (float(value) for value in lines[0][:3])
            height, width = (int(float(value)) for value in lines[-1])
            if not (0 < focal < np.inf and np.isfinite([cx, cy]).all() and min(height, width) > 0):
                raise ValueError("not positive")
        except (ValueError, IndexError, OverflowError) as error:
            hint = "; it looks like a 3x3 or 4x4 matrix K" if _is_matrix(lines) else ""
            raise SrnError(
                f'{path}: the first line must be "f cx cy 0." and the last "height width"{hint}'
            ) from error
        return cls(focal, cx, cy, height, width)

    def write(self, path: Path) -> None:
        """Write the SRN format."""
        path.write_text(
            f"{self.focal:.6f} {self.cx:.6f} {self.cy:.6f} 0.\n0. 0. 0.\n1.\n"
            f"{self.height} {self.width}\n"
        )

    def scaled_to(self, width: int, height: int) -> "Intrinsics":
        """Return the intrinsics of the same images in another resolution."""
        x, y = width / self.width, height / self.height
        return Intrinsics(self.focal * x, self.cx * x, self.cy * y, height, width)

    @property
    def side(self) -> int:
        """The longer side, pixels: images are padded to a square of it."""
        return max(self.width, self.height)


INSTANCE_HELP = "an instance is a folder with rgb/, pose/ and intrinsics.txt"


def _is_matrix(lines: list[list[str]]) -> bool:
    return len(lines) in (3, 4) and all(len(line) == len(lines) for line in lines)


def check_rigid(poses: np.ndarray, paths: Sequence[Path]) -> None:
    """Raise SrnError, naming the file, for the first pose (V, 4, 4) that is not rigid."""
    for pose, path in zip(poses, paths, strict=True):
        try:
            check_pose(pose, str(path))
        except ValueError as error:
            hint = "it must transform points from the camera to the object frame"
            if not np.isfinite(pose).all():
                hint = "delete the view, or write its pose again"
            elif _is_rigid(pose.T):
                hint = "it is transposed: write the 16 numbers row by row"
            elif _is_rigid(pose @ np.diag([1, 1, -1, 1.0])):
                hint = "its axes are left-handed"
            elif (scale := _scale(pose)) is not None:
                hint = f"its axes have the length {scale:.4g}, not 1: write rotations alone"
                if abs(scale - 1) < NEARLY_RIGID:
                    hint = "write its numbers with 6 decimals or more"
            raise SrnError(f"{error}; {hint}") from None


def _scale(pose: np.ndarray) -> float | None:
    """Return the length of a pose's axes if it is rigid apart from that, nearly; else None."""
    lengths = np.linalg.svd(pose[:3, :3], compute_uv=False)
    similar = np.ptp(lengths) < NEARLY_RIGID * lengths.mean() and np.linalg.det(pose[:3, :3]) > 0
    return float(lengths.mean()) if similar and (pose[3] == [0, 0, 0, 1]).all() else None


def _is_rigid(pose: np.ndarray) -> bool:
    try:
        check_pose(pose)
    except ValueError:
        return False
    return True


def check_model_cameras(
    poses: np.ndarray,
    intrinsics: Sequence[Intrinsics],
    pose_paths: Sequence[Path],
    intrinsics_paths: Sequence[Path],
    model: ModelCamera,
) -> None:
    """Raise SrnError, naming the file, for the first camera that is not a model's camera.

    poses: (V, 4, 4) T_object_camera, rigid; intrinsics and paths: of each view. A model's camera
    looks at the origin, upright (z is up in the image), with the principal point in the image's
    centre, and shows the object's sphere as large as `model` does, from 2.2 to 20 object radii: its
    focal length grows with the distance.
    """
    if (bad := np.flatnonzero(~_looks_at_object(poses))).size:
        raise SrnError(
            f"{pose_paths[bad[0]]}: the camera {_describe(poses[bad[0]])}{_share(bad, poses)}; "
            f"{_hint(poses, bad, lambda candidates, _: _looks_at_object(candidates))}"
        )
    if len(poses) > 1 and np.abs(poses - poses[0]).max() < SAME_POSE:
        raise SrnError(
            f"{pose_paths[0].parent}: all {len(poses)} poses are the same; each must be that of the"
            " camera in its image"
        )
    distances = np.linalg.norm(poses[:, :3, 3], axis=-1)
    each = zip(distances.tolist(), intrinsics, pose_paths, intrinsics_paths, strict=True)
    for distance, lens, pose_path, intrinsics_path in each:
        _check_principal_point(lens, intrinsics_path)
        _check_focal(distance, lens, intrinsics_path, model)
        radii = distance / model.radius
        if not OBJECT_RADII[0] * 0.999 <= radii <= OBJECT_RADII[1] * 1.001:
            raise SrnError(
                f"{pose_path}: the camera stands at {radii:.3g} object radii (of {model.radius:g}) "
                f"from the object's centre; it must be {OBJECT_RADII[0]:g} to {OBJECT_RADII[1]:g}"
            )


def at_model_distance(poses: np.ndarray, model: ModelCamera) -> np.ndarray:
    """Move checked cameras (V, 4, 4) along their axes to the model's distance.

    For models of one distance: the focal length of a camera at another one is such that it shows
    nearly the same. Cameras within 2 % of the distance stay exactly as they are.
    """
    distances = np.linalg.norm(poses[:, :3, 3], axis=-1)
    scales = model.distance / distances
    moved = poses.copy()
    moved[:, :3, 3] *= np.where(np.abs(scales - 1) > MAX_SIZE_ERROR, scales, 1.0)[:, None]
    return moved


def check_sees_object(
    poses: np.ndarray, intrinsics: Sequence[Intrinsics], pose_paths: Sequence[Path]
) -> None:
    """Raise SrnError, naming the file, for the first camera without the origin in its image."""

    def sees(candidates: np.ndarray, views: np.ndarray) -> np.ndarray:
        x, y, z = np.moveaxis(inverse(candidates)[:, :3, 3], -1, 0)
        seen = z > 1e-6
        z = np.where(seen, z, 1.0)
        lenses = [intrinsics[view] for view in views]
        focal, cx, cy = np.array([(i.focal, i.cx, i.cy) for i in lenses]).T
        height, width = np.array([(i.height, i.width) for i in lenses]).T
        u, v = focal * x / z + cx, focal * y / z + cy
        return seen & (u >= 0) & (u <= width) & (v >= 0) & (v <= height)

    if (bad := np.flatnonzero(~sees(poses, np.arange(len(poses))))).size:
        raise SrnError(
            f"{pose_paths[bad[0]]}: the camera does not see the object's centre"
            f"{_share(bad, poses)}; {_hint(poses, bad, sees)}"
        )


def _check_principal_point(lens: Intrinsics, path: Path) -> None:
    offset = max(abs(lens.cx - lens.width / 2), abs(lens.cy - lens.height / 2))
    if offset > max(MAX_OFFSET_PIXELS, MAX_OFFSET * lens.side):
        raise SrnError(
            f"{path}: the principal point ({lens.cx:g}, {lens.cy:g}) is not the centre of the "
            f"image, ({lens.width / 2:g}, {lens.height / 2:g}); crop the images around it"
        )


def _check_focal(distance: float, lens: Intrinsics, path: Path, model: ModelCamera) -> None:
    expected = model.focal_at(distance) * lens.side
    scale = lens.focal / expected
    if abs(scale - 1) > MAX_SIZE_ERROR:
        raise SrnError(
            f"{path}: the focal length {lens.focal:g} shows the object {scale:.3g} times as large "
            f"as the model's cameras do; it must be {expected:.4g} for {lens.side} pixels at the "
            f"distance {distance:.4g}. Or, if the object's bounding sphere has the radius "
            f"{model.radius / scale:.3g} and not {model.radius:g}, multiply all positions by "
            f"{scale:.3g}"
        )


def _looks_at_object(poses: np.ndarray) -> np.ndarray:
    """Return which cameras (V, 4, 4) look at the origin, upright, (V,) bool."""
    position = poses[:, :3, 3]
    distance = np.linalg.norm(position, axis=-1)
    sideways = np.linalg.norm(np.cross(position, poses[:, :3, 2]), axis=-1)
    ahead = -(position * poses[:, :3, 2]).sum(axis=-1)
    looks = (distance > 1e-6) & (np.arctan2(sideways, ahead) < MAX_ANGLE)
    # z of the object frame in the image; seen from a pole it has no direction there.
    right, down = poses[:, 2, 0], poses[:, 2, 1]
    upright = np.abs(np.arctan2(right, -down)) < MAX_ANGLE
    return looks & (upright | (np.hypot(right, down) < MIN_SLANT))


def _describe(pose: np.ndarray) -> str:
    """Return what is wrong with a camera that does not look at the object, upright."""
    position, distance = pose[:3, 3], np.linalg.norm(pose[:3, 3])
    if distance <= 1e-6:
        return "stands at the object's centre (an identity or a pose without translation)"
    cosine = -(position @ pose[:3, 2]) / distance
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    if angle > 90:
        return f"looks away from the object's centre ({angle:.0f} deg)"
    if angle > np.degrees(MAX_ANGLE):
        return f"looks past the object's centre (by {angle:.1f} deg)"
    return "is not upright: z of the object frame must be up in the image"


AXES = {
    "": np.eye(4),
    "OpenGL or Blender camera axes (y up, looking along -z)": np.diag([1, -1, -1, 1.0]),
    "PyTorch3D camera axes (x left, y up)": np.diag([-1, -1, 1, 1.0]),
    "LLFF camera axes (x down, y right, looking along -z)": np.array(
        [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1.0]]
    ),
    "body camera axes (x forward, z up)": np.array(
        [[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]]
    ),
}
UP_AXES = {
    "": np.eye(4),
    "a world with y up": np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]]),
    "a world with y down": np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]]),
    "a world with z down": np.diag([1, -1, -1, 1.0]),
    "a world with x up": np.array([[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]]),
}


def _conventions(poses: np.ndarray) -> list[tuple[int, str, np.ndarray]]:
    """Return the poses (V, 4, 4), converted from other conventions, the simplest first.

    Each with the number of differences to ours and its name.
    """
    candidates = []
    for inverted, given in (("", poses), ("world-to-camera poses", inverse(poses))):
        for axes, T_camera_optical in AXES.items():
            for up, T_object_world in UP_AXES.items():
                names = [name for name in (inverted, axes, up) if name]
                converted = T_object_world @ given @ T_camera_optical
                candidates.append((len(names), " with ".join(names), converted))
    return sorted(candidates, key=lambda each: each[0])


def _share(bad: np.ndarray, poses: np.ndarray) -> str:
    return "" if len(bad) == len(poses) else f" ({len(bad)} of {len(poses)} cameras are so)"


def _hint(
    poses: np.ndarray, bad: np.ndarray, fits: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> str:
    """Return what could be wrong with poses of which those with the indices `bad` do not fit.

    fits: (V, 4, 4) poses and the indices (V,) of their views to (V,) bool.
    """
    conventions, views = _conventions(poses), np.arange(len(poses))
    # In another convention a few may fit by chance: all are tried first, then the bad ones.
    for some in (views, bad):
        found = [
            (count, name)
            for count, name, converted in conventions
            if fits(converted[some], some).all()
        ]
        if found:
            names = " or ".join(name for count, name in found if count == found[0][0])
            return f"these seem to be {names}: convert them to camera-to-object, optical, z up"
    if len(poses) > 2:
        for _, name, converted in conventions:
            point = _common_point(converted)
            shifted = converted.copy()
            shifted[:, :3, 3] -= point
            if fits(shifted, views).all():
                where = ", ".join(f"{value:g}" for value in point.round(3) + 0.0)
                name = f" (and to be {name})" if name else ""
                return (
                    f"all seem to look at the point ({where}){name}: subtract it from the positions"
                )
    return (
        "poses must be camera-to-object (not the inverse), in optical axes (x right, y down, z "
        "forward), look at the origin of the object frame, z up"
    )


def _common_point(poses: np.ndarray) -> np.ndarray:
    """Return the point (3,) that is nearest to all optical axes, by least squares."""
    forward = poses[:, :3, 2]
    across = np.eye(3) - forward[:, :, None] * forward[:, None, :]
    total = across.sum(axis=0)
    return np.linalg.lstsq(total, (across @ poses[:, :3, 3:]).sum(axis=0)[:, 0], rcond=None)[0]
