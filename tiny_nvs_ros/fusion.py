"""Imagined views of an object to its shape. Needs no ROS.

    targets = around(object_radius)
    views = pipeline.imagine(renderer, sources, targets, samples=4, object_radius=object_radius)
    shape = fuse(views)

A voxel is inside of the object if all views show it behind the visible surface: a visual hull that
knows depth. The samples of a view give the probability. Points are the views' pixels at their
depth. Lengths are object radii within this module.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tiny_nvs_ros.geometry import orbit
from tiny_nvs_ros.shape import SIDE, Shape, grid_centres, logit
from tiny_nvs_ros.virtual_camera import VirtualCamera, check_radius, not_white

if TYPE_CHECKING:
    from tiny_nvs_ros.model import SourceView
    from tiny_nvs_ros.pipeline import ImaginedViews

TOLERANCE = 0.1  # object radii; see Shape.confidence
OBJECT_ALPHA = 0.5  # mean alpha of a view's pixel from which it is a point
POINT_SPACING = 0.03  # object radii: edge of the cells of which each keeps one point
SHARPNESS = 0.05  # object radii: how sharp the surface of a voxel is, if the depth is certain
NORMAL_CDF = 0.55  # a logistic function of this scale is close to the normal one of scale 1
FINE = 64  # pixels to which views are enlarged, to look up the nearest one
FIRST_VIEWS = 6  # that look at all voxels
EMPTY = 0.01  # probability below which a voxel needs no further view, and none counts
CELL_OFFSET = 1 << 16  # cells of points, from the frame's origin, at most
VISIBLE_DEPTH = 0.2  # object radii behind the nearest point of a pixel at which one is visible
# Rings of cameras that see an object from all sides: number, elevation and first azimuth, degrees.
RINGS = (7, 25, 0), (5, 55, 15), (1, 90, 0), (7, -10, 22), (4, -50, 0)
DISTANCE = 4.0  # object radii, of these cameras


@dataclass(frozen=True)
class Calibration:
    """Weights of the logistic regressions from features to probabilities, the last one a bias.

    occupancy: of voxel_features; confidence: of point_features. Fitted with
    `python -m training.eval.fit_shape`, which prints them.
    """

    occupancy: tuple[float, ...] = (0.987, 0.299, 0.305, -0.779)
    confidence: tuple[float, ...] = (-0.958, 0.272, -2.657, 0.482, -6.774)


CALIBRATION = Calibration()


def around(object_radius: float, distance: float = DISTANCE) -> np.ndarray:
    """Return 24 cameras all around an object, for views to fuse: (24, 4, 4) T_object_camera.

    object_radius: metres; distance: of the cameras from the object's centre, object radii. They
    see it from all sides, also from below. Raises ValueError for cameras inside the object.
    """
    check_radius(object_radius)
    if not 1 < distance < np.inf:
        raise ValueError(f"distance is {distance} object radii; it must be more than 1")
    rings = [
        orbit(count, (np.radians(elevation),), distance * object_radius, np.radians(start))
        for count, elevation, start in RINGS
    ]
    return np.concatenate(rings)


def fuse(views: "ImaginedViews") -> Shape:
    """Return the shape that imagined views show; views without an object give an empty one.

    views: of `pipeline.imagine`, with at least 2 samples, such as from the cameras `around` the
    object; their order does not matter. Raises ValueError if the model gives no alpha and depth,
    and for a single sample, which does not tell how certain it is.
    """
    evidence = Evidence.of(views)
    points = surface_points(evidence)
    if not len(points.positions):
        return Shape.empty(views.object_radius)
    odds = voxel_features(evidence) @ np.float32(CALIBRATION.occupancy)
    confidence = point_features(evidence, points, odds) @ np.float32(CALIBRATION.confidence)
    normal = normals(points, odds)
    return Shape(
        points=points.positions * np.float32(views.object_radius),
        colors=points.colors,
        normals=normal,
        confidence=probability(confidence),
        seen=seen_by_sources(evidence, points, normal),
        occupancy=probability(odds).reshape((SIDE,) * 3),
        object_radius=views.object_radius,
    )


@dataclass(frozen=True)
class Cameras:
    """Cameras that look at the object's centre. rotations: (N, 3, 3) R_object_camera; distances:
    (N,) object radii; half_width: object radii at the centre from the middle of the image to its
    edge."""

    rotations: np.ndarray
    distances: np.ndarray
    half_width: float

    @classmethod
    def of(cls, cameras: Sequence[VirtualCamera]) -> "Cameras":
        model = cameras[0].model
        poses = np.stack([camera.pose for camera in cameras]).astype(np.float32)
        distances = np.linalg.norm(poses[:, :3, 3], axis=-1) / model.radius
        half_width = model.distance / (2 * model.focal * model.radius)
        return cls(poses[:, :3, :3], distances.astype(np.float32), half_width)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Return (N, M, 3) of points (M, 3): position in the image to the right and down, 0 to 1
        across it, and distance behind the object's centre along the optical axis."""
        projected = points @ self.rotations
        scale = 2 * self.half_width * (1 + projected[..., 2] / self.distances[:, None])
        projected[..., :2] = projected[..., :2] / scale[..., None] + 0.5
        return projected

    def unproject(
        self, view: np.ndarray, x: np.ndarray, y: np.ndarray, w: np.ndarray
    ) -> np.ndarray:
        """Return points (M, 3), the inverse of `project`, each of the camera number view (M,)."""
        scale = 2 * self.half_width * (1 + w / self.distances[view])
        local = np.stack([(x - 0.5) * scale, (y - 0.5) * scale, w], axis=-1)
        return np.einsum("mij,mj->mi", self.rotations[view], local)

    def __hash__(self) -> int:
        return hash((self.rotations.tobytes(), self.distances.tobytes(), self.half_width))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Cameras)
            and np.array_equal(self.rotations, other.rotations)
            and np.array_equal(self.distances, other.distances)
            and self.half_width == other.half_width
        )


@dataclass(frozen=True)
class Evidence:
    """Means over the samples of N views, and the silhouettes of n sources.

    alpha: (N, size, size). depth, spread: (N, size, size), mean and standard deviation of the
    visible surface's distance behind the object's centre. color: (N, size, size, 3) uint8, of the
    object without the white background. silhouettes: (n, size, size) float32.
    """

    cameras: Cameras
    alpha: np.ndarray
    depth: np.ndarray
    spread: np.ndarray
    color: np.ndarray
    source_cameras: Cameras
    silhouettes: np.ndarray

    @classmethod
    def of(cls, views: "ImaginedViews") -> "Evidence":
        samples = views.samples
        if samples.alpha is None or samples.depth is None:
            raise ValueError(
                "the model gives no alpha and depth, which a shape is made of; use weights that "
                "do, such as objects"
            )
        if samples.rgb.shape[1] < 2:
            raise ValueError(
                "the views have one sample, which does not tell how certain they are: imagine at "
                "least 2"
            )
        alpha = samples.alpha.mean(axis=1)
        # Weighted by alpha: where a sample sees no object, its depth means nothing.
        weight = np.maximum(samples.alpha.sum(axis=1), 1e-6)
        known = np.where(samples.alpha > 0, samples.depth, 0)
        depth = (samples.alpha * known).sum(axis=1) / weight
        squares = (samples.alpha * np.square(known - depth[:, None])).sum(axis=1)
        background = 255 * (1 - alpha[..., None])
        color = (255 * samples.mean - background) / np.maximum(alpha[..., None], 1e-3)
        return cls(
            Cameras.of(views.cameras),
            alpha,
            depth,
            np.sqrt(squares / weight),
            np.clip(np.round(color), 0, 255).astype(np.uint8),
            Cameras.of([source.camera for source in views.sources]),
            np.stack([silhouette(source.view) for source in views.sources]),
        )


def silhouette(source: "SourceView") -> np.ndarray:
    """Return a source's alpha, (size, size) float32; without one it is what is not white."""
    if source.alpha is not None:
        return np.asarray(source.alpha, np.float32)
    return not_white(source.image).astype(np.float32)


def voxel_features(evidence: Evidence) -> np.ndarray:
    """Return features of each voxel, (SIDE^3, 4): log odds that the view most against it, and the
    source most against it, leave it in the object; logarithm of the number of sources; and 1."""
    cameras = evidence.cameras
    index, behind = grid_in_views(cameras, FINE)
    alpha, depth, sharpness = view_tables(evidence)

    def occupied(views: slice, voxels: np.ndarray | slice) -> np.ndarray:
        pixels = index[views, voxels]
        in_front = (depth[pixels] - behind[views, voxels]) * sharpness[pixels]
        return (alpha[pixels] / (1 + np.exp(np.minimum(in_front, 50)))).min(axis=0)

    # A few views carve most of the cube away.
    step = max(1, len(cameras.distances) // FIRST_VIEWS)
    least = occupied(slice(None, None, step), slice(None))
    left = np.flatnonzero(least > EMPTY)
    least[left] = np.minimum(least[left], occupied(slice(None), left))
    features = np.ones((SIDE**3, 4), np.float32)
    features[:, 0] = logit(np.maximum(least, EMPTY))
    source_index, _ = grid_in_views(evidence.source_cameras, evidence.silhouettes.shape[-1])
    table = np.append(evidence.silhouettes, np.float32(0))
    features[:, 1] = logit(table[source_index].min(axis=0))
    features[:, 2] = np.log(len(evidence.silhouettes))
    return features


@lru_cache(maxsize=4)
def grid_in_views(cameras: Cameras, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `pixels_of` the voxels' centres; a robot imagines views from the same cameras again
    and again."""
    return pixels_of(cameras, grid_centres().reshape(-1, 3), side)


def pixels_of(cameras: Cameras, points: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the cameras see points (M, 3): index (N, M) in the side^2 pixels of all views
    (one beyond the last if outside of the image), and distance behind the centre (N, M)."""
    x, y, behind = np.moveaxis(cameras.project(points), -1, 0)
    column, row = np.floor(side * x).astype(np.int32), np.floor(side * y).astype(np.int32)
    inside = (column >= 0) & (column < side) & (row >= 0) & (row < side)
    view = np.arange(len(behind), dtype=np.int32)[:, None]
    index = np.where(inside, (view * side + row) * side + column, len(behind) * side**2)
    return index.astype(np.int32), np.ascontiguousarray(behind)


def view_tables(evidence: Evidence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return alpha, depth and the slope of the log odds behind it, of FINE x FINE pixels of each
    view, one after another, and of nothing at the end: (N * FINE^2 + 1,) each."""
    alpha = evidence.alpha
    weighted = alpha * evidence.depth
    squares = weighted * evidence.depth + alpha * np.square(evidence.spread)
    maps = np.stack([alpha, weighted, squares], axis=-1)
    large = np.stack([cv2.resize(each, (FINE, FINE)) for each in maps]).reshape(-1, 3)
    alpha, depth, square = np.append(large, np.zeros((1, 3), np.float32), axis=0).T
    whole = np.maximum(alpha, 1e-4)
    depth = depth / whole
    variance = np.maximum(square / whole - np.square(depth), 0)
    return alpha.copy(), depth, 1 / np.sqrt(SHARPNESS**2 + NORMAL_CDF**2 * variance)


@dataclass(frozen=True)
class Points:
    """positions: (M, 3). colors: (M, 3) uint8. spread: (M,) standard deviation of the depth.
    towards_camera: (M, 3) unit vectors, to the camera of the point's view."""

    positions: np.ndarray
    colors: np.ndarray
    spread: np.ndarray
    towards_camera: np.ndarray


def surface_points(evidence: Evidence) -> Points:
    """Return the pixels that show the object as points, in each small cell the most certain one."""
    size = evidence.alpha.shape[-1]
    view, row, column = np.nonzero(evidence.alpha > OBJECT_ALPHA)
    cameras, behind = evidence.cameras, evidence.depth[view, row, column]
    x, y = (column + np.float32(0.5)) / size, (row + np.float32(0.5)) / size
    positions = cameras.unproject(view, x, y, behind)
    spread = evidence.spread[view, row, column]
    cells = np.floor(positions / POINT_SPACING).astype(np.int64) + CELL_OFFSET
    key = (cells[:, 0] * 2 * CELL_OFFSET + cells[:, 1]) * 2 * CELL_OFFSET + cells[:, 2]
    # Positions break ties, so that the order of the views does not matter.
    order = np.lexsort((*positions.T, spread, key))
    first = order[np.unique(key[order], return_index=True)[1]]
    eyes = -cameras.rotations[view[first], :, 2] * cameras.distances[view[first], None]
    towards = eyes - positions[first]
    return Points(
        positions[first],
        evidence.color[view, row, column][first],
        spread[first],
        towards / np.linalg.norm(towards, axis=-1, keepdims=True),
    )


def point_features(evidence: Evidence, points: Points, odds: np.ndarray) -> np.ndarray:
    """Return features of points, (M, 5): logarithm of the depth's spread, log odds of the voxel,
    mean of the first over all points, logarithm of the number of sources, and 1."""
    features = np.ones((len(points.positions), 5), np.float32)
    features[:, 0] = np.log(points.spread + np.float32(0.01))
    features[:, 1] = odds[voxels_of(points.positions)]
    features[:, 2] = features[:, 0].mean()
    features[:, 3] = np.log(len(evidence.silhouettes))
    return features


def voxels_of(positions: np.ndarray) -> np.ndarray:
    """Return the index of the voxel, (M,), in which each position is, or the nearest one."""
    i, j, k = np.clip((positions + 1) * (SIDE / 2), 0, SIDE - 1).astype(np.int64).T
    return (i * SIDE + j) * SIDE + k


def normals(points: Points, odds: np.ndarray) -> np.ndarray:
    """Return unit normals (M, 3) float32: where the odds fall, and towards the point's camera."""
    field = smooth(odds.reshape((SIDE,) * 3))
    gradient = np.stack(np.gradient(field), axis=-1).reshape(-1, 3)
    normal = -gradient[voxels_of(points.positions)]
    towards = points.towards_camera
    # In a thin part the odds rise on both sides; a camera sees no surface from behind.
    behind = np.minimum((normal * towards).sum(axis=-1, keepdims=True), 0)
    normal = normal - behind * towards + np.float32(1e-3) * towards
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def smooth(field: np.ndarray) -> np.ndarray:
    """Return a field averaged over 3 voxels along each axis (weights 1, 2, 1)."""
    for axis in range(3):
        padded = np.pad(field, [(int(a == axis),) * 2 for a in range(3)], mode="edge")
        before, after = (np.take(padded, range(i, i + SIDE), axis) for i in (0, 2))
        field = (before + 2 * field + after) / 4
    return field


def seen_by_sources(evidence: Evidence, points: Points, normal: np.ndarray) -> np.ndarray:
    """Return whether a source sees each point, (M,): it faces the source, is in its silhouette,
    and no point is far in front of it. normal: (M, 3)."""
    cameras, size = evidence.source_cameras, evidence.silhouettes.shape[-1]
    eyes = -cameras.rotations[:, :, 2] * cameras.distances[:, None]
    facing = ((eyes[:, None] - points.positions) * normal).sum(axis=-1) > 0
    index, behind = pixels_of(cameras, points.positions, size)
    nearest = np.full(len(eyes) * size**2 + 1, np.inf, np.float32)
    np.minimum.at(nearest, index, behind)
    shown = np.append(evidence.silhouettes > 0, False)[index]
    return (facing & shown & (behind < nearest[index] + VISIBLE_DEPTH)).any(axis=0)


def probability(odds: np.ndarray) -> np.ndarray:
    """Return the probability of log odds, float32."""
    return (1 / (1 + np.exp(-odds))).astype(np.float32)
