"""pip install of the parts without ROS: model, pipeline, training. colcon uses CMakeLists.txt."""

import xml.etree.ElementTree
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
PACKAGE = xml.etree.ElementTree.parse(ROOT / "package.xml").getroot()


def requirements(name: str) -> list[str]:
    lines = (ROOT / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r"))]


def files_of(folder: Path) -> list[str]:
    files = (file for file in folder.iterdir() if file.is_file() and file.name[0] != ".")
    return sorted(str(file.relative_to(ROOT)) for file in files)


training = requirements("requirements-training.txt")
viewer = requirements("requirements-viewer.txt")

setup(
    name=PACKAGE.findtext("name"),
    version=PACKAGE.findtext("version"),
    description=PACKAGE.findtext("description"),
    license=PACKAGE.findtext("license"),
    packages=find_packages(
        include=["tiny_nvs_ros", "tiny_nvs_ros.*", "training", "training.*"],
        exclude=["tiny_nvs_ros.node", "tiny_nvs_ros.node.*"],
    ),
    package_data={
        "tiny_nvs_ros.simulation": ["objects/*.npz"],
        "training": ["presets/*.yaml"],
    },
    # Where tiny_nvs_ros.resources looks, as in an installation by colcon.
    data_files=[
        (f"share/tiny_nvs_ros/{folder.relative_to(ROOT)}", files_of(folder))
        for folder in sorted(ROOT.glob("weights/*/"))
        if folder.is_dir()
    ],
    python_requires=">=3.10",
    install_requires=requirements("requirements.txt"),
    extras_require={
        "training": training,
        "viewer": viewer,
        "dev": training + viewer + requirements("requirements-dev.txt"),
    },
)
