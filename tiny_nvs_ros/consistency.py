"""Whether several views can be of one object that stands still in its frame."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tiny_nvs_ros.model import ViewRequest
from tiny_nvs_ros.pipeline import PreparedSource

if TYPE_CHECKING:
    from tiny_nvs_ros.runtime import Renderer

SAMPLES = 8
# Squared error that no spread need explain: light, gloss, and poses that are a little off.
UNEXPLAINED = 0.05**2
# By the number of sources, one to three and more: on renders of held-out objects that stood still,
# about 1 % of the views disagreed more.
TOLERANCES = 2.3, 1.8, 1.5


def disagrees(
    renderer: "Renderer",
    sources: Sequence[PreparedSource],
    view: PreparedSource,
    heading_known: bool = False,
) -> bool:
    """Return whether a view differs from what is imagined of it from others, by more than chance.

    Then the object has probably moved against its frame, or the frame is wrong. An object that
    looks alike from all sides disagrees with nothing.
    """
    tolerance = TOLERANCES[min(len(sources), len(TOLERANCES)) - 1]
    return disagreement(renderer, sources, view, heading_known) > tolerance


def disagreement(
    renderer: "Renderer",
    sources: Sequence[PreparedSource],
    view: PreparedSource,
    heading_known: bool = False,
) -> float:
    """Return the squared error of what is imagined of a view, relative to the samples' variance."""
    request = ViewRequest.create(
        renderer.config,
        [source.view for source in sources],
        view.camera.pose[None],
        samples=SAMPLES,
        seed=0,
        heading_known=heading_known,
    )
    views = renderer.render(request)
    error = np.square(views.mean[0] - view.view.image / np.float32(255)).mean()
    return float(error / (np.square(views.std[0]).mean() + UNEXPLAINED))
