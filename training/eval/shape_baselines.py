"""Shapes to compare fused ones with: what sources see, training shapes, and the true views."""

from dataclasses import dataclass

import numpy as np

from tiny_nvs_ros import fusion
from tiny_nvs_ros.model import SourceView, ViewSamples
from tiny_nvs_ros.pipeline import ImaginedViews, PreparedSource
from tiny_nvs_ros.shape import SIDE, Shape, grid_centres
from tiny_nvs_ros.virtual_camera import VirtualCamera
from training.data.mesh import Mesh
from training.eval.subjects import RADIUS, Subject, procedural
from training.eval.true_shape import TrueShape, thin_out, true_shape
from training.progress import track

SURFACE_SAMPLES = 20_000  # of a mesh, before they are thinned out as the true surface is
THRESHOLDS = np.linspace(0.05, 0.95, 19)


def iou(first: np.ndarray, second: np.ndarray) -> float:
    """Return the intersection over union of two boolean grids."""
    return float((first & second).sum() / max((first | second).sum(), 1))


def surface_of(occupancy: np.ndarray) -> np.ndarray:
    """Return points of the surface around a boolean grid, (M, 3) object radii."""
    nothing = Shape.empty(1.0)
    grid = Shape(**{**vars(nothing), "occupancy": occupancy.astype(np.float32)})
    vertices, faces, _ = grid.to_mesh(0.5)
    if not len(faces):
        return np.zeros((0, 3), np.float32)
    corners = vertices[faces]
    area = np.linalg.norm(np.cross(*(corners[:, i] - corners[:, 0] for i in (1, 2))), axis=-1)
    rng = np.random.default_rng(0)
    chosen = corners[rng.choice(len(faces), SURFACE_SAMPLES, p=area / area.sum())]
    weights = rng.dirichlet(np.ones(3), SURFACE_SAMPLES)
    return thin_out((weights[..., None] * chosen).sum(axis=1))


def visible_surface(subject: Subject, poses: np.ndarray) -> TrueShape:
    """Return what depth cameras at the sources' poses would measure: points, and their voxels."""
    views, cameras = subject.true_views(poses), fusion.Cameras.of(virtual(poses))
    view, row, column = np.nonzero(views.alpha[:, 0] >= 0.5)
    size = views.alpha.shape[-1]
    x, y = (column + np.float32(0.5)) / size, (row + np.float32(0.5)) / size
    points = cameras.unproject(view, x, y, views.depth[view, 0, row, column])
    occupied = np.zeros(SIDE**3, bool)
    occupied[fusion.voxels_of(points)] = True
    return TrueShape(occupied.reshape((SIDE,) * 3), thin_out(points))


def hull(subject: Subject, poses: np.ndarray) -> TrueShape:
    """Return the visual hull of true silhouettes."""
    alpha = subject.true_views(poses).alpha[:, 0]
    cameras = fusion.Cameras.of(virtual(poses))
    index, _ = fusion.pixels_of(cameras, grid_centres().reshape(-1, 3), alpha.shape[-1])
    inside = np.append(alpha >= 0.5, False)[index].all(axis=0).reshape((SIDE,) * 3)
    return TrueShape(inside, surface_of(inside))


def fused_true_views(subject: Subject, poses: np.ndarray, sources: np.ndarray) -> Shape:
    """Return the shape that a perfect model would give."""
    views = subject.true_views(poses)
    twice = ViewSamples(
        *(np.repeat(each, 2, axis=1) for each in (views.rgb, views.alpha, views.depth))
    )
    seen = subject.true_views(sources)
    given = [
        PreparedSource(SourceView(image, pose, alpha), camera, pose)
        for image, alpha, pose, camera in zip(
            seen.rgb[:, 0], seen.alpha[:, 0], sources, virtual(sources), strict=True
        )
    ]
    return fusion.fuse(ImaginedViews(twice, virtual(poses), given, RADIUS))


def virtual(poses: np.ndarray) -> list[VirtualCamera]:
    """Return cameras (V, 4, 4) that look at the object upright, in the unit of meshes."""
    return [VirtualCamera(pose, np.eye(3), float(np.linalg.norm(pose[:3, 3]))) for pose in poses]


@dataclass(frozen=True)
class TrainingShapes:
    """Objects of the training distribution. mean: their mean shape."""

    subjects: list[Subject]
    shapes: list[TrueShape]
    mean: TrueShape

    @classmethod
    def build(cls, objects: int, cars: int, seed: int, displaced: bool) -> "TrainingShapes":
        files = procedural(objects, cars, seed, displaced)
        subjects = [file.build() for file in track(files, name="training objects")]
        shapes = [true_shape(subject.meshes) for subject in subjects]
        mean = np.mean([shape.occupancy for shape in shapes], axis=0)
        scores = [np.mean([iou(mean > t, shape.occupancy) for shape in shapes]) for t in THRESHOLDS]
        solid = mean > THRESHOLDS[int(np.argmax(scores))]
        return cls(subjects, shapes, TrueShape(solid, surface_of(solid)))

    def nearest(self, images: np.ndarray, poses: np.ndarray) -> list[TrueShape]:
        """Return the shapes of the objects whose first 1, 2 ... n views are most like a subject's.

        images: (n, size, size, 3) uint8 on white, from cameras (n, 4, 4).
        """
        differences = [
            np.square(subject.true_views(poses).rgb[:, 0] - images.astype(np.float32))
            for subject in self.subjects
        ]
        totals = np.cumsum(np.mean(differences, axis=(2, 3, 4)), axis=1)
        return [self.shapes[i] for i in totals.argmin(axis=0)]


def as_meshes(shape: Shape) -> list[Mesh]:
    """Return a shape's surface for the renderer; none if it is empty."""
    vertices, faces, colors = shape.to_mesh()
    return [Mesh(vertices.astype(float), faces.astype(np.int64), colors)] if len(faces) else []
