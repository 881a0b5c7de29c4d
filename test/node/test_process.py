"""If ROS does not start, the process prints one line and exits with code 1.

rcl may log a line of its own before.
"""

import os
import subprocess
import sys

import pytest

from tiny_nvs_ros.node.process import one_line


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tiny_nvs_ros.node", *map(str, arguments)]
    env = os.environ | environment
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "nvs.yaml"


@pytest.mark.parametrize(
    "text",
    ["samples: 2\n", "nvs:\n\tros__parameters:\n\t\tsamples: 2\n", "/**:\n  ros__parameters: [\n"],
    ids=["flat", "tabs", "open bracket"],
)
def test_invalid_parameter_file_is_one_line(ros_domain_id, file, text):
    file.write_text(text)
    done = run("--ros-args", "--params-file", file)
    assert done.returncode == 1
    *of_rcl, line = done.stderr.strip().splitlines()
    assert len(of_rcl) <= 1
    assert line.startswith("nvs: cannot start ROS: ") and str(file) in line
    assert ".c:" not in line


@pytest.mark.parametrize(
    "arguments",
    [["-p"], ["-r", "image"], ["--params-file", "/proc/nowhere.yaml"], ["-r", "__node:=my-nvs"]],
    ids=" ".join,
)
def test_invalid_arguments_are_one_line(ros_domain_id, arguments):
    done = run("--ros-args", *arguments)
    assert done.returncode == 1
    *of_rcl, line = done.stderr.strip().splitlines()
    assert len(of_rcl) <= 1
    assert line.startswith("nvs: cannot start ROS: ")


def test_log_folder_that_cannot_be_made_is_one_line(ros_domain_id):
    done = run(ROS_LOG_DIR="/proc/nowhere")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("nvs: cannot start ROS: ")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("no file\n  a.yaml, at /project/src/a.c:3"), "no file a.yaml"),
        (RuntimeError("one, at ./src/a.c:3, at /src/b.c:4"), "one"),
        (RuntimeError("not here, at home"), "not here, at home"),
        (KeyError(), "KeyError"),
    ],
)
def test_error_text_is_one_line_without_source_files(error, line):
    assert one_line(error) == line
