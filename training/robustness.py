"""Evaluate a model under what robots have: wrong frames and scale, dirty masks, other light ...

    python -m training.robustness --weights weights/objects --data data/scans/ycb \\
        --farther data/scans/ycb_5 data/scans/ycb_8 --input-views 0 1 2 3 --sources 1 4 \\
        --compare weights/cars --json robustness.json --picture robustness.png

Each row of the table has one disturbance, at one of two levels; the row "robot" has all of them at
their first level. An object frame that is off and a wrong object_radius turn and zoom cameras that
stay where they are, so sources and truths are warped by a homography, which is exact up to
resampling. Cameras farther away must be rendered: --farther takes splits that the command of --data
rendered again with `--distance D D`. All else disturbs the sources alone.
"""

import argparse
import time
from dataclasses import asdict, replace
from pathlib import Path

import cv2

from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.base import replace_file
from tiny_nvs_ros.srn_data import SrnSplit
from training.cli import check_device, exit_on_error
from training.eval.disturbances import rows
from training.eval.options import add_arguments, check_least, check_outputs, protocol_of
from training.eval.report import environment, to_json
from training.eval.robustness import Farther, Robustness, table


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.robustness", description=__doc__.partition("\n")[0]
    )
    add_arguments(parser, input_views=[0])
    parser.add_argument(
        "--farther",
        type=Path,
        nargs="+",
        default=[],
        metavar="SPLIT",
        help="splits with the same views from farther away; the first is the robot's",
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="WEIGHTS",
        help="weights folder of another model, with the first number of sources",
    )
    options = parser.parse_args(arguments)
    check_least(parser, options, samples=2)
    with exit_on_error(parser):
        print(table(run(options)["cases"]))


def run(options: argparse.Namespace) -> dict:
    """Evaluate as the command line says, write JSON and picture; return the JSON's content."""
    start = time.monotonic()
    check_device(options.device)
    protocol = protocol_of(options)
    cases = [(options.weights, sources) for sources in options.sources]
    if options.compare:
        cases.append((options.compare, options.sources[0]))
    models = {
        folder: NovelViewModel.from_pretrained(folder, options.device)
        for folder in dict.fromkeys(folder for folder, _ in cases)
    }
    for folder, sources in cases:
        replace(protocol, sources=sources).check(models[folder])
    check_outputs(options)
    instances = SrnSplit(options.data, keep_distance=True).instances[: options.instances]
    targets = sum(len(protocol.targets(instance)) for instance in instances)  # also checks them
    farther = Farther(instances, options.farther)
    disturbances = rows(farther.distances)
    results = []
    for folder, sources in cases:
        robustness = Robustness(
            models[folder], replace(protocol, sources=sources), disturbances, farther
        )
        result = robustness.evaluate(instances)
        if options.picture and not results:
            cv2.imwrite(str(options.picture), robustness.draw()[..., ::-1])
        sampler = models[folder].sampler(protocol.steps)
        case = {"weights": str(folder), "sources": sources, "sampler": sampler}
        results.append({**case, "disturbances": result})
    report = {
        "cases": results,
        "counts": {"instances": len(instances), "targets": targets, "samples": options.samples},
        "protocol": asdict(protocol) | {"sources": options.sources},
        "data": str(options.data),
        "farther": [str(path) for path in options.farther],
        "seconds": round(time.monotonic() - start, 1),
        **environment(models[options.weights].device),
    }
    replace_file(options.json, lambda file: file.write_text(to_json(report)))
    return report


if __name__ == "__main__":
    main()
