"""A procedural object under construction, and the registry of object families."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from training.data.mesh import Mesh, normalise
from training.data.objects.draw import Draw
from training.data.objects.part import Part, rotation, to_uint8


class Model:
    """The painted parts of one object."""

    def __init__(self):
        self.parts: list[Part] = []

    def add(self, part: Part, paint=None, *, bake: bool = False) -> "Model":
        """Add a part; paint: see `Part.painted`. bake: as a texture, for sharp patterns."""
        if paint is not None:
            part = part.baked(paint) if bake and callable(paint) else part.painted(paint)
        self.parts.append(part)
        return self

    def extend(self, other: "Model") -> "Model":
        self.parts.extend(other.parts)
        return self

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> "Model":
        self.parts = [replace(part, vertices=function(part.vertices)) for part in self.parts]
        return self

    def moved(self, x=0.0, y=0.0, z=0.0) -> "Model":
        return self.map(lambda p: p + np.array([x, y, z], float))

    def scaled(self, factor: float) -> "Model":
        return self.map(lambda p: p * factor)

    def rotated(self, axis: str, degrees: float) -> "Model":
        matrix = rotation(axis, degrees)
        return self.map(lambda p: p @ matrix.T)

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        points = np.concatenate([part.vertices for part in self.parts])
        return points.min(axis=0), points.max(axis=0)

    def face_count(self) -> int:
        return sum(len(part.faces) for part in self.parts)

    def recoloured(self, change: Callable[[np.ndarray], np.ndarray]) -> "Model":
        """Apply `change` (..., 3) -> (..., 3), RGB in [0, 1], to all colours."""
        self.parts = [
            replace(part, colors=change(part.colors))
            if part.texture is None
            else replace(part, texture=to_uint8(change(part.texture / 255.0)))
            for part in self.parts
        ]
        return self

    def grounded(self) -> "Model":
        """Centre the object in x and y and put its lowest point on z = 0."""
        low, high = self.bounds()
        middle = (low + high) / 2
        return self.moved(-middle[0], -middle[1], -low[2])

    def lying(self, draw: Draw) -> "Model":
        """Lay a standing object on its side."""
        return self.rotated("z", draw.uniform(0, 360)).rotated("x", 90).grounded()

    def meshes(self) -> list[Mesh]:
        """One mesh of all coloured parts and one for each texture, normalised."""
        low, high = self.bounds()
        least = (1e-6 * float(np.linalg.norm(high - low))) ** 2
        plain, textured = [], []
        for part in self.parts:
            part = _without_slivers(part, least)
            if len(part.faces):
                (plain if part.texture is None else textured).append(part)
        meshes = [Mesh(p.vertices, p.faces, None, p.uv, p.texture) for p in textured]
        if plain:
            starts = np.cumsum([0, *(len(p.vertices) for p in plain[:-1])])
            meshes.append(
                Mesh(
                    np.concatenate([p.vertices for p in plain]),
                    np.concatenate([p.faces + s for p, s in zip(plain, starts, strict=True)]),
                    to_uint8(np.concatenate([p.colors for p in plain])),
                )
            )
        return normalise(meshes)


def _without_slivers(part: Part, least: float) -> Part:
    """Drop faces without area, and the vertices that no face uses."""
    a, b, c = part.vertices[part.faces].transpose(1, 0, 2)
    keep = np.linalg.norm(np.cross(b - a, c - a), axis=1) > least
    faces = part.faces[keep]
    used = np.zeros(len(part.vertices), bool)
    used[faces] = True
    new = np.cumsum(used) - 1
    return replace(
        part,
        vertices=part.vertices[used],
        faces=new[faces],
        uv=part.uv[used],
        colors=None if part.colors is None else part.colors[used],
    )


@dataclass(frozen=True)
class Family:
    """A kind of object. weight: its share; lie: probability of lying on its side.

    stack: probability of standing in a stack or group of its kind; bend: may be slightly deformed.
    """

    name: str
    make: Callable[[Draw], Model]
    weight: float
    lie: float
    group: float
    soft: bool


FAMILIES: dict[str, Family] = {}


def family(weight: float = 1.0, lie: float = 0.0, group: float = 0.0, soft: bool = False):
    """Register a function (Draw) -> Model as the family of its name."""

    def register(function):
        name = function.__name__
        if name in FAMILIES:
            raise ValueError(f"two object families are named {name}")
        FAMILIES[name] = Family(name, function, weight, lie, group, soft)
        return function

    return register
