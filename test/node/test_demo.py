import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from tiny_nvs_ros.model import NovelViewModel

DEMO = Path(__file__).parents[2] / "demo" / "demo.py"


def run(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, DEMO, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_demo_draws_the_received_views(tmp_path):
    sampler = {"name": "ddim", "steps": 2}
    NovelViewModel.from_preset("paper", sampler=sampler).save_pretrained(tmp_path / "weights")
    done = run("--weights", tmp_path / "weights", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "8 views an image" in done.stdout
    picture = cv2.imread(str(tmp_path / "out" / "novel_views.png"))
    assert picture.shape[1] > 1000
    assert picture.std() > 10


@pytest.mark.parametrize(
    "arguments, said",
    [
        (
            ["--weights", "/proc/nowhere"],
            ["nvs ended by itself, exit code 1", "/proc/nowhere does not exist"],
        ),
        (["--objects", "cars/lorry"], ["cars/lorry"]),
    ],
)
def test_failing_demo_names_the_process_and_the_reason(tmp_path, arguments, said):
    done = run(*arguments, "--out", tmp_path)
    assert done.returncode == 1
    for text in said:
        assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert not os.listdir(tmp_path)
