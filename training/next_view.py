"""Measure where the next view is best taken, in a closed loop.

    python -m training.next_view --weights weights/objects --objects 45 --cars 15 \\
        --json next_view.json --picture next_view.png
    python -m training.next_view --weights weights/objects --meshes MESHES

The error is that of the mean imagined views all around the object, root mean square of the colours
(0 to 1), from the 1 to 5 images that a policy takes of 24 candidates, at elevations of 10 and 45
degrees. The first one is the same for all policies. The area under this curve is compared.
"""

import argparse
from pathlib import Path

import cv2

from tiny_nvs_ros import runtime
from tiny_nvs_ros.model.base import replace_file
from training.cli import exit_on_error
from training.eval import next_view
from training.eval.report import to_json
from training.eval.subjects import add_subjects, read_subjects


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.next_view", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--weights", type=Path, required=True, help="folder of the weights")
    add_subjects(parser)
    parser.add_argument("--samples", type=int, default=4, help="of each view (%(default)s)")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    parser.add_argument("--picture", type=Path, help="file for a contact sheet")
    options = parser.parse_args(arguments)
    with exit_on_error(parser):
        if options.samples < 2:
            raise ValueError("--samples must be at least 2")
        files = read_subjects(options)
        renderer = runtime.load(options.weights, "cpu")
        report, sheet = next_view.measure(renderer, files, options.samples)
        print(next_view.table(report))
        report |= {"weights": str(options.weights), "samples": options.samples}
        if options.json:
            replace_file(options.json, lambda file: file.write_text(to_json(report)))
        if options.picture:
            cv2.imwrite(str(options.picture), sheet[..., ::-1])


if __name__ == "__main__":
    main()
