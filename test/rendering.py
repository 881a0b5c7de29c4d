"""Requests as most tests make them: one image, and target cameras relative to its camera."""

import numpy as np

from tiny_nvs_ros.model import ViewRequest, ViewSamples


def render_relative(renderer, image, T_source_targets, *, on_step=None, **options) -> ViewSamples:
    """Return what a runtime's renderer makes of ViewRequest.from_relative_poses."""
    request = ViewRequest.from_relative_poses(renderer.config, image, T_source_targets, **options)
    return renderer.render(request, on_step or (lambda: None))


def rgb_of(renderer, image, T_source_targets, **options) -> np.ndarray:
    """Return the colours of `render_relative` as integers that can be subtracted."""
    return render_relative(renderer, image, T_source_targets, **options).rgb.astype(int)
