"""The loaded model, and the thread in which it runs."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tiny_nvs_ros.node.parameters import NodeSettings
from tiny_nvs_ros.node.source import Source
from tiny_nvs_ros.node.worker import InferenceWorker
from tiny_nvs_ros.pipeline import ImaginedViews, SourceImage, imagine

if TYPE_CHECKING:
    from tiny_nvs_ros.runtime import Renderer


class Inference:
    """Runs the model on sources, one inference at a time, in its own thread."""

    def __init__(self, renderer: "Renderer", wake: Callable[[], None]):
        """wake: called from the thread after each inference (see InferenceWorker)."""
        self.renderer = renderer
        self.worker = InferenceWorker(wake)

    def job(
        self, source: Source, targets: np.ndarray, settings: NodeSettings, samples: int, seed: int
    ) -> Callable[[], ImaginedViews]:
        """Return the function that imagines the targets, (N, 4, 4), for the worker to run."""
        renderer, check_interrupted = self.renderer, self.worker.check_interrupted

        def infer() -> ImaginedViews:
            views = imagine(
                renderer,
                SourceImage(source.image(), source.pose, source.camera),
                targets,
                samples=samples,
                steps=settings.steps or None,
                seed=None if seed < 0 else seed,
                object_radius=settings.object_radius or None,
                heading_known=settings.object_heading == "known",
                on_step=check_interrupted,
            )
            views.warp()  # in this thread
            return views

        return infer
