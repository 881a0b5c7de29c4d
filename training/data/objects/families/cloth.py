"""Things of cloth and worn things: hats, pillows, towels, sponges, gloves, glasses."""

import numpy as np

from training.data.objects.draw import DARK, Draw, color, contrast, metal, shade, vivid
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, ring_outline
from training.data.objects.pieces.organic import lumpy
from training.data.objects.shapes import (
    box,
    cylinder,
    extrude,
    grid,
    revolve,
    rounded_box,
    sphere,
    superquadric,
    torus,
    tube,
)
from training.data.objects.surfaces import (
    any_paint,
    blotches,
    checks,
    mottled,
    over,
    pattern,
    plain,
    sectors,
    smooth_noise,
    speckle,
    stripes,
)


def textile(draw: Draw, rgb=None):
    """Plain, striped, chequered or printed cloth."""
    rgb = color(draw) if rgb is None else rgb
    other = contrast(draw, rgb)
    return draw.pick(
        (
            mottled(draw, rgb, 0.06, 5),
            mottled(draw, rgb, 0.1, 3),
            stripes(rgb, other, draw.uniform(3, 10), (1, 0.0, 0)),
            checks(rgb, other, 3),
            pattern(draw, rgb),
            speckle(draw, rgb, shade(rgb, 0.8), 0.3),
        )
    )


@family(weight=1.3)
def hat(draw: Draw) -> Model:
    """Brimmed hats, caps, helmets, beanies, crowns, cones."""
    kind = draw.pick(("brim", "cap", "helmet", "beanie", "crown", "bucket"))
    model, rgb = Model(), color(draw)
    cloth = textile(draw, rgb) if draw.chance(0.4) else mottled(draw, rgb, 0.05)
    if kind in ("brim", "bucket"):
        r, h, brim = 0.3, draw.uniform(0.2, 0.5), draw.uniform(0.4, 0.75)
        droop = draw.uniform(-0.1, 0.08) if kind == "brim" else -0.15
        line = profile(
            [
                (r, 0.02),
                (r * draw.uniform(0.8, 1), h * 0.85),
                (r * 0.7, h),
                (0, h * draw.uniform(0.85, 1.05)),
            ],
            14,
        )
        model.add(revolve(line, 26, None, draw.uniform(0.8, 1)), cloth)
        model.add(
            revolve(
                [(0, 0), (r, 0), (brim, droop), (brim, droop + 0.02), (r, 0.025)],
                30,
                1 + 0.04 * np.cos(2 * np.arange(30) * 2 * np.pi / 30),
            ),
            cloth,
        )
        model.add(revolve([(r * 1.01, 0.02), (r * 1.0, 0.1)], 26), plain(contrast(draw, rgb)))
    elif kind in ("cap", "helmet"):
        model.add(
            sphere((0.36, 0.3, 0.28), 22, 13).map(
                lambda p: p * np.where(p[:, 2:] < 0, [1, 1, 0.15], 1)
            ),
            sectors(rgb, contrast(draw, rgb), 3) if draw.chance(0.3) else cloth,
        )
        if kind == "cap":
            a = np.linspace(-1.2, 1.2, 14)
            bill = np.concatenate(
                [
                    np.stack([0.3 * np.cos(a), 0.28 * np.sin(a)], -1)[::-1],
                    np.stack([0.28 + 0.33 * np.cos(a), 0.27 * np.sin(a)], -1),
                ]
            )
            part = extrude(bill, 0.02).map(lambda p: p - [0, 0, 0.5] * (p[:, 1:2] ** 2))
            model.add(part, plain(draw.pick((rgb, contrast(draw, rgb))))).add(
                sphere((0.025,) * 3, 8, 6).moved(0, 0, 0.28), plain(contrast(draw, rgb))
            )
        else:
            model.add(torus(0.34, 0.03, 24, 8).scaled(1.05, 0.9, 1), plain(shade(rgb, 0.7)))
            if draw.chance(0.5):
                model.add(box((0.5, 0.08, 0.05)).moved(0, 0, 0.25), plain(contrast(draw, rgb)))
    elif kind == "beanie":
        n = 30
        knit = 1 + 0.02 * np.cos(15 * np.arange(n) * 2 * np.pi / n)
        model.add(
            revolve(profile([(0.3, 0.1), (0.31, 0.25), (0.22, 0.45), (0, 0.52)], 14), n, knit),
            textile(draw, rgb),
        ).add(
            revolve([(0, 0), (0.31, 0), (0.33, 0.06), (0.31, 0.13), (0.29, 0.13)], n, knit),
            plain(contrast(draw, rgb)),
        )
        if draw.chance(0.6):
            model.add(
                lumpy(draw, sphere((0.1,) * 3, 12, 8), 0.08, 3).moved(0, 0, 0.58),
                mottled(draw, color(draw), 0.1, 6),
            )
    else:
        n, spikes = 40, draw.integer(5, 8)
        tooth = np.abs(np.mod(np.arange(n) * spikes / n, 1) - 0.5) * 2
        z = np.stack([np.zeros(n), np.full(n, 0.15), 0.2 + 0.2 * tooth])
        a = np.arange(n) * 2 * np.pi / n
        r = np.array([0.3, 0.31, 0.34])[:, None]
        outer = np.stack([r * np.cos(a), r * np.sin(a), z], -1)
        inner = outer[::-1] * [0.94, 0.94, 1]
        gold = draw.pick((np.array([0.85, 0.68, 0.2]), metal(draw), vivid(draw)))
        model.add(
            grid(np.concatenate([outer, inner, outer[:1]]), wrap=True), mottled(draw, gold, 0.05)
        )
        for k in range(spikes):
            b = 2 * np.pi * k / spikes
            model.add(
                sphere((0.03,) * 3, 8, 6).moved(0.345 * np.cos(b), 0.345 * np.sin(b), 0.41),
                plain(vivid(draw)),
            )
    if draw.chance(0.1):
        model.rotated("x", 180)
    return model.grounded()


@family(weight=1.3, soft=True)
def pillow(draw: Draw) -> Model:
    """Pillows, sponges, soap, towels folded or rolled, blankets, mattresses, erasers."""
    kind = draw.pick(("pillow", "sponge", "soap", "folded", "rolled", "drape"))
    model, rgb = Model(), color(draw)
    if kind == "pillow":
        w, d = draw.uniform(0.5, 0.8), draw.uniform(0.4, 0.6)
        n = 13
        x, y = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n))
        swell = draw.uniform(0.12, 0.25) * ((1 - x**2) * (1 - y**2)) ** 0.5
        pinch = 1 - 0.08 * (np.abs(x) * (1 - np.abs(y)) + np.abs(y) * (1 - np.abs(x)))
        top = np.stack([x * w / 2 * pinch, y * d / 2 * pinch, swell], -1)
        paint = textile(draw, rgb)
        model.add(grid(top), paint, bake=True).add(
            grid(top * [1, 1, -1]).flipped(), paint, bake=True
        )
        if draw.chance(0.4):
            model.rotated("x", draw.uniform(60, 80))
    elif kind in ("sponge", "soap"):
        w, d, h = 0.8, draw.uniform(0.4, 0.6), draw.uniform(0.15, 0.35)
        part = rounded_box((w, d, h), draw.uniform(0.02, 0.15), 3)
        if kind == "soap":
            model.add(superquadric((w / 2, d / 2, h / 2), 0.5, 0.6), mottled(draw, rgb, 0.05))
        else:
            low = plain(draw.pick((rgb, contrast(draw, rgb))))
            model.add(
                lumpy(draw, part, 0.015, 3),
                over(speckle(draw, rgb, shade(rgb, 0.7), 0.25), low, lambda p: p[:, 2] < -0.15),
            )
    elif kind == "folded":
        w, d, h, n = (
            draw.uniform(0.6, 0.9),
            draw.uniform(0.4, 0.7),
            draw.uniform(0.06, 0.12),
            draw.integer(1, 5),
        )
        for k in range(n):
            if k and draw.chance(0.6):
                rgb = color(draw)
            part = superquadric((w / 2, d / 2, h / 2 * 1.1), 0.5, 0.2, 28, 9)
            model.add(
                lumpy(draw, part, 0.015, 2)
                .rotated("z", draw.uniform(-4, 4))
                .moved(0, 0, h * (k + 0.5)),
                textile(draw, rgb),
            )
    elif kind == "rolled":
        t = np.linspace(0, 1, 70)
        turns, length, thick = draw.uniform(2.5, 4), draw.uniform(0.5, 1.2), 0.03
        a = 2 * np.pi * turns * t
        r = 0.03 + thick * 1.15 * a / (2 * np.pi) * 2
        path = np.stack([r * np.cos(a), 0 * a, r * np.sin(a)], -1)
        model.add(
            tube(path, np.tile([thick, length / 2], (70, 1)), ring_outline(8, power=5), up=None),
            textile(draw, rgb),
        )
        model.add(
            cylinder(float(r[-1]) * 0.98, length * 0.98, 20)
            .rotated("x", 90)
            .moved(0, length * 0.49, 0),
            textile(draw, rgb),
        )
    else:
        n = 22
        x, y = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n))
        noise = smooth_noise(draw, 1.2)
        z = 0.12 * noise(np.stack([x, y, 0 * x], -1).reshape(-1, 3)).reshape(n, n)
        points = np.stack([x * 0.6 + 0.1 * z, y * 0.5, z * 0.8], -1)
        paint = textile(draw, rgb)
        model.add(grid(points), paint, bake=True).add(
            grid(points - [0, 0, 0.02]).flipped(), paint, bake=True
        )
        edge = np.concatenate([points[0], points[1:, -1], points[-1, -2::-1], points[-2:0:-1, 0]])
        model.add(
            tube(edge - [0, 0, 0.01], 0.012, 5, closed=True, up=(0.01, 0.01, 1)),
            plain(shade(rgb, 0.9)),
        )
    return model.grounded()


@family(weight=0.7)
def wearable(draw: Draw) -> Model:
    """Gloves, glasses, rings, masks, bow ties, belts."""
    kind = draw.pick(("glove", "glasses", "ring", "mask", "belt"))
    model, rgb = Model(), color(draw)
    if kind == "glove":
        paint = blotches(draw, rgb, shade(rgb, 0.8), 2)
        model.add(superquadric((0.28, 0.22, 0.09), 0.8, 0.7), paint).add(
            revolve([(0.2, 0), (0.24, 0.25), (0.2, 0.25), (0.15, 0.05)], 18, None, 0.5)
            .rotated("y", -90)
            .moved(-0.22, 0, 0)
            .rotated("x", 90),
            plain(contrast(draw, rgb)),
        )
        for k, (y, length) in enumerate(((-0.17, 0.26), (-0.06, 0.32), (0.05, 0.33), (0.16, 0.27))):
            spread = (k - 1.5) * 0.06
            model.add(
                tube(
                    [(0.2, y, 0), (0.24 + length, y + spread, draw.uniform(-0.05, 0.08))],
                    np.array([0.06, 0.05]),
                    8,
                    ends="round",
                ),
                paint,
            )
        model.add(
            tube([(0.0, -0.18, 0), (0.2, -0.42, 0.0)], np.array([0.07, 0.055]), 8, ends="round"),
            paint,
        )
    elif kind == "glasses":
        lens = draw.pick((np.array([0.1, 0.1, 0.12]), np.array([0.75, 0.82, 0.85]), color(draw)))
        r = draw.uniform(0.16, 0.22)
        for s in (-1, 1):
            a = np.linspace(0, 2 * np.pi, 24, endpoint=False)
            rim = np.stack(
                [0 * a, s * 0.24 + r * np.cos(a), r * draw.uniform(0.75, 1.0) * np.sin(a)], -1
            )
            model.add(tube(rim, 0.022, 7, closed=True), plain(rgb))
            model.add(
                cylinder(r * 0.95, 0.012, 22)
                .rotated("y", 90)
                .moved(-0.006, s * 0.24, 0)
                .scaled(1, 1, 0.85),
                plain(lens),
            )
            arm = curve(
                [
                    (0, s * (0.24 + r), 0.05),
                    (-0.5, s * (0.26 + r), 0.05),
                    (-0.65, s * (0.25 + r), -0.07),
                ],
                8,
            )
            model.add(tube(arm, 0.016, 6), plain(rgb))
        model.add(
            tube(curve([(0, -0.24 + r, 0.03), (0.02, 0, 0.06), (0, 0.24 - r, 0.03)], 5), 0.018, 6),
            plain(rgb),
        )
    elif kind == "ring":
        model.add(torus(0.4, draw.uniform(0.03, 0.1), 30, 10), mottled(draw, metal(draw), 0.05))
        if draw.chance(0.7):
            s = draw.uniform(0.08, 0.2)
            model.add(
                cylinder(s * 0.5, s, 8, s).rotated("y", 90).moved(0.4, 0, 0), plain(vivid(draw))
            )
        if draw.chance(0.4):
            model.rotated("x", 90)
    elif kind == "mask":
        part = superquadric((0.2, 0.3, 0.4), 0.9, 0.9, 26, 15).map(
            lambda p: np.stack(
                [np.maximum(p[:, 0], -0.02 + 0.4 * np.minimum(p[:, 0], 0)), p[:, 1], p[:, 2]], -1
            )
        )
        model.add(part, any_paint(draw, rgb, 0.4)).add(
            sphere((0.08, 0.06, 0.1), 10, 7).moved(0.2, 0, -0.02), plain(rgb)
        )
        for s in (-1, 1):
            model.add(sphere((0.03, 0.07, 0.04), 9, 6).moved(0.165, s * 0.12, 0.1), plain(DARK))
        model.add(
            sphere((0.03, 0.1, 0.03), 9, 6).moved(0.16, 0, -0.19),
            plain(color(draw, "red", "black")),
        )
        model.rotated("y", draw.pick((-90, 0)))
    else:
        t = np.linspace(0, 1, 60)
        a = 2 * np.pi * t * draw.uniform(1.5, 3)
        r = 0.25 + 0.12 * t
        path = np.stack([r * np.cos(a), r * np.sin(a), 0 * t], -1)
        model.add(
            tube(path, np.tile([0.012, 0.06], (60, 1)), ring_outline(8, power=5), up=(0, 0, 1)),
            any_paint(draw, rgb, 0.3),
        ).add(
            box((0.14, 0.03, 0.14)).moved(r[-1] * np.cos(a[-1]), r[-1] * np.sin(a[-1]), -0.07),
            plain(metal(draw)),
        )
    return model.grounded()
