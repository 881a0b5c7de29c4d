"""Surfaces from which procedural objects are assembled (numpy only).

Every function returns a `Part`: a triangle surface with texture coordinates, z up, in whatever unit
the caller uses. Closed parts have outward normals.
"""

# ruff: noqa: RUF005 (`+` adds arrays)
from dataclasses import replace

import numpy as np

from training.data.objects.outlines import inset, polygon_area, triangulate
from training.data.objects.part import Part


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
