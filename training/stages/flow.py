"""The stage that trains the denoiser of the architecture `flow`."""

import numpy as np
import torch
from torch import Tensor, nn

from tiny_nvs_ros.model import NovelViewModel, ViewRequest
from tiny_nvs_ros.model.base import to_tensor
from tiny_nvs_ros.model.flow.transformer import TargetTokens
from tiny_nvs_ros.model.layers import Posterior
from tiny_nvs_ros.model.samplers import SHORTCUT_STEPS
from tiny_nvs_ros.srn_data import Views
from training.history import has_trained
from training.stages.base import CHANNEL_PERMUTATIONS, Stage, augment, evenly, tiled
from training.stages.settings import FlowSettings


class FlowLoss(nn.Module):
    """Squared error of the velocity of target views' latents, and of their mean latents.

    weight: (C, h, w), of each element of a latent. Errors of the velocity are multiplied by t: near
    t = 1, where all is noise, an error changes the content of the view most. For the last targets
    of each source, the shortcuts, it is the error of the mean velocity over an interval; its target
    is the network's own result of two steps of half the interval (Frans et al. 2025).
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
        return self.for_target(target, z, t, interval, eps)

    def for_target(
        self, target: TargetTokens, z: Tensor, t: Tensor, interval: Tensor, eps: Tensor
    ) -> dict[str, Tensor]:
        """Return the same for target tokens that are computed already."""
        share = t[..., None, None, None]
        x = (1 - share) * z + share * eps
        flows = t.shape[1] - interval.shape[1]
        intervals = torch.cat([torch.zeros_like(t[:, :flows]), interval], dim=1)
        velocity = self.denoiser(x, t, intervals, target)
        goal = eps - z
        if interval.shape[1]:
            # After the pass above: autocast caches weights as it first casts them.
            with torch.no_grad():
                last = TargetTokens(
                    *(f.unflatten(0, t.shape)[:, flows:].flatten(0, 1) for f in target)
                )
                goal[:, flows:] = self.two_steps(x[:, flows:], t[:, flows:], interval, last)
        mean = ((target.mean.view_as(z) - z).square() * self.weight).mean()
        error = (velocity - goal).square() * self.weight * share
        return {"loss": error.mean() + mean, "flow": error[:, :flows].mean(), "mean": mean}

    def two_steps(self, x: Tensor, t: Tensor, interval: Tensor, target: TargetTokens) -> Tensor:
        """Return the mean velocity over an interval from two steps of the network.

        For the shortest intervals it is the instantaneous velocity in their middle.
        """
        half = interval / 2
        shortest = interval <= 1 / max(SHORTCUT_STEPS)
        inner = torch.where(shortest, 0.0, half)
        first = self.denoiser(x, t, inner, target)
        x = x - half[..., None, None, None] * first
        second = self.denoiser(x, t - half, inner, target)
        return torch.where(shortest[..., None, None, None], second, (first + second) / 2)


class FlowStage(Stage):
    """Trains the denoiser of a flow. All targets of a source share the source's tokens.

    Errors of a latent's elements are weighted by the mean precision of the autoencoder's posterior:
    it is narrow where a change of the element changes the image much.
    """

    name = "denoiser"
    Settings = FlowSettings
    builds_on = ("autoencoder",)
    invalidates = ("finetune",)
    Loss = FlowLoss

    def __init__(self, model: NovelViewModel, views: Views, settings: FlowSettings):
        self.model, self.views, self.settings = model, views, settings
        self.module = model.denoiser
        self.mirrored, self.permutations = self._draw_variants()
        self.sources, self.latents, precision = self._encode()
        self.loss = self.Loss(self.module, precision / precision.mean())
        if not has_trained(model.config.training, "denoiser"):  # else it knows that scale
            model.config.latent_scale = float(1 / self.latents[0].float().std())
        self.rotations = torch.from_numpy(views.poses[:, :3, :3]).to(model.device)

    def matrices(self) -> list[Tensor]:
        """Return the weights from many channels to many."""
        layers = self.model.denoiser.named_modules()
        return [
            layer.weight
            for name, layer in layers
            if isinstance(layer, nn.Linear) and name not in ("latent_in", "mean_out", "out")
        ]

    def _draw_variants(self) -> tuple[np.ndarray, np.ndarray]:
        """Return which variants are mirrored (V,), and channel indices (V, instances, 3).

        Every second variant is mirrored. The first two have the original colours, the others a
        permutation per instance.
        """
        rng, count = np.random.default_rng(self.settings.seed), self.settings.variants
        permutations = rng.integers(
            1, len(CHANNEL_PERMUTATIONS), size=(count, len(self.views.offsets) - 1)
        )
        permutations[:2] = 0
        return np.arange(count) % 2 == 1, CHANNEL_PERMUTATIONS[permutations]

    def _images(self, views: np.ndarray, variants: np.ndarray) -> Tensor:
        """Return images (B, 3, size, size) of views in variants, both (B,) indices."""
        instance = np.searchsorted(self.views.offsets, views, side="right") - 1
        images = augment(
            self.views.images[views], self.mirrored[variants], self.permutations[variants, instance]
        )
        return to_tensor(images, self.model.device)

    @torch.inference_mode()
    def _encode(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return of all views in all variants: `as_source` and latent means, (V, N, ...) each.

        Third, the mean precision of the posterior over all of them, (C, h, w).
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
        """Return what a batch holds of a source view."""
        return features

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        rng = np.random.default_rng([self.settings.seed, iteration])
        return self._draw(rng, iteration, share)[2]

    def _draw(
        self, rng: np.random.Generator, iteration: int, share: slice
    ) -> tuple[np.ndarray, np.ndarray, tuple[Tensor, ...]]:
        """Return views, source first (B, 1 + K), variants (B,), and the arguments of FlowLoss."""
        starts, size = self.views.offsets, (self.settings.batch_size, self.settings.targets)
        instance = rng.integers(len(starts) - 1, size=size[0])
        source = rng.integers(starts[instance], starts[instance + 1])
        target = rng.integers(starts[instance], starts[instance + 1], size=size[::-1]).T
        variant = rng.integers(len(self.mirrored), size=size[0])
        heading_known = rng.random(size[0]) < 0.5
        # Stratified times: the loss depends on them strongly, and so varies less.
        t = (rng.random() + rng.permutation(target.size).reshape(size) / target.size) % 1
        t = 2 * t / (1 + t)  # more large t, where the content of the view is still open
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
        """Return R_object_camera (..., 3, 3) of views in variants."""
        mirrored = torch.from_numpy(self.mirrored).to(view.device)[variant]
        rotations = self.rotations[view]
        return torch.where(mirrored[..., None, None], mirror(rotations), rotations)

    @torch.inference_mode()
    def grid(self) -> np.ndarray:
        """Return source view, true target, and targets imagined with and without the heading."""
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
        """Return a latent for the grid, (1, C, h, w)."""
        return self.model.sample_request(request)[0]


def mirror(rotations: Tensor) -> Tensor:
    """Return R_object_camera (..., 3, 3) of the cameras whose images are mirrored, left to right.

    They see the object mirrored at its plane x = 0, the symmetry plane of SRN's cars.
    """
    x = rotations.new_tensor([-1.0, 1.0, 1.0])
    return x[:, None] * rotations * x
