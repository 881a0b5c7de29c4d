"""Objects that are rendered by processes of their own while the training runs.

Each process writes files of a few objects, so-called shards, which the training reads and deletes.
"""

import argparse
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from training import distributed
from training.multiview.data import OBJECT_RADIUS, ObjectViews, half_size_depth
from training.multiview.training_set import MeshPack, TrainingSet

SHARD = 16  # objects in one file
SIZE = 32  # of the model's images
VALIDATION_VIEWS = 10


def render_shards(options: argparse.Namespace) -> None:
    """Render every `of`-th shard, from number `rank` on, into files that appear when complete.

    Ends early if the process that started this one has ended.
    """
    parent = os.getppid()
    objects = TrainingSet(MeshPack.read(options.pack), options.seed, options.held_out)
    for shard in range(options.rank, -(-options.objects // SHARD), options.of):
        arrays = {"rgba": [], "depth": [], "rotations": [], "rho": []}
        for number in range(shard * SHARD, (shard + 1) * SHARD):
            if os.getppid() != parent:
                return
            rgba, depth, poses = render_object(objects, number, options)
            distance = np.linalg.norm(poses[:, :3, 3], axis=-1)
            arrays["rgba"].append(rgba)
            arrays["depth"].append(half_size_depth(depth, distance, rgba[..., 3]))
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


def render_in_background(
    options: argparse.Namespace, validation: int, resources: ExitStack
) -> tuple[ObjectViews, ObjectViews]:
    """Return views for training and validation, which fill while the processes render.

    Waits for the first objects. options: of train_multiview; validation: number of objects;
    resources: gets what ends the processes. Under torchrun each process has its share of the
    objects for training. Raises ValueError for fewer objects than the processes can share, and if
    the renderers end early.
    """
    share = share_of(options.objects, distributed.rank(), distributed.count())
    first = min(math.ceil(options.first / distributed.count()), share)
    if distributed.rank():  # the first process validates
        validation = 0
    shards = Path(resources.enter_context(TemporaryDirectory(dir=options.shards)))
    sets, loaders = [], []
    for held_out, count in ((False, share), (True, validation)):
        folder = shards / ("validation" if held_out else "train")
        folder.mkdir()
        views = VALIDATION_VIEWS if held_out else options.views
        sets.append(ObjectViews.empty(count, views, SIZE, options.device))
        processes = start_renderers(options, folder, validation if held_out else None)
        for process in processes:
            resources.callback(end, process)
        loading = (folder, sets[-1], count, processes)
        loaders.append(threading.Thread(target=load_shards, args=loading, daemon=True))
        loaders[-1].start()
    while sets[0].available < first and loaders[0].is_alive():
        loaders[0].join(0.2)
    if sets[0].available < first:
        raise ValueError("the renderers ended early; see their messages above")
    return sets[0], sets[1]


def share_of(objects: int, rank: int, processes: int) -> int:
    """Return how many objects are in every `processes`-th shard, from number `rank` on.

    Raises ValueError if there is no shard for each process.
    """
    begins = range(0, objects, SHARD)
    if len(begins) < processes:
        raise ValueError(
            f"--objects {objects} are too few for {processes} processes, which share them in files "
            f"of {SHARD}"
        )
    return sum(min(SHARD, objects - begin) for begin in begins[rank::processes])


def start_renderers(
    options: argparse.Namespace, folder: Path, validation: int | None
) -> list[subprocess.Popen]:
    """Start the processes that fill a folder with shards.

    validation: number of objects held out for validation; None: the objects for training.
    """
    if held_out := validation is not None:
        objects, views, ranks, processes = validation, VALIDATION_VIEWS, range(1), 1
    else:
        objects, views, own = options.objects, options.views, options.renderers
        processes = distributed.count() * own
        ranks = range(distributed.rank(), processes, distributed.count())
    command = [sys.executable, "-m", "training.gpu_run", "render", "--pack", str(options.pack)]
    command += ["--out", str(folder), "--objects", str(objects), "--views", str(views)]
    command += ["--seed", str(options.seed), "--of", str(processes)]
    command += ["--held-out"] if held_out else []
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return [
        subprocess.Popen(["nice", *command, "--rank", str(rank)], env=environment) for rank in ranks
    ]


def load_shards(
    folder: Path, views: ObjectViews, objects: int, renderers: Sequence[subprocess.Popen]
) -> None:
    """Append shards to the views as they appear, until all are there or nobody renders."""
    while views.available < objects:
        working = any(each.poll() is None for each in renderers)
        for file in sorted(folder.glob("[0-9]*.npz")):
            shard = np.load(file)
            views.append(*(shard[n] for n in ("rgba", "depth", "rotations", "rho")))
            file.unlink()
        if not working:
            break
        time.sleep(0.3)


def end(process: subprocess.Popen) -> None:
    """Kill a process and wait for its end."""
    process.kill()
    process.wait()
