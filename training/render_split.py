"""Render any number of objects into one split of a data set: what render_cars and render_meshes do.

In parallel, resumable (objects that are complete are skipped), and the same files whatever the
number of processes.
"""

import argparse
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tiny_nvs_ros.geometry import FOCAL
from training import cameras
from training.mesh import Mesh, MeshError
from training.render import Renderer, Scene, random_scene
from training.run_config import keep_settings
from training.srn import Intrinsics, write_instance

DEFAULT_VIEWS = {"random": 50, "spiral": cameras.SPIRAL_VIEWS, "orbit": 48}


@dataclass(frozen=True)
class Settings:
    """What decides the pictures of an object, together with the object itself."""

    seed: int
    views: int
    size: int
    trajectory: str
    randomise: bool = field(default=False, kw_only=True)

    def poses(self, number: int) -> np.ndarray:
        """(views, 4, 4) T_object_camera for the object of this number."""
        if self.trajectory == "spiral":
            return cameras.spiral()
        if self.trajectory == "orbit":
            return cameras.ring(self.views)
        return cameras.random_views(self.views, np.random.default_rng([self.seed, number, 1]))

    def scene(self, number: int) -> Scene:
        """Lights and background of the object of this number, the same in all its views."""
        if self.randomise:
            return random_scene(np.random.default_rng([self.seed, number, 2]))
        return Scene()


@dataclass(frozen=True)
class RenderItem:
    """An object to render. name: of its folder; number: chooses its random views.

    load: makes its meshes, normalised, in the process that renders them; MeshError where it cannot.
    """

    name: str
    number: int
    load: Callable[[], list[Mesh]]


def render_item(item: RenderItem, split: Path, settings: Settings) -> str | None:
    """Render an object into its folder, unless it is there; returns why it cannot be, or None."""
    path = split / item.name
    if path.exists():
        return None
    try:
        meshes = item.load()
    except MeshError as error:
        return str(error)
    poses = settings.poses(item.number)
    images = _renderer(settings.size).render(meshes, poses, settings.scene(item.number))
    write_instance(path, images, poses, Intrinsics.centred(FOCAL * settings.size, settings.size))
    return None


_renderers: dict[int, Renderer] = {}


def _renderer(size: int) -> Renderer:
    """This process's renderer: its window serves all objects."""
    if size not in _renderers:
        _renderers[size] = Renderer(size)
    return _renderers[size]


def render_split(
    split: Path, items: list[RenderItem], settings: Settings, workers: int
) -> list[str]:
    """Render the objects into the folder `split`; those that are complete are skipped.

    Returns why objects cannot be rendered, a line each. Raises ValueError where the folder was made
    with other settings.
    """
    split.mkdir(parents=True, exist_ok=True)
    keep_settings(split / "render.json", settings)
    todo = [item for item in items if not (split / item.name).exists()]
    if len(todo) < len(items):
        print(f"{split}: {len(items) - len(todo)} objects are there already", file=sys.stderr)
    work, failures = partial(render_item, split=split, settings=settings), []
    with (
        _mapper(min(workers, len(todo))) as run,
        tqdm(total=len(todo) * settings.views, unit="frame", desc=split.name) as bar,
    ):
        for failure in run(work, todo):
            if failure:
                failures.append(failure)
            bar.update(settings.views)
    return sorted(failures)


@contextmanager
def _mapper(workers: int) -> Iterator:
    if workers <= 1:
        yield map
    else:
        # Ctrl-C is the parent's to answer; VTK does not outlive a fork.
        with multiprocessing.get_context("spawn").Pool(
            workers, signal.signal, (signal.SIGINT, signal.SIG_IGN)
        ) as pool:
            yield pool.imap_unordered


def add_arguments(parser: argparse.ArgumentParser, split: str) -> None:
    """The options that all kinds of objects share; split: the default of --split."""
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--split", default=split, help="folder in it (%(default)s)")
    parser.add_argument(
        "--views",
        type=int,
        metavar="V",
        help="of an object (random: 50, orbit: 48; a spiral has 251)",
    )
    parser.add_argument("--size", type=int, default=64, help="of the images (%(default)s)")
    parser.add_argument(
        "--randomise",
        action="store_true",
        help="random lights and background for each object, the same in all its views",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the series (%(default)s)")
    parser.add_argument(
        "--trajectory",
        choices=DEFAULT_VIEWS,
        default="random",
        help="random: the whole sphere; spiral: SRN's test; orbit: a ring at 30 degrees",
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count(), help="processes (%(default)s)"
    )


def read_settings(parser: argparse.ArgumentParser, options: argparse.Namespace) -> dict:
    """The arguments of Settings; the parser's error for those that make no sense."""
    views = DEFAULT_VIEWS[options.trajectory] if options.views is None else options.views
    if options.trajectory == "spiral" and views != cameras.SPIRAL_VIEWS:
        parser.error(f"--views {views}: the spiral has {cameras.SPIRAL_VIEWS} views")
    for name in ("size", "workers"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1")
    if views < 1:
        parser.error("--views must be at least 1")
    if options.seed < 0:
        parser.error("--seed must not be negative")
    names = ("seed", "size", "trajectory", "randomise")
    return {name: getattr(options, name) for name in names} | {"views": views}


def run(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    items: list[RenderItem],
    settings: Settings,
) -> list[str]:
    """render_split as the command line asks; ends the process where it cannot go on."""
    try:
        return render_split(options.out / options.split, items, settings, options.workers)
    except (ValueError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "interrupted; the same command goes on from here\n")
