"""A painted or unpainted piece of surface, the unit of which procedural objects are made."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

Paint = Callable[[np.ndarray], np.ndarray]  # points (N, 3) in [-1, 1] -> RGB (N, 3) in [0, 1]


@dataclass(frozen=True)
class Part:
    """A surface of an object.

    vertices: (V, 3); faces: (F, 3); uv: (V, 2), origin at the texture's lower left.
    colors: (V, 3) RGB in [0, 1], or texture: (H, W, 3) uint8; both None until it is painted.
    grid: (S, R, 3) points in rows of increasing v, if the surface is a grid; used by `baked`.
    """

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    colors: np.ndarray | None = None
    texture: np.ndarray | None = None
    grid: np.ndarray | None = None
    grid_v: np.ndarray | None = None

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> "Part":
        """Apply `function` (N, 3) -> (N, 3) to all vertices."""
        points = None if self.grid is None else function(self.grid.reshape(-1, 3))
        grid = None if points is None else points.reshape(self.grid.shape)
        return replace(self, vertices=function(self.vertices), grid=grid)

    def moved(self, x=0.0, y=0.0, z=0.0) -> "Part":
        return self.map(lambda p: p + np.array([x, y, z], float))

    def scaled(self, x=1.0, y=1.0, z=1.0) -> "Part":
        part = self.map(lambda p: p * np.array([x, y, z], float))
        return part.flipped() if x * y * z < 0 else part

    def rotated(self, axis: str, degrees: float) -> "Part":
        matrix = rotation(axis, degrees)
        return self.map(lambda p: p @ matrix.T)

    def flipped(self) -> "Part":
        return replace(self, faces=self.faces[:, ::-1])

    def oriented(self) -> "Part":
        """Turn the normals outward (by the sign of the enclosed volume)."""
        return self.flipped() if self.volume() < 0 else self

    def volume(self) -> float:
        """Signed volume of a closed part; of an open one, of the cone to its centroid."""
        a, b, c = (self.vertices - self.vertices.mean(axis=0))[self.faces].transpose(1, 0, 2)
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)

    def painted(self, paint) -> "Part":
        """Colour the part: an RGB triple, a `Paint` or a texture (H, W, 3) uint8."""
        if isinstance(paint, np.ndarray) and paint.ndim == 3:
            return replace(_unwrapped(self), texture=paint, colors=None)
        part = _welded(self) if self.grid is None else self
        if callable(paint):
            colors = paint(unit_points(part.vertices))
        else:
            colors = np.broadcast_to(np.asarray(paint, float), part.vertices.shape)
        return replace(part, colors=np.clip(colors, 0, 1), texture=None)

    def baked(self, paint: Paint, width: int = 64, height: int = 48) -> "Part":
        """Colour the part with a texture made of `paint`: sharp patterns on a coarse grid."""
        if self.grid is None:
            return self.painted(paint)
        rows, columns = self.grid.shape[:2]
        v = (np.arange(height)[::-1] + 0.5) / height
        row = np.interp(v, self.grid_v, np.arange(rows))
        column = (np.arange(width) + 0.5) / width * (columns - 1)
        points = cv2.remap(
            self.grid.astype(np.float32),
            np.tile(column.astype(np.float32), (height, 1)),
            np.repeat(row.astype(np.float32)[:, None], width, axis=1),
            cv2.INTER_LINEAR,
        )
        colors = paint(unit_points(points.reshape(-1, 3), self.vertices))
        return self.painted(to_uint8(colors).reshape(height, width, 3))


def to_uint8(colors: np.ndarray) -> np.ndarray:
    return np.round(255 * np.clip(colors, 0, 1)).astype(np.uint8)


def unit_points(points: np.ndarray, bounds: np.ndarray | None = None) -> np.ndarray:
    """Points in the cube [-1, 1] around the box of `bounds` (default: of the points)."""
    bounds = points if bounds is None else bounds
    low, high = bounds.min(axis=0), bounds.max(axis=0)
    return (points - (low + high) / 2) / max((high - low).max() / 2, 1e-9)


def rotation(axis: str, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def _welded(part: Part) -> Part:
    """Join vertices at the same place, which only a texture needs apart."""
    size = max(np.ptp(part.vertices, axis=0).max(), 1e-9)
    places = np.round(part.vertices / size * 1e6)
    _, first, number = np.unique(places, axis=0, return_index=True, return_inverse=True)
    return replace(
        part,
        vertices=part.vertices[first],
        faces=number.reshape(-1)[part.faces],
        uv=part.uv[first],
    )


def _unwrapped(part: Part) -> Part:
    """Duplicate the vertices of the seam where u jumps from 1 to 0."""
    u = part.uv[part.faces, 0]
    seam = u.max(axis=1) - u.min(axis=1) > 0.5
    if not seam.any():
        return part
    faces, low = part.faces.copy(), np.zeros(part.faces.shape, bool)
    low[seam] = u[seam] < 0.4
    old = np.unique(faces[low])
    new = np.zeros(len(part.vertices), int)
    new[old] = len(part.vertices) + np.arange(len(old))
    faces[low] = new[faces[low]]
    return replace(
        part,
        vertices=np.concatenate([part.vertices, part.vertices[old]]),
        faces=faces,
        uv=np.concatenate([part.uv, part.uv[old] + [1, 0]]),
    )
