"""ros_pip/build.sh where something is missing, and env.sh in the shells that people use."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VENV = os.environ.get("VENV", ".venv")
TOOLS = ("bash", "cat", "cksum", "dirname", "env", "flock", "grep", "rm", "uname")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which nothing is built, with a bin/ that has the shell's tools only."""
    shutil.copytree(ROOT / "ros_pip", tmp_path / "ros_pip")
    for file in (ROOT / "env.sh", *ROOT.glob("requirements*.txt")):
        shutil.copy(file, tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    return tmp_path


def add_tool(checkout: Path, name: str, script: str = "exit 0") -> None:
    file = checkout / "bin" / name
    file.write_text(f"#!/usr/bin/env bash\n{script}\n")
    file.chmod(0o755)


def add_python(checkout: Path, without: str = "nothing") -> None:
    """This python, but code that names what it is said to be without fails."""
    fake = f'case "$*" in *{without}*) exit 1 ;; esac; exec {sys.executable} "$@"'
    add_tool(checkout, "python3", fake)


def build(checkout: Path, **environment: str) -> str:
    """Run build.sh, which must fail; return what it says."""
    answer = subprocess.run(
        ["bash", "ros_pip/build.sh"],
        cwd=checkout,
        env={"PATH": str(checkout / "bin"), "HOME": str(checkout), "PIP_NO_INDEX": "1"}
        | environment,
        capture_output=True,
        text=True,
    )
    assert answer.returncode != 0
    assert answer.stderr.count("\n") == 1, answer.stderr
    assert not (checkout / ".venv").exists()
    return answer.stderr


@pytest.mark.parametrize("there", ["cc", "c++", "ld"])
def test_missing_compiler_is_named_with_the_remedy(checkout, there):
    add_python(checkout)
    add_tool(checkout, there)
    assert "compiler" in (said := build(checkout)) and "apt install build-essential" in said


def test_missing_venv_module_is_named_with_the_remedy(checkout):
    add_python(checkout, without="ensurepip")
    add_tool(checkout, "cc")
    add_tool(checkout, "c++")
    version = "python{}.{}".format(*sys.version_info)
    assert f"apt install {version}-venv" in build(checkout)


def test_missing_python_headers_are_named_with_the_remedy(checkout):
    add_python(checkout, without="Python.h")
    add_tool(checkout, "cc")
    add_tool(checkout, "c++")
    assert "-dev" in (said := build(checkout)) and "headers" in said


def test_unusable_python_is_named(checkout):
    add_tool(checkout, "python3.4", "exit 1")
    assert "PYTHON=python3.4" in build(checkout, PYTHON="python3.4")


def test_unknown_distribution_is_named_with_the_choices(checkout):
    assert "kilted or jazzy" in build(checkout, ROS_PIP_DISTRO="foxy")


def test_other_architecture_is_refused_because_it_has_no_wheels(checkout):
    add_python(checkout)
    for name in ("cc", "c++"):
        add_tool(checkout, name)
    (checkout / "bin/uname").unlink()
    add_tool(checkout, "uname", "echo Linux aarch64")
    assert "x86_64 only" in build(checkout)


def test_installed_ros_without_colcon_is_refused(checkout):
    add_python(checkout)
    for name in ("cc", "c++"):
        add_tool(checkout, name)
    said = build(checkout, **os.environ | {"ROS_DISTRO": "kilted", "PATH": f"{checkout}/bin"})
    assert "apt install python3-colcon" in said


def test_installed_ros_that_no_python_imports_is_refused(checkout):
    add_python(checkout, without="rclpy")
    environment = {"ROS_DISTRO": "lyrical", "AMENT_PREFIX_PATH": "/opt/ros/lyrical"}
    said = build(checkout, PYTHON="python3", **environment)
    assert "imports the rclpy of ROS 2 lyrical" in said and "PYTHON=" in said


@pytest.mark.skipif(not (ROOT / VENV / "built").exists(), reason="not built by make build")
@pytest.mark.parametrize(
    ("shell", "from_root"),
    [("bash", True), ("bash", False), ("zsh", True), ("zsh", False), ("dash", True)],
)
def test_env_sh_gives_a_python_that_imports_everything(shell, from_root, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    folder, file = (ROOT, "./env.sh") if from_root else (tmp_path, ROOT / "env.sh")
    modules = "rclpy, tf2_ros, tiny_nvs_ros.srv, training"
    subprocess.run(
        [shell, "-ec", f". {file}; exec python -c 'import {modules}'"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "VENV": VENV},
        check=True,
    )


@pytest.mark.parametrize("venv", [".venv", ".venv-jazzy"])
def test_env_sh_without_a_build_says_so(checkout, venv):
    answer = subprocess.run(
        ["bash", "-c", ". ./env.sh; echo $?"],
        cwd=checkout,
        env={**os.environ, "VENV": venv},
        capture_output=True,
        text=True,
    )
    assert answer.stdout == "1\n"
    assert f"{venv} yet: make build" in answer.stderr
