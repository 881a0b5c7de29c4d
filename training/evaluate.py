"""Measure a model by the protocol of SRN cars, beside baselines that give its numbers a meaning.

    python -m training.evaluate --weights weights/cars --data data/cars/cars_test \\
        --train-data data/cars/cars_train --json evaluation.json --picture evaluation.png

One view of each instance is the input, all others are targets; a number is the mean over the
targets of an instance, then over the instances (Sitzmann et al. 2019). Every draw depends on the
seed, the instance's name and the view's number alone, so that a part of a set gives the same views
as the whole.
"""

import argparse
import json
import math
import platform
import time
import zlib
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from tiny_nvs_ros.model import NovelViewModel, ViewRequest, ViewSamples
from tiny_nvs_ros.model.base import replace_file
from tiny_nvs_ros.model.request import MAX_VIEWS_AT_ONCE, draw_noise
from training.baselines import TrainingViews, regressed
from training.command import add_device, check_device, tidy_exit
from training.metrics import METRICS, SMALLER_IS_BETTER, spread_skill, squared_error
from training.sheet import draw_sheet
from training.srn import SrnError, SrnInstance, SrnSplit

# The model by what it is told: the relative pose (a flow elevations too), or all of both poses; and
# the other model of --beside, which is told the first.
MODELS = {"model": "model", "model_heading": "model with heading", "beside": "beside it"}
Scores = dict[str, dict[str, np.ndarray]]  # by method and metric, a number for each view


@dataclass(frozen=True)
class Protocol:
    """What is asked. views: targets of an instance, evenly spread, None for all of them."""

    input_view: int = 64
    views: int | None = None
    samples: int = 8
    steps: int | None = None  # of the sampler, None for the model's own
    seed: int = 0

    def targets(self, instance: SrnInstance) -> np.ndarray:
        """Indices of an instance's targets; SrnError where there is no input or no target."""
        if not self.input_view < len(instance):
            raise SrnError(
                f"{instance.path}: has the views 0 to {len(instance) - 1}, not {self.input_view}; "
                "choose the input by --input-view"
            )
        others = np.delete(np.arange(len(instance)), self.input_view)
        if not len(others):
            raise SrnError(f"{instance.path}: has one view only, which leaves no target")
        if self.views is None or self.views >= len(others):
            return others
        return others[np.linspace(0, len(others) - 1, self.views).round().astype(int)]


@dataclass(frozen=True)
class Shown:
    """Some targets of one instance, and what every method shows for them.

    source: size x size x 3 uint8; truths: (N, size, size, 3) uint8; views: the model's, by what it
    is told ("model" and, where it makes use of that, "model_heading"), and those of the other model
    ("beside"); others: the baselines', by name, like truths or float in [0, 1].
    """

    source: np.ndarray
    truths: np.ndarray
    views: dict[str, ViewSamples]
    others: dict[str, np.ndarray]


@dataclass(frozen=True)
class Methods:
    """The model and its rivals; those that need what is None are left out."""

    model: NovelViewModel
    protocol: Protocol
    training: TrainingViews | None = None
    regressor: NovelViewModel | None = None
    beside: NovelViewModel | None = None

    @torch.inference_mode()
    def show(self, instance: SrnInstance, targets: np.ndarray) -> Shown:
        """All methods' pictures of some of an instance's views."""
        size, entry = self.model.config.size, self.protocol.input_view
        source = instance.image(entry, size)
        truths = np.stack([instance.image(i, size) for i in targets])
        given, poses = (source, instance.poses[entry]), instance.poses[targets]
        others = {"copy_input": np.broadcast_to(source, truths.shape)}
        if self.training:
            twin = self.training.nearest_instance(source, instance.poses[entry])
            others["mean_view"] = np.stack([self.training.mean_view(pose) for pose in poses])
            others["nearest_neighbour"] = np.stack(
                [self.training.view_of(twin, pose) for pose in poses]
            )
        others["autoencoder"] = self.model.decode(self.model.encode(truths))
        views = {}
        if self.beside:
            others["autoencoder_beside"] = self.beside.decode(self.beside.encode(truths))
            request = ViewRequest.create(self.beside.config, given, poses, heading_known=False)
            views["beside"] = self._imagined(self.beside, request, instance, targets)
        for suffix, known in (("", False), ("_heading", True)):
            if self.regressor and (knows_heading(self.regressor) or not known):
                request = ViewRequest.create(
                    self.regressor.config, given, poses, heading_known=known
                )
                z = regressed(self.regressor, request)
                others[f"regressor{suffix}"] = self.regressor.decode(z)
            if knows_heading(self.model) or not known:
                request = ViewRequest.create(self.model.config, given, poses, heading_known=known)
                views[f"model{suffix}"] = self._imagined(
                    self.model, request, instance, targets, self.protocol.steps
                )
        return Shown(source, truths, views, others)

    def _imagined(
        self,
        model: NovelViewModel,
        request: ViewRequest,
        instance: SrnInstance,
        targets: np.ndarray,
        steps: int | None = None,
    ) -> ViewSamples:
        """Samples of a request from each view's own noise."""
        seed = [self.protocol.seed, zlib.crc32(instance.name.encode())]
        rngs = (np.random.default_rng([*seed, i]) for i in targets)
        draws = [draw_noise(model.config, rng, 1, self.protocol.samples) for rng in rngs]
        noise = np.concatenate(draws)
        seed = self.protocol.seed
        return model.render(replace(request, noise=noise, steps=steps, sampler_seed=seed))


def knows_heading(model: NovelViewModel) -> bool:
    """Tell whether a model makes use of the object's heading."""
    return model.config.architecture != "paper"


def score(shown: Shown) -> Scores:
    """All metrics of all methods: of the model's first sample, its samples' mean and the best."""
    truths = _unit(shown.truths)
    scores = {name: _metrics(_unit(images), truths) for name, images in shown.others.items()}
    return {name: _score_samples(views, truths) for name, views in shown.views.items()} | scores


def _score_samples(views: ViewSamples, truths: np.ndarray) -> dict[str, np.ndarray]:
    samples = views.rgb.shape[1]
    each = [_metrics(_unit(views.rgb[:, i]), truths) for i in range(samples)]
    scores = dict(each[0])
    if samples > 1:
        for metric, values in _metrics(views.mean, truths).items():
            scores[f"{metric}_mean{samples}"] = values
        for metric in METRICS:
            best = np.min if metric in SMALLER_IS_BETTER else np.max
            scores[f"{metric}_best{samples}"] = best([one[metric] for one in each], axis=0)
        scores["variance"] = (views.std.astype(np.float64) ** 2).mean(axis=(1, 2))
        scores["squared_error"] = squared_error(views.mean, truths)
        colours = ViewSamples(_colour(views.rgb))
        scores["colour_variance"] = (colours.std.astype(np.float64) ** 2).mean(axis=(1, 2))
        scores["colour_squared_error"] = squared_error(_colour(views.mean), _colour(truths))
    return scores


def _colour(images: np.ndarray) -> np.ndarray:
    """What of images (..., 3) is not grey."""
    return images - images.mean(axis=-1, keepdims=True, dtype=np.float32)


def _metrics(images: np.ndarray, truths: np.ndarray) -> dict[str, np.ndarray]:
    return {name: metric(images, truths) for name, metric in METRICS.items()}


def _unit(images: np.ndarray) -> np.ndarray:
    """Colours in [0, 1]."""
    return images / np.float32(255) if images.dtype == np.uint8 else images


def mean_scores(parts: list[Scores]) -> Scores:
    """Means over all numbers but NaN (the colour difference of no object); NaN where all are."""

    def mean(method: str, metric: str) -> float:
        values = np.concatenate([np.atleast_1d(part[method][metric]) for part in parts])
        values = values[~np.isnan(values)]
        return float(values.mean()) if len(values) else math.nan

    return {
        method: {metric: mean(method, metric) for metric in metrics}
        for method, metrics in parts[0].items()
    }


class Picture:
    """A grid of the input, the truth and what each method shows.

    Its rows: views of some instances spread over the set, each from another place of the
    trajectory, then the views that the model does best and worst.
    """

    ROWS = 6  # of the spread ones

    def __init__(self, instances: list[SrnInstance], protocol: Protocol):
        rows = min(len(instances), self.ROWS)
        self.wanted = {}  # view by instance
        for row, k in enumerate(np.linspace(0, len(instances) - 1, rows).round().astype(int)):
            targets = protocol.targets(instances[k])
            self.wanted[instances[k].name] = targets[int((row + 0.5) / rows * len(targets))]
        self.rows: dict[str, tuple[float, dict[str, np.ndarray]]] = {}

    def offer(self, name: str, targets: np.ndarray, shown: Shown, psnr: np.ndarray) -> None:
        """Take from a batch what the picture is to show; psnr: the model's."""

        def take(key: str, k: int) -> None:
            columns = {
                "input": shown.source,
                "truth": shown.truths[k],
            }
            for method, views in shown.views.items():
                columns[method.replace("_", " ")] = views.rgb[k, 0]
            model = shown.views["model"]
            if model.rgb.shape[1] > 1:
                columns["model's mean"] = model.mean[k]
                columns["its spread"] = np.repeat(
                    1 - np.clip(3 * model.std[k, ..., None], 0, 1), 3, axis=-1
                )
            for method, images in shown.others.items():
                if method not in ("copy_input", "autoencoder_beside"):  # the first is a column
                    columns[method.replace("_", " ")] = images[k]
            self.rows[key] = (psnr[k], columns)

        for k in np.flatnonzero(targets == self.wanted.get(name)):
            take(name, k)
        for key, k, better in (
            ("best view", psnr.argmax(), np.greater),
            ("worst view", psnr.argmin(), np.less),
        ):
            if key not in self.rows or better(psnr[k], self.rows[key][0]):
                take(key, k)

    def draw(self) -> np.ndarray:
        """The labelled grid, H x W x 3 uint8."""
        rows = []
        for key in (*self.wanted, "best view", "worst view"):
            psnr, columns = self.rows[key]
            rows.append(([key, f"{psnr:.1f} dB"], list(columns.values())))
        return draw_sheet(list(columns), rows)


def evaluate(
    methods: Methods, instances: list[SrnInstance], picture: Picture | None = None
) -> dict[str, dict[str, float]]:
    """Means over the views, then over the instances: numbers by method and metric."""
    batch = max(1, MAX_VIEWS_AT_ONCE // methods.protocol.samples)
    means = []
    for instance in tqdm(instances, unit="instance"):
        targets, parts = methods.protocol.targets(instance), []
        for some in np.split(targets, range(batch, len(targets), batch)):
            shown = methods.show(instance, some)
            parts.append(score(shown))
            if picture:
                picture.offer(instance.name, some, shown, parts[-1]["model"]["psnr"])
        means.append(mean_scores(parts))
    result = mean_scores(means)
    if methods.protocol.samples > 1:
        for numbers in (result[name] for name in MODELS if name in result):
            for part, suffix in (("", ""), ("colour_", "_colour")):
                variance, error = (numbers.pop(part + key) for key in ("variance", "squared_error"))
                numbers[f"spread_skill{suffix}"] = spread_skill(variance, error)
    return result


def table(result: dict[str, dict[str, float]], samples: int) -> str:
    """The result for people, and as Markdown."""
    rows = []
    models = {title: result[name] for name, title in MODELS.items() if name in result}
    for title, numbers in models.items():
        rows.append((f"{title}, one sample", numbers, ""))
        if samples > 1:
            rows += [
                (f"{title}, {which} of {samples} samples", numbers, f"_{which}{samples}")
                for which in ("mean", "best")
            ]
    titles = {
        "regressor": "regressor, same network",
        "regressor_heading": "regressor with heading",
        "nearest_neighbour": "nearest training instance",
        "mean_view": "mean training view",
        "copy_input": "copy of the input",
        "autoencoder": "autoencoder (ceiling)",
        "autoencoder_beside": "autoencoder beside it",
    }
    rows += [(title, result[name], "") for name, title in titles.items() if name in result]
    width = max(len(title) for title, _, _ in rows)
    lines = [
        f"| {'method':<{width}} | PSNR, dB |  SSIM | delta E |   IoU |",
        f"| {'-' * width} | -------: | ----: | ------: | ----: |",
    ]
    for title, numbers, suffix in rows:
        psnr, ssim, delta_e, iou = (numbers[metric + suffix] for metric in METRICS)
        lines.append(
            f"| {title:<{width}} | {psnr:8.2f} | {ssim:5.3f} | {delta_e:7.1f} | {iou:5.3f} |"
        )
    if samples > 1:
        lines += [""]
        for title, numbers in models.items():
            lines.append(
                f"{title}: spread/skill {numbers['spread_skill']:.2f} (1 is calibrated), "
                f"of colour alone {numbers['spread_skill_colour']:.2f}"
            )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--weights", type=Path, required=True, help="folder of the model")
    parser.add_argument("--data", type=Path, required=True, help="test split in the SRN layout")
    parser.add_argument("--json", type=Path, required=True, help="file for the numbers")
    parser.add_argument("--picture", type=Path, help="PNG file for a grid of views")
    parser.add_argument(
        "--train-data", type=Path, help="training split, for mean_view and nearest_neighbour"
    )
    parser.add_argument(
        "--regressor", type=Path, help="weights folder that `training.train regressor` made"
    )
    parser.add_argument(
        "--beside", type=Path, help="weights folder of another model to compare with"
    )
    parser.add_argument("--input-view", type=int, default=64, help="of each instance (%(default)s)")
    parser.add_argument("--instances", type=int, metavar="N", help="the first N only")
    parser.add_argument("--views", type=int, metavar="N", help="N targets of each instance only")
    parser.add_argument("--samples", type=int, default=8, help="of each view (%(default)s)")
    parser.add_argument("--steps", type=int, help="of the sampler, instead of the model's own")
    parser.add_argument("--seed", type=int, default=0)
    add_device(parser)
    parser.add_argument(
        "--card", action="store_true", help="write the numbers into the weights' config.json too"
    )
    options = parser.parse_args(arguments)
    for name, least in dict(input_view=0, instances=1, views=1, samples=1, steps=1, seed=0).items():
        value = getattr(options, name)
        if value is not None and value < least:
            parser.error(f"--{name.replace('_', '-')} must be at least {least}")
    with tidy_exit(parser):
        report = run(options)
        print(table(report, options.samples))
        if options.card:
            _write_card(options.weights / "config.json", report)


def run(options: argparse.Namespace) -> dict:
    """Evaluate as asked, write JSON and picture; returns what the JSON holds."""
    start = time.monotonic()
    check_device(options.device)
    model = _load(options.weights, options.device, regressor=False)
    regressor = options.regressor and _load(options.regressor, options.device, regressor=True)
    beside = options.beside and _load(options.beside, options.device, regressor=False)
    protocol = Protocol(
        options.input_view, options.views, options.samples, options.steps, options.seed
    )
    instances = SrnSplit(options.data).instances[: options.instances]
    targets = sum(len(protocol.targets(instance)) for instance in instances)  # also checks them
    for file in (options.json, options.picture):
        if file and not file.parent.is_dir():
            raise FileNotFoundError(f"{file}: there is no folder {file.parent}")
    training = options.train_data and TrainingViews(
        SrnSplit(options.train_data).load(model.config.size, on_disk=True)
    )
    picture = options.picture and Picture(instances, protocol)
    result = evaluate(Methods(model, protocol, training, regressor, beside), instances, picture)
    if picture:
        cv2.imwrite(str(options.picture), picture.draw()[..., ::-1])
    report = {
        **result,
        "counts": {"instances": len(instances), "targets": targets, "samples": options.samples},
        "protocol": asdict(protocol),
        "sampler": model.sampler(options.steps),
        "weights": str(options.weights),
        "beside_sampler": beside.sampler() if beside else None,
        "beside_weights": str(options.beside) if options.beside else None,
        "data": str(options.data),
        "train_data": str(options.train_data) if options.train_data else None,
        "seconds": round(time.monotonic() - start, 1),
        "device": _device_name(model.device),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "scikit-image")},
        },
    }
    replace_file(options.json, lambda file: file.write_text(_json(report)))
    return report


def _load(folder: Path, device: str, regressor: bool) -> NovelViewModel:
    model = NovelViewModel.from_pretrained(folder, device)
    if regressor != ("regressor" in model.config.training):
        raise ValueError(
            f"{folder}: its config.json says that it is {'no' if regressor else 'a'} regressor; "
            "--weights takes a model, --regressor what `training.train regressor` made"
        )
    return model


def _json(report: dict) -> str:
    """Numbers to six digits; null for NaN, which JSON does not have."""

    def tidy(value: object) -> object:
        if isinstance(value, dict):
            return {key: tidy(item) for key, item in value.items()}
        if isinstance(value, float):
            return float(f"{value:.6g}") if math.isfinite(value) else None
        return value

    return json.dumps(tidy(report), indent=2) + "\n"


def _write_card(config_file: Path, report: dict) -> None:
    config = json.loads(config_file.read_text())
    config["metrics"] = json.loads(_json(report))
    text = json.dumps(config, indent=2) + "\n"
    replace_file(config_file, lambda file: file.write_text(text))


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads"


if __name__ == "__main__":
    main()
