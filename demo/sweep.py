"""Record docs/sweep.gif: one image of a car, and what the nvs node answers all around it.

    python demo/sweep.py --out docs/sweep.gif

Every frame is an answer of /nvs/render_pose to a camera that goes once round the car.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from demo import SIDE, Robot, Sheet, azimuth, isolate, nanoseconds, run, wrapped
from tiny_nvs_ros import geometry
from tiny_nvs_ros.image import from_raw
from tiny_nvs_ros.node.camera_player import Sequence
from tiny_nvs_ros.node.imagination import heat

FRAMES, ELEVATION, PERIOD = 60, 0.4, 80  # cameras, rad, ms
TILE, GAP = 160, 12


def sweep(robot: Robot, sequence: Sequence) -> list[np.ndarray]:
    """Pages of the input beside an imagined view and its uncertainty, once round the car."""

    def shows_well() -> bool:
        return bool(robot.views) and abs(wrapped(azimuth(robot.views[-1][1]) - SIDE)) < 0.3

    robot.wait(shows_well, 120, "nvs: no views of an image from the side that shows well")
    shown, T_object_source = robot.views[-1]
    source = robot.images[nanoseconds(shown.header.stamp)]
    # TF forgets after 10 s where a camera was, but not what is static.
    source.header.frame_id = "seen_from"
    robot.place_static("object", source.header.frame_id, T_object_source)
    distance = np.linalg.norm(T_object_source[:3, 3])
    pages = []
    for turn in np.arange(FRAMES) / FRAMES * 2 * np.pi:
        eye = geometry.eye_at(azimuth(T_object_source) + turn, ELEVATION, distance)
        answer = robot.render(geometry.look_at(eye, np.zeros(3)), source)
        spread = np.frombuffer(answer.uncertainty.data, np.float32)
        spread = spread.reshape(answer.uncertainty.height, answer.uncertainty.width)
        sheet = Sheet(3 * TILE + 4 * GAP, TILE + 3 * GAP + 12)
        tiles = (
            ("seen", from_raw(source)),
            (f"imagined, {np.degrees(turn):3.0f} deg", from_raw(answer.image)),
            ("uncertainty", heat(spread)),
        )
        for i, (name, picture) in enumerate(tiles):
            left = GAP + i * (TILE + GAP)
            sheet.words(name, left, GAP + 10, 0.45, centre=TILE)
            sheet.picture(picture, left, 2 * GAP + 12, TILE)
        pages.append(sheet.pixels)
    return pages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="cars", help="a weights folder, or a name")
    parser.add_argument("--car", default="", help="which of demo/cars; the first if not given")
    parser.add_argument("--out", type=Path, default=Path("out/demo/sweep.gif"))
    arguments = parser.parse_args()
    isolate()
    pages = run(arguments.weights, arguments.car, sweep)
    frames = [Image.fromarray(page).quantize(64, dither=Image.Dither.NONE) for page in pages]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    frames[0].save(arguments.out, save_all=True, append_images=frames[1:], duration=PERIOD, loop=0)
    print(f"{arguments.out}: {len(frames)} frames, {arguments.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
