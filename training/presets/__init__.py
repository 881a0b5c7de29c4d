"""Presets: the architecture and the settings of each stage of a training, one YAML file each."""

from dataclasses import fields, replace
from pathlib import Path

import yaml

from training.stages import stages_of
from training.stages.settings import StageSettings

FOLDER = Path(__file__).parent


def read_preset(name: str) -> dict:
    """Return a preset: "architecture" and "stages"; ValueError if there is none of that name."""
    file = FOLDER / f"{name}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.yaml")))
        raise ValueError(f"no preset {name!r}; there is {known}")
    return yaml.safe_load(file.read_text())


def stage_settings(stage: str, preset: str = "paper", **changes: object) -> StageSettings:
    """Return a preset's settings of a stage, with `changes`.

    Raises ValueError if the preset has no such stage, or the stage no such setting.
    """
    recipe = read_preset(preset)
    if stage not in recipe["stages"]:
        known = ", ".join(recipe["stages"])
        raise ValueError(f"the preset {preset} has no stage {stage!r}; it has {known}")
    cls = stages_of(recipe["architecture"])[stage].Settings
    known = {field.name for field in fields(cls)}
    if unknown := changes.keys() - known:
        raise ValueError(
            f"the {stage} has no setting {min(unknown)!r}; it has {', '.join(sorted(known))}"
        )
    return replace(cls(**recipe["stages"][stage]), **changes)
