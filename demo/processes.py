"""Nodes as processes of their own, and a client that notices when one of them ends."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import rclpy
from rclpy.executors import SingleThreadedExecutor

ROOT = Path(__file__).resolve().parents[1]


class DemoFailed(Exception):
    """A process failed; the text says which one and how."""


class Process:
    """A node in its own process; its output goes to a file."""

    def __init__(self, name: str, module: str, parameters: dict[str, object], logs: Path):
        self.name = name
        self._log = logs / f"{name}.log"
        command = [sys.executable, "-m", module, "--ros-args"]
        for key, value in parameters.items():
            command += ["-p", f"{key}:={value}"]
        with self._log.open("w") as log:
            self._popen = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)
        self.pid = self._popen.pid

    def check(self) -> None:
        """Raise DemoFailed if the process has ended."""
        if self._popen.poll() is not None:
            raise DemoFailed(f"{self.name} ended by itself, exit code {self._popen.returncode}")

    def tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-12:]
        return "\n".join(
            [f"output of {self.name}:", *(f"    {line}" for line in lines or ["nothing"])]
        )

    def stop(self) -> None:
        """Send SIGINT and wait for the end. Raises DemoFailed if it does not end with code 0."""
        self.check()
        self._popen.send_signal(signal.SIGINT)
        try:
            code = self._popen.wait(timeout=15)
        except subprocess.TimeoutExpired:
            raise DemoFailed(f"{self.name} did not end on SIGINT within 15 s") from None
        if code != 0:
            raise DemoFailed(f"{self.name} ended with exit code {code} on SIGINT")

    def kill(self) -> None:
        if self._popen.poll() is None:
            self._popen.kill()
            self._popen.wait()


class Client:
    """A ROS node that spins while it waits, and notices when one of the processes ends."""

    def __init__(self, name: str, processes: list[Process]):
        self._processes = processes
        self.node = rclpy.create_node(name)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)

    def wait(self, condition: Callable[[], object], seconds: float, failure: str) -> None:
        """Spin until the condition holds. Raises DemoFailed after `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            for process in self._processes:
                process.check()
            if time.monotonic() > deadline:
                raise DemoFailed(f"{failure} within {seconds:g} s")
            self._executor.spin_once(timeout_sec=0.5)


@contextmanager
def running(parts: dict[str, tuple[str, dict[str, object]]]) -> Iterator[list[Process]]:
    """Run processes and rclpy until the end of the block, and stop them.

    parts: module and parameters of each process, by name. Raises DemoFailed, with the output of the
    processes, if one of them fails or the block raises it.
    """
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        processes = [Process(name, *part, logs) for name, part in parts.items()]
        for process in processes:
            stack.callback(process.kill)
        rclpy.init()
        stack.callback(rclpy.try_shutdown)
        try:
            yield processes
            for process in processes:
                process.stop()
        except DemoFailed as failure:
            raise DemoFailed("\n".join([str(failure), *(p.tail() for p in processes)])) from None


def isolate() -> None:
    """Use a random ROS domain on this machine alone, so that other ROS nodes do not interfere."""
    os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randrange(1, 102))
    if os.environ.get("ROS_DISTRO") == "humble":
        os.environ["ROS_LOCALHOST_ONLY"] = "1"
    else:
        os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
