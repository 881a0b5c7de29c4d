"""The stages of a flow's denoiser (the preset `fast`)."""

import numpy as np
import torch
from torch import Tensor, nn

from tiny_nvs_ros.model import NovelViewModel, ViewRequest
from tiny_nvs_ros.model.base import to_tensor
from tiny_nvs_ros.model.flow.transformer import TargetTokens
from tiny_nvs_ros.model.layers import Posterior
from tiny_nvs_ros.model.samplers import SHORTCUT_STEPS
from training.baselines import regress_flow, regressed
from training.srn import Views
from training.stages import ORDERS, Settings, changed, evenly, tiled

# Of the tuning:
SCORE_WEIGHT = 20.0  # beside the flow's loss, which is about a tenth of it then
SPREAD = 0.99  # of samples in brightness, for the best score; 1: as of the truth
POSTERIOR_WEIGHT = 0.02  # beside the score; of the mean over a latent's numbers


class FlowLoss(nn.Module):
    """Squared error of the velocity of target views' latents, given a source view and cameras.

    weight: (C, h, w), of each number of a latent. The errors are multiplied by t: near t = 1, where
    all is noise, the content of the view is still open, and an error changes it most. For the last
    of each source's targets it is the error of the mean velocity over an interval, whose truth is
    what the network itself finds in two steps of half of it (shortcuts: Frans et al. 2025). The
    squared error of the mean latent is added.
    """

    def __init__(self, denoiser: nn.Module, weight: Tensor):
        super().__init__()
        self.denoiser = denoiser
        self.register_buffer("weight", weight)

    def forward(
        self,
        z: Tensor,
        t: Tensor,
        interval: Tensor,
        eps: Tensor,
        rotation: Tensor,
        *source: Tensor,
    ) -> dict[str, Tensor]:
        """z, eps: (B, K, C, h, w); t: (B, K); interval: (B, J), the last J targets are shortcuts.

        rotation: (B, K, 3, 3); source: arguments of FlowTransformer.source.
        """
        target = self.denoiser.target(rotation, self.denoiser.source(*source))
        return self.given(target, z, t, interval, eps)

    def given(
        self, target: TargetTokens, z: Tensor, t: Tensor, interval: Tensor, eps: Tensor
    ) -> dict[str, Tensor]:
        """The same where the network has looked at the target views already."""
        share = t[..., None, None, None]
        x = (1 - share) * z + share * eps
        flows = t.shape[1] - interval.shape[1]
        intervals = torch.cat([torch.zeros_like(t[:, :flows]), interval], dim=1)
        velocity = self.denoiser(x, t, intervals, target)
        goal = eps - z
        if interval.shape[1]:
            with (
                torch.no_grad()
            ):  # after the above: autocast keeps the weights as it first met them
                last = TargetTokens(
                    *(f.unflatten(0, t.shape)[:, flows:].flatten(0, 1) for f in target)
                )
                goal[:, flows:] = self.two_steps(x[:, flows:], t[:, flows:], interval, last)
        mean = ((target.mean.view_as(z) - z).square() * self.weight).mean()
        error = (velocity - goal).square() * self.weight * share
        return {"loss": error.mean() + mean, "flow": error[:, :flows].mean(), "mean": mean}

    def two_steps(self, x: Tensor, t: Tensor, interval: Tensor, target: TargetTokens) -> Tensor:
        """The mean velocity over an interval as the network sees it in two steps.

        Of the shortest intervals it is the velocity of the moment in their middle.
        """
        half = interval / 2
        shortest = interval <= 1 / max(SHORTCUT_STEPS)
        inner = torch.where(shortest, 0.0, half)
        first = self.denoiser(x, t, inner, target)
        x = x - half[..., None, None, None] * first
        second = self.denoiser(x, t - half, inner, target)
        return torch.where(shortest[..., None, None, None], second, (first + second) / 2)


def mirror(rotations: Tensor) -> Tensor:
    """R_object_camera (..., 3, 3) of the cameras whose images are mirrored, left to right.

    They see the object mirrored at its plane x = 0, which is the one between left and right of
    SRN's cars.
    """
    x = rotations.new_tensor([-1.0, 1.0, 1.0])
    return x[:, None] * rotations * x


class TuningLoss(nn.Module):
    """FlowLoss, and the energy score of the pictures that the network makes in one step.

    The encoder learns too, as the eye of the denoiser; its posterior is held to the one it had,
    whose latents the flow's targets are. weight: as of FlowLoss. scale: of latents.
    """

    def __init__(self, denoiser: nn.Module, autoencoder: nn.Module, weight: Tensor, scale: float):
        super().__init__()
        self.denoiser, self.autoencoder, self.scale = denoiser, autoencoder, scale
        self.flow = FlowLoss(denoiser, weight)

    def forward(
        self, image: Tensor, source: Tensor, before: Tensor, noise: Tensor, *flow: Tensor
    ) -> dict[str, Tensor]:
        """The arguments:

        image: (B, K, 3, h, w), the targets; source: (B, 3, h, w); before: (B, 2 C, h, w), the
        moments of the source's posterior before the tuning; noise: (B, K, 2, C, h, w); flow: as
        FlowLoss, without the features of the source.
        """
        *drawn, rotation = flow[:5]
        features = self.autoencoder.features(source)
        target = self.denoiser.target(rotation, self.denoiser.source(features, *flow[5:]))
        scalars = self.flow.given(target, *drawn)
        noise, whole = noise.flatten(0, 1), noise.new_ones(1)
        z = noise - self.denoiser.velocity(
            noise, self.denoiser.time_embedding(whole, whole), target
        )
        samples = self.autoencoder.decode(z.flatten(0, 1) / self.scale)
        samples = samples.float().unflatten(0, z.shape[:2])
        score = energy_score(samples, image.flatten(0, 1)).mean()
        changed = divergence(Posterior(before), self.autoencoder.posterior(features))
        loss = scalars["loss"] + SCORE_WEIGHT * score + POSTERIOR_WEIGHT * changed
        return {**scalars, "loss": loss, "score": score, "posterior": changed}


def divergence(before: Posterior, after: Posterior) -> Tensor:
    """Kullback-Leibler divergence of `before` from `after`, the mean over all numbers."""
    squares = (before.mean - after.mean).float().square() + before.log_variance.float().exp()
    growth = (after.log_variance - before.log_variance).float()
    return (squares * (-after.log_variance.float()).exp() - 1 + growth).mean() / 2


def energy_score(samples: Tensor, truth: Tensor) -> Tensor:
    """How far samples (B, 2, 3, h, w) are from the truth (B, 3, h, w), and from each other: (B,).

    Their mean distance from the truth, in brightness and in colour, less half of that between
    them in brightness times SPREAD. Were that 1, nothing could be better than samples that are
    as bright here and dark there as the truth may be (Gneiting and Raftery 2007). Their colours
    earn nothing by being apart: what the input shows of it all samples should agree on.
    """
    grey, colour = (parts.unbind(dim=1) for parts in brightness_and_colour(samples))
    true_grey, true_colour = brightness_and_colour(truth)
    errors = [distance(sample, true_grey) for sample in grey]
    errors += [distance(sample, true_colour) for sample in colour]
    return sum(errors) / 2 - SPREAD / 2 * distance(*grey)


def brightness_and_colour(images: Tensor) -> tuple[Tensor, Tensor]:
    """Images (..., 3, h, w) as a sum of what is grey, (..., 1, h, w), and what is not."""
    grey = images.mean(dim=-3, keepdim=True)
    return grey, images - grey


def distance(images: Tensor, others: Tensor) -> Tensor:
    """Root mean square (B,) of the difference of images (B, channels, h, w)."""
    return ((images - others).square().mean(dim=(1, 2, 3)) + 1e-8).sqrt()


class FlowRegressorLoss(nn.Module):
    """RegressorLoss of a flow's network; weight and arguments are FlowLoss's."""

    def __init__(self, denoiser: nn.Module, weight: Tensor):
        super().__init__()
        self.denoiser = denoiser
        self.register_buffer("weight", weight)

    def forward(self, z: Tensor, *others: Tensor) -> dict[str, Tensor]:
        _t, _interval, _eps, rotation, *source = others
        source = self.denoiser.source(*source)
        error = regress_flow(self.denoiser, z, rotation, source) - z
        return {"loss": (error.square() * self.weight).mean()}


class FlowStage:
    """The denoiser of a flow. The targets of a source share what is computed of the source.

    An error in a number of the latent counts by what it does to the picture, which the autoencoder
    knows: where that is much, its posterior is narrow.
    """

    name = "denoiser"
    Loss = FlowLoss

    def __init__(self, model: NovelViewModel, views: Views, settings: Settings):
        self.model, self.views, self.settings = model, views, settings
        self.module = model.denoiser
        self.mirrored, self.orders = self._variants()
        self.sources, self.latents, precision = self._encode()
        self.loss = self.Loss(self.module, precision / precision.mean())
        if "denoiser" not in model.config.training:  # else it knows latents of that scale
            model.config.latent_scale = float(1 / self.latents[0].float().std())
        self.rotations = torch.from_numpy(views.poses[:, :3, :3]).to(model.device)

    def matrices(self) -> list[Tensor]:
        """What Muon may train: all that goes from many channels to many."""
        layers = self.model.denoiser.named_modules()
        return [
            layer.weight
            for name, layer in layers
            if isinstance(layer, nn.Linear) and name not in ("latent_in", "mean_out", "out")
        ]

    def _variants(self) -> tuple[np.ndarray, np.ndarray]:
        """Whether each is mirrored (V,), and the orders of the colours (V, instances, 3).

        Every other one is mirrored; the first two have their own colours, then each instance has
        others.
        """
        rng, count = np.random.default_rng(self.settings.seed), self.settings.variants
        orders = rng.integers(1, len(ORDERS), size=(count, len(self.views.offsets) - 1))
        orders[:2] = 0
        return np.arange(count) % 2 == 1, ORDERS[orders]

    def _images(self, views: np.ndarray, variants: np.ndarray) -> Tensor:
        """Of views in their variants, both (B,): (B, 3, size, size)."""
        instance = np.searchsorted(self.views.offsets, views, side="right") - 1
        images = changed(
            self.views.images[views], self.mirrored[variants], self.orders[variants, instance]
        )
        return to_tensor(images, self.model.device)

    @torch.inference_mode()
    def _encode(self) -> tuple[Tensor, Tensor, Tensor]:
        """Of all views in all variants what they are as a source, and latent means: (V, N, ...).

        And of all of them the mean precision of the posterior, (C, h, w).
        """
        autoencoder, kept, precision = self.model.autoencoder, ([], []), 0.0
        count = len(self.views)
        for variant in range(len(self.mirrored)):
            for rows in np.split(np.arange(count), range(1024, count, 1024)):
                images = self._images(rows, np.full(len(rows), variant))
                features = autoencoder.features(images)
                posterior = autoencoder.posterior(features)
                kept[0].append(self.as_source(features, posterior).half())
                kept[1].append(posterior.mean.half())
                precision = precision + (-posterior.log_variance).exp().sum(dim=0)
        views = (torch.cat(k).unflatten(0, (len(self.mirrored), -1)) for k in kept)
        return *views, precision

    def as_source(self, features: Tensor, posterior: Posterior) -> Tensor:
        """What a batch holds of a source view."""
        return features

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        """The `share` of the batch of an iteration: arguments of the loss."""
        rng = np.random.default_rng([self.settings.seed, iteration])
        return self._draw(rng, iteration, share)[2]

    def _draw(
        self, rng: np.random.Generator, iteration: int, share: slice
    ) -> tuple[np.ndarray, np.ndarray, tuple[Tensor, ...]]:
        """Views, source first (B, 1 + K), their variants (B,), and arguments of FlowLoss."""
        starts, size = self.views.offsets, (self.settings.batch_size, self.settings.targets)
        instance = rng.integers(len(starts) - 1, size=size[0])
        source = rng.integers(starts[instance], starts[instance + 1])
        target = rng.integers(starts[instance], starts[instance + 1], size=size[::-1]).T
        variant = rng.integers(len(self.mirrored), size=size[0])
        heading_known = rng.random(size[0]) < 0.5
        # Evenly spread times: the loss, which depends on them much, varies less.
        t = (rng.random() + rng.permutation(target.size).reshape(size) / target.size) % 1
        t = 2 * t / (1 + t)  # more of noise: there it is decided what is seen
        shortcuts = (size[0], self.settings.shortcuts_at(iteration))
        parts = rng.choice(SHORTCUT_STEPS, size=shortcuts)
        interval = 1 / parts
        t[:, size[1] - shortcuts[1] :] = rng.integers(1, parts + 1) / parts
        eps = rng.standard_normal((*size, *self.model.config.latent_shape), np.float32)
        t, interval = t.astype(np.float32), interval.astype(np.float32)
        shares = (source, target, variant, heading_known, t, interval, eps)
        drawn = np.column_stack([source, target])[share], variant[share]
        source, target, variant, heading_known, t, interval, eps = (
            torch.from_numpy(array[share]).to(self.model.device) for array in shares
        )
        arguments = (
            self.latents[variant[:, None], target].float() * self.model.config.latent_scale,
            t,
            interval,
            eps,
            self._rotations(target, variant[:, None]),
            self.sources[variant, source].float(),
            self._rotations(source, variant),
            heading_known,
        )
        return *drawn, arguments

    def _rotations(self, view: Tensor, variant: Tensor) -> Tensor:
        """R_object_camera, (..., 3, 3), of views in their variants."""
        mirrored = torch.from_numpy(self.mirrored).to(view.device)[variant]
        rotations = self.rotations[view]
        return torch.where(mirrored[..., None, None], mirror(rotations), rotations)

    @torch.inference_mode()
    def grid(self) -> np.ndarray:
        """Source view, true target, the one imagined with the heading, and without."""
        source = self.views.offsets[:-1][evenly(len(self.views.offsets) - 1, 16)]
        poses = self.views.poses.astype(float)
        noise = np.random.default_rng(0).standard_normal(self.model.config.latent_shape, np.float32)
        rows = [self.views.images[source], self.views.images[source + 1]]
        for heading_known in (True, False):
            z = [
                self.imagined(
                    ViewRequest.create(
                        self.model.config,
                        (self.views.images[i], poses[i]),
                        poses[i + 1][None],
                        heading_known=heading_known,
                        noise=noise[None, None],
                    )
                )
                for i in source
            ]
            rows.append(self.model.decode(torch.cat(z)))
        return tiled(rows)

    def imagined(self, request: ViewRequest) -> Tensor:
        """A latent for the grid, (1, C, h, w)."""
        return self.model.sample_request(request)[0]


class FlowRegressorStage(FlowStage):
    """RegressorStage of a flow's network."""

    name = "regressor"
    Loss = FlowRegressorLoss

    def imagined(self, request: ViewRequest) -> Tensor:
        return regressed(self.model, request)


class FlowTuningStage(FlowStage):
    """The whole model, for the pictures of one step; the latents stay what they were."""

    name = "tuning"

    def __init__(self, model: NovelViewModel, views: Views, settings: Settings):
        super().__init__(model, views, settings)
        weight = self.loss.weight
        self.module = nn.ModuleDict({"denoiser": model.denoiser, "autoencoder": model.autoencoder})
        self.module.requires_grad_()
        self.loss = TuningLoss(*self.module.values(), weight, model.config.latent_scale)

    def as_source(self, features: Tensor, posterior: Posterior) -> Tensor:
        """Moments, (B, 2 C, h, w): the features are the tuning's own to find."""
        return torch.cat([posterior.mean, posterior.log_variance], dim=1)

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        """The `share` of the batch of an iteration: arguments of the loss."""
        rng = np.random.default_rng([self.settings.seed, iteration])
        views, variant, arguments = self._draw(rng, iteration, share)
        *flow, before, source_rotation, heading_known = arguments
        shape = self.settings.batch_size, self.settings.targets, 2, *self.model.config.latent_shape
        noise = torch.from_numpy(rng.standard_normal(shape, np.float32)[share])
        images = self._images(views.ravel(), np.repeat(variant, views.shape[1]))
        source, images = images.unflatten(0, views.shape).split([1, views.shape[1] - 1], dim=1)
        noise = noise.to(images.device)
        return images, source[:, 0], before, noise, *flow, source_rotation, heading_known
