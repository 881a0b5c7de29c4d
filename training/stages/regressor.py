"""The stages that train a denoiser's network as a regressor: a baseline, no part of the model.

It shows what diffusion gains over a deterministic network of the same size.
"""

import numpy as np
from torch import Tensor, nn

from tiny_nvs_ros.model import NovelViewModel, ViewRequest
from tiny_nvs_ros.srn_data import Views
from training.stages.denoiser import DenoiserStage
from training.stages.flow import FlowStage
from training.stages.regress import regress, regress_flow, regressed
from training.stages.settings import DenoiserSettings


class RegressorLoss(nn.Module):
    """Squared error of a target view's latent, predicted by the denoiser's network at once."""

    def __init__(self, denoiser: nn.Module, last: int):
        super().__init__()
        self.denoiser, self.last = denoiser, last

    def forward(self, z: Tensor, context: Tensor) -> dict[str, Tensor]:
        return {"loss": (regress(self.denoiser, self.last, z, context) - z).square().mean()}


class RegressorStage(DenoiserStage):
    """The regressor of the architecture `paper`."""

    name = "regressor"
    invalidates = ()

    def __init__(self, model: NovelViewModel, views: Views, settings: DenoiserSettings):
        super().__init__(model, views, settings)
        self.loss = RegressorLoss(self.module, len(model.schedule) - 1)

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        source, target = self.pairs(np.random.default_rng([self.settings.seed, iteration]))
        return self.latents[target[share]], self.context(source[share], target[share])

    def imagined(self, context: Tensor) -> Tensor:
        empty = context.new_zeros(len(context), *self.model.config.latent_shape)
        return regress(self.module, self.loss.last, empty, context)


class FlowRegressorLoss(nn.Module):
    """RegressorLoss of a flow's network; weight and arguments as FlowLoss."""

    def __init__(self, denoiser: nn.Module, weight: Tensor):
        super().__init__()
        self.denoiser = denoiser
        self.register_buffer("weight", weight)

    def forward(self, z: Tensor, *others: Tensor) -> dict[str, Tensor]:
        _t, _interval, _eps, rotation, *source = others
        source = self.denoiser.source(*source)
        error = regress_flow(self.denoiser, z, rotation, source) - z
        return {"loss": (error.square() * self.weight).mean()}


class FlowRegressorStage(FlowStage):
    """The regressor of the architecture `flow`."""

    name = "regressor"
    invalidates = ()
    Loss = FlowRegressorLoss

    def imagined(self, request: ViewRequest) -> Tensor:
        return regressed(self.model, request)
