"""Measure the shapes that views imagined by a model fuse to.

    python -m training.shape --weights weights/objects --objects 60 --cars 20 \\
        --json shape.json --picture shape.png
    python -m training.shape --weights weights/objects --meshes MESHES

IoU on the grid of 32^3 voxels, Chamfer-L1 and F-score in terms of the bounding box's diagonal, for
1, 2 and 4 sources from random cameras; the baselines are of the same run.
"""

import argparse
from pathlib import Path

import cv2

from tiny_nvs_ros import runtime
from tiny_nvs_ros.model.base import replace_file
from training.cli import exit_on_error
from training.eval import shape
from training.eval.report import to_json
from training.eval.shape_baselines import TrainingShapes
from training.eval.subjects import add_subjects, read_subjects

TRAINING_SEED = 0


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.shape", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--weights", type=Path, required=True, help="folder of the weights")
    add_subjects(parser)
    shape.add_arguments(parser)
    parser.add_argument("--json", type=Path, help="file for the numbers")
    parser.add_argument("--picture", type=Path, help="file for a contact sheet")
    options = parser.parse_args(arguments)
    with exit_on_error(parser):
        if options.samples < 2 or options.train_objects < 0:
            raise ValueError("--samples must be at least 2, --train-objects at least 0")
        files, training = read_subjects(options), None
        renderer = runtime.load(options.weights, "cpu")
        if options.train_objects:
            training = TrainingShapes.build(
                options.train_objects,
                options.train_objects // 3,
                TRAINING_SEED,
                options.displaced,
            )
        report, sheet = shape.measure(renderer, files, training, options.samples)
        print(shape.tables(report))
        report |= {"weights": str(options.weights), "samples": options.samples}
        if options.json:
            replace_file(options.json, lambda file: file.write_text(to_json(report)))
        if options.picture:
            cv2.imwrite(str(options.picture), sheet[..., ::-1])


if __name__ == "__main__":
    main()
