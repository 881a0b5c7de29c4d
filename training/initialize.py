"""The model that a stage starts from."""

from dataclasses import replace
from pathlib import Path

import torch

from tiny_nvs_ros.model import NovelViewModel
from training import history
from training.stages import stages_of
from training.stages.base import Stage
from training.stages.settings import StageSettings


def init_model(
    stage: str, seed: int, device: str, folder: Path, preset: str = "paper", **changes: object
) -> NovelViewModel:
    """Return an untrained model; after the first stage, with the trained autoencoder of `folder`.

    folder: weights folder, whose configuration then is the model's. changes: for the first stage,
    replace fields of the preset's ModelConfig.
    """
    if stage == "autoencoder":
        torch.manual_seed(seed)
        model = NovelViewModel.from_preset(preset, **changes)
    else:
        trained = load_weights(folder, preset)
        torch.manual_seed(seed)
        model = NovelViewModel.from_config(trained.config)
        model.autoencoder = trained.autoencoder
        model.config.training = history.only(model.config.training, ["autoencoder"])
    return to_device(model, device)


def to_device(model: NovelViewModel, device: str) -> NovelViewModel:
    # This memory order makes convolutions a fifth faster on a CPU, and is native on a GPU.
    return model.to(device, memory_format=torch.channels_last)


def load_weights(folder: Path, preset: str) -> NovelViewModel:
    """Return the model of a weights folder; ValueError if it is of another preset."""
    model = NovelViewModel.from_pretrained(folder)
    if model.config.preset != preset:
        raise ValueError(f"{folder} is of the preset {model.config.preset}: say --preset")
    return model


def load_for_finetuning(
    folder: Path, stage: str, settings: StageSettings, preset: str, out: Path
) -> tuple[NovelViewModel, StageSettings]:
    """Return the model of a weights folder, and settings that train it further.

    The optimisers start anew. out: the run's folder, which must be another one.
    """
    if stage == "autoencoder":
        raise ValueError("--init is for later stages: a denoiser knows one autoencoder's latents")
    if out.exists() and out.samefile(folder):
        raise ValueError(f"--init {folder} would be overwritten; choose another --out")
    model = load_weights(folder, preset)
    training = model.config.training
    iterations = history.trained_iterations(training, stage)
    held = next((s for s in ("regressor", "denoiser") if history.has_trained(training, s)), None)
    if held is None or (held == "regressor" and stage != held):
        raise ValueError(f"{folder} holds no trained denoiser, from which --init could go on")
    if iterations >= settings.iterations:
        raise ValueError(
            f"the {stage} in {folder} was trained for {iterations} iterations; "
            "--init goes on from a trained one to more --iterations"
        )
    cls: type[Stage] = stages_of(model.config.architecture)[stage]
    model.config.training = history.without(training, cls.invalidates)
    model.denoiser.train().requires_grad_()
    return model, replace(settings, begin=iterations)
