"""Noise schedule and samplers: diffusion models that predict noise, and flows.

Notation of Ho et al. 2020 (DDPM): z_t = sqrt(alpha_bar_t) z_0 + sqrt(1 - alpha_bar_t) eps. A flow
(Lipman et al. 2023) goes straight, z_t = (1 - t) z_0 + t eps, and predicts the velocity eps - z_0.
"""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor


class NoiseSchedule:
    """Linear betas over T timesteps (Ho et al. 2020, section 4).

    alpha_bar: (T,) float64, the share of the signal's variance that is left at t = 0 ... T - 1.
    """

    def __init__(self, timesteps: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02):
        if timesteps < 1:
            raise ValueError(f"timesteps is {timesteps}; it must be at least 1")
        for name, beta in (("beta_start", beta_start), ("beta_end", beta_end)):
            if not 0 < beta < 1:
                raise ValueError(f"{name} is {beta}; it must be between 0 and 1")
        betas = torch.linspace(beta_start, beta_end, timesteps, dtype=torch.float64)
        self.alpha_bar = torch.cumprod(1 - betas, dim=0)

    def __len__(self) -> int:
        return len(self.alpha_bar)

    def add_noise(self, z0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """Return z_t of z0 and eps (B, ...) at timesteps t (B,)."""
        alpha_bar = self.alpha_bar.to(z0.device)[t].view(-1, *[1] * (z0.dim() - 1))
        return (alpha_bar.sqrt().to(z0) * z0) + (1 - alpha_bar).sqrt().to(z0) * eps

    def spaced(self, steps: int) -> list[int]:
        """Return `steps` timesteps from T - 1 down, even, the last above 0 ("trailing")."""
        if not 1 <= steps <= len(self):
            raise ValueError(f"steps is {steps}; it must be 1 to {len(self)}")
        return [int(t) - 1 for t in np.round(np.arange(len(self), 0, -len(self) / steps))][:steps]


ETA = {"ddim": 0.0, "ddpm": 1.0}


def sample(
    predict_noise: Callable[[Tensor, Tensor], Tensor],
    noise: Tensor,
    schedule: NoiseSchedule,
    steps: int,
    sampler: str = "ddim",
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw z_0 from a model that predicts noise, starting at `noise` (B, ...).

    predict_noise: z_t (B, ...), t (B,) to eps (B, ...). sampler: "ddim" (deterministic) or "ddpm"
    (ancestral; the same step with eta = 1). generator: of the noise that ddpm adds, on the CPU so
    that a seed means the same noise on every device. Song et al. 2021 (DDIM), equations 12 and 16.
    """
    check_sampler(sampler, ETA)
    eta = ETA[sampler]
    z = noise
    timesteps = schedule.spaced(steps)
    for t, t_next in zip(timesteps, [*timesteps[1:], None], strict=True):
        alpha_bar = float(schedule.alpha_bar[t])
        alpha_bar_next = 1.0 if t_next is None else float(schedule.alpha_bar[t_next])
        eps = predict_noise(z, torch.full((len(z),), t, device=z.device))
        z0 = (z - (1 - alpha_bar) ** 0.5 * eps) / alpha_bar**0.5
        variance = (1 - alpha_bar_next) / (1 - alpha_bar) * (1 - alpha_bar / alpha_bar_next)
        sigma = eta * variance**0.5
        z = alpha_bar_next**0.5 * z0 + max(1 - alpha_bar_next - sigma**2, 0.0) ** 0.5 * eps
        if sigma > 0:
            z = z + sigma * torch.randn(z.shape, generator=generator).to(z)
    return z


def check_sampler(name: str, known: Iterable[str]) -> None:
    """Raise ValueError if a sampler is not one of those that are known."""
    if name not in known:
        raise ValueError(f"sampler is {name!r}; it must be one of {', '.join(known)}")


FLOW_SAMPLERS = ("shortcut", "euler")
SHORTCUT_STEPS = (1, 2, 4, 8)  # numbers of steps of which a flow learns to take each at once


def sample_flow(
    velocity: Callable[[Tensor, float, float], Tensor],
    noise: Tensor,
    steps: int,
    sampler: str = "euler",
) -> Tensor:
    """Follow a flow from `noise` (B, ...) at time 1 to z_0 at time 0, in even steps.

    velocity: z_t (B, ...), t and step_size to the mean of dz/dt from t back to t - step_size,
    (B, ...); step_size 0 asks for the velocity at t. sampler: "shortcut" (the mean over each step,
    which the network has learnt for 1, 2, 4 and 8 steps; Frans et al. 2025) or "euler".
    """
    check_sampler(sampler, FLOW_SAMPLERS)
    if not 1 <= steps <= 1000:
        raise ValueError(f"steps is {steps}; it must be 1 to 1000")
    if sampler == "shortcut" and steps not in SHORTCUT_STEPS:
        known = ", ".join(map(str, SHORTCUT_STEPS))
        raise ValueError(
            f"steps is {steps}; the sampler shortcut takes {known}, the sampler euler any number"
        )
    z = noise
    step_size = 1 / steps if sampler == "shortcut" else 0.0
    for step in range(steps):
        z = z - velocity(z, 1 - step / steps, step_size) / steps
    return z
