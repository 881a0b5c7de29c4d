"""Spoons, forks, knives, spatulas, cutting boards, shakers."""

import numpy as np

from training.data.objects.draw import Draw, color, metal, neutral, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, rectangle, ring_outline
from training.data.objects.part import to_uint8
from training.data.objects.shapes import extrude, plate, revolve, sphere, tube
from training.data.objects.surfaces import any_paint, brushed, grain, plain


def strip(path, width, thick: float):
    """A flat bar along path (S, 3) with half widths (S,) across y."""
    size = np.stack([np.asarray(width), np.full(len(path), thick)], -1)
    return tube(path, size, ring_outline(8, power=4), up=(0, 0, 1))


def cutlery_piece(draw: Draw, kind: str, rgb) -> Model:
    """A spoon, fork, knife, spatula, ladle or whisk along +x, handle first, lying."""
    model, hand = Model(), draw.pick((rgb, rgb, vivid(draw), np.ones(3) * 0.08, wood(draw)))
    metal_paint = brushed(draw, rgb)
    thick, curl = draw.uniform(0.008, 0.018), draw.uniform(0.0, 0.05)
    x = np.linspace(-0.55, 0.12, 9)
    wide = np.interp(x, [-0.55, -0.5, -0.1, 0.12], [0.02, draw.uniform(0.025, 0.05), 0.02, 0.013])
    z = 0.02 + curl * np.sin((x + 0.55) / 0.67 * np.pi)
    bulky = not np.allclose(hand, rgb)
    model.add(
        strip(np.stack([x, 0 * x, z], -1), wide, thick * (2.2 if bulky else 1)),
        plain(hand) if bulky else metal_paint,
    )
    if kind in ("spoon", "ladle"):
        a, b = draw.uniform(0.1, 0.17), draw.uniform(0.07, 0.11)
        deep = 0.035 if kind == "spoon" else 0.13
        if kind == "ladle":
            a = b = draw.uniform(0.12, 0.17)
        t = np.linspace(0, 1, 6)
        outer = np.column_stack([np.sin(t * np.pi / 2), 1 - np.cos(t * np.pi / 2)])
        inner = outer[::-1] * [0.93, 1] + [0, 0.08]
        shell = revolve(np.concatenate([outer, inner]), 20).scaled(a, b, deep)
        model.add(shell.moved(0.12 + a * 0.93, 0, 0.0), metal_paint)
    elif kind == "fork":
        n = draw.integer(3, 4)
        half = 0.05
        palm = np.array(
            [(0.1, -0.014), (0.17, -half), (0.24, -half), (0.24, half), (0.17, half), (0.1, 0.014)]
        )
        model.add(extrude(palm, thick).moved(0, 0, 0.012), metal_paint)
        for k in range(n):
            y = (k / (n - 1) - 0.5) * 2 * (half - 0.008)
            xs = np.linspace(0.235, 0.42, 5)
            zs = 0.018 + 0.02 * np.sin((xs - 0.235) / 0.185 * np.pi)
            model.add(
                strip(np.stack([xs, 0 * xs + y, zs], -1), np.linspace(0.009, 0.004, 5), 0.006),
                metal_paint,
            )
    elif kind == "knife":
        half, tip = draw.uniform(0.03, 0.075), draw.uniform(0.35, 0.7)
        blade = np.array(
            [
                (0.1, -half * 0.7),
                (tip * 0.8, -half),
                (tip * 0.95, -half * 0.4),
                (tip, half * 0.5),
                (0.1, half * 0.6),
            ]
        )
        model.add(extrude(curve_outline(blade), 0.012).moved(0, 0, 0.014), metal_paint)
    elif kind == "spatula":
        w, length = draw.uniform(0.07, 0.14), draw.uniform(0.2, 0.35)
        lift = draw.uniform(0.0, 0.12)
        blade = extrude(rectangle(length, 2 * w, 0.03), 0.012)
        model.add(
            blade.rotated("y", draw.uniform(-5, 12)).moved(0.12 + length / 2, 0, 0.01),
            plain(draw.pick((rgb, hand, np.ones(3) * 0.08))),
        )
        model.map(
            lambda p: p + np.stack([0 * p[:, 0], 0 * p[:, 0], lift * np.clip(-p[:, 0], 0, 1)], -1)
        )
    else:  # whisk
        for k in range(5):
            a = np.linspace(0, np.pi, 10)
            loop = np.stack(
                [
                    0.12 + 0.32 * np.sin(a / 2 * 2) ** 0.8,
                    0.1 * np.sin(2 * a) * 0.5 - 0.09 * np.cos(a),
                    0 * a,
                ],
                -1,
            )
            model.add(tube(loop, 0.007, 5).rotated("x", 36 * k).moved(0, 0, 0.05), metal_paint)
    return model


def curve_outline(points):
    return curve(points, 20, closed=True)


@family(weight=2.5)
def cutlery(draw: Draw) -> Model:
    """Spoons, forks, knives, spatulas, ladles, whisks; lying, seldom in a cup or set."""
    kind = draw.pick(("spoon", "fork", "knife", "spatula", "ladle", "whisk"), (3, 3, 3, 3, 1, 0.7))
    rgb = draw.pick(
        (metal(draw), metal(draw), vivid(draw), np.ones(3) * 0.07, wood(draw), np.ones(3) * 0.92)
    )
    model = cutlery_piece(draw, kind, rgb)
    if draw.chance(0.1):
        other = cutlery_piece(draw, draw.pick(("spoon", "fork", "knife")), rgb)
        model.extend(other.moved(0, draw.uniform(0.18, 0.3), 0))
    if draw.chance(0.12):
        model.rotated("y", draw.uniform(-90, -60))
    return model


@family(weight=0.7)
def cutting_board(draw: Draw) -> Model:
    model = Model()
    w, d, t = draw.uniform(0.5, 0.7), draw.uniform(0.3, 0.5), draw.uniform(0.02, 0.05)
    shape = draw.pick(
        (rectangle(w * 2, d * 2, 0.08), ring_outline(28, d, d), rectangle(w * 2, d * 1.4, 0.02))
    )
    rgb = wood(draw)
    outline = shape
    model.add(extrude(shape, t, t * 0.2), plain(rgb))
    if draw.chance(0.7):
        height, width = 48, 64
        y, x = np.mgrid[:height, :width]
        points = np.stack([x / 32 - 1, 0.75 - y / 32, 0 * x], -1).reshape(-1, 3)
        paint = grain(draw, rgb, 0) if draw.chance(0.7) else any_paint(draw, rgb, 0.4)
        model.add(plate(shape * 0.97, t + 0.003), to_uint8(paint(points)).reshape(height, width, 3))
    if draw.chance(0.4):
        model.add(
            extrude(rectangle(0.3, 0.12, 0.05), t).moved(outline[:, 0].max() + 0.1, 0, 0),
            plain(wood(draw)),
        )
    if draw.chance(0.4):
        for _ in range(draw.integer(1, 5)):
            s = draw.uniform(0.06, 0.15)
            model.add(
                sphere((s, s * draw.uniform(0.6, 1), s * draw.uniform(0.4, 0.9)), 12, 8).moved(
                    *draw.uniforms(-0.25, 0.25, 2), t + s * 0.4
                ),
                any_paint(draw, None, 0.2),
            )
    if draw.chance(0.2):
        model.rotated("x", draw.uniform(70, 85))
    return model


@family(weight=0.7, lie=0.3)
def shaker(draw: Draw) -> Model:
    """Salt and pepper shakers, mills, chess-like turned pieces."""
    model, k = Model(), draw.integer(5, 8)
    radii = draw.uniforms(0.06, 0.24, k)
    radii[0] = draw.uniform(0.18, 0.26)
    line = profile(np.column_stack([radii, np.linspace(0, 1, k)]), 28)
    line[:, 0] = np.maximum(line[:, 0], 0.04)
    rgb = draw.pick((wood(draw), neutral(draw), color(draw)))
    paint = draw.pick((plain(rgb), grain(draw, rgb, 2), any_paint(draw, rgb, 0.3)))
    model.add(revolve([(0, 0), *line, (0, 1.0)], 22), paint)
    if draw.chance(0.6):
        s = draw.uniform(0.05, 0.14)
        model.add(
            sphere((s, s, s), 14, 9).moved(0, 0, 1 + s * 0.7),
            draw.pick((plain(rgb), brushed(draw, metal(draw)))),
        )
    return model
