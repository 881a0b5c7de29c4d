"""The whole model: one image and camera poses in, imagined views out."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import safetensors
import torch
from numpy.typing import ArrayLike
from safetensors.torch import load, save_file
from torch import Tensor, nn

from tiny_nvs_ros.model.autoencoder import Autoencoder
from tiny_nvs_ros.model.config import PRESETS, ModelConfig, read_config, unusable
from tiny_nvs_ros.model.denoiser import Denoiser
from tiny_nvs_ros.model.diffusion import SHORTCUTS, NoiseSchedule, sample, sample_flow
from tiny_nvs_ros.model.shuffle_autoencoder import ShuffleAutoencoder
from tiny_nvs_ros.model.transformer import FlowTransformer, Source, Target
from tiny_nvs_ros.model.views import BATCH, NovelViews, Request, small

DECODED = 64  # latents at once: larger batches overflow a CPU's cache, and take longer for each


class NovelViewModel(nn.Module):
    """A tiny latent diffusion model for novel view synthesis from a single image.

    Preset `paper`: `Novel View Synthesis from Single Images with Tiny Latent Diffusion Models`
    (E. Chun, MIT). Preset `fast`: a flow in a roomier latent that is told, beyond the relative
    pose, the cameras' elevations and, where it is known, the object's heading.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        channels, side, _ = config.latent_shape
        if config.is_flow:
            self.autoencoder = ShuffleAutoencoder(**config.autoencoder)
            self.denoiser = FlowTransformer(
                **config.denoiser,
                latent_channels=channels,
                side=side,
                source_channels=config.autoencoder["widths"][-1],
            )
            return
        self.autoencoder = Autoencoder(**config.autoencoder)
        self.denoiser = Denoiser(
            **config.denoiser,
            latent_channels=channels,
            context_channels=int(np.prod(config.latent_shape)) + 16,
        )
        self.schedule = NoiseSchedule(**config.schedule)

    @classmethod
    def from_preset(cls, name: str, **changes: object) -> "NovelViewModel":
        """An untrained model; `changes` replace fields of its ModelConfig."""
        if name not in PRESETS:
            raise ValueError(f"no preset {name!r}; there is {', '.join(PRESETS)}")
        return cls(PRESETS[name](**changes))

    @classmethod
    def from_pretrained(cls, path: str | Path, device: str = "cpu") -> "NovelViewModel":
        """Load a weights folder (config.json and model.safetensors), ready to generate.

        Raises FileNotFoundError where a file is missing and ValueError where one cannot be used,
        each naming the file and the reason.
        """
        config_file, weights_file = Path(path) / "config.json", Path(path) / "model.safetensors"
        config = read_config(path)
        if not weights_file.is_file():
            raise FileNotFoundError(f"{weights_file} is missing; a weights folder holds it")
        try:
            model = cls(config)
        except (ValueError, TypeError, KeyError) as error:
            raise unusable(config_file, error) from error
        try:
            state = load(weights_file.read_bytes())  # a map of a file that shrinks ends the process
        except (safetensors.SafetensorError, OSError) as error:
            raise ValueError(f"{weights_file} is not a whole safetensors file: {error}") from error
        own = {name: value.shape for name, value in model.state_dict().items()}
        theirs = {name: value.shape for name, value in state.items()}
        if own != theirs:
            differ = sorted(n for n in own.keys() | theirs.keys() if own.get(n) != theirs.get(n))
            raise ValueError(
                f"{weights_file} does not fit the model of {config_file.name} (preset "
                f"{model.config.preset}): {len(differ)} tensors differ, {differ[0]} the first"
            )
        for name, value in state.items():
            if not torch.isfinite(value).all():
                raise ValueError(f"{weights_file}: {name} has values that are not finite")
        model.load_state_dict(state)
        return model.eval().requires_grad_(False).to(device)

    def save_pretrained(self, path: str | Path) -> None:
        """Write the weights folder that from_pretrained reads. No reader sees half a file."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        state = {
            name: value.detach().cpu().contiguous() for name, value in self.state_dict().items()
        }
        replace_file(folder / "model.safetensors", lambda file: save_file(state, file))
        text = json.dumps(asdict(self.config), indent=2) + "\n"
        replace_file(folder / "config.json", lambda file: file.write_text(text))

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def encode(self, images: np.ndarray) -> Tensor:
        """Images to scaled latent means.

        images: (..., H, W, 3 or 4) uint8, any size (alpha becomes white). Returns float32
        (..., *config.latent_shape) on the model's device.
        """
        images = small(images, self.config.size)
        parts = torch.from_numpy(images.reshape(-1, *images.shape[-3:])).split(BATCH)
        with torch.inference_mode():
            z = torch.cat([self.autoencoder.encode(to_tensor(x, self.device)).mean for x in parts])
        return (z * self.config.latent_scale).reshape(*images.shape[:-3], *z.shape[1:])

    def decode(self, latents: Tensor) -> np.ndarray:
        """Scaled latents (..., *config.latent_shape) to images (..., size, size, 3) uint8."""
        flat = latents.reshape(-1, *self.config.latent_shape) / self.config.latent_scale
        with torch.inference_mode():
            images = np.concatenate(
                [to_uint8(self.autoencoder.decode(part)) for part in flat.split(DECODED)]
            )
        return images.reshape(*latents.shape[:-3], *images.shape[1:])

    def context(self, source: Tensor, T_source_target: Tensor) -> Tensor:
        """Preset `paper`'s condition: latents (B, C, h, w), poses (B, 4, 4) to tokens (B, 1, D)."""
        return torch.cat([source.flatten(1), T_source_target.flatten(1)], dim=1)[:, None]

    def source(self, image: np.ndarray, pose: np.ndarray, heading_known: bool = True) -> Source:
        """A flow's view of a source image: H x W x 3 uint8, pose (4, 4) T_object_source."""
        image = to_tensor(small(image, self.config.size)[None], self.device)
        with torch.inference_mode():
            features = self.autoencoder.features(image)
            rotation = torch.from_numpy(pose[None, :3, :3].astype(np.float32)).to(self.device)
            known = torch.tensor([heading_known], device=self.device)
            return self.denoiser.source(features, rotation, known)

    @torch.inference_mode()
    def generate(
        self,
        image: np.ndarray,
        poses: ArrayLike,
        samples: int = 1,
        seed: int | None = None,
        steps: int | None = None,
        sampler: str | None = None,
        source_pose: ArrayLike | None = None,
        heading_known: bool = True,
        on_step: Callable[[], None] = lambda: None,
    ) -> NovelViews:
        """Imagine an object from other sides.

        image: H x W x 3 uint8, the source view. poses: (N, 4, 4) T_source_target, cameras in the
        source camera's frame, model units. samples: of each view; their noise is antithetic, for a
        better mean. seed: of the noise, None for a fresh one; the same seed on the same device
        gives the same bits. steps, sampler ("ddim" or "ddpm", of a flow "shortcut", "euler" or
        "heun"): None for the model's default; a flow takes 1, 2, 4 or 8 steps by the shortcuts it
        has learnt, other numbers by Euler's.

        source_pose: (4, 4) T_object_source, which the preset `fast` makes use of: where the source
        camera stands around the object, from the object's up axis and heading. heading_known:
        whether that heading (the azimuth) means anything. Without source_pose it does not, and
        the elevation is found from the poses. on_step: called before each denoising step, of each
        BATCH of views; what it raises ends the generation.

        Raises ValueError for arguments that do not fit, also for poses that leave the elevation
        open where it is needed.
        """
        rng = np.random.default_rng(seed)
        request = Request.of(self.config, image, poses, samples, rng, source_pose, heading_known)
        if not len(request.poses):
            return NovelViews(np.zeros((0, samples, *request.image.shape), np.uint8))
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        return NovelViews(self.decode(self.imagine(request, steps, sampler, generator, on_step)))

    @torch.inference_mode()
    def imagine(
        self,
        request: Request,
        steps: int | None = None,
        sampler: str | None = None,
        generator: torch.Generator | None = None,
        on_step: Callable[[], None] = lambda: None,
    ) -> Tensor:
        """Scaled latents (N, S, C, h, w), made from the request's noise; see `generate`.

        generator: of the noise that the sampler itself draws.
        """
        if self.config.is_flow:
            source = self.source(request.image, request.source_pose, request.heading_known)
        else:
            source = self.encode(request.image)
        z = []
        for part in request.parts():
            noise = torch.from_numpy(part.noise).to(self.device)
            count, samples = noise.shape[:2]
            if self.config.is_flow:
                rotations = torch.from_numpy(part.rotations[None]).to(self.device)
                condition = self.denoiser.target(rotations, source)
            else:
                T = torch.from_numpy(part.poses.astype(np.float32)).to(self.device)
                context = self.context(source.expand(count, -1, -1, -1), T)
                condition = context.repeat_interleave(samples, dim=0)
                noise = noise.flatten(0, 1)
            part = self.sample_latents(condition, noise, steps, sampler, generator, on_step)
            z.append(part.reshape(count, samples, *part.shape[-3:]))
        return torch.cat(z)

    def sampler(self, steps: int | None = None) -> dict:
        """Name and number of steps of the sampler that `generate` takes where none is named."""
        name, own = self.config.sampler["name"], self.config.sampler["steps"]
        steps = own if steps is None else steps
        if name == "shortcut" and steps not in SHORTCUTS:
            name = "euler"
        return {"name": name, "steps": steps}

    def sample_latents(
        self,
        condition: Tensor | Target,
        noise: Tensor,
        steps: int | None = None,
        sampler: str | None = None,
        generator: torch.Generator | None = None,
        on_step: Callable[[], None] = lambda: None,
    ) -> Tensor:
        """Scaled latents from noise, of its shape.

        condition: context tokens (B, 1, D) for noise (B, C, h, w); of a flow target views, B with
        noise (B, S, C, h, w) for S samples of each.
        """
        own = self.sampler(steps)
        steps, sampler = own["steps"], sampler or own["name"]

        def predict_noise(z: Tensor, t: Tensor) -> Tensor:
            on_step()
            return self.denoiser(z, t, condition)

        def velocity(z: Tensor, t: Tensor, interval: Tensor) -> Tensor:
            on_step()
            moment = self.denoiser.moment(t[:1], interval[:1])
            return self.denoiser.velocity(z, moment, condition)

        if self.config.is_flow:
            return sample_flow(velocity, noise, steps, sampler)
        return sample(predict_noise, noise, self.schedule, steps, sampler, generator)


def to_tensor(images: np.ndarray | Tensor, device: torch.device | str = "cpu") -> Tensor:
    """B x H x W x 3 uint8 to (B, 3, H, W) float32 in [-1, 1]."""
    return torch.as_tensor(images).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_uint8(images: Tensor) -> np.ndarray:
    """(B, 3, H, W) in [-1, 1] to B x H x W x 3 uint8."""
    scaled = ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).cpu().numpy()


def replace_file(file: Path, write: Callable[[Path], object]) -> None:
    """Let `write(path)` make a file aside, then put it in place: a kill leaves the old one."""
    aside = file.with_name(f".{file.name}.new")
    write(aside)
    with open(aside, "rb+") as handle:
        os.fsync(handle.fileno())
    aside.chmod(0o644)  # safetensors gives its files to nobody else
    aside.replace(file)
