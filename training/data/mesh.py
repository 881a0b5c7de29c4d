"""Triangle meshes with colours or a texture: the input of the renderer (numpy only)."""

from dataclasses import dataclass

import numpy as np


class MeshError(ValueError):
    """A mesh file cannot be used; the message names it and says why."""


@dataclass(frozen=True)
class Mesh:
    """One surface in the object's frame, z up.

    vertices: (V, 3) float; faces: (F, 3) int, indices of vertices.
    colors: (F, 3) uint8 for the faces, or (V, 3) for the vertices. uv: (V, 2) float, origin at the
    lower left, and texture: (H, W, 3 or 4) uint8, its first row at the top; it repeats outside
    [0, 1]. Where its alpha is below one half, nothing is drawn. Of colors and texture one may be
    None; if both are given, they are multiplied.
    """

    vertices: np.ndarray
    faces: np.ndarray
    colors: np.ndarray | None = None
    uv: np.ndarray | None = None
    texture: np.ndarray | None = None

    def __post_init__(self):
        if self.colors is None and self.texture is None:
            raise ValueError("a mesh has neither colors nor a texture")
        if self.texture is not None and self.uv is None:
            raise ValueError("a mesh with a texture needs uv coordinates")
        if self.colors is not None and len(self.colors) not in (
            len(self.faces),
            len(self.vertices),
        ):
            raise ValueError(
                f"{len(self.colors)} colors fit neither {len(self.faces)} faces "
                f"nor {len(self.vertices)} vertices"
            )


def normalise(meshes: list[Mesh]) -> list[Mesh]:
    """Centre the meshes' common bounding box at the origin and scale its diagonal to 1.

    This is the scale of ShapeNet, hence of SRN cars: from distance 1.3 a car spans about two
    thirds of the image. Raises ValueError if the box is empty or not finite.
    """
    points = np.concatenate([mesh.vertices for mesh in meshes])
    low, high = points.min(axis=0), points.max(axis=0)
    diagonal = np.linalg.norm(high - low)
    if not (np.isfinite(diagonal) and diagonal > 0):
        raise ValueError("the meshes have no extent, or vertices that are not finite")
    return [
        Mesh(
            (mesh.vertices - (low + high) / 2) / diagonal,
            mesh.faces,
            mesh.colors,
            mesh.uv,
            mesh.texture,
        )
        for mesh in meshes
    ]
