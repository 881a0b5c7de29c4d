"""Train a model of the objects in mesh files.

    python -m training.train_from_meshes --meshes part.stl --out weights/mine

Renders the meshes, trains the autoencoder and the denoiser on the views, evaluates the model on
other views of the same objects, and prints the command that starts the node with it. One mesh gives
a model of this object only; a folder of meshes gives a model of the category. The same command
continues an interrupted run.
"""

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path

from tiny_nvs_ros.model import ModelConfig, NovelViewModel
from tiny_nvs_ros.runtime.onnx import OnnxRenderer
from tiny_nvs_ros.srn_data import Views
from training import evaluate, export, render_meshes
from training.cli import add_device, check_device, exit_on_error
from training.data.load_meshes import find_mesh_files
from training.data.test_sets import refuse_test_sets
from training.initialize import init_model
from training.presets import read_preset, stage_settings
from training.run_config import keep_settings
from training.stages import stages_of
from training.trainer import train

MIN_VIEWS, MIN_VIEWS_PER_OBJECT = 500, 50  # training views, if --views is not given
TEST_VIEWS, TEST_INSTANCES = 9, 20  # the first of the views is the input
PRESET = "fast"
ITERATIONS = {"autoencoder": 6000, "denoiser": 5000}
# No augmentation: a known part that is mirrored or has other colours is another part.
OVERRIDES = {"autoencoder": {}, "denoiser": {"variants": 1}}


@dataclass(frozen=True)
class MeshTrainingSettings:
    """Everything that decides the weights, besides the content of the mesh files.

    views: training views of each mesh.
    """

    meshes: list[str]
    up: str
    views: int
    iterations_autoencoder: int
    iterations_denoiser: int
    seed: int
    allow_missing_textures: bool = False


def train_from_meshes(
    out: Path,
    work: Path,
    settings: MeshTrainingSettings,
    device: str,
    checkpoint_seconds: float,
) -> None:
    """Run the steps that are not done yet; out: weights folder, work: all other files."""
    work.mkdir(parents=True, exist_ok=True)
    keep_settings(work / "settings.json", settings)
    data = work / "data"
    for split, views, seed in (
        ("train", settings.views, settings.seed),
        ("test", TEST_VIEWS, settings.seed + 1),
    ):
        found, _ = find_mesh_files([Path(path) for path in settings.meshes])
        render_meshes.remove_others(data / split, found)
        words = ["--split", split, "--views", views, "--seed", seed, "--up", settings.up]
        words += ["--allow-missing-textures"] * settings.allow_missing_textures
        render_meshes.main(_text("--meshes", *settings.meshes, "--out", data, *words))
    check_same_meshes(work, data / "train")
    stages = stages_of(read_preset(PRESET)["architecture"])
    views = load_views(data / "train")
    for stage in ("autoencoder", "denoiser"):
        iterations = getattr(settings, f"iterations_{stage}")
        model = init_model(stage, settings.seed, device, folder=work, preset=PRESET)
        of_stage = stage_settings(
            stage, PRESET, iterations=iterations, seed=settings.seed, **OVERRIDES[stage]
        )
        provenance = {"data": {"path": str(data / "train")}}
        train(
            stages[stage](model, views, of_stage),
            work,
            True,
            checkpoint_seconds,
            provenance=provenance,
        )
    NovelViewModel.from_pretrained(work).save_pretrained(out)
    try:
        OnnxRenderer(out, "cpu")  # exported by an earlier run
    except (FileNotFoundError, ValueError):
        export.export(out)
    words = ["--weights", out, "--data", data / "test", "--train-data", data / "train", "--card"]
    words += ["--input-view", 0, "--instances", TEST_INSTANCES, "--device", device]
    words += ["--json", work / "evaluation.json", "--picture", work / "evaluation.png"]
    evaluate.main(_text(*words))


def check_same_meshes(work: Path, split: Path) -> None:
    """Record the rendered meshes in `work`, or compare them with those of the trained model.

    Raises ValueError, which names the meshes, if a model was trained in `work` on other ones.
    """
    path, digests = work / "meshes.json", render_meshes.source_digests(split)
    trained = any(work.glob("*.checkpoint.safetensors"))
    if trained and path.exists() and (before := json.loads(path.read_text())) != digests:
        names = sorted(
            name for name in {*before, *digests} if before.get(name) != digests.get(name)
        )
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        raise ValueError(
            f"the model in {work} was trained before these meshes changed: {shown}. Delete {work}, "
            "or give another --work"
        )
    path.write_text(json.dumps(digests, indent=2) + "\n")


def load_views(split: Path) -> Views:
    """Return the views of a split, for all stages."""
    stages = stages_of(read_preset(PRESET)["architecture"])
    return stages["denoiser"].load_data(split, ModelConfig())


def _text(*words: object) -> list[str]:
    return [str(word) for word in words]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.train_from_meshes", description=__doc__.partition("\n")[0]
    )
    render_meshes.add_mesh_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="weights folder to make")
    parser.add_argument("--work", type=Path, help="for views and checkpoints (runs/<name of OUT>)")
    parser.add_argument(
        "--views",
        type=int,
        metavar="V",
        help=f"of each object (at least {MIN_VIEWS_PER_OBJECT}, and {MIN_VIEWS} of all together)",
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
    with exit_on_error(parser):
        check_device(options.device)
        refuse_test_sets(*options.meshes)
        views = options.views
        if views is None:
            found, _ = find_mesh_files(options.meshes)
            views = max(MIN_VIEWS_PER_OBJECT, math.ceil(MIN_VIEWS / len(found)))
        if min(views - 1, options.iterations_autoencoder, options.iterations_denoiser) < 1:
            raise ValueError("--views must be at least 2, and iterations at least 1")
        settings = MeshTrainingSettings(
            [str(path.resolve()) for path in options.meshes],
            options.up,
            views,
            options.iterations_autoencoder,
            options.iterations_denoiser,
            options.seed,
            options.allow_missing_textures,
        )
        train_from_meshes(options.out, work, settings, options.device, options.checkpoint_seconds)
    print(f"\nweights: {options.out.resolve()}\nimage: {(work / 'evaluation.png').resolve()}")
    print(f"ros2 launch tiny_nvs_ros nvs.launch.py weights:={options.out.resolve()}")


if __name__ == "__main__":
    main()
