"""`pip install .` into an environment without ROS."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("tiny_nvs_ros", "training", "benchmarks")
ROS = ("rclpy", "ament", "rosidl", "tf2", "launch", "cv_bridge", "__editable__")
BUILD = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """The python of a new environment with the package and, without ROS, what it depends on."""
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("pip")
    source, environment, packages = folder / "source", folder / "env", folder / "dependencies"
    copy_checkout(source)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    packages.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith((*OURS, *ROS)) and not path.name.endswith((".pth", "_msgs")):
            (packages / path.name).symlink_to(path)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    pth = environment / "lib" / version / "site-packages" / "dependencies.pth"
    pth.write_text(f"{packages}\n")
    options = ["--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*BUILD, "--python", python, "install", *options, source], check=True)
    return python


def copy_checkout(folder: Path) -> None:
    """Link what is installed into a folder, because pip builds in the source folder."""
    files = [path for path in ROOT.iterdir() if path.is_file()]
    files += [path for top in (*OURS, "weights") for path in ROOT.glob(f"{top}/**/*")]
    for path in files:
        if path.is_file() and "__pycache__" not in path.parts:
            link = folder / path.relative_to(ROOT)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)


def run(python: Path, code: str, folder: Path) -> str:
    env = {name: value for name, value in os.environ.items() if name != "AMENT_PREFIX_PATH"}
    env.pop("PYTHONPATH", None)
    answer = subprocess.run(
        [python, "-c", code], cwd=folder, env=env, stdout=subprocess.PIPE, check=True, text=True
    )
    return answer.stdout


IMAGINE = """
import numpy as np
import tiny_nvs_ros
from tiny_nvs_ros import runtime
from tiny_nvs_ros.geometry import look_at, orbit
from tiny_nvs_ros.pipeline import SourceImage, imagine
from tiny_nvs_ros.resources import find_weights

image = np.full((64, 64, 3), 255, np.uint8)
image[24:40, 16:48] = (200, 30, 30)
source = SourceImage(image, look_at((0.5, 0.3, 0.3), (0, 0, 0)))
renderer = runtime.load(find_weights("cars"), "cpu", "onnx")
views = imagine(renderer, source, orbit(3, distance=0.7), samples=2, seed=0)
print(views.images.shape, views.uncertainties.shape, tiny_nvs_ros.__file__)
"""


def test_pipeline_works_without_ros(python, tmp_path):
    pytest.importorskip("onnxruntime")
    shapes, _, file = run(python, IMAGINE, tmp_path).strip().rpartition(" ")
    assert shapes == "(3, 32, 32, 3) (3, 32, 32)"
    assert Path(file).is_relative_to(python.parents[1])


def test_package_has_no_ros_parts(python, tmp_path):
    code = """
from importlib.util import find_spec
print([name for name in ("rclpy", "tiny_nvs_ros.node", "tiny_nvs_ros.msg") if find_spec(name)])
"""
    assert run(python, code, tmp_path).strip() == "[]"


def test_every_module_can_be_imported(python, tmp_path):
    """Also those of training, whose extras are installed here."""
    code = """
import importlib, pkgutil
import tiny_nvs_ros
for module in pkgutil.walk_packages(tiny_nvs_ros.__path__, "tiny_nvs_ros."):
    importlib.import_module(module.name)
    print(module.name)
"""
    names = run(python, code, tmp_path).split()
    assert {"tiny_nvs_ros.pipeline", "tiny_nvs_ros.resources", "tiny_nvs_ros.model"} <= set(names)
