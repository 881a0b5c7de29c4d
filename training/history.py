"""The history of a model's training, as its config.json records it.

`config.training` is {"segments": [...]}, in the order of training. A segment is one run of a stage
from one iteration to another:

    {"stage": "denoiser", "from": 30000, "to": 63000, "settings": {...}, "data": {...},
     "torch": "2.13.0+cpu", ...}

Older files hold {stage: settings} instead, of the last segment of each stage; they are read too.
"""

from collections.abc import Iterable

RENAMED_STAGES = {"tuning": "finetune"}
OLD_KEYS = ("iteration", "instances", "views", "torch")  # that are no settings


def segments(training: dict) -> list[dict]:
    """Return the segments of `config.training`, of either format."""
    if "segments" in training:
        return list(training["segments"])
    return [_old_segment(stage, entry) for stage, entry in training.items()]


def _old_segment(stage: str, entry: dict) -> dict:
    return {
        "stage": RENAMED_STAGES.get(stage, stage),
        "from": entry.get("begin", 0),
        "to": entry.get("iteration", 0),
        "settings": {key: value for key, value in entry.items() if key not in OLD_KEYS},
        "data": {key: entry[key] for key in ("instances", "views") if key in entry},
        "torch": entry.get("torch"),
    }


def has_trained(training: dict, stage: str) -> bool:
    return any(segment["stage"] == stage for segment in segments(training))


def trained_iterations(training: dict, stage: str) -> int:
    """Return for how many iterations a stage was trained, all segments together."""
    return max((s["to"] for s in segments(training) if s["stage"] == stage), default=0)


def only(training: dict, stages: Iterable[str]) -> dict:
    """Return `training` with the segments of some stages."""
    kept = set(stages)
    return {"segments": [s for s in segments(training) if s["stage"] in kept]}


def without(training: dict, stages: Iterable[str]) -> dict:
    """Return `training` without the segments of some stages."""
    dropped = set(stages)
    return {"segments": [s for s in segments(training) if s["stage"] not in dropped]}


def record(training: dict, segment: dict) -> dict:
    """Return `training` with a segment added; it replaces one of the same stage and start."""
    same = segment["stage"], segment["from"]
    others = [s for s in segments(training) if (s["stage"], s["from"]) != same]
    return {"segments": [*others, segment]}
