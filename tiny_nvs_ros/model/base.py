"""The base class of all models: loading, saving, and images and poses to imagined views."""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import safetensors
import torch
from numpy.typing import ArrayLike
from safetensors.torch import load, save_file
from torch import Tensor, nn

from tiny_nvs_ros.model.config import ModelConfig, preset_config, read_config, unusable
from tiny_nvs_ros.model.request import MAX_VIEWS_AT_ONCE, ViewRequest, ViewSamples, to_model_size
from tiny_nvs_ros.resources import check_not_lfs_pointer

DECODED_AT_ONCE = 64  # latents; larger batches overflow a CPU's cache and are slower


class NovelViewModel(nn.Module, ABC):
    """A tiny latent generative model for novel view synthesis.

    `from_pretrained` and `from_preset` return the class of the architecture.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config

    @staticmethod
    def from_config(config: ModelConfig) -> "NovelViewModel":
        """Return an untrained model."""
        return config.module.load_class()(config)

    @staticmethod
    def from_preset(name: str, **changes: object) -> "NovelViewModel":
        """Return an untrained model; `changes` replace fields of its ModelConfig."""
        return NovelViewModel.from_config(preset_config(name, **changes))

    @staticmethod
    def from_pretrained(path: str | Path, device: str = "cpu") -> "NovelViewModel":
        """Load a weights folder (config.json and model.safetensors), ready to generate.

        Raises FileNotFoundError if a file is missing and ValueError if one cannot be used, each
        naming the file and the reason.
        """
        config_file, weights_file = Path(path) / "config.json", Path(path) / "model.safetensors"
        config = read_config(path)
        if not weights_file.is_file():
            raise FileNotFoundError(f"{weights_file} is missing; a weights folder holds it")
        check_not_lfs_pointer(weights_file)
        try:
            model = NovelViewModel.from_config(config)
        except (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError) as error:
            raise unusable(config_file, error) from error
        try:
            # Read, not mapped: mmap of a file that is truncated meanwhile raises SIGBUS.
            state = model.renamed(load(weights_file.read_bytes()))
        except (safetensors.SafetensorError, OSError) as error:
            raise ValueError(f"{weights_file} is not a whole safetensors file: {error}") from error
        own = {name: value.shape for name, value in model.state_dict().items()}
        theirs = {name: value.shape for name, value in state.items()}
        if own != theirs:
            differ = sorted(n for n in own.keys() | theirs.keys() if own.get(n) != theirs.get(n))
            raise ValueError(
                f"{weights_file} does not fit the model of {config_file.name} (architecture "
                f"{config.architecture}): {len(differ)} tensors differ, {differ[0]} the first"
            )
        for name, value in state.items():
            if not torch.isfinite(value).all():
                raise ValueError(f"{weights_file}: {name} has values that are not finite")
        model.load_state_dict(state)
        return model.eval().requires_grad_(False).to(device)

    @classmethod
    def renamed(cls, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return a state with the present names of parameters, for weights of before."""
        return state

    def save_pretrained(self, path: str | Path) -> None:
        """Write the weights folder that from_pretrained reads. Readers never see half a file."""
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

    def generate(
        self,
        sources: Sequence,
        T_object_targets: ArrayLike,
        *,
        samples: int = 1,
        seed: int | None = None,
        steps: int | None = None,
        sampler: str | None = None,
        heading_known: bool = True,
        on_step: Callable[[], None] = lambda: None,
    ) -> ViewSamples:
        """Imagine views of an object.

        sources: a pair (image, T_object_camera), or a list of pairs. An image is H x W x 3 uint8,
        or x 4 with alpha; poses are 4x4, in the object's frame (z up) and model units.
        T_object_targets: (N, 4, 4), cameras to imagine. samples: of each view; their noise is
        antithetic, for a better mean. seed: of the noise, None for a random one; the same seed on
        the same device gives the same bits. steps, sampler ("ddim" or "ddpm", of a flow "shortcut"
        or "euler"): None for the model's own; a flow takes 1, 2, 4 or 8 steps by the shortcuts it
        has learnt, other numbers by Euler's. heading_known: whether the object frame's heading (its
        rotation about z) is the one of the training. on_step: called before each sampling step of
        each part of the views; an exception in it ends the generation.

        Raises ValueError for arguments that cannot be used.
        """
        request = ViewRequest.create(
            self.config,
            sources,
            T_object_targets,
            samples=samples,
            seed=seed,
            steps=steps,
            heading_known=heading_known,
        )
        return self.render(request, on_step, sampler)

    def generate_relative(
        self,
        image: np.ndarray,
        T_source_targets: ArrayLike,
        *,
        sampler: str | None = None,
        on_step: Callable[[], None] = lambda: None,
        **options: object,
    ) -> ViewSamples:
        """Imagine views from target cameras in the source camera's frame, as the paper does.

        options: of ViewRequest.from_relative_poses.
        """
        request = ViewRequest.from_relative_poses(self.config, image, T_source_targets, **options)
        return self.render(request, on_step, sampler)

    @abstractmethod
    def render(
        self,
        request: ViewRequest,
        on_step: Callable[[], None] = lambda: None,
        sampler: str | None = None,
    ) -> ViewSamples:
        """Answer a request; on_step and sampler: see `generate`."""

    def sampler(self, steps: int | None = None) -> dict:
        """Return name and number of steps of the sampler that `generate` uses by default."""
        steps = self.config.sampler["steps"] if steps is None else steps
        return {"name": self.sampler_name(steps), "steps": steps}

    def sampler_name(self, steps: int) -> str:
        """Return the name of the sampler for a number of steps."""
        return self.config.sampler["name"]


class LatentModel(NovelViewModel):
    """A model that samples latents, which its autoencoder turns into images.

    Its modules are `autoencoder` and `denoiser`.
    """

    autoencoder: nn.Module
    denoiser: nn.Module

    def encode(self, images: np.ndarray) -> Tensor:
        """Return the scaled latent means of images.

        images: (..., H, W, 3 or 4) uint8, any size (alpha becomes white). Returns float32
        (..., *config.latent_shape) on the model's device.
        """
        images = to_model_size(images, self.config.size)
        parts = torch.from_numpy(images.reshape(-1, *images.shape[-3:])).split(MAX_VIEWS_AT_ONCE)
        with torch.inference_mode():
            z = torch.cat([self.autoencoder.encode(to_tensor(x, self.device)).mean for x in parts])
        return (z * self.config.latent_scale).reshape(*images.shape[:-3], *z.shape[1:])

    def decode(self, latents: Tensor) -> np.ndarray:
        """Return images (..., size, size, 3) uint8 of scaled latents (..., *latent_shape)."""
        flat = latents.reshape(-1, *self.config.latent_shape) / self.config.latent_scale
        with torch.inference_mode():
            images = np.concatenate(
                [to_uint8(self.autoencoder.decode(part)) for part in flat.split(DECODED_AT_ONCE)]
            )
        return images.reshape(*latents.shape[:-3], *images.shape[1:])

    def render(
        self,
        request: ViewRequest,
        on_step: Callable[[], None] = lambda: None,
        sampler: str | None = None,
    ) -> ViewSamples:
        """Answer a request; see NovelViewModel.render."""
        if not len(request.T_object_targets):
            shape = (0, request.noise.shape[1], self.config.size, self.config.size, 3)
            return ViewSamples(np.zeros(shape, np.uint8))
        return ViewSamples(self.decode(self.sample_request(request, on_step, sampler)))

    @abstractmethod
    def sample_request(
        self,
        request: ViewRequest,
        on_step: Callable[[], None] = lambda: None,
        sampler: str | None = None,
    ) -> Tensor:
        """Return scaled latents (N, S, C, h, w), made from the request's noise."""


def to_tensor(images: np.ndarray | Tensor, device: torch.device | str | None = None) -> Tensor:
    """Return (B, 3, H, W) float32 in [-1, 1] of B x H x W x 3 uint8."""
    images = torch.from_numpy(images) if isinstance(images, np.ndarray) else images
    return images.to(device or images.device).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_uint8_tensor(images: Tensor) -> Tensor:
    """Return B x H x W x 3 uint8 of (B, 3, H, W) in [-1, 1]."""
    scaled = ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1)


def to_uint8(images: Tensor) -> np.ndarray:
    """Return B x H x W x 3 uint8 on the host of (B, 3, H, W) in [-1, 1]."""
    return to_uint8_tensor(images).cpu().numpy()


def replace_file(file: Path, write: Callable[[Path], object]) -> None:
    """Let `write(path)` make a file, then put it in place: a kill leaves the old one."""
    temporary = file.with_name(f".{file.name}.new")
    write(temporary)
    with open(temporary, "rb+") as handle:
        os.fsync(handle.fileno())
    temporary.chmod(0o644)  # safetensors makes its files readable by the owner only
    temporary.replace(file)
