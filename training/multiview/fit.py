"""Train the multi-view network, and measure it on views that it never saw."""

import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from tiny_nvs_ros.model.base import replace_file
from tiny_nvs_ros.model.multiview.network import MultiviewNetwork
from training.attention import attention
from training.distributed import average_gradients, count, greatest, rank
from training.multiview.stage import MultiviewStage
from training.muon import Muon
from training.optimizers import empty_state

LOG_PERIOD = 50  # iterations


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
    """A network in training: parameters, their average, and the optimisers.

    Under torchrun each process draws a batch of its own and gradients are averaged.
    """

    def __init__(self, stage: MultiviewStage, schedule: Schedule):
        self.stage, self.schedule = stage, schedule
        self.network: MultiviewNetwork = stage.network
        self.ema = deepcopy(self.network).requires_grad_(False)
        self.parameters = list(stage.loss.parameters())
        matrices = stage.matrices()
        muons = {id(matrix) for matrix in matrices}
        others = [p for p in self.parameters if id(p) not in muons]
        betas = (0.9, schedule.beta2)
        self.optimizers = [
            (
                torch.optim.AdamW(others, lr=0.0, betas=betas, weight_decay=0.01, fused=True),
                schedule.learning_rate,
            )
        ]
        if matrices:
            self.optimizers.append((Muon(matrices, lr=0.0), schedule.matrix_learning_rate))
        self.loss = stage.loss
        self.iteration = 0
        self.data_share = math.nan  # of a step's time, as measured last
        kind = stage.device.type
        # Without AVX-512, a CPU emulates bfloat16 and takes several times as long.
        fast = kind != "cpu" or "AVX512" in torch.backends.cpu.get_cpu_capability()
        self.autocast = torch.autocast(kind, torch.bfloat16, enabled=fast)

    def compile(self) -> None:
        """Compile the loss; torch keeps the code on disk, for another process too."""
        self.loss = torch.compile(self.stage.loss, dynamic=False)

    def step(self, rate: float, timed: bool = False) -> dict[str, Tensor]:
        """Take one optimiser step at a share of the learning rates.

        timed: measure data_share, for which the device is waited for.
        """
        rate *= min(1.0, (self.iteration + 1) / self.schedule.warmup)
        for optimizer, learning_rate in self.optimizers:
            optimizer.param_groups[0]["lr"] = rate * learning_rate
        began = self._time() if timed else 0.0
        batch = self.stage.batch(self.iteration, rank(), count())
        drawn = self._time() if timed else 0.0
        with self.autocast, attention(self.stage.device.type):
            try:
                scalars = self.loss(*batch)
            except RuntimeError as error:
                if self.loss is self.stage.loss:
                    raise
                print(f"goes on without compiled code: {error}", flush=True)
                self.loss = self.stage.loss
                scalars = self.loss(*batch)
        scalars["loss"].backward()
        average_gradients(self.parameters)
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0, foreach=True)
        for optimizer, _ in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        decay = min(self.schedule.ema, (1 + self.iteration) / (10 + self.iteration))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.ema.parameters()), list(self.network.parameters()), 1 - decay
            )
        self.iteration += 1
        if timed:
            self.data_share = (drawn - began) / (self._time() - began)
        return {name: value.detach() for name, value in scalars.items()}

    def _time(self) -> float:
        """Return the time in seconds when the device has done all that it was given."""
        if self.stage.device.type == "cuda":
            torch.cuda.synchronize(self.stage.device)
        return time.monotonic()

    def tensors(self) -> dict[str, Tensor]:
        """Return everything that a checkpoint holds, by name (views, not copies)."""
        tensors = {f"ema.{name}": value.data for name, value in self.ema.named_parameters()}
        for name, parameter in self.network.named_parameters():
            tensors[f"network.{name}"] = parameter.data
            for optimizer, _ in self.optimizers:
                for key, value in optimizer.state.get(parameter, {}).items():
                    tensors[f"optimizer.{key}.{name}"] = value
        return tensors

    def save(self, file: Path, metadata: dict[str, str]) -> None:
        """Write a checkpoint."""
        tensors = {name: value.cpu().contiguous() for name, value in self.tensors().items()}
        metadata = {**metadata, "iteration": str(self.iteration)}
        replace_file(file, lambda aside: save_file(tensors, aside, metadata))

    def load(self, file: Path) -> None:
        """Continue from a checkpoint."""
        for optimizer, _ in self.optimizers:  # allocate their states
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    optimizer.state[parameter] = empty_state(optimizer, parameter)
        with safe_open(file, framework="pt") as checkpoint:
            self.iteration = int(checkpoint.metadata()["iteration"])
            for name, value in self.tensors().items():
                value.copy_(checkpoint.get_tensor(name))


@dataclass
class Budget:
    """The length of a run, a number of iterations or seconds, which the learning rates follow.

    done: share of it that is used up, 0 to 1; a run that is resumed begins with its own.
    """

    iterations: int | None = None
    seconds: float | None = None
    done: float = 0.0

    def __post_init__(self) -> None:
        self._began, self._done_before = time.monotonic(), self.done

    def update(self, iteration: int) -> float:
        """Return `done` after so many iterations of the run."""
        if self.iterations is not None:
            self.done = iteration / self.iterations
        else:
            passed = (time.monotonic() - self._began) / max(self.seconds, 1e-9)
            self.done = self._done_before + passed
        self.done = min(self.done, 1.0)
        return self.done

    def seconds_left(self) -> float:
        """Return the seconds that are left, infinite if iterations are counted."""
        return math.inf if self.seconds is None else (1 - self.update(0)) * self.seconds


def train(
    fit: Fit,
    budget: Budget,
    report: Callable[[Fit, dict[str, Tensor], bool], None],
    every: float = 30,
    stopped: Callable[[], object] = lambda: False,
) -> None:
    """Train until the budget is used up, or `stopped()`, which is asked before each iteration.

    report: called about every `every` seconds and at the end, if there was an iteration; under
    torchrun by the first process alone. Its last argument is whether the run goes on or is
    complete; if not, it was stopped, and there is little time to save.
    """
    reported = time.monotonic()
    scalars = {}
    while True:
        budget.done, ended = greatest(budget.update(fit.iteration), bool(stopped()))
        if (budget.done >= 1 and fit.iteration) or ended:
            break
        timed = fit.iteration % LOG_PERIOD == 0
        scalars = fit.step(min(1.0, (1 - budget.done) / max(fit.schedule.decay_share, 1e-9)), timed)
        if fit.iteration % LOG_PERIOD == 0:
            check_finite(fit, scalars)
            if rank() == 0 and time.monotonic() - reported > every:
                budget.update(fit.iteration)
                report(fit, scalars, True)
                reported = time.monotonic()
    if scalars:
        check_finite(fit, scalars)
        if rank() == 0:
            report(fit, scalars, not ended)


def check_finite(fit: Fit, scalars: dict[str, Tensor]) -> None:
    """Raise FloatingPointError, in all processes, for weights of one that must not be saved."""
    values = scalars["loss"], *fit.ema.parameters()  # the average keeps every NaN
    (bad,) = greatest(not all(bool(value.isfinite().all()) for value in values))
    if bad:
        raise FloatingPointError(
            f"the loss or the weights are not finite at iteration {fit.iteration}; begin again "
            "with lower learning rates"
        )
