"""Draw a contact sheet of procedural objects: python -m training.data.objects.preview --help"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from tiny_nvs_ros.geometry import eye_at, look_at
from tiny_nvs_ros.image import on_white
from training.data.objects.build import build_object
from training.data.objects.model import FAMILIES
from training.data.renderer import Renderer

AZIMUTH, ELEVATION = 0.9, 0.5  # of the camera, radians


def contact_sheet(objects: list, size: int, columns: int) -> np.ndarray:
    """Return one image (rows * size, columns * size, 3) uint8 of lists of meshes, on white."""
    renderer = Renderer(size)
    pose = look_at(eye_at(AZIMUTH, ELEVATION, 1.3), np.zeros(3))[None]
    sheet = np.full((-(-len(objects) // columns) * size, columns * size, 3), 255, np.uint8)
    for k, meshes in enumerate(objects):
        row, column = divmod(k, columns)
        place = slice(row * size, (row + 1) * size), slice(column * size, (column + 1) * size)
        sheet[place] = on_white(renderer.render(meshes, pose)[0])
    return sheet


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.data.objects.preview",
        description="Draw a contact sheet of procedural objects, to look at what a family makes.",
    )
    parser.add_argument("--out", type=Path, required=True, help="image file")
    parser.add_argument(
        "--count", type=int, default=96, help="objects, or per family (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the series (%(default)s)")
    parser.add_argument("--size", type=int, default=96, help="pixels of an object (%(default)s)")
    parser.add_argument("--columns", type=int, default=12, help="objects in a row (%(default)s)")
    parser.add_argument(
        "--families",
        nargs="+",
        choices=sorted(FAMILIES),
        metavar="NAME",
        help="only these, in turn",
    )
    options = parser.parse_args(arguments)
    if min(options.count, options.size, options.columns) < 1 or options.seed < 0:
        parser.error("--count, --size and --columns must be at least 1, --seed not negative")
    objects = [
        build_object(options.seed, number, family)
        for family in options.families or [None]
        for number in range(options.count)
    ]
    sheet = contact_sheet(objects, options.size, options.columns)
    if not cv2.imwrite(str(options.out), sheet[..., ::-1]):
        parser.exit(2, f"error: cannot write {options.out}\n")


if __name__ == "__main__":
    main()
