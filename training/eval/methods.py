"""The evaluated methods: the model, a compared model, a regressor, and baselines."""

import zlib
from dataclasses import dataclass, replace

import numpy as np
import torch

from tiny_nvs_ros.model import NovelViewModel, ViewRequest, ViewSamples
from tiny_nvs_ros.model.request import draw_noise
from tiny_nvs_ros.srn_data import SrnError, SrnInstance
from training.eval.baselines import TrainingViews
from training.stages.regress import regressed


@dataclass(frozen=True)
class Protocol:
    """What is evaluated. views: targets of an instance, evenly spread; None: all of them."""

    input_view: int = 64
    views: int | None = None
    samples: int = 8
    steps: int | None = None  # of the sampler, None for the model's own
    seed: int = 0

    def targets(self, instance: SrnInstance) -> np.ndarray:
        """Return indices of an instance's targets; SrnError without an input or a target."""
        if not self.input_view < len(instance):
            raise SrnError(
                f"{instance.path}: has the views 0 to {len(instance) - 1}, not {self.input_view}; "
                "choose the input by --input-view"
            )
        others = np.delete(np.arange(len(instance)), self.input_view)
        if not len(others):
            raise SrnError(f"{instance.path}: has one view only, which leaves no target")
        if self.views is None or self.views >= len(others):
            return others
        return others[np.linspace(0, len(others) - 1, self.views).round().astype(int)]


@dataclass(frozen=True)
class MethodViews:
    """Some targets of one instance, and every method's views of them.

    source: size x size x 3 uint8; truths: (N, size, size, 3) uint8; views: of models, by name:
    "model" and, if it uses the heading, "model_heading", and "compared" of the compared model;
    others: of baselines, by name, like truths or float in [0, 1].
    """

    source: np.ndarray
    truths: np.ndarray
    views: dict[str, ViewSamples]
    others: dict[str, np.ndarray]


@dataclass(frozen=True)
class Methods:
    """The model and the methods to compare it with; those that need a None are left out."""

    model: NovelViewModel
    protocol: Protocol
    training: TrainingViews | None = None
    regressor: NovelViewModel | None = None
    compared: NovelViewModel | None = None

    @torch.inference_mode()
    def show(self, instance: SrnInstance, targets: np.ndarray) -> MethodViews:
        """Return all methods' images of some of an instance's views."""
        size, entry = self.model.config.size, self.protocol.input_view
        source = instance.image(entry, size)
        truths = np.stack([instance.image(i, size) for i in targets])
        given, poses = (source, instance.poses[entry]), instance.poses[targets]
        others = {"copy_input": np.broadcast_to(source, truths.shape)}
        if self.training:
            twin = self.training.nearest_instance(source, instance.poses[entry])
            others["mean_view"] = np.stack([self.training.mean_view(pose) for pose in poses])
            others["nearest_neighbour"] = np.stack(
                [self.training.view_of(twin, pose) for pose in poses]
            )
        others["autoencoder"] = self.model.decode(self.model.encode(truths))
        views = {}
        if self.compared:
            others["autoencoder_compared"] = self.compared.decode(self.compared.encode(truths))
            request = ViewRequest.create(self.compared.config, given, poses, heading_known=False)
            views["compared"] = self._imagined(self.compared, request, instance, targets)
        for suffix, known in (("", False), ("_heading", True)):
            if self.regressor and (knows_heading(self.regressor) or not known):
                request = ViewRequest.create(
                    self.regressor.config, given, poses, heading_known=known
                )
                z = regressed(self.regressor, request)
                others[f"regressor{suffix}"] = self.regressor.decode(z)
            if knows_heading(self.model) or not known:
                request = ViewRequest.create(self.model.config, given, poses, heading_known=known)
                views[f"model{suffix}"] = self._imagined(
                    self.model, request, instance, targets, self.protocol.steps
                )
        return MethodViews(source, truths, views, others)

    def _imagined(
        self,
        model: NovelViewModel,
        request: ViewRequest,
        instance: SrnInstance,
        targets: np.ndarray,
        steps: int | None = None,
    ) -> ViewSamples:
        """Return samples of a request; each view has its own noise."""
        seed = [self.protocol.seed, zlib.crc32(instance.name.encode())]
        rngs = (np.random.default_rng([*seed, i]) for i in targets)
        draws = [draw_noise(model.config, rng, 1, self.protocol.samples) for rng in rngs]
        noise = np.concatenate(draws)
        seed = self.protocol.seed
        return model.render(replace(request, noise=noise, steps=steps, sampler_seed=seed))


def knows_heading(model: NovelViewModel) -> bool:
    """Return whether a model makes use of the object's heading."""
    return model.config.architecture != "paper"
