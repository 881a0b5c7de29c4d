"""The launch files, with the real launch and launch_testing: skipped where ROS is not installed."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("launch_testing", reason="launch_testing is missing: it comes with ROS")
pytest.importorskip("launch_ros", reason="launch_ros is missing: it comes with ROS")

from tiny_nvs_ros.model import NovelViewModel


def test_launch_files_start_a_node_that_publishes_views(ros_domain_id, tmp_path):
    NovelViewModel.from_preset("paper").save_pretrained(tmp_path / "weights")
    parameters = tmp_path / "nvs.yaml"
    parameters.write_text(
        "/**: {ros__parameters: {steps: 1, samples: 2, weights: nowhere, views.orbit.count: 3}}"
    )
    command = [
        *(sys.executable, "-m", "launch_testing.launch_test"),
        Path(__file__).with_name("nvs_launch.py"),
        *(f"weights:={tmp_path / 'weights'}", f"params_file:={parameters}"),
    ]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert run.returncode == 0, run.stdout


def test_launch_file_of_the_loop_draws_its_picture(ros_domain_id, tmp_path):
    command = [
        *(sys.executable, "-m", "launch_testing.launch_test"),
        Path(__file__).with_name("loop_launch.py"),
        *("looks:=2", "random_runs:=1", f"out:={tmp_path / 'out'}"),
    ]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert run.returncode == 0, run.stdout
    assert (tmp_path / "out" / "loop.png").is_file()
