"""Train the stages of a model on data in the SRN layout.

    python -m training.train autoencoder --data data/cars/cars_train --out runs/cars
    python -m training.train denoiser    --data data/cars/cars_train --out runs/cars

With --preset fast a third stage, `finetune`, continues from trained weights: --init runs/cars.
--out becomes a weights folder that NovelViewModel.from_pretrained reads; its config.json records
every segment of the training. `torchrun --nproc-per-node N -m training.train ...` trains
data-parallel.
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path

import yaml

from training import history
from training.cli import add_device, check_device, exit_on_error
from training.distributed import processes
from training.initialize import init_model, load_for_finetuning, to_device
from training.presets import read_preset, stage_settings
from training.stages import stage_names, stages_of
from training.stages.settings import PRECISIONS, StageSettings
from training.trainer import train


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.train", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "stage",
        choices=[*stage_names(), *history.RENAMED_STAGES],
        metavar="STAGE",
        help=", ".join(stage_names()),
    )
    parser.add_argument(
        "--preset", default="paper", help="recipe: architecture and settings (%(default)s)"
    )
    parser.add_argument("--data", type=Path, required=True, help="a split in the SRN layout")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    trained = parser.add_mutually_exclusive_group()
    trained.add_argument(
        "--autoencoder", type=Path, help="weights folder of the autoencoder, if not --out"
    )
    trained.add_argument(
        "--init",
        type=Path,
        metavar="WEIGHTS",
        help="folder of trained weights to continue from; --iterations counts theirs too",
    )
    parser.add_argument("--resume", action="store_true", help="continue from --out's checkpoint")
    add_device(parser)
    parser.add_argument("--iterations", type=int, help="instead of the preset's")
    parser.add_argument("--batch-size", type=int, help="instead of the preset's")
    parser.add_argument(
        "--learning-rate-scale",
        type=float,
        default=1.0,
        metavar="X",
        help="factor of the preset's; trained weights need less (%(default)s)",
    )
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="other settings of the stage instead of the preset's, as score_spread=0.9",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint-seconds", type=float, default=180)
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="float32", help="of the forward pass"
    )
    parser.add_argument(
        "--compile", action="store_true", help="torch.compile; on a GPU with CUDA graphs"
    )
    options = parser.parse_args(arguments)
    options.stage = history.RENAMED_STAGES.get(options.stage, options.stage)
    with exit_on_error(parser):
        check_device(options.device)
        with processes(options.device):
            run(options)


def run(options: argparse.Namespace) -> None:
    """Train as the command line says."""
    settings = read_settings(options)
    cls = stages_of(read_preset(options.preset)["architecture"])[options.stage]
    init = options.init or options.autoencoder  # None: what --out holds, or nothing
    if options.init:
        model, settings = load_for_finetuning(
            options.init, options.stage, settings, options.preset, options.out
        )
        model = to_device(model, options.device)
    elif cls.needs_init:
        raise ValueError(f"{cls.name} starts from trained weights: say --init WEIGHTS")
    else:
        model = init_model(
            options.stage, options.seed, options.device, init or options.out, options.preset
        )
    data = cls.load_data(options.data, model.config)
    stage = cls(model, data, settings)
    sizes = ", ".join(f"{count} {name}" for name, count in stage.data_size.items())
    print(f"{sizes} from {options.data}")
    provenance = {
        "data": {"path": str(options.data)},
        "init": str(init) if init else None,
    }
    train(
        stage, options.out, options.resume, options.checkpoint_seconds, options.compile, provenance
    )


def read_settings(options: argparse.Namespace) -> StageSettings:
    """Return the preset's settings of a stage, with those of the command line instead."""
    names = ("iterations", "batch_size", "seed", "precision")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    settings = stage_settings(options.stage, options.preset, **given)
    if options.set:
        settings = replace_settings(settings, options)
    if settings.iterations < 1 or settings.batch_size < 1:
        raise ValueError("--iterations and --batch-size must be at least 1")
    if not 0 < options.learning_rate_scale < math.inf:
        raise ValueError("--learning-rate-scale must be above 0")
    rates = ("learning_rate", "matrix_learning_rate")
    return replace(
        settings, **{n: options.learning_rate_scale * getattr(settings, n) for n in rates}
    )


def replace_settings(settings: StageSettings, options: argparse.Namespace) -> StageSettings:
    """Return settings with those of --set NAME=VALUE; ValueError if one is invalid."""
    changes = {}
    for word in options.set:
        name, equals, text = word.partition("=")
        value = yaml.safe_load(text)
        present = getattr(settings, name, None)
        if equals and isinstance(present, float) and isinstance(value, int):
            value = float(value)
        if not equals or (present is not None and type(value) is not type(present)):
            kind = type(present).__name__ if present is not None else "value"
            raise ValueError(f"--set {word}: must be NAME=VALUE, where the value is a {kind}")
        changes[name] = value
    names = ("iterations", "batch_size", "seed", "precision")
    given = {name: getattr(settings, name) for name in names} | changes
    return stage_settings(options.stage, options.preset, **given)


if __name__ == "__main__":
    main()
