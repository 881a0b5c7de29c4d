"""Render mesh files in the SRN layout: python -m training.render_meshes --help"""

import argparse
import sys
import zlib
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import trimesh
from PIL.Image import Image
from trimesh.visual.material import PBRMaterial, SimpleMaterial

from training import render_split
from training.mesh import Mesh, MeshError, normalise

SUFFIXES = (".obj", ".glb", ".gltf", ".stl", ".ply", ".dae")
GREY = 180  # of a surface that has no colour
# To z up; y up is taken as glTF has it, with the front towards z, which becomes our cars', y.
UPRIGHT = {"z": np.eye(3), "y": np.array([[-1, 0, 0], [0, 0, 1], [0, 1, 0]])}


@dataclass(frozen=True)
class MeshSettings(render_split.Settings):
    """up: the axis of the files that points up."""

    up: str


def load_meshes(path: Path, up: str) -> list[Mesh]:
    """A mesh file's surfaces, z up, centred and scaled as all objects are.

    Colours are those of the texture, the material, the vertices or the faces; transparency is not
    kept. Raises MeshError, which names the file, where there is nothing to draw.
    """
    try:
        scene = trimesh.load_scene(path, process=False)
        parts = [part for part in scene.dump() if isinstance(part, trimesh.Trimesh)]
        meshes = [_mesh(part) for part in parts if len(part.faces)]
        if not meshes:
            raise ValueError("it holds no triangles")
        normalised = normalise(
            [replace(mesh, vertices=mesh.vertices @ UPRIGHT[up].T) for mesh in meshes]
        )
        if sum(map(_area, normalised)) < 1e-9:
            raise ValueError("its triangles have no area")
        return normalised
    except Exception as error:  # a broken file raises whatever its format's parser stumbles over
        kind = "" if type(error) is ValueError else f"{type(error).__name__}: "
        raise MeshError(f"{path}: {kind}{error}") from error


def _mesh(part: trimesh.Trimesh) -> Mesh:
    """One surface of a scene, with the vertices that its triangles use."""
    faces = np.asarray(part.faces)
    if faces.min() < 0 or faces.max() >= len(part.vertices):
        raise ValueError("its triangles name vertices that it does not have")
    used, faces = np.unique(faces, return_inverse=True)
    vertices, faces = np.asarray(part.vertices)[used], faces.reshape(-1, 3)
    if not np.isfinite(vertices).all():
        raise ValueError("it has vertices that are not finite")
    visual = part.visual
    if visual.kind == "texture":
        image, factor = _texture(visual.material)
        if image is not None and visual.uv is not None:
            texture = np.uint8(np.asarray(image.convert("RGB")) * factor)
            return Mesh(vertices, faces, uv=visual.uv[used], texture=texture)
        color = visual.material.main_color[:3]
    elif visual.kind == "face":
        return Mesh(vertices, faces, visual.face_colors[:, :3])
    elif visual.kind == "vertex":
        return Mesh(vertices, faces, visual.vertex_colors[used, :3])
    else:
        color = np.full(3, GREY)
    return Mesh(vertices, faces, np.tile(np.uint8(color), (len(faces), 1)))


def _texture(material: SimpleMaterial | PBRMaterial) -> tuple[Image | None, np.ndarray | float]:
    """A material's picture, and the colour in [0, 1] that it is multiplied with."""
    if isinstance(material, PBRMaterial):
        factor = material.baseColorFactor
        return material.baseColorTexture, 1.0 if factor is None else factor[:3] / 255
    return material.image, 1.0


def _area(mesh: Mesh) -> float:
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces], 1, 0)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=-1).sum() / 2)


def find(paths: list[Path]) -> dict[str, Path]:
    """The mesh files among files and folders (with all below them), by the instance's name.

    A file's name is that of its instance; in a folder the path below it, joined by "_".
    """
    found: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such file or folder")
        files = [path]
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
        for file in files:
            name = file.name if file == path else "_".join(file.relative_to(path).parts)
            if name in found:
                raise ValueError(
                    f"{found[name]} and {file} would both be named {name}; give the folder above "
                    "them, or another --split for each"
                )
            found[name] = file
    if not found:
        raise ValueError(
            f"{', '.join(map(str, paths))}: no mesh files; known are {', '.join(SUFFIXES)}"
        )
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.render_meshes",
        description="Render mesh files in the SRN layout, OUT/SPLIT/<instance>/{rgb,pose}. "
        "An object's pictures depend on its file, its name and the seed alone; a broken run goes "
        "on where it stopped.",
    )
    parser.add_argument(
        "--meshes", type=Path, nargs="+", required=True, help=f"files or folders: {SUFFIXES}"
    )
    parser.add_argument(
        "--up",
        choices=UPRIGHT,
        default="z",
        help="up in the files (%(default)s); of y, the front is z",
    )
    render_split.add_arguments(parser, split="train")
    options = parser.parse_args(arguments)
    settings = MeshSettings(**render_split.read_settings(parser, options), up=options.up)
    try:
        found = find(options.meshes)
    except (ValueError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    items = [
        render_split.RenderItem(
            name, zlib.crc32(name.encode()), partial(load_meshes, path, options.up)
        )
        for name, path in found.items()
    ]
    failures = render_split.run(parser, options, items, settings)
    for failure in failures:
        print(f"skipped: {failure}", file=sys.stderr)
    done = len(items) - len(failures)
    print(f"{done} objects in {options.out / options.split}, {len(failures)} mesh files skipped")
    if not done:
        parser.exit(2, "error: none of the mesh files could be used\n")


if __name__ == "__main__":
    main()
