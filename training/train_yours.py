"""Train weights further on your objects, from mesh files or recordings.

    python -m training.train_yours --meshes part.stl --out weights/mine
    python -m training.train_yours --data data/part --test data/part_test --out weights/mine

Meshes are rendered in several lights, at many distances, and not quite where their frame says.
Recordings are data sets of training.from_bag. Half of each batch are procedural objects, so that
the network keeps what it knows. The model is evaluated on other views of the same objects beside
the weights it began with; the last line is the command that starts the node with it. The same
command continues an interrupted run.
"""

import argparse
import filecmp
import json
import math
from dataclasses import dataclass
from pathlib import Path

from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.config import read_config
from tiny_nvs_ros.resources import find_weights
from tiny_nvs_ros.runtime.onnx import OnnxRenderer
from tiny_nvs_ros.srn_cameras import OBJECT_RADII
from tiny_nvs_ros.srn_data import SrnSplit
from training import evaluate, export, render_meshes, train_multiview
from training.cli import add_device, check_device, exit_on_error
from training.data import render_objects
from training.data.load_meshes import find_mesh_files
from training.data.silhouettes import check_silhouettes
from training.data.test_sets import refuse_test_sets
from training.run_config import keep_settings

SETTINGS = "settings.json"
RENDERINGS = 24  # in how many lights and places all meshes together are rendered, at least
VIEWS = 40
GENERAL_OBJECTS = 400  # procedural, at most
BATCH, LEARNING_RATE, MATRIX_LEARNING_RATE = 24, 4e-4, 1.5e-3
TEST_VIEWS, TEST_INSTANCES, TEST_SOURCES = 12, 20, (0, 1, 2, 3)


@dataclass(frozen=True)
class OwnTrainingSettings:
    """Everything that decides the weights, besides the content of the files.

    views: of each rendering of a mesh; renderings: of each mesh, in its own light and place; data:
    data sets; init: weights to begin with.
    """

    meshes: list[str]
    up: str
    views: int
    renderings: int
    data: list[str]
    init: str
    iterations: int
    seed: int
    allow_missing_textures: bool = False


def train_yours(
    out: Path,
    work: Path,
    settings: OwnTrainingSettings,
    test: Path | None,
    device: str,
    checkpoint_seconds: float,
) -> None:
    """Run the steps that are not done yet; out: weights folder, work: all other files."""
    work.mkdir(parents=True, exist_ok=True)
    keep_settings(work / SETTINGS, settings)
    data, own = work / "data", list(map(Path, settings.data))
    distances = _text("--distance", *OBJECT_RADII)
    if settings.meshes:
        rendered = [data / "train", *(data / f"train_{i}" for i in range(1, settings.renderings))]
        own += rendered
        for i, split in enumerate(rendered):
            words = ["--views", settings.views, "--seed", settings.seed + 2 + i, "--randomise"]
            words += ["--quiet"] * (i > 0)  # what is skipped is named once
            render(split, settings, *words, *distances)
        if test is None:
            test = data / "test"
            words = ["--views", TEST_VIEWS, "--seed", settings.seed + 1, "--quiet"]
            render(test, settings, *words, *distances)
        check_same_meshes(work, data / "train")
    # The training draws half of its objects from these; more than it draws are not needed.
    objects = min(GENERAL_OBJECTS, math.ceil(settings.iterations * BATCH / 2))
    words = ["--out", data, "--split", "general", "--instances", objects, "--views", VIEWS]
    render_objects.main(_text(*words, "--seed", settings.seed, *distances))
    words = ["--data", data / "general", "--own", *own, "--held-out", 0, "--init", settings.init]
    words += ["--out", work / "run", "--resume", "--iterations", settings.iterations]
    words += ["--batch-size", BATCH, "--learning-rate", LEARNING_RATE]
    words += ["--matrix-learning-rate", MATRIX_LEARNING_RATE, "--seed", settings.seed]
    words += ["--report-every", checkpoint_seconds, "--device", device]
    train_multiview.main(_text(*words))
    NovelViewModel.from_pretrained(work / "run").save_pretrained(out)
    try:
        OnnxRenderer(out, "cpu")  # exported by an earlier run
    except (FileNotFoundError, ValueError):
        export.export(out)
    if test:
        evaluate_yours(out, work, settings, test, device)


def render(split: Path, settings: OwnTrainingSettings, *words: object) -> None:
    """Render the meshes, as far as that is not done yet."""
    found, _ = find_mesh_files([Path(path) for path in settings.meshes])
    render_meshes.remove_others(split, found)
    words = ("--out", split.parent, "--split", split.name, "--up", settings.up, *words)
    words += ("--allow-missing-textures",) * settings.allow_missing_textures
    render_meshes.main(_text("--meshes", *settings.meshes, *words))


def evaluate_yours(
    out: Path, work: Path, settings: OwnTrainingSettings, test: Path, device: str
) -> None:
    """Measure the new weights beside those they began with, by number of sources."""
    words = ["--weights", out, "--compare", settings.init, "--data", test, "--card"]
    words += ["--input-views", *TEST_SOURCES, "--sources", 1, 2, len(TEST_SOURCES)]
    words += ["--instances", TEST_INSTANCES, "--views", 25, "--device", device]
    words += ["--json", work / "evaluation.json", "--picture", work / "evaluation.png"]
    evaluate.main(_text(*words))


def check_same_meshes(work: Path, split: Path) -> None:
    """Record the rendered meshes in `work`, or compare them with those of the trained model.

    Raises ValueError, which names the meshes, if a model was trained in `work` on other ones.
    """
    path, digests = work / "meshes.json", render_meshes.source_digests(split)
    trained = (work / "run" / train_multiview.CHECKPOINT).exists()
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


def read_settings(options: argparse.Namespace, work: Path) -> OwnTrainingSettings:
    """Return the settings of a command line. Raises ValueError for what cannot be used."""
    check_device(options.device)
    if not options.meshes and not options.data:
        raise ValueError("no objects: name mesh files by --meshes, or data sets by --data")
    refuse_test_sets(*options.meshes, *options.data)
    for name in ("views", "iterations"):
        if getattr(options, name) < 1:
            raise ValueError(f"--{name} must be at least 1")
    views, renderings, init = options.views, 0, find_weights(options.init)
    if (architecture := read_config(init).architecture) != "multiview":
        raise ValueError(f"--init {init} has the architecture {architecture}, not multiview")
    if views < train_multiview.LEAST_VIEWS:
        views = train_multiview.LEAST_VIEWS
        print(f"--views {options.views}: {views} are rendered, the fewest to train on")
    if options.meshes:
        found, _ = find_mesh_files(options.meshes)
        renderings = max(2, math.ceil(RENDERINGS / len(found)))
        if (work / SETTINGS).exists():  # perhaps of a folder that held another number of meshes
            renderings = json.loads((work / SETTINGS).read_text()).get("renderings", renderings)
    check_out(options.out, work, init)
    for split in (*options.data, *filter(None, [options.test])):
        # Check it before anything is rendered.
        instances = SrnSplit(split, keep_distance=True).instances
        for instance in instances:
            _ = instance.poses
        check_silhouettes(instances)
    return OwnTrainingSettings(
        [str(path.resolve()) for path in options.meshes],
        options.up,
        views,
        renderings,
        [str(path.resolve()) for path in options.data],
        str(init),
        options.iterations,
        options.seed,
        options.allow_missing_textures,
    )


def check_out(out: Path, work: Path, init: Path) -> None:
    """Raise ValueError if `out` holds other weights than those that `work` made."""
    if out.resolve() == Path(init).resolve():
        raise ValueError(f"--out {out} holds the weights to begin with; choose another")
    there, made = (folder / "model.safetensors" for folder in (out, work / "run"))
    if there.exists() and not (made.exists() and filecmp.cmp(there, made, shallow=False)):
        raise ValueError(
            f"--out {out} holds weights that were not made in {work}; choose another, or delete it"
        )


def _text(*words: object) -> list[str]:
    return [str(word) for word in words]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.train_yours", description=__doc__.partition("\n")[0]
    )
    add = parser.add_argument
    render_meshes.add_mesh_arguments(parser, required=False)
    add("--data", type=Path, nargs="+", default=[], metavar="SPLIT", help="of training.from_bag")
    add("--test", type=Path, metavar="SPLIT", help="to evaluate on (other views of the meshes)")
    add("--out", type=Path, required=True, help="weights folder to make")
    add("--work", type=Path, help="for views and checkpoints (runs/<name of OUT>)")
    add("--init", default="objects", metavar="WEIGHTS", help="to begin with (%(default)s)")
    add("--views", type=int, metavar="V", default=VIEWS, help="of each rendering (%(default)s)")
    add("--iterations", type=int, metavar="N", default=1500, help="(%(default)s)")
    add("--iterations-denoiser", dest="iterations", type=int, help=argparse.SUPPRESS)  # old name
    add("--iterations-autoencoder", type=int, help=argparse.SUPPRESS)  # old, of none any more
    add("--seed", type=int, default=0)
    add("--checkpoint-seconds", type=float, default=60)
    add_device(parser)
    options = parser.parse_args(arguments)
    if options.iterations_autoencoder:
        print("--iterations-autoencoder has no effect: there is no autoencoder to train any more")
    work = options.work or Path("runs") / options.out.name
    with exit_on_error(parser):
        settings = read_settings(options, work)
        train_yours(
            options.out, work, settings, options.test, options.device, options.checkpoint_seconds
        )
    print(f"\nweights: {options.out.resolve()}")
    if (work / "evaluation.png").exists():
        print(f"image: {(work / 'evaluation.png').resolve()}")
    else:
        print("not evaluated: give --test, a recording of other views")
    print(f"ros2 launch tiny_nvs_ros nvs.launch.py weights:={options.out.resolve()}")


if __name__ == "__main__":
    main()
