"""The training loop of any stage: steps, averaged weights, checkpoints, signals, processes.

Every draw depends on the seed and the iteration alone, so a run that was interrupted and resumed
gives the same bits as one that was not.
"""

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import asdict, fields
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.utils.tensorboard import SummaryWriter

from tiny_nvs_ros.model.base import replace_file
from training import distributed, history
from training.attention import attention
from training.cli import Stopped, stop_signals
from training.optimizers import empty_state, optimizers
from training.progress import Progress
from training.stages.base import Stage
from training.stages.settings import PRECISIONS

LOG_PERIOD, GRID_PERIOD = 50, 1000  # iterations


CHECKPOINT = ".checkpoint.safetensors"


class Trainer:
    """A stage in training: parameters, their average, the optimisers, and the checkpoint file.

    Under torchrun each process takes its share of every batch and gradients are averaged, so any
    number of processes trains as one does. provenance: for config.json, where the data and the
    initial weights are from.
    """

    def __init__(
        self,
        stage: Stage,
        file: Path,
        compiled: bool = False,
        provenance: dict | None = None,
    ):
        self.stage, self.file, self.compiled = stage, file, compiled
        self.provenance = provenance or {}
        self.ema = deepcopy(stage.module).requires_grad_(False)
        self.parameters = list(stage.module.parameters())
        self.optimizers = optimizers(stage, self.parameters)
        self.iteration = stage.settings.begin
        self.loss, self.share = stage.loss, slice(None)
        if compiled:  # on a GPU with CUDA graphs: launching small operations is what takes time
            on_gpu = stage.model.device.type == "cuda"
            self.loss = torch.compile(self.loss, mode="reduce-overhead" if on_gpu else "default")
        distributed.check_batch(stage.settings.batch_size)
        if dist.is_initialized():
            self.loss = DistributedDataParallel(self.loss)
            self.share = slice(distributed.rank(), None, distributed.count())

    def step(self) -> dict[str, Tensor]:
        """Take one optimiser step and return the loss and its parts."""
        settings = self.stage.settings
        for optimizer, learning_rate in self.optimizers:
            rate = learning_rate * settings.rate_at(self.iteration)
            optimizer.param_groups[0]["lr"] = rate
        batch = self.stage.batch(self.iteration, self.share)
        precision = PRECISIONS[settings.precision]
        mixed = precision != torch.float32
        device = self.stage.model.device.type
        with torch.autocast(device, precision, enabled=mixed), attention(device):
            scalars = self.loss(*batch)
        scalars["loss"].backward()
        for optimizer, _ in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        decay = min(settings.ema, (1 + self.iteration) / (10 + self.iteration))
        with torch.no_grad():  # or else the average keeps the graph of every step
            torch._foreach_lerp_(list(self.ema.parameters()), self.parameters, 1 - decay)
        self.iteration += 1
        return {name: value.detach() for name, value in scalars.items()}

    def tensors(self) -> dict[str, Tensor]:
        """Return everything that a checkpoint holds, by name (views, not copies)."""
        tensors = {}
        for name, parameter in self.stage.module.named_parameters():
            tensors[f"module.{name}"] = parameter.data
            for optimizer, _ in self.optimizers:
                for key, value in optimizer.state.get(parameter, {}).items():
                    tensors[f"optimizer.{key}.{name}"] = value
        for name, parameter in self.ema.named_parameters():
            tensors[f"ema.{name}"] = parameter.data
        return tensors

    def save(self, out: Path) -> None:
        """Write the model with the averaged weights as a weights folder, then the checkpoint.

        In this order: if the process is killed between, a finished checkpoint has its weights.
        """
        config = self.stage.model.config
        config.metrics, config.noise_scale = {}, 1.0  # were measured of the initial weights
        config.training = history.record(config.training, self.segment())
        with ema_weights(self):
            self.stage.model.save_pretrained(out)
        metadata = {
            "iteration": str(self.iteration),
            "settings": json.dumps(asdict(self.stage.settings)),
            "segments": json.dumps(history.only(config.training, [self.stage.name])["segments"]),
        }
        tensors = {name: value.cpu().contiguous() for name, value in self.tensors().items()}
        replace_file(self.file, lambda aside: save_file(tensors, aside, metadata))

    def segment(self) -> dict:
        """Return this run as config.json records it."""
        processes = dist.get_world_size() if dist.is_initialized() else 1
        settings = self.stage.settings
        return {
            "stage": self.stage.name,
            "from": settings.begin,
            "to": self.iteration,
            "settings": asdict(settings),
            "data": {**self.provenance.get("data", {}), **self.stage.data_size},
            "init": self.provenance.get("init"),
            "device": self.stage.model.device.type,
            "compiled": self.compiled,
            "processes": processes,
            "torch": torch.__version__,
        }

    def load(self) -> None:
        """Continue from the checkpoint; ValueError if it was made with other settings.

        A finished run continues if more iterations are asked for, with a new warm-up.
        """
        with safe_open(self.file, framework="pt") as checkpoint:
            metadata = checkpoint.metadata()
            self.iteration = int(metadata["iteration"])
            theirs = {field.name: field.default for field in fields(self.stage.settings)}
            theirs |= json.loads(metadata["settings"])
            config = self.stage.model.config
            for segment in json.loads(metadata.get("segments", "[]")):
                config.training = history.record(config.training, segment)
            ours = {**asdict(self.stage.settings), "begin": theirs["begin"]}
            if self.iteration == theirs["iterations"] < ours["iterations"]:
                theirs["iterations"], ours["begin"] = ours["iterations"], self.iteration
                theirs["begin"] = self.iteration
            for key in ours:
                if theirs.get(key) != ours[key]:
                    raise ValueError(
                        f"{self.file} was made with {key} {theirs.get(key)}, not {ours[key]}; "
                        "resume with the same settings, or begin in another --out"
                    )
            self.stage.settings = type(self.stage.settings)(**ours)
            for optimizer, _ in self.optimizers:  # allocate their states
                for group in optimizer.param_groups:
                    for parameter in group["params"]:
                        optimizer.state[parameter] = empty_state(optimizer, parameter)
            for name, value in self.tensors().items():
                value.copy_(checkpoint.get_tensor(name))


def train(
    stage: Stage,
    out: Path,
    resume: bool = False,
    checkpoint_seconds: float = 180,
    compiled: bool = False,
    provenance: dict | None = None,
) -> None:
    """Train a stage to its end; raises Stopped if a signal came first (then --resume continues)."""
    training = Trainer(stage, out / f"{stage.name}{CHECKPOINT}", compiled, provenance)
    if training.file.exists():
        if not resume:
            raise FileExistsError(
                f"{training.file} exists; --resume continues from it, or choose another --out"
            )
        training.load()
    settings = stage.settings
    if training.iteration < settings.iterations:
        check_out(out, stage)
    first = not dist.is_initialized() or dist.get_rank() == 0  # the process that writes
    progress = nullcontext()
    if first:
        progress = Progress(settings.iterations, stage.name, initial=training.iteration)
    log = out / "tensorboard" / stage.name
    writer = SummaryWriter(log, purge_step=training.iteration) if first else None
    saved = time.monotonic()
    with stop_signals() as stop, progress, writer or nullcontext():
        while training.iteration < settings.iterations and not any_rank_stopped(stop):
            scalars = training.step()
            done = training.iteration == settings.iterations
            if not first:
                continue
            progress.update()
            if training.iteration % LOG_PERIOD == 0:
                check_finite(scalars["loss"], training)
                progress.set_status(f"loss {float(scalars['loss']):.4g}")
                for name, value in scalars.items():
                    writer.add_scalar(name, value, training.iteration)
                writer.add_scalar(
                    "learning_rate",
                    settings.learning_rate * settings.rate_at(training.iteration),
                    training.iteration,
                )
            if training.iteration % GRID_PERIOD == 0 or done:
                with ema_weights(training):
                    writer.add_image("samples", stage.grid(), training.iteration, dataformats="HWC")
            if done or time.monotonic() - saved > checkpoint_seconds:
                check_finite(scalars["loss"], training)
                training.save(out)
                saved = time.monotonic()
        if training.iteration < settings.iterations:
            if first:
                training.save(out)
            raise Stopped(f"stopped at iteration {training.iteration}, saved in {training.file}")


def check_out(out: Path, stage: type[Stage] | Stage) -> None:
    """Raise FileExistsError if `out` holds another stage's run, whose weights would be replaced."""
    for file in sorted(out.glob(f"*{CHECKPOINT}")):
        name = file.name.removesuffix(CHECKPOINT)
        if name not in (stage.name, *stage.builds_on):
            raise FileExistsError(
                f"{file} is of the {name}, whose weights in {out} the {stage.name} would replace; "
                "choose another --out, or delete it"
            )


def any_rank_stopped(stop: list[int]) -> bool:
    """Return whether any process received a signal: they must leave the loop together."""
    if not dist.is_initialized():
        return bool(stop)
    stopped = torch.tensor(float(bool(stop)), device="cuda" if torch.cuda.is_available() else "cpu")
    dist.all_reduce(stopped)
    return bool(stopped)


def check_finite(loss: Tensor, training: Trainer) -> None:
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"the loss is {float(loss)} at iteration {training.iteration} of the "
            f"{training.stage.name}; start again with a lower --learning-rate-scale"
        )


@contextmanager
def ema_weights(trainer: Trainer) -> Iterator[None]:
    """Put the averaged weights into the model for the time of the context."""
    module = trainer.stage.module
    kept = {name: value.clone() for name, value in module.state_dict().items()}
    module.load_state_dict(trainer.ema.state_dict())
    try:
        yield
    finally:
        module.load_state_dict(kept)
