"""The objects of the multi-view network's training: one for each number, of mixed kinds.

Procedural objects, scanned meshes in many disguises, shapes in colours of their own, and cars. An
object depends on the seed and its number alone.
"""

import io
import json
import lzma
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.disguise import coloured, disguised
from training.data.mesh import Mesh, normalise

UNIT = 60_000  # of packed vertices, to the bounding box's diagonal
# How many of every 40 objects are of each kind.
KINDS = ["procedural"] * 20 + ["scan"] * 10 + ["colourless"] * 3 + ["car"] * 7
HELD_OUT = 12  # one of so many meshes is for validation


@dataclass(frozen=True)
class MeshPack:
    """Meshes in one small file. names: by kind ("scan" or "colourless")."""

    meshes: dict[str, Mesh]
    kinds: dict[str, str]

    def write(self, path: Path) -> None:
        vertices, faces, colors, rows = [], [], [], []
        for name, mesh in self.meshes.items():
            if len(mesh.vertices) > np.iinfo(np.uint16).max:
                raise ValueError(f"{name}: {len(mesh.vertices)} vertices; at most 65535 are packed")
            vertices.append(np.round(mesh.vertices * UNIT).astype(np.int16))
            faces.append(mesh.faces.astype(np.uint16))
            colors.append(mesh.colors.astype(np.uint8))
            rows.append((name, self.kinds[name], *map(len, (vertices[-1], faces[-1], colors[-1]))))
        file = io.BytesIO()
        arrays = {"vertices": vertices, "faces": faces, "colors": colors}
        text = np.frombuffer(json.dumps(rows).encode(), np.uint8)
        np.savez(file, rows=text, **{name: np.concatenate(a) for name, a in arrays.items()})
        path.write_bytes(lzma.compress(file.getvalue()))

    @classmethod
    def read(cls, path: Path) -> "MeshPack":
        arrays = np.load(io.BytesIO(lzma.decompress(path.read_bytes())))
        vertices, faces, colors = (arrays[name] for name in ("vertices", "faces", "colors"))
        meshes, kinds, at = {}, {}, [0, 0, 0]
        for name, kind, *counts in json.loads(bytes(arrays["rows"])):
            v, f, c = (slice(a, a + n) for a, n in zip(at, counts, strict=True))
            meshes[name] = Mesh(vertices[v] / UNIT, faces[f].astype(np.int64), colors[c])
            kinds[name] = kind
            at = [a + n for a, n in zip(at, counts, strict=True)]
        return cls(meshes, kinds)

    def of(self, kind: str, held_out: bool) -> list[Mesh]:
        """Return the meshes of a kind, for training or held out for validation."""
        return [
            mesh
            for name, mesh in self.meshes.items()
            if self.kinds[name] == kind and (zlib.crc32(name.encode()) % HELD_OUT == 0) == held_out
        ]


class TrainingSet:
    """Objects by number. held_out: those for validation, none of which is in training."""

    def __init__(self, pack: MeshPack, seed: int = 0, held_out: bool = False):
        self.seed, self.held_out = seed + 1000 * held_out, held_out
        self.meshes = {kind: pack.of(kind, held_out) for kind in ("scan", "colourless")}

    def build(self, number: int) -> list[Mesh]:
        """Return the meshes of an object: z up, bounding box centred, its diagonal 1."""
        kind = KINDS[(number * 17) % len(KINDS)]  # kinds in turn, so that any part has all
        if kind == "procedural":
            from training.data.objects import build_object

            return build_object(self.seed, number)
        if kind == "car":
            from training.data.cars import car

            return car(self.seed, number)
        rng = np.random.default_rng([self.seed, number])
        mesh = self.meshes[kind][rng.integers(len(self.meshes[kind]))]
        if kind == "colourless":
            (mesh,) = coloured([mesh], rng)
        return [mesh] if self.held_out else normalise(disguised([mesh], rng))
