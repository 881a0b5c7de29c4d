"""Render mesh files in the SRN layout: python -m training.render_meshes --help"""

import argparse
import hashlib
import logging
import shutil
import sys
import zlib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from training.data import render_dataset
from training.data.disguise import coloured, disguised
from training.data.load_meshes import (
    SUFFIXES,
    WITHOUT_UP_AXIS,
    changed_since,
    find_mesh_files,
    load_meshes,
)
from training.data.mesh import Mesh, normalise
from training.run_config import keep_settings

SOURCES = "sources"  # folder in a split: from which files each instance was made


@dataclass(frozen=True)
class MeshSettings(render_dataset.Settings):
    """up: axis that points up in the formats that do not say it. disguise: see disguise.py."""

    up: str
    allow_missing_textures: bool = field(default=False, kw_only=True)
    disguise: bool = field(default=False, kw_only=True)


def add_mesh_arguments(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """The options that say which mesh files to read, and how."""
    parser.add_argument(
        "--meshes",
        type=Path,
        nargs="+",
        default=[],
        required=required,
        help=f"files or folders: {', '.join(SUFFIXES)}",
    )
    parser.add_argument(
        "--up",
        choices=("y", "z"),
        default="z",
        help=f"axis that points up in {', '.join(WITHOUT_UP_AXIS)} files (%(default)s); of y, the "
        "front is z. The other formats say it themselves",
    )
    parser.add_argument(
        "--allow-missing-textures",
        action="store_true",
        help="draw surfaces whose texture or material is missing without it",
    )


def load(
    path: Path, record: Path, number: int, settings: MeshSettings, quiet: bool = False
) -> list[Mesh]:
    """Return the normalised meshes of a file, in disguise if the settings say so.

    record: a file for what the mesh was made from; number: of the object; quiet: do not log what is
    unusual. Raises MeshError.
    """
    logging.getLogger(load_meshes.__module__).disabled = quiet
    meshes = load_meshes(path, settings.up, settings.allow_missing_textures, record)
    if not settings.disguise:
        return meshes
    rng = np.random.default_rng([settings.seed, number, 5])
    return normalise(disguised(coloured(meshes, rng), rng))


def record_path(split: Path, name: str) -> Path:
    """The file that tells from which files an instance was made."""
    return split / SOURCES / f"{name}.json"


def source_digests(split: Path) -> dict[str, str]:
    """Return a digest of the files from which each instance of a split was made, by its name."""
    paths = sorted((split / SOURCES).glob("*.json"))
    digests = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    return {name: digest for name, digest in digests.items() if (split / name).is_dir()}


def remove_outdated(split: Path, found: dict[str, Path]) -> None:
    """Delete the instances whose mesh, material or texture file changed since they were rendered.

    Raises ValueError if it is not known from which files an instance was made.
    """
    for name, path in found.items():
        if not (split / name).exists():
            continue
        try:
            changed = changed_since(path, record_path(split, name))
        except ValueError as error:
            raise ValueError(
                f"{split / name} is there, but not from which files it was made ({error}); delete "
                "it, or give another --split"
            ) from error
        if changed:
            print(f"{name}: {changed} has changed; rendering it again", file=sys.stderr)
            shutil.rmtree(split / name)


def remove_others(split: Path, found: dict[str, Path]) -> None:
    """Delete the instances that were made from mesh files that are no longer there."""
    for name in source_digests(split):
        if name not in found:
            print(f"{name}: its mesh file is gone; deleting its views", file=sys.stderr)
            shutil.rmtree(split / name)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.render_meshes",
        description="Render mesh files in the SRN layout, OUT/SPLIT/<instance>/{rgb,pose,depth}. "
        "The images of an object depend on its files, its name and the seed alone. The same "
        "command continues an interrupted run, and renders an object again if its files changed.",
    )
    add_mesh_arguments(parser)
    parser.add_argument(
        "--disguise",
        action="store_true",
        help="turn each mesh about z, now and then stretch it, lay it down or tint it, and colour "
        "those of one colour at random",
    )
    # Of train_yours, which renders the same files again and again.
    parser.add_argument("--quiet", action="store_true", help=argparse.SUPPRESS)
    render_dataset.add_arguments(parser, split="train")
    options = parser.parse_args(arguments)
    settings = MeshSettings(
        **render_dataset.read_settings(parser, options),
        up=options.up,
        allow_missing_textures=options.allow_missing_textures,
        disguise=options.disguise,
    )
    split = options.out / options.split
    try:
        found, unsupported = find_mesh_files(options.meshes)
        split.mkdir(parents=True, exist_ok=True)
        keep_settings(split / "render.json", settings)
        remove_outdated(split, found)
    except (ValueError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    items = [
        render_dataset.RenderItem(
            name,
            number := zlib.crc32(name.encode()),
            partial(load, path, record_path(split, name), number, settings, options.quiet),
        )
        for name, path in found.items()
    ]
    failures = render_dataset.run(parser, options, items, settings)
    for failure in [*failures, *unsupported] * (not options.quiet):
        print(f"skipped: {failure}", file=sys.stderr)
    done, skipped = len(items) - len(failures), len(failures) + len(unsupported)
    print(f"{done} objects in {split}, {skipped} mesh files skipped")
    if not done:
        parser.exit(2, "error: none of the mesh files could be used\n")


if __name__ == "__main__":
    main()
