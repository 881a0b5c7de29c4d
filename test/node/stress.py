"""Stress test of the nvs node: floods it with images, faults and requests.

    python test/node/stress.py --seconds 60

The node runs as a process. Over DDS it receives images of a camera that circles an object in a
simulation that restarts at times; some images are malformed, lack a transform, or are 1 x 1 pixels.
Clients call render_pose all the time, and lifecycle transitions are made in between. At the end the
node gets Ctrl-C. Some of its views are compared with those of the model. The exit code is 0 if no
problem was found.
"""

import argparse
import itertools
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rclpy.duration import Duration
from rclpy.time import Time
from robot import Process, Robot, view_request
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from tiny_nvs_ros import geometry
from tiny_nvs_ros.decode import rgb_from_raw
from tiny_nvs_ros.msg import NovelViews
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.srv import RenderPose

COUNT = 4  # views of an image
DISTANCE = 1.3
GAP = (5.0, 1.0)  # s: in each such time TF is silent for so long
JUMP = 11.0  # s between two jumps of the simulation's time
JUMPS = (-20.0, 7.0)  # s
RESTART = 13.0  # s between two times of the lifecycle, each second one with a new configuration
PAUSE = 1.0  # s between an answer and the client's next call
COMPARED = 10  # answers, and images with views
MALFORMED = (
    dict(data=b"abc"),
    dict(width=0),
    dict(step=1),
    dict(encoding="16UC1"),
    dict(height=2**31),
    dict(header=Header(frame_id="")),
)


@dataclass(frozen=True)
class Shown:
    picture: np.ndarray
    pose: np.ndarray  # T_object_camera
    time: float  # s, steady


@dataclass(frozen=True)
class Call:
    target: np.ndarray  # T_object_camera
    began: float  # s, steady
    seconds: float
    response: RenderPose.Response


class Client:
    """Calls render_pose for random cameras, one call after the other."""

    def __init__(self, robot):
        self._client = robot.node.create_client(RenderPose, "/nvs/render_pose")
        self._future, self._due = None, 0.0
        self.calls: list[Call] = []

    def step(self) -> None:
        now = time.monotonic()
        if self._future is not None and self._future.done():
            response = self._future.result()
            self.calls.append(Call(self._target, self._began, now - self._began, response))
            self._future, self._due = None, now + PAUSE
        if self._future is None and now > self._due and self._client.service_is_ready():
            azimuth, elevation = random.uniform(0, 2 * np.pi), random.uniform(-1, 1)
            eye = geometry.eye_at(azimuth, elevation, DISTANCE)
            self._target, self._began = geometry.look_at(eye, np.zeros(3)), now
            self._future = self._client.call_async(view_request(self._target))


class Stress:
    """One run. problems: their number, by description."""

    def __init__(self, robot, process, rate: float, clients: int):
        self.robot, self.process, self.rate = robot, process, rate
        self.problems: Counter[str] = Counter()
        self.shown: dict[tuple[int, int], Shown] = {}  # by the stamp
        self.sent = 0
        self.views: list[tuple[NovelViews, float]] = []  # and when they came
        self.transitions = 0
        self.memory: list[float] = []
        self.clients = [Client(robot) for _ in range(clients)]
        self._clock = robot.node.create_publisher(Clock, "/clock", 10)
        self._offset = 0.0  # s, of the simulation's time
        self._azimuth = 0.0
        self._silent = False
        self._last = 0.0  # s, steady: when the image of the last views was shown
        robot.node.create_timer(1 / rate, self._show)

    def _now(self) -> Time:
        return self.robot.now() + Duration(seconds=self._offset)

    def _show(self) -> None:
        stamp = self._now()
        self._clock.publish(Clock(clock=stamp.to_msg()))
        was_silent, self._silent = self._silent, time.monotonic() % GAP[0] < GAP[1]
        if not (self._silent or was_silent):  # where TF is silent the camera stands still
            self._azimuth += 0.01
        pose = geometry.look_at(geometry.eye_at(self._azimuth, 0.4, DISTANCE), np.zeros(3))
        if not self._silent:
            self.robot.place("camera", pose, stamp)
        rng = np.random.default_rng(self.sent % 7)
        picture = rng.integers(0, 256, (4, 4, 3), np.uint8).repeat(16, axis=0).repeat(16, axis=1)
        if self.sent % 101 == 50:
            picture = picture[:1, :1]
        frame = "unknown" if self.sent % 89 == 40 else "camera"
        image = conversions.image_from_array(picture, Header(stamp=stamp.to_msg(), frame_id=frame))
        if self.sent % 31 == 7:
            for name, value in MALFORMED[self.sent % len(MALFORMED)].items():
                setattr(image, name, value)
        elif frame == "camera":
            self.shown[key(image)] = Shown(picture, pose, time.monotonic())
        self.sent += 1
        self.robot.publish(image)

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        jumps = itertools.cycle(JUMPS)
        next_jump, next_restart = time.monotonic() + JUMP, time.monotonic() + RESTART
        next_look = 0.0
        while (now := time.monotonic()) < end:
            self.robot.spin_some(0.01)
            self._receive()
            for client in self.clients:
                client.step()
            if now > next_jump:
                self._offset += next(jumps)
                next_jump = now + JUMP
            if now > next_restart:
                self._restart()
                next_restart = now + RESTART
            if now > next_look:
                self.memory.append(self.process.memory)
                next_look = now + 1

    def _receive(self) -> None:
        for views in self.robot.views:
            self.views.append((views, time.monotonic()))
            self._check(views)
        self.robot.views.clear()

    def _check(self, views: NovelViews) -> None:
        shown = self.shown.get(key(views))
        if shown is None:
            self.problems["views of no image"] += 1
            return
        if shown.time <= self._last:
            self.problems["views out of order"] += 1
        self._last = shown.time
        poses = [shown.pose @ conversions.matrix_from_pose(pose) for pose in views.camera_poses]
        if not np.allclose(poses, geometry.orbit(COUNT, [0.5236], DISTANCE), atol=1e-2):
            self.problems["views of a wrong pose"] += 1

    def _restart(self) -> None:
        """Deactivate and activate the node while it works."""
        names = ["DEACTIVATE", "ACTIVATE"]
        if self.transitions // 2 % 2:
            names[1:1] = ["CLEANUP", "CONFIGURE"]
        for name in names:
            self.transitions += 1
            if not self.robot.change_state(name):
                self.problems[f"no transition {name}"] += 1

    def compare(self, renderer, samples: int, steps: int | None) -> None:
        """Compare some responses and views with those of the model."""
        sys.path.append(str(Path(__file__).parents[1]))
        from rendering import render_relative

        def compare(shown: Shown, targets: list[np.ndarray], images: list[Image], what: str):
            conditions = geometry.relative_pose(shown.pose, np.stack(targets))
            truth = render_relative(
                renderer, shown.picture, conditions, samples=samples, seed=0, steps=steps
            ).mean
            errors = [rgb_from_raw(i) - t * 255 for i, t in zip(images, truth, strict=True)]
            if np.abs(errors).max() > 3:  # other threads, other sums
                self.problems[f"{what} not as the model's"] += 1

        calls = [c for client in self.clients for c in client.calls if c.response.success]
        for call in random.sample(calls, min(COMPARED, len(calls))):
            stamp = call.response.source_stamp
            shown = self.shown.get((stamp.sec, stamp.nanosec))
            if shown is None:
                self.problems["answer of no image"] += 1
            else:
                compare(shown, [call.target], [call.response.image], "answer")
        for views, _ in random.sample(self.views, min(COMPARED, len(self.views))):
            if shown := self.shown.get(key(views)):
                targets = geometry.orbit(COUNT, [0.5236], DISTANCE)
                compare(shown, targets, views.images, "views")


def key(message: Image | NovelViews) -> tuple[int, int]:
    return message.header.stamp.sec, message.header.stamp.nanosec


def percentiles(values: list[float], unit: float = 1e3) -> str:
    if not values:
        return "none"
    found = np.percentile(values, [50, 95, 99, 100]) * unit
    return " / ".join(f"{value:.0f}" for value in found)


def said_counts(output: str) -> Counter[str]:
    """Return the image counts that the node logged at its deactivations, summed."""
    counts: Counter[str] = Counter()
    for summary in re.findall(r"inactive; images: (.*)", output):
        for kind, count in re.findall(r"([a-z_ ]+) (\d+)(?:, |$)", summary):
            counts[kind] += int(count)
    return counts


def table(rows: dict[str, object]) -> str:
    width = max(map(len, rows))
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=60.0, help="Hz, of images")
    parser.add_argument("--clients", type=int, default=8, help="that call render_pose")
    parser.add_argument("--weights", default=str(Path(__file__).parents[2] / "weights" / "cars"))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument(
        "--steps", type=int, default=0, help="of a sample; 0: the model's own number"
    )
    options = parser.parse_args()
    random.seed(0)
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 101))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

    parameters = {
        **{"weights": options.weights, "device": options.device, "use_sim_time": "true"},
        **{"views.orbit.count": COUNT, "samples": options.samples, "steps": options.steps},
    }
    load = os.getloadavg()[0]
    robot = Robot()
    process = Process(Path(tempfile.mkdtemp()), "tiny_nvs_ros.node", parameters)
    try:
        stress = Stress(robot, process, options.rate, options.clients)
        robot.spin_until(lambda: robot.views, 120)
        began, cpu, sent = time.monotonic(), process.cpu_time, stress.sent
        stress.run(options.seconds)
        cpu, seconds, sent = process.cpu_time - cpu, time.monotonic() - began, stress.sent - sent
        counts = robot.counts() + said_counts(process.output)
        ending = time.monotonic()
        code = process.end()
        ending = time.monotonic() - ending
    finally:
        process.kill()
        robot.close()

    from tiny_nvs_ros import runtime  # here, because torch takes memory and seconds to import

    stress.compare(runtime.load(options.weights, "cpu"), options.samples, options.steps or None)
    problems = stress.problems
    problems["exit code not 0"] += code != 0
    problems["Traceback in the log"] += process.output.count("Traceback")
    calls = [call for client in stress.clients for call in client.calls]
    reasons = Counter(c.response.message for c in calls if not c.response.success)
    ages = [when - stress.shown[key(v)].time for v, when in stress.views if key(v) in stress.shown]
    latencies = [v.latency.sec + v.latency.nanosec * 1e-9 for v, _ in stress.views]
    rows = {
        "images sent": f"{sent} in {seconds:.0f} s, {sent / seconds:.1f} Hz",
        "views published": f"{len(stress.views)}, {len(stress.views) / seconds:.2f} Hz",
        "latency p50/p95/p99/max": f"{percentiles(latencies)} ms",
        "age p50/p95/p99/max": f"{percentiles(ages)} ms",
        **{f"images, {kind}": count for kind, count in sorted(counts.items())},
        "calls answered": f"{len(calls)}, {len(calls) - sum(reasons.values())} with a view",
        "answer after p50/p95/p99/max": f"{percentiles([c.seconds for c in calls])} ms",
        **{f"calls refused, {reason[:60]}": count for reason, count in reasons.items()},
        "transitions": stress.transitions,
        "memory": " ".join(f"{m:.0f}" for m in stress.memory[:: max(1, len(stress.memory) // 10)])
        + f" MB, at the end {stress.memory[-1]:.0f}",
        "CPU of the node": f"{cpu / seconds:.2f} cores",
        "load of the machine": f"{load:.1f} before, {os.getloadavg()[0]:.1f} after, "
        f"{os.cpu_count()} cores",
        "Ctrl-C": f"exit code {code} after {ending:.1f} s",
        "problems": dict(+problems) or "none",
    }
    print(table(rows))
    if +problems:
        print(process.output[-4000:])
    return bool(+problems)


if __name__ == "__main__":
    sys.exit(main())
