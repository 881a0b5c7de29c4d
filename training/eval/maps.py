"""Silhouettes and depths: those of the data, and the scores of those that a model gives."""

from dataclasses import dataclass

import numpy as np

from tiny_nvs_ros.geometry import SRN_CAMERA
from tiny_nvs_ros.model import ViewSamples
from tiny_nvs_ros.srn_data import SrnInstance

OBJECT_FROM = 0.5  # alpha above which a pixel is the object
MIN_WEIGHT = 1e-6  # of a pixel's depth, where no sample sees the object


@dataclass(frozen=True)
class Maps:
    """Silhouettes and depths of N views; None if the data does not have them.

    alpha: (N, size, size) in [0, 1]. depth: (N, size, size), of the visible surface along the
    optical axis, object radii behind the object's centre, NaN where there is nothing. rho: (N,)
    distances of the cameras from the centre, object radii.
    """

    alpha: np.ndarray | None
    depth: np.ndarray | None
    rho: np.ndarray

    @classmethod
    def read(cls, instance: SrnInstance, indices: np.ndarray, size: int) -> "Maps":
        """Read maps of some of an instance's views; its cameras must have kept their distances."""
        rho = np.linalg.norm(instance.poses[indices, :3, 3], axis=-1) / SRN_CAMERA.radius
        alpha = depth = None
        if instance.has_alpha:
            alpha = np.stack([instance.image(i, size, alpha=True)[..., 3] for i in indices])
            alpha = alpha / np.float32(255)
        if instance.has_depth:
            depth = np.stack([instance.depth(i, size) for i in indices]) / SRN_CAMERA.radius
            depth = depth - rho[:, None, None]
        return cls(alpha, depth, rho)

    def copies(self, indices: np.ndarray) -> ViewSamples | None:
        """Return the maps of views `indices` as samples, one each; empty pixels are at the centre.

        None without alpha. Their colours are empty.
        """
        if self.alpha is None:
            return None
        alpha = self.alpha[indices, None]
        depth = None if self.depth is None else np.nan_to_num(self.depth[indices, None])
        return ViewSamples(np.zeros((*alpha.shape, 3), np.uint8), alpha, depth)


def map_scores(views: ViewSamples, truth: Maps) -> dict[str, np.ndarray]:
    """Return scores of alpha and depth that both the views and the truth have, (N,) each.

    alpha_iou: of the silhouettes. depth_error: mean absolute error inside the true silhouette,
    object radii; depth_relative_error: the same, relative to the true distance from the camera's
    plane. With several samples: of the first, of the mean (a depth weighted by alpha, as the node
    publishes it), and variance and squared error of each, those of depth inside the silhouette.
    A view without a silhouette has NaN.
    """
    if views.alpha is None or truth.alpha is None:
        return {}
    samples = views.alpha.shape[1]
    mean = views.alpha.mean(axis=1)
    scores = {"alpha_iou": alpha_iou(views.alpha[:, 0], truth.alpha)}
    if samples > 1:
        scores[f"alpha_iou_mean{samples}"] = alpha_iou(mean, truth.alpha)
        scores["alpha_variance"] = views.alpha.var(axis=1).mean(axis=(1, 2))
        scores["alpha_squared_error"] = ((mean - truth.alpha) ** 2).mean(axis=(1, 2))
    if views.depth is None or truth.depth is None:
        return scores
    inside = (truth.alpha >= OBJECT_FROM) & ~np.isnan(truth.depth)
    true_depth = np.nan_to_num(truth.depth)
    distance = truth.rho[:, None, None] + true_depth

    def errors(depth: np.ndarray, suffix: str) -> dict[str, np.ndarray]:
        error = np.abs(depth - true_depth)
        return {
            f"depth_error{suffix}": _mean_inside(error, inside),
            f"depth_relative_error{suffix}": _mean_inside(error / distance, inside),
        }

    scores |= errors(views.depth[:, 0], "")
    if samples > 1:
        weight = np.maximum(views.alpha.sum(axis=1), MIN_WEIGHT)
        mean = (views.alpha * views.depth).sum(axis=1) / weight
        scores |= errors(mean, f"_mean{samples}")
        variance = (views.alpha * (views.depth - mean[:, None]) ** 2).sum(axis=1) / weight
        scores["depth_variance"] = _mean_inside(variance, inside)
        scores["depth_squared_error"] = _mean_inside((mean - true_depth) ** 2, inside)
    return scores


def alpha_iou(alpha: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Return the intersection over union of silhouettes (N, H, W), (N,); 1 if both are empty."""
    ours, theirs = alpha >= OBJECT_FROM, truths >= OBJECT_FROM
    union = (ours | theirs).sum(axis=(1, 2))
    return np.where(union > 0, (ours & theirs).sum(axis=(1, 2)) / np.maximum(union, 1), 1.0)


def _mean_inside(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the means (N,) of values (N, H, W) over the pixels `inside`; NaN if there are none."""
    pixels = inside.sum(axis=(1, 2))
    total = (values * inside).sum(axis=(1, 2))
    return np.where(pixels > 0, total / np.maximum(pixels, 1), np.nan)
