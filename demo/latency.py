"""Measures the latency of the nvs node over DDS: from publishing an image to receiving its views.

    python demo/latency.py --json latency.json

The node runs in its own process. This process publishes crops of a car at a fixed rate and receives
the views; then it calls ~/render_pose while the camera continues.
"""

import argparse
import json
import os
import platform
import sys
import threading
import time
from pathlib import Path

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TransformStamped
from processes import ROOT, Client, DemoFailed, Process, isolate, running
from rclpy.node import Node
from sensor_msgs.msg import Image
from simulated_robot import nanoseconds
from std_msgs.msg import Header
from tf2_ros import StaticTransformBroadcaster, TransformBroadcaster

from tiny_nvs_ros import geometry
from tiny_nvs_ros.msg import NovelViews
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.camera import T_WORLD_OBJECT
from tiny_nvs_ros.node.camera_player import Sequence, read_sequence
from tiny_nvs_ros.srv import RenderPose

GOALS = {"p50": 0.025, "p99": 0.060}  # s, on two cores
PERCENTILES = (50, 90, 99)
WARM_UP_S = 1.0  # not measured
REQUEST_DISTANCE = 1.3  # m, of the requested cameras


class Camera:
    """Publishes images and TF from its own thread, so that receiving does not delay it."""

    def __init__(self, node: Node, sequence: Sequence, rate: float):
        """rate: images a second (Hz)."""
        self.published: dict[int, float] = {}  # by stamp (ns): time just before publishing (s)
        self.late: list[float] = []  # delay of each image to its due time, s
        self._clock = node.get_clock()
        self._frames, self._rate = sequence.frames, rate
        self._publisher = node.create_publisher(Image, "image", 1)
        self._tf = TransformBroadcaster(node)
        self._static_tf = StaticTransformBroadcaster(node)
        world = Header(stamp=self._clock.now().to_msg(), frame_id="world")
        self._static_tf.sendTransform(transform(world, "object", T_WORLD_OBJECT))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera")

    def __enter__(self) -> "Camera":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        due = began = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            try:
                self._publish()
            except Exception:
                if rclpy.ok():  # else Ctrl-C interrupted it
                    raise
                return
            self.late.append(time.monotonic() - due)
            due = began + len(self.late) / self._rate

    def _publish(self) -> None:
        frame = self._frames[len(self.late) % len(self._frames)]
        stamp = self._clock.now().to_msg()
        world = Header(stamp=stamp, frame_id="world")
        self._tf.sendTransform(transform(world, "camera", T_WORLD_OBJECT @ frame.pose))
        header = Header(stamp=stamp, frame_id="camera")
        image = conversions.image_from_array(frame.image, header)
        self.published[nanoseconds(stamp)] = time.monotonic()
        self._publisher.publish(image)


def transform(header: Header, child: str, matrix: np.ndarray) -> TransformStamped:
    message = TransformStamped(header=header, child_frame_id=child)
    message.transform = conversions.transform_from_matrix(matrix)
    return message


class Usage:
    """CPU time and memory of a process, from now on."""

    def __init__(self, process: Process):
        self._folder = Path(f"/proc/{process.pid}")
        self.began, self._cpu_began = time.monotonic(), self._cpu_time()

    def _cpu_time(self) -> float:
        """CPU time of all its threads, s."""
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def until_now(self) -> dict[str, float]:
        """Return seconds; cpu: mean number of busy cores; memory: resident bytes."""
        seconds = time.monotonic() - self.began
        pages = int((self._folder / "statm").read_text().split()[1])
        return {
            "seconds": seconds,
            "cpu": (self._cpu_time() - self._cpu_began) / seconds,
            "memory": pages * os.sysconf("SC_PAGE_SIZE"),
        }


class Listener(Client):
    """Receives the node's views and responses, and times them."""

    def __init__(self, nvs: Process):
        super().__init__("latency", [nvs])
        self._nvs = nvs
        self.diagnostics: dict[str, str] = {}  # values of the last message
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        self._render_pose = self.node.create_client(RenderPose, "/nvs/render_pose")

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self.diagnostics = {value.key: value.value for value in message.status[0].values}

    def spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() >= end, seconds + 60, "no end")

    def frames(self, camera: Camera, seconds: float) -> dict:
        """Measure the images of the camera for `seconds`. Returns s and Hz."""
        answers: dict[int, tuple[float, float]] = {}  # by stamp: arrival, latency in the node

        def on_views(message: NovelViews) -> None:
            now = time.monotonic()
            answers[nanoseconds(message.header.stamp)] = now, nanoseconds(message.latency) * 1e-9

        views = self.node.create_subscription(NovelViews, "/nvs/novel_views", on_views, 10)
        self.wait(lambda: answers, 120, "nvs: nothing on /nvs/novel_views")
        self.spin(WARM_UP_S)
        usage = Usage(self._nvs)
        self.spin(seconds)
        used = usage.until_now()
        end = usage.began + used["seconds"]
        images = {s: t for s, t in camera.published.copy().items() if usage.began <= t < end}
        # Views arrive in the order of their images: after a newer one, no older one follows.
        self.wait(lambda: max(answers) > max(images), 60, "nvs: no more on /nvs/novel_views")
        self.node.destroy_subscription(views)
        answered = [stamp for stamp in images if stamp in answers]
        if not answered:
            raise DemoFailed(f"nvs: no views of images of {seconds:g} s; give more --seconds")
        return {
            **percentiles([answers[stamp][0] - images[stamp] for stamp in answered]),
            "node_p50": float(np.median([answers[stamp][1] for stamp in answered])),
            "published": len(images),
            "answered": len(answered),
            "dropped": len(images) - len(answered),
            "rate": len(answered) / used["seconds"],
            **used,
        }

    def render_pose(self, seconds: float) -> dict:
        """Measure calls of ~/render_pose, one after the other, for `seconds`. Returns s and Hz."""
        self.wait(self._render_pose.service_is_ready, 10, "nvs: /nvs/render_pose did not appear")
        end = time.monotonic() + WARM_UP_S
        while time.monotonic() < end:
            self._call(0.0)
        usage = Usage(self._nvs)
        calls: list[tuple[float, float]] = []
        while time.monotonic() < usage.began + seconds:
            calls.append(self._call(0.1 * len(calls)))
        used = usage.until_now()
        durations, in_node = zip(*calls, strict=True)
        return {
            **percentiles(durations),
            "node_p50": float(np.median(in_node)),
            "calls": len(calls),
            "rate": len(calls) / used["seconds"],
            **used,
        }

    def _call(self, azimuth: float) -> tuple[float, float]:
        """Request a view. Returns how long it took, and how long in the node (s)."""
        request = RenderPose.Request()
        request.camera_pose.header.frame_id = "object"
        pose = geometry.look_at(geometry.eye_at(azimuth, 0.5, REQUEST_DISTANCE), np.zeros(3))
        request.camera_pose.pose = conversions.pose_from_matrix(pose)
        began = time.monotonic()
        answer = self._render_pose.call_async(request)
        self.wait(answer.done, 60, "nvs: /nvs/render_pose did not answer")
        duration = time.monotonic() - began
        if not answer.result().success:
            raise DemoFailed(f"nvs: /nvs/render_pose refused: {answer.result().message}")
        return duration, nanoseconds(answer.result().render_time) * 1e-9


def percentiles(values: list[float]) -> dict[str, float]:
    found = np.percentile(values, PERCENTILES).tolist()
    return {f"p{percent}": value for percent, value in zip(PERCENTILES, found, strict=True)}


def cpu_name() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def measure(options: argparse.Namespace) -> dict:
    """Return the report that --json writes: seconds, Hz, bytes. Raises DemoFailed."""
    load = os.getloadavg()[0]
    sequence = read_sequence(ROOT / "demo" / "cars")
    parameters = {
        "weights": options.weights,
        "runtime": options.runtime,
        "object_heading": options.heading,
        "samples": options.samples,
        "views.orbit.count": options.views,
    }
    with running({"nvs": ("tiny_nvs_ros.node", parameters)}) as (nvs,):
        listener = Listener(nvs)
        with Camera(listener.node, sequence, options.rate) as camera:
            frames = listener.frames(camera, options.seconds)
            diagnostics = listener.diagnostics
            render_pose = listener.render_pose(options.seconds)
    return {
        "machine": {
            "cpu": cpu_name(),
            "cores": len(os.sched_getaffinity(0)),
            "load": round(load, 1),
            "rmw": rclpy.get_rmw_implementation_identifier(),
        },
        "node": {key: diagnostics.get(key, "unknown") for key in ("weights", "device", "runtime")},
        "dropped_since_start": {
            key.removeprefix("dropped, "): int(value)
            for key, value in diagnostics.items()
            if key.startswith("dropped, ")
        },
        "camera": {
            "size": list(sequence.frames[0].image.shape[:2]),
            "rate": options.rate,
            "late_p99": float(np.percentile(camera.late, 99)),
        },
        "views": options.views,
        "samples": options.samples,
        "heading": options.heading,
        "goals": GOALS,
        "frames": frames,
        "render_pose": render_pose,
    }


def table(report: dict) -> str:
    """Return the report as a Markdown table with a line of facts."""
    machine, node, camera = report["machine"], report["node"], report["camera"]
    frames, calls = report["frames"], report["render_pose"]
    answered = {
        "frames": f"{frames['answered']} of {frames['published']} images, "
        f"{frames['dropped']} dropped, {frames['rate']:.1f} Hz",
        "render_pose": f"{calls['calls']} calls, {calls['rate']:.1f} per second",
    }
    lines = []
    for phase, text in answered.items():
        row = report[phase]
        cells = {"": phase}
        for percent in (f"p{percent}" for percent in PERCENTILES):
            cells[f"{percent}, ms"] = f"{1e3 * row[percent]:.1f}"
            if goal := report["goals"].get(percent):
                met = "met" if row[percent] < goal else "not met"
                cells[f"goal of {percent}"] = f"< {1e3 * goal:.0f}: {met}"
        cells["p50 in the node, ms"] = f"{1e3 * row['node_p50']:.1f}"
        cells["answered"] = text
        cells["CPU of the node, cores"] = f"{row['cpu']:.2f}"
        cells["its memory, MB"] = f"{row['memory'] / 1e6:.0f}"
        lines.append(f"| {' | '.join(cells.values())} |")
    lines = [f"| {' | '.join(cells)} |", f"| --- |{' --- |' * (len(cells) - 1)}", *lines]
    drops = ", ".join(f"{kind} {n}" for kind, n in report["dropped_since_start"].items())
    height, width = camera["size"]
    facts = [
        f"{machine['cpu']}, {machine['cores']} cores, load {machine['load']} before",
        f"weights {node['weights']}, {node['device']}, runtime {node['runtime']}",
        f"{report['views']} views x {report['samples']} samples, heading {report['heading']}",
        f"images of {width}x{height} at {camera['rate']:g} Hz for {frames['seconds']:.1f} s, "
        f"delay {1e3 * camera['late_p99']:.1f} ms (p99)",
        f"{machine['rmw']}; images dropped since the node's start: {drops or 'none'}",
    ]
    return "\n".join([*lines, "", "; ".join(facts)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--weights", default="objects", help="a weights folder, or the name of one in weights/"
    )
    parser.add_argument(
        "--runtime", default="auto", help="the node's parameter runtime (%(default)s)"
    )
    parser.add_argument("--heading", choices=("known", "unknown"), default="unknown")
    parser.add_argument("--views", type=int, default=8, help="views of an image (%(default)s)")
    parser.add_argument("--samples", type=int, default=4, help="samples of a view (%(default)s)")
    parser.add_argument("--rate", type=float, default=30.0, help="images per second (%(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="duration of each measurement, s (%(default)s)"
    )
    parser.add_argument("--json", type=Path, help="JSON file to write")
    options = parser.parse_args()
    if not (options.rate >= 1 and options.seconds >= 1):
        parser.error("--rate and --seconds must be at least 1")
    isolate()
    try:
        if options.json and not options.json.parent.is_dir():
            raise FileNotFoundError(f"{options.json}: no folder {options.json.parent}")
        report = measure(options)
        print(table(report))
        if options.json:
            options.json.write_text(json.dumps(report, indent=2) + "\n")
    except (DemoFailed, OSError, ValueError) as failure:
        print(f"not measured: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
