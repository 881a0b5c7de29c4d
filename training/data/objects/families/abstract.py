"""Shapes that are nothing in particular: unions of primitives, blobs, extrusions, lofts, tubes."""

import numpy as np

from training.data.objects import labels
from training.data.objects.draw import Draw, color, shade
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, ring_outline
from training.data.objects.pieces.organic import lumpy
from training.data.objects.shapes import (
    bend,
    box,
    cylinder,
    extrude,
    loft,
    revolve,
    rounded_box,
    sphere,
    superquadric,
    torus,
    tube,
    twist,
)
from training.data.objects.surfaces import any_paint, pattern


def outline(draw: Draw, around_centre: bool = False) -> np.ndarray:
    """A random simple outline of radius about 0.5: round, lobed, star, gear, letter, polygon."""
    kinds = ("lobes", "star", "polygon", "rect", "gear", "spline", "letter")
    kind = draw.pick(kinds[:5] if around_centre else kinds)
    a = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    if kind == "lobes":
        r = 0.4 * (1 + draw.uniform(0.1, 0.35) * np.cos(draw.integer(2, 7) * a))
    elif kind == "star":
        n = draw.integer(3, 9)
        a = np.linspace(0, 2 * np.pi, 2 * n, endpoint=False)
        r = np.where(np.arange(2 * n) % 2, 0.5 * draw.uniform(0.35, 0.8), 0.5)
    elif kind == "polygon":
        n = draw.integer(3, 9)
        a = np.sort(
            np.linspace(0, 2 * np.pi, n, endpoint=False) + draw.uniforms(-0.3, 0.3, n) * 2 / n
        )
        r = 0.5 * draw.uniforms(0.7, 1, n)
    elif kind == "spline":
        n = draw.integer(4, 8)
        b = np.linspace(0, 2 * np.pi, n, endpoint=False)
        r = draw.uniforms(0.2, 0.5, n)[:, None]
        return curve(r * np.stack([np.cos(b), np.sin(b)], -1), 40, closed=True)
    elif kind == "gear":
        n = draw.integer(6, 14)
        a = np.linspace(0, 2 * np.pi, 4 * n, endpoint=False)
        r = 0.5 * np.where(np.arange(4 * n) % 4 < 2, 1, draw.uniform(0.7, 0.9))
    elif kind == "letter":
        t, w, h = draw.uniform(0.12, 0.25), draw.uniform(0.3, 0.5), draw.uniform(0.4, 0.55)
        return draw.pick(
            (
                np.array([(0, 0), (2 * w, 0), (2 * w, t), (t, t), (t, 2 * h), (0, 2 * h)]) - [w, h],
                np.array(
                    [
                        (-t, -h),
                        (t, -h),
                        (t, h - 2 * t),
                        (w, h - 2 * t),
                        (w, h),
                        (-w, h),
                        (-w, h - 2 * t),
                        (-t, h - 2 * t),
                    ]
                ),
                np.array(
                    [
                        (-t, -h),
                        (t, -h),
                        (t, -t),
                        (w, -t),
                        (w, t),
                        (t, t),
                        (t, h),
                        (-t, h),
                        (-t, t),
                        (-w, t),
                        (-w, -t),
                        (-t, -t),
                    ]
                ),
                np.array(
                    [
                        (-w, -h),
                        (w, -h),
                        (w, h),
                        (w - t, h),
                        (w - t, t - h),
                        (t - w, t - h),
                        (t - w, h),
                        (-w, h),
                    ]
                ),
                np.array(
                    [
                        (-w, -h),
                        (w, -h),
                        (w, t - h),
                        (t - w, t - h),
                        (t - w, -t / 2),
                        (w * 0.7, -t / 2),
                        (w * 0.7, t / 2),
                        (t - w, t / 2),
                        (t - w, h - t),
                        (w, h - t),
                        (w, h),
                        (-w, h),
                    ]
                ),
            )
        )
    else:
        return ring_outline(32, 0.5, draw.uniform(0.25, 0.5), draw.uniform(1.2, 8))
    return np.stack([r * np.cos(a), r * np.sin(a)], -1)


def primitive(draw: Draw):
    """Any single solid of size about 1, around the origin."""
    kind = draw.pick(
        (
            "box",
            "round",
            "cylinder",
            "cone",
            "sphere",
            "quadric",
            "torus",
            "extrude",
            "revolve",
            "loft",
            "tube",
        )
    )
    x, y, z = draw.uniforms(0.25, 0.9, 3)
    if kind == "box":
        part = box((x, y, z), 1, draw.pick((1.0, draw.uniform(0.3, 1))))
    elif kind == "round":
        part = rounded_box((x, y, z), draw.uniform(0.03, 0.3), 2)
    elif kind == "cylinder":
        part = cylinder(x / 2, z, draw.pick((24, 24, 6, 5, 8)))
    elif kind == "cone":
        part = cylinder(
            x / 2, z, draw.pick((24, 4, 6)), x / 2 * draw.pick((0.0, draw.uniform(0, 1.5)))
        )
    elif kind == "sphere":
        part = sphere((x / 2, y / 2, z / 2), 20, 12)
    elif kind == "quadric":
        part = superquadric((x / 2, y / 2, z / 2), draw.uniform(0.2, 2.2), draw.uniform(0.2, 2.2))
    elif kind == "torus":
        part = torus(0.35, draw.uniform(0.06, 0.2), 28, 12)
    elif kind == "extrude":
        h = draw.uniform(0.1, 0.8)
        part = extrude(outline(draw), h, draw.pick((0.0, 0.03)))
        if draw.chance(0.3):
            part = twist(loft_of(outline(draw, around_centre=True), h), draw.uniform(-120, 120))
    elif kind == "revolve":
        k = draw.integer(4, 7)
        line = profile(
            np.column_stack([draw.uniforms(0.05, 0.45, k), np.linspace(0, z + 0.2, k)]), 20
        )
        n = 28
        ribs = 1 + draw.pick((0.0, draw.uniform(0.03, 0.12))) * np.cos(
            draw.integer(3, 9) * np.arange(n) * 2 * np.pi / n
        )
        part = revolve([(0, 0), *line, (0, z + 0.2)], n, ribs, draw.uniform(0.6, 1))
    elif kind == "loft":
        a, b = (
            ring_outline(28, x / 2, y / 2, draw.uniform(1.2, 8)),
            ring_outline(28, y / 2, x / 2, draw.uniform(1.2, 8)),
        )
        t = np.linspace(0, 1, 8)[:, None, None]
        flat = (1 - t) * a + t * b * draw.uniform(0.3, 1.2)
        part = loft(np.concatenate([flat, np.broadcast_to(t * z, (8, 28, 1))], -1))
    else:
        points = draw.uniforms(-0.5, 0.5, draw.integer(3, 5), 3)
        radii = np.interp(np.linspace(0, 1, 22), np.linspace(0, 1, 4), draw.uniforms(0.05, 0.17, 4))
        part = tube(
            curve(points, 22),
            radii,
            draw.pick((12, 12, ring_outline(12, power=6))),
            ends=draw.pick(("round", "flat")),
        )
    if draw.chance(0.15):
        part = bend(part, draw.uniform(-90, 90), 2, draw.integer(0, 1))
    low, high = part.vertices.min(0), part.vertices.max(0)
    return part.moved(*(-(low + high) / 2))


def loft_of(shape: np.ndarray, height: float, rows: int = 9):
    """A prism with several rows, so that it can be twisted; the outline should be star-shaped."""
    z = np.linspace(0, height, rows)
    return loft(np.stack([np.column_stack([shape, np.full(len(shape), v)]) for v in z]))


def paint_of(draw: Draw):
    return any_paint(draw, None, 0.4)


@family(weight=3.0)
def union(draw: Draw) -> Model:
    """Two to seven solids that touch, sometimes mirrored like something designed."""
    model, n = Model(), draw.integer(2, 6)
    few = [color(draw) for _ in range(3)]
    mirror = draw.chance(0.5)
    at = np.zeros(3)
    for k in range(n):
        size = draw.log(0.35, 1.0) if k else 1.0
        part = primitive(draw).scaled(size, size, size)
        if draw.chance(0.3):
            part = part.rotated(
                draw.pick(("x", "y", "z")), draw.pick((90, 45, draw.uniform(0, 360)))
            )
        paint = any_paint(draw, draw.pick(few), 0.3)
        part = part.moved(*at).painted(paint)
        model.add(part)
        if mirror and abs(at[1]) > 0.1:
            model.add(part.scaled(1, -1, 1))
        anchor = model.parts[draw.integer(0, len(model.parts) - 1)].vertices
        low, high = anchor.min(0), anchor.max(0)
        at = (low + high) / 2 + (high - low) * np.clip(draw.normal(3) * 0.35, -0.45, 0.45)
    return model.grounded()


@family(weight=2.0, soft=True)
def single(draw: Draw) -> Model:
    """One solid with a pattern."""
    part = primitive(draw)
    paint = pattern(draw) if draw.chance(0.6) else paint_of(draw)
    model = Model().add(part, paint, bake=True)
    if draw.chance(0.3):
        model.rotated("x", draw.uniform(0, 360)).rotated("y", draw.uniform(0, 360))
    return model.grounded()


@family(weight=1.5, soft=True)
def blob(draw: Draw) -> Model:
    """Stones, potatoes, clouds, clay, coral: spheres displaced by noise, alone or merged."""
    model = Model()
    if draw.chance(0.5):
        part = sphere((1, draw.uniform(0.5, 1), draw.uniform(0.35, 1)), 30, 17)
        part = lumpy(draw, part, draw.uniform(0.05, 0.22), draw.uniform(0.6, 2.2))
        if draw.chance(0.3):  # faceted, like a rock
            normals = draw.normal(14, 3)
            normals /= np.linalg.norm(normals, axis=1, keepdims=True)
            depth = draw.uniforms(0.55, 0.85, 14)
            size = np.ptp(part.vertices, axis=0) / 2

            def cut(p):
                q = p / size
                for n, d in zip(normals, depth, strict=True):
                    over = np.maximum(q @ n - d, 0)
                    q = q - over[:, None] * n
                return q * size

            part = part.map(cut)
        model.add(part, any_paint(draw, None, 0.5), bake=True)
    else:
        paint, rgb = None, color(draw)
        for _ in range(draw.integer(3, 9)):
            s = draw.uniform(0.2, 0.5)
            part = lumpy(draw, sphere((s, s, s * draw.uniform(0.6, 1)), 16, 10), 0.06)
            paint = any_paint(draw, shade(rgb, draw.uniform(0.8, 1.2)), 0.1)
            model.add(part.moved(*(draw.normal(3) * [0.25, 0.25, 0.12])), paint)
    return model.grounded()


@family(weight=1.2)
def extrusion(draw: Draw) -> Model:
    """Flat cut-outs: letters, cookie cutters, stars, hearts, tiles, lying or standing."""
    model, shape, h = Model(), outline(draw), draw.uniform(0.05, 0.5)
    rgb = color(draw)
    if draw.chance(0.15):  # a wall along the outline, hollow
        path = np.column_stack([shape, np.zeros(len(shape))])
        if len(path) < 20:
            path = (
                np.concatenate(
                    [path + (np.roll(path, -1, 0) - path) * f for f in (0.0, 0.33, 0.67)]
                )
                .reshape(3, -1, 3)
                .transpose(1, 0, 2)
                .reshape(-1, 3)
            )
        size = np.tile([0.02, h / 2], (len(path), 1))
        model.add(
            tube(path, size, ring_outline(8, power=6), closed=True, up=(0, 0, 1)),
            any_paint(draw, rgb, 0.2),
        )
    else:
        part = extrude(shape, h, draw.pick((0.0, 0.02, 0.04)))
        if draw.chance(0.3):
            model.add(part, labels.front(draw, 64, 64, rgb))
        else:
            model.add(part, any_paint(draw, rgb, 0.3))
        if draw.chance(0.3):
            model.add(
                extrude(shape * draw.uniform(0.4, 0.8), h * draw.uniform(0.3, 1.5)).moved(
                    0, 0, h * 0.9
                ),
                any_paint(draw, None, 0.3),
            )
    if draw.chance(0.4):
        model.rotated("x", 90)
    return model.grounded()


@family(weight=0.5)
def wire(draw: Draw) -> Model:
    """Bent tubes, knots, hooks, hangers, spirals, lattices."""
    model, rgb = Model(), color(draw)
    kind = draw.pick(("bent", "knot", "lattice", "spiral"))
    if kind == "bent":
        n = draw.integer(3, 6)
        points = draw.uniforms(-0.5, 0.5, n, 3) * [1, 1, draw.pick((0.0, 1.0))]
        model.add(
            tube(curve(points, 8 * n), draw.uniform(0.02, 0.1), 10, ends="round"),
            any_paint(draw, rgb, 0.3),
        )
    elif kind == "knot":
        a = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        p, q = draw.pick(((2, 3), (3, 2), (1, 3), (1, 5), (2, 5)))
        r = 0.35 + 0.15 * np.cos(q * a)
        path = np.stack([r * np.cos(p * a), r * np.sin(p * a), 0.15 * np.sin(q * a)], -1)
        model.add(
            tube(path, draw.uniform(0.03, 0.07), 9, closed=True, up=(0.01, 0.02, 1)),
            any_paint(draw, rgb, 0.3),
        )
    elif kind == "spiral":
        a = np.linspace(0, draw.uniform(8, 30), 90)
        path = (
            np.stack([a * np.cos(a), a * np.sin(a), a * draw.pick((0.0, draw.uniform(0, 2)))], -1)
            / a.max()
        )
        model.add(tube(path, draw.uniform(0.02, 0.05), 8, ends="round"), any_paint(draw, rgb, 0.3))
    else:
        nx, ny, h = draw.integer(2, 4), draw.integer(2, 4), draw.uniform(0.2, 1.0)
        r = draw.uniform(0.015, 0.05)
        xs, ys = np.linspace(-0.5, 0.5, nx), np.linspace(-0.4, 0.4, ny)
        for x in xs:
            for y in ys:
                if x in xs[[0, -1]] or y in ys[[0, -1]]:
                    model.add(tube([(x, y, 0), (x, y, h)], r, 6), shade(rgb, 0.9))
        for z in np.linspace(0, h, draw.integer(2, 4)):
            for y in ys[[0, -1]] if z > 0 else ys:
                model.add(tube([(-0.5, y, z), (0.5, y, z)], r, 6), rgb)
            for x in xs[[0, -1]] if z > 0 else xs:
                model.add(tube([(x, -0.4, z), (x, 0.4, z)], r, 6), rgb)
    if draw.chance(0.3):
        model.rotated("x", 90)
    return model.grounded()
