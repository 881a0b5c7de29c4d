"""Measure fused shapes against true ones and baselines, by number of sources."""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree

from tiny_nvs_ros import fusion
from tiny_nvs_ros.pipeline import imagine
from tiny_nvs_ros.runtime import Renderer
from tiny_nvs_ros.shape import SOLID, Shape
from training.eval.contact_sheet import draw_contact_sheet
from training.eval.shape_baselines import (
    TrainingShapes,
    as_meshes,
    fused_true_views,
    hull,
    iou,
    visible_surface,
)
from training.eval.subjects import RADIUS, Subject, SubjectFile
from training.eval.true_shape import TrueShape, true_shape
from training.progress import track

SOURCES = 1, 2, 4
METRICS = "iou", "chamfer", "f_score"
F_TOLERANCE = 0.01  # of the bounding box's diagonal, which is 2 object radii
BIN_EDGES = np.array([0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
PICTURE_ROWS = 8
TITLES = {
    "model": "model",
    "nearest": "nearest training instance",
    "visible": "visible surface of the sources",
    "mean": "mean shape",
    "hull": "hull of the true views",
    "perfect": "fusion of the true views (ceiling)",
}
HEADER = """\
| shape                              | sources |   IoU | Chamfer-L1, % | F-score at 1 % |
| :--------------------------------- | ------: | ----: | ------------: | -------------: |"""


def scores(found: TrueShape, truth: TrueShape) -> dict[str, float]:
    """Return METRICS. chamfer: mean of the mean distances from each surface to the other, of the
    diagonal; 1 if a surface is empty. f_score: harmonic mean of the shares of points of each
    surface that are within F_TOLERANCE of the other."""
    result = {"iou": iou(found.occupancy, truth.occupancy), "chamfer": 1.0, "f_score": 0.0}
    if len(found.points) and len(truth.points):
        there = cKDTree(truth.points).query(found.points)[0] / 2
        back = cKDTree(found.points).query(truth.points)[0] / 2
        shares = [(each < F_TOLERANCE).mean() for each in (there, back)]
        result["chamfer"] = float(there.mean() + back.mean()) / 2
        result["f_score"] = float(2 * np.prod(shares) / max(sum(shares), 1e-9))
    return result


class Reliability:
    """Counts how often a probability holds, by bins of the probability."""

    def __init__(self) -> None:
        bins = len(BIN_EDGES) - 1
        self.count, self.said, self.held = np.zeros(bins), np.zeros(bins), np.zeros(bins)

    def add(self, probability: np.ndarray, holds: np.ndarray) -> None:
        bins = np.clip(np.searchsorted(BIN_EDGES, probability, "right") - 1, 0, len(self.count) - 1)
        for total, weights in ((self.count, None), (self.said, probability), (self.held, holds)):
            total += np.bincount(bins, weights, len(self.count))

    def rows(self) -> list[dict[str, float]]:
        return [
            {
                "from": low,
                "to": high,
                "share": n / max(self.count.sum(), 1),
                "said": s / n,
                "held": h / n,
            }
            for low, high, n, s, h in zip(
                BIN_EDGES, BIN_EDGES[1:], self.count, self.said, self.held, strict=False
            )
            if n
        ]


def measure(
    renderer: Renderer, files: list[SubjectFile], training: TrainingShapes | None, samples: int
) -> tuple[dict, np.ndarray]:
    """Return the report, and a contact sheet of some objects, H x W x 3 uint8.

    training: None leaves out the baselines made of training shapes.
    """
    totals: dict = defaultdict(lambda: defaultdict(list))
    points, voxels = ({count: Reliability() for count in SOURCES} for _ in ("points", "voxels"))
    drawn = np.linspace(0, len(files) - 1, min(len(files), PICTURE_ROWS)).round().astype(int)
    rows = []
    for i, file in enumerate(track(files, unit="object")):
        subject = file.build()
        truth = true_shape(subject.meshes)
        shapes = {}
        for method, count, shape in methods(renderer, subject, training, samples):
            if isinstance(shape, Shape):
                shapes[method, count] = shape
                shape = in_radii(shape)
            totals[method, count]["scores"].append(scores(shape, truth))
        surface = cKDTree(truth.points)
        for count in SOURCES:
            shape = shapes["model", count]
            if len(shape.points):
                near = surface.query(shape.points / RADIUS)[0] < fusion.TOLERANCE
                points[count].add(shape.confidence, near)
            doubtful = shape.occupancy > 0.05
            voxels[count].add(shape.occupancy[doubtful], truth.occupancy[doubtful])
        if i in drawn:
            rows.append(picture_row(subject, [shapes["model", count] for count in SOURCES]))
    table = [
        {
            "method": method,
            "sources": count,
            **{name: float(np.mean([s[name] for s in found["scores"]])) for name in METRICS},
        }
        for (method, count), found in totals.items()
    ]
    report = {
        "objects": len(files),
        "table": sorted(table, key=lambda row: (list(TITLES).index(row["method"]), row["sources"])),
        "confidence": {str(count): points[count].rows() for count in SOURCES},
        "occupancy": {str(count): voxels[count].rows() for count in SOURCES},
    }
    headings = ["source", "truth from\nbehind", *(f"{n} source{'s' * (n > 1)}" for n in SOURCES)]
    return report, draw_contact_sheet(headings, rows)


def methods(
    renderer: Renderer, subject: Subject, training: TrainingShapes | None, samples: int
) -> Iterator[tuple[str, int, TrueShape | Shape]]:
    """Yield the shapes of all methods, with their number of sources (0: none)."""
    poses, cameras = subject.source_poses(), fusion.around(RADIUS)
    sources, images = subject.source_images(poses), subject.true_views(poses).rgb[:, 0]
    for count in SOURCES:
        views = imagine(
            renderer,
            sources[:count],
            cameras,
            samples=samples,
            seed=subject.number,
            object_radius=RADIUS,
        )
        yield "model", count, fusion.fuse(views)
        yield "visible", count, visible_surface(subject, poses[:count])
    if training is not None:
        yield "mean", 0, training.mean
        nearest = training.nearest(images, poses)
        for count in SOURCES:
            yield "nearest", count, nearest[count - 1]
    yield "hull", 0, hull(subject, cameras)
    yield "perfect", 0, fused_true_views(subject, cameras, poses)


def in_radii(shape: Shape) -> TrueShape:
    return TrueShape(shape.occupancy > SOLID, shape.points / np.float32(RADIUS))


def picture_row(subject: Subject, shapes: list[Shape]) -> tuple[list[str], list[np.ndarray]]:
    """Return a source, the truth from behind and meshes of the shapes from there."""
    front = subject.source_poses()[:1]
    behind = front.copy()
    behind[:, :2] *= -1  # half a turn about z
    images = [subject.true_views(pose).rgb[0, 0] for pose in (front, behind)]
    for shape in shapes:
        meshes = as_meshes(shape)
        fused = replace(subject, meshes=meshes)
        images.append(
            fused.true_views(behind).rgb[0, 0] if meshes else np.full_like(images[0], 255)
        )
    return [subject.name.removesuffix(".glb")[:18]], images


def tables(report: dict) -> str:
    """Return the report as Markdown tables."""
    lines = [HEADER]
    for row in report["table"]:
        count = row["sources"] or ""
        lines.append(
            f"| {TITLES[row['method']]:<34} | {count:>7} | {row['iou']:.3f} "
            f"| {100 * row['chamfer']:13.2f} | {row['f_score']:14.3f} |"
        )
    for name, what in (
        ("confidence", f"points: within {fusion.TOLERANCE:g} object radii of the true surface"),
        ("occupancy", "voxels above 5 %: solid"),
    ):
        lines += ["", f"Reliability of {what}, said / held (share of all).", ""]
        lines.append("| said |" + "".join(f" {count} sources |" for count in report[name]))
        lines.append("| ---: |" + " ---: |" * len(report[name]))
        for low, high in pairwise(BIN_EDGES):
            cells = []
            for rows in report[name].values():
                row = next((row for row in rows if row["from"] == low), None)
                cells.append(
                    f" {row['said']:.2f} / {row['held']:.2f} ({100 * row['share']:.0f} %) |"
                    if row
                    else " |"
                )
            lines.append(f"| {100 * low:.0f}-{100 * high:.0f} % |" + "".join(cells))
    return "\n".join(lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--samples", type=int, default=4, help="of each view (%(default)s)")
    parser.add_argument(
        "--train-objects",
        type=int,
        default=120,
        help="procedural objects, and a third as many cars, for the mean shape and the nearest "
        "instance (%(default)s; 0: without these)",
    )
