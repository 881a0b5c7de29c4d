"""Train the stages of a model on data in the SRN layout.

    python -m training.train autoencoder --data data/cars/cars_train --out runs/cars
    python -m training.train denoiser    --data data/cars/cars_train --out runs/cars

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
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import yaml
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from tiny_nvs_ros.geometry import relative_pose
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.novel_view_model import replace_file, to_tensor, to_uint8
from training.baselines import regress
from training.command import add_device, check_device, tidy_exit
from training.srn import SrnError, SrnSplit, Views

PRESETS = Path(__file__).parent / "presets"
LOG_EVERY, GRID_EVERY = 50, 1000  # iterations
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Settings:
    """Of one stage; the same settings, data and device give the same weights.

    precision: of the networks' forward pass, a key of PRECISIONS; losses, weights and their
    average are float32. Whether they are compiled is, like the device, no setting of the weights.
    """

    iterations: int
    batch_size: int
    learning_rate: float
    warmup: int
    ema: float
    seed: int = 0
    l1_weight: float = 1.0  # these three: of the autoencoder
    kl_weight: float = 5.0
    kl_warmup: float = 0.0
    precision: str = "float32"
    begin: int = 0  # where a finished run was taken up again to go further

    def rate_at(self, iteration: int) -> float:
        """Linear warm-up from `begin` on, then a cosine down to zero at the last iteration."""
        done = iteration - self.begin
        ramp = min(1.0, (done + 1) / max(self.warmup, 1))
        cosine = 0.5 * (1 + math.cos(math.pi * done / (self.iterations - self.begin)))
        return self.learning_rate * ramp * cosine

    def kl_weight_at(self, iteration: int) -> float:
        """Grows over the first share `kl_warmup` of the run, lest the posterior collapses."""
        if self.begin:
            return self.kl_weight
        return self.kl_weight * min(1.0, iteration / max(self.kl_warmup * self.iterations, 1))


class AutoencoderLoss(nn.Module):
    """L1 on the image + KL of the posterior, both summed over an image, mean over the batch."""

    def __init__(self, autoencoder: nn.Module, l1_weight: float):
        super().__init__()
        self.autoencoder, self.l1_weight = autoencoder, l1_weight

    def forward(self, image: Tensor, eps: Tensor, kl_weight: Tensor) -> dict[str, Tensor]:
        posterior = self.autoencoder.encode(image)
        posterior.mean, posterior.log_variance = (
            moment.float() for moment in (posterior.mean, posterior.log_variance)
        )
        reconstruction = self.autoencoder.decode(posterior.sample(eps))
        l1 = (reconstruction - image).abs().sum(dim=(1, 2, 3)).mean()
        kl = posterior.kl().mean()
        return {"loss": self.l1_weight * l1 + kl_weight * kl, "l1": l1, "kl": kl}


class DenoiserLoss(nn.Module):
    """L1 on the predicted noise of a target view's latent, given a source view's and the pose."""

    def __init__(self, denoiser: nn.Module):
        super().__init__()
        self.denoiser = denoiser

    def forward(self, noisy: Tensor, t: Tensor, context: Tensor, eps: Tensor) -> dict[str, Tensor]:
        return {"loss": (self.denoiser(noisy, t, context) - eps).abs().mean()}


class RegressorLoss(nn.Module):
    """Squared error of a target view's latent, predicted by the denoiser's network at once."""

    def __init__(self, denoiser: nn.Module, last: int):
        super().__init__()
        self.denoiser, self.last = denoiser, last

    def forward(self, z: Tensor, context: Tensor) -> dict[str, Tensor]:
        return {"loss": (regress(self.denoiser, self.last, z, context) - z).square().mean()}


class AutoencoderStage:
    name = "autoencoder"

    def __init__(self, model: NovelViewModel, views: Views, settings: Settings):
        self.model, self.views, self.settings = model, views, settings
        self.module = model.autoencoder
        self.loss = AutoencoderLoss(self.module, settings.l1_weight)

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        """The `share` of the batch of an iteration: arguments of the loss."""
        rng = np.random.default_rng([self.settings.seed, iteration])
        batch, device = self.settings.batch_size, self.model.device
        chosen = rng.integers(len(self.views), size=batch)
        eps = rng.standard_normal((batch, *self.model.config.latent_shape), np.float32)
        image = to_tensor(self.views.images[chosen[share]], device)
        kl_weight = torch.tensor(self.settings.kl_weight_at(iteration), device=device)
        return image, torch.from_numpy(eps[share]).to(device), kl_weight

    @torch.inference_mode()
    def grid(self) -> np.ndarray:
        """Images above their reconstructions."""
        images = self.views.images[_spread(len(self.views), 16)]
        mean = self.module.encode(to_tensor(images, self.model.device)).mean
        return _rows([images, to_uint8(self.module.decode(mean))])


class DenoiserStage:
    name = "denoiser"

    def __init__(self, model: NovelViewModel, views: Views, settings: Settings):
        self.model, self.views, self.settings = model, views, settings
        self.module = model.denoiser
        self.loss = DenoiserLoss(self.module)
        model.config.latent_scale = 1.0
        means = model.encode(views.images)
        model.config.latent_scale = float(1 / means.std())
        self.latents = means * model.config.latent_scale

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        """The `share` of the batch of an iteration: arguments of the loss."""
        rng = np.random.default_rng([self.settings.seed, iteration])
        source, target = self.pairs(rng)
        schedule, device = self.model.schedule, self.model.device
        t = rng.integers(len(schedule), size=len(target))
        eps = rng.standard_normal((len(target), *self.model.config.latent_shape), np.float32)
        t, eps = (torch.from_numpy(draw[share]).to(device) for draw in (t, eps))
        noisy = schedule.add_noise(self.latents[target[share]], eps, t)
        return noisy, t, self.context(source[share], target[share]), eps

    def pairs(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of a batch's source and target views, any two of one instance."""
        starts, batch = self.views.offsets, self.settings.batch_size
        instance = rng.integers(len(starts) - 1, size=batch)
        source, target = rng.integers(starts[instance], starts[instance + 1], size=(2, batch))
        return source, target

    def context(self, source: np.ndarray, target: np.ndarray) -> Tensor:
        T = relative_pose(self.views.poses[source], self.views.poses[target]).astype(np.float32)
        return self.model.context(self.latents[source], torch.from_numpy(T).to(self.model.device))

    def imagined(self, context: Tensor) -> Tensor:
        """Latents for the grid, (B, C, h, w)."""
        shape = (len(context), *self.model.config.latent_shape)
        noise = np.random.default_rng(0).standard_normal(shape, np.float32)
        return self.model.sample_latents(context, torch.from_numpy(noise).to(context.device))

    @torch.inference_mode()
    def grid(self) -> np.ndarray:
        """Source view, true target, and the imagined one, of instances spread over the set."""
        source = self.views.offsets[:-1][_spread(len(self.views.offsets) - 1, 16)]
        target = source + 1
        imagined = self.model.decode(self.imagined(self.context(source, target)))
        return _rows([self.views.images[source], self.views.images[target], imagined])


class RegressorStage(DenoiserStage):
    """Not a part of the model: the baseline that tells what diffusion is good for."""

    name = "regressor"

    def __init__(self, model: NovelViewModel, views: Views, settings: Settings):
        super().__init__(model, views, settings)
        self.loss = RegressorLoss(self.module, len(model.schedule) - 1)

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        source, target = self.pairs(np.random.default_rng([self.settings.seed, iteration]))
        return self.latents[target[share]], self.context(source[share], target[share])

    def imagined(self, context: Tensor) -> Tensor:
        empty = context.new_zeros(len(context), *self.model.config.latent_shape)
        return regress(self.module, self.loss.last, empty, context)


STAGES = {stage.name: stage for stage in (AutoencoderStage, DenoiserStage, RegressorStage)}


class Training:
    """Parameters, their average and the optimiser, and how they are kept on disk.

    Under torchrun each process takes its share of every batch, and gradients are averaged, so that
    any number of processes trains as one does.
    """

    def __init__(self, stage: AutoencoderStage | DenoiserStage, file: Path, compiled: bool = False):
        self.stage, self.file = stage, file
        self.ema = deepcopy(stage.module).requires_grad_(False)
        self.parameters = list(stage.module.parameters())
        self.optimizer = torch.optim.AdamW(self.parameters, lr=0.0, fused=True)
        self.iteration = 0
        self.loss, self.share = stage.loss, slice(None)
        if (
            compiled
        ):  # on a GPU with CUDA graphs: launching these small operations is what takes time
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
        self.optimizer.param_groups[0]["lr"] = settings.rate_at(self.iteration)
        batch = self.stage.batch(self.iteration, self.share)
        precision = PRECISIONS[settings.precision]
        mixed = precision != torch.float32
        with torch.autocast(self.stage.model.device.type, precision, enabled=mixed):
            scalars = self.loss(*batch)
        scalars["loss"].backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
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
            for key, value in self.optimizer.state[parameter].items():
                tensors[f"optimizer.{key}.{name}"] = value
        for name, parameter in self.ema.named_parameters():
            tensors[f"ema.{name}"] = parameter.data
        return tensors

    def save(self, out: Path) -> None:
        """Write the model with the averaged weights as a weights folder, then the checkpoint.

        In this order, so that after a kill a finished checkpoint has its weights beside it.
        """
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
            for parameter in self.parameters:  # give the optimiser its state's tensors
                zeros = torch.zeros_like(parameter)
                step = torch.zeros((), device=parameter.device)
                self.optimizer.state[parameter] = {
                    "step": step,
                    "exp_avg": zeros,
                    "exp_avg_sq": zeros.clone(),
                }
            for name, value in self._tensors().items():
                value.copy_(checkpoint.get_tensor(name))


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
    stage: AutoencoderStage | DenoiserStage,
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
    if stage.name == "autoencoder" and training.iteration < settings.iterations:
        for name in ("denoiser", "regressor"):
            if (file := out / f"{name}.checkpoint.safetensors").exists():
                raise FileExistsError(
                    f"{file} was trained on the autoencoder as it is in {out}; "
                    "choose another --out for further training of the autoencoder, or delete it"
                )
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
                    "learning_rate", settings.rate_at(training.iteration), training.iteration
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
            f"{training.stage.name}; begin again with a lower learning_rate in presets/"
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


def _spread(count: int, wanted: int) -> np.ndarray:
    return np.linspace(0, count - 1, min(count, wanted)).astype(int)


def _rows(rows: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.concatenate(list(row), axis=1) for row in rows])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.train", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("stage", choices=list(STAGES))
    parser.add_argument("--preset", default="paper", help="of the model and its training")
    parser.add_argument("--data", type=Path, required=True, help="a split in the SRN layout")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument(
        "--autoencoder", type=Path, help="weights folder that makes the latents, if not --out"
    )
    parser.add_argument("--resume", action="store_true", help="go on from --out's checkpoint")
    add_device(parser)
    parser.add_argument("--iterations", type=int, help="instead of the preset's")
    parser.add_argument("--batch-size", type=int, help="instead of the preset's")
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
    folder = options.autoencoder or options.out
    model = begin(options.stage, options.seed, options.device, folder, options.preset)
    views = load_views(options.data, model.config.size, options.stage)
    print(f"{len(views.offsets) - 1} instances, {len(views)} views from {options.data}")
    stage = STAGES[options.stage](model, views, settings)
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
        pretrained = NovelViewModel.from_pretrained(folder)
        torch.manual_seed(seed)
        model = NovelViewModel(pretrained.config)
        model.autoencoder = pretrained.autoencoder
    # This order in memory makes convolutions a fifth faster on a CPU, and is a GPU's own.
    return model.to(device, memory_format=torch.channels_last)


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
    return settings


def preset_settings(stage: str, preset: str = "paper", **changes: object) -> Settings:
    """A stage's settings in presets/, with `changes`; ValueError where there is no such preset."""
    file = PRESETS / f"{preset}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in PRESETS.glob("*.yaml")))
        raise ValueError(f"no preset {preset!r}; there is {known}")
    return replace(Settings(**yaml.safe_load(file.read_text())[stage]), **changes)


if __name__ == "__main__":
    main()
