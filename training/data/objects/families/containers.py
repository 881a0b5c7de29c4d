"""Packages: cans, cartons, bottles, jars, tubes, sprays, milk cartons, bags."""

import numpy as np

from training.data.objects import labels
from training.data.objects.draw import Draw, color, contrast, metal, neutral, shade, vivid
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, ring_outline
from training.data.objects.part import Part
from training.data.objects.shapes import (
    box,
    cylinder,
    extrude,
    grid,
    loft,
    revolve,
    rounded_box,
    sphere,
    torus,
    tube,
)
from training.data.objects.surfaces import (
    any_paint,
    brushed,
    material,
    mottled,
    pattern,
    plain,
    sectors,
)


def body(
    draw: Draw, outline, rgb, v0=0.1, v1=0.9, squash=1.0, sectors=24, labelled=0.85, power=2.0
):
    """A revolved body with a label between v0 and v1; power above 2 makes it squarish."""
    radius = None
    if power != 2.0:
        radius = np.linalg.norm(ring_outline(sectors, power=power), axis=1)
    part = revolve(outline, sectors, radius, squash)
    if draw.chance(labelled):
        return part.painted(labels.label(draw, labels.canvas(draw, rgb), v0, v1))
    return part.painted(any_paint(draw, rgb, 0.35))


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


@family(weight=5.5, lie=0.25, group=0.08)
def carton(draw: Draw) -> Model:
    """Printed boxes: cereal, tea, gelatin, medicine, sweets."""
    w = draw.uniform(0.5, 1.0)
    d = draw.pick((draw.uniform(0.12, 0.4), draw.uniform(0.3, 1.0)))
    size = np.array([w, d, draw.uniform(0.35, 1.4)])
    if draw.chance(0.3):
        size = size[draw.generator.permutation(3)]
    model = Model()
    part = box(size) if draw.chance(0.6) else rounded_box(size, draw.uniform(0.01, 0.06), 1)
    if draw.chance(0.2):
        part = box(size, 5)
        bulge = draw.uniform(-0.03, 0.08)
        low, high = part.vertices.min(0), part.vertices.max(0)

        def swell(p):
            q = (p - (low + high) / 2) / ((high - low) / 2)
            f = np.stack(
                [(1 - q[:, (k + 1) % 3] ** 2) * (1 - q[:, (k + 2) % 3] ** 2) for k in range(3)], -1
            )
            return p + bulge * size.min() * 2 * q * f

        part = part.map(swell)
    model.add(part, labels.carton(draw, size))
    return model


@family(weight=0.7, lie=0.1)
def crate_box(draw: Draw) -> Model:
    """Cardboard boxes, closed or open, plain or with tape and print; wooden crates."""
    model = Model()
    w, d, h = draw.uniform(0.6, 1.2), draw.uniform(0.5, 1.0), draw.uniform(0.3, 0.9)
    brown = draw.pick((np.array([0.72, 0.55, 0.36]), np.array([0.8, 0.66, 0.47]), color(draw)))
    brown = shade(brown, draw.uniform(0.8, 1.1))
    if draw.chance(0.5):
        faces = [labels.sheet(64, 64, shade(brown, draw.uniform(0.92, 1.05))) for _ in range(6)]
        if draw.chance(0.6):
            faces[4][:, 26:38] = labels.rgb255(shade(brown, draw.pick((0.75, 1.2))))
            faces[0][:18, 26:38] = faces[2][:18, 26:38] = faces[4][0, 30]
        for k in (0, 2):
            if draw.chance(0.5):
                labels.title(draw, faces[k], (8, 22, 56, 42), shade(brown, 0.35))
            if draw.chance(0.4):
                labels.logo(draw, faces[k], (6, 44, 24, 62), shade(brown, 0.3))
        if draw.chance(0.5):
            piece = labels.back(draw, 30, 36, np.ones(3))
            faces[draw.integer(0, 4)][8:38, 14:50] = piece
        model.add(box((w, d, h)), labels.atlas(faces))
        return model
    t = draw.uniform(0.015, 0.04)
    paint = mottled(draw, brown, 0.06, 3)
    for x, y, sx, sy in ((0, -d / 2, w, t), (0, d / 2, w, t), (-w / 2, 0, t, d), (w / 2, 0, t, d)):
        model.add(box((sx + t * (sx > sy), sy + t * (sy > sx), h)).moved(x, y, 0), paint)
    model.add(box((w, d, t)), plain(shade(brown, 0.75)))
    if draw.chance(0.7):  # flaps
        for k in range(4):
            length, wide = draw.uniform(0.35, 0.5) * d, (w, d, w, d)[k]
            flap = (
                box((wide, t, length))
                .rotated("x", draw.uniform(40, 150))
                .moved(0, -(d, w, d, w)[k] / 2, h)
            )
            model.add(flap.rotated("z", 90 * k), paint)
    if draw.chance(0.4):
        for _ in range(draw.integer(1, 4)):
            r = draw.uniform(0.12, 0.25)
            model.add(
                sphere((r, r, r), 12, 8).moved(
                    *(draw.uniforms(-0.25, 0.25, 2) * [w, d]), h * draw.uniform(0.3, 0.9)
                ),
                material(draw),
            )
    return model


CAPS = ("screw", "dome", "pump", "spray", "nozzle", "flip", "cork", "crown")


def cap(draw: Draw, r: float, rgb) -> Model:
    """What closes a bottle whose neck has radius r; stands on z = 0."""
    model, kind, h = (
        Model(),
        draw.pick(CAPS, (5, 2, 1.5, 1.5, 1.5, 2, 0.8, 0.7)),
        r * draw.uniform(0.8, 2.2),
    )
    wide = r * draw.uniform(1.05, 1.3)
    if kind == "screw":
        teeth = 1 + 0.03 * (np.arange(28) % 2)
        model.add(
            revolve([(0, 0), (wide, 0), (wide, h * 0.93), (wide * 0.93, h), (0, h)], 28, teeth),
            plain(rgb),
        )
    elif kind == "dome":
        model.add(
            revolve(profile([(wide, 0), (wide, h * 0.6), (wide * 0.7, h), (0, h * 1.1)], 9), 20),
            plain(rgb),
        )
    elif kind == "pump":
        model.add(cylinder(wide, h * 0.6, 18), plain(rgb)).add(
            cylinder(r * 0.3, h * 1.6, 10), plain(shade(rgb, 0.9))
        )
        path = np.array(
            [(-0.6, 0, 1.65), (0.0, 0, 1.7), (1.6, 0, 1.7), (2.2, 0, 1.5), (2.4, 0, 1.2)]
        ) * [r, r, h]
        model.add(
            tube(path, np.array([0.55, 0.6, 0.4, 0.33, 0.25]) * r, 8, up=(0, 1, 0)), plain(rgb)
        )
    elif kind == "spray":
        second = contrast(draw, rgb) if draw.chance(0.6) else rgb
        model.add(cylinder(wide, h * 0.5, 18), plain(rgb))
        head = (
            np.array(
                [
                    (-1.5, 1.35),
                    (-1.4, 2.0),
                    (-0.6, 2.5),
                    (1.8, 2.4),
                    (2.6, 2.2),
                    (2.6, 1.75),
                    (1.2, 1.7),
                    (0.7, 0.5),
                    (-0.7, 0.5),
                    (-0.8, 1.3),
                ]
            )
            * r
        )
        model.add(extrude(head, 1.3 * r).rotated("x", 90).moved(0, 0.65 * r, 0), plain(second))
        model.add(box((0.7 * r, 0.9 * r, 0.7 * r)).moved(2.8 * r, 0, 1.65 * r), plain(rgb))
        trigger = np.array([(1.5, 0, 1.8), (1.9, 0, 1.1), (2.0, 0, 0.4), (2.4, 0, -0.1)]) * r
        model.add(tube(trigger, (0.22 * r), 6), plain(rgb))
    elif kind == "nozzle":
        model.add(
            revolve(
                [
                    (0, 0),
                    (wide, 0),
                    (wide, h * 0.5),
                    (wide * 0.5, h * 0.6),
                    (wide * 0.3, h * 1.3),
                    (wide * 0.15, h * 1.9),
                    (0, h * 1.9),
                ],
                18,
            ),
            plain(rgb),
        )
    elif kind == "flip":
        model.add(cylinder(wide, h * 0.7, 20), plain(rgb)).add(
            cylinder(wide * 0.98, h * 0.3, 20).moved(0, 0, h * 0.72), plain(shade(rgb, 0.95))
        )
        model.add(box((wide * 0.6, wide * 0.4, h * 0.2)).moved(wide * 0.8, 0, h * 0.75), plain(rgb))
    elif kind == "cork":
        model.add(cylinder(r * 0.9, h * 0.6, 14, r), mottled(draw, (0.75, 0.56, 0.38), 0.12, 4))
    else:
        model.add(
            revolve(
                [(0, 0), (wide, 0), (wide * 0.9, r * 0.6), (0, r * 0.65)],
                24,
                1 + 0.06 * (np.arange(24) % 2),
            ),
            brushed(draw, metal(draw)),
        )
    return model


def shoulder(draw: Draw, r: float, neck: float):
    """A bottle's profile: (points of the body up to the neck), z from 0 to 1."""
    kind = draw.pick(("round", "cone", "flat", "waist", "bulb", "step", "pear"))
    z = draw.uniform(0.55, 0.85)
    foot = [(r * 0.9, 0.0), (r, 0.04)]
    if kind == "round":
        t = np.linspace(0, np.pi / 2, 6)
        top = [(neck + (r - neck) * np.cos(a), z + (0.9 - z) * np.sin(a)) for a in t]
        return [*foot, (r, z * 0.5), *top]
    if kind == "cone":
        return [*foot, (r, z * 0.5), (r, z), (neck, 0.93)]
    if kind == "flat":
        z = draw.uniform(0.82, 0.9)
        return [*foot, (r, z / 2), (r, z - 0.03), (r * 0.93, z), (neck, z + 0.02)]
    if kind == "waist":
        waist = r * draw.uniform(0.72, 0.92)
        return profile(
            [
                *foot,
                (r, 0.2),
                (waist, draw.uniform(0.4, 0.6)),
                (r * 0.97, 0.72),
                (r * 0.7, 0.86),
                (neck, 0.94),
            ],
            20,
        )
    if kind == "bulb":
        return profile(
            [
                (r * 0.6, 0),
                (r * 0.95, 0.1),
                (r, 0.3),
                (r * 0.8, 0.5),
                (neck * 1.1, 0.62),
                (neck, 0.85),
            ],
            18,
        )
    if kind == "step":
        mid = (r + neck) * draw.uniform(0.45, 0.6)
        return [*foot, (r, z * 0.6), (r * 0.98, z * 0.65), (mid, z * 0.72), (mid, z), (neck, 0.9)]
    return profile([(r * 0.85, 0), (r, 0.06), (r * 0.98, 0.35), (r * 0.7, 0.65), (neck, 0.92)], 16)


@family(weight=4.5, lie=0.15, group=0.04)
def bottle(draw: Draw) -> Model:
    """Bottles of drinks, sauces, cleaners, shampoo, wine, pills; many profiles and caps."""
    model = Model()
    r = draw.uniform(0.13, 0.38)
    neck = r * draw.uniform(0.22, 0.75)
    rgb = draw.pick(
        (
            color(draw),
            color(draw),
            np.array([0.05, 0.2, 0.08]),
            np.array([0.25, 0.12, 0.04]),
            neutral(draw),
        )
    )
    line = np.asarray(shoulder(draw, r, neck), float)
    squash, power = 1.0, 2.0
    if draw.chance(0.45):
        squash = draw.uniform(0.45, 0.9)
    if draw.chance(0.3):
        power = draw.uniform(2.5, 7.0)
    top = float(line[-1, 1])
    low, high = draw.uniform(0.05, 0.15), draw.uniform(0.4, 0.62)
    model.add(body(draw, line, rgb, low, high, squash, 24, 0.85, power))
    model.add(
        revolve(
            [(0, 0), tuple(line[0])],
            24,
            None if power == 2 else np.linalg.norm(ring_outline(24, power=power), axis=1),
            squash,
        ),
        plain(rgb),
    )
    length = draw.uniform(0.02, 0.12)
    model.add(
        revolve([(neck, top), (neck, top + length), (0, top + length)], 18, None, max(squash, 0.7)),
        plain(rgb),
    )
    stopper = cap(
        draw,
        neck * draw.uniform(0.95, 1.1),
        draw.pick((contrast(draw, rgb), vivid(draw), neutral(draw), rgb)),
    )
    stopper.rotated("z", draw.pick((0, 180, 90, draw.uniform(0, 360))))
    model.extend(stopper.moved(0, 0, top + length * 0.5))
    if draw.chance(0.2) and squash > 0.6:  # a handle
        z0, z1, out = draw.uniform(0.25, 0.45), draw.uniform(0.65, 0.85), draw.uniform(0.1, 0.25)
        x0, x1 = np.interp([z0, z1], line[:, 1], line[:, 0])
        path = curve_handle(x0, x1, z0, z1, out)
        model.add(tube(path, (0.035 + 0.03 * draw.uniform()), 8), plain(rgb))
    return model


def curve_handle(x0, x1, z0, z1, out, count=12):
    """Path of a handle in the xz plane from (x0, z0) to (x1, z1), reaching `out` beyond."""
    x = max(x0, x1)
    points = [
        (x0 - 0.01, 0, z0),
        (x + out * 0.75, 0, z0 + 0.02 * (z1 - z0)),
        (x + out, 0, (z0 + z1) / 2),
        (x + out * 0.75, 0, z1 - 0.02 * (z1 - z0)),
        (x1 - 0.01, 0, z1),
    ]
    return curve(points, count)


@family(weight=1.8, lie=0.05, group=0.03)
def jar(draw: Draw) -> Model:
    """Jars and tubs with wide lids: jam, honey, cream, coffee, yoghurt."""
    model, r = Model(), draw.uniform(0.3, 0.65)
    rgb, lid = color(draw), color(draw)
    if draw.chance(0.4):  # contents seen through glass
        rgb = draw.pick(
            (
                np.array([0.55, 0.08, 0.08]),
                np.array([0.75, 0.45, 0.08]),
                np.array([0.3, 0.16, 0.08]),
                np.array([0.45, 0.5, 0.15]),
            )
        )
    neck = r * draw.uniform(0.75, 1.0)
    line = profile(
        [(r * 0.85, 0), (r, 0.06), (r * draw.uniform(0.95, 1.05), 0.4), (r, 0.68), (neck, 0.8)], 14
    )
    power = draw.pick((2.0, 2.0, draw.uniform(3, 8)))
    radius = None if power == 2 else np.linalg.norm(ring_outline(24, power=power), axis=1)
    model.add(body(draw, line, rgb, 0.15, 0.8, 1.0, 24, 0.85, power))
    model.add(revolve([(0, 0), tuple(line[0])], 24, radius), plain(rgb))
    h, wide = draw.uniform(0.1, 0.3), neck * draw.uniform(1.0, 1.12)
    grip = 1 + draw.pick((0.0, 0.02)) * (np.arange(32) % 2)
    outline = [
        (0, 0.78),
        (wide, 0.78),
        (wide, 0.78 + h * 0.9),
        (wide * 0.95, 0.78 + h),
        (0, 0.78 + h),
    ]
    model.add(revolve(outline[:4], 32, grip), any_paint(draw, lid, 0.15))
    top = revolve(outline[3:], 32)
    model.add(top, any_paint(draw, lid, 0.2))
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


@family(weight=0.8, lie=0.1)
def milk_carton(draw: Draw) -> Model:
    """A gable-top carton."""
    model, rgb = Model(), draw.pick((np.ones(3) * 0.95, color(draw)))
    w, h, gable = draw.uniform(0.3, 0.5), draw.uniform(0.5, 0.9), draw.uniform(0.15, 0.3)
    atlas = labels.carton(draw, (w, w, h), rgb)
    model.add(box((w, w, h)), atlas)
    a = w / 2
    flap = draw.uniform(0.05, 0.12)
    roof = np.array(
        [
            [-a, -a, h],
            [a, -a, h],
            [a, a, h],
            [-a, a, h],
            [-a * 0.95, 0, h + gable],
            [a * 0.95, 0, h + gable],
        ]
    )
    faces = np.array([[0, 1, 5], [0, 5, 4], [2, 3, 4], [2, 4, 5], [1, 2, 5], [3, 0, 4]])
    uv = np.array([[0, 0], [1, 0], [1, 0], [0, 0], [0, 1], [1, 1.0]])
    model.add(
        Part(roof[faces].reshape(-1, 3), np.arange(18).reshape(-1, 3), uv[faces].reshape(-1, 2)),
        labels.front(draw, 48, 64, draw.pick((rgb, vivid(draw)))),
    )
    model.add(
        box((w * 0.97, 0.025, flap + 0.02)).moved(0, 0, h + gable - 0.02), plain(shade(rgb, 0.95))
    )
    if draw.chance(0.5):
        spout = cylinder(w * 0.16, 0.09, 14).rotated("x", 40).moved(0, -a * 0.5, h + gable * 0.45)
        model.add(spout, plain(contrast(draw, rgb)))
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


@family(weight=0.5)
def basket(draw: Draw) -> Model:
    """Baskets, bins and buckets with a hoop handle."""
    model, r, h = Model(), draw.uniform(0.3, 0.5), draw.uniform(0.3, 0.8)
    wide, t = r * draw.uniform(1.0, 1.4), 0.025
    squash, n, rows = draw.uniform(0.6, 1), 36, 10
    z = np.linspace(0, h, rows)
    weave = (
        1 + 0.025 * ((np.arange(n)[None] // 2 + np.arange(rows)[:, None]) % 2)
        if draw.chance(0.6)
        else None
    )
    line = np.column_stack([np.linspace(r, wide, rows), z])
    rgb = draw.pick((np.array([0.65, 0.45, 0.25]), color(draw), np.array([0.8, 0.65, 0.4])))
    paint = sectors(rgb, shade(rgb, 0.75), 18) if draw.chance(0.5) else mottled(draw, rgb, 0.12, 5)
    model.add(revolve(line, n, weave, squash), paint)
    model.add(
        revolve(
            [(wide, h), (wide * 1.04, h + t), (wide - t, h + t), (r - t, t), (0, t)],
            n,
            None,
            squash,
        ),
        plain(shade(rgb, 0.7)),
    )
    model.add(revolve([(0, 0), (r, 0)], n, None, squash), plain(rgb))
    if draw.chance(0.6):
        a = np.linspace(0, np.pi, 14)
        lift = draw.uniform(0.2, 0.7)
        path = np.stack([wide * np.cos(a), 0 * a, h + lift * np.sin(a)], -1)
        model.add(
            tube(path, draw.uniform(0.015, 0.04), 6), plain(shade(rgb, draw.uniform(0.6, 1.1)))
        )
    if draw.chance(0.45):
        fill = draw.pick(("balls", "flat"))
        if fill == "flat":
            model.add(
                revolve(
                    [((r + wide) / 2 - t, h * 0.6), ((r + wide) / 4, h * 0.66), (0, h * 0.68)],
                    n,
                    None,
                    squash,
                ),
                pattern(draw),
            )
        else:
            rgb = color(draw)
            for _ in range(draw.integer(4, 9)):
                s, a, q = draw.uniform(0.1, 0.16), draw.uniform(0, 6.3), draw.uniform(0, 0.6) * r
                model.add(
                    sphere((s, s, s), 10, 7).moved(
                        q * np.cos(a), q * np.sin(a) * squash, h * 0.75 + draw.uniform(0, 0.1)
                    ),
                    mottled(draw, shade(rgb, draw.uniform(0.7, 1.2)), 0.1),
                )
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
