"""Train the multi-view network on a GPU machine without a network connection, in minutes.

    python -m training.gpu_run pack --meshes MESHES --out pack.xz     # on a machine with the meshes
    python -m training.gpu_run train --pack pack.xz --seconds 500 --out runs/objects

`train` renders its objects by processes of its own while the GPU already trains on the first ones.
OUT becomes a weights folder of the preset `objects`, with the averaged weights, and log.jsonl.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from tiny_nvs_ros.geometry import look_at
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.multiview.network import MultiviewNetwork
from training import history
from training.cli import check_device, exit_on_error
from training.data.test_sets import refuse_test_sets
from training.multiview.data import OBJECT_RADIUS, ObjectViews, half_size_depth
from training.multiview.fit import Fit, Schedule, fit_for, validate
from training.multiview.stage import MultiviewSettings, MultiviewStage
from training.multiview.training_set import MeshPack, TrainingSet

SHARD = 16  # objects in one file
SIZE = 32
VALIDATION_OBJECTS = 240


def render_shards(options: argparse.Namespace) -> None:
    """Render every `of`-th shard, from number `rank` on, into files that appear when complete."""
    objects = TrainingSet(MeshPack.read(options.pack), options.seed, options.held_out)
    for shard in range(options.rank, -(-options.objects // SHARD), options.of):
        arrays = {"rgba": [], "depth": [], "rotations": [], "rho": []}
        for number in range(shard * SHARD, (shard + 1) * SHARD):
            rgba, depth, poses = render_object(objects, number, options)
            distance = np.linalg.norm(poses[:, :3, 3], axis=-1)
            arrays["rgba"].append(rgba)
            arrays["depth"].append(half_size_depth(depth, distance))
            arrays["rotations"].append(poses[:, :3, :3].astype(np.float32))
            arrays["rho"].append((distance / OBJECT_RADIUS).astype(np.float32))
        file = options.out / f"{shard:06d}.npz"
        aside = file.with_name(f".{file.name}")
        np.savez(aside, **{name: np.stack(values) for name, values in arrays.items()})
        aside.rename(file)


def render_object(
    objects: TrainingSet, number: int, options: argparse.Namespace
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images, depth and poses of an object; of another one if it cannot be drawn."""
    from training.data.random_views import render_instance

    for attempt in range(10):
        rng = np.random.default_rng([options.seed, options.held_out, number, attempt])
        try:
            meshes = objects.build(number + attempt * 1_000_003)
            return render_instance(meshes, rng, options.views, 2 * SIZE)[:3]
        except ValueError as error:
            print(f"object {number}: {error}", file=sys.stderr, flush=True)
    raise ValueError(f"object {number}: ten objects in turn cannot be drawn")


def start_renderers(
    options: argparse.Namespace, folder: Path, objects: int, held_out: bool
) -> list[subprocess.Popen]:
    """Start the processes that fill a folder with shards."""
    processes = 1 if held_out else options.renderers
    views = 10 if held_out else options.views
    command = [sys.executable, "-m", "training.gpu_run", "render", "--pack", str(options.pack)]
    command += ["--out", str(folder), "--objects", str(objects), "--views", str(views)]
    command += ["--seed", str(options.seed), "--of", str(processes)]
    command += ["--held-out"] if held_out else []
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return [
        subprocess.Popen(["nice", *command, "--rank", str(rank)], env=environment)
        for rank in range(processes)
    ]


def load_shards(folder: Path, views: ObjectViews, objects: int, alive: Callable[[], bool]) -> None:
    """Append shards to the views as they appear, until all are there or nobody renders."""
    while views.available < objects:
        working = alive()
        for file in sorted(folder.glob("[0-9]*.npz")):
            shard = np.load(file)
            views.append(*(shard[n] for n in ("rgba", "depth", "rotations", "rho")))
            file.unlink()
        if not working:
            break
        time.sleep(0.3)


def check(options: argparse.Namespace) -> None:
    """Raise ValueError for options of `train` that cannot be used."""
    needed = len(MultiviewSettings().source_shares) + MultiviewSettings().targets
    if options.views < needed:
        raise ValueError(f"--views is {options.views}; sources and targets need {needed}")
    for name in ("objects", "renderers", "batch_size", "first"):
        if getattr(options, name) < 1:
            raise ValueError(f"--{name.replace('_', '-')} must be at least 1")
    if not options.pack.is_file():
        raise ValueError(f"{options.pack}: no such file; `training.gpu_run pack` makes it")
    if (options.out / "model.safetensors").exists():
        raise ValueError(f"{options.out} holds weights, which would be overwritten; choose another")
    check_device(options.device)


def train(options: argparse.Namespace) -> None:
    """Render objects and train on them for the given time, then end all processes."""
    check(options)
    with TemporaryDirectory(dir=options.shards) as shards, ExitStack() as processes:
        train_on_shards(options, Path(shards), processes)


def train_on_shards(options: argparse.Namespace, shards: Path, processes: ExitStack) -> None:
    """See `train`.

    shards: an empty folder for rendered objects; processes: gets what ends each process.
    """
    began = time.monotonic()
    device = options.device
    torch.manual_seed(options.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    options.out.mkdir(parents=True, exist_ok=True)
    log = (options.out / "log.jsonl").open("a")

    def note(**values: object) -> None:
        line = json.dumps({"t": round(time.monotonic() - began, 1), **values})
        print(line, flush=True)
        log.write(line + "\n")
        log.flush()

    counts = {"train": options.objects, "val": min(options.objects, VALIDATION_OBJECTS)}
    sets, renderers = {}, {}
    for name, count in counts.items():
        held_out, folder = name == "val", shards / name
        folder.mkdir()
        views = 10 if held_out else options.views
        sets[name] = ObjectViews.empty(count, views, SIZE, device)
        renderers[name] = start_renderers(options, folder, count, held_out)
        for process in renderers[name]:
            processes.callback(end, process)
        alive = lambda ps=renderers[name]: any(p.poll() is None for p in ps)  # noqa: E731
        loader = threading.Thread(
            target=load_shards, args=(folder, sets[name], count, alive), daemon=True
        )
        loader.start()
    while sets["train"].available < min(options.first, options.objects):
        if not any(p.poll() is None for p in renderers["train"]):
            raise ValueError("the renderers ended early; see their messages above")
        time.sleep(0.2)
    note(event="first objects", available=sets["train"].available)

    if options.init:
        model = NovelViewModel.from_pretrained(options.init).requires_grad_().train()
    else:
        model = NovelViewModel.from_preset("objects")
    network: MultiviewNetwork = model.network.to(device)
    settings = MultiviewSettings(batch_size=options.batch_size, seed=options.seed)
    schedule = Schedule(
        options.learning_rate, options.matrix_learning_rate, decay_share=options.decay_share
    )
    stage = MultiviewStage(network, sets["train"], settings)
    fit = Fit(stage, schedule)
    compiler = None
    if options.compile:
        compiler = start_compiler(options)
        processes.callback(end, compiler)
    state = {"at": time.monotonic(), "iteration": 0}

    def report(fit: Fit, scalars: dict) -> None:
        left = options.seconds - (time.monotonic() - began)
        if compiler and fit.loss is stage.loss and compiler.poll() is not None and left > 120:
            note(event="compiled", code=compiler.returncode)
            if compiler.returncode == 0:
                fit.compile()
        now = time.monotonic()
        speed = (fit.iteration - state["iteration"]) / (now - state["at"])
        values = {name: round(float(value), 5) for name, value in scalars.items()}
        if sets["val"].available:
            measured = validate(fit.ema, sets["val"])
            values |= {name: round(value, 4) for name, value in measured.items()}
        note(
            iteration=fit.iteration, its=round(speed, 2), objects=sets["train"].available, **values
        )
        save(options, fit, settings, schedule, values, model.config.training)
        state.update(at=time.monotonic(), iteration=fit.iteration)

    fit.step(1.0)
    note(event="first step", parameters=sum(p.numel() for p in network.parameters()))
    state.update(at=time.monotonic(), iteration=fit.iteration)
    fit_for(fit, options.seconds - (time.monotonic() - began), report, options.report_every)
    if torch.cuda.is_available():
        note(event="memory", gib=round(torch.cuda.max_memory_allocated() / 2**30, 1))


def end(process: subprocess.Popen) -> None:
    """Kill a process and wait for its end."""
    process.kill()
    process.wait()


def start_compiler(options: argparse.Namespace) -> subprocess.Popen:
    """Compile the loss in a process of its own, while training goes on without."""
    command = [sys.executable, "-m", "training.gpu_run", "compile"]
    command += ["--batch-size", str(options.batch_size), "--device", options.device]
    return subprocess.Popen(command)


def compile_loss(options: argparse.Namespace) -> None:
    """Compile the loss for one batch of made-up views."""
    views = ObjectViews.empty(2, 20, SIZE, options.device)
    eye = np.random.default_rng(0).normal(size=(2, 20, 3))
    poses = look_at(eye, np.zeros(3)).astype(np.float32)[..., :3, :3]
    views.append(
        np.zeros(views.rgba.shape, np.uint8),
        np.zeros(views.depth.shape, np.float16),
        poses,
        np.full(views.rho.shape, 5, np.float32),
    )
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    settings = MultiviewSettings(batch_size=options.batch_size)
    stage = MultiviewStage(MultiviewNetwork(SIZE).to(options.device), views, settings)
    fit = Fit(stage, Schedule())
    fit.compile()
    began = time.monotonic()
    fit.step(0.0)
    print(f"compiled in {time.monotonic() - began:.0f} s", flush=True)


def save(
    options: argparse.Namespace,
    fit: Fit,
    settings: MultiviewSettings,
    schedule: Schedule,
    metrics: dict,
    before: dict,
) -> None:
    """Write the weights folder: averaged parameters and what made them.

    before: `training` of the weights that the run began with.
    """
    start = history.trained_iterations(before, "multiview")
    segment = {
        "stage": "multiview",
        "from": start,
        "to": start + fit.iteration,
        "settings": asdict(settings),
        "schedule": asdict(schedule),
        "data": {"objects": fit.stage.views.available, "views": fit.stage.views.rgba.shape[1]},
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "validation": metrics,
    }
    model = NovelViewModel.from_preset("objects", training=history.record(before, segment))
    model.network.load_state_dict(fit.ema.state_dict())
    model.save_pretrained(options.out)


def pack(options: argparse.Namespace) -> None:
    """Pack mesh files into one file; those without colours of their own are marked as such."""
    from training.data.load_meshes import find_mesh_files, load_meshes

    refuse_test_sets(*options.meshes)
    meshes, kinds = {}, {}
    found, unsupported = find_mesh_files(options.meshes)
    for reason in unsupported:
        print(f"skipped: {reason}", file=sys.stderr)
    for name, file in found.items():
        parts = load_meshes(file, "z")
        if len(parts) != 1 or parts[0].colors is None:
            raise ValueError(f"{file}: only meshes of one part with colours can be packed")
        meshes[name] = parts[0]
        grey = len(np.unique(parts[0].colors, axis=0)) == 1
        kinds[name] = "colourless" if grey else "scan"
    MeshPack(meshes, kinds).write(options.out)
    print(f"{len(meshes)} meshes, {options.out.stat().st_size / 1e6:.1f} MB, "
          f"{sum(kind == 'colourless' for kind in kinds.values())} without colours")  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.gpu_run", description=__doc__.partition("\n")[0]
    )
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("pack")
    command.set_defaults(run=pack)
    command.add_argument("--meshes", type=Path, nargs="+", required=True)
    command.add_argument("--out", type=Path, required=True)
    command = commands.add_parser("compile")
    command.set_defaults(run=compile_loss)
    command.add_argument("--batch-size", type=int, required=True)
    command.add_argument("--device", required=True)
    for name, run in (("train", train), ("render", render_shards)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("--pack", type=Path, required=True)
        command.add_argument("--out", type=Path, required=True)
        command.add_argument("--objects", type=int, default=16_000)
        command.add_argument("--views", type=int, default=32, help="of each object")
        command.add_argument("--seed", type=int, default=0)
        if name == "render":
            command.add_argument("--rank", type=int, required=True)
            command.add_argument("--of", type=int, required=True)
            command.add_argument("--held-out", action="store_true")
            continue
        command.add_argument("--seconds", type=float, default=500)
        command.add_argument("--shards", type=Path, help="folder for rendered objects")
        command.add_argument("--renderers", type=int, default=13, help="processes")
        command.add_argument("--first", type=int, default=512, help="objects to begin with")
        command.add_argument("--batch-size", type=int, default=256)
        command.add_argument("--learning-rate", type=float, default=2e-3)
        command.add_argument("--matrix-learning-rate", type=float, default=7e-3)
        command.add_argument("--decay-share", type=float, default=0.6)
        command.add_argument("--report-every", type=float, default=30)
        command.add_argument("--init", type=Path, help="weights folder to go on from")
        command.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
        command.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args(arguments)
    with exit_on_error(parser):
        options.run(options)


if __name__ == "__main__":
    main()
