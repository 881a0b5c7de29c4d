"""What a model is made of, as its weights folder says. Needs no torch."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from tiny_nvs_ros import geometry


@dataclass
class ModelConfig:
    """What config.json holds. The defaults are the preset `paper`.

    preset: also says which networks the model has; autoencoder and denoiser are their arguments.
    schedule: of the noise, empty for a flow. geometry: size in pixels; for people and checked, as
    there is one only, distance of the training cameras in model units and focal length in image
    widths. latent_scale: factor that brings the autoencoder's means to unit standard deviation.
    noise_scale: of the noise that samples are made from, above 1 where they were too much alike.
    training, metrics: how the weights were made and how good they are, for people.
    """

    preset: str = "paper"
    autoencoder: dict = field(
        default_factory=lambda: {"width": 16, "multipliers": [1, 2, 2, 4], "latent_channels": 1}
    )
    denoiser: dict = field(
        default_factory=lambda: {"widths": [16, 32, 64], "blocks": 2, "time_channels": 64}
    )
    schedule: dict = field(
        default_factory=lambda: {"timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02}
    )
    geometry: dict = field(
        default_factory=lambda: {
            "size": 32,
            "distance": geometry.DISTANCE,
            "focal": geometry.FOCAL,
        }
    )
    latent_scale: float = 1.0
    noise_scale: float = 1.0
    sampler: dict = field(default_factory=lambda: {"name": "ddim", "steps": 20})
    training: dict = field(default_factory=dict)
    metrics: dict = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.geometry["size"]

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        if self.is_flow:
            side = self.size // 8
        else:
            side = self.size // 2 ** (len(self.autoencoder["multipliers"]) - 1)
        return (self.autoencoder["latent_channels"], side, side)

    @property
    def is_flow(self) -> bool:
        """Whether the model is a flow that is told the cameras' places around the object."""
        return self.preset == "fast"


def fast_config(**changes: object) -> ModelConfig:
    """The preset `fast`."""
    defaults = {
        "autoencoder": {"widths": [32, 64, 128], "latent_channels": 16},
        "denoiser": {
            "channels": 128,
            "depth": 4,
            "denoising_depth": 1,
            "heads": 4,
            "expansion": 3,
            "volume_channels": 16,
        },
        "schedule": {},
        "sampler": {"name": "shortcut", "steps": 1},
    }
    return ModelConfig("fast", **(defaults | changes))


PRESETS = {"paper": ModelConfig, "fast": fast_config}


def read_config(folder: str | Path) -> ModelConfig:
    """config.json of a weights folder.

    Raises FileNotFoundError where it is missing, ValueError where it is no model's configuration,
    each naming the file.
    """
    file = Path(folder) / "config.json"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing; a weights folder holds it")
    try:
        config = json.loads(file.read_text())
        if config.get("preset") not in PRESETS:
            raise ValueError(f"no preset {config.get('preset')!r}, only {', '.join(PRESETS)}")
        for name, ours in (("distance", geometry.DISTANCE), ("focal", geometry.FOCAL)):
            if (theirs := config.get("geometry", {}).get(name, ours)) != ours:
                raise ValueError(f"geometry says {name} {theirs}; only {ours} is supported")
        return ModelConfig(**config)
    except (ValueError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise unusable(file, error) from error


def unusable(file: Path, reason: Exception) -> ValueError:
    return ValueError(f"{file} is not a model's configuration: {reason}")
