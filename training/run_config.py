"""A folder's settings file: lets a second run continue only with the same settings."""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any


def keep_settings(path: Path, settings: Any) -> None:
    """Write the settings, a dataclass, beside what they make, or compare with those that are there.

    A field that is missing there has its default. Raises ValueError, which names both, where they
    differ, and where the folder is not empty but does not tell how it was made.
    """
    if not any(path.parent.iterdir()):
        path.write_text(json.dumps(asdict(settings), indent=2) + "\n")
        return
    try:
        there = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path.parent} is not empty, and {path.name}, which says how it was made, is "
            "missing or broken. Give another folder"
        ) from error
    there = {field.name: field.default for field in fields(settings)} | there
    if there != asdict(settings):
        raise ValueError(
            f"{path.parent} was made with {_words(there)}; asked for: {_words(asdict(settings))}. "
            "Give another folder, the same settings, or delete the folder"
        )


def _words(settings: dict) -> str:
    return ", ".join(f"{key} {value}" for key, value in settings.items())
