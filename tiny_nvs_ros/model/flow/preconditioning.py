"""What of a flow's velocity need not be learnt, as edm's c_skip (Karras et al. 2022)."""

import torch
from torch import Tensor

SIGMA_DATA = 0.5  # std of a latent given its source and cameras, about; 1 without them


def velocity_skip(t: Tensor, step_size: Tensor) -> Tensor:
    """Skip coefficient: velocity = skip(t) * x is exact for Gaussian data of std SIGMA_DATA.

    t, step_size: (...); returns (...). With a step size above 0 it is the coefficient of the mean
    velocity from t back to t - step_size. x counts from the mean latent.
    """

    def std(t: Tensor) -> Tensor:
        return (t**2 + (SIGMA_DATA * (1 - t)) ** 2).sqrt()

    now = (t - SIGMA_DATA**2 * (1 - t)) / std(t) ** 2
    mean = (1 - std(t - step_size) / std(t)) / step_size.clamp(min=1e-6)
    return torch.where(step_size > 0, mean, now)
