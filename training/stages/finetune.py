"""The stage that fine-tunes a whole flow model for the images of its one-step sampler.

The loss adds to the flow's: the energy score of decoded samples, and a term that keeps the
encoder's posterior near the original one. Their weights are FinetuneSettings.
"""

import numpy as np
import torch
from torch import Tensor, nn

from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.layers import Posterior
from tiny_nvs_ros.srn_data import Views
from training.stages.flow import FlowLoss, FlowStage
from training.stages.settings import FinetuneSettings


class FinetuneLoss(nn.Module):
    """FlowLoss, and the energy score of the images that the network makes in one step.

    The encoder is trained too; a KL term keeps its posterior near the original, which made the
    target latents. weight: as in FlowLoss. scale: config.latent_scale.
    """

    def __init__(
        self,
        denoiser: nn.Module,
        autoencoder: nn.Module,
        weight: Tensor,
        scale: float,
        settings: FinetuneSettings,
    ):
        super().__init__()
        self.denoiser, self.autoencoder, self.scale = denoiser, autoencoder, scale
        self.settings = settings
        self.flow = FlowLoss(denoiser, weight)

    def forward(
        self, image: Tensor, source: Tensor, before: Tensor, noise: Tensor, *flow: Tensor
    ) -> dict[str, Tensor]:
        """The arguments:

        image: (B, K, 3, h, w), the targets; source: (B, 3, h, w); before: (B, 2 C, h, w), the
        moments of the source's original posterior; noise: (B, K, 2, C, h, w); flow: as
        FlowLoss, without the features of the source.
        """
        *drawn, rotation = flow[:5]
        features = self.autoencoder.features(source)
        target = self.denoiser.target(rotation, self.denoiser.source(features, *flow[5:]))
        scalars = self.flow.for_target(target, *drawn)
        noise, whole = noise.flatten(0, 1), noise.new_ones(1)
        z = noise - self.denoiser.velocity(
            noise, self.denoiser.time_embedding(whole, whole), target
        )
        samples = self.autoencoder.decode(z.flatten(0, 1) / self.scale)
        samples = samples.float().unflatten(0, z.shape[:2])
        settings = self.settings
        score = energy_score(samples, image.flatten(0, 1), settings.score_spread).mean()
        posterior = kl_divergence(Posterior(before), self.autoencoder.posterior(features))
        loss = (
            scalars["loss"] + settings.score_weight * score + settings.posterior_weight * posterior
        )
        return {**scalars, "loss": loss, "score": score, "posterior": posterior}


def kl_divergence(before: Posterior, after: Posterior) -> Tensor:
    """Return KL(before || after), mean over all elements."""
    squares = (before.mean - after.mean).float().square() + before.log_variance.float().exp()
    growth = (after.log_variance - before.log_variance).float()
    return (squares * (-after.log_variance.float()).exp() - 1 + growth).mean() / 2


def energy_score(samples: Tensor, truth: Tensor, spread: float) -> Tensor:
    """Return the energy score (B,) of two samples (B, 2, 3, h, w) of a truth (B, 3, h, w).

    Mean distance of the samples from the truth, in brightness and in colour, minus spread / 2 times
    their distance from each other in brightness. With spread = 1 the score of brightness is proper:
    it is best if the samples have the truth's distribution (Gneiting and Raftery 2007). The spread
    of colours is not rewarded: samples should agree on the colours that the input shows.
    """
    grey, colour = (parts.unbind(dim=1) for parts in brightness_and_colour(samples))
    true_grey, true_colour = brightness_and_colour(truth)
    errors = [distance(sample, true_grey) for sample in grey]
    errors += [distance(sample, true_colour) for sample in colour]
    return sum(errors) / 2 - spread / 2 * distance(*grey)


def brightness_and_colour(images: Tensor) -> tuple[Tensor, Tensor]:
    """Split images (..., 3, h, w) into grey (..., 1, h, w) and the difference from it."""
    grey = images.mean(dim=-3, keepdim=True)
    return grey, images - grey


def distance(images: Tensor, others: Tensor) -> Tensor:
    """Return the root mean square difference (B,) of images (B, channels, h, w)."""
    return ((images - others).square().mean(dim=(1, 2, 3)) + 1e-8).sqrt()


class FinetuneStage(FlowStage):
    """Trains the whole model for the images of one step; the target latents stay fixed."""

    name = "finetune"
    Settings = FinetuneSettings
    builds_on = ()
    needs_init = True
    invalidates = ()

    def __init__(self, model: NovelViewModel, views: Views, settings: FinetuneSettings):
        super().__init__(model, views, settings)
        weight = self.loss.weight
        self.module = nn.ModuleDict({"denoiser": model.denoiser, "autoencoder": model.autoencoder})
        self.module.requires_grad_()
        self.loss = FinetuneLoss(*self.module.values(), weight, model.config.latent_scale, settings)

    def as_source(self, features: Tensor, posterior: Posterior) -> Tensor:
        """Return moments (B, 2 C, h, w); features are computed by the encoder in training."""
        return torch.cat([posterior.mean, posterior.log_variance], dim=1)

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        rng = np.random.default_rng([self.settings.seed, iteration])
        views, variant, arguments = self._draw(rng, iteration, share)
        *flow, before, source_rotation, heading_known = arguments
        shape = self.settings.batch_size, self.settings.targets, 2, *self.model.config.latent_shape
        noise = torch.from_numpy(rng.standard_normal(shape, np.float32)[share])
        images = self._images(views.ravel(), np.repeat(variant, views.shape[1]))
        source, images = images.unflatten(0, views.shape).split([1, views.shape[1] - 1], dim=1)
        noise = noise.to(images.device)
        return images, source[:, 0], before, noise, *flow, source_rotation, heading_known
