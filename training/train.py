"""Train the two stages of a model on data in the SRN layout.

    python -m training.train autoencoder --data data/cars/cars_train --out runs/cars
    python -m training.train denoiser    --data data/cars/cars_train --out runs/cars

--out becomes a weights folder that NovelViewModel.from_pretrained reads. Every draw depends on the
seed and the iteration alone, so a run that was cut off and resumed gives the same bits as one that
was not.
"""

import argparse
import json
import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from tiny_nvs_ros.geometry import relative_pose
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.novel_view_model import replace_file, to_tensor, to_uint8
from training.srn import SrnSplit, Views

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class Settings:
    """Of one stage; the same settings, data and device give the same weights."""

    iterations: int
    batch_size: int
    learning_rate: float
    warmup: int
    ema: float
    seed: int = 0
    l1_weight: float = 1.0  # autoencoder only
    kl_weight: float = 5.0  # autoencoder only

    def rate_at(self, iteration: int) -> float:
        """Linear warm-up, then a cosine down to zero at the last iteration."""
        ramp = min(1.0, (iteration + 1) / max(self.warmup, 1))
        return (
            self.learning_rate * ramp * 0.5 * (1 + math.cos(math.pi * iteration / self.iterations))
        )


class AutoencoderStage:
    """L1 on the image + KL of the posterior, both summed over an image."""

    name = "autoencoder"

    def __init__(self, model: NovelViewModel, views: Views, settings: Settings):
        self.model, self.views, self.settings = model, views, settings
        self.module = model.autoencoder

    def loss(self, rng: np.random.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        device = self.model.device
        chosen = rng.integers(len(self.views), size=self.settings.batch_size)
        image = to_tensor(self.views.images[chosen], device)
        posterior = self.module.encode(image)
        eps = _normal(rng, posterior.mean.shape, device)
        reconstruction = self.module.decode(posterior.sample(eps))
        l1 = (reconstruction - image).abs().sum(dim=(1, 2, 3)).mean()
        kl = posterior.kl().mean()
        loss = self.settings.l1_weight * l1 + self.settings.kl_weight * kl
        return loss, {"l1": l1, "kl": kl}

    @torch.inference_mode()
    def grid(self) -> np.ndarray:
        """Images above their reconstructions."""
        images = self.views.images[_spread(len(self.views), 16)]
        mean = self.module.encode(to_tensor(images, self.model.device)).mean
        return _rows([images, to_uint8(self.module.decode(mean))])


class DenoiserStage:
    """L1 on the predicted noise of a target view's latent, given a source view's and the pose."""

    name = "denoiser"

    def __init__(self, model: NovelViewModel, views: Views, settings: Settings):
        self.model, self.views, self.settings = model, views, settings
        self.module = model.denoiser
        model.config.latent_scale = 1.0
        means = model.encode(views.images)
        model.config.latent_scale = float(1 / means.std())
        self.latents = means * model.config.latent_scale

    def loss(self, rng: np.random.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        device, batch = self.model.device, self.settings.batch_size
        starts = self.views.offsets
        instance = rng.integers(len(starts) - 1, size=batch)
        source, target = rng.integers(starts[instance], starts[instance + 1], size=(2, batch))
        t = torch.from_numpy(rng.integers(len(self.model.schedule), size=batch)).to(device)
        T = relative_pose(self.views.poses[source], self.views.poses[target])
        context = self.model.context(self.latents[source], torch.from_numpy(T).float().to(device))
        eps = _normal(rng, self.latents[target].shape, device)
        noisy = self.model.schedule.add_noise(self.latents[target], eps, t)
        loss = (self.module(noisy, t, context) - eps).abs().mean()
        return loss, {}

    def grid(self) -> np.ndarray:
        """Source view, true target, and one imagined sample, of instances spread over the set."""
        starts = self.views.offsets[:-1][_spread(len(self.views.offsets) - 1, 16)]
        sources, targets = self.views.images[starts], self.views.images[starts + 1]
        T = relative_pose(self.views.poses[starts], self.views.poses[starts + 1])
        with torch.inference_mode():
            context = self.model.context(
                self.latents[starts], torch.from_numpy(T).float().to(self.model.device)
            )
            noise = _normal(np.random.default_rng(0), self.latents[starts].shape, context.device)
            imagined = self.model.decode(self.model.sample_latents(context, noise))
        return _rows([sources, targets, imagined])


STAGES = {stage.name: stage for stage in (AutoencoderStage, DenoiserStage)}


class Run:
    """Parameters, their average and the optimiser, and how they are kept on disk."""

    def __init__(self, stage: AutoencoderStage | DenoiserStage, file: Path):
        self.stage, self.file = stage, file
        self.ema = deepcopy(stage.module).requires_grad_(False)
        self.parameters = list(stage.module.parameters())
        self.optimizer = torch.optim.AdamW(self.parameters, lr=0.0, fused=True)
        self.iteration = 0

    def step(self) -> dict[str, Tensor]:
        settings = self.stage.settings
        rng = np.random.default_rng([settings.seed, self.iteration])
        self.optimizer.param_groups[0]["lr"] = settings.rate_at(self.iteration)
        loss, scalars = self.stage.loss(rng)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        decay = min(settings.ema, (1 + self.iteration) / (10 + self.iteration))
        torch._foreach_lerp_(list(self.ema.parameters()), self.parameters, 1 - decay)
        self.iteration += 1
        return {"loss": loss.detach(), **scalars}

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

    def save(self) -> None:
        metadata = {
            "iteration": str(self.iteration),
            "settings": json.dumps(asdict(self.stage.settings)),
        }
        tensors = {name: value.cpu().contiguous() for name, value in self._tensors().items()}
        replace_file(self.file, lambda aside: save_file(tensors, aside, metadata))

    def load(self) -> None:
        """Go on from the checkpoint; ValueError where it was made with other settings."""
        with safe_open(self.file, framework="pt") as checkpoint:
            metadata = checkpoint.metadata()
            theirs, ours = json.loads(metadata["settings"]), asdict(self.stage.settings)
            for key in ours:
                if theirs.get(key) != ours[key]:
                    raise ValueError(
                        f"{self.file} was made with {key} {theirs.get(key)}, not {ours[key]}; "
                        "resume with the same settings, or begin in another --out"
                    )
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
            self.iteration = int(metadata["iteration"])


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
    log_every: int = 50,
    grid_every: int = 1000,
) -> bool:
    """Train a stage to its end; True unless a signal stopped it first (then it can be resumed)."""
    settings = stage.settings
    run = Run(stage, out / f"{stage.name}.checkpoint.safetensors")
    if run.file.exists() and not resume:
        raise FileExistsError(
            f"{run.file} exists; --resume goes on from it, or choose another --out"
        )
    if resume and run.file.exists():
        run.load()
    writer = SummaryWriter(out / "tensorboard" / stage.name, purge_step=run.iteration)
    progress = tqdm(
        initial=run.iteration, total=settings.iterations, desc=stage.name, mininterval=1, unit="it"
    )
    saved = time.monotonic()
    with stop_signals() as stop, writer, progress:
        while run.iteration < settings.iterations and not stop:
            scalars = run.step()
            progress.update()
            done = run.iteration == settings.iterations
            if run.iteration % log_every == 0:
                values = {name: float(value) for name, value in scalars.items()}
                if not math.isfinite(values["loss"]):
                    raise FloatingPointError(
                        f"the loss is {values['loss']} at iteration {run.iteration}; "
                        f"resume from {run.file.name} with a lower learning rate"
                    )
                progress.set_postfix(loss=f"{values['loss']:.4g}")
                for name, value in values.items():
                    writer.add_scalar(name, value, run.iteration)
                writer.add_scalar("learning_rate", settings.rate_at(run.iteration), run.iteration)
            if run.iteration % grid_every == 0 or done:
                with averaged(run):
                    writer.add_image("samples", stage.grid(), run.iteration, dataformats="HWC")
            if done or stop or time.monotonic() - saved > checkpoint_seconds:
                run.save()
                with averaged(run):
                    stage.model.config.training[stage.name] = {
                        "iteration": run.iteration,
                        **asdict(settings),
                    }
                    stage.model.save_pretrained(out)
                saved = time.monotonic()
    return run.iteration == settings.iterations


@contextmanager
def averaged(run: Run) -> Iterator[None]:
    """Puts the averaged weights in the model's place meanwhile."""
    module = run.stage.module
    kept = {name: value.clone() for name, value in module.state_dict().items()}
    module.load_state_dict(run.ema.state_dict())
    try:
        yield
    finally:
        module.load_state_dict(kept)


def _normal(rng: np.random.Generator, shape: torch.Size, device: torch.device) -> Tensor:
    return torch.from_numpy(rng.standard_normal(shape, np.float32)).to(device)


def _spread(count: int, wanted: int) -> np.ndarray:
    return np.linspace(0, count - 1, min(count, wanted)).astype(int)


def _rows(rows: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.concatenate(list(row), axis=1) for row in rows])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.train", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("stage", choices=list(STAGES))
    parser.add_argument("--preset", default="paper", help="of the model and its training")
    parser.add_argument("--data", type=Path, required=True, help="a split in the SRN layout")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument("--resume", action="store_true", help="go on from --out's checkpoint")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--iterations", type=int, help="instead of the preset's")
    parser.add_argument("--batch-size", type=int, help="instead of the preset's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint-seconds", type=float, default=180)
    options = parser.parse_args(arguments)

    presets = yaml.safe_load((PRESETS / f"{options.preset}.yaml").read_text())
    settings = Settings(**presets[options.stage], seed=options.seed)
    changes = {k: getattr(options, k) for k in ("iterations", "batch_size")}
    settings = replace(settings, **{k: v for k, v in changes.items() if v is not None})

    torch.manual_seed(options.seed)
    if options.stage == "autoencoder":
        model = NovelViewModel.from_preset(options.preset)
    else:  # the denoiser works on the latents of the autoencoder trained into the same folder
        fresh = NovelViewModel.from_preset(options.preset)
        model = NovelViewModel.from_pretrained(options.out)
        model.denoiser.load_state_dict(fresh.denoiser.state_dict())
        model.denoiser.requires_grad_(True)
    model.to(options.device)
    views = SrnSplit(options.data).load(model.config.size)
    print(f"{len(views.offsets) - 1} instances, {len(views)} views from {options.data}")
    stage = STAGES[options.stage](model, views, settings)
    finished = train(stage, options.out, options.resume, options.checkpoint_seconds)
    if not finished:
        print(f"stopped; the same command with --resume goes on from {options.out}")
    return 0 if finished else 1


if __name__ == "__main__":
    raise SystemExit(main())
