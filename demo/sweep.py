"""Records docs/sweep.gif: the views that the nvs node imagines of one image from all around.

    python demo/sweep.py --out docs/sweep.gif

Every frame is a response of /nvs/render_pose to a camera on a circle around the object.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from processes import ROOT, isolate
from sheet import Sheet
from simulated_robot import Robot, azimuth, nanoseconds, wrap

from demo import INPUT_AZIMUTH, run
from tiny_nvs_ros import geometry
from tiny_nvs_ros.decode import rgb_from_raw
from tiny_nvs_ros.node.camera_player import Sequence
from tiny_nvs_ros.pipeline import colormap

FRAMES = 60
ELEVATION = 0.4  # rad
FRAME_PERIOD_MS = 80
TILE, GAP = 160, 12  # pixels


def sweep(robot: Robot, sequence: Sequence) -> list[np.ndarray]:
    """Return a page for each camera on the circle: input, imagined view, uncertainty."""

    def from_input_azimuth() -> bool:
        if not robot.views:
            return False
        return abs(wrap(azimuth(robot.views[-1][1]) - INPUT_AZIMUTH)) < 0.3

    robot.wait(from_input_azimuth, 120, "nvs: no views of an image from the input azimuth")
    shown, T_object_source = robot.views[-1]
    source = robot.images[nanoseconds(shown.header.stamp)]
    # TF keeps moving frames for 10 s, static ones for ever.
    source.header.frame_id = "source_camera"
    robot.place_static("object", source.header.frame_id, T_object_source)
    distance = np.linalg.norm(T_object_source[:3, 3])
    pages = []
    for angle in np.arange(FRAMES) / FRAMES * 2 * np.pi:
        eye = geometry.eye_at(azimuth(T_object_source) + angle, ELEVATION, distance)
        answer = robot.render(geometry.look_at(eye, np.zeros(3)), source)
        spread = np.frombuffer(answer.uncertainty.data, np.float32)
        spread = spread.reshape(answer.uncertainty.height, answer.uncertainty.width)
        sheet = Sheet(3 * TILE + 4 * GAP, TILE + 3 * GAP + 12)
        tiles = (
            ("input", rgb_from_raw(source)),
            (f"imagined, {np.degrees(angle):3.0f} deg", rgb_from_raw(answer.image)),
            ("uncertainty", colormap(spread)),
        )
        for i, (name, image) in enumerate(tiles):
            left = GAP + i * (TILE + GAP)
            sheet.text(name, left, GAP + 10, 0.45, centre=TILE)
            sheet.image(image, left, 2 * GAP + 12, TILE)
        pages.append(sheet.pixels)
    return pages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--weights", default="cars", help="a weights folder, or the name of one in weights/"
    )
    parser.add_argument("--object", default="cars/car_2_00046", help="folder of it in demo/")
    parser.add_argument("--out", type=Path, default=Path("out/demo/sweep.gif"))
    arguments = parser.parse_args()
    isolate()
    pages = run(arguments.weights, ROOT / "demo" / arguments.object, sweep)
    frames = [Image.fromarray(page).quantize(64, dither=Image.Dither.NONE) for page in pages]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    frames[0].save(
        arguments.out, save_all=True, append_images=frames[1:], duration=FRAME_PERIOD_MS, loop=0
    )
    print(f"{arguments.out}: {len(frames)} frames, {arguments.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
