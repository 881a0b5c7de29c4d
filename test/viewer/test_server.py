"""The command: where it listens, what it prints, and how it ends."""

import ctypes
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tiny_nvs_ros.viewer import server

TIMEOUT_S = 60


@pytest.fixture
def viewer() -> Iterator[tuple[subprocess.Popen, int]]:
    """The command in a process of its own, and its port."""
    pytest.importorskip("viser", reason="viser is missing: make viewer installs it")
    command = [sys.executable, "-m", "tiny_nvs_ros.viewer", "--port", "8520"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        # A script's background processes, such as these tests may be, ignore Ctrl-C and pass it on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for line in process.stdout:
        if found := re.search(r"the viewer is at http://localhost:(\d+)", line):
            break
    yield process, int(found[1])
    process.kill()
    process.wait()


def test_page_is_served_to_this_machine_alone_until_ctrl_c(viewer):
    process, port = viewer
    with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=TIMEOUT_S) as answer:
        assert b"<html" in answer.read().lower()
    with socket.socket() as probe, pytest.raises(OSError):
        probe.settimeout(5)
        probe.connect(("127.0.0.2", port))  # reached if it listened on all addresses
    process.send_signal(signal.SIGINT)
    assert process.wait(TIMEOUT_S) == 0


def test_ctrl_c_that_another_thread_receives_ends_it_too(viewer):
    process, _ = viewer
    threads = {int(path.name) for path in Path(f"/proc/{process.pid}/task").iterdir()}
    other = max(threads - {process.pid})
    assert ctypes.CDLL(None).tgkill(process.pid, other, signal.SIGINT) == 0
    assert process.wait(TIMEOUT_S) == 0


def run(monkeypatch, capsys, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["viewer", *arguments])
    code = server.main()
    return code, capsys.readouterr().err


def test_missing_viser_is_named_with_the_remedy(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "viser", None)
    code, error = run(monkeypatch, capsys)
    assert code == 1
    assert "make viewer" in error


@pytest.mark.parametrize(
    ("weights", "reason"), [("nothing", "no weights 'nothing'"), ("./nothing", "does not exist")]
)
def test_missing_weights_are_named_in_one_line(weights, reason, monkeypatch, capsys):
    pytest.importorskip("viser", reason="viser is missing: make viewer installs it")
    code, error = run(monkeypatch, capsys, "--weights", weights)
    assert code == 1
    assert reason in error
    assert error.count("\n") == 1


def test_help_says_what_host_means(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["viewer", "--help"])
    with pytest.raises(SystemExit):
        server.main()
    text = " ".join(capsys.readouterr().out.split())
    assert "0.0.0.0 serves everyone who can reach it, without a password" in text


def test_arguments_after_ros_args_are_for_ros():
    ours, ros = server.split_arguments(["--ros", "--ros-args", "-r", "__ns:=/arm"])
    assert ours == ["--ros"]
    assert ros == ["--ros-args", "-r", "__ns:=/arm"]


def test_ros_without_ros_is_named(monkeypatch, capsys):
    pytest.importorskip("viser", reason="viser is missing: make viewer installs it")
    monkeypatch.setitem(sys.modules, "rclpy", None)
    monkeypatch.delitem(sys.modules, "tiny_nvs_ros.node.live_views", raising=False)
    code, error = run(monkeypatch, capsys, "--ros")
    assert code == 1
    assert "--ros needs ROS 2" in error
