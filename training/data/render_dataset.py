"""Render objects into a data set in the SRN layout, in parallel and resumable.

Objects that are complete are skipped; the files do not depend on the number of processes.
"""

import argparse
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from tiny_nvs_ros.geometry import SRN_CAMERA
from tiny_nvs_ros.srn_cameras import OBJECT_RADII
from tiny_nvs_ros.srn_data import Intrinsics, write_instance
from training.data import cameras
from training.data.mesh import Mesh, MeshError
from training.data.random_views import displace
from training.data.renderer import Renderer
from training.data.scene import Scene, random_scene
from training.data.test_sets import MARKER, is_test_name
from training.progress import Progress
from training.run_config import keep_settings

# Of random scenes: 1 had coloured backgrounds, and objects where their frame says; 2 had fewer
# objects near their frame.
SCENE_VERSION = 3
DEFAULT_VIEWS = {"random": 50, "spiral": cameras.SPIRAL_VIEWS, "orbit": 48}


@dataclass(frozen=True)
class Settings:
    """Settings that, with the object itself, determine its images.

    distance: of the cameras, least and greatest, object radii; None is SRN_CAMERA's. scene_version:
    SCENE_VERSION if randomise, else 1.
    """

    seed: int
    views: int
    size: int
    trajectory: str
    randomise: bool = field(default=False, kw_only=True)
    distance: list[float] | None = field(default=None, kw_only=True)
    scene_version: int = field(default=1, kw_only=True)

    def cameras(self, number: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the cameras of the object of this number: T_object_camera (views, 4, 4), and focal
        lengths (views,) in image widths, or None if all have that of SRN_CAMERA."""
        poses = self.poses(number)
        if self.distance is None:
            return poses, None
        rng = np.random.default_rng([self.seed, number, 3])
        return cameras.at_distances(
            poses, cameras.random_distances(len(poses), rng, *self.distance)
        )

    def poses(self, number: int) -> np.ndarray:
        """Return T_object_camera (views, 4, 4), at SRN_CAMERA's distance."""
        if self.trajectory == "spiral":
            return cameras.spiral()
        if self.trajectory == "orbit":
            return cameras.ring(self.views)
        return cameras.random_views(self.views, np.random.default_rng([self.seed, number, 1]))

    def scene(self, number: int) -> Scene:
        """Return the lights and gloss of the object of this number, the same in all views."""
        if self.randomise:
            return random_scene(np.random.default_rng([self.seed, number, 2]))
        return Scene()

    def placed(self, meshes: list[Mesh], number: int) -> list[Mesh]:
        """Return the meshes where all views see them: displaced if randomise."""
        if self.randomise:
            return displace(meshes, np.random.default_rng([self.seed, number, 4]))
        return meshes


@dataclass(frozen=True)
class RenderItem:
    """An object to render. name: of its folder; number: chooses its random views.

    load: returns its meshes, normalised, in the process that renders them; may raise MeshError.
    """

    name: str
    number: int
    load: Callable[[], list[Mesh]]


def render_item(item: RenderItem, split: Path, settings: Settings) -> str | None:
    """Render an object into its folder unless it exists; return why that failed, or None."""
    path = split / item.name
    if path.exists():
        return None
    try:
        meshes = item.load()
    except MeshError as error:
        return str(error)
    poses, focals = settings.cameras(item.number)
    focals = focals if focals is None else focals * settings.size
    meshes, scene = settings.placed(meshes, item.number), settings.scene(item.number)
    images, depths = _renderer(settings.size).render_with_depth(meshes, poses, scene, focals)
    if focals is None:
        lenses = Intrinsics.centred(SRN_CAMERA.focal * settings.size, settings.size)
    else:
        lenses = [Intrinsics.centred(focal, settings.size) for focal in focals]
    write_instance(path, images, poses, lenses, depths)
    return None


_renderers: dict[int, Renderer] = {}


def _renderer(size: int) -> Renderer:
    """Return this process's renderer, which serves all objects."""
    if size not in _renderers:
        _renderers[size] = Renderer(size)
    return _renderers[size]


def render_dataset(
    split: Path, items: list[RenderItem], settings: Settings, workers: int
) -> list[str]:
    """Render objects into the folder `split`; those that are complete are skipped.

    Returns the reasons why objects cannot be rendered, a line each. Raises ValueError if the folder
    was made with other settings, and RenderError if this machine cannot render or a process dies.
    """
    split.mkdir(parents=True, exist_ok=True)
    keep_settings(split / "render.json", settings)
    if is_test_name(split):
        (split / MARKER).touch()
    todo = [item for item in items if not (split / item.name).exists()]
    if len(todo) < len(items):
        print(f"{split}: {len(items) - len(todo)} objects are there already", file=sys.stderr)
    if not todo:
        return []
    check_rendering()
    work, failures = partial(render_item, split=split, settings=settings), []
    with Progress(len(todo) * settings.views, split.name, "frame") as progress:
        for failure in _results(work, todo, workers):
            if failure:
                failures.append(failure)
            progress.update(settings.views)
    return sorted(failures)


class RenderError(RuntimeError):
    """This machine cannot render, or a rendering process died; the message says what to do."""


PROBE_TIMEOUT_S = 60
PROBE = """
import numpy as np
from training.data.mesh import Mesh
from training.data.renderer import Renderer
square = np.array([[-1.0, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]])
mesh = Mesh(square, np.array([[0, 1, 2], [0, 2, 3]]), np.zeros((4, 3), np.uint8))
pose = np.array([[1.0, 0, 0, 0], [0, 0, 1, -2], [0, -1, 0, 0], [0, 0, 0, 1]])
assert Renderer(8).render([mesh], pose)[0, 4, 4, 3] == 255, "the image is empty"
"""


def check_rendering() -> None:
    """Raise RenderError if this machine cannot render.

    In a process of its own: without a working driver, EGL may crash or never return.
    """
    try:
        probe = subprocess.run(
            [sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=PROBE_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        reason = f"no image within {PROBE_TIMEOUT_S} s"
    else:
        if probe.returncode == 0:
            return
        lines = probe.stderr.strip().splitlines() or [f"exit code {probe.returncode}"]
        reason = lines[-1] if probe.returncode > 0 else f"signal {-probe.returncode}"
        reason = reason.removeprefix("RuntimeError: ")
    raise RenderError(
        f"rendering does not work here ({reason}): sudo apt install libegl1 libgl1 "
        "libgl1-mesa-dri (Mesa's software driver), or unset the variables of EGL, Mesa and "
        "GLCONTEXT if they name a driver or a device that is not there"
    )


def _results(
    work: Callable[[RenderItem], str | None], todo: list[RenderItem], workers: int
) -> Iterator[str | None]:
    """Yield the result of each object, in any order, from one or several processes."""
    if min(workers, len(todo)) <= 1:
        yield from map(work, todo)
        return
    pool = ProcessPoolExecutor(
        min(workers, len(todo)),
        multiprocessing.get_context("spawn"),  # OpenGL does not survive a fork
        signal.signal,
        (signal.SIGINT, signal.SIG_IGN),  # Ctrl-C is handled by the parent
    )
    try:
        for done in as_completed([pool.submit(work, item) for item in todo]):
            yield done.result()
    except BrokenProcessPool as error:
        raise RenderError(
            "a rendering process died (killed for memory, or a crash of the OpenGL driver); the "
            "same command continues from here, with fewer --workers if memory is short"
        ) from error
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()  # those that still render, after Ctrl-C or an error
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def add_arguments(parser: argparse.ArgumentParser, split: str, randomise: bool = False) -> None:
    """Add the options of all kinds of objects; split, randomise: the options' defaults."""
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
        action=argparse.BooleanOptionalAction,
        default=randomise,
        help="random lights, gloss, size and offset for each object, the same in all its views "
        f"({'yes' if randomise else 'no'})",
    )
    parser.add_argument(
        "--distance",
        type=float,
        nargs=2,
        metavar=("MIN", "MAX"),
        help="random distance of each camera, in object radii (half the diagonal of the bounding "
        "box), log-uniform; the focal length grows with it, so that objects keep their size "
        f"({SRN_CAMERA.distance / SRN_CAMERA.radius:g} for all)",
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
    """Return the arguments of Settings; invalid ones end the process with the parser's error."""
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
    nearest, farthest = options.distance or OBJECT_RADII
    if not OBJECT_RADII[0] <= nearest <= farthest <= OBJECT_RADII[1]:
        parser.error(
            f"--distance {nearest:g} {farthest:g}: MIN and MAX must be from {OBJECT_RADII[0]:g} to "
            f"{OBJECT_RADII[1]:g} object radii"
        )
    names = ("seed", "size", "trajectory", "randomise", "distance")
    version = SCENE_VERSION if options.randomise else 1
    return {name: getattr(options, name) for name in names} | {
        "views": views,
        "scene_version": version,
    }


def run(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    items: list[RenderItem],
    settings: Settings,
) -> list[str]:
    """Run render_dataset with the command line's options; errors end the process."""
    try:
        return render_dataset(options.out / options.split, items, settings, options.workers)
    except (ValueError, OSError, RenderError) as error:
        parser.exit(2, f"error: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "interrupted; the same command continues from here\n")
