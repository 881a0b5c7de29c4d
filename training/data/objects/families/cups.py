"""Mugs, cups and goblets, alone or nested."""

import numpy as np

from training.data.objects import labels
from training.data.objects.draw import Draw, color, contrast, metal, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import profile, ring_outline
from training.data.objects.pieces.handles import ear
from training.data.objects.pieces.vessels import filled, pottery, walled
from training.data.objects.shapes import revolve, tube
from training.data.objects.surfaces import bands, brushed, grain, pattern, plain


@family(weight=5.0, lie=0.06, group=0.05)
def mug(draw: Draw) -> Model:
    """Mugs and tea cups with a handle, glazed, printed or of enamelled metal."""
    r, h = draw.uniform(0.34, 0.52), draw.uniform(0.6, 1.15)
    rgb = pottery(draw)
    shape = draw.pick(("straight", "taper", "bowl", "barrel", "flare"), (4, 2, 3, 1.5, 2))
    f = draw.uniform(0.5, 0.9)
    line = {
        "straight": [(r * 0.94, 0), (r, 0.04), (r, h * 0.5), (r, h)],
        "taper": [(r * f, 0), (r * (f + 1) / 2, h * 0.5), (r, h)],
        "bowl": [(r * 0.5, 0), (r * 0.55, 0.04), (r * 0.9, h * 0.3), (r, h * 0.65), (r * 1.03, h)],
        "barrel": [(r * 0.8, 0), (r * 1.03, h * 0.4), (r, h * 0.7), (r * 0.9, h)],
        "flare": [(r * f, 0), (r * f, h * 0.4), (r * (f + 0.1), h * 0.7), (r * 1.05, h)],
    }[shape]
    if shape == "bowl":
        h *= draw.uniform(0.6, 0.9)
        line = [(x, z * (h / line[-1][1])) for x, z in line]
    line = profile(line, 14)
    t = draw.uniform(0.02, 0.06)
    inside = draw.pick((rgb, rgb, np.ones(3) * 0.93, contrast(draw, rgb)))
    kind = draw.pick(("plain", "label", "pattern", "dip"), (5, 3, 1.5, 2))
    paint = None
    if kind == "label":
        paint = labels.label(draw, labels.canvas(draw, rgb), 0.12, 0.88)
    elif kind == "pattern":
        paint = pattern(draw, rgb)
    elif kind == "dip":
        other = contrast(draw, rgb)
        paint = bands([other, rgb], [draw.uniform(-0.6, 0.6)])
    model = walled(draw, line, t, rgb, inside, floor=0.06, paint=paint)
    if draw.chance(0.93):
        z0, z1 = h * draw.uniform(0.12, 0.35), h * draw.uniform(0.7, 0.92)
        r0, r1 = np.interp([z0, z1], line[:, 1], line[:, 0])
        model.add(ear(draw, r0, r1, z0, z1), plain(rgb if draw.chance(0.85) else inside))
    if draw.chance(0.3):
        z = h * draw.uniform(0.4, 0.88)
        filled(draw, model, np.interp(z, line[:, 1], line[:, 0]) - t * 1.01, z)
    if draw.chance(0.12):  # a saucer
        w = r * draw.uniform(1.5, 1.9)
        model.add(
            revolve(
                [(0, -0.09), (w * 0.5, -0.09), (w, 0.0), (w, 0.02), (w * 0.5, -0.04), (0, -0.04)],
                28,
            ),
            plain(rgb),
        )
    return model


@family(weight=4.0, lie=0.15, group=0.15)
def cup(draw: Draw) -> Model:
    """Beakers, stacking cups, paper cups, tumblers, flower pots, bins: no handle."""
    r, h = draw.uniform(0.3, 0.5), draw.uniform(0.6, 1.2)
    rgb = pottery(draw) if draw.chance(0.4) else vivid(draw)
    foot = r * draw.uniform(0.6, 1.0)
    line = [(foot * 0.97, 0), (foot, 0.03)] + [
        (foot + (r - foot) * s, h * s) for s in (0.3, 0.6, 0.9)
    ]
    if draw.chance(0.35):
        lip = draw.uniform(1.05, 1.2)
        line += [(r, h * 0.91), (r * lip, h * 0.92), (r * lip, h)]
    else:
        line += [(r, h)]
    ribs, n = None, 32
    if draw.chance(0.2):
        n = 48
        ribs = 1 + draw.uniform(0.01, 0.04) * np.cos(
            np.arange(n) * 2 * np.pi / n * draw.integer(6, 16)
        )
    if draw.chance(0.12):
        ribs = np.linalg.norm(ring_outline(n, power=draw.uniform(3, 8)), axis=1)
    paint = None
    if draw.chance(0.45):
        paint = labels.label(draw, labels.canvas(draw, rgb), 0.1, 0.85)
    elif draw.chance(0.25):
        paint = pattern(draw, rgb)
    t = draw.uniform(0.012, 0.04)
    model = walled(
        draw, line, t, rgb, draw.pick((rgb, rgb, np.ones(3) * 0.93)), 0.04, n, ribs, 1.0, paint
    )
    if draw.chance(0.25):
        lid = draw.pick((np.ones(3) * 0.95, np.ones(3) * 0.08, color(draw)))
        w = line[-1][0] * 1.04
        model.add(
            revolve(
                [
                    (w, h - 0.02),
                    (w, h + 0.04),
                    (w * 0.92, h + 0.05),
                    (w * 0.88, h + 0.1),
                    (w * 0.8, h + 0.1),
                    (w * 0.78, h + 0.06),
                    (0, h + 0.06),
                ],
                28,
            ),
            plain(lid),
        )
        if draw.chance(0.5):
            model.add(
                tube([(0.05, 0, h), (0.08, 0, h + draw.uniform(0.3, 0.5))], 0.022, 8),
                plain(vivid(draw)),
            )
    elif draw.chance(0.15):  # pens
        for _ in range(draw.integer(2, 6)):
            a, q = draw.uniform(0, 6.3), r * 0.5
            end = (q * np.cos(a) * 1.5, q * np.sin(a) * 1.5, h * draw.uniform(1.1, 1.5))
            model.add(tube([(0, 0, 0.06), end], draw.uniform(0.02, 0.035), 7), plain(color(draw)))
    elif draw.chance(0.2):
        filled(draw, model, (r + foot) / 2 - t, h * 0.6)
    if draw.chance(0.06):
        return model.rotated("x", 180).grounded()
    return model


@family(weight=1.2, lie=0.05)
def goblet(draw: Draw) -> Model:
    """Goblets, egg cups, trophies, candlesticks: a foot, a stem and a cup."""
    model = Model()
    foot, stem = draw.uniform(0.2, 0.4), draw.uniform(0.02, 0.07)
    z0, r = draw.uniform(0.15, 0.6), draw.uniform(0.2, 0.45)
    rgb = draw.pick((metal(draw), color(draw), wood(draw)))
    paint = draw.pick((brushed(draw, rgb), plain(rgb), pattern(draw, rgb), grain(draw)))
    knob = stem * draw.uniform(1, 2.5)
    bottom = profile(
        [
            (foot, 0.0),
            (foot, 0.02),
            (foot * 0.6, 0.05),
            (stem, 0.12),
            (stem, z0 * 0.6),
            (knob, z0 * 0.75),
            (stem, z0),
        ],
        20,
    )
    model.add(revolve([(0, 0), *bottom], 24), paint)
    mouth = r * draw.uniform(0.6, 1.2)
    top = profile([(stem, z0), (r * 0.7, z0 + 0.08), (r, z0 + 0.25), (mouth, 1.0)], 12)
    cup_model = walled(draw, top, 0.015, rgb, None, z0 + 0.06, 24, None, 1.0, paint)
    model.extend(cup_model)
    if draw.chance(0.25):  # a trophy's handles
        for side in (0, 180):
            model.add(ear(draw, r * 0.95, mouth, z0 + 0.2, 0.9, "ear").rotated("z", side), paint)
    if draw.chance(0.3):
        filled(draw, model, min(r, mouth) * 0.85, 0.75)
    return model


@family(weight=1.0, lie=0.15)
def nested_cups(draw: Draw) -> Model:
    """Cups, bowls, plates, boxes or rings of one kind stacked into each other."""
    model, n = Model(), draw.integer(2, 6)
    r, h = 0.4, draw.uniform(0.12, 0.9)
    foot, t = r * draw.uniform(0.5, 0.85), 0.02
    rgb, gaily = color(draw), draw.chance(0.6)
    step = max(draw.uniform(0.1, 0.35) * h, 0.04)
    lip = draw.uniform(1.0, 1.1)
    sectors_n = 22
    for k in range(n):
        tone = vivid(draw) if gaily else rgb
        line = [(foot, 0), (foot + (r - foot) * 0.5, h * 0.5), (r, h * 0.97), (r * lip, h)]
        one = walled(draw, line, t, tone, None, 0.03, sectors_n, None, 1.0, plain(tone))
        model.extend(one.moved(*draw.uniforms(-0.008, 0.008, 2), k * step))
    if draw.chance(0.4):
        model.rotated("x", 180)
    return model.grounded()
