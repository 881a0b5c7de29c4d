"""Vertex normals that are smooth within a surface and broken at its sharp edges (numpy only)."""

import numpy as np

FEATURE_ANGLE = 35.0  # degrees; sharper edges are not shaded smooth


def corner_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the normal at each corner of each face, (F, 3, 3), of unit length.

    Faces that share an edge are one smooth surface if exactly two faces meet there and their
    normals differ by less than FEATURE_ANGLE. A corner's normal is the mean of the normals of the
    faces of its surface around the vertex (the rule of vtkPolyDataNormals). A face without area
    has the normal of the surface around it, or zero.
    """
    normals = _face_normals(vertices, faces)
    groups = _smooth_groups(normals, faces)
    sums = np.zeros((3, len(groups)))
    for axis in range(3):
        sums[axis] = np.bincount(groups, np.repeat(normals[:, axis], 3), len(groups))
    smooth = sums.T[groups].reshape(-1, 3, 3)
    length = np.linalg.norm(smooth, axis=-1, keepdims=True)
    return np.where(length > 1e-6, smooth / np.maximum(length, 1e-6), normals[:, None])


def _face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)


def _smooth_groups(normals: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return a number for each corner, (3 F,): corners of one vertex and surface have the same."""
    starts, ends = _smooth_edges(normals, faces)
    group = np.arange(3 * len(faces))
    while len(starts):
        # The least number spreads along the edges; then all numbers jump to their number's number.
        np.minimum.at(group, starts, group[ends])
        np.minimum.at(group, ends, group[starts])
        group = group[group]
        apart = group[starts] != group[ends]
        if not apart.any():
            break
    return group


def _smooth_edges(normals: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of corners (of one vertex, in two faces) that a smooth edge joins."""
    corners = np.arange(3 * len(faces)).reshape(-1, 3)
    first, second = corners.ravel(), corners[:, [1, 2, 0]].ravel()  # corners of each edge
    vertex = faces.ravel().astype(np.int64)
    swap = vertex[first] > vertex[second]
    low, high = np.where(swap, second, first), np.where(swap, first, second)
    key = vertex[low] * (vertex.max() + 1) + vertex[high]
    order = np.argsort(key, kind="stable")
    key = key[order]
    same = key[1:] == key[:-1]
    # An edge of exactly two faces: equal to the next, different from those before and after.
    pair = same & ~np.append(same[1:], False) & ~np.insert(same[:-1], 0, False)
    one, other = order[:-1][pair], order[1:][pair]
    cosine = (normals[one // 3] * normals[other // 3]).sum(axis=-1)
    smooth = cosine > np.cos(np.radians(FEATURE_ANGLE))
    one, other = one[smooth], other[smooth]
    return np.concatenate([low[one], high[one]]), np.concatenate([low[other], high[other]])
