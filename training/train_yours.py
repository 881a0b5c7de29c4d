"""From mesh files to a weights folder that the node loads.

    python -m training.train_yours --meshes part.stl --out weights/mine

Renders the meshes, trains the autoencoder and the denoiser on the views, measures the model on
other views of the same objects, and says how to start the node with it. One object gives a model
that knows this object alone; a folder of them one that knows the category. The same command goes on
where an earlier one was cut off.
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

from tiny_nvs_ros.model import ModelConfig, NovelViewModel
from tiny_nvs_ros.runtime.onnx import OnnxRenderer
from training import evaluate, export, render_meshes
from training.command import add_device, check_device, tidy_exit
from training.data.load_meshes import find_mesh_files
from training.settings_file import keep_settings
from training.train import FLOW_STAGES, begin, load_views, preset_settings, train

FEWEST_VIEWS, FEWEST_OF_ONE = 500, 50  # of all objects, of each
TEST_VIEWS, TEST_INSTANCES = 9, 20  # the first of the views is the input
PRESET = "fast"
ITERATIONS = {"autoencoder": 6000, "denoiser": 5000}
# As they are: mirrored or in other colours, a part that one knows is another part.
CHANGES = {"autoencoder": {}, "denoiser": {"variants": 1}}


@dataclass(frozen=True)
class Settings:
    """What decides the weights. views: of each mesh, for the training."""

    meshes: list[str]
    up: str
    views: int
    iterations_autoencoder: int
    iterations_denoiser: int
    seed: int


def train_yours(
    out: Path, work: Path, settings: Settings, device: str, checkpoint_seconds: float
) -> None:
    """Do what is not done yet; out: weights folder, work: everything else."""
    work.mkdir(parents=True, exist_ok=True)
    keep_settings(work / "settings.json", settings)
    data = work / "data"
    for split, views, seed in (
        ("train", settings.views, settings.seed),
        ("test", TEST_VIEWS, settings.seed + 1),
    ):
        words = ["--split", split, "--views", views, "--seed", seed, "--up", settings.up]
        render_meshes.main(_text("--meshes", *settings.meshes, "--out", data, *words))
    views = load_views(data / "train", ModelConfig().size, "denoiser")
    for stage in ("autoencoder", "denoiser"):
        iterations = getattr(settings, f"iterations_{stage}")
        model = begin(stage, settings.seed, device, folder=work, preset=PRESET)
        of_stage = preset_settings(
            stage, PRESET, iterations=iterations, seed=settings.seed, **CHANGES[stage]
        )
        train(FLOW_STAGES[stage](model, views, of_stage), work, True, checkpoint_seconds)
    NovelViewModel.from_pretrained(work).save_pretrained(out)
    try:
        OnnxRenderer(out, "cpu")  # from an earlier time
    except (FileNotFoundError, ValueError):
        export.export(out)
    words = ["--weights", out, "--data", data / "test", "--train-data", data / "train", "--card"]
    words += ["--input-view", 0, "--instances", TEST_INSTANCES, "--device", device]
    words += ["--json", work / "evaluation.json", "--picture", work / "evaluation.png"]
    evaluate.main(_text(*words))


def _text(*words: object) -> list[str]:
    return [str(word) for word in words]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.train_yours", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--meshes", type=Path, nargs="+", required=True, help="files or folders")
    parser.add_argument("--out", type=Path, required=True, help="weights folder to make")
    parser.add_argument("--work", type=Path, help="for views and checkpoints (runs/<name of OUT>)")
    parser.add_argument(
        "--up",
        choices=("y", "z"),
        default="z",
        help="up in the files (%(default)s); of y, the front is z",
    )
    parser.add_argument(
        "--views",
        type=int,
        metavar="V",
        help=f"of each object (at least {FEWEST_OF_ONE}, and {FEWEST_VIEWS} of all together)",
    )
    for stage, iterations in ITERATIONS.items():
        parser.add_argument(
            f"--iterations-{stage}", type=int, metavar="N", default=iterations, help="(%(default)s)"
        )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint-seconds", type=float, default=180)
    add_device(parser)
    options = parser.parse_args(arguments)
    work = options.work or Path("runs") / options.out.name
    with tidy_exit(parser):
        check_device(options.device)
        views = options.views
        if views is None:
            count = len(find_mesh_files(options.meshes)[0])
            views = max(FEWEST_OF_ONE, math.ceil(FEWEST_VIEWS / count))
        if min(views - 1, options.iterations_autoencoder, options.iterations_denoiser) < 1:
            raise ValueError("--views must be at least 2, and iterations at least 1")
        settings = Settings(
            [str(path.resolve()) for path in options.meshes],
            options.up,
            views,
            options.iterations_autoencoder,
            options.iterations_denoiser,
            options.seed,
        )
        train_yours(options.out, work, settings, options.device, options.checkpoint_seconds)
    print(f"\nweights: {options.out.resolve()}\npicture: {(work / 'evaluation.png').resolve()}")
    print(f"ros2 launch tiny_nvs_ros nvs.launch.py weights:={options.out.resolve()}")


if __name__ == "__main__":
    main()
