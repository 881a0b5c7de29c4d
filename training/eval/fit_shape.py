"""Fit the probabilities of tiny_nvs_ros.fusion, and print the constants.

    python -m training.eval.fit_shape --weights weights/objects

The objects are procedural, of a seed that neither training nor the tables use.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from scipy.spatial import cKDTree

from tiny_nvs_ros import fusion, runtime
from tiny_nvs_ros.pipeline import imagine
from training.cli import exit_on_error
from training.eval.subjects import RADIUS, procedural
from training.eval.true_shape import true_shape
from training.progress import track

SEED = 90210
SOURCES = 1, 2, 4
MIN_LOGIT = -3.9  # of the views' feature: voxels below are empty beyond doubt, and too many


def logistic_regression(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return weights (C,) of features (M, C), the last of which is 1; labels: (M,) bool."""
    x, y = torch.from_numpy(features).double(), torch.from_numpy(labels).double()
    scale = x.abs().mean(dim=0).clamp(min=1e-6)
    x = x / scale
    weights = torch.zeros(x.shape[1], dtype=torch.double, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(x @ weights, y)
        loss.backward()
        return loss

    optimizer.step(closure)
    return (weights.detach() / scale).numpy()


def fit(renderer: runtime.Renderer, objects: int, cars: int, samples: int) -> fusion.Calibration:
    """Return the constants fitted to objects and cars number 0, 1 ... of SEED."""
    voxels, points = [], []
    cameras = fusion.around(RADIUS)
    for file in track(procedural(objects, cars, SEED, displaced=True), unit="object"):
        subject = file.build()
        truth, poses = true_shape(subject.meshes), subject.source_poses()
        sources, surface = subject.source_images(poses), cKDTree(truth.points)
        for count in SOURCES:
            views = imagine(
                renderer,
                sources[:count],
                cameras,
                samples=samples,
                seed=file.number,
                object_radius=RADIUS,
            )
            evidence = fusion.Evidence.of(views)
            features = fusion.voxel_features(evidence)
            doubtful = features[:, 0] > MIN_LOGIT
            voxels.append((features[doubtful], truth.occupancy.ravel()[doubtful]))
            points.append((evidence, features, surface))
    occupancy = logistic_regression(*map(np.concatenate, zip(*voxels, strict=True)))
    rows = []
    for evidence, features, surface in points:
        found = fusion.surface_points(evidence)
        if len(found.positions):
            near = surface.query(found.positions)[0] < fusion.TOLERANCE
            odds = features @ np.float32(occupancy)
            rows.append((fusion.point_features(evidence, found, odds), near))
    confidence = logistic_regression(*map(np.concatenate, zip(*rows, strict=True)))
    return fusion.Calibration(tuple(occupancy.round(3)), tuple(confidence.round(3)))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.eval.fit_shape", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--weights", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--objects", type=int, default=90, help="(%(default)s)")
    parser.add_argument("--cars", type=int, default=30, help="(%(default)s)")
    parser.add_argument("--samples", type=int, default=4, help="of each view (%(default)s)")
    options = parser.parse_args(arguments)
    with exit_on_error(parser):
        renderer = runtime.load(options.weights, "cpu")
        found = fit(renderer, options.objects, options.cars, options.samples)
        for name in ("occupancy", "confidence"):
            numbers = ", ".join(f"{number:g}" for number in getattr(found, name))
            print(f"{name}: tuple[float, ...] = ({numbers})")


if __name__ == "__main__":
    main()
