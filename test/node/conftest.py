"""Fixtures of the node's tests. ROS is imported in fixtures only: without it, tests are skipped."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from robot import Process, Robot


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder; untrained, but its views depend on everything that they should."""
    from tiny_nvs_ros.model import NovelViewModel

    folder = tmp_path_factory.mktemp("weights")
    NovelViewModel.from_preset("paper").save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def robot(module_ros_domain_id: int) -> "Iterator[Robot]":
    from robot import Robot

    robot = Robot()
    yield robot
    robot.close()


@pytest.fixture(scope="module")
def start(
    module_ros_domain_id: int, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Callable[..., Process]]":
    """start(module, parameters, remappings) starts a Process in the tests' domain."""
    from robot import Process

    processes: list[Process] = []

    def start(*args: object) -> Process:
        processes.append(Process(tmp_path_factory.mktemp("process"), *args))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()


@pytest.fixture
def picture() -> np.ndarray:
    """An image, 64 x 64 x 3, without symmetry."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return np.repeat(np.repeat(coarse, 16, axis=0), 16, axis=1)
