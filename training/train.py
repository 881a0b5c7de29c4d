"""Train the stages of a model on data in the SRN layout.

    python -m training.train autoencoder --data data/cars/cars_train --out runs/cars
    python -m training.train denoiser    --data data/cars/cars_train --out runs/cars

With --preset fast a third stage, `tuning`, goes on from trained weights: --init runs/cars.
--out becomes a weights folder that NovelViewModel.from_pretrained reads. Every draw depends on the
seed and the iteration alone, so a run that was cut off and resumed gives the same bits as one that
was not. `torchrun --nproc-per-node N -m training.train ...` trains data-parallel.
"""

import argparse
import json
import math
import os
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from dataclasses import asdict, fields, replace
from pathlib import Path

import torch
import torch.distributed as dist
import yaml
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parallel import DistributedDataParallel
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.base import replace_file
from training.command import add_device, check_device, tidy_exit
from training.flow_stages import FlowRegressorStage, FlowStage, FlowTuningStage
from training.muon import Muon
from training.srn import SrnError, SrnSplit, Views
from training.stages import (
    PRECISIONS,
    AutoencoderStage,
    DenoiserStage,
    RegressorStage,
    Settings,
)

PRESETS = Path(__file__).parent / "presets"
LOG_EVERY, GRID_EVERY = 50, 1000  # iterations

Stage = AutoencoderStage | DenoiserStage | FlowStage
STAGES = {stage.name: stage for stage in (AutoencoderStage, DenoiserStage, RegressorStage)}
FLOW_STAGES = {
    stage.name: stage
    for stage in (AutoencoderStage, FlowStage, FlowTuningStage, FlowRegressorStage)
}


def stages(model: NovelViewModel) -> dict[str, type]:
    """The stages that train a model, by name, the first one first."""
    return FLOW_STAGES if model.config.architecture == "flow" else STAGES


class Training:
    """Parameters, their average and the optimiser, and how they are kept on disk.

    Under torchrun each process takes its share of every batch, and gradients are averaged, so that
    any number of processes trains as one does.
    """

    def __init__(self, stage: Stage, file: Path, compiled: bool = False):
        self.stage, self.file = stage, file
        self.ema = deepcopy(stage.module).requires_grad_(False)
        self.parameters = list(stage.module.parameters())
        self.optimizers = optimizers(stage, self.parameters)
        self.iteration = stage.settings.begin
        self.loss, self.share = stage.loss, slice(None)
        if compiled:  # on a GPU with CUDA graphs: launching small operations is what takes time
            on_gpu = stage.model.device.type == "cuda"
            self.loss = torch.compile(self.loss, mode="reduce-overhead" if on_gpu else "default")
        if dist.is_initialized():
            processes = dist.get_world_size()
            if stage.settings.batch_size % processes:
                raise ValueError(
                    f"a batch of {stage.settings.batch_size} cannot be shared by {processes} "
                    "processes evenly; choose another --batch-size"
                )
            self.loss = DistributedDataParallel(self.loss)
            self.share = slice(dist.get_rank(), None, processes)

    def step(self) -> dict[str, Tensor]:
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
        with torch.no_grad():  # else the average would remember how every step made it
            torch._foreach_lerp_(list(self.ema.parameters()), self.parameters, 1 - decay)
        self.iteration += 1
        return {name: value.detach() for name, value in scalars.items()}

    def _tensors(self) -> dict[str, Tensor]:
        """Everything that a checkpoint holds, by name (views, not copies)."""
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

        In this order, so that after a kill a finished checkpoint has its weights beside it.
        """
        # These were of the weights that it began with.
        self.stage.model.config.metrics, self.stage.model.config.noise_scale = {}, 1.0
        self.stage.model.config.training[self.stage.name] = {
            **asdict(self.stage.settings),
            "iteration": self.iteration,
            "instances": len(self.stage.views.offsets) - 1,
            "views": len(self.stage.views),
            "torch": torch.__version__,
        }
        with averaged(self):
            self.stage.model.save_pretrained(out)
        metadata = {
            "iteration": str(self.iteration),
            "settings": json.dumps(asdict(self.stage.settings)),
        }
        tensors = {name: value.cpu().contiguous() for name, value in self._tensors().items()}
        replace_file(self.file, lambda aside: save_file(tensors, aside, metadata))

    def load(self) -> None:
        """Go on from the checkpoint; ValueError where it was made with other settings.

        A finished run goes on where more iterations are asked for, with the rate warmed up again.
        """
        with safe_open(self.file, framework="pt") as checkpoint:
            metadata = checkpoint.metadata()
            self.iteration = int(metadata["iteration"])
            theirs = {field.name: field.default for field in fields(Settings)}
            theirs |= json.loads(metadata["settings"])
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
            self.stage.settings = Settings(**ours)
            for optimizer, _ in self.optimizers:  # give them their states' tensors
                for group in optimizer.param_groups:
                    for parameter in group["params"]:
                        optimizer.state[parameter] = empty_state(optimizer, parameter)
            for name, value in self._tensors().items():
                value.copy_(checkpoint.get_tensor(name))


def attention(device: str) -> AbstractContextManager:
    """How attention is computed meanwhile.

    On a CPU, for so few tokens, plain products: with torch's fused attention a flow's step takes
    1.3 times as long in bfloat16, since its gradient is slow there, and as long in float32.
    """
    return sdpa_kernel(SDPBackend.MATH) if device == "cpu" else nullcontext()


def optimizers(stage: Stage, parameters: list[Tensor]) -> list[tuple[torch.optim.Optimizer, float]]:
    """Those of a stage, each with the learning rate that its schedule takes a share of."""
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
    """What an optimiser keeps of a parameter, before its first step."""
    zeros = torch.zeros_like(parameter)
    if isinstance(optimizer, Muon):
        return {"momentum": zeros}
    step = torch.zeros((), device=parameter.device)
    return {"step": step, "exp_avg": zeros, "exp_avg_sq": zeros.clone()}


class Stopped(KeyboardInterrupt):
    """A signal ended the training between two iterations; all of it is kept."""


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM meanwhile, so that a run ends between two iterations."""
    received: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(s, lambda number, _frame: received.append(number)) for s in signals]
    try:
        yield received
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def train(
    stage: Stage,
    out: Path,
    resume: bool = False,
    checkpoint_seconds: float = 180,
    compiled: bool = False,
) -> None:
    """Train a stage to its end; Stopped where a signal came first (then it can be resumed)."""
    training = Training(stage, out / f"{stage.name}.checkpoint.safetensors", compiled)
    if training.file.exists():
        if not resume:
            raise FileExistsError(
                f"{training.file} exists; --resume goes on from it, or choose another --out"
            )
        training.load()
    settings = stage.settings
    if training.iteration < settings.iterations:
        check_out(out, stage.name)
    first = not dist.is_initialized() or dist.get_rank() == 0  # the process that writes
    progress = tqdm(
        initial=training.iteration,
        total=settings.iterations,
        desc=stage.name,
        mininterval=1,
        unit="it",
        disable=not first,
    )
    log = out / "tensorboard" / stage.name
    writer = SummaryWriter(log, purge_step=training.iteration) if first else None
    saved = time.monotonic()
    with stop_signals() as stop, progress, writer or nullcontext():
        while training.iteration < settings.iterations and not anywhere(stop):
            scalars = training.step()
            progress.update()
            done = training.iteration == settings.iterations
            if not first:
                continue
            if training.iteration % LOG_EVERY == 0:
                check_finite(scalars["loss"], training)
                progress.set_postfix(loss=f"{float(scalars['loss']):.4g}")
                for name, value in scalars.items():
                    writer.add_scalar(name, value, training.iteration)
                writer.add_scalar(
                    "learning_rate",
                    settings.learning_rate * settings.rate_at(training.iteration),
                    training.iteration,
                )
            if training.iteration % GRID_EVERY == 0 or done:
                with averaged(training):
                    writer.add_image("samples", stage.grid(), training.iteration, dataformats="HWC")
            if done or time.monotonic() - saved > checkpoint_seconds:
                check_finite(scalars["loss"], training)
                training.save(out)
                saved = time.monotonic()
        if training.iteration < settings.iterations:
            if first:
                training.save(out)
            raise Stopped(f"stopped at iteration {training.iteration}, kept in {training.file}")


def check_out(out: Path, stage: str) -> None:
    """FileExistsError where another stage's run is in `out`, whose weights would be replaced."""
    first = {"autoencoder"} if stage in ("denoiser", "regressor") else set()  # which they go with
    for name in FLOW_STAGES.keys() - first - {stage}:
        if (file := out / f"{name}.checkpoint.safetensors").exists():
            raise FileExistsError(
                f"{file} is of the {name}, whose weights in {out} the {stage} would replace; "
                "choose another --out, or delete it"
            )


def anywhere(stop: list[int]) -> bool:
    """Whether any process was told to stop: they must leave the loop together."""
    if not dist.is_initialized():
        return bool(stop)
    told = torch.tensor(float(bool(stop)), device="cuda" if torch.cuda.is_available() else "cpu")
    dist.all_reduce(told)
    return bool(told)


def check_finite(loss: Tensor, training: Training) -> None:
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"the loss is {float(loss)} at iteration {training.iteration} of the "
            f"{training.stage.name}; begin again with a lower --learning-rate-scale"
        )


@contextmanager
def averaged(run: Training) -> Iterator[None]:
    """Puts the averaged weights in the model's place meanwhile."""
    module = run.stage.module
    kept = {name: value.clone() for name, value in module.state_dict().items()}
    module.load_state_dict(run.ema.state_dict())
    try:
        yield
    finally:
        module.load_state_dict(kept)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.train", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("stage", choices=list(FLOW_STAGES))
    parser.add_argument("--preset", default="paper", help="of the model and its training")
    parser.add_argument("--data", type=Path, required=True, help="a split in the SRN layout")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    trained = parser.add_mutually_exclusive_group()
    trained.add_argument(
        "--autoencoder", type=Path, help="weights folder that makes the latents, if not --out"
    )
    trained.add_argument(
        "--init",
        type=Path,
        metavar="WEIGHTS",
        help="folder of trained weights to go on from; --iterations counts theirs too",
    )
    parser.add_argument("--resume", action="store_true", help="go on from --out's checkpoint")
    add_device(parser)
    parser.add_argument("--iterations", type=int, help="instead of the preset's")
    parser.add_argument("--batch-size", type=int, help="instead of the preset's")
    parser.add_argument(
        "--learning-rate-scale",
        type=float,
        default=1.0,
        metavar="X",
        help="times the preset's; trained weights want less (%(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint-seconds", type=float, default=180)
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="float32", help="of the forward pass"
    )
    parser.add_argument(
        "--compile", action="store_true", help="torch.compile; on a GPU with CUDA graphs"
    )
    options = parser.parse_args(arguments)
    with tidy_exit(parser):
        check_device(options.device)
        with processes(options.device):
            run(options)


@contextmanager
def processes(device: str) -> Iterator[None]:
    """Joins the processes that torchrun started, if it did."""
    if "WORLD_SIZE" not in os.environ:
        yield
        return
    if device.startswith("cuda"):
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def run(options: argparse.Namespace) -> None:
    """Train as the command line says."""
    settings = read_settings(options)
    if options.init:
        model, settings = take_up(
            options.init, options.stage, settings, options.preset, options.out
        )
        model.to(options.device, memory_format=torch.channels_last)
    elif options.stage == "tuning":
        raise ValueError("tuning begins with trained weights: say --init WEIGHTS")
    else:
        folder = options.autoencoder or options.out
        model = begin(options.stage, options.seed, options.device, folder, options.preset)
    views = load_views(options.data, model.config.size, options.stage)
    print(f"{len(views.offsets) - 1} instances, {len(views)} views from {options.data}")
    stage = stages(model)[options.stage](model, views, settings)
    train(stage, options.out, options.resume, options.checkpoint_seconds, options.compile)


def begin(
    stage: str, seed: int, device: str, folder: Path, preset: str = "paper", **changes: object
) -> NovelViewModel:
    """The model that a stage begins with: untrained but, after the first stage, the autoencoder.

    folder: weights folder of that autoencoder, whose configuration is then the model's. changes:
    for the first stage, what replaces fields of the preset's ModelConfig.
    """
    if stage == "autoencoder":
        torch.manual_seed(seed)
        model = NovelViewModel.from_preset(preset, **changes)
    else:
        trained = load_weights(folder, preset)
        torch.manual_seed(seed)
        model = NovelViewModel.from_config(trained.config)
        model.autoencoder = trained.autoencoder
        of_stages = model.config.training
        model.config.training = {k: v for k, v in of_stages.items() if k == "autoencoder"}
    # This order in memory makes convolutions a fifth faster on a CPU, and is a GPU's own.
    return model.to(device, memory_format=torch.channels_last)


def load_weights(folder: Path, preset: str) -> NovelViewModel:
    """The model in a weights folder; ValueError where it is not of the preset."""
    model = NovelViewModel.from_pretrained(folder)
    if model.config.preset != preset:
        raise ValueError(f"{folder} is of the preset {model.config.preset}: say --preset")
    return model


def take_up(
    folder: Path, stage: str, settings: Settings, preset: str, out: Path
) -> tuple[NovelViewModel, Settings]:
    """The model in a weights folder, and settings that train it further (with new optimisers).

    out: the run's folder, which must be another.
    """
    if stage == "autoencoder":
        raise ValueError("--init is for later stages: a denoiser knows one autoencoder's latents")
    if out.exists() and out.samefile(folder):
        raise ValueError(f"--init {folder} would be overwritten; choose another --out")
    model = load_weights(folder, preset)
    trained = model.config.training
    iterations = trained.get(stage, {}).get("iteration", 0)
    held = next((name for name in ("regressor", "denoiser") if name in trained), None)
    if held is None or (held == "regressor" and stage != held):
        raise ValueError(f"{folder} holds no trained denoiser, from which --init could go on")
    if iterations >= settings.iterations:
        raise ValueError(
            f"the {stage} in {folder} was trained for {iterations} iterations; "
            "--init goes on from a trained one to more --iterations"
        )
    if stage == "denoiser":
        trained.pop("tuning", None)  # of what comes of it there is none yet
    model.denoiser.train().requires_grad_()
    return model, replace(settings, begin=iterations)


def load_views(data: Path, size: int, stage: str) -> Views:
    """A split's views for a stage; SrnError where it cannot be trained on them."""
    split = SrnSplit(data)
    if stage != "autoencoder":
        for instance in split.instances:
            if len(instance) < 2:
                raise SrnError(
                    f"{instance.path}: has one view only; the {stage} learns from pairs of views"
                )
    return split.load(size)


def read_settings(options: argparse.Namespace) -> Settings:
    """The preset's settings of a stage, with what the command line says instead."""
    names = ("iterations", "batch_size", "seed", "precision")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    settings = preset_settings(options.stage, options.preset, **given)
    if settings.iterations < 1 or settings.batch_size < 1:
        raise ValueError("--iterations and --batch-size must be at least 1")
    if not 0 < options.learning_rate_scale < math.inf:
        raise ValueError("--learning-rate-scale must be above 0")
    rates = ("learning_rate", "matrix_learning_rate")
    return replace(
        settings, **{n: options.learning_rate_scale * getattr(settings, n) for n in rates}
    )


def preset_settings(stage: str, preset: str = "paper", **changes: object) -> Settings:
    """A stage's settings in presets/, with `changes`; ValueError where there are none."""
    file = PRESETS / f"{preset}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in PRESETS.glob("*.yaml")))
        raise ValueError(f"no preset {preset!r}; there is {known}")
    of_stages = yaml.safe_load(file.read_text())
    if stage not in of_stages:
        known = ", ".join(of_stages)
        raise ValueError(f"the preset {preset} has no stage {stage!r}; it has {known}")
    return replace(Settings(**of_stages[stage]), **changes)


if __name__ == "__main__":
    main()
