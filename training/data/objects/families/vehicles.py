"""Toy vehicles: trucks, buses, tractors, trains, planes, helicopters, rockets, boats."""

import numpy as np

from training.data.objects import labels
from training.data.objects.draw import DARK, GLASS, Draw, color, contrast, metal, shade, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, ring_outline
from training.data.objects.pieces.supports import add_wheels, wheel
from training.data.objects.shapes import (
    box,
    cylinder,
    extrude,
    loft,
    revolve,
    rounded_box,
    sphere,
    superquadric,
    torus,
    tube,
)
from training.data.objects.surfaces import any_paint, bands, fade, mottled, plain


@family(weight=2.0)
def toy_vehicle(draw: Draw) -> Model:
    """Trucks, buses, tractors, trains, wagons, excavators as toys; no cars in detail."""
    model = Model()
    kind = draw.pick(("truck", "bus", "tractor", "train", "wagon", "digger", "block_car"))
    a, b, rim = vivid(draw), color(draw), draw.pick((metal(draw), vivid(draw), np.full(3, 0.9)))
    w, r = draw.uniform(0.32, 0.45), draw.uniform(0.1, 0.16)
    tread = draw.uniform(0.07, 0.12)
    if kind == "truck":
        bed, cab = draw.uniform(0.7, 1.2), draw.uniform(0.3, 0.4)
        model.add(box((bed + cab, w * 0.8, 0.1)).moved(0, 0, r), plain(DARK * 2))
        x = (bed + cab) / 2 - cab / 2
        h = draw.uniform(0.36, 0.5)
        model.add(rounded_box((cab, w, h), 0.04, 1).moved(x, 0, r + 0.08), plain(a)).add(
            box((cab * 0.6, w * 1.01, h * 0.36)).moved(x + cab * 0.12, 0, r + 0.08 + h * 0.52),
            plain(GLASS),
        ).add(
            box((cab * 1.01, w * 0.85, h * 0.34)).moved(x + 0.005, 0, r + 0.08 + h * 0.53),
            plain(GLASS),
        )
        load = draw.pick(("box", "tank", "dump", "flat"))
        bx = -cab / 2
        if load == "box":
            model.add(
                box((bed * 0.96, w * 1.05, draw.uniform(0.45, 0.7))).moved(bx, 0, r + 0.1),
                labels.carton(draw, (bed, w, 0.5), b),
            )
        elif load == "tank":
            model.add(
                superquadric((bed * 0.48, w * 0.5, w * 0.5), 1, 0.4).moved(bx, 0, r + 0.1 + w / 2),
                any_paint(draw, b, 0.4),
            )
        elif load == "dump":
            side = np.array(
                [(-bed / 2, 0.02), (bed / 2 - 0.05, 0.02), (bed / 2, 0.3), (-bed / 2 - 0.08, 0.3)]
            )
            t = 0.03
            for y in (-w / 2, w / 2 - t):
                model.add(extrude(side, t).rotated("x", 90).moved(bx, y + t, r + 0.1), plain(b))
            model.add(box((bed, w, t)).moved(bx, 0, r + 0.12), plain(b)).add(
                box((t, w, 0.28)).moved(bx + bed / 2 - 0.03, 0, r + 0.12), plain(b)
            ).add(box((t, w, 0.28)).moved(bx - bed / 2, 0, r + 0.12), plain(b))
            if draw.chance(0.5):
                model.add(
                    sphere((bed * 0.4, w * 0.42, 0.2), 14, 8).moved(bx, 0, r + 0.25),
                    mottled(draw, color(draw, "brown", "grey", "cream"), 0.3, 8),
                )
        add_wheels(model, (-bed * 0.45, -bed * 0.1, x), w / 2, r, tread, rim)
    elif kind in ("bus", "block_car"):
        long, h = (
            (draw.uniform(0.9, 1.4), draw.uniform(0.35, 0.5))
            if kind == "bus"
            else (draw.uniform(0.7, 0.9), 0.2)
        )
        model.add(rounded_box((long, w, h), 0.06, 2).moved(0, 0, r * 0.8), plain(a))
        if kind == "bus":
            n = draw.integer(4, 7)
            for k in range(n):
                model.add(
                    box((long / n * 0.75, w * 1.01, h * 0.32)).moved(
                        long * ((k + 0.5) / n - 0.5) * 0.93, 0, r * 0.8 + h * 0.52
                    ),
                    plain(GLASS),
                )
            if draw.chance(0.5):
                model.add(
                    box((long * 0.96, w * 1.012, h * 0.1)).moved(0, 0, r * 0.8 + h * 0.28), plain(b)
                )
            model.add(
                box((long * 1.005, w * 0.8, h * 0.34)).moved(0.003, 0, r * 0.8 + h * 0.5),
                plain(GLASS),
            )
        else:
            roof = draw.uniform(0.15, 0.22)
            side = np.array(
                [(-long * 0.3, 0), (long * 0.22, 0), (long * 0.08, roof), (-long * 0.2, roof)]
            )
            model.add(
                extrude(side, w * 0.85).rotated("x", 90).moved(0, w * 0.425, r * 0.8 + h),
                plain(draw.pick((GLASS, a, b))),
            )
        add_wheels(model, (-long * 0.32, long * 0.32), w / 2, r, tread, rim)
    elif kind == "tractor":
        big = draw.uniform(0.24, 0.3)
        model.add(rounded_box((0.5, 0.24, 0.22), 0.04, 1).moved(0.2, 0, 0.2), plain(a)).add(
            box((0.35, 0.3, 0.12)).moved(-0.2, 0, 0.25), plain(a)
        )
        if draw.chance(0.6):
            model.add(box((0.34, 0.3, 0.28)).moved(-0.18, 0, 0.38), plain(GLASS)).add(
                box((0.38, 0.34, 0.04)).moved(-0.18, 0, 0.66), plain(a)
            )
        else:
            model.add(box((0.15, 0.2, 0.22)).moved(-0.25, 0, 0.36), plain(DARK)).add(
                torus(0.08, 0.015, 12, 5).rotated("y", -50).moved(0, 0, 0.5), plain(DARK)
            )
        model.add(cylinder(0.02, 0.22, 8).moved(0.3, 0, 0.4), plain(DARK))
        for s in (-1, 1):
            for radius, x, width in ((big, -0.2, 0.14), (0.13, 0.34, 0.09)):
                for part, rgb in wheel(radius, width, rim):
                    model.add(part.moved(x, s * 0.24, radius), plain(rgb))
    elif kind == "train":
        long = 0.8
        model.add(box((long, 0.3, 0.08)).moved(0, 0, 0.12), plain(DARK)).add(
            cylinder(0.14, long * 0.62, 18).rotated("y", 90).moved(-0.1, 0, 0.33), plain(a)
        )
        model.add(box((0.26, 0.32, 0.36)).moved(-0.27, 0, 0.18), plain(b)).add(
            box((0.34, 0.38, 0.04)).moved(-0.27, 0, 0.54), plain(a)
        )
        model.add(cylinder(0.04, 0.16, 12, 0.07).moved(0.38, 0, 0.45), plain(DARK)).add(
            sphere((0.06, 0.06, 0.06), 10, 7).moved(0.15, 0, 0.47), plain((0.85, 0.7, 0.2))
        )
        add_wheels(model, (-0.28, 0.0, 0.28), 0.17, 0.1, 0.05, vivid(draw))
        for k in range(draw.integer(0, 2)):
            x = -0.8 - 0.72 * k
            model.add(box((0.6, 0.32, 0.26)).moved(x, 0, 0.12), plain(vivid(draw)))
            add_wheels(model, (x - 0.18, x + 0.18), 0.17, 0.09, 0.05, DARK * 4)
    elif kind == "wagon":
        model.extend(open_box(draw, 0.9, 0.5, 0.2, a).moved(0, 0, r * 1.3))
        path = curve(
            [
                (0.45, 0, r * 1.5),
                (0.7, 0, r * 1.5),
                (draw.uniform(0.9, 1.2), 0, draw.uniform(0.3, 0.9)),
            ],
            8,
        )
        model.add(tube(path, 0.02, 6), plain(DARK))
        add_wheels(model, (-0.3, 0.3), 0.24, r, 0.06, rim)
    else:
        model.add(box((0.6, 0.14, 0.16)).moved(0, 0.2, 0), plain(DARK)).add(
            box((0.6, 0.14, 0.16)).moved(0, -0.2, 0), plain(DARK)
        ).add(rounded_box((0.5, 0.4, 0.2), 0.03, 1).moved(0, 0, 0.17), plain(a)).add(
            box((0.22, 0.2, 0.26)).moved(0.1, 0.09, 0.35), plain(GLASS)
        ).add(box((0.24, 0.22, 0.03)).moved(0.1, 0.09, 0.61), plain(a))
        elbow, tip = (
            np.array([0.55, -0.08, draw.uniform(0.6, 0.85)]),
            np.array([draw.uniform(0.8, 1.05), -0.08, draw.uniform(0.05, 0.4)]),
        )
        model.add(tube([(0.2, -0.08, 0.35), elbow], 0.045, ring_outline(8, power=6)), plain(a)).add(
            tube([elbow, tip], 0.035, ring_outline(8, power=6)), plain(a)
        ).add(
            box((0.2, 0.24, 0.14)).rotated("y", 40).moved(*(tip - [0.06, 0, 0.08])), plain(DARK * 2)
        )
    return model.grounded()


def open_box(draw: Draw, w: float, d: float, h: float, rgb, t: float = 0.03) -> Model:
    """A tray or crate with four walls and a floor."""
    model = Model()
    paint = any_paint(draw, rgb, 0.1)
    for x, y, sx, sy in ((0, -d / 2, w, t), (0, d / 2, w, t), (-w / 2, 0, t, d), (w / 2, 0, t, d)):
        model.add(box((sx + t * (sx > sy), sy + t * (sy > sx), h)).moved(x, y, 0), paint)
    return model.add(box((w, d, t)), plain(shade(rgb, 0.8)))


@family(weight=1.5)
def aircraft(draw: Draw) -> Model:
    """Planes, helicopters, rockets, boats, submarines: toys."""
    model, a, b = Model(), vivid(draw), color(draw)
    kind = draw.pick(("plane", "plane", "biplane", "helicopter", "rocket", "boat", "sail"))
    if kind in ("plane", "biplane"):
        t = np.linspace(0, 1, 14)
        fat = draw.uniform(0.07, 0.16)
        shape = np.interp(t, [0, 0.08, 0.3, 0.6, 1], [0.45, 0.85, 1, 0.9, 0.25])
        model.add(
            tube(
                np.stack([0.6 - 1.2 * t, 0 * t, 0.06 * t], -1),
                fat * shape,
                14,
                ends="round",
                up=(0, 0, 1),
            ),
            draw.pick((plain(a), bands([b, a, a], [-0.3, 0.5], 0))),
        )
        span, chord, sweep = (
            draw.uniform(0.45, 0.8),
            draw.uniform(0.14, 0.26),
            draw.uniform(0, 0.35),
        )
        wing = np.array(
            [(chord, 0), (0, 0), (-sweep, span), (-sweep + chord * draw.uniform(0.4, 1), span)]
        )
        tail = wing * 0.42
        wing_rgb = draw.pick((a, b, contrast(draw, a)))
        levels = (fat * 0.9, fat * 3.2) if kind == "biplane" else (draw.uniform(-0.8, 0.9) * fat,)
        for z in levels:
            for s in (-1, 1):
                part = (
                    extrude(wing, 0.025, 0.008).scaled(1, s, 1).rotated("x", s * draw.uniform(0, 6))
                )
                model.add(part.moved(0.1, 0, z), plain(wing_rgb))
        if kind == "biplane":
            for s in (-1, 1):
                model.add(
                    tube(
                        [(0.15, s * span * 0.7, levels[0]), (0.15, s * span * 0.7, levels[1])],
                        0.012,
                        5,
                    ),
                    plain(DARK),
                )
        for s in (-1, 1):
            model.add(extrude(tail, 0.02).scaled(1, s, 1).moved(-0.58, 0, 0.06), plain(wing_rgb))
        fin = np.array([(0.12, 0), (-0.08, 0), (-0.14, 0.25), (-0.04, 0.25)])
        model.add(extrude(fin, 0.02).rotated("x", 90).moved(-0.52, 0.01, 0.07), plain(b))
        model.add(
            sphere((0.12, fat * 0.7, fat * 0.8), 12, 8).moved(0.25, 0, fat * 0.75), plain(GLASS)
        )
        if draw.chance(0.7) or kind == "biplane":
            spin = draw.uniform(0, 90)
            model.add(
                box((0.015, 0.4, 0.04))
                .moved(0, 0, -0.02)
                .rotated("x", spin)
                .moved(0.6 + fat * 0.45, 0, 0),
                plain(DARK),
            ).add(
                sphere((0.05, 0.04, 0.04), 9, 6).moved(0.6 + fat * 0.45, 0, 0),
                plain(contrast(draw, a)),
            )
            for x, y in ((0.25, -0.15), (0.25, 0.15)):
                for part, rgb in wheel(0.07, 0.04, DARK * 5):
                    model.add(part.moved(x, y, -fat - 0.1), plain(rgb))
                model.add(
                    tube([(x, y * 0.5, -fat * 0.5), (x, y, -fat - 0.1)], 0.012, 5), plain(DARK * 3)
                )
        else:
            for s in (-1, 1):
                model.add(
                    cylinder(0.05, 0.22, 12).rotated("y", 90).moved(0, s * span * 0.45, -0.09),
                    plain(metal(draw)),
                )
    elif kind == "helicopter":
        model.add(sphere((0.35, 0.2, 0.22), 18, 11), plain(a)).add(
            sphere((0.2, 0.17, 0.17), 14, 9).moved(0.17, 0, 0.03), plain(GLASS)
        ).add(tube([(-0.2, 0, 0.05), (-0.85, 0, 0.12)], np.array([0.08, 0.03]), 9), plain(a))
        for turn in (0, 90):
            model.add(
                box((1.2, 0.06, 0.012)).rotated("z", turn + 30).moved(0, 0, 0.32), plain(DARK)
            )
        model.add(cylinder(0.03, 0.15, 8).moved(0, 0, 0.18), plain(DARK)).add(
            box((0.02, 0.03, 0.26)).moved(-0.85, 0.04, 0), plain(DARK)
        ).add(box((0.12, 0.02, 0.2)).moved(-0.82, 0, 0.1), plain(b))
        for s in (-1, 1):
            model.add(
                tube([(-0.25, s * 0.18, -0.3), (0.3, s * 0.18, -0.3)], 0.018, 6, ends="round"),
                plain(DARK * 3),
            ).add(tube([(0, s * 0.1, -0.15), (0, s * 0.18, -0.3)], 0.014, 5), plain(DARK * 3))
    elif kind == "rocket":
        r = draw.uniform(0.1, 0.18)
        line = profile([(r * 0.6, 0), (r, 0.2), (r, 0.55), (r * 0.6, 0.85), (0, 1.05)], 18)
        model.add(
            revolve([(0, 0), *line], 22),
            bands([b, a, b], [draw.uniform(-0.5, 0), draw.uniform(0.4, 0.7)], 2),
            bake=True,
        )
        fin = np.array([(r * 0.5, 0.3), (r * 0.5, 0.02), (r * 2.2, -0.1), (r * 2.0, 0.1)])
        n = draw.integer(3, 4)
        for k in range(n):
            model.add(
                extrude(fin, 0.03).rotated("x", 90).moved(0, 0.015, 0).rotated("z", 360 / n * k),
                plain(contrast(draw, a)),
            )
        model.add(
            cylinder(r * 0.45, 0.02, 14).rotated("y", 90).moved(r * 0.93, 0, 0.55), plain(GLASS)
        )
    else:
        t = np.linspace(0, 1, 12)
        wide = 0.2 * np.interp(t, [0, 0.3, 0.7, 1], [0.75, 1, 0.85, 0.04]) * draw.uniform(0.9, 1.3)
        deep = draw.uniform(0.14, 0.24)
        rows = []
        for k, x in enumerate(np.linspace(-0.6, 0.6, 12)):
            lift = 0.1 * (t[k] ** 3)
            y = np.array([-1, -1.0, -0.55, 0.55, 1.0, 1.0]) * wide[k]
            z = np.array(
                [deep + lift, deep * 0.6 + lift, lift, lift, deep * 0.6 + lift, deep + lift]
            )
            rows.append(np.stack([0 * y + x, y, z], -1))
        model.add(
            loft(np.array(rows)), fade(b, a, 2, -0.35, -0.3) if draw.chance(0.5) else plain(a)
        )
        deck = np.concatenate(
            [
                np.column_stack([np.linspace(-0.58, 0.55, 12), -wide * 0.85]),
                np.column_stack([np.linspace(0.55, -0.58, 12), wide[::-1] * 0.85]),
            ]
        )
        model.add(extrude(deck, 0.02).moved(0, 0, deep), plain(wood(draw)))
        if kind == "boat":
            model.add(
                rounded_box((0.4, 0.22, 0.16), 0.02, 1).moved(-0.1, 0, deep),
                plain(np.full(3, 0.93)),
            ).add(box((0.22, 0.2, 0.13)).moved(-0.05, 0, deep + 0.16), plain(b)).add(
                cylinder(0.05, 0.18, 12).moved(-0.22, 0, deep + 0.15),
                bands([vivid(draw), DARK], [0.4], 2),
            )
        else:
            h = draw.uniform(0.7, 1.1)
            model.add(cylinder(0.02, h + 0.1, 8).moved(0.05, 0, deep), plain(wood(draw)))
            sail = np.array([(0, 0), (-0.5, 0), (0, h * 0.9)])
            model.add(
                extrude(sail, 0.015).rotated("x", 90).moved(0.03, 0, deep + 0.1),
                any_paint(draw, draw.pick((np.full(3, 0.95), vivid(draw))), 0.4),
            )
            model.add(
                extrude(np.array([(0, 0), (0.4, 0), (0, h * 0.7)]), 0.015)
                .rotated("x", 90)
                .moved(0.08, 0, deep + 0.1),
                plain(np.full(3, 0.95)),
            )
    if draw.chance(0.12):
        model.add(cylinder(0.02, 0.3, 8).moved(0, 0, model.bounds()[0][2] - 0.25), plain(DARK)).add(
            cylinder(0.2, 0.03, 20).moved(0, 0, model.bounds()[0][2] - 0.03), plain(DARK)
        )
    return model.grounded()
