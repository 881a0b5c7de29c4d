"""Surfaces from which procedural objects are assembled (numpy only).

Every function returns a `Part`: a triangle surface with texture coordinates, z up, in whatever unit
the caller uses. Closed parts have outward normals.
"""

# ruff: noqa: RUF005 (`+` adds arrays)

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


# --- surfaces ---


def grid(points: np.ndarray, wrap: bool = False, v: np.ndarray | None = None) -> Part:
    """A surface through points (S, R, 3). wrap: the last column joins the first.

    Rows whose points coincide become one vertex. v: (S,) texture coordinates of the rows.
    """
    rows, columns = points.shape[:2]
    v = np.linspace(0, 1, rows) if v is None else v
    u = np.arange(columns) / (columns if wrap else columns - 1)
    index = np.arange(rows * columns).reshape(rows, columns)
    extent = np.ptp(points.reshape(-1, 3), axis=0).max()
    pole = np.ptp(points, axis=1).max(axis=1) < 1e-7 * extent
    index[pole] = index[pole, :1]
    if wrap:
        index = np.column_stack([index, index[:, 0]])
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate(
        [np.stack([a, b, c], -1)[~pole[:-1]], np.stack([a, c, d], -1)[~pole[1:]]]
    )
    uv = np.stack(np.broadcast_arrays(u[None, :], v[:, None]), axis=-1).reshape(-1, 2).copy()
    uv[index[pole, 0], 0] = 0.5
    used = np.concatenate([points, points[:, :1]], axis=1) if wrap else points
    return Part(points.reshape(-1, 3), faces.reshape(-1, 3), uv, grid=used, grid_v=v)


def revolve(profile, sectors: int = 24, radius=None, squash: float = 1.0) -> Part:
    """A body of revolution about z. profile: (P, 2) radius and height.

    The profile runs upwards on the outside and downwards on an inside: normals are on its right.
    radius: factors of the radius, (sectors,) or (P, sectors); squash: the depth in y per width.
    """
    profile = np.asarray(profile, float)
    angle = np.arange(sectors) * 2 * np.pi / sectors
    r = profile[:, :1] * (np.ones(sectors) if radius is None else radius)
    points = np.stack(
        [r * np.cos(angle), squash * r * np.sin(angle), np.repeat(profile[:, 1:], sectors, axis=1)],
        axis=-1,
    )
    step = np.linalg.norm(np.diff(profile, axis=0), axis=1)
    v = np.concatenate([[0], np.cumsum(step)]) / max(step.sum(), 1e-9)
    return grid(points, wrap=True, v=v)


def cylinder(radius: float, height: float, sectors: int = 20, top: float | None = None) -> Part:
    """A closed cylinder or truncated cone that stands on z = 0."""
    top = radius if top is None else top
    return revolve([(0, 0), (radius, 0), (top, height), (0, height)], sectors)


def sphere(radii=(1.0, 1.0, 1.0), sectors: int = 20, rings: int = 11) -> Part:
    """An ellipsoid around the origin."""
    t = np.linspace(-np.pi / 2, np.pi / 2, rings)
    return revolve(np.column_stack([np.cos(t), np.sin(t)]).round(12), sectors).scaled(*radii)


def superquadric(radii, e1: float, e2: float, sectors: int = 24, rings: int = 13) -> Part:
    """A superellipsoid: e 0.1 is a box, 1 an ellipsoid, 2 an octahedron (e1: in z, e2: in xy)."""

    def power(x, e):
        return np.sign(x) * np.abs(x) ** e

    t = np.linspace(-np.pi / 2, np.pi / 2, rings)[:, None]
    a = (np.arange(sectors) * 2 * np.pi / sectors)[None]
    cos_t = np.clip(np.cos(t), 1e-9, 1)
    x = power(cos_t, e1) * power(np.cos(a), e2)
    y = power(cos_t, e1) * power(np.sin(a), e2)
    z = np.broadcast_to(power(np.sin(t), e1), x.shape)
    points = np.stack([x, y, z], axis=-1)
    points[[0, -1], :, :2] = 0
    return grid(points * np.asarray(radii, float), wrap=True).oriented()


def torus(radius: float, thickness: float, sectors: int = 24, section: int = 10) -> Part:
    """A ring around z at z = 0; thickness is the radius of its section."""
    a = np.linspace(0, 2 * np.pi, sectors, endpoint=False)
    path = np.stack([radius * np.cos(a), radius * np.sin(a), 0 * a], axis=-1)
    return tube(path, thickness, section, closed=True)


def box(size, cells: int = 1, taper: float = 1.0) -> Part:
    """A box on z = 0, centred in x and y; its texture is an atlas of 3 x 2 faces.

    Faces: front (-y), right, back / left, top, bottom (lower row of the atlas). cells: quads per
    edge. taper: the top's size per the bottom's.
    """
    t = np.linspace(-1, 1, cells + 1)
    a, b = np.meshgrid(t, t)
    one = np.ones_like(a)
    sides = [(a, -one, b), (one, a, b), (-a, one, b), (-one, -a, b), (a, b, one), (a, -b, -one)]
    vertices, faces, uv = [], [], []
    for k, side in enumerate(sides):
        part = grid(np.stack(side, axis=-1))
        faces.append(part.faces + k * a.size)
        vertices.append(part.vertices)
        inset = 0.03 + 0.94 * part.uv
        uv.append((inset + [k % 3, 1 - k // 3]) / [3, 2])
    points = np.concatenate(vertices)
    points[:, :2] *= (1 + (taper - 1) * (points[:, 2:] + 1) / 2) * np.asarray(size[:2]) / 2
    points[:, 2] = (points[:, 2] + 1) / 2 * size[2]
    return Part(points, np.concatenate(faces), np.concatenate(uv)).oriented()


def rounded_box(size, radius: float, steps: int = 2) -> Part:
    """A box on z = 0 with rounded edges and corners; texture as in `box`."""
    size = np.asarray(size, float)
    radius = min(radius, 0.499 * size.min())
    d = np.tan(np.linspace(0, np.pi / 4, steps + 1))
    lean = np.concatenate([-d[::-1], d])
    sign = np.repeat([-1.0, 1.0], steps + 1)
    (ax, ay), (sx, sy) = np.meshgrid(lean, lean), np.meshgrid(sign, sign)
    one = np.ones_like(ax)
    frames = [
        ((1, -1), 1), ((1, 1), 0), ((-1, 1), 1),
        ((-1, -1), 0),
    ]  # fmt: skip
    vertices, faces, uv = [], [], []
    for k in range(6):
        if k < 4:
            (fx, fy), axis = frames[k]
            d3 = np.stack([ax * fx, fy * one, ay] if axis == 1 else [fx * one, ax * fy, ay], -1)
            s3 = np.stack([sx * fx, fy * one, sy] if axis == 1 else [fx * one, sx * fy, sy], -1)
        else:
            up = 1.0 if k == 4 else -1.0
            d3, s3 = np.stack([ax, up * ay, up * one], -1), np.stack([sx, up * sy, up * one], -1)
        normal = d3 / np.linalg.norm(d3, axis=-1, keepdims=True)
        points = s3 * (size / 2 - radius) + radius * normal
        part = grid(points)
        flat = points.reshape(-1, 3) / (size / 2)
        across = {0: (flat[:, 0], flat[:, 2]), 1: (flat[:, 1], flat[:, 2]),
                  2: (-flat[:, 0], flat[:, 2]), 3: (-flat[:, 1], flat[:, 2]),
                  4: (flat[:, 0], flat[:, 1]), 5: (flat[:, 0], -flat[:, 1])}[k]  # fmt: skip
        inset = 0.03 + 0.47 * (np.stack(across, -1) + 1)
        faces.append(part.faces + k * ax.size)
        vertices.append(part.vertices)
        uv.append((inset + [k % 3, 1 - k // 3]) / [3, 2])
    points = np.concatenate(vertices) + [0, 0, size[2] / 2]
    return Part(points, np.concatenate(faces), np.concatenate(uv)).oriented()


def tube(path, radius, section=10, closed=False, ends="flat", up=None) -> Part:
    """A tube along path (S, 3).

    radius: scalar, (S,) or (S, 2) half widths across the path (the second towards `up`).
    section: corners of a round section, or its outline (R, 2) in units of the radius.
    closed: the path's end joins its start. ends: "flat" or "round" caps, or "open".
    up: a direction that the section keeps; None: carried along without twist.
    """
    path = np.asarray(path, float)
    count = len(path)
    size = np.asarray(radius, float)
    size = np.broadcast_to(size[:, None] if size.ndim == 1 else size, (count, 2))
    tangent = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-12)
    if up is None and closed:
        up = np.cross(path - path.mean(0), np.roll(path, -1, 0) - path.mean(0)).sum(axis=0)
    if up is None:
        side = np.empty_like(path)
        helper = np.eye(3)[np.abs(tangent[0]).argmin()]
        side[0] = _unit(np.cross(helper, tangent[0]))
        for k in range(1, count):
            side[k] = _unit(side[k - 1] - tangent[k] * (side[k - 1] @ tangent[k]))
    else:
        side = np.cross(np.broadcast_to(np.asarray(up, float), path.shape), tangent)
        side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    top = np.cross(tangent, side)
    if ends == "round" and not closed:
        t = np.linspace(0, np.pi / 2, 4)[1:]
        first, last = size[0].max(), size[-1].max()
        path = np.concatenate([
            path[0] - first * np.sin(t[::-1, None]) * tangent[0], path,
            path[-1] + last * np.sin(t[:, None]) * tangent[-1],
        ])  # fmt: skip
        shrink = np.cos(t)[:, None].round(12)
        size = np.concatenate([size[0] * shrink[::-1], size, size[-1] * shrink])
        side, top = (np.concatenate([a[[0] * 3], a, a[[-1] * 3]]) for a in (side, top))
    if np.ndim(section) == 0:
        a = np.linspace(0, 2 * np.pi, section, endpoint=False)
        section = np.stack([np.cos(a), np.sin(a)], axis=-1)
    section = np.asarray(section, float)
    points = (
        path[:, None]
        + side[:, None] * (size[:, None, :1] * section[None, :, :1])
        + top[:, None] * (size[:, None, 1:] * section[None, :, 1:])
    )
    if closed:
        points = np.concatenate([points, points[:1]])
        return _closed_rows(grid(points, wrap=True)).oriented()
    if ends == "flat":
        points = np.concatenate([
            np.broadcast_to(path[0], points[:1].shape), points,
            np.broadcast_to(path[-1], points[:1].shape),
        ])  # fmt: skip
    return grid(points, wrap=True).oriented()


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(np.linalg.norm(vector), 1e-12)


def _closed_rows(part: Part) -> Part:
    """Join the last row of a wrapped grid to its first."""
    rows, columns = part.grid.shape[0], part.grid.shape[1] - 1
    last = (rows - 1) * columns
    faces = np.where(part.faces >= last, part.faces - last, part.faces)
    return replace(part, vertices=part.vertices[:last], faces=faces, uv=part.uv[:last])


def loft(sections: np.ndarray, ends="flat") -> Part:
    """A closed body through outlines (S, R, 3), in order; ends: "flat" or "open"."""
    sections = np.asarray(sections, float)
    if ends == "flat":
        caps = sections[[0, -1]].mean(axis=1, keepdims=True)
        caps = np.broadcast_to(caps, (2, *sections.shape[1:]))
        sections = np.concatenate([caps[:1], sections, caps[1:]])
    return grid(sections, wrap=True).oriented()


def extrude(outline, height: float, bevel: float = 0.0) -> Part:
    """A prism over a simple outline (N, 2), from z = 0; uv: the outline's box on both caps."""
    outline = np.asarray(outline, float)
    if polygon_area(outline) < 0:
        outline = outline[::-1]
    count = len(outline)
    rings = [(outline, 0.0), (outline, height)]
    if bevel > 0:
        inner = inset(outline, bevel)
        rings = [(inner, 0.0), (outline, bevel), (outline, height - bevel), (inner, height)]
    vertices = np.concatenate([np.column_stack([ring, np.full(count, z)]) for ring, z in rings])
    i = np.arange(count)
    j = (i + 1) % count
    walls = [
        np.concatenate([
            np.stack([i + k * count, j + k * count, j + (k + 1) * count], -1),
            np.stack([i + k * count, j + (k + 1) * count, i + (k + 1) * count], -1),
        ])
        for k in range(len(rings) - 1)
    ]  # fmt: skip
    cap = triangulate(rings[0][0])
    faces = np.concatenate([*walls, cap[:, ::-1], cap + (len(rings) - 1) * count])
    low, high = outline.min(axis=0), outline.max(axis=0)
    uv = (vertices[:, :2] - low) / np.maximum(high - low, 1e-9) * 0.98 + 0.01
    return Part(vertices, faces, uv).oriented()


def plate(outline, z: float) -> Part:
    """A flat face at height z over an outline (N, 2), facing up; uv: the outline's box."""
    outline = np.asarray(outline, float)
    if polygon_area(outline) < 0:
        outline = outline[::-1]
    low, high = outline.min(axis=0), outline.max(axis=0)
    return Part(
        np.column_stack([outline, np.full(len(outline), z)]),
        triangulate(outline),
        (outline - low) / np.maximum(high - low, 1e-9),
    )


# --- outlines and curves in the plane ---


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


# --- deformations ---


def bend(part: Part, degrees: float, axis: int = 2, towards: int = 0) -> Part:
    """Bend the part so that its extent along `axis` becomes an arc towards `towards`."""
    low, high = part.vertices[:, axis].min(), part.vertices[:, axis].max()
    angle = np.radians(degrees)
    if abs(angle) < 1e-4:
        return part
    radius = (high - low) / angle
    widest = 1.15 * np.abs(part.vertices[:, towards]).max()  # less would turn the inside out
    radius = np.sign(radius) * max(abs(radius), widest)

    def function(p):
        t = (p[:, axis] - (low + high) / 2) / radius
        q = p.copy()
        r = radius - p[:, towards]
        q[:, axis] = r * np.sin(t)
        q[:, towards] = radius - r * np.cos(t)
        return q

    return part.map(function)


def twist(part: Part, degrees: float) -> Part:
    """Turn the part's top against its bottom, about z."""
    low, high = part.vertices[:, 2].min(), part.vertices[:, 2].max()

    def function(p):
        a = np.radians(degrees) * (p[:, 2] - low) / max(high - low, 1e-9)
        c, s = np.cos(a), np.sin(a)
        return np.stack([c * p[:, 0] - s * p[:, 1], s * p[:, 0] + c * p[:, 1], p[:, 2]], axis=-1)

    return part.map(function)
