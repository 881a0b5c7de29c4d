"""Mesh files to surfaces that the renderer draws."""

import json
import logging
import os
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from training.data.mesh import Mesh, MeshError, normalise
from training.data.mesh_files import collada, gltf, obj, off, ply, stl
from training.data.mesh_files.files import ReferencedFiles, changed_file
from training.data.mesh_files.surface import LEFT_OUT

log = logging.getLogger(__name__)

# Formats that say which axis points up, or have one by definition, and those that do not.
WITH_UP_AXIS = (".glb", ".gltf", ".dae")
WITHOUT_UP_AXIS = {".obj": obj.read, ".stl": stl.read, ".ply": ply.read, ".off": off.read}
SUFFIXES = (*WITHOUT_UP_AXIS, *WITH_UP_AXIS)
# Formats of meshes that cannot be read; in a folder they are named and counted.
UNSUPPORTED_SUFFIXES = (".fbx", ".usd", ".usda", ".usdc", ".usdz", ".blend", ".3ds", ".3mf", ".max",
                        ".wrl", ".x3d", ".step", ".stp", ".iges", ".igs", ".c4d", ".ma", ".mb",
                        ".lwo", ".drc", ".mesh", ".ctm", ".abc", ".skp", ".zae", ".x3db", ".x3dv",
                        ".vtk", ".vtp", ".dxf", ".ase", ".md2", ".vox", ".3dm", ".amf",
                        ".brep", ".dwg", ".ifc", ".jt", ".pcd", ".sldprt", ".splat",
                        ".x_t")  # fmt: skip
MAX_NAME_BYTES = 200  # of an instance's folder; file systems have 255, with what is added to it
# Rotation to z up. Of y up, the front is z, as in glTF; it becomes y, our cars' front.
UPRIGHT = {
    "x": np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]]),
    "y": np.array([[-1, 0, 0], [0, 0, 1], [0, 1, 0]]),
    "z": np.eye(3),
}


def load_meshes(
    path: Path,
    up: str = "z",
    allow_missing_textures: bool = False,
    record_path: Path | None = None,
) -> list[Mesh]:
    """Return a mesh file's surfaces, z up, centred and scaled as all objects are.

    up: "y" or "z", the axis that points up in formats that do not say it (WITHOUT_UP_AXIS);
    record_path: JSON file to write, for `changed_since`. Raises MeshError, which names the file, if
    something of the file's shape, colour or textures is broken, missing or not supported. With
    allow_missing_textures, a surface without its texture or material has the colour that is left.
    """
    files = ReferencedFiles(path, allow_missing_textures)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            meshes, up = _read(path, up, files)
            if not meshes:
                transparent = any(str(w.message) == LEFT_OUT for w in caught)
                raise ValueError(
                    "all of it is transparent" if transparent else "it holds no triangles"
                )
            upright = [replace(mesh, vertices=mesh.vertices @ UPRIGHT[up].T) for mesh in meshes]
            normalised = normalise(upright)
        if sum(map(_area, normalised)) < 1e-9:
            raise ValueError("its triangles have no area")
    except Exception as error:  # a broken file raises whatever its format's parser stumbles over
        raise MeshError(f"{path}: {_reason(error)}") from error
    for message in dict.fromkeys(str(w.message) for w in caught if w.category is UserWarning):
        log.warning("%s: %s", path, message)
    if record_path is not None:
        record_path.parent.mkdir(parents=True, exist_ok=True)
        record_path.write_text(json.dumps(files.record(), indent=2) + "\n")
    return normalised


def _reason(error: Exception) -> str:
    """Return why a file cannot be used. Errors of other types tell a user little by themselves."""
    if isinstance(error, (ValueError, OSError)) and str(error):
        return str(error)
    return f"broken, or not supported ({type(error).__name__}: {error})"


def _read(path: Path, up: str, files: ReferencedFiles) -> tuple[list[Mesh], str]:
    suffix = path.suffix.lower()
    if suffix in WITHOUT_UP_AXIS:
        return WITHOUT_UP_AXIS[suffix](path, files), up
    if suffix in (".glb", ".gltf"):
        return gltf.read(path, files), "y"  # by the specification, 3.3
    if suffix == ".dae":
        return collada.read(path, files)
    raise ValueError(f"format {suffix or 'unknown'} is not supported; known are {_list(SUFFIXES)}")


def _list(suffixes: Iterable[str]) -> str:
    return ", ".join(suffixes)


def _area(mesh: Mesh) -> float:
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces], 1, 0)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=-1).sum() / 2)


def changed_since(path: Path, record_path: Path) -> str | None:
    """Return which file of a mesh changed since `load_meshes` wrote the record, None if none did.

    Raises ValueError if there is no record.
    """
    try:
        record = json.loads(record_path.read_text())
        return changed_file(path, record)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{record_path}: missing or broken ({error})") from error


def _is_unicode(name: str) -> bool:
    """Return whether a file's name is valid UTF-8; in other names Python has surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def find_mesh_files(paths: list[Path]) -> tuple[dict[str, Path], list[str]]:
    """Return the mesh files among files and folders, with all below them, by instance name.

    A file's name is that of its instance; in a folder it is the path below it, joined by "_". Also
    returns a line for each file of a format that is known but not supported, for each broken link
    and for each name that an instance cannot have. Raises FileNotFoundError or ValueError if there
    is nothing to read or two files would have one name.
    """
    found: dict[str, Path] = {}
    unsupported = []
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such file or folder")
        files = [path]
        if path.is_dir():
            # "._part.obj" holds what macOS knows of part.obj on a foreign file system.
            entries = sorted(path.rglob("[!.]*"))
            below = [p for p in entries if p.is_file()]
            files = [p for p in below if p.suffix.lower() in SUFFIXES]
            unsupported += [
                f"{p}: format {p.suffix.lower()} is not supported; convert it to GLB"
                for p in below
                if p.suffix.lower() in UNSUPPORTED_SUFFIXES
            ]
            unsupported += [
                f"{p}: link to a file that is not there"
                for p in entries
                if p.is_symlink() and not p.exists() and p.suffix.lower() in SUFFIXES
            ]
        for file in files:
            name = file.name if file == path else "_".join(file.relative_to(path).parts)
            if len(os.fsencode(name)) > MAX_NAME_BYTES or not _is_unicode(name):
                unsupported.append(
                    f"{file}: {name!r} cannot be an instance's name; rename the file"
                )
                continue
            if name in found:
                raise ValueError(
                    f"{found[name]} and {file} would both be named {name}; give the folder above "
                    "them, or another --split for each"
                )
            found[name] = file
    if not found:
        formats = [line.split(": format ")[1] for line in unsupported if ": format " in line]
        others = Counter(line.split()[0] for line in formats)
        there = f" (there: {', '.join(f'{n} {s}' for s, n in others.items())})" if others else ""
        raise ValueError(
            f"{', '.join(map(str, paths))}: no mesh files; known are {_list(SUFFIXES)}{there}"
        )
    return found, unsupported
