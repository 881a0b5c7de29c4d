"""Pans, pots, kettles, pitchers, toasters, lids, sieves and funnels."""

import numpy as np

from training.data.objects import labels, prints
from training.data.objects.draw import DARK, Draw, color, contrast, metal, shade, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, ring_outline
from training.data.objects.pieces.handles import ear
from training.data.objects.pieces.vessels import filled, lid, pottery, walled
from training.data.objects.shapes import (
    box,
    cylinder,
    plate,
    revolve,
    rounded_box,
    superquadric,
    torus,
    tube,
)
from training.data.objects.surfaces import any_paint, brushed, mottled, plain, sectors


@family(weight=1.5)
def pan(draw: Draw) -> Model:
    """Frying pans, saucepans and woks with one long handle."""
    r, h = 0.45, draw.uniform(0.08, 0.5)
    rgb = draw.pick((metal(draw), np.ones(3) * 0.08, color(draw)))
    inner = draw.pick((shade(rgb, 0.8), np.ones(3) * 0.1, np.ones(3) * 0.6))
    foot = r * draw.uniform(0.65, 1.0)
    line = profile([(foot, 0), (foot + (r - foot) * 0.6, h * 0.4), (r, h)], 9)
    model = walled(draw, line, 0.02, rgb, inner, 0.02, 32)
    length, slope = draw.uniform(0.5, 1.0), draw.uniform(-0.02, 0.2)
    hand = draw.pick((np.ones(3) * 0.07, rgb, wood(draw), vivid(draw)))
    path = curve(
        [
            (r - 0.02, 0, h * 0.8),
            (r + 0.15, 0, h * 0.85 + slope * 0.3),
            (r + length, 0, h * 0.8 + slope),
        ],
        10,
    )
    thick = np.interp(
        np.linspace(0, 1, 10), [0, 0.25, 0.6, 1], [0.02, 0.025, 0.038, 0.03]
    ) * draw.uniform(0.8, 1.3)
    model.add(
        tube(
            path, np.stack([thick * draw.uniform(1, 1.7), thick], -1), 8, ends="round", up=(0, 0, 1)
        ),
        plain(hand),
    )
    if draw.chance(0.2):
        filled(draw, model, r * 0.9, h * 0.6)
    elif draw.chance(0.2):
        model.add(lid(draw, r, rgb).moved(0, 0, h))
    return model


@family(weight=1.3)
def pot(draw: Draw) -> Model:
    """Cooking pots, casseroles, sugar bowls: two ears and a lid."""
    r, h = 0.42, draw.uniform(0.25, 0.8)
    rgb = draw.pick((metal(draw), color(draw), vivid(draw)))
    belly = draw.uniform(0.95, 1.15)
    line = profile([(r * 0.9, 0), (r * belly, h * 0.4), (r, h)], 10)
    body_paint = draw.pick((plain(rgb), brushed(draw, rgb), any_paint(draw, rgb, 0.3)))
    model = walled(draw, line, 0.02, rgb, shade(rgb, 0.8), 0.03, 30, None, 1.0, body_paint)
    ears = draw.pick((rgb, np.ones(3) * 0.08, metal(draw)))
    kind = draw.chance(0.5)
    for side in (0, 180):
        if kind:
            part = ear(draw, r, r, h * 0.5, h * 0.85, "square")
        else:
            path = curve(
                [
                    (r - 0.03, -0.14, h * 0.8),
                    (r + 0.1, -0.1, h * 0.83),
                    (r + 0.1, 0.1, h * 0.83),
                    (r - 0.03, 0.14, h * 0.8),
                ],
                9,
            )
            part = tube(path, 0.025, 8)
        model.add(part.rotated("z", side), plain(ears))
    if draw.chance(0.6):
        model.add(
            lid(draw, r, draw.pick((rgb, rgb, metal(draw), contrast(draw, rgb)))).moved(0, 0, h)
        )
    elif draw.chance(0.5):
        filled(draw, model, r * 0.94, h * 0.75)
    return model


@family(weight=1.5)
def kettle(draw: Draw) -> Model:
    """Tea pots, kettles, watering cans: spout, handle, lid."""
    r, h = 0.4, draw.uniform(0.4, 0.8)
    rgb = pottery(draw) if draw.chance(0.6) else metal(draw)
    neck = r * draw.uniform(0.4, 0.8)
    foot = r * draw.uniform(0.6, 1.0)
    line = profile(
        [(foot, 0), (r * draw.uniform(0.9, 1.05), h * 0.35), (r * 0.92, h * 0.65), (neck, h)], 16
    )
    model = Model().add(revolve(line, 28), any_paint(draw, rgb, 0.3), bake=True)
    model.add(revolve([(0, 0), tuple(line[0])], 28), rgb)
    top = draw.pick((rgb, np.ones(3) * 0.07, contrast(draw, rgb)))
    model.add(lid(draw, neck, top).moved(0, 0, h - 0.02))
    z = h * draw.uniform(0.25, 0.6)
    x = np.interp(z, line[:, 1], line[:, 0])
    end = h * draw.uniform(0.8, 1.15)
    reach = x + draw.uniform(0.2, 0.45)
    spout = curve(
        [(x - 0.08, 0, z), (x + 0.1, 0, z + 0.04), (reach - 0.08, 0, end - 0.15), (reach, 0, end)],
        9,
    )
    wide = draw.uniform(0.07, 0.12)
    model.add(tube(spout, np.linspace(wide, wide * draw.uniform(0.35, 0.7), 9), 10), plain(rgb))
    hand = draw.pick((rgb, top, np.ones(3) * 0.08))
    if draw.chance(0.5):
        z0, z1 = h * 0.2, h * 0.85
        r0, r1 = np.interp([z0, z1], line[:, 1], line[:, 0])
        model.add(ear(draw, r0, r1, z0, z1).rotated("z", 180), plain(hand))
    else:
        a = np.linspace(0, np.pi, 12)
        lift = draw.uniform(0.25, 0.5)
        s = neck * 1.15
        model.add(
            tube(np.stack([s * np.cos(a), 0 * a, h * 0.85 + lift * np.sin(a)], -1), 0.03, 8),
            plain(hand),
        )
    return model


@family(weight=1.3, lie=0.05)
def pitcher(draw: Draw) -> Model:
    """Jugs and pitchers: an open vessel with a lip and a large handle."""
    h, r = 1.0, draw.uniform(0.26, 0.42)
    rgb = pottery(draw)
    foot, mouth = r * draw.uniform(0.7, 1.1), r * draw.uniform(0.6, 1.1)
    line = profile(
        [(foot, 0), (r, h * 0.3), ((r + mouth) / 2 * draw.uniform(0.85, 1), h * 0.72), (mouth, h)],
        16,
    )
    paint = any_paint(draw, rgb, 0.3)
    model = walled(draw, line, 0.02, rgb, shade(rgb, 0.85), 0.05, 30, None, 1.0, paint)

    def lip(p):
        t = np.clip((p[:, 2] - 0.8 * h) / (0.2 * h), 0, 1) ** 1.5
        side = np.clip(-p[:, 0] / max(mouth, 1e-6), 0, 1) ** 6
        return p - np.stack([t * side * 0.25 * mouth, 0 * t, -t * side * 0.04], -1)

    model.map(lip)
    z0, z1 = h * draw.uniform(0.15, 0.35), h * draw.uniform(0.75, 0.95)
    r0, r1 = np.interp([z0, z1], line[:, 1], line[:, 0])
    model.add(ear(draw, r0, r1, z0, z1), plain(rgb if draw.chance(0.8) else contrast(draw, rgb)))
    if draw.chance(0.2):
        model.add(lid(draw, mouth, contrast(draw, rgb)).moved(0, 0, h))
    elif draw.chance(0.3):
        filled(draw, model, np.interp(0.7, line[:, 1], line[:, 0]) - 0.025, 0.7)
    return model


@family(weight=0.6)
def rack_toaster(draw: Draw) -> Model:
    """Toasters, scales, small ovens: a rounded block with slots, knobs and feet."""
    model, rgb = Model(), draw.pick((metal(draw), color(draw)))
    w, d, h = draw.uniform(0.7, 1.0), draw.uniform(0.35, 0.7), draw.uniform(0.35, 0.7)
    dark = np.ones(3) * 0.08
    model.add(
        rounded_box((w, d, h), draw.uniform(0.03, 0.14), 2).moved(0, 0, 0.04),
        any_paint(draw, rgb, 0),
    )
    for x in (-0.4, 0.4):
        for y in (-0.35, 0.35):
            model.add(cylinder(0.04, 0.05, 8).moved(x * w, y * d, 0), plain(dark))
    kind = draw.pick(("toaster", "oven", "machine"))
    if kind == "toaster":
        for y in draw.pick(((0,), (-0.2, 0.2))):
            model.add(box((w * 0.7, 0.1 * d + 0.03, 0.012)).moved(0, y * d, h + 0.035), plain(dark))
            if draw.chance(0.4):
                model.add(
                    rounded_box((w * 0.55, 0.07, 0.2), 0.03, 1).moved(0, y * d, h),
                    mottled(draw, (0.75, 0.5, 0.25), 0.15),
                )
        model.add(box((0.05, 0.14, 0.05)).moved(w / 2 + 0.02, 0, h * 0.6), plain(dark))
    elif kind == "oven":
        model.add(
            box((w * 0.62, 0.02, h * 0.62)).moved(-w * 0.12, -d / 2, 0.04 + h * 0.2), plain(dark)
        )
        model.add(
            tube(
                [(-w * 0.38, -d / 2 - 0.05, h * 0.9), (w * 0.14, -d / 2 - 0.05, h * 0.9)], 0.015, 6
            ),
            plain(metal(draw)),
        )
        for k in range(3):
            model.add(
                cylinder(0.05, 0.05, 12)
                .rotated("x", 90)
                .moved(w * 0.36, -d / 2, h * (0.3 + 0.25 * k)),
                plain(metal(draw)),
            )
    else:
        model.add(
            box((w * 0.4, 0.02, h * 0.3)).moved(0, -d / 2, h * 0.5),
            labels.front(draw, 48, 96, dark)[None].reshape(48, 96, 3),
        )
        model.add(cylinder(0.12, 0.15, 16).moved(w * 0.2, 0, h + 0.03), plain(contrast(draw, rgb)))
    return model


@family(weight=1.0)
def pot_lid(draw: Draw) -> Model:
    """Lids of pots, jars and boxes alone; cymbals, discs, coasters, flying discs."""
    model, rgb = Model(), draw.pick((metal(draw), color(draw), np.full(3, 0.75)))
    r = 0.5
    kind = draw.pick(("lid", "glass", "screw", "disc"))
    if kind == "lid":
        model.add(lid(draw, r, rgb)).add(
            revolve([(0, 0.01), (r * 1.02, 0.0)], 28), plain(shade(rgb, 0.8))
        )
    elif kind == "glass":
        rise = draw.uniform(0.06, 0.16)
        pale = np.array([0.62, 0.68, 0.7]) * draw.uniform(0.6, 1.3)
        line = profile([(r, 0.02), (r * 0.7, rise * 0.75), (0.1, rise), (0, rise)], 10)
        model.add(revolve(line, 28), mottled(draw, pale, 0.06)).add(
            revolve([(0, rise * 0.8), (r * 0.7, rise * 0.6), (r, 0.0)], 28), plain(shade(pale, 0.8))
        )
        model.add(torus(r, 0.025, 30, 8).moved(0, 0, 0.01), brushed(draw, metal(draw)))
        knob = draw.uniform(0.05, 0.1)
        model.add(
            revolve(
                profile(
                    [
                        (0.03, rise - 0.02),
                        (0.03, rise + 0.04),
                        (knob, rise + 0.06),
                        (knob, rise + 0.11),
                        (0, rise + 0.13),
                    ],
                    10,
                ),
                18,
            ),
            plain(draw.pick((DARK, rgb, wood(draw)))),
        )
    elif kind == "screw":
        h = draw.uniform(0.1, 0.5)
        grip = 1 + 0.02 * (np.arange(40) % 2)
        model.add(
            revolve(
                [(r * 0.93, h - 0.05), (r * 0.93, 0), (r, 0), (r, h * 0.95), (r * 0.95, h), (0, h)],
                40,
                grip,
            ),
            any_paint(draw, rgb, 0.2),
        )
        model.add(revolve([(0, h - 0.05), (r * 0.93, h - 0.05)], 28), plain(shade(rgb, 0.7)))
    else:
        h = draw.uniform(0.02, 0.14)
        image = labels.canvas(draw, rgb, 64, 128)
        model.add(revolve([(0, 0), (r * 0.98, 0), (r, h * 0.5), (r * 0.97, h)], 32), plain(rgb))
        if draw.chance(0.5):
            model.add(
                plate(ring_outline(32, r * 0.97, r * 0.97), h), labels.front(draw, 64, 64, rgb)
            )
        else:
            image[: draw.integer(8, 30)] = prints.rgb255(contrast(draw, rgb))
            model.add(revolve([(r * 0.97, h), (0, h)], 32), image)
    if draw.chance(0.3):
        model.rotated("x", draw.pick((180, 75)))
    return model.grounded()


@family(weight=0.7)
def sieve(draw: Draw) -> Model:
    """Funnels, colanders, cone filters, megaphones, horns, trumpets, bells of instruments."""
    model, rgb = Model(), draw.pick((color(draw), metal(draw)))
    kind = draw.pick(("funnel", "colander", "horn"))
    if kind == "funnel":
        w, neck = draw.uniform(0.3, 0.45), draw.uniform(0.03, 0.08)
        line = [(neck, 0), (neck, draw.uniform(0.15, 0.3)), (w, draw.uniform(0.5, 0.8))]
        outer = [*line, (w, line[-1][1] + 0.06)]
        inner = [(r - 0.015, z) for r, z in outer[::-1]]
        model.add(revolve([*outer, *inner, outer[0]], 26), any_paint(draw, rgb, 0.15))
        if draw.chance(0.5):
            model.rotated("x", draw.pick((180, 110)))
    elif kind == "colander":
        line = profile([(0.25, 0.03), (0.42, 0.18), (0.5, 0.4)], 10)
        dots = sectors(rgb, shade(rgb, 0.35), 18, 0.75)
        model.extend(
            walled(
                draw,
                line,
                0.015,
                rgb,
                shade(rgb, 0.85),
                0.05,
                30,
                None,
                1.0,
                dots if draw.chance(0.6) else None,
            )
        )
        for s in (0, 180):
            path = curve(
                [(0.47, -0.12, 0.38), (0.62, -0.08, 0.4), (0.62, 0.08, 0.4), (0.47, 0.12, 0.38)], 9
            )
            model.add(tube(path, 0.02, 7).rotated("z", s), plain(draw.pick((rgb, DARK))))
        model.add(torus(0.24, 0.02, 22, 6).moved(0, 0, 0.02), plain(rgb))
    else:
        r = draw.uniform(0.25, 0.4)
        line = profile([(0.03, 0), (0.04, 0.4), (0.08, 0.7), (r, 1.0)], 16)
        inner = np.column_stack([np.maximum(line[:, 0] - 0.012, 0.004), line[:, 1]])[::-1]
        model.add(
            revolve([*line, *inner, line[0]], 24), brushed(draw, draw.pick((metal(draw), rgb)))
        )
        model.add(superquadric((0.05, 0.05, 0.05), 1, 1, 12, 8), plain(metal(draw)))
        if draw.chance(0.5):
            loop = np.linspace(0, 2 * np.pi, 24, endpoint=False)
            path = np.stack([0.13 + 0.1 * np.cos(loop), 0 * loop, 0.3 + 0.22 * np.sin(loop)], -1)
            model.add(tube(path, 0.025, 7, closed=True), brushed(draw, metal(draw)))
        model.rotated("x", draw.pick((90, 90, 0)))
    return model.grounded()
