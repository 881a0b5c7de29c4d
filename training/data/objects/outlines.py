"""Outlines and curves in the plane for procedural objects (numpy only)."""

import numpy as np


def polygon_area(outline: np.ndarray) -> float:
    x, y = np.asarray(outline, float).T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


def inset(outline: np.ndarray, distance: float) -> np.ndarray:
    """Move the corners of a counter-clockwise outline inward."""
    before, after = outline - np.roll(outline, 1, 0), np.roll(outline, -1, 0) - outline
    normals = [np.column_stack([-e[:, 1], e[:, 0]]) for e in (before, after)]
    normals = [n / np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-9) for n in normals]
    both = normals[0] + normals[1]
    length = np.maximum((both**2).sum(axis=1, keepdims=True) / 2, 0.3)
    return outline + distance * both / length


def triangulate(outline: np.ndarray) -> np.ndarray:
    """Faces (N - 2, 3) of a simple counter-clockwise outline, by ear clipping."""
    points = np.asarray(outline, float)
    edge = np.roll(points, -1, 0) - points
    turn = edge[:, 0] * np.roll(edge[:, 1], -1) - edge[:, 1] * np.roll(edge[:, 0], -1)
    if (turn > -1e-12).all():
        i = np.arange(1, len(points) - 1)
        return np.stack([0 * i, i, i + 1], axis=-1)
    rest, faces = list(range(len(points))), []
    while len(rest) > 3:
        best = None
        for k in range(len(rest)):
            a, b, c = rest[k - 1], rest[k], rest[(k + 1) % len(rest)]
            pa, pb, pc = points[a], points[b], points[c]
            area = (pb[0] - pa[0]) * (pc[1] - pa[1]) - (pb[1] - pa[1]) * (pc[0] - pa[0])
            if area <= 1e-12:
                continue
            others = points[[i for i in rest if i not in (a, b, c)]]
            if not _inside(others, pa, pb, pc).any():
                best = k
                break
        k = 0 if best is None else best
        faces.append((rest[k - 1], rest[k], rest[(k + 1) % len(rest)]))
        rest.pop(k)
    return np.array([*faces, tuple(rest)])


def _inside(points, a, b, c) -> np.ndarray:
    def side(p, q):
        return (q[0] - p[0]) * (points[:, 1] - p[1]) - (q[1] - p[1]) * (points[:, 0] - p[0])

    return (side(a, b) >= 0) & (side(b, c) >= 0) & (side(c, a) >= 0)


def ring_outline(corners: int, width=1.0, depth=1.0, power: float = 2.0) -> np.ndarray:
    """A superellipse: power 2 is an ellipse, larger ones approach the rectangle."""
    a = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    c, s = np.cos(a), np.sin(a)
    r = (np.abs(c) ** power + np.abs(s) ** power) ** (-1 / power)
    return np.stack([width * r * c, depth * r * s], axis=-1)


def rectangle(width: float, depth: float, radius: float = 0.0, steps: int = 3) -> np.ndarray:
    """Outline of a rectangle around the origin, with rounded corners if radius > 0."""
    if radius <= 0:
        return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, depth / 2]
    radius = min(radius, 0.49 * min(width, depth))
    a = np.linspace(0, np.pi / 2, steps + 1)
    corners = []
    for k, (x, y) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)]):
        t = a + k * np.pi / 2
        centre = np.array([x * (width / 2 - radius), y * (depth / 2 - radius)])
        corners.append(centre + radius * np.stack([np.cos(t), np.sin(t)], axis=-1))
    return np.concatenate(corners)


def curve(points, count: int, closed: bool = False) -> np.ndarray:
    """A Catmull-Rom spline through points (N, D), sampled `count` times."""
    points = np.asarray(points, float)
    if closed:
        padded = np.concatenate([points[-1:], points, points[:2]])
        t = np.linspace(0, len(points), count, endpoint=False)
    else:
        padded = np.concatenate(
            [2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]]
        )
        t = np.linspace(0, len(points) - 1, count)
    k = np.minimum(t.astype(int), len(padded) - 4)
    f = (t - k)[:, None]
    p0, p1, p2, p3 = (padded[k + i] for i in range(4))
    return 0.5 * (
        2 * p1
        + (p2 - p0) * f
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * f**2
        + (3 * p1 - p0 - 3 * p2 + p3) * f**3
    )


def profile(points, count: int = 24) -> np.ndarray:
    """A smooth profile for `revolve` through points (N, 2); radii stay at least 0."""
    smooth = curve(points, count)
    smooth[:, 0] = np.maximum(smooth[:, 0], 0)
    return smooth
