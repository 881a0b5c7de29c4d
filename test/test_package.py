"""The package as it is laid out, built and installed."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ElementTree.parse(ROOT / "package.xml").getroot()

# Imports run down: each module imports only those on the lines above its own, and those on its line
# to its left. A folder counts as one module.
LAYERS = """
geometry image resources
decode camera srn_cameras srn_writer srn_data
virtual_camera
model
runtime
pipeline simulation
shape depth_mask consistency fusion next_best_view
node viewer
"""
RANKS = {name: rank for rank, name in enumerate(LAYERS.split())}
ROS = {"ament_index_python", "cv_bridge", "launch", "launch_ros", "rclpy", "tf2_ros"}
WITH_ROS = ("node",)
GENERATED = ("msg", "srv")  # by colcon


def imported_modules(file: Path) -> set[str]:
    """Return the full names of the modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def files_of(module: str) -> list[Path]:
    """Return the files of a module of tiny_nvs_ros, which may be a folder."""
    folder = ROOT / "tiny_nvs_ros"
    return [*folder.glob(f"{module}/**/*.py"), *folder.glob(f"{module}.py")]


def is_ros(name: str) -> bool:
    first = name.split(".")[0]
    return first in ROS or first.endswith(("_msgs", "_srvs", "_interfaces"))


def test_every_module_has_a_layer():
    folder = ROOT / "tiny_nvs_ros"
    modules = {
        path.relative_to(folder).parts[0].removesuffix(".py") for path in folder.rglob("*.py")
    }
    assert modules - {"__init__"} <= set(RANKS)


@pytest.mark.parametrize("layer", RANKS)
def test_imports_run_down(layer):
    for file in files_of(layer):
        for name in imported_modules(file):
            first, second = [*name.split("."), ""][:2]
            assert first not in ("training", "benchmarks", "demo"), file
            if first == "tiny_nvs_ros" and second not in GENERATED:
                assert RANKS[second] <= RANKS[layer], f"{file} imports {name}"
            if layer not in WITH_ROS:
                assert not is_ros(name) and second not in GENERATED, f"{file} imports {name}"


def test_no_import_cycle():
    """Modules inside the folders, such as node/ and model/; imports of types do not count."""
    for folder in ("tiny_nvs_ros", "training"):
        files = {module_name(file): file for file in ROOT.glob(f"{folder}/**/*.py")}
        graph = {name: imports_on_load(file, set(files)) for name, file in files.items()}
        while free := [name for name, imports in graph.items() if not imports]:
            for name in free:
                del graph[name]
            graph = {name: imports - set(free) for name, imports in graph.items()}
        assert not graph, f"import cycle among {sorted(graph)}"


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_on_load(file: Path, modules: set[str]) -> set[str]:
    """Return which of the modules a file imports at its top level, when it is loaded."""
    names = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            names |= {name if name in modules else node.module for name in full}
    return names & modules - {module_name(file)}


def test_training_imports_no_ros():
    for file in ROOT.glob("training/**/*.py"):
        for name in imported_modules(file):
            assert not is_ros(name), file
            assert not name.startswith("tiny_nvs_ros.node"), file


@pytest.mark.parametrize(
    ("folders", "tags"),
    [
        (("tiny_nvs_ros", "launch"), {"depend", "exec_depend"}),
        (("demo", "test"), {"depend", "exec_depend", "test_depend"}),
    ],
)
def test_imported_ros_packages_are_declared(folders, tags):
    declared = {element.text for element in PACKAGE if element.tag in tags}
    for file in (file for folder in folders for file in ROOT.glob(f"{folder}/**/*.py")):
        for name in {name.split(".")[0] for name in imported_modules(file)}:
            if name in ROS or name.endswith(("_interfaces", "_msgs", "_srvs")):
                assert {"tf2_ros": "tf2_ros_py"}.get(name, name) in declared, file


WHERE = """
import importlib, json
names = ["geometry", "model", "msg", "node", "pipeline", "runtime", "srv"]
modules = {name: importlib.import_module("tiny_nvs_ros." + name) for name in names}
print(json.dumps({name: module.__file__ for name, module in modules.items()}))
"""


def where(folder: Path, python_path: str) -> dict[str, Path]:
    """Return where a python that is started in a folder finds our modules."""
    pytest.importorskip("rclpy")
    answer = subprocess.run(
        [sys.executable, "-c", WHERE],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": python_path},
        stdout=subprocess.PIPE,
        check=True,
    )
    return {name: Path(file) for name, file in json.loads(answer.stdout).items()}


def python_path_without_checkout() -> str:
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join(path for path in paths if path and Path(path) != ROOT)


def test_checkout_does_not_hide_the_generated_interfaces():
    found = where(ROOT, python_path_without_checkout())
    generated = {name: found.pop(name) for name in ("msg", "srv")}
    assert all(file.is_relative_to(ROOT / "tiny_nvs_ros") for file in found.values())
    assert not any(file.is_relative_to(ROOT / "tiny_nvs_ros") for file in generated.values())


def test_installed_package_is_found_outside_of_the_checkout(tmp_path):
    found = where(tmp_path, python_path_without_checkout())
    package = found["geometry"].parent
    assert package != ROOT / "tiny_nvs_ros"
    assert all(file.is_relative_to(package) for file in found.values())


def test_novel_views_has_its_documented_fields():
    msg = pytest.importorskip("tiny_nvs_ros.msg")
    assert msg.NovelViews.get_fields_and_field_types() == {
        "header": "std_msgs/Header",
        "object_frame": "string",
        "camera_info": "sensor_msgs/CameraInfo",
        "camera_poses": "sequence<geometry_msgs/Pose>",
        "images": "sequence<sensor_msgs/Image>",
        "uncertainties": "sequence<sensor_msgs/Image>",
        "masks": "sequence<sensor_msgs/Image>",
        "depths": "sequence<sensor_msgs/Image>",
        "depth_uncertainties": "sequence<sensor_msgs/Image>",
        "sources": "uint8",
        "latency": "builtin_interfaces/Duration",
    }


def test_render_pose_has_its_documented_fields():
    srv = pytest.importorskip("tiny_nvs_ros.srv")
    assert srv.RenderPose.Request.get_fields_and_field_types() == {
        "camera_pose": "geometry_msgs/PoseStamped",
        "source_image": "sensor_msgs/Image",
        "samples": "uint32",
        "seed": "int64",
    }
    assert srv.RenderPose.Response.get_fields_and_field_types() == {
        "success": "boolean",
        "message": "string",
        "image": "sensor_msgs/Image",
        "uncertainty": "sensor_msgs/Image",
        "camera_info": "sensor_msgs/CameraInfo",
        "view_pose": "geometry_msgs/PoseStamped",
        "source_stamp": "builtin_interfaces/Time",
        "render_time": "builtin_interfaces/Duration",
    }


@pytest.mark.parametrize("name", ["camera_player", "camera_simulator", "nvs_node", "viewer"])
def test_executables_are_installed_and_honour_an_active_environment(name):
    index = pytest.importorskip("ament_index_python")
    installed = Path(index.get_package_prefix("tiny_nvs_ros"), "lib", "tiny_nvs_ros", name)
    for file in (ROOT / "scripts" / name, installed):
        assert os.access(file, os.X_OK)
        assert file.read_text().startswith("#!/usr/bin/env python3\n")


@pytest.mark.parametrize("folder", ["config", "demo", "launch", "weights"])
def test_shared_files_are_installed(folder):
    index = pytest.importorskip("ament_index_python")
    share = Path(index.get_package_share_directory("tiny_nvs_ros"))
    files = [file for file in ROOT.glob(f"{folder}/**/*") if file.is_file()]
    assert files
    for file in files:
        if "__pycache__" not in file.parts:
            assert (share / file.relative_to(ROOT)).is_file()


def test_setup_py_agrees_with_package_xml():
    pytest.importorskip("setuptools")
    code = """
import json, setuptools, distutils.core
dist = distutils.core.run_setup("setup.py", stop_after="init")
metadata = dist.metadata
print(json.dumps({
    "name": metadata.name, "version": metadata.version,
    "description": metadata.description, "license": metadata.license,
    "packages": dist.packages,
}))
"""
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    metadata = json.loads(answer.stdout)
    folders = {
        str(file.parent.relative_to(ROOT)).replace("/", ".")
        for module in ("tiny_nvs_ros", "training")
        for file in ROOT.glob(f"{module}/**/__init__.py")
    }
    assert set(metadata.pop("packages")) == folders - {"tiny_nvs_ros.node"}
    assert metadata == {key: PACKAGE.findtext(key) for key in metadata}


def test_ros_tests_are_skipped_with_the_reason_without_ros():
    code = "import sys; sys.modules['rclpy'] = None; import pytest; sys.exit(pytest.main())"
    answer = subprocess.run(
        [sys.executable, "-c", code, "test/ros_pip"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert "rclpy is missing" in answer.stdout
    assert "error" not in answer.stdout.lower()
