"""The stages of training, by architecture. A new architecture adds one line to STAGES."""

from training.stages.autoencoder import AutoencoderStage
from training.stages.base import Stage
from training.stages.denoiser import DenoiserStage
from training.stages.finetune import FinetuneStage
from training.stages.flow import FlowStage
from training.stages.regressor import FlowRegressorStage, RegressorStage

STAGES: dict[str, tuple[type[Stage], ...]] = {
    "paper": (AutoencoderStage, DenoiserStage, RegressorStage),
    "flow": (AutoencoderStage, FlowStage, FinetuneStage, FlowRegressorStage),
}


def stages_of(architecture: str) -> dict[str, type[Stage]]:
    """Return the stages that train an architecture, by name, in the order of training."""
    if architecture not in STAGES:
        known = ", ".join(STAGES)
        raise ValueError(f"no stages train the architecture {architecture!r}; there are {known}")
    return {stage.name: stage for stage in STAGES[architecture]}


def stage_names() -> list[str]:
    """Return the names of all stages of all architectures."""
    return list(dict.fromkeys(stage.name for stages in STAGES.values() for stage in stages))
