"""The configuration of a model, as config.json of its weights folder says. Needs no torch."""

import json
import math
from dataclasses import dataclass, field, fields
from importlib import import_module
from pathlib import Path
from types import ModuleType

from tiny_nvs_ros.geometry import ModelCamera

# Packages by architecture; a new architecture is one more line and its package. Each package
# defines, without torch: DEFAULTS (fields of ModelConfig), MAX_SOURCES, latent_shape(config),
# load_class() (its NovelViewModel, which imports torch), and NEEDS_OBJECT_FRAME: whether the poses
# must be in the object's frame, not relative to any camera. If the runtimes onnx and cuda_graph can
# run it, also inputs(request): the arguments of the model's forward, by name, and forward's keyword
# steps, one of STEPS; PER_SOURCE, PER_VIEW: the names of those that have a row for each source and
# each target; OUTPUTS: what forward returns, in order, fields of request.ViewSamples (one tensor,
# or a tuple).
ARCHITECTURES = {
    "paper": "tiny_nvs_ros.model.paper",
    "flow": "tiny_nvs_ros.model.flow",
    "multiview": "tiny_nvs_ros.model.multiview",
}
# Architectures by preset, the name of a training recipe.
PRESETS = {"paper": "paper", "fast": "flow", "objects": "multiview"}


@dataclass
class ModelConfig:
    """What config.json holds. The defaults are those of the architecture.

    architecture: key of ARCHITECTURES. preset: the recipe it was trained by. autoencoder, denoiser:
    arguments of the networks. schedule: of the noise, empty for a flow. geometry: the cameras that
    the model was trained with, fields of geometry.ModelCamera. mirror_axis: the object frame's axis
    that changes sign if an object is mirrored, "" if mirrored objects make no sense. heading: what
    the object frame's heading means, for people. latent_scale: factor that brings the
    autoencoder's means to unit standard deviation. noise_scale: factor of the noise that samples
    are made from, above 1 if they were too much alike. sampler: name and steps. training, metrics:
    how the weights were made and how good they are, for people.
    Raises ValueError for values that cannot be used, naming them.
    """

    architecture: str = "paper"
    preset: str = "paper"
    autoencoder: dict = field(default_factory=dict)
    denoiser: dict = field(default_factory=dict)
    schedule: dict = field(default_factory=dict)
    geometry: dict = field(default_factory=dict)
    mirror_axis: str = "x"
    heading: str = "the object's front is along +y"
    latent_scale: float = 1.0
    noise_scale: float = 1.0
    sampler: dict = field(default_factory=dict)
    training: dict = field(default_factory=dict)
    metrics: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            raise ValueError(f"architecture is {self.architecture!r}; it must be one of {known}")
        for name, kind in [(f.name, f.type) for f in fields(self)]:
            value = getattr(self, name)
            if kind in (str, dict) and not isinstance(value, kind):
                raise ValueError(f"{name} is {value!r}; it must be {_KINDS[kind]}")
            if kind is float and not (_is_number(value) and 0 < value < math.inf):
                raise ValueError(f"{name} is {value!r}; it must be a number above 0")
        for name, default in self.module.DEFAULTS.items():
            if not getattr(self, name):
                setattr(self, name, default.copy())
        for name in ("autoencoder", "denoiser", "schedule"):
            _check_arguments(name, getattr(self, name), self.module.DEFAULTS.get(name, {}))
        if self.mirror_axis not in ("", "x", "y", "z"):
            raise ValueError(f'mirror_axis is {self.mirror_axis!r}; it must be x, y, z or ""')
        steps = self.sampler.get("steps")
        if not isinstance(self.sampler.get("name"), str):
            raise ValueError(f"sampler is {self.sampler}; its name must be a text")
        if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
            raise ValueError(f"sampler has the steps {steps!r}; they must be at least 1")
        _ = self.camera
        try:
            shape = self.latent_shape
        except KeyError as error:
            raise ValueError(f"autoencoder is {self.autoencoder}, without {error}") from None
        if min(shape) < 1:
            raise ValueError(f"the latents' shape is {shape}; each number must be at least 1")

    @property
    def module(self) -> ModuleType:
        """The package of the architecture."""
        return import_module(ARCHITECTURES[self.architecture])

    @property
    def camera(self) -> ModelCamera:
        """The cameras that the model was trained with."""
        try:
            return ModelCamera(**self.geometry)
        except TypeError as error:
            raise ValueError(f"geometry is {self.geometry}: {error}") from None

    @property
    def size(self) -> int:
        """Width and height of the model's images, pixels."""
        return self.camera.size

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the latents."""
        return self.module.latent_shape(self)

    @property
    def max_sources(self) -> int:
        """How many source views a request may have."""
        return self.module.MAX_SOURCES

    @property
    def gives_depth(self) -> bool:
        """Whether the samples have alpha and depth."""
        return "depth" in getattr(self.module, "OUTPUTS", ())

    @property
    def exportable(self) -> bool:
        """Whether the runtimes onnx and cuda_graph can run the model."""
        return hasattr(self.module, "inputs")


_KINDS = {str: "a text", dict: "an object with names and values"}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_arguments(name: str, arguments: dict, defaults: dict) -> None:
    """Raise ValueError if an argument of a network is not of the same kind as its default."""
    for key in arguments.keys() & defaults.keys():
        value, default = arguments[key], defaults[key]
        if isinstance(default, list):
            valid = isinstance(value, list | tuple) and value and all(map(_is_count, value))
            kind = "a list of whole numbers above 0"
        elif _is_number(default) and isinstance(default, int):
            valid = _is_number(value) and isinstance(value, int) and value >= 0
            kind = "a whole number, at least 0"
        elif isinstance(default, float):
            valid, kind = _is_number(value) and math.isfinite(value), "a number"
        else:
            continue
        if not valid:
            raise ValueError(f"{name}.{key} is {value!r}; it must be {kind}")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def preset_config(name: str, **changes: object) -> ModelConfig:
    """Return the configuration of a preset; `changes` replace fields. ValueError if unknown."""
    if name not in PRESETS:
        raise ValueError(f"no preset {name!r}; there is {', '.join(PRESETS)}")
    return ModelConfig(**{"architecture": PRESETS[name], "preset": name, **changes})


def read_config(folder: str | Path) -> ModelConfig:
    """Read config.json of a weights folder.

    Raises FileNotFoundError if it is missing and ValueError if it is not a model's configuration,
    each naming the file.
    """
    file = Path(folder) / "config.json"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing; a weights folder holds it")
    try:
        config = json.loads(file.read_text())
        if not isinstance(config, dict):
            raise ValueError(f"it holds {type(config).__name__}, not an object")
        unknown = config.keys() - {f.name for f in fields(ModelConfig)}
        if unknown:
            raise ValueError(f"unknown names: {', '.join(sorted(unknown))}")
        # Files of before architectures had names have the preset only.
        preset = config.get("preset", "paper")
        if "architecture" not in config:
            if preset not in PRESETS:
                known = ", ".join(PRESETS)
                raise ValueError(f"preset is {preset!r}; without architecture it must be {known}")
            config["architecture"] = PRESETS[preset]
        return ModelConfig(**config)
    except (ValueError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise unusable(file, error) from error


def unusable(file: Path, reason: Exception) -> ValueError:
    """Return the error, one line, for a config.json with values that cannot be used."""
    line = str(reason).partition("\n")[0]  # torch appends its signatures, or a stack
    return ValueError(f"{file} is not a model's configuration: {line}")
