"""Train the multi-view network for a given time, and measure it on views that it never saw."""

import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor

from tiny_nvs_ros.model.multiview.network import MultiviewNetwork
from training.multiview.data import ObjectViews, premultiplied, targets_of
from training.multiview.dirty_sources import undisturbed
from training.multiview.stage import MultiviewStage
from training.muon import Muon


@dataclass(frozen=True)
class Schedule:
    """Rates of a run. The learning rate is constant, then falls linearly to zero.

    learning_rate: of AdamW; matrix_learning_rate: of Muon; decay_share: of the run's time.
    """

    learning_rate: float = 2e-3
    matrix_learning_rate: float = 7e-3
    warmup: int = 300
    decay_share: float = 0.6
    ema: float = 0.9995
    beta2: float = 0.99


class Fit:
    """A network in training: parameters, their average, and the optimisers."""

    def __init__(self, stage: MultiviewStage, schedule: Schedule):
        self.stage, self.schedule = stage, schedule
        self.network: MultiviewNetwork = stage.network
        self.ema = deepcopy(self.network).requires_grad_(False)
        self.parameters = list(self.network.parameters())
        muons = {id(matrix) for matrix in stage.matrices()}
        others = [p for p in self.parameters if id(p) not in muons]
        betas = (0.9, schedule.beta2)
        self.optimizers = [
            (
                torch.optim.AdamW(others, lr=0.0, betas=betas, weight_decay=0.01, fused=True),
                schedule.learning_rate,
            ),
            (Muon(stage.matrices(), lr=0.0), schedule.matrix_learning_rate),
        ]
        self.loss = stage.loss
        self.iteration = 0
        self.autocast = torch.autocast(stage.device.type, torch.bfloat16)

    def compile(self) -> None:
        """Compile the loss; torch keeps the code on disk, for another process too."""
        self.loss = torch.compile(self.stage.loss, dynamic=False)

    def step(self, rate: float) -> dict[str, Tensor]:
        """Take one optimiser step at a share of the learning rates."""
        rate *= min(1.0, (self.iteration + 1) / self.schedule.warmup)
        for optimizer, learning_rate in self.optimizers:
            optimizer.param_groups[0]["lr"] = rate * learning_rate
        batch = self.stage.batch(self.iteration)
        with self.autocast:
            try:
                scalars = self.loss(*batch)
            except RuntimeError as error:
                if self.loss is self.stage.loss:
                    raise
                print(f"goes on without compiled code: {error}", flush=True)
                self.loss = self.stage.loss
                scalars = self.loss(*batch)
        scalars["loss"].backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0, foreach=True)
        for optimizer, _ in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        decay = min(self.schedule.ema, (1 + self.iteration) / (10 + self.iteration))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.ema.parameters()), self.parameters, 1 - decay)
        self.iteration += 1
        return {name: value.detach() for name, value in scalars.items()}


def fit_for(
    fit: Fit,
    seconds: float,
    report: Callable[[Fit, dict[str, Tensor]], None],
    every: float = 30,
) -> None:
    """Train for `seconds`; the learning rates follow the time.

    report: called about every `every` seconds and at the end.
    """
    start = reported = now = time.monotonic()
    constant = (1 - fit.schedule.decay_share) * seconds
    scalars = {}
    while not scalars or now - start < seconds:
        rate = (seconds - (now - start)) / max(seconds - constant, 1e-9)
        scalars = fit.step(min(1.0, max(rate, 0.0)))
        if fit.iteration % 50 == 0:
            loss = float(scalars["loss"])  # waits for the device
            if not math.isfinite(loss):
                raise FloatingPointError(f"the loss is {loss} at iteration {fit.iteration}")
            if time.monotonic() - reported > every:
                report(fit, scalars)
                reported = time.monotonic()
        now = time.monotonic()
    report(fit, scalars)


@torch.no_grad()
def validate(
    network: MultiviewNetwork,
    views: ObjectViews,
    sources: tuple[int, ...] = (1, 2, 4),
    targets: int = 6,
    samples: int = 8,
) -> dict[str, float]:
    """Return PSNR of the samples' mean, spread/skill, IoU and depth errors by number of sources.

    The first views of each object are sources, the last ones targets; nothing is disturbed.
    """
    generator = torch.Generator(device=views.rgba.device).manual_seed(0)
    result = {}
    for count in sources:
        sums: dict[str, list[Tensor]] = {}
        for rows in torch.arange(views.available, device=views.rgba.device).split(32):
            for name, value in _scores(network, views, rows, count, targets, samples, generator):
                sums.setdefault(name, []).append(value)
        mean = {name: torch.cat(values).mean().item() for name, values in sums.items()}
        spread = mean.pop("variance") / mean.pop("error")
        result |= {f"{name}_{count}": value for name, value in mean.items()}
        result[f"spread_skill_{count}"] = spread**0.5
    return result


def _scores(
    network: MultiviewNetwork,
    views: ObjectViews,
    rows: Tensor,
    count: int,
    targets: int,
    samples: int,
    generator: torch.Generator,
) -> list[tuple[str, Tensor]]:
    size = len(rows)
    rgba = premultiplied(views.rgba[rows, :count].flatten(0, 1))
    truth = premultiplied(views.rgba[rows, -targets:].flatten(0, 1))
    color, alpha = (x.unflatten(0, (size, targets)) for x in targets_of(truth))
    depth = views.depth[rows, -targets:].float()
    shape = (size, targets, samples, network.noise_channels, network.side, network.side)
    noise = torch.randn(shape, device=rows.device, generator=generator)
    noise = (noise - noise.mean(dim=2, keepdim=True)) * (samples / (samples - 1)) ** 0.5
    known = torch.zeros(size, dtype=torch.bool, device=rows.device)
    imagined = network(
        undisturbed(rgba).unflatten(0, (size, count)),
        views.rotations[rows, :count],
        views.rho[rows, :count],
        torch.ones(size, count, dtype=torch.bool, device=rows.device),
        known,
        views.rotations[rows, -targets:],
        views.rho[rows, -targets:],
        noise,
    )
    images = imagined.on_white().clamp(0, 1)
    mean = images.mean(dim=2)
    error = (mean - color).square().mean(dim=(2, 3, 4))
    likely = imagined.alpha.mean(dim=2)[:, :, 0] > 0.5
    true = alpha[:, :, 0] > 0.5
    union = (likely | true).sum(dim=(2, 3)).clamp(min=1)
    depth_error = ((imagined.depth.mean(dim=2)[:, :, 0] - depth).abs() * true).sum(dim=(2, 3))
    return [
        ("psnr", (-10 * error.clamp(min=1e-10).log10()).flatten()),
        ("iou", ((likely & true).sum(dim=(2, 3)) / union).flatten()),
        ("depth", (depth_error / true.sum(dim=(2, 3)).clamp(min=1)).flatten()),
        ("variance", images.var(dim=2, unbiased=False).mean(dim=(2, 3, 4)).flatten()),
        ("error", error.flatten()),
    ]
