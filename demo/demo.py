"""Runs the nvs node on two objects and draws the imagined views: python demo/demo.py

For each object it starts a camera player and the nvs node as processes that talk over DDS, waits
for imagined views, requests one more from a camera between them, and draws them into
out/demo/novel_views.png beside the real images.
"""

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import rclpy
from geometry_msgs.msg import TransformStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.time import Time
from sensor_msgs.msg import Image
from tf2_ros import Buffer, StaticTransformBroadcaster, TransformListener

from tiny_nvs_ros import geometry
from tiny_nvs_ros.decode import rgb_from_raw
from tiny_nvs_ros.geometry import SRN_CAMERA
from tiny_nvs_ros.image import resize
from tiny_nvs_ros.msg import NovelViews
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.camera_player import Sequence, read_sequence
from tiny_nvs_ros.pipeline import colormap
from tiny_nvs_ros.srv import RenderPose

ROOT = Path(__file__).resolve().parents[1]
T = TypeVar("T")
OBJECTS = "things/object_77_00089", "cars/car_2_00046"  # of this folder
INPUT_AZIMUTH = -0.9  # rad: of the input image that is drawn, a three-quarter view from the front


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


class Robot(Client):
    """Receives images, views and TF, and requests single views."""

    def __init__(self, processes: list[Process]):
        super().__init__("demo", processes)
        self._buffer = Buffer()
        self._listener = TransformListener(self._buffer, self.node)
        self.images: dict[int, Image] = {}  # by stamp (ns)
        self.views: list[tuple[NovelViews, np.ndarray]] = []  # with T_object_camera of their input
        self.node.create_subscription(Image, "image", self._on_image, 10)
        self.node.create_subscription(NovelViews, "/nvs/novel_views", self._on_views, 10)
        self._static_tf = StaticTransformBroadcaster(self.node)
        self._render_pose = self.node.create_client(RenderPose, "/nvs/render_pose")

    def _on_image(self, message: Image) -> None:
        self.images[nanoseconds(message.header.stamp)] = message

    def _on_views(self, message: NovelViews) -> None:
        where = (message.object_frame, message.header.frame_id, Time.from_msg(message.header.stamp))
        if nanoseconds(message.header.stamp) in self.images and self._buffer.can_transform(*where):
            transform = self._buffer.lookup_transform(*where).transform
            self.views.append((message, conversions.matrix_from_transform(transform)))

    def place_static(self, parent: str, child: str, T_parent_child: np.ndarray) -> None:
        """Publish a static transform."""
        transform = TransformStamped(child_frame_id=child)
        transform.header.frame_id = parent
        transform.transform = conversions.transform_from_matrix(T_parent_child)
        self._static_tf.sendTransform(transform)

    def render(self, T_object_camera: np.ndarray, source: Image) -> RenderPose.Response:
        """Request one view of an image from ~/render_pose. Raises DemoFailed if it is refused."""
        request = RenderPose.Request(source_image=source)
        request.camera_pose.header.frame_id = "object"
        request.camera_pose.pose = conversions.pose_from_matrix(T_object_camera)
        self.wait(self._render_pose.service_is_ready, 10, "nvs: /nvs/render_pose did not appear")
        answer = self._render_pose.call_async(request)
        self.wait(answer.done, 30, "nvs: /nvs/render_pose did not answer")
        if not answer.result().success:
            raise DemoFailed(f"nvs: /nvs/render_pose refused: {answer.result().message}")
        return answer.result()


@dataclass(frozen=True)
class View:
    """An imagined view and the real image. angle: about the object from the input camera, rad."""

    angle: float
    imagined: np.ndarray
    uncertainty: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True)
class Result:
    """Received views and times.

    sources: number of images that the views were imagined from; source: the newest. rate: of
    NovelViews, Hz; latency, render_time: s. requested: the view of ~/render_pose.
    """

    source: np.ndarray
    sources: int
    views: list[View]
    requested: View
    rate: float
    latency: float
    render_time: float


def collect(robot: Robot, sequence: Sequence) -> Result:
    """Wait for views, and request one more from between two of them."""
    robot.wait(lambda: robot.images, 30, "camera_player: no image on /image")
    robot.wait(lambda: robot.views, 60, "nvs: nothing on /nvs/novel_views")
    robot.views.clear()
    began = time.monotonic()

    def enough() -> bool:
        """Two messages and 4 s, and the last one from near INPUT_AZIMUTH unless 9 s have passed."""
        passed = time.monotonic() - began
        if len(robot.views) < 2 or passed < 4:
            return False
        return passed > 9 or abs(wrap(azimuth(robot.views[-1][1]) - INPUT_AZIMUTH)) < 0.5

    robot.wait(enough, 60, "nvs: no more than one message on /nvs/novel_views")
    rate = len(robot.views) / (time.monotonic() - began)
    latency = statistics.median(nanoseconds(views.latency) for views, _ in robot.views) * 1e-9

    shown, T_object_source = robot.views[-1]  # TF keeps 10 s
    source = robot.images[nanoseconds(shown.header.stamp)]
    poses = [T_object_source @ conversions.matrix_from_pose(p) for p in shown.camera_poses]

    distance = np.linalg.norm(T_object_source[:3, 3])
    between = azimuth(poses[0]) + np.pi / len(poses)
    requested = geometry.look_at(geometry.eye_at(between, np.pi / 6, distance), np.zeros(3))
    answer = robot.render(requested, source)

    def view(pose: np.ndarray, image: Image, uncertainty: Image) -> View:
        return View(
            wrap(azimuth(pose) - azimuth(T_object_source)),
            rgb_from_raw(image),
            np.frombuffer(uncertainty.data, np.float32).reshape(image.height, image.width),
            nearest_image(sequence, pose),
        )

    return Result(
        rgb_from_raw(source),
        shown.sources,
        [view(*each) for each in zip(poses, shown.images, shown.uncertainties, strict=True)],
        view(requested, answer.image, answer.uncertainty),
        rate,
        latency,
        nanoseconds(answer.render_time) * 1e-9,
    )


def nearest_image(sequence: Sequence, pose: np.ndarray) -> np.ndarray:
    """Return the real image whose camera stands nearest to the direction of a pose."""
    direction = pose[:3, 3] / np.linalg.norm(pose[:3, 3])
    return max(sequence.frames, key=lambda frame: frame.pose[:3, 3] @ direction).image


def nanoseconds(time_or_duration: object) -> int:
    return time_or_duration.sec * 10**9 + time_or_duration.nanosec


def azimuth(T_object_camera: np.ndarray) -> float:
    """Return the azimuth of a camera about the object, rad."""
    return float(np.arctan2(T_object_camera[1, 3], T_object_camera[0, 3]))


def wrap(angle: float) -> float:
    """Return an angle in [-pi, pi)."""
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


class Sheet:
    """A white page for images and text; positions and sizes in pixels."""

    def __init__(self, width: int, height: int):
        self.pixels = np.full((height, width, 3), 255, np.uint8)

    def image(self, image: np.ndarray, left: int, top: int, size: int) -> None:
        """Draw an image (H x W x 3 uint8 RGB) with visible square pixels."""
        small = resize(image, min(32, image.shape[0]))
        big = cv2.resize(small, (size, size), interpolation=cv2.INTER_NEAREST)
        self.pixels[top : top + size, left : left + size] = big
        cv2.rectangle(self.pixels, (left, top), (left + size - 1, top + size - 1), (205,) * 3)

    def text(
        self, text: str, left: int, top: int, size: float = 0.5, ink: int = 60, centre: int = 0
    ) -> None:
        """Draw text. ink: grey value. centre: width in which the text is centred, 0 for none."""
        font = cv2.FONT_HERSHEY_DUPLEX
        (width, _), _ = cv2.getTextSize(text, font, size, 1)
        place = (left + max(0, centre - width) // 2, top)
        cv2.putText(self.pixels, text, place, font, size, (ink,) * 3, 1, cv2.LINE_AA)


def draw(result: Result) -> np.ndarray:
    """Draw the input on the left, then each view: imagined, its uncertainty, and the real image."""
    tile, gap, big = 96, 8, 208
    columns = [*sorted(result.views, key=lambda view: view.angle % (2 * np.pi)), result.requested]
    left = gap * 3 + big + 120
    sheet = Sheet(left + len(columns) * (tile + gap) + 4 * gap, 3 * (tile + gap) + 64)
    middle = 56 + (3 * (tile + gap) - gap - big) // 2
    others = "" if result.sources == 1 else f" (the newest of {result.sources})"
    sheet.text(f"input{others}", 2 * gap, middle - 12, centre=big)
    sheet.image(result.source, 2 * gap, middle, big)
    rows = [("imagined", 0), ("uncertainty", 1), ("real", 2)]
    for name, row in rows:
        sheet.text(name, left - 108, 56 + row * (tile + gap) + tile // 2 + 4)
    for i, view in enumerate(columns):
        last = i == len(columns) - 1
        x = left + i * (tile + gap) + (2 * gap if last else 0)
        sheet.text(f"{np.degrees(view.angle):+.0f} deg", x, 44, 0.45, centre=tile)
        for row, image in enumerate((view.imagined, colormap(view.uncertainty), view.truth)):
            sheet.image(image, x, 56 + row * (tile + gap), tile)
        if last:
            sheet.text("requested", x, 24, 0.45, centre=tile)
    sheet.text("orbit: degrees from the input's camera", left, 24, 0.45)
    return sheet.pixels


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


def run(weights: str, folder: Path, collect: Callable[[Robot, Sequence], T]) -> T:
    """Run a camera player and the node, and return what `collect` returns. Raises DemoFailed.

    folder: the object's images and poses.
    """
    sequence = read_sequence(folder)
    player = {"folder": folder, "rate": 15.0}
    parts = {
        "camera_player": ("tiny_nvs_ros.node.camera_player", player),
        "nvs": ("tiny_nvs_ros.node", {"weights": weights, "object_radius": SRN_CAMERA.radius}),
    }
    with running(parts) as processes:
        print(f"camera_player and nvs are running with {sequence.name}", flush=True)
        return collect(Robot(processes), sequence)


def describe(result: Result) -> str:
    return (
        f"/nvs/novel_views: {len(result.views)} views an image, {result.rate:.1f} images/s, "
        f"latency {result.latency * 1e3:.0f} ms\n"
        f"/nvs/render_pose: {result.render_time * 1e3:.0f} ms"
    )


def isolate() -> None:
    """Use a random ROS domain on this machine alone, so that other ROS nodes do not interfere."""
    os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randrange(1, 102))
    if os.environ.get("ROS_DISTRO") == "humble":
        os.environ["ROS_LOCALHOST_ONLY"] = "1"
    else:
        os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--weights", default="objects", help="a weights folder, or the name of one in weights/"
    )
    parser.add_argument(
        "--objects",
        nargs="+",
        default=OBJECTS,
        metavar="FOLDER",
        help=f"of demo/, or other folders of one object ({' '.join(OBJECTS)})",
    )
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="folder to write")
    arguments = parser.parse_args()
    isolate()
    began = time.monotonic()
    results = []
    try:
        for name in arguments.objects:
            results.append(run(arguments.weights, ROOT / "demo" / name, collect))
            print(describe(results[-1]), flush=True)
    except (DemoFailed, OSError, ValueError) as failure:
        print(f"demo failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "novel_views.png"
    cv2.imwrite(str(file), np.concatenate([draw(result) for result in results])[..., ::-1])
    print(f"wrote {file} after {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
