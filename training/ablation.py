"""Ablation studies: models that differ in one change each, trained and evaluated alike.

    python -m training.ablation --data data/cars/cars_train --test data/cars/cars_test \\
        --out runs/ablation
    python -m training.ablation --study fast ...

The study `latent` is that of the paper's section 4.3, the shape of its latent; `fast` shows what
each part of the preset of that name contributes. Trains and evaluates a model for each case, all
with the same budget and seed. OUT then holds ablation.json, ablation.md (the table), ablation.png,
and a weights folder for each case. The same command continues an interrupted run.
"""

import argparse
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import cv2
import numpy as np

from tiny_nvs_ros.model import ModelConfig, NovelViewModel
from tiny_nvs_ros.model.base import replace_file
from tiny_nvs_ros.model.config import preset_config
from tiny_nvs_ros.srn_data import SrnSplit, Views
from training import evaluate
from training.cli import add_device, check_device, exit_on_error
from training.eval.contact_sheet import draw_contact_sheet
from training.eval.methods import Methods, Protocol
from training.initialize import init_model
from training.presets import read_preset, stage_settings
from training.run_config import keep_settings
from training.stages import stages_of
from training.stages.denoiser import DenoiserStage
from training.trainer import train


@dataclass(frozen=True)
class Case:
    """A preset with changes. model: of fields of its ModelConfig; stages: of a stage's settings."""

    preset: str
    model: dict[str, dict] = field(default_factory=dict)
    stages: dict[str, dict] = field(default_factory=dict)


def _latent(channels: int, *multipliers: int) -> Case:
    autoencoder = ModelConfig().autoencoder
    changes = {"latent_channels": channels, "multipliers": list(multipliers)}
    return Case("paper", {"autoencoder": autoencoder | changes})


FAST = preset_config("fast").denoiser
STUDIES = {
    # Channels x height x width, and the autoencoder's multipliers. 8x8 is one halving less.
    # (1, 2, 4) then keeps the base width and the width of the middle blocks, hence nine tenths of
    # the parameters.
    "latent": {
        "4x4x4": _latent(4, 1, 2, 2, 4),
        "2x4x4": _latent(2, 1, 2, 2, 4),
        "1x4x4": _latent(1, 1, 2, 2, 4),
        "1x8x8": _latent(1, 1, 2, 4),
    },
    "fast": {
        "fast": Case("fast"),
        # The source's volume costs about as many parameters as a block.
        "no-volume": Case("fast", {"denoiser": FAST | {"depth": 5, "volume_channels": 0}}),
        "L1": Case("fast", stages={"autoencoder": {"l1_weight": 1.0, "l2_weight": 0.0}}),
        "unweighted-chroma": Case("fast", stages={"autoencoder": {"chroma_weight": 1.0}}),
        "own-colours": Case(
            "fast", stages={"autoencoder": {"augment": False}, "denoiser": {"variants": 1}}
        ),
        "AdamW": Case("fast", stages={"denoiser": {"matrix_learning_rate": 0.0}}),
        "paper": Case("paper"),
        "paper-L2": Case("paper", stages={"denoiser": {"l1_weight": 0.0, "l2_weight": 1.0}}),
    },
}
BASELINES = {
    "nearest_neighbour": "nearest training instance",
    "mean_view": "mean training view",
    "copy_input": "copy of the input",
}
ROWS = 6  # of the picture


@dataclass(frozen=True)
class AblationSettings:
    """Everything that decides the results."""

    data: str
    test: str
    iterations_autoencoder: int
    iterations_denoiser: int
    instances: int
    views: int
    samples: int
    input_view: int
    seed: int
    study: str = "latent"

    @property
    def cases(self) -> dict[str, Case]:
        return STUDIES[self.study]


def ablate(out: Path, settings: AblationSettings, device: str, checkpoint_seconds: float) -> None:
    """Train and evaluate what is not there yet, then write the results."""
    out.mkdir(parents=True, exist_ok=True)
    keep_settings(out / "settings.json", settings)
    SrnSplit(settings.test)  # complain now
    if todo := [name for name in settings.cases if not _report(out, name).exists()]:
        views = DenoiserStage.load_data(Path(settings.data), ModelConfig())
        for name in todo:
            _train(name, views, out / name, settings, device, checkpoint_seconds)
            _evaluate(name, out, settings, device)
    result = {name: json.loads(_report(out, name).read_text()) for name in settings.cases}
    for name, report in result.items():
        report["parameters"] = _parameters(out / name)
    report = {"settings": asdict(settings), "cases": result}
    text = table(settings.study, result, settings.samples)
    cv2.imwrite(str(out / "ablation.png"), _picture(out, settings, device)[..., ::-1])
    (out / "ablation.md").write_text(text + "\n")
    replace_file(out / "ablation.json", lambda f: f.write_text(json.dumps(report, indent=2) + "\n"))
    print(text)


def _report(out: Path, name: str) -> Path:
    return out / name / "evaluation.json"


def _train(
    name: str, views: Views, folder: Path, settings: AblationSettings, device: str, every: float
) -> None:
    case = settings.cases[name]
    for stage in ("autoencoder", "denoiser"):
        print(f"{name}: {stage}", flush=True)
        changes = {
            "iterations": getattr(settings, f"iterations_{stage}"),
            "seed": settings.seed,
            **case.stages.get(stage, {}),
        }
        model = init_model(stage, settings.seed, device, folder, case.preset, **case.model)
        of_stage = stage_settings(stage, case.preset, **changes)
        stages = stages_of(read_preset(case.preset)["architecture"])
        provenance = {"data": {"path": settings.data}}
        train(stages[stage](model, views, of_stage), folder, True, every, provenance=provenance)


def _evaluate(name: str, out: Path, settings: AblationSettings, device: str) -> None:
    words = {
        "weights": out / name,
        "data": settings.test,
        "json": _report(out, name),
        "device": device,
        **{key: getattr(settings, key) for key in ("instances", "views", "samples", "seed")},
        "input-view": settings.input_view,
    }
    if name == next(iter(settings.cases)):  # the baselines are the same for all
        words["train-data"] = settings.data
    evaluate.main([str(word) for key, value in words.items() for word in (f"--{key}", value)])


def _parameters(folder: Path) -> dict[str, int]:
    model = NovelViewModel.from_pretrained(folder)
    return {
        name: sum(p.numel() for p in module.parameters())
        for name, module in (("autoencoder", model.autoencoder), ("denoiser", model.denoiser))
    }


def table(study: str, result: dict[str, dict], samples: int) -> str:
    """The results as Markdown. result: by case, what evaluate reports, and the parameters."""
    lines = [
        f"| {study} | parameters | decoded: PSNR, dB | SSIM | delta E "
        f"| imagined: PSNR, dB, one sample | mean of {samples} | delta E of the mean "
        "| spread/skill |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    mean = f"_mean{samples}" if samples > 1 else ""
    for name, report in result.items():
        parameters, ceiling, model = (report[k] for k in ("parameters", "autoencoder", "model"))
        spread = f"{model['spread_skill']:.2f}" if samples > 1 else ""
        lines.append(
            f"| {name} | {sum(parameters.values()):,} | {ceiling['psnr']:.2f} "
            f"| {ceiling['ssim']:.3f} | {ceiling['delta_e']:.1f} | {model['psnr']:.2f} "
            f"| {model['psnr' + mean]:.2f} | {model['delta_e' + mean]:.1f} | {spread} |"
        )
    first = next(iter(result.values()))
    for name, title in BASELINES.items():
        psnr, delta_e = (first[name][metric] for metric in ("psnr", "delta_e"))
        lines.append(f"| {title} | | | | | {psnr:.2f} | | {delta_e:.1f} | |")
    return "\n".join(lines)


def _picture(out: Path, settings: AblationSettings, device: str) -> np.ndarray:
    """Input, truth, and what each model decodes and imagines, of instances spread over the set."""
    protocol = Protocol((settings.input_view,), samples=1, seed=settings.seed)
    instances = SrnSplit(settings.test, keep_distance=True).instances[: settings.instances]
    rows = min(len(instances), ROWS)
    headings, images = ["input", "truth"], {}
    for name in settings.cases:
        methods = Methods(NovelViewModel.from_pretrained(out / name, device), protocol)
        headings += [f"{name}\ndecoded", "imagined"]  # the name stands over both
        for row, k in enumerate(np.linspace(0, len(instances) - 1, rows).round().astype(int)):
            targets = protocol.targets(instances[k])
            shown = methods.show(instances[k], targets[[int((row + 0.5) / rows * len(targets))]])
            pair = [shown.others["autoencoder"][0], shown.views["model"].rgb[0, 0]]
            images.setdefault(instances[k].name, [shown.source, shown.truths[0]]).extend(pair)
    return draw_contact_sheet(headings, [([name], row) for name, row in images.items()])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.ablation", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="training split")
    parser.add_argument("--test", type=Path, required=True, help="test split")
    parser.add_argument("--out", type=Path, required=True, help="folder for all of it")
    parser.add_argument("--study", choices=STUDIES, default="latent", help="(%(default)s)")
    for name, default, text in (
        ("iterations-autoencoder", 4000, "of each case (%(default)s)"),
        ("iterations-denoiser", 4000, "of each case (%(default)s)"),
        ("instances", 40, "the first N of the test split (%(default)s)"),
        ("views", 25, "targets of each of them (%(default)s)"),
        ("samples", 8, "of each view (%(default)s)"),
    ):
        parser.add_argument(f"--{name}", type=int, metavar="N", default=default, help=text)
    parser.add_argument("--input-view", type=int, default=64, help="of each instance (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint-seconds", type=float, default=180)
    add_device(parser)
    options = vars(parser.parse_args(arguments))
    out, device, seconds = (options.pop(k) for k in ("out", "device", "checkpoint_seconds"))
    for name in ("iterations_autoencoder", "iterations_denoiser", "instances", "views", "samples"):
        if options[name] < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    for name in ("data", "test"):
        options[name] = str(options[name].resolve())
    with exit_on_error(parser):
        check_device(device)
        ablate(out, AblationSettings(**options), device, seconds)


if __name__ == "__main__":
    main()
