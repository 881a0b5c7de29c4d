"""Render procedural cars in the SRN layout: python -m training.render_cars --help"""

import argparse
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tiny_nvs_ros.geometry import FOCAL
from training import cameras
from training.cars import VERSION, car
from training.render import Renderer
from training.srn import Intrinsics, write_instance

DEFAULT_VIEWS = {"random": 50, "spiral": cameras.SPIRAL_VIEWS, "orbit": 48}


@dataclass(frozen=True)
class Settings:
    """What decides the pictures of car number i, together with i itself."""

    seed: int
    views: int
    size: int
    trajectory: str
    version: int = VERSION

    def poses(self, index: int) -> np.ndarray:
        if self.trajectory == "spiral":
            return cameras.spiral()
        if self.trajectory == "orbit":
            return cameras.ring(self.views)
        return cameras.random_views(self.views, np.random.default_rng([self.seed, index, 1]))


def instance_path(split: Path, settings: Settings, index: int) -> Path:
    return split / f"car_{settings.seed}_{index:05d}"


def render_car(index: int, split: Path, settings: Settings) -> None:
    """Render car number `index` of the series into its folder, unless it is there already."""
    path = instance_path(split, settings, index)
    if path.exists():
        return
    poses = settings.poses(index)
    images = _renderer(settings.size).render(car(settings.seed, index), poses)
    write_instance(path, images, poses, Intrinsics.centred(FOCAL * settings.size, settings.size))


_renderers: dict[int, Renderer] = {}


def _renderer(size: int) -> Renderer:
    """This process's renderer: its window serves all cars."""
    if size not in _renderers:
        _renderers[size] = Renderer(size)
    return _renderers[size]


def render_cars(split: Path, indices: list[int], settings: Settings, workers: int) -> None:
    """Render the cars `indices` into the folder `split`; cars that are complete are skipped.

    Raises ValueError where the folder was made with other settings.
    """
    split.mkdir(parents=True, exist_ok=True)
    _check_settings(split / "render.json", settings)
    todo = [i for i in indices if not instance_path(split, settings, i).exists()]
    if len(todo) < len(indices):
        print(f"{split}: {len(indices) - len(todo)} cars are there already", file=sys.stderr)
    work = partial(render_car, split=split, settings=settings)
    with (
        _mapper(min(workers, len(todo))) as run,
        tqdm(total=len(todo) * settings.views, unit="frame", desc=split.name) as bar,
    ):
        for _ in run(work, todo):
            bar.update(settings.views)


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


def _check_settings(path: Path, settings: Settings) -> None:
    """Write the settings beside the instances, or compare with those that are there."""
    if not any(path.parent.iterdir()):
        path.write_text(json.dumps(asdict(settings), indent=2) + "\n")
        return
    try:
        there = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path.parent} is not empty, and {path.name}, which says how it was made, is "
            "missing or broken. Give another --out or --split"
        ) from error
    if there != asdict(settings):
        raise ValueError(
            f"{path.parent} was made with {_words(there)}; asked for: {_words(asdict(settings))}. "
            "Give another --out or --split, the same settings, or delete the folder"
        )


def _words(settings: dict) -> str:
    return ", ".join(f"{key} {value}" for key, value in settings.items())


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.render_cars",
        description="Render procedural cars in the SRN layout, OUT/SPLIT/<instance>/{rgb,pose}. "
        "A car depends on its seed and number alone; a broken run goes on where it stopped.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--split", default="cars_train", help="folder in it (%(default)s)")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--instances", type=int, metavar="N", help="cars number 0 to N - 1")
    which.add_argument("--pick", type=int, nargs="+", metavar="I", help="the cars of these numbers")
    parser.add_argument(
        "--views", type=int, metavar="V", help="a car (random: 50, orbit: 48; a spiral has 251)"
    )
    parser.add_argument("--size", type=int, default=64, help="of the images (%(default)s)")
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
    options = parser.parse_args(arguments)
    views = DEFAULT_VIEWS[options.trajectory] if options.views is None else options.views
    if options.trajectory == "spiral" and views != cameras.SPIRAL_VIEWS:
        parser.error(f"--views {views}: the spiral has {cameras.SPIRAL_VIEWS} views")
    for name in ("size", "workers"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1")
    if views < 1:
        parser.error("--views must be at least 1")
    indices = options.pick or list(range(options.instances or 0))
    if not indices or min(indices) < 0 or options.seed < 0:
        parser.error("--instances must be at least 1, --pick and --seed not negative")
    settings = Settings(options.seed, views, options.size, options.trajectory)
    try:
        render_cars(options.out / options.split, indices, settings, options.workers)
    except ValueError as error:
        parser.exit(2, f"error: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "interrupted; the same command goes on from here\n")


if __name__ == "__main__":
    main()
