"""Evaluate a model by the protocol of SRN cars, beside baselines.

    python -m training.evaluate --weights weights/cars --data data/cars/cars_test \\
        --train-data data/cars/cars_train --json evaluation.json --picture evaluation.png

One view of each instance is the input, all others are targets; a score is the mean over the targets
of an instance, then over the instances (Sitzmann et al. 2019). Every draw depends on the seed, the
instance's name and the view's number alone, so a part of a set gives the same views as the whole.

    python -m training.evaluate --weights weights/objects --data data/scans --json sources.json \
        --input-views 0 1 2 3 --sources 1 2 4

With several numbers of sources, the first n input views are given; the targets are the same for
all: the views that are no input view.
"""

import argparse
import time
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np

from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.base import replace_file
from tiny_nvs_ros.model.request import MAX_VIEWS_AT_ONCE
from tiny_nvs_ros.srn_data import SrnInstance, SrnSplit
from training import history
from training.cli import check_device, exit_on_error
from training.data.silhouettes import check_silhouettes
from training.eval.baselines import TrainingViews
from training.eval.methods import Methods
from training.eval.metrics import spread_skill
from training.eval.options import add_arguments, check_least, check_outputs, protocol_of
from training.eval.picture import EvaluationPicture
from training.eval.report import MODEL_TITLES, environment, table, to_json, write_card
from training.eval.scores import mean_scores, score
from training.progress import track


def evaluate(
    methods: Methods, instances: list[SrnInstance], picture: EvaluationPicture | None = None
) -> dict[str, dict[str, float]]:
    """Return means over the views, then over the instances, by method and metric."""
    batch = max(1, MAX_VIEWS_AT_ONCE // methods.protocol.samples)
    means = []
    for instance in track(instances, unit="instance"):
        targets, parts = methods.protocol.targets(instance), []
        for some in np.split(targets, range(batch, len(targets), batch)):
            shown = methods.show(instance, some)
            parts.append(score(shown))
            if picture:
                picture.offer(instance.name, some, shown, parts[-1]["model"]["psnr"])
        means.append(mean_scores(parts))
    result = mean_scores(means)
    if methods.protocol.samples > 1:
        for numbers in (result[name] for name in MODEL_TITLES if name in result):
            for part in ("", "colour", "alpha", "depth"):
                variance, error = (
                    numbers.pop(f"{part}_{key}".lstrip("_"), None)
                    for key in ("variance", "squared_error")
                )
                if variance is not None:
                    numbers[f"spread_skill_{part}".rstrip("_")] = spread_skill(variance, error)
    return result


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate", description=__doc__.partition("\n")[0]
    )
    add_arguments(parser, input_views=[64])
    parser.add_argument(
        "--train-data", type=Path, help="training split, for mean_view and nearest_neighbour"
    )
    parser.add_argument(
        "--regressor", type=Path, help="weights folder that `training.train regressor` made"
    )
    parser.add_argument(
        "--compare",
        "--beside",  # the old name
        type=Path,
        metavar="WEIGHTS",
        help="weights folder of another model to compare with, for the numbers of sources it takes",
    )
    parser.add_argument(
        "--card", action="store_true", help="write the numbers into the weights' config.json too"
    )
    options = parser.parse_args(arguments)
    check_least(parser, options)
    with exit_on_error(parser):
        report = run(options)
        print(table(report, options.samples))
        if options.card:
            write_card(options.weights / "config.json", report)


def run(options: argparse.Namespace) -> dict:
    """Evaluate as the command line says, write JSON and picture; return the JSON's content."""
    start = time.monotonic()
    check_device(options.device)
    model = _load(options.weights, options.device, regressor=False)
    regressor = options.regressor and _load(options.regressor, options.device, regressor=True)
    compared = options.compare and _load(options.compare, options.device, regressor=False)
    protocol = protocol_of(options)
    for each in filter(None, (model, regressor)):
        protocol.check(each)
    instances = SrnSplit(options.data, keep_distance=True).instances[: options.instances]
    targets = sum(len(protocol.targets(instance)) for instance in instances)  # also checks them
    check_silhouettes(instances)
    check_outputs(options)
    training = options.train_data and TrainingViews(
        SrnSplit(options.train_data).load(model.config.size, on_disk=True)
    )
    picture = options.picture and EvaluationPicture(instances, protocol)
    results = {}
    for sources in options.sources:
        takes = compared is not None and sources <= compared.config.max_sources
        of_sources = replace(protocol, sources=sources)
        methods = Methods(model, of_sources, training, regressor, compared if takes else None)
        results[sources] = evaluate(methods, instances, None if results else picture)
    if picture:
        cv2.imwrite(str(options.picture), picture.draw()[..., ::-1])
    report = {
        **results[options.sources[0]],
        **({"by_sources": results} if len(results) > 1 else {}),
        "counts": {"instances": len(instances), "targets": targets, "samples": options.samples},
        "protocol": asdict(protocol) | {"sources": options.sources},
        "sampler": model.sampler(options.steps),
        "weights": str(options.weights),
        "compared_sampler": compared.sampler() if compared else None,
        "compared_weights": str(options.compare) if options.compare else None,
        "data": str(options.data),
        "train_data": str(options.train_data) if options.train_data else None,
        "seconds": round(time.monotonic() - start, 1),
        **environment(model.device),
    }
    replace_file(options.json, lambda file: file.write_text(to_json(report)))
    return report


def _load(folder: Path, device: str, regressor: bool) -> NovelViewModel:
    model = NovelViewModel.from_pretrained(folder, device)
    if regressor != history.has_trained(model.config.training, "regressor"):
        raise ValueError(
            f"{folder}: its config.json says that it is {'no' if regressor else 'a'} regressor; "
            "--weights takes a model, --regressor what `training.train regressor` made"
        )
    return model


if __name__ == "__main__":
    main()
