"""The loaded model, the sources that it remembers, and the thread in which it runs."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tiny_nvs_ros.consistency import disagrees
from tiny_nvs_ros.fusion import around, fuse
from tiny_nvs_ros.next_best_view import Ranking, survey
from tiny_nvs_ros.node.parameters import NodeSettings
from tiny_nvs_ros.node.source import Source
from tiny_nvs_ros.node.source_memory import Remembered, SourceMemory
from tiny_nvs_ros.node.worker import InferenceWorker
from tiny_nvs_ros.pipeline import (
    ImaginedViews,
    PreparedSource,
    SourceImage,
    imagine,
    prepare,
    radius_of_crop,
)
from tiny_nvs_ros.shape import Shape

if TYPE_CHECKING:
    from tiny_nvs_ros.runtime import Renderer

CHECK_PERIOD_S = 1.0  # between two checks that the object has not moved against its frame
SHAPE_SAMPLES = 4


class Inference:
    """Runs the model on sources, one inference at a time, in its own thread.

    The methods named after what they make return functions for the worker to run. moved: how many
    remembered sources were forgotten because the newest one disagreed; the node reports and resets
    it.
    """

    def __init__(self, renderer: "Renderer", wake: Callable[[], None]):
        """wake: called from the thread after each inference (see InferenceWorker)."""
        self.renderer = renderer
        self.memory = SourceMemory()
        self.worker = InferenceWorker(wake)
        self.moved = 0
        self._check_due = 0.0

    def views(
        self,
        source: Source,
        targets: np.ndarray,
        settings: NodeSettings,
        samples: int,
        seed: int,
        remember: bool = True,
    ) -> Callable[[], ImaginedViews]:
        """Imagine the targets, (N, 4, 4), from a source and what is remembered.

        remember: False imagines from the source alone, and remembers nothing.
        """

        def infer() -> ImaginedViews:
            prepared = self._prepare(source, settings)
            sources = self._remember(prepared, source, settings) if remember else [prepared]
            views = imagine(
                self.renderer,
                sources,
                targets,
                samples=samples,
                steps=settings.steps or None,
                seed=None if seed < 0 else seed,
                object_radius=settings.object_radius or None,
                heading_known=settings.object_heading == "known",
                on_step=self.worker.check_interrupted,
            )
            views.warp()  # in this thread
            return views

        return infer

    def shape(self, settings: NodeSettings) -> Callable[[], Shape | None]:
        """Fuse imagined views to the object's shape; None if nothing is remembered."""

        def infer() -> Shape | None:
            sources = self.memory.sources()
            if not sources:
                return None
            radius = self._radius(sources, settings)
            return fuse(
                imagine(
                    self.renderer,
                    sources,
                    around(radius),
                    samples=SHAPE_SAMPLES,
                    seed=max(settings.seed, 0),
                    object_radius=radius,
                    heading_known=settings.object_heading == "known",
                    on_step=self.worker.check_interrupted,
                )
            )

        return infer

    def ranking(
        self, candidates: np.ndarray, settings: NodeSettings, source: Source | None = None
    ) -> Callable[[], Ranking | None]:
        """Rank candidate cameras, (N, 4, 4), by how much an image from each would tell.

        source: is remembered, too; None ranks by what is remembered, and gives None if that is
        nothing.
        """

        def infer() -> Ranking | None:
            if source is None:
                sources = self.memory.sources()
            else:
                sources = self._remember(self._prepare(source, settings), source, settings)
            if not sources:
                return None
            return survey(
                self.renderer,
                sources,
                candidates,
                object_radius=self._radius(sources, settings),
                samples=SHAPE_SAMPLES,
                heading_known=settings.object_heading == "known",
            )

        return infer

    def _prepare(self, source: Source, settings: NodeSettings) -> PreparedSource:
        image = SourceImage(source.image(), source.pose, source.camera)
        return prepare(image, self.renderer.config.camera, settings.object_radius or None)

    def _radius(self, sources: list[PreparedSource], settings: NodeSettings) -> float:
        """Return the object's radius, metres, or what stands in for an unknown one."""
        model = self.renderer.config.camera
        return settings.object_radius or radius_of_crop(sources[0].camera.distance, model)

    def _remember(
        self, prepared: PreparedSource, source: Source, settings: NodeSettings
    ) -> list[PreparedSource]:
        """Return the source and those of before to imagine from, if they are of one object."""
        new = Remembered(prepared, source.stamp.nanoseconds)
        sources = self.memory.add(new, settings, self.renderer.config.max_sources)
        if len(sources) == 1 or time.monotonic() < self._check_due:
            return sources
        self._check_due = time.monotonic() + CHECK_PERIOD_S
        known = settings.object_heading == "known"
        if not disagrees(self.renderer, sources[1:], prepared, known):
            return sources
        self.moved += self.memory.keep_only(prepared)
        return [prepared]
