"""Runs the nvs node on two objects and draws the imagined views: python demo/demo.py

For each object it starts a camera player and the nvs node as processes that talk over DDS, waits
for imagined views, requests one more from a camera between them, and draws them into
out/demo/novel_views.png beside the real images.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from processes import ROOT, DemoFailed, isolate, running
from sensor_msgs.msg import Image
from sheet import Sheet
from simulated_robot import Robot, azimuth, nanoseconds, wrap

from tiny_nvs_ros import geometry
from tiny_nvs_ros.decode import rgb_from_raw
from tiny_nvs_ros.geometry import SRN_CAMERA
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.camera_player import Sequence, read_sequence
from tiny_nvs_ros.pipeline import colormap

T = TypeVar("T")
OBJECTS = "things/object_77_00089", "cars/car_2_00046"  # of this folder
INPUT_AZIMUTH = -0.9  # rad: of the input image that is drawn, a three-quarter view from the front


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
