"""Wrenches, pliers, scissors, clamps: tools that grip between two jaws."""

import numpy as np

from training.data.objects.draw import DARK, Draw, contrast, metal, shade, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, ring_outline
from training.data.objects.pieces.handles import grip_color
from training.data.objects.shapes import cylinder, extrude, rounded_box, tube
from training.data.objects.surfaces import brushed, plain


@family(weight=1.5)
def wrench(draw: Draw) -> Model:
    """Open, ring and adjustable wrenches, spanners, keys, bottle openers."""
    model, rgb = Model(), metal(draw) if draw.chance(0.85) else vivid(draw)
    paint, t = brushed(draw, rgb), draw.uniform(0.03, 0.07)
    length, w = draw.uniform(0.7, 1.1), draw.uniform(0.045, 0.09)
    bar = np.array(
        [
            (0, -w * 0.9),
            (length * 0.5, -w * 0.6),
            (length, -w * 0.8),
            (length, w * 0.8),
            (length * 0.5, w * 0.6),
            (0, w * 0.9),
        ]
    )
    model.add(extrude(bar, t, t * 0.25), draw.pick((paint, paint, plain(grip_color(draw)))))
    for x, side in ((length, 1), (0.0, -1)):
        kind = (
            draw.pick(("jaw", "ring", "round", "adjustable"))
            if side > 0
            else draw.pick(("jaw", "ring", "hole", "none"))
        )
        r = draw.uniform(0.1, 0.17)
        if kind == "jaw" or kind == "adjustable":
            gap = min(draw.uniform(0.05, 0.09), 0.5 * r)
            a = np.linspace(np.pi * 0.2, np.pi * 1.8, 14)
            outer = r * np.stack([np.cos(a), np.sin(a)], -1)
            mouth = np.array(
                [
                    (r * 0.9, -gap),
                    (-0.01, -gap * 0.9),
                    (-0.01 - gap * 0.3, 0),
                    (-0.01, gap * 0.9),
                    (r * 0.9, gap),
                ]
            )
            outline = np.concatenate([outer, mouth])
            part = extrude(outline, t * 1.25, t * 0.2).rotated(
                "z", draw.uniform(-25, 25) + (0 if side > 0 else 180)
            )
            model.add(part.moved(x + side * r * 0.8, 0, -t * 0.12), paint)
            if kind == "adjustable":
                model.add(
                    cylinder(0.035, 0.08, 10).rotated("x", 90).moved(x + 0.04, -w, t / 2),
                    plain(shade(rgb, 0.7)),
                )
        elif kind in ("ring", "hole"):
            a = np.arange(24) * 2 * np.pi / 24
            path = 0.75 * r * np.stack([np.cos(a), np.sin(a), 0 * a], -1)
            size = np.tile([r * 0.3, t * 0.65], (24, 1))
            model.add(
                tube(path, size, ring_outline(8, power=4), closed=True).moved(
                    x + side * r * 0.7, 0, t / 2
                ),
                paint,
            )
        elif kind == "round":
            model.add(cylinder(r, t * 1.2, 18).moved(x, 0, -t * 0.1), paint)
    return model.grounded()


@family(weight=1.8)
def pliers(draw: Draw) -> Model:
    """Pliers, scissors, secateurs, tongs, spring clamps: two levers across a pivot."""
    model, rgb = Model(), metal(draw)
    kind = draw.pick(("pliers", "scissors", "scissors", "clamp", "tongs"))
    angle = draw.uniform(4, 25)
    hand = grip_color(draw)
    t = draw.uniform(0.025, 0.05)
    for side in (1, -1):
        half = Model()
        if kind == "scissors":
            blade = np.array(
                [(-0.05, -0.03), (0.1, -0.045), (0.6, 0.0), (0.1, 0.035), (-0.05, 0.03)]
            ) * [draw.uniform(0.9, 1.1), 1]
            half.add(extrude(blade, t * 0.6), brushed(draw, rgb))
            half.add(
                tube(
                    curve([(-0.02, 0, 0.01), (-0.15, -0.01, 0.01), (-0.26, 0.06, 0.01)], 6),
                    np.tile([0.03, 0.022], (6, 1)),
                    8,
                    up=(0, 0, 1),
                ),
                plain(hand),
            )
            a = np.arange(18) * 2 * np.pi / 18
            wide = draw.uniform(0.11, 0.17)
            loop = np.stack([-0.38 + wide * np.cos(a), 0.1 + 0.085 * np.sin(a), 0 * a + 0.01], -1)
            half.add(
                tube(loop, np.tile([0.026, 0.024], (18, 1)), 8, closed=True).rotated("z", -8),
                plain(hand),
            )
        else:
            jaw = {
                "pliers": [
                    (-0.05, -0.05),
                    (0.1, -0.06),
                    (0.32, -0.03),
                    (0.32, 0.0),
                    (0.05, 0.0),
                    (-0.05, 0.05),
                ],
                "clamp": [
                    (-0.08, -0.06),
                    (0.15, -0.09),
                    (0.42, -0.03),
                    (0.42, 0.03),
                    (0.3, 0.035),
                    (0.12, -0.02),
                    (-0.05, 0.05),
                ],
                "tongs": [(-0.05, -0.03), (0.5, -0.06), (0.6, -0.02), (0.5, -0.02), (-0.05, 0.03)],
            }[kind]
            half.add(
                extrude(np.array(jaw) * draw.uniform(0.9, 1.15), t * 1.4, t * 0.3),
                plain(hand) if kind == "clamp" and draw.chance(0.6) else brushed(draw, rgb),
            )
            bow = draw.uniform(0.05, 0.14)
            path = curve(
                [
                    (-0.03, 0, t * 0.7),
                    (-0.2, bow, t * 0.7),
                    (-0.45, bow * 1.1, t * 0.7),
                    (-0.68, bow * 0.8, t * 0.7),
                ],
                10,
            )
            half.add(
                tube(
                    path,
                    np.tile([draw.uniform(0.03, 0.05), 0.03], (10, 1)),
                    8,
                    ends="round",
                    up=(0, 0, 1),
                ),
                plain(hand),
            )
            if kind == "clamp":
                tip = rounded_box((0.1, 0.05, 0.09), 0.015, 1).moved(0.4, 0.01, -0.02)
                half.add(tip, plain(contrast(draw, hand)))
        turn = -angle if kind == "clamp" else angle
        for part in half.rotated("z", turn).parts:
            model.parts.append(part.scaled(1, side, 1).moved(0, 0, 0.3 * t * side))
    model.add(cylinder(0.035, t * 2.4, 12).moved(0, 0, -0.4 * t), plain(shade(rgb, 0.8)))
    return model.grounded()


@family(weight=0.8)
def clamp(draw: Draw) -> Model:
    """C-clamps, bar clamps, vices."""
    model, rgb = Model(), draw.pick((metal(draw), vivid(draw), DARK))
    w, h, t = draw.uniform(0.4, 0.7), draw.uniform(0.4, 0.8), draw.uniform(0.05, 0.1)
    frame = np.array(
        [(0, 0), (w, 0), (w, h), (0, h), (0, h - t), (w - t, h - t), (w - t, t), (0, t)]
    )
    model.add(extrude(frame, t * 1.2, t * 0.15).rotated("x", 90).moved(0, t * 0.6, 0), plain(rgb))
    screw = metal(draw)
    low = draw.uniform(-0.4, -0.1)
    x = t * 0.5
    model.add(tube([(x, 0, low), (x, 0, h * 0.55)], t * 0.3, 10), brushed(draw, screw))
    model.add(cylinder(t * 0.55, t * 0.4, 12).moved(x, 0, h * 0.55), plain(screw))
    model.add(
        tube([(x, -0.18, low), (x, 0.18, low)], t * 0.2, 8, ends="round"),
        plain(draw.pick((screw, wood(draw), vivid(draw)))),
    )
    if draw.chance(0.85):
        model.rotated("x", 90)
    return model.grounded()
