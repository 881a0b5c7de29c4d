"""Padlocks, nuts and bolts, chains and cables."""

import numpy as np

from training.data.objects.draw import DARK, Draw, color, contrast, metal, shade, vivid
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, ring_outline
from training.data.objects.shapes import cylinder, extrude, revolve, rounded_box, tube
from training.data.objects.surfaces import any_paint, brushed, plain


@family(weight=1.0)
def padlock(draw: Draw) -> Model:
    model, rgb = Model(), draw.pick((metal(draw), metal(draw), vivid(draw), DARK))
    w, h, t = 0.5, draw.uniform(0.35, 0.6), draw.uniform(0.15, 0.28)
    body = (
        rounded_box((w, t, h), draw.uniform(0.02, 0.1), 2)
        if draw.chance(0.7)
        else extrude(ring_outline(24, w / 2, h / 2), t, 0.03)
        .rotated("x", 90)
        .moved(0, t / 2, h / 2)
    )
    model.add(body, brushed(draw, rgb))
    if draw.chance(0.6):
        model.add(cylinder(0.07, 0.02, 12).rotated("x", 90).moved(0, -t / 2, h * 0.4), plain(DARK))
    a = np.linspace(0, np.pi, 12)
    r, lift = w * draw.uniform(0.3, 0.38), draw.uniform(0.05, 0.4)
    path = np.concatenate(
        [
            [(r, 0, h - 0.05)],
            np.stack([r * np.cos(a), 0 * a, h + lift + r * np.sin(a)], -1),
            [(-r, 0, h - 0.05)],
        ]
    )
    model.add(tube(path, draw.uniform(0.035, 0.065), 10), brushed(draw, metal(draw)))
    if draw.chance(0.7):
        model.rotated("x", draw.pick((90, -90)))
    return model.grounded()


@family(weight=1.2)
def nut_bolt(draw: Draw) -> Model:
    """Nuts, bolts, screws, washers, gears, pipes and fittings, springs."""
    model, rgb = Model(), draw.pick((metal(draw), metal(draw), vivid(draw), DARK))
    paint = brushed(draw, rgb) if draw.chance(0.7) else any_paint(draw, rgb, 0.1)
    kind = draw.pick(("bolt", "nut", "gear", "spring", "pipe", "elbow", "screw"))
    hexagon = np.where(np.arange(12) % 2, 0.9, 1.0)
    if kind in ("bolt", "screw"):
        r, length, head = draw.uniform(0.1, 0.2), draw.uniform(0.4, 1.2), draw.uniform(0.22, 0.4)
        if kind == "bolt":
            model.add(revolve([(0, 0), (head, 0), (head, 0.2), (0, 0.2)], 12, hexagon), paint)
        else:
            model.add(
                revolve(profile([(0, 0), (head * 0.6, 0.0), (head, 0.1), (r, 0.25)], 8), 16), paint
            )
        z = np.linspace(0.15, 0.2 + length, 26)
        thread = r * (1 - 0.12 * (np.arange(26) % 2))
        model.add(revolve([*np.column_stack([thread, z]), (0, z[-1])], 14), brushed(draw, rgb))
        if draw.chance(0.4):
            model.add(
                revolve([(r, 0), (head, 0), (head, 0.2), (r, 0.2)], 12, hexagon).moved(
                    0, 0, length * 0.6
                ),
                brushed(draw, metal(draw)),
            )
        if draw.chance(0.6):
            model.rotated("x", 90)
    elif kind in ("nut", "gear"):
        teeth = 6 if kind == "nut" else draw.integer(8, 20)
        n = 12 if kind == "nut" else 4 * teeth
        ring = hexagon if kind == "nut" else 1 + draw.uniform(0.08, 0.2) * (np.arange(n) % 4 < 2)
        hole, t = draw.uniform(0.15, 0.6), draw.uniform(0.1, 0.6)
        k = np.array([hole, 1, 1, hole, hole])
        outer = np.array([0, 1, 1, 0, 0])[:, None]
        radius = np.where(outer > 0, ring, 1.0)
        model.add(revolve(np.column_stack([k, [0, 0, t, t, 0]]), n, radius), paint)
    elif kind == "spring":
        turns = draw.integer(3, 7)
        a = np.linspace(0, 2 * np.pi * turns, turns * 14)
        h = draw.uniform(0.6, 2.5)
        r = draw.uniform(0.3, 0.5) * np.interp(a, [0, a[-1]], [1, draw.pick((1, 1, 0.5))])
        model.add(
            tube(
                np.stack([r * np.cos(a), r * np.sin(a), h * a / a[-1]], -1),
                draw.uniform(0.03, 0.08),
                6,
                up=(0, 0, 1),
            ),
            paint,
        )
        if draw.chance(0.5):
            model.rotated("x", 90)
    elif kind == "pipe":
        r, h, t = draw.uniform(0.1, 0.6), 1.0, draw.uniform(0.02, 0.08)
        model.add(
            revolve([(r - t, 0), (r, 0), (r, h), (r - t, h), (r - t, 0)], 24),
            any_paint(draw, rgb, 0.25),
        )
        if draw.chance(0.5):
            model.rotated("x", 90)
    else:
        a = np.linspace(0, np.pi / 2, 9)
        path = np.concatenate(
            [
                [(1.0, 0, -draw.uniform(0.3, 1))],
                np.stack([np.cos(a), 0 * a, np.sin(a)], -1),
                [(-draw.uniform(0.3, 1), 0, 1.0)],
            ]
        )
        r = draw.uniform(0.15, 0.3)
        model.add(tube(path, r, 14), paint)
        model.add(
            cylinder(r * 1.3, 0.2, 14).moved(path[0, 0], 0, path[0, 2]), plain(shade(rgb, 0.85))
        )
        model.add(
            cylinder(r * 1.3, 0.2, 14).rotated("y", 90).moved(path[-1, 0], 0, 1.0),
            plain(shade(rgb, 0.85)),
        )
        model.rotated("x", draw.pick((0, 90)))
    return model.grounded()


@family(weight=0.6)
def chain(draw: Draw) -> Model:
    """Chains, necklaces, cables, ropes and rings, lying in curves."""
    model = Model()
    k = draw.integer(4, 7)
    a = np.sort(draw.uniforms(0, 2 * np.pi * draw.uniform(0.5, 1.2), k))
    points = np.column_stack([np.cos(a), np.sin(a) * 0.8, 0 * a]) * draw.uniforms(0.4, 1.0, k, 1)
    if draw.chance(0.5):
        rgb = draw.pick((metal(draw), vivid(draw), np.array([0.9, 0.7, 0.15])))
        n = draw.integer(12, 24)
        path = curve(points, n)
        length = np.linalg.norm(np.diff(path, axis=0), axis=1).mean() * 0.72
        for i in range(n - 1):
            d = path[i + 1] - path[i]
            b = np.arange(10) * 2 * np.pi / 10
            link = np.stack([length * np.cos(b), length * 0.55 * np.sin(b), 0 * b], -1)
            part = tube(link, length * 0.17, 5, closed=True).rotated("x", 90 * (i % 2) * 0.8 + 10)
            model.add(
                part.rotated("z", np.degrees(np.arctan2(d[1], d[0]))).moved(
                    *((path[i] + path[i + 1]) / 2)
                ),
                plain(rgb),
            )
    else:
        path = curve(points, 50)
        r = draw.uniform(0.02, 0.06)
        path[:, 2] += 2 * r * (np.arange(50) / 50)
        rgb = color(draw)
        model.add(tube(path, r, 7, ends="round"), any_paint(draw, rgb, 0.3))
        if draw.chance(0.6):
            for end in (0, -1):
                model.add(
                    rounded_box((0.16, 0.1, 0.08), 0.02, 1).moved(
                        path[end, 0], path[end, 1], path[end, 2] - 0.03
                    ),
                    plain(contrast(draw, rgb)),
                )
    return model.grounded()
