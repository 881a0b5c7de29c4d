"""Tests of the record of a training in config.json."""

import json
from pathlib import Path

import pytest

from training import history

ROOT = Path(__file__).parents[2]


def shipped(name):
    return json.loads((ROOT / f"weights/{name}/config.json").read_text())["training"]


def test_the_old_format_is_read_as_segments_and_tuning_as_finetune():
    segments = history.segments(shipped("cars"))
    assert [(s["stage"], s["from"], s["to"]) for s in segments] == [
        ("autoencoder", 0, 16000),
        ("denoiser", 30000, 63000),
        ("finetune", 40000, 62000),
    ]
    assert segments[2]["settings"]["learning_rate"] == pytest.approx(2.1e-4)
    assert segments[2]["data"] == {"instances": 2400, "views": 120000}
    assert "iteration" not in segments[2]["settings"]


def test_a_later_segment_is_added_and_the_same_segment_is_replaced():
    training = {}
    for start, end in ((0, 5), (0, 9), (9, 12)):
        training = history.record(training, {"stage": "denoiser", "from": start, "to": end})
    assert [(s["from"], s["to"]) for s in history.segments(training)] == [(0, 9), (9, 12)]
    assert history.trained_iterations(training, "denoiser") == 12
    assert history.trained_iterations(training, "finetune") == 0


def test_a_new_segment_keeps_those_of_the_old_format():
    training = history.record(shipped("cars_paper"), {"stage": "regressor", "from": 0, "to": 3})
    stages = [s["stage"] for s in history.segments(training)]
    assert stages == ["autoencoder", "denoiser", "regressor"]
    assert history.only(training, ["denoiser"])["segments"] == history.segments(training)[1:2]
