"""Settings of the stages. The same settings, data and device give the same weights."""

import math
from dataclasses import dataclass

import torch

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class StageSettings:
    """Settings that every stage has.

    learning_rate: of AdamW; matrix_learning_rate: of Muon for `Stage.matrices`, 0: AdamW trains
    them too. warmup: iterations. ema: decay of the averaged weights. precision: of the networks'
    forward pass, a key of PRECISIONS; losses, weights and their average are float32. begin: the
    iteration that this segment of the training starts from.
    """

    iterations: int
    batch_size: int
    learning_rate: float
    warmup: int
    ema: float
    seed: int = 0
    precision: str = "float32"
    begin: int = 0
    beta2: float = 0.999
    matrix_learning_rate: float = 0.0

    def rate_at(self, iteration: int) -> float:
        """Return the share of the learning rates at an iteration.

        Linear warm-up from `begin`, then a cosine down to zero at the last iteration.
        """
        done = iteration - self.begin
        ramp = min(1.0, (done + 1) / max(self.warmup, 1))
        cosine = 0.5 * (1 + math.cos(math.pi * done / (self.iterations - self.begin)))
        return ramp * cosine


@dataclass(frozen=True)
class AutoencoderSettings(StageSettings):
    """Losses are sums over an image, means over the batch.

    chroma_weight: of a pixel's difference from grey in the squared error. kl_warmup: share of the
    run over which kl_weight grows from 0. augment: mirror images, permute their colour channels.
    """

    l1_weight: float = 1.0
    l2_weight: float = 0.0
    chroma_weight: float = 1.0
    kl_weight: float = 5.0
    kl_warmup: float = 0.0
    augment: bool = False

    def kl_weight_at(self, iteration: int) -> float:
        """Return the weight of the KL term. It grows slowly, or else the posterior collapses."""
        if self.begin:
            return self.kl_weight
        return self.kl_weight * min(1.0, iteration / max(self.kl_warmup * self.iterations, 1))


@dataclass(frozen=True)
class DenoiserSettings(StageSettings):
    """Weights of the absolute and the squared error of the noise."""

    l1_weight: float = 1.0
    l2_weight: float = 0.0


@dataclass(frozen=True)
class FlowSettings(StageSettings):
    """batch_size counts source views.

    targets: target views of each source; shortcuts: how many of them train the shortcuts;
    shortcuts_from: share of the run after which they begin. variants: of each instance: mirrored,
    and with permuted colour channels.
    """

    targets: int = 1
    shortcuts: int = 0
    shortcuts_from: float = 0.0
    variants: int = 1

    def shortcuts_at(self, iteration: int) -> int:
        """Return the number of shortcut targets; 0 at first, since they build on the flow."""
        started = self.begin or iteration >= self.shortcuts_from * self.iterations
        return self.shortcuts if started else 0


@dataclass(frozen=True)
class FinetuneSettings(FlowSettings):
    """score_weight: of the energy score, beside the flow's loss, which is about a tenth of it then.

    score_spread: weight of the distance between samples in the energy score. At 1 the best samples
    are spread as the truth is; below 1 they are closer to each other. posterior_weight: of the KL
    divergence of the encoder's posterior from the original one, mean over a latent's elements.
    """

    score_weight: float = 20.0
    score_spread: float = 0.99
    posterior_weight: float = 0.02
