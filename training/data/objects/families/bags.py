"""Bags: of food, sacks, hand bags, suitcases."""

import numpy as np

from training.data.objects import labels
from training.data.objects.draw import DARK, Draw, color, contrast, metal, shade
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, ring_outline
from training.data.objects.pieces.organic import lumpy
from training.data.objects.shapes import (
    box,
    loft,
    revolve,
    rounded_box,
    sphere,
    superquadric,
    torus,
    tube,
)
from training.data.objects.surfaces import any_paint, plain


@family(weight=1.2, lie=0.3, soft=True)
def snack_bag(draw: Draw) -> Model:
    """Crisps, coffee, flour: a pillow bag with crimped ends, or a block bag."""
    model, rgb = Model(), color(draw)
    w, d = draw.uniform(0.55, 0.85), draw.uniform(0.15, 0.4)
    n, rows = 24, 15
    z = np.linspace(0, 1, rows)
    flat_foot = draw.chance(0.5)
    swell = (
        np.sin(np.pi * np.clip(z * (0.5 if flat_foot else 1) + (0.5 if flat_foot else 0), 0, 1))
        ** 0.6
    )
    power = draw.uniform(2, 4)
    outline = ring_outline(n, power=power)
    crease = 1 + 0.05 * draw.normal(rows, n)
    x = (
        outline[None, :, 0]
        * w
        / 2
        * (1 - 0.06 * swell[:, None])
        * np.where(np.abs(outline[None, :, 0]) > 0.9, 1, crease)
    )
    y = outline[None, :, 1] * (d / 2 * swell[:, None] * crease + 0.008)
    points = np.stack([x, y, np.repeat(z[:, None], n, 1)], -1)
    image = labels.label(draw, labels.canvas(draw, rgb), 0.1, 0.88)
    if draw.chance(0.6):
        image = np.concatenate([labels.front(draw, 96, 80, rgb), labels.back(draw, 96, 80, rgb)], 1)
        image = np.roll(image, -40, axis=1)
    model.add(loft(points), image)
    model.add(box((w * 1.01, 0.02, 0.06)).moved(0, 0, 0.98), plain(shade(rgb, 0.85)))
    if draw.chance(0.3):
        model.rotated("x", draw.uniform(-8, 8))
    return model


@family(weight=0.7, lie=0.2, soft=True)
def sack(draw: Draw) -> Model:
    """A tied sack or pouch."""
    model, rgb = Model(), draw.pick((np.array([0.75, 0.62, 0.42]), color(draw)))
    top = draw.uniform(0.08, 0.16)
    line = profile(
        [
            (0.0, 0),
            (0.3, 0.0),
            (0.42, 0.15),
            (0.42, 0.4),
            (0.28, 0.68),
            (top, 0.8),
            (top * 1.8, 0.95),
            (top * 1.5, 0.97),
            (0, 0.85),
        ],
        22,
    )
    n = 24
    fold = 1 + draw.uniform(0.02, 0.06) * np.cos(
        draw.integer(5, 9) * np.arange(n) * 2 * np.pi / n + np.linspace(0, 1, 22)[:, None]
    )
    part = revolve(line, n, fold, draw.uniform(0.7, 1))
    if draw.chance(0.4):
        model.add(part, labels.label(draw, labels.canvas(draw, rgb), 0.25, 0.55))
    else:
        model.add(part, any_paint(draw, rgb, 0.3))
    model.add(torus(top * 1.05, 0.02, 16, 6).moved(0, 0, 0.8), plain(contrast(draw, rgb)))
    return model


@family(weight=1.3)
def bag(draw: Draw) -> Model:
    """Hand bags, backpacks, suitcases, shopping bags, purses, tool boxes."""
    kind = draw.pick(("hand", "suitcase", "shopping", "backpack", "toolbox"))
    model, rgb = Model(), color(draw)
    w, d, h = draw.uniform(0.6, 1.0), draw.uniform(0.2, 0.45), draw.uniform(0.5, 0.9)
    trim = contrast(draw, rgb)
    if kind == "shopping":
        image = labels.carton(draw, (w, d, h), rgb)
        t = 0.01
        for x, y, turn, wide in (
            (0, -d / 2, 0, w),
            (0, d / 2, 180, w),
            (-w / 2, 0, -90, d),
            (w / 2, 0, 90, d),
        ):
            model.add(
                box((wide, t, h)).rotated("z", turn).moved(x, y, 0),
                image if abs(turn) != 90 else plain(shade(rgb, 0.9)),
            )
        model.add(box((w, d, t)), plain(shade(rgb, 0.7)))
        for y in (-d / 2, d / 2):
            a = np.linspace(0, np.pi, 10)
            model.add(
                tube(
                    np.stack([0.15 * np.cos(a), 0 * a + y, h - 0.03 + 0.2 * np.sin(a)], -1),
                    0.014,
                    6,
                ),
                plain(trim),
            )
        return model.grounded()
    if kind in ("hand", "backpack"):
        body = superquadric(
            (w / 2, d / 2, h / 2), draw.uniform(0.3, 0.7), draw.uniform(0.3, 0.7)
        ).map(
            lambda p: (
                p
                * np.stack(
                    [1 + 0 * p[:, 2], 1 - 0.5 * np.clip(p[:, 2] / h + 0.2, 0, 1), 1 + 0 * p[:, 2]],
                    -1,
                )
            )
        )
        model.add(lumpy(draw, body, 0.02, 2).moved(0, 0, h / 2), any_paint(draw, rgb, 0.3))
        if kind == "backpack":
            model.add(
                superquadric((w * 0.36, d * 0.3, h * 0.25), 0.5, 0.5).moved(0, -d * 0.42, h * 0.32),
                plain(draw.pick((rgb, trim))),
            )
            for x in (-0.25, 0.25):
                path = curve(
                    [
                        (x * w, d * 0.3, h * 0.85),
                        (x * w, d * 0.75, h * 0.5),
                        (x * w, d * 0.4, h * 0.1),
                    ],
                    10,
                )
                model.add(tube(path, np.tile([0.015, 0.05], (10, 1)), 6, up=(1, 0, 0)), plain(trim))
        else:
            model.add(box((0.1, 0.04, 0.1)).moved(0, -d * 0.5, h * 0.55), plain(metal(draw)))
        a = np.linspace(0, np.pi, 14)
        lift, reach = draw.uniform(0.12, 0.5), w * draw.uniform(0.12, 0.35)
        model.add(
            tube(np.stack([reach * np.cos(a), 0 * a, h * 0.93 + lift * np.sin(a)], -1), 0.022, 7),
            plain(trim),
        )
    elif kind == "suitcase":
        model.add(rounded_box((w, d, h), 0.07, 2).moved(0, 0, 0.05), any_paint(draw, rgb, 0.2))
        for x in np.linspace(-0.35, 0.35, draw.integer(0, 6)):
            model.add(
                box((0.03, d * 1.02, h * 0.9)).moved(x * w, 0, 0.05 + h * 0.05),
                plain(shade(rgb, 0.8)),
            )
        path = curve(
            [(-0.15, 0, h + 0.03), (-0.15, 0, h + 0.16), (0.15, 0, h + 0.16), (0.15, 0, h + 0.03)],
            14,
        )
        model.add(tube(path, 0.025, 7), plain(DARK))
        for x in (-0.4, 0.4):
            model.add(
                sphere((0.05, 0.05, 0.05), 9, 6).moved(x * w, d * 0.3, 0.03), plain(DARK)
            ).add(sphere((0.05, 0.05, 0.05), 9, 6).moved(x * w, -d * 0.3, 0.03), plain(DARK))
    else:
        h *= 0.5
        model.add(box((w, d, h), 1, 0.96), plain(rgb)).add(
            box((w * 0.98, d * 0.98, h * 0.35), 1, 0.8).moved(0, 0, h * 1.01), plain(trim)
        )
        path = curve(
            [
                (-0.2, 0, h * 1.3),
                (-0.2, 0, h * 1.3 + 0.13),
                (0.2, 0, h * 1.3 + 0.13),
                (0.2, 0, h * 1.3),
            ],
            14,
        )
        model.add(tube(path, 0.025, 7), plain(DARK))
        for x in (-0.3, 0.3):
            model.add(box((0.07, 0.03, 0.1)).moved(x * w, -d / 2, h * 0.95), plain(metal(draw)))
    return model.grounded()
