"""Cans, spray cans and squeezed tubes."""

import numpy as np

from training.data.objects import labels
from training.data.objects.draw import Draw, color, contrast, metal, shade, vivid
from training.data.objects.model import Model, family
from training.data.objects.outlines import profile
from training.data.objects.shapes import box, cylinder, grid, revolve, torus
from training.data.objects.surfaces import brushed, mottled, plain


@family(weight=4.5, lie=0.12, group=0.06)
def can(draw: Draw) -> Model:
    """Food and drink cans, tins, paper tubes with metal or plastic ends."""
    model, h, r = Model(), 1.0, draw.log(0.18, 1.3) / 2
    if draw.chance(0.15):
        r = draw.uniform(0.9, 1.6)  # tuna
    rim, neck = draw.uniform(0.01, 0.04), 1.0
    tin, side = metal(draw), color(draw)
    drink = r < 0.35 and draw.chance(0.5)
    if drink:
        neck = draw.uniform(0.75, 0.9)
        lower = [(r * 0.75, 0.0), (r * 0.85, 0.02), (r, 0.09)]
        wall = [(r, 0.09), (r, 0.86), (r * (1 + neck) / 2, 0.92), (r * neck, 0.97)]
    else:
        lower = [(r * 0.98, 0), (r * 1.02, 0.012), (r * 1.02, 0.03), (r, 0.04)]
        wall = [(r, 0.04), (r, h - 0.04)]
    model.add(revolve([(0, 0.015), *lower], 28), brushed(draw, tin))
    ribbed = not drink and draw.chance(0.25)
    if ribbed:
        z = np.linspace(0.04, h - 0.04, 22)
        wall = np.column_stack([r * (1 - 0.012 * (np.arange(22) % 2) * ((z > 0.2) & (z < 0.8))), z])
    paper = draw.chance(0.92)
    if paper:
        image = labels.wrapper(draw, side, 72, 160)
        if draw.chance(0.3):
            image = labels.label(draw, labels.canvas(draw, side), 0.05, 0.95)
        model.add(revolve(wall, 28), image)
    else:
        model.add(revolve(wall, 28), brushed(draw, tin))
    top = wall[-1][0]
    lid = contrast(draw, side) if draw.chance(0.2) else tin
    if drink:
        model.add(
            revolve(
                [
                    (top, 0.97),
                    (top * 1.01, 0.985),
                    (top * 0.93, 0.985),
                    (top * 0.9, 0.96),
                    (0, 0.96),
                ],
                28,
            ),
            brushed(draw, tin),
        )
        model.add(box((top * 0.4, top * 0.75, 0.008)).moved(0, top * 0.1, 0.965), shade(tin, 0.85))
    elif draw.chance(0.2):  # open, with something in it
        inner, level = r * 0.96, draw.uniform(0.3, 0.9)
        model.add(
            revolve([(r, h - 0.04), (r * 1.02, h), (inner, h), (inner, level)], 28), shade(tin, 0.8)
        )
        model.add(
            revolve([(inner, level), (inner * 0.5, level + 0.01), (0, level)], 28),
            mottled(draw, color(draw), 0.15, 6),
        )
    elif draw.chance(0.3):  # plastic lid
        lid = draw.pick((color(draw), vivid(draw), np.array([0.93, 0.93, 0.93])))
        z = h - 0.04
        model.add(
            revolve(
                [
                    (r, z),
                    (r * 1.04, z),
                    (r * 1.04, z + 0.07),
                    (r * 0.96, z + 0.075),
                    (r * 0.93, z + 0.055),
                    (0, z + 0.055),
                ],
                28,
            ),
            plain(lid),
        )
    else:
        model.add(
            revolve(
                [
                    (r, h - 0.04),
                    (r * 1.02, h - 0.03),
                    (r * 1.02, h),
                    (r * 0.96, h),
                    (r * 0.95, h - rim),
                    (r * 0.6, h - rim),
                    (r * 0.55, h - rim - 0.006),
                    (0, h - rim),
                ],
                28,
            ),
            brushed(draw, lid),
        )
        if draw.chance(0.3):
            model.add(
                torus(r * 0.22, r * 0.03, 12, 5).moved(r * 0.45, 0, h - rim + 0.008),
                shade(tin, 0.9),
            )
    if draw.chance(0.1):  # dented
        a, depth = draw.uniform(0, 6.28), draw.uniform(0.05, 0.15) * r
        at = np.array([r * np.cos(a), r * np.sin(a), draw.uniform(0.2, 0.8)])
        model.map(
            lambda p: (
                p
                * (1 - depth / r * np.exp(-(((p - at) / (0.5 * r)) ** 2).sum(axis=1)))[:, None]
                ** [1, 1, 0]
            )
        )
    return model


@family(weight=0.8, lie=0.15)
def spray_can(draw: Draw) -> Model:
    model, r, rgb = Model(), draw.uniform(0.14, 0.24), color(draw)
    model.add(revolve([(0, 0), (r, 0), (r, 0.02)], 24), brushed(draw, metal(draw)))
    model.add(revolve([(r, 0.02), (r, 0.8)], 24), labels.wrapper(draw, rgb, 96, 128))
    lid = draw.pick((contrast(draw, rgb), rgb, np.ones(3) * 0.95))
    if draw.chance(0.5):
        model.add(
            revolve([(r, 0.8), (r * 0.97, 0.81), (r * 0.95, 0.98), (r * 0.8, 1.02), (0, 1.03)], 24),
            plain(lid),
        )
    else:
        model.add(
            revolve(profile([(r, 0.8), (r * 0.85, 0.86), (r * 0.4, 0.9)], 6), 24),
            brushed(draw, metal(draw)),
        )
        model.add(cylinder(r * 0.4, 0.04, 16).moved(0, 0, 0.89), plain(shade(lid, 0.9)))
        model.add(cylinder(r * 0.3, 0.09, 14).moved(0, 0, 0.92), plain(lid))
    return model


@family(weight=1.0, lie=0.8)
def squeeze_tube(draw: Draw) -> Model:
    """Toothpaste, cream, glue: a round shoulder that becomes a flat crimp."""
    model, rgb, n = Model(), color(draw), 24
    r, flat = draw.uniform(0.12, 0.24), draw.uniform(1.2, 1.5)
    z = np.linspace(0, 1, 12)
    depth, width = r * (1 - z ** draw.uniform(1, 2.5)) + 0.008, r * (1 + (flat - 1) * z)
    a = np.arange(n) * 2 * np.pi / n
    points = np.stack(
        [np.cos(a) * width[:, None], np.sin(a) * depth[:, None], np.repeat(z[:, None], n, 1)], -1
    )
    part = grid(points, wrap=True).oriented()
    model.add(part, labels.label(draw, labels.canvas(draw, rgb), 0.06, 0.93))
    model.add(box((2 * r * flat, 0.016, 0.07)).moved(0, 0, 0.99), plain(shade(rgb, 0.9)))
    neck = r * draw.uniform(0.35, 0.9)
    model.add(revolve([(0, -0.06), (neck, -0.06), (r, 0)], n), plain(rgb))
    cap_h = draw.uniform(0.06, 0.2)
    model.add(
        revolve([(0, -0.05 - cap_h), (neck * 0.95, -0.05 - cap_h), (neck, -0.05)], 18),
        plain(draw.pick((contrast(draw, rgb), np.ones(3) * 0.95))),
    )
    if draw.chance(0.3):
        return model.rotated("x", 180).grounded()
    return model.grounded()
