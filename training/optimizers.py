"""The optimisers of a stage: AdamW, and Muon for matrices if the settings ask for it."""

import torch
from torch import Tensor

from training.muon import Muon
from training.stages.base import Stage


def optimizers(stage: Stage, parameters: list[Tensor]) -> list[tuple[torch.optim.Optimizer, float]]:
    """Return the optimisers of a stage, each with its learning rate before the schedule."""
    settings = stage.settings
    matrices = stage.matrices() if settings.matrix_learning_rate else []
    muons = {id(matrix) for matrix in matrices}
    others = [parameter for parameter in parameters if id(parameter) not in muons]
    betas = (0.9, settings.beta2)
    adamw = torch.optim.AdamW(others, lr=0.0, betas=betas, fused=True)
    used = [(adamw, settings.learning_rate)]
    if matrices:
        used.append((Muon(matrices, lr=0.0), settings.matrix_learning_rate))
    return used


def empty_state(optimizer: torch.optim.Optimizer, parameter: Tensor) -> dict[str, Tensor]:
    """Return the state that an optimiser keeps of a parameter, before its first step."""
    zeros = torch.zeros_like(parameter)
    if isinstance(optimizer, Muon):
        return {"momentum": zeros}
    step = torch.zeros((), device=parameter.device)
    return {"step": step, "exp_avg": zeros, "exp_avg_sq": zeros.clone()}
