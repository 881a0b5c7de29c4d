"""Bottles, jars and perfume, with their caps."""

import numpy as np

from training.data.objects import labels
from training.data.objects.draw import DARK, Draw, color, contrast, metal, neutral, shade, vivid
from training.data.objects.model import Model, family
from training.data.objects.outlines import profile, ring_outline
from training.data.objects.pieces.handles import curve_handle
from training.data.objects.shapes import (
    box,
    cylinder,
    extrude,
    loft,
    revolve,
    rounded_box,
    sphere,
    tube,
)
from training.data.objects.surfaces import any_paint, brushed, mottled, plain


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


CAPS = ("screw", "dome", "pump", "spray", "nozzle", "flip", "cork", "crown")


def cap(draw: Draw, r: float, rgb) -> Model:
    """Return a closure for a bottle whose neck has radius r; stands on z = 0."""
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


@family(weight=0.8)
def perfume(draw: Draw) -> Model:
    """Perfume, nail varnish, ink, soap dispensers, glue: a stout block with a large cap."""
    model, rgb = Model(), color(draw)
    n, power = 28, draw.pick((2.0, draw.uniform(3, 10)))
    w, d, h = draw.uniform(0.3, 0.6), draw.uniform(0.2, 0.5), draw.uniform(0.3, 0.8)
    outline = ring_outline(n, w / 2, min(d, w) / 2, power)
    rise = [
        (0.0, 0.94),
        (0.03, 1.0),
        (h * 0.5, draw.uniform(0.85, 1.15)),
        (h * 0.92, draw.uniform(0.8, 1.0)),
        (h, 0.7),
    ]
    rows = np.stack([np.column_stack([outline * s, np.full(n, z)]) for z, s in rise])
    model.add(
        loft(rows),
        labels.label(draw, labels.canvas(draw, rgb), 0.25, 0.75)
        if draw.chance(0.7)
        else any_paint(draw, rgb, 0.3),
    )
    other = draw.pick((contrast(draw, rgb), metal(draw), DARK))
    neck = w * draw.uniform(0.12, 0.25)
    model.add(cylinder(neck, 0.08, 16).moved(0, 0, h - 0.02), brushed(draw, metal(draw)))
    if draw.chance(0.4):
        model.extend(cap(draw, neck, other).moved(0, 0, h + 0.04))
    else:
        tall, wide = draw.uniform(0.12, 0.4), neck * draw.uniform(1.1, 2.0)
        part = draw.pick(
            (
                cylinder(wide, tall, 20, wide * draw.uniform(0.7, 1.1)),
                rounded_box((wide * 2, wide * 1.7, tall), 0.03, 1),
                sphere((wide * 1.1,) * 3, 16, 10).moved(0, 0, wide),
            )
        )
        model.add(part.moved(0, 0, h + 0.05), plain(other))
    return model.grounded()
