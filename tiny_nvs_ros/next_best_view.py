"""Ranks cameras by how much their images should help: where to look next. Needs no ROS.

    candidates = ring(object_radius, distance=0.6)
    gains = rank(renderer, sources, candidates, object_radius=object_radius)
    best = candidates[gains.argmax()]

The spread of the samples says how uncertain an imagined view is. What a new image does for other
views falls with the angle to its camera: views are taken for a Gaussian process on the sphere of
directions, of which the sources are observations. The gain is the expected fall of the variance,
averaged over views all around the object, and a share of the candidate's own variance.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tiny_nvs_ros.fusion import around
from tiny_nvs_ros.geometry import check_pose, orbit
from tiny_nvs_ros.model import ViewSamples
from tiny_nvs_ros.pipeline import PreparedSource, SourceImage, imagine
from tiny_nvs_ros.virtual_camera import check_radius

if TYPE_CHECKING:
    from tiny_nvs_ros.runtime import Renderer

# Chosen on procedural objects (docs/shape.md); their values matter little.
CORRELATION_ANGLE = np.radians(60)  # at which the correlation of two views has fallen to 1 / e
NOISE = 0.05  # variance of an observation, of the process's
ALPHA_WEIGHT = 0.5  # of the silhouette's variance, beside the colour's
OWN_WEIGHT = 0.1  # of the candidate's own variance, beside the mean over all views
ELEVATIONS = 10.0, 45.0  # degrees


def ring(
    object_radius: float,
    distance: float,
    count: int = 12,
    elevations: Sequence[float] = ELEVATIONS,
) -> np.ndarray:
    """Return candidates on rings around an object, (len(elevations) * count, 4, 4) T_object_camera.

    object_radius, distance: metres; distance: from the object's centre; elevations: degrees; count:
    cameras on each ring. Every second ring is turned by half a step. Raises ValueError for cameras
    inside the object, and elevations that do not exist.
    """
    check_radius(object_radius)
    if not len(elevations) or not (np.abs(elevations) <= 90).all():  # refuses NaN too
        raise ValueError(f"elevations are {elevations}; there must be some, from -90 to 90 degrees")
    if not distance > object_radius:
        raise ValueError(
            f"distance is {distance}; it must be more than object_radius, {object_radius} m"
        )
    step = np.pi / max(count, 1)
    return np.concatenate(
        [
            orbit(count, (np.radians(elevation),), distance, start=(i % 2) * step)
            for i, elevation in enumerate(elevations)
        ]
    )


class Ranking(NamedTuple):
    """Gains of candidates, (N,), see `survey`, and how uncertain the object is: the root mean
    variance of the colours of imagined views all around it, in [0, 1]."""

    gains: np.ndarray
    uncertainty: float


def survey(
    renderer: "Renderer",
    sources: SourceImage | PreparedSource | Sequence[SourceImage | PreparedSource],
    candidates: ArrayLike,
    *,
    object_radius: float,
    samples: int = 4,
    seed: int | None = 0,
    heading_known: bool = False,
) -> Ranking:
    """Return how uncertain the object is, and the expected gain of an image from each candidate.

    Gains are variances, of which the scale says little: the largest is the best camera. sources:
    the images so far, as of `pipeline.imagine`. candidates: (N, 4, 4) T_object_camera, metres.
    samples: of each view, at least 2. Raises ValueError as `pipeline.imagine`, and for a single
    sample, which has no spread.
    """
    if samples < 2:
        raise ValueError(f"samples is {samples}; it must be at least 2: gains come from the spread")
    candidates = np.asarray(candidates, float)
    if candidates.shape[-2:] != (4, 4) and candidates.size:
        raise ValueError(f"candidates have shape {candidates.shape}; they must be (N, 4, 4)")
    candidates = check_pose(candidates.reshape(-1, 4, 4), "candidates")
    everywhere = around(object_radius)
    targets = np.concatenate([candidates, everywhere])  # candidates first: errors number the views
    views = imagine(
        renderer,
        sources,
        targets,
        samples=samples,
        seed=seed,
        object_radius=object_radius,
        heading_known=heading_known,
    )
    own, others = np.split(variances(views.samples), [len(candidates)])
    seen = np.stack([source.camera.pose for source in views.sources])
    correlation = correlations(candidates, everywhere, seen)
    gains = (np.square(correlation) * others).mean(axis=1) + OWN_WEIGHT * own
    color = np.square(views.samples.std[len(candidates) :])
    return Ranking(gains, float(np.sqrt(color.mean())))


def rank(
    renderer: "Renderer",
    sources: SourceImage | PreparedSource | Sequence[SourceImage | PreparedSource],
    candidates: ArrayLike,
    **options: object,
) -> np.ndarray:
    """Return the gains of `survey`, (N,) float64; options: as there."""
    return survey(renderer, sources, candidates, **options).gains


def variances(samples: ViewSamples) -> np.ndarray:
    """Return the mean variance of each view's colour and silhouette over the samples, (N,)."""
    color = np.square(samples.std).mean(axis=(1, 2), dtype=np.float64)
    if samples.alpha is None:
        return color
    return color + ALPHA_WEIGHT * samples.alpha.var(axis=1).mean(axis=(1, 2), dtype=np.float64)


def correlations(candidates: np.ndarray, views: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Return the correlation of what candidates and other views show, given the sources, (N, M).

    candidates: (N, 4, 4), views: (M, 4, 4), sources: (n, 4, 4) T_object_camera.
    """
    directions = np.concatenate([candidates, views, sources])[:, :3, 3]
    directions = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    angles = np.arccos(np.clip(directions @ directions.T, -1, 1))
    prior = np.exp(-np.square(angles / CORRELATION_ANGLE))
    known = slice(len(candidates) + len(views), None)
    observed = prior[known, known] + NOISE * np.eye(len(sources))
    posterior = prior - prior[:, known] @ np.linalg.solve(observed, prior[known])
    spread = np.sqrt(np.maximum(np.diag(posterior), 1e-9))
    correlation = posterior / spread[:, None] / spread
    return correlation[: len(candidates), len(candidates) : known.start]
