"""Triangles of polygons, concave ones included."""

import numpy as np


def triangulate(
    points: np.ndarray, corners: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cut polygons into triangles.

    points: (V, 3); corners: (C,) indices of points, polygon after polygon; sizes: (P,) number of
    corners of each (with less than 3 it has no area). Returns triangles (T, 3), which are indices
    of `corners`, and (T,) the polygon of each, in the order of the polygons.
    """
    starts = np.cumsum([0, *sizes[:-1]]) if len(sizes) else np.zeros(0, int)
    triangles, owners = [np.zeros((0, 3), int)], [np.zeros(0, int)]
    for size in np.unique(sizes[sizes >= 3]):
        which = np.flatnonzero(sizes == size)
        fan = np.array([[0, k, k + 1] for k in range(1, size - 1)])
        convex = _is_convex(points[corners[starts[which, None] + np.arange(size)]])
        triangles.append((starts[which[convex], None, None] + fan).reshape(-1, 3))
        owners.append(np.repeat(which[convex], size - 2))
        for polygon in which[~convex]:
            ears = clip_ears(points[corners[starts[polygon] : starts[polygon] + size]])
            triangles.append(starts[polygon] + ears)
            owners.append(np.full(len(ears), polygon))
    triangles, owners = np.concatenate(triangles), np.concatenate(owners)
    order = np.argsort(owners, kind="stable")
    return triangles[order], owners[order]


def _is_convex(polygons: np.ndarray) -> np.ndarray:
    """Whether polygons (N, K, 3) turn the same way at all their corners."""
    if polygons.shape[1] == 3:
        return np.ones(len(polygons), bool)
    edges = np.roll(polygons, -1, axis=1) - polygons
    turns = np.cross(np.roll(edges, 1, axis=1), edges)
    along = (turns * _normals(polygons)[:, None]).sum(axis=-1)
    return (along >= -1e-9 * np.abs(along).max(axis=1, keepdims=True)).all(axis=1)


def _normals(polygons: np.ndarray) -> np.ndarray:
    """Twice the vector area of polygons (N, K, 3), (N, 3) (Newell)."""
    centred = polygons - polygons.mean(axis=1, keepdims=True)
    return np.cross(centred, np.roll(centred, -1, axis=1)).sum(axis=1)


def clip_ears(polygon: np.ndarray) -> np.ndarray:
    """Triangles (K - 2, 3) of a simple polygon (K, 3), indices of its corners (ear clipping)."""
    normal = _normals(polygon[None])[0]
    axis = np.argmax(np.abs(normal))
    flat = np.delete(polygon, axis, axis=1)  # seen along the axis that the normal is nearest to
    if (normal[axis] < 0) != (axis == 1):
        flat = flat * [-1, 1]
    left, triangles = list(range(len(polygon))), []
    while len(left) > 3:
        k = next((k for k in range(len(left)) if _is_ear(flat, left, k)), 0)
        before, after = left[k - 1], left[(k + 1) % len(left)]
        triangles.append([before, left[k], after])
        del left[k]
    return np.array([*triangles, left])


def _is_ear(flat: np.ndarray, left: list[int], k: int) -> bool:
    a, b, c = flat[left[k - 1]], flat[left[k]], flat[left[(k + 1) % len(left)]]
    if _turn(a, b, c) <= 0:
        return False
    corners = (left[k - 1], left[k], left[(k + 1) % len(left)])
    others = flat[[i for i in left if i not in corners]]
    inside = (_turn(a, b, others) >= 0) & (_turn(b, c, others) >= 0) & (_turn(c, a, others) >= 0)
    at_corner = (others[:, None] == np.array([a, b, c])).all(axis=-1).any(axis=1)
    return not (inside & ~at_corner).any()


def _turn(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Twice the signed area of triangles a, b, c in the plane."""
    return (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (
        c[..., 0] - a[..., 0]
    )
