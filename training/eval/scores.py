"""Scores of the methods' views, and their means over a test set."""

import math

import numpy as np

from tiny_nvs_ros.model import ViewSamples
from training.eval.maps import map_scores
from training.eval.methods import MethodViews
from training.eval.metrics import METRICS, SMALLER_IS_BETTER, squared_error

Scores = dict[str, dict[str, np.ndarray]]  # by method and metric, a number for each view


def score(shown: MethodViews) -> Scores:
    """Return all metrics of all methods; of models: first sample, mean and best of the samples."""
    truths = _unit(shown.truths)
    models = {name: _score_samples(views, truths) for name, views in shown.views.items()}
    others = {name: _metrics(_unit(images), truths) for name, images in shown.others.items()}
    if shown.maps:
        for name, views in shown.views.items():
            models[name] |= map_scores(views, shown.maps)
        if shown.copied_maps and "copy_input" in others:
            others["copy_input"] |= map_scores(shown.copied_maps, shown.maps)
    return models | others


def _score_samples(views: ViewSamples, truths: np.ndarray) -> dict[str, np.ndarray]:
    samples = views.rgb.shape[1]
    each = [_metrics(_unit(views.rgb[:, i]), truths) for i in range(samples)]
    scores = dict(each[0])
    if samples > 1:
        for metric, values in _metrics(views.mean, truths).items():
            scores[f"{metric}_mean{samples}"] = values
        for metric in METRICS:
            best = np.min if metric in SMALLER_IS_BETTER else np.max
            scores[f"{metric}_best{samples}"] = best([one[metric] for one in each], axis=0)
        scores["variance"] = (views.std.astype(np.float64) ** 2).mean(axis=(1, 2))
        scores["squared_error"] = squared_error(views.mean, truths)
        colours = ViewSamples(_colour(views.rgb))
        scores["colour_variance"] = (colours.std.astype(np.float64) ** 2).mean(axis=(1, 2))
        scores["colour_squared_error"] = squared_error(_colour(views.mean), _colour(truths))
    return scores


def _colour(images: np.ndarray) -> np.ndarray:
    """Return the difference of images (..., 3) from grey."""
    return images - images.mean(axis=-1, keepdims=True, dtype=np.float32)


def _metrics(images: np.ndarray, truths: np.ndarray) -> dict[str, np.ndarray]:
    return {name: metric(images, truths) for name, metric in METRICS.items()}


def _unit(images: np.ndarray) -> np.ndarray:
    """Return colours in [0, 1]."""
    return images / np.float32(255) if images.dtype == np.uint8 else images


def mean_scores(parts: list[Scores]) -> Scores:
    """Return means over all numbers but NaN (no object, no colour difference); NaN if all are.

    A metric that some parts do not have is the mean over the others.
    """

    def mean(method: str, metric: str) -> float:
        found = [part[method][metric] for part in parts if metric in part[method]]
        values = np.concatenate([np.atleast_1d(each) for each in found])
        values = values[~np.isnan(values)]
        return float(values.mean()) if len(values) else math.nan

    return {
        method: {
            metric: mean(method, metric)
            for metric in dict.fromkeys(metric for part in parts for metric in part[method])
        }
        for method in parts[0]
    }
