"""What all tests share.

Tests that talk over ROS ask for one of these fixtures, in this order of need:

- ``ros_domain_id``: a ROS domain of the test's own, set in this process's environment. Whatever the
  test starts as a subprocess inherits it and is alone with the test, whoever else uses ROS here.
- ``module_ros_domain_id``: the same for all tests of a module, where what they start is shared.
- ``ros_node``: a node in this process, in that domain.
- ``spin_until``: ``spin_until(condition, timeout=60.0)`` spins that node until condition() is true.

Where ROS is missing (somebody works on the model alone), tests with these fixtures are skipped, and
so are all modules in ROS_FOLDERS, which may import rclpy and messages at their top.
"""

import fcntl
import importlib.util
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROS_FOLDERS = ("launch", "node", "ros_pip")
NO_ROS = importlib.util.find_spec("rclpy") is None and "rclpy is missing: . ./env.sh"

_domain_ids = (1 + n % 101 for n in itertools.count(os.getpid() * 7))


def pytest_make_collect_report(collector: pytest.Collector) -> None:
    folder = Path(collector.nodeid).parent.name
    if NO_ROS and isinstance(collector, pytest.Module) and folder in ROS_FOLDERS:
        collector.collect = lambda: pytest.skip(NO_ROS, allow_module_level=True)


def own_domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A ROS domain that no other test has at the same time; it does not leave this machine."""
    if NO_ROS:
        pytest.skip(NO_ROS)
    for domain_id in _domain_ids:
        lock = Path(tempfile.gettempdir(), f"ros_domain_{domain_id}.lock")
        try:
            held = lock.open("a")
        except PermissionError:  # another user's
            continue
        with held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            monkeypatch.setenv("ROS_DOMAIN_ID", str(domain_id))
            if os.environ.get("ROS_DISTRO") == "humble":
                monkeypatch.setenv("ROS_LOCALHOST_ONLY", "1")
            else:
                monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
            yield domain_id
            return


@pytest.fixture
def ros_domain_id(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    yield from own_domain(monkeypatch)


@pytest.fixture(scope="module")
def module_ros_domain_id() -> Iterator[int]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield from own_domain(monkeypatch)


@pytest.fixture
def ros_node(ros_domain_id: int) -> Iterator:
    """A rclpy node named "test" in the test's domain."""
    import rclpy

    rclpy.init()
    node = rclpy.create_node("test")
    yield node
    node.destroy_node()
    rclpy.shutdown()


@pytest.fixture
def spin_until(ros_node) -> Iterator[Callable[..., None]]:
    """Spins ros_node until a condition is true; the test fails when that takes too long (s)."""
    from rclpy.executors import SingleThreadedExecutor

    executor = SingleThreadedExecutor()
    executor.add_node(ros_node)

    def spin(condition: Callable[[], bool], timeout: float = 60.0) -> None:
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, f"not so within {timeout} s"
            executor.spin_once(timeout_sec=0.1)

    yield spin
    executor.shutdown()


@pytest.fixture(scope="session")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the preset `fast` with small networks, and the graph beside them."""
    pytest.importorskip("onnxscript")
    import torch

    from tiny_nvs_ros.model import NovelViewModel
    from training.export import export

    folder = tmp_path_factory.mktemp("flow")
    torch.manual_seed(0)
    model = NovelViewModel.from_preset(
        "fast",
        autoencoder={"widths": [8, 16, 32], "latent_channels": 4},
        denoiser={"channels": 32, "depth": 2, "heads": 2, "expansion": 2},
    )
    with torch.no_grad():  # no weight at the zero it begins at
        for parameter in model.denoiser.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    export(folder)
    return folder
