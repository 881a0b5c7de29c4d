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
from dataclasses import MISSING, asdict, dataclass, fields, replace
from itertools import permutations
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
from tiny_nvs_ros.model.diffusion import NoiseSchedule
from tiny_nvs_ros.model.novel_view_model import replace_file, to_tensor, to_uint8
from training.baselines import regress, regress_flow
from training.srn import SrnSplit, Views

PRESETS = Path(__file__).parent / "presets"
LOG_EVERY, GRID_EVERY = 50, 1000  # iterations
ORDERS = np.array(list(permutations(range(3))))  # of colours; the first is their own


@dataclass(frozen=True)
class Settings:
    """Of one stage; the same settings, data and device give the same weights."""

    iterations: int
    batch_size: int
    learning_rate: float
    warmup: int
    ema: float
    seed: int = 0
    l1_weight: float = 1.0  # these three: of the autoencoder
    kl_weight: float = 5.0
    kl_warmup: float = 0.0
    begin: int = 0  # where a finished run was taken up again to go further
    beta2: float = 0.999  # of AdamW
    augment: bool = False  # of the autoencoder: mirrored images, colours in any order
    targets: int = 1  # these two: of a flow; targets a source, which batch_size counts
    variants: int = 1  # of each instance: mirrored, and with its colours in other orders

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

    def forward(self, image: Tensor, eps: Tensor, kl_weight: float) -> dict[str, Tensor]:
        posterior = self.autoencoder.encode(image)
        reconstruction = self.autoencoder.decode(posterior.sample(eps))
        l1 = (reconstruction - image).abs().sum(dim=(1, 2, 3)).mean()
        kl = posterior.kl().mean()
        return {"loss": self.l1_weight * l1 + kl_weight * kl, "l1": l1, "kl": kl}


class DenoiserLoss(nn.Module):
    """L1 on the predicted noise of a target view's latent, given a source view's and the pose."""

    def __init__(self, denoiser: nn.Module, schedule: NoiseSchedule):
        super().__init__()
        self.denoiser, self.schedule = denoiser, schedule

    def forward(self, z: Tensor, t: Tensor, context: Tensor, eps: Tensor) -> dict[str, Tensor]:
        noisy = self.schedule.add_noise(z, eps, t)
        return {"loss": (self.denoiser(noisy, t, context) - eps).abs().mean()}


class FlowLoss(nn.Module):
    """Squared error of the velocity of target views' latents, given a source view and cameras."""

    def __init__(self, denoiser: nn.Module):
        super().__init__()
        self.denoiser = denoiser

    def forward(
        self, z: Tensor, t: Tensor, eps: Tensor, rotation: Tensor, *source: Tensor
    ) -> dict[str, Tensor]:
        """z, eps: (B, K, C, h, w); t: (B, K); rotation: (B, K, 3, 3); source: see Source."""
        share = t[..., None, None, None]
        x = (1 - share) * z + share * eps
        source = self.denoiser.source(*source)
        velocity = self.denoiser(x, t, torch.zeros_like(t), rotation, source)
        return {"loss": (velocity - (eps - z)).square().mean()}


class RegressorLoss(nn.Module):
    """Squared error of a target view's latent, predicted by the denoiser's network at once."""

    def __init__(self, denoiser: nn.Module, last: int):
        super().__init__()
        self.denoiser, self.last = denoiser, last

    def forward(self, z: Tensor, context: Tensor) -> dict[str, Tensor]:
        return {"loss": (regress(self.denoiser, self.last, z, context) - z).square().mean()}


def mirror(rotations: Tensor) -> Tensor:
    """R_object_camera (..., 3, 3) of the cameras whose images are mirrored, left to right.

    They see the object mirrored at its plane x = 0, which is the one between left and right of
    SRN's cars.
    """
    x = rotations.new_tensor([-1.0, 1.0, 1.0])
    return x[:, None] * rotations * x


def changed(images: np.ndarray, mirrored: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Images (B, H, W, 3), left to right where `mirrored` (B,), colours in the orders (B, 3)."""
    images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    return np.take_along_axis(images, orders[:, None, None], axis=-1)


class FlowRegressorLoss(nn.Module):
    """RegressorLoss of a flow's network; the arguments are FlowLoss's."""

    def __init__(self, denoiser: nn.Module):
        super().__init__()
        self.denoiser = denoiser

    def forward(
        self, z: Tensor, t: Tensor, eps: Tensor, rotation: Tensor, *source: Tensor
    ) -> dict[str, Tensor]:
        source = self.denoiser.source(*source)
        return {"loss": (regress_flow(self.denoiser, z, rotation, source) - z).square().mean()}


class AutoencoderStage:
    name = "autoencoder"

    def __init__(self, model: NovelViewModel, views: Views, settings: Settings):
        self.model, self.views, self.settings = model, views, settings
        self.module = model.autoencoder
        self.loss = AutoencoderLoss(self.module, settings.l1_weight)

    def batch(self, iteration: int, share: slice) -> tuple[Tensor | float, ...]:
        """The `share` of the batch of an iteration: arguments of the loss."""
        rng = np.random.default_rng([self.settings.seed, iteration])
        batch, device = self.settings.batch_size, self.model.device
        chosen = rng.integers(len(self.views), size=batch)
        eps = rng.standard_normal((batch, *self.model.config.latent_shape), np.float32)
        images = self.views.images[chosen[share]]
        if self.settings.augment:
            mirrored, orders = (
                rng.random(batch) < 0.5,
                ORDERS[rng.integers(len(ORDERS), size=batch)],
            )
            images = changed(images, mirrored[share], orders[share])
        image = to_tensor(images, device)
        kl_weight = self.settings.kl_weight_at(iteration)
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
        self.loss = DenoiserLoss(self.module, model.schedule)
        model.config.latent_scale = 1.0
        means = model.encode(views.images)
        model.config.latent_scale = float(1 / means.std())
        self.latents = means * model.config.latent_scale

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        """The `share` of the batch of an iteration: arguments of the loss."""
        rng = np.random.default_rng([self.settings.seed, iteration])
        source, target = self.pairs(rng)
        t = rng.integers(len(self.model.schedule), size=len(target))
        eps = rng.standard_normal((len(target), *self.model.config.latent_shape), np.float32)
        return (
            self.latents[target[share]],
            torch.from_numpy(t[share]).to(self.model.device),
            self.context(source[share], target[share]),
            torch.from_numpy(eps[share]).to(self.model.device),
        )

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


class FlowStage:
    """The denoiser of a flow. The targets of a source share what is computed of the source."""

    name = "denoiser"

    def __init__(self, model: NovelViewModel, views: Views, settings: Settings):
        self.model, self.views, self.settings = model, views, settings
        self.module = model.denoiser
        self.loss = FlowLoss(self.module)
        self.mirrored, self.orders = self._variants()
        self.features, self.latents = self._encode()
        model.config.latent_scale = float(1 / self.latents[0].float().std())
        self.rotations = torch.from_numpy(views.poses[:, :3, :3]).to(model.device)

    def _variants(self) -> tuple[np.ndarray, np.ndarray]:
        """Whether each is mirrored (V,), and the orders of the colours (V, instances, 3).

        Every other one is mirrored; the first two have their own colours, then each instance has
        others.
        """
        rng, count = np.random.default_rng(self.settings.seed), self.settings.variants
        orders = rng.integers(1, len(ORDERS), size=(count, len(self.views.offsets) - 1))
        orders[:2] = 0
        return np.arange(count) % 2 == 1, ORDERS[orders]

    @torch.inference_mode()
    def _encode(self) -> tuple[Tensor, Tensor]:
        """Source features and latent means of all views in all variants: (V, N, C, h, w)."""
        instance = np.repeat(np.arange(len(self.views.offsets) - 1), np.diff(self.views.offsets))
        autoencoder, kept = self.model.autoencoder, ([], [])
        for variant, mirrored in enumerate(self.mirrored):
            for rows in np.split(np.arange(len(instance)), range(1024, len(instance), 1024)):
                orders = self.orders[variant, instance[rows]]
                images = changed(self.views.images[rows], np.full(len(rows), mirrored), orders)
                features = autoencoder.features(to_tensor(images, self.model.device))
                kept[0].append(features.half())
                kept[1].append(autoencoder.posterior(features).mean.half())
        return tuple(torch.cat(k).unflatten(0, (len(self.mirrored), -1)) for k in kept)

    def batch(self, iteration: int, share: slice) -> tuple[Tensor, ...]:
        """The `share` of the batch of an iteration: arguments of the loss."""
        rng = np.random.default_rng([self.settings.seed, iteration])
        starts, size = self.views.offsets, (self.settings.batch_size, self.settings.targets)
        instance = rng.integers(len(starts) - 1, size=size[0])
        source = rng.integers(starts[instance], starts[instance + 1])
        target = rng.integers(starts[instance], starts[instance + 1], size=size[::-1]).T
        variant = rng.integers(len(self.mirrored), size=size[0])
        heading_known = rng.random(size[0]) < 0.5
        # Evenly spread times: the loss, which depends on them much, varies less.
        t = (rng.random() + rng.permutation(target.size).reshape(size) / target.size) % 1
        eps = rng.standard_normal((*size, *self.model.config.latent_shape), np.float32)
        shares = (source, target, variant, heading_known, t.astype(np.float32), eps)
        source, target, variant, heading_known, t, eps = (
            torch.from_numpy(array[share]).to(self.model.device) for array in shares
        )
        return (
            self.latents[variant[:, None], target].float() * self.model.config.latent_scale,
            t,
            eps,
            self._rotations(target, variant[:, None]),
            self.features[variant, source].float(),
            self._rotations(source, variant),
            heading_known,
        )

    def _rotations(self, view: Tensor, variant: Tensor) -> Tensor:
        """R_object_camera, (..., 3, 3), of views in their variants."""
        mirrored = torch.from_numpy(self.mirrored).to(view.device)[variant]
        rotations = self.rotations[view]
        return torch.where(mirrored[..., None, None], mirror(rotations), rotations)

    @torch.inference_mode()
    def grid(self) -> np.ndarray:
        """Source view, true target, the one imagined with the heading, and without."""
        source = self.views.offsets[:-1][_spread(len(self.views.offsets) - 1, 16)]
        poses = self.views.poses.astype(float)
        noise = np.random.default_rng(0).standard_normal(self.model.config.latent_shape, np.float32)
        noise = torch.from_numpy(noise)[None, None]
        rows = [self.views.images[source], self.views.images[source + 1]]
        for heading_known in (True, False):
            z = [
                self.imagined(self.views.images[i], poses[i], poses[i + 1], noise, heading_known)
                for i in source
            ]
            rows.append(self.model.decode(torch.cat(z)))
        return _rows(rows)

    def imagined(
        self,
        image: np.ndarray,
        source_pose: np.ndarray,
        target_pose: np.ndarray,
        noise: Tensor,
        heading_known: bool,
    ) -> Tensor:
        """A latent for the grid, (1, C, h, w)."""
        T = relative_pose(source_pose, target_pose)[None]
        return self.model.imagine(image, T, noise, source_pose, heading_known)[0]


class FlowRegressorStage(FlowStage):
    """RegressorStage of a flow's network."""

    name = "regressor"

    def __init__(self, model: NovelViewModel, views: Views, settings: Settings):
        super().__init__(model, views, settings)
        self.loss = FlowRegressorLoss(self.module)

    def imagined(
        self,
        image: np.ndarray,
        source_pose: np.ndarray,
        target_pose: np.ndarray,
        noise: Tensor,
        heading_known: bool,
    ) -> Tensor:
        source = self.model.source(image, source_pose, heading_known)
        rotation = torch.from_numpy(target_pose[:3, :3]).to(noise)
        return regress_flow(self.module, noise, rotation[None, None], source)[0]


STAGES = {stage.name: stage for stage in (AutoencoderStage, DenoiserStage, RegressorStage)}
FLOW_STAGES = {stage.name: stage for stage in (AutoencoderStage, FlowStage, FlowRegressorStage)}


class Training:
    """Parameters, their average and the optimiser, and how they are kept on disk.

    Under torchrun each process takes its share of every batch, and gradients are averaged, so that
    any number of processes trains as one does.
    """

    def __init__(self, stage: AutoencoderStage | DenoiserStage, file: Path):
        self.stage, self.file = stage, file
        self.ema = deepcopy(stage.module).requires_grad_(False)
        self.parameters = list(stage.module.parameters())
        betas = (0.9, stage.settings.beta2)
        self.optimizer = torch.optim.AdamW(self.parameters, lr=0.0, betas=betas, fused=True)
        self.iteration = 0
        self.loss, self.share = stage.loss, slice(None)
        if dist.is_initialized():
            processes = dist.get_world_size()
            if stage.settings.batch_size % processes:
                raise ValueError(
                    f"a batch of {stage.settings.batch_size} cannot be shared by {processes} "
                    "processes evenly; choose another --batch-size"
                )
            self.loss = DistributedDataParallel(stage.loss)
            self.share = slice(dist.get_rank(), None, processes)

    def step(self) -> dict[str, Tensor]:
        settings = self.stage.settings
        self.optimizer.param_groups[0]["lr"] = settings.rate_at(self.iteration)
        scalars = self.loss(*self.stage.batch(self.iteration, self.share))
        self.optimizer.zero_grad()
        scalars["loss"].backward()
        self.optimizer.step()
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
        """Write the checkpoint, and the model with the averaged weights as a weights folder."""
        metadata = {
            "iteration": str(self.iteration),
            "settings": json.dumps(asdict(self.stage.settings)),
        }
        tensors = {name: value.cpu().contiguous() for name, value in self._tensors().items()}
        replace_file(self.file, lambda aside: save_file(tensors, aside, metadata))
        self.stage.model.config.training[self.stage.name] = {
            **asdict(self.stage.settings),
            "iteration": self.iteration,
            "instances": len(self.stage.views.offsets) - 1,
            "views": len(self.stage.views),
            "torch": torch.__version__,
        }
        with averaged(self):
            self.stage.model.save_pretrained(out)

    def load(self) -> None:
        """Go on from the checkpoint; ValueError where it was made with other settings.

        A finished run goes on where more iterations are asked for, with the rate warmed up again.
        """
        with safe_open(self.file, framework="pt") as checkpoint:
            metadata = checkpoint.metadata()
            self.iteration = int(metadata["iteration"])
            defaults = {f.name: f.default for f in fields(Settings) if f.default is not MISSING}
            theirs = defaults | json.loads(metadata["settings"])
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
) -> bool:
    """Train a stage to its end; True unless a signal stopped it first (then it can be resumed)."""
    training = Training(stage, out / f"{stage.name}.checkpoint.safetensors")
    if training.file.exists():
        if not resume:
            raise FileExistsError(
                f"{training.file} exists; --resume goes on from it, or choose another --out"
            )
        training.load()
    settings = stage.settings
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
        finished = training.iteration == settings.iterations
        if first and not finished:
            training.save(out)
    return finished


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


def main(arguments: list[str] | None = None) -> int:
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
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--iterations", type=int, help="instead of the preset's")
    parser.add_argument("--batch-size", type=int, help="instead of the preset's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint-seconds", type=float, default=180)
    options = parser.parse_args(arguments)
    try:
        with processes(options.device):
            return 0 if run(options) else 1
    except (ValueError, OSError, FloatingPointError) as error:
        parser.exit(2, f"error: {error}\n")


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


def run(options: argparse.Namespace) -> bool:
    """Train as the command line says; True unless a signal stopped it."""
    settings = read_settings(options)
    torch.manual_seed(options.seed)
    model = NovelViewModel.from_preset(options.preset)
    if options.stage != "autoencoder":
        folder = options.autoencoder or options.out
        pretrained = NovelViewModel.from_pretrained(folder)
        if pretrained.config.preset != options.preset:
            raise ValueError(f"{folder} is of the preset {pretrained.config.preset}: say --preset")
        model.autoencoder, model.config = pretrained.autoencoder, pretrained.config
    # This order in memory makes convolutions a fifth faster on a CPU, and is a GPU's own.
    model.to(options.device, memory_format=torch.channels_last)
    views = SrnSplit(options.data).load(model.config.size)
    print(f"{len(views.offsets) - 1} instances, {len(views)} views from {options.data}")
    stages = FLOW_STAGES if model.config.is_flow else STAGES
    if options.stage not in stages:
        raise ValueError(f"preset {model.config.preset} has no stage {options.stage}")
    stage = stages[options.stage](model, views, settings)
    finished = train(stage, options.out, options.resume, options.checkpoint_seconds)
    if not finished:
        print(f"stopped; the same command with --resume goes on from {options.out}")
    return finished


def read_settings(options: argparse.Namespace) -> Settings:
    """The preset's settings of a stage, with what the command line says instead."""
    file = PRESETS / f"{options.preset}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in PRESETS.glob("*.yaml")))
        raise ValueError(f"no preset {options.preset!r}; there is {known}")
    settings = Settings(**yaml.safe_load(file.read_text())[options.stage], seed=options.seed)
    changes = {key: getattr(options, key) for key in ("iterations", "batch_size")}
    settings = replace(settings, **{k: v for k, v in changes.items() if v is not None})
    if settings.iterations < 1 or settings.batch_size < 1:
        raise ValueError("--iterations and --batch-size must be at least 1")
    return settings


if __name__ == "__main__":
    raise SystemExit(main())
