"""The evaluated methods: the model, a compared model, a regressor, and baselines."""

import zlib
from dataclasses import dataclass, replace

import numpy as np
import torch

from tiny_nvs_ros.model import NovelViewModel, ViewRequest, ViewSamples
from tiny_nvs_ros.model.base import LatentModel
from tiny_nvs_ros.model.request import draw_noise
from tiny_nvs_ros.srn_cameras import at_model_distance
from tiny_nvs_ros.srn_data import SrnError, SrnInstance
from training.eval.baselines import TrainingViews
from training.eval.maps import Maps
from training.stages.regress import regressed


@dataclass(frozen=True)
class Protocol:
    """What is evaluated.

    input_views: views that are no targets; the first `sources` of them are given to the model.
    views: targets of an instance, evenly spread; None: all of them. alpha: give the sources' alpha
    if the data has it.
    """

    input_views: tuple[int, ...] = (64,)
    sources: int = 1
    views: int | None = None
    samples: int = 8
    steps: int | None = None  # of the sampler, None for the model's own
    seed: int = 0
    alpha: bool = True

    def __post_init__(self) -> None:
        if len(set(self.input_views)) < len(self.input_views):
            raise ValueError("--input-views names a view twice")
        if self.sources > len(self.input_views):
            raise ValueError(
                f"--sources {self.sources} needs as many source views; name them by --input-views"
            )

    @property
    def entries(self) -> list[int]:
        """The source views."""
        return list(self.input_views[: self.sources])

    def targets(self, instance: SrnInstance) -> np.ndarray:
        """Return indices of an instance's targets; SrnError without an input or a target."""
        count, last = len(instance), max(self.input_views)
        if not last < count:
            raise SrnError(
                f"{instance.path}: has the views 0 to {count - 1}, not {last}; "
                "choose the input by --input-view"
            )
        others = np.delete(np.arange(count), self.input_views)
        if not len(others):
            views = "one view" if count == 1 else f"{count} views"
            raise SrnError(f"{instance.path}: has {views} only, which leaves no target")
        if self.views is None or self.views >= len(others):
            return others
        return others[np.linspace(0, len(others) - 1, self.views).round().astype(int)]

    def check(self, model: NovelViewModel) -> None:
        """Raise ValueError if the model does not take as many sources."""
        most = model.config.max_sources
        if self.sources > most:
            takes = "one source" if most == 1 else f"at most {most} sources"
            raise ValueError(
                f"--sources {self.sources}: the architecture {model.config.architecture} takes "
                f"{takes}"
            )


@dataclass(frozen=True)
class MethodViews:
    """Some targets of one instance, and every method's views of them.

    source: the first, size x size x 3 uint8; truths: (N, size, size, 3) uint8; views: of models, by
    name: "model" and, if it uses the heading, "model_heading", and "compared" of the compared
    model; others: of baselines, by name, like truths or float in [0, 1]. maps: of the truths;
    copied_maps: of the baseline "copy_input", if the data has alpha.
    """

    source: np.ndarray
    truths: np.ndarray
    views: dict[str, ViewSamples]
    others: dict[str, np.ndarray]
    maps: Maps | None = None
    copied_maps: ViewSamples | None = None


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
        """Return all methods' images of some of an instance's views.

        Of several sources, "copy_input" is the one that looks most nearly from where the target
        does, and "nearest_neighbour" is found by the first.
        """
        size, entries = self.model.config.size, self.protocol.entries
        source = instance.image(entries[0], size)
        truths = np.stack([instance.image(i, size) for i in targets])
        poses = instance.poses[targets]
        axes = instance.poses[entries, :3, 2]
        copied = (poses[:, :3, 2] @ axes.T).argmax(axis=1)
        others = {"copy_input": np.stack([instance.image(i, size) for i in entries])[copied]}
        if self.training:
            twin = self.training.nearest_instance(source, instance.poses[entries[0]])
            others["mean_view"] = np.stack([self.training.mean_view(pose) for pose in poses])
            others["nearest_neighbour"] = np.stack(
                [self.training.view_of(twin, pose) for pose in poses]
            )
        views = {}
        for name, model in (("autoencoder", self.model), ("autoencoder_compared", self.compared)):
            if isinstance(model, LatentModel):
                others[name] = model.decode(model.encode(truths))
        if self.compared:
            request = self._request(self.compared, instance, targets, False)
            views["compared"] = imagine(
                self.compared, request, self.protocol, instance.name, targets
            )
        for suffix, known in (("", False), ("_heading", True)):
            if self.regressor and (knows_heading(self.regressor) or not known):
                request = self._request(self.regressor, instance, targets, known)
                z = regressed(self.regressor, request)
                others[f"regressor{suffix}"] = self.regressor.decode(z)
            if knows_heading(self.model) or not known:
                request = self._request(self.model, instance, targets, known)
                views[f"model{suffix}"] = imagine(
                    self.model,
                    request,
                    self.protocol,
                    instance.name,
                    targets,
                    self.protocol.steps,
                )
        maps = Maps.read(instance, targets, size)
        copies = Maps.read(instance, np.array(entries), size).copies(copied)
        return MethodViews(source, truths, views, others, maps, copies)

    def _request(
        self, model: NovelViewModel, instance: SrnInstance, targets: np.ndarray, heading: bool
    ) -> ViewRequest:
        """Return the request for targets of an instance, by the cameras that the model knows."""
        poses, alpha = (
            model_poses(model, instance.poses),
            self.protocol.alpha and instance.has_alpha,
        )
        sources = [(instance.image(i, alpha=alpha), poses[i]) for i in self.protocol.entries]
        return ViewRequest.create(model.config, sources, poses[targets], heading_known=heading)


def imagine(
    model: NovelViewModel,
    request: ViewRequest,
    protocol: Protocol,
    name: str,
    targets: np.ndarray,
    steps: int | None = None,
) -> ViewSamples:
    """Return samples of a request; each view has its own noise.

    name: of the instance; targets: its views that the request asks for; steps: of the sampler, None
    for the model's own.
    """
    seed = [protocol.seed, zlib.crc32(name.encode())]
    rngs = (np.random.default_rng([*seed, i]) for i in targets)
    draws = [draw_noise(model.config, rng, 1, protocol.samples) for rng in rngs]
    noise = np.concatenate(draws)
    return model.render(replace(request, noise=noise, steps=steps, sampler_seed=protocol.seed))


def model_poses(model: NovelViewModel, poses: np.ndarray) -> np.ndarray:
    """Return cameras (V, 4, 4) at the distances that a model takes: their own, or its."""
    camera = model.config.camera
    return poses if camera.any_distance else at_model_distance(poses, camera)


def knows_heading(model: NovelViewModel) -> bool:
    """Return whether a model makes use of the object's heading."""
    return model.config.architecture != "paper"
