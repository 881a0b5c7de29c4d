"""The shape of an object: points on its surface and a grid of its volume. No ROS, no torch."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

SIDE = 32  # voxels along each axis of the occupancy grid
# Occupancy from which a voxel is best taken as solid: it gives the best IoU and the best surface.
# It is below one half because a voxel of a thin or uncertain part is rarely sure of itself.
SOLID = 0.25
MESH_SUFFIXES = ".ply", ".glb"
# glTF has y up; x, y, z of the object's frame become -x, z, y, which training.render_meshes undoes.
GLTF_FROM_OBJECT = np.array([[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]])


@dataclass(frozen=True)
class Shape:
    """What imagined views say about the shape of an object, in the object's frame, metres.

    points: (M, 3) float32 on the surface. colors: (M, 3) uint8. normals: (M, 3) float32, unit,
    outwards. confidence: (M,) float32, probability that the true surface is within
    fusion.TOLERANCE object radii of the point. seen: (M,) bool, whether a source camera sees the
    point (the others are imagined). occupancy: (SIDE, SIDE, SIDE) float32, probability that a
    voxel is inside of the object, in the cube of +-object_radius around the frame's origin: voxel
    [i, j, k] has its centre at `voxel_centres()[i, j, k]`. What of a displaced object is outside
    of the cube is in the points, not in the grid. object_radius: metres.
    """

    points: np.ndarray
    colors: np.ndarray
    normals: np.ndarray
    confidence: np.ndarray
    seen: np.ndarray
    occupancy: np.ndarray
    object_radius: float

    @classmethod
    def empty(cls, object_radius: float) -> "Shape":
        """Return the shape of an object of which nothing is known to exist."""
        vectors, numbers = np.zeros((0, 3), np.float32), np.zeros(0, np.float32)
        occupancy = np.zeros((SIDE,) * 3, np.float32)
        colors, seen = np.zeros((0, 3), np.uint8), np.zeros(0, bool)
        return cls(vectors, colors, vectors, numbers, seen, occupancy, object_radius)

    def voxel_centres(self) -> np.ndarray:
        """Return the centres of the voxels, (SIDE, SIDE, SIDE, 3) float32, metres."""
        return grid_centres() * np.float32(self.object_radius)

    def to_mesh(self, level: float = SOLID) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the surface at which the occupancy is `level`: vertices, faces and colours.

        vertices: (V, 3) float32, metres; faces: (F, 3) int32, counter-clockwise from outside;
        colors: (V, 3) uint8, of the nearest point. The surface is closed, and empty if no voxel
        reaches the level. Raises ImportError if scikit-image is not installed.
        """
        if not 0 < level < 1:
            raise ValueError(f"level is {level}; it must be between 0 and 1")
        try:
            from scipy.spatial import cKDTree
            from skimage.measure import marching_cubes
        except ImportError as error:
            raise ImportError(
                "Shape.to_mesh needs scikit-image: pip install scikit-image"
            ) from error
        field = logit(np.pad(self.occupancy, 1)) - logit(np.float32(level))
        if not (field > 0).any():
            nothing = np.zeros((0, 3), np.float32)
            return nothing, nothing.astype(np.int32), nothing.astype(np.uint8)
        vertices, faces, _, _ = marching_cubes(field, 0.0)
        # Index 1 of the padded grid is the voxel of index 0, whose centre is half a voxel inside.
        vertices = ((vertices - 0.5) * (2 / SIDE) - 1) * self.object_radius
        colors = np.full((len(vertices), 3), 128, np.uint8)
        if len(self.points):
            colors = self.colors[cKDTree(self.points).query(vertices)[1]]
        return vertices.astype(np.float32), faces[:, ::-1].astype(np.int32), colors

    def write_mesh(self, path: str | Path, level: float = SOLID) -> None:
        """Write `to_mesh` to a .ply file (z up) or a .glb file (y up, as glTF demands), metres.

        Raises ValueError for another suffix and for a shape without a surface, and ImportError if
        trimesh or scikit-image is not installed.
        """
        path = Path(path)
        if path.suffix not in MESH_SUFFIXES:
            raise ValueError(f"{path}: a mesh is written as {' or '.join(MESH_SUFFIXES)}")
        try:
            import trimesh
        except ImportError as error:
            raise ImportError("Shape.write_mesh needs trimesh: pip install trimesh") from error
        vertices, faces, colors = self.to_mesh(level)
        if not len(faces):
            raise ValueError(f"{path}: the shape has no surface at the occupancy {level:g}")
        if path.suffix == ".glb":
            vertices = vertices @ GLTF_FROM_OBJECT.T
        mesh = trimesh.Trimesh(vertices, faces, vertex_colors=colors, process=False)
        mesh.export(path)


def grid_centres(side: int = SIDE) -> np.ndarray:
    """Return the centres of a grid's voxels, (side, side, side, 3) float32, half the cube is 1."""
    ticks = ((np.arange(side) + 0.5) * 2 / side - 1).astype(np.float32)
    return np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), axis=-1)


def logit(probability: np.ndarray) -> np.ndarray:
    """Return log odds, bounded as if of probabilities from 1 % to 99 %."""
    return np.log((probability + 0.01) / (1.01 - probability))
