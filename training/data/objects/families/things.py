"""Vehicles, furniture, electronics, books, lamps, clocks, musical instruments."""

import numpy as np

from training.data.objects import labels
from training.data.objects.draw import Draw, color, contrast, metal, shade, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.shapes import (
    box,
    curve,
    cylinder,
    extrude,
    grid,
    loft,
    plate,
    profile,
    rectangle,
    revolve,
    ring_outline,
    rounded_box,
    sphere,
    superquadric,
    torus,
    tube,
)
from training.data.objects.surfaces import any_paint, bands, brushed, fade, grain, mottled, plain

DARK = np.full(3, 0.07)
GLASS = np.array([0.12, 0.16, 0.2])


def wheel(radius: float, width: float, rim) -> list:
    """A wheel in the xz plane around the origin, with its paints."""
    tyre = revolve(
        [
            (0, 0),
            (radius * 0.85, 0),
            (radius, width * 0.2),
            (radius, width * 0.8),
            (radius * 0.85, width),
            (0, width),
        ],
        16,
    )
    hub = revolve(
        [
            (0, -0.02 * radius),
            (radius * 0.55, -0.02 * radius),
            (radius * 0.55, width + 0.02 * radius),
            (0, width + 0.02 * radius),
        ],
        12,
    )
    return [(p.rotated("x", 90).moved(0, width / 2, 0), c) for p, c in ((tyre, DARK), (hub, rim))]


def add_wheels(model: Model, xs, y: float, radius: float, width: float, rim) -> None:
    for x in xs:
        for s in (-1, 1):
            for part, rgb in wheel(radius, width, rim):
                model.add(part.moved(x, s * y, radius), plain(rgb))


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


def legs(
    model: Model, w: float, d: float, h: float, thick: float, paint, splay: float = 0.0, round_=True
) -> None:
    for x in (-1, 1):
        for y in (-1, 1):
            foot = np.array([x * (w / 2 + splay), y * (d / 2 + splay), 0.0])
            top = np.array([x * w / 2, y * d / 2, h])
            section = 8 if round_ else ring_outline(8, power=8)
            model.add(tube([foot, top], np.array([thick * 0.75, thick]), section), paint)


@family(weight=1.5)
def chair(draw: Draw) -> Model:
    """Chairs, stools, armchairs, benches, sofas, beds."""
    model = Model()
    kind = draw.pick(("chair", "chair", "stool", "sofa", "office", "bed"))
    rgb, cloth = draw.pick((wood(draw), color(draw))), color(draw)
    paint = grain(draw, rgb) if draw.chance(0.4) else plain(rgb)
    if kind in ("chair", "stool"):
        w, d, h = draw.uniform(0.4, 0.55), draw.uniform(0.4, 0.5), draw.uniform(0.35, 0.65)
        round_ = kind == "stool" and draw.chance(0.6)
        t = draw.uniform(0.03, 0.09)
        seat = cylinder(w / 2, t, 24) if round_ else rounded_box((w, d, t), t * 0.4, 1)
        model.add(seat.moved(0, 0, h), any_paint(draw, cloth, 0.2) if draw.chance(0.6) else paint)
        legs(
            model,
            w * (0.55 if round_ else 0.88),
            d * (0.55 if round_ else 0.88),
            h,
            draw.uniform(0.015, 0.035),
            paint,
            draw.uniform(0, 0.07),
            draw.chance(0.6),
        )
        if kind == "chair":
            high, lean = draw.uniform(0.35, 0.6), draw.uniform(0, 0.12)
            style = draw.pick(("slab", "bars", "ladder"))
            for s in (-1, 1):
                if style != "slab" or draw.chance(0.5):
                    model.add(
                        tube(
                            [
                                (-d * 0.44, s * w * 0.44, h),
                                (-d * 0.44 - lean, s * w * 0.44, h + high),
                            ],
                            0.025,
                            8,
                        ),
                        paint,
                    )
            if style == "slab":
                part = rounded_box((0.05, w * 0.95, high * 0.75), 0.02, 1).moved(
                    -d * 0.45 - lean * 0.6, 0, h + high * 0.25
                )
                model.add(part, any_paint(draw, cloth, 0.2))
            elif style == "bars":
                for y in np.linspace(-0.36, 0.36, draw.integer(3, 6)) * w:
                    model.add(
                        tube([(-d * 0.44, y, h), (-d * 0.44 - lean, y, h + high)], 0.014, 6), paint
                    )
                model.add(
                    box((0.04, w * 0.95, 0.08)).moved(-d * 0.44 - lean, 0, h + high - 0.06), paint
                )
            else:
                for z in np.linspace(0.35, 0.95, draw.integer(2, 4)):
                    model.add(
                        box((0.03, w * 0.88, 0.07)).moved(
                            -d * 0.44 - lean * z, 0, h + high * z - 0.03
                        ),
                        paint,
                    )
            if draw.chance(0.25):
                for s in (-1, 1):
                    model.add(box((d * 0.9, 0.05, 0.04)).moved(0, s * w * 0.5, h + 0.2), paint).add(
                        box((0.04, 0.04, 0.2)).moved(d * 0.4, s * w * 0.5, h), paint
                    )
    elif kind == "sofa":
        w, d, h = draw.uniform(0.5, 1.4), draw.uniform(0.5, 0.65), draw.uniform(0.16, 0.28)
        arm, back = draw.uniform(0.08, 0.18), draw.uniform(0.25, 0.45)
        cover = any_paint(draw, cloth, 0.15)
        model.add(rounded_box((d, w, h), 0.05, 2).moved(0, 0, 0.07), cover).add(
            rounded_box((0.17, w, h + back), 0.06, 2).moved(-d / 2 + 0.05, 0, 0.07), cover
        )
        for s in (-1, 1):
            model.add(
                rounded_box((d * 1.02, arm, h + draw.uniform(0.12, 0.2)), 0.05, 2).moved(
                    0, s * (w / 2 + arm / 2 - 0.02), 0.07
                ),
                cover,
            )
        n = max(1, round(w / 0.55))
        for k in range(n):
            y = ((k + 0.5) / n - 0.5) * w
            model.add(
                rounded_box((d * 0.85, w / n * 0.97, 0.11), 0.045, 2).moved(0.05, y, h + 0.05),
                plain(shade(cloth, 1.08)),
            )
        if draw.chance(0.5):
            model.add(
                superquadric((0.07, 0.17, 0.17), 0.6, 0.6)
                .rotated("y", -20)
                .moved(-d * 0.15, draw.uniform(-0.3, 0.3) * w, h + 0.3),
                any_paint(draw, None, 0.6),
            )
        legs(model, d * 0.85, w * 0.9, 0.08, 0.03, plain(rgb))
    elif kind == "bed":
        w, d = 1.0, draw.uniform(0.5, 0.9)
        model.add(box((w, d, 0.14)).moved(0, 0, 0.08), paint).add(
            rounded_box((w * 0.97, d * 0.96, 0.16), 0.05, 2).moved(0, 0, 0.2),
            plain(np.full(3, 0.92)),
        ).add(
            rounded_box((w * 0.62, d * 1.0, 0.14), 0.05, 2).moved(0.19, 0, 0.24),
            any_paint(draw, cloth, 0.5),
        ).add(box((0.06, d * 1.03, draw.uniform(0.4, 0.7))).moved(-w / 2, 0, 0), paint)
        for y in (-0.24, 0.24):
            model.add(
                superquadric((0.13, 0.2 * d, 0.06), 0.7, 0.6).moved(-0.33, y * d, 0.4),
                plain(np.full(3, 0.95)),
            )
        legs(model, w * 0.95, d * 0.95, 0.1, 0.035, paint)
    else:
        model.add(rounded_box((0.46, 0.46, 0.09), 0.035, 2).moved(0, 0, 0.45), plain(cloth)).add(
            rounded_box((0.08, 0.42, 0.5), 0.035, 2).rotated("y", -8).moved(-0.24, 0, 0.58),
            plain(cloth),
        ).add(cylinder(0.03, 0.38, 10).moved(0, 0, 0.08), plain(metal(draw)))
        for k in range(5):
            model.add(
                box((0.28, 0.05, 0.04)).moved(0.14, 0, 0.07).rotated("z", 72 * k), plain(DARK)
            ).add(
                sphere((0.035,) * 3, 8, 6).moved(0.27, 0, 0.035).rotated("z", 72 * k), plain(DARK)
            )
    return model.grounded()


@family(weight=1.3)
def table(draw: Draw) -> Model:
    """Tables, desks, benches, stands; with or without things on them."""
    model = Model()
    w, d, h = draw.uniform(0.6, 1.3), draw.uniform(0.4, 0.8), draw.uniform(0.3, 0.75)
    rgb = draw.pick((wood(draw), wood(draw), color(draw)))
    paint = draw.pick((grain(draw, rgb, 0), plain(rgb), mottled(draw, rgb, 0.05)))
    t = draw.uniform(0.02, 0.08)
    round_ = draw.chance(0.3)
    if round_:
        d = w
    top = (
        cylinder(w / 2, t, 30)
        if round_
        else rounded_box((w, d, t), draw.uniform(0.005, t * 0.4), 1)
    )
    model.add(top.moved(0, 0, h), paint)
    style = draw.pick(("legs", "pillar", "panels", "trestle", "metal"))
    under = paint if style != "metal" else brushed(draw, metal(draw))
    if style in ("legs", "metal"):
        f = 0.6 if round_ else 0.88
        legs(
            model,
            w * f,
            d * f,
            h,
            draw.uniform(0.012, 0.04),
            under,
            draw.uniform(-0.02, 0.06),
            draw.chance(0.5),
        )
        if draw.chance(0.4):
            model.add(
                box((w * f * 0.97, d * f * 0.97, 0.03)).moved(0, 0, h * draw.uniform(0.2, 0.9)),
                paint,
            )
    elif style == "pillar":
        model.add(
            revolve(profile([(0.2, 0), (0.05, 0.08), (0.04, h * 0.6), (0.06, h)], 12), 18), under
        ).add(cylinder(w * 0.28, 0.04, 24), under)
    elif style == "panels":
        for x in (-1, 1):
            model.add(box((0.04, d * 0.9, h)).moved(x * w * (0.3 if round_ else 0.45), 0, 0), under)
        if draw.chance(0.5) and not round_:
            model.add(
                box((w * 0.3, d * 0.85, h * 0.85)).moved(w * 0.28, 0, h * 0.12),
                plain(shade(rgb, 0.9)),
            )
            for z in (0.35, 0.6, 0.85):
                model.add(
                    box((w * 0.1, 0.02, 0.02)).moved(w * 0.28, -d * 0.44, h * z), plain(metal(draw))
                )
    else:
        for x in (-0.38, 0.38):
            model.add(tube([(x * w, -d * 0.42, 0), (x * w, d * 0.2, h)], 0.025, 6), under).add(
                tube([(x * w, d * 0.42, 0), (x * w, -d * 0.2, h)], 0.025, 6), under
            )
    if draw.chance(0.2):
        for _ in range(draw.integer(1, 3)):
            s = draw.uniform(0.05, 0.13)
            part = draw.pick(
                (
                    cylinder(s, s * 2, 16),
                    box((s * 2, s * 1.4, s)),
                    sphere((s, s, s), 14, 9).moved(0, 0, s),
                )
            )
            model.add(
                part.moved(*(draw.uniforms(-0.3, 0.3, 2) * [w, d]), h + t),
                any_paint(draw, None, 0.4),
            )
    return model.grounded()


@family(weight=1.2)
def cabinet(draw: Draw) -> Model:
    """Shelves, cupboards, fridges, chests, dressers, houses, mail boxes, bins."""
    kind = draw.pick(("shelf", "cupboard", "fridge", "chest", "house", "postbox", "stove"))
    model, rgb = Model(), draw.pick((wood(draw), color(draw), np.full(3, 0.92)))
    w, d, h = draw.uniform(0.4, 0.9), draw.uniform(0.25, 0.5), draw.uniform(0.5, 1.2)
    paint = grain(draw, rgb, 2) if draw.chance(0.3) else plain(rgb)
    knob = draw.pick((metal(draw), DARK, wood(draw)))
    if kind == "shelf":
        t = 0.03
        for x in (-1, 1):
            model.add(box((t, d, h)).moved(x * (w - t) / 2, 0, 0), paint)
        n = draw.integer(2, 5)
        for k in range(n + 1):
            model.add(box((w - 2 * t, d, t)).moved(0, 0, k * (h - t) / n), paint)
        if draw.chance(0.7):
            model.add(box((w, t * 0.6, h)).moved(0, d / 2, 0), plain(shade(rgb, 0.7)))
        if draw.chance(0.6):
            for k in range(n):
                x, cell = -w / 2 + t, (h - t) / n
                while x < w / 2 - 0.08 and draw.chance(0.93):
                    thick = draw.uniform(0.03, 0.09)
                    model.add(
                        box((thick * 0.95, d * 0.6, cell * draw.uniform(0.5, 0.85))).moved(
                            x + thick / 2, 0, k * cell + t
                        ),
                        plain(color(draw)),
                    )
                    x += thick
    elif kind in ("cupboard", "fridge", "stove"):
        model.add(rounded_box((w, d, h), 0.02, 1).moved(0, 0, 0.04), paint)
        n, m = draw.integer(1, 2), draw.integer(1, 4)
        door = draw.pick((shade(rgb, 1.07), shade(rgb, 0.9), contrast(draw, rgb)))
        for i in range(n):
            for j in range(m):
                cw, ch = w / n, h / m
                x, z = (i + 0.5) * cw - w / 2, j * ch + 0.04
                model.add(
                    box((cw * 0.92, 0.03, ch * 0.93)).moved(x, -d / 2, z + ch * 0.03), plain(door)
                )
                side = cw * 0.35 * (1 if i == 0 else -1)
                model.add(
                    box((0.02, 0.03, min(0.15, ch * 0.4))).moved(
                        x + side, -d / 2 - 0.03, z + ch * 0.4
                    ),
                    plain(knob),
                )
        if kind == "stove":
            for x in (-0.25, 0.25):
                for y in (-0.22, 0.22):
                    model.add(cylinder(0.1, 0.015, 16).moved(x * w, y * d, h + 0.04), plain(DARK))
        legs(model, w * 0.9, d * 0.9, 0.06, 0.025, plain(shade(rgb, 0.5)))
    elif kind == "chest":
        w, h = 0.9, draw.uniform(0.3, 0.45)
        model.add(box((w, d * 1.3, h)), paint)
        a = np.linspace(0, np.pi, 12)
        side = np.stack([d * 0.65 * np.cos(a), 0.3 * h + d * 0.4 * np.sin(a)], -1)
        side = np.concatenate(
            [
                [
                    (d * 0.65, 0),
                ],
                side,
                [(-d * 0.65, 0)],
            ]
        )
        lid_part = extrude(side, w).rotated("x", 90).rotated("z", 90).moved(-w / 2, 0, h + 0.01)
        model.add(lid_part, paint)
        for x in (-0.3, 0.3):
            model.add(box((0.07, d * 1.33, h)).moved(x, 0, 0.002), plain(metal(draw)))
        model.add(box((0.12, 0.04, 0.14)).moved(0, -d * 0.66, h - 0.06), plain((0.8, 0.65, 0.2)))
    elif kind == "house":
        h = draw.uniform(0.35, 0.7)
        model.add(box((w, d * 1.5, h)), paint)
        roof = np.array([(-w * 0.6, 0), (w * 0.6, 0), (0, draw.uniform(0.25, 0.5))])
        model.add(
            extrude(roof, d * 1.65).rotated("x", 90).moved(0, d * 0.825, h),
            any_paint(draw, color(draw, "red", "brown", "grey", "blue"), 0.2),
        )
        model.add(
            box((0.14, 0.03, h * 0.5)).moved(draw.uniform(-0.1, 0.1), -d * 0.75, 0),
            plain(color(draw)),
        )
        for x in (-0.28, 0.28):
            model.add(box((0.13, 0.02, 0.14)).moved(x * w, -d * 0.75, h * 0.5), plain(GLASS * 2))
            model.add(
                box((0.02, 0.16, 0.14)).moved(w / 2 * np.sign(x), 0, h * 0.45), plain(GLASS * 2)
            )
        if draw.chance(0.6):
            model.add(box((0.1, 0.1, 0.35)).moved(w * 0.25, 0.1, h + 0.1), plain((0.6, 0.3, 0.22)))
    else:
        a = np.linspace(0, np.pi, 14)
        r = d * 0.8
        side = np.concatenate(
            [[(r, 0)], np.stack([r * np.cos(a), 0.35 + r * np.sin(a)], -1), [(-r, 0)]]
        )
        z = draw.uniform(0.1, 0.9)
        rgb = vivid(draw)
        model.add(extrude(side, 0.6).rotated("x", 90).moved(0, 0.3, z), plain(rgb)).add(
            box((r * 1.2, 0.02, 0.07)).moved(0, -0.305, z + 0.4), plain(DARK)
        )
        if z > 0.4:
            model.add(box((0.09, 0.09, z)), plain(wood(draw)))
        else:
            legs(model, r * 1.5, 0.45, z, 0.03, plain(rgb))
    return model.grounded()


@family(weight=1.2)
def lamp(draw: Draw) -> Model:
    """Table lamps, desk lamps, lanterns, candles, light bulbs, umbrellas."""
    model, rgb = Model(), draw.pick((metal(draw), color(draw), wood(draw)))
    shade_rgb = draw.pick((np.array([0.95, 0.92, 0.82]), color(draw)))
    kind = draw.pick(("table", "table", "desk", "candle", "bulb", "lantern", "umbrella"))
    if kind == "table":
        h, k = draw.uniform(0.3, 0.7), draw.integer(4, 6)
        radii = draw.uniforms(0.03, 0.2, k)
        radii[0], radii[-1] = draw.uniform(0.14, 0.24), 0.03
        line = profile(np.column_stack([radii, np.linspace(0, h, k)]), 20)
        model.add(
            revolve([(0, 0), *line], 22),
            draw.pick((plain(rgb), brushed(draw, rgb), any_paint(draw, rgb, 0.4))),
        )
        low, top, tall = draw.uniform(0.22, 0.38), draw.uniform(0.12, 0.3), draw.uniform(0.22, 0.36)
        z = h - 0.03
        model.add(
            revolve(
                [
                    (low * 0.96, z),
                    (low, z),
                    (top, z + tall),
                    (top * 0.95, z + tall),
                    (low * 0.96, z),
                ],
                26,
            ),
            any_paint(draw, shade_rgb, 0.3),
            bake=True,
        )
        model.add(
            sphere((0.07, 0.07, 0.09), 10, 7).moved(0, 0, h + 0.08), plain((1.0, 0.97, 0.85))
        ).add(cylinder(0.015, tall * 0.6, 6).moved(0, 0, h - 0.02), plain(metal(draw)))
    elif kind == "desk":
        model.add(cylinder(0.2, 0.05, 24), plain(rgb))
        elbow, head = (
            np.array([draw.uniform(-0.3, 0.0), 0, draw.uniform(0.4, 0.6)]),
            np.array([draw.uniform(0.2, 0.5), 0, draw.uniform(0.6, 0.9)]),
        )
        model.add(tube([(0, 0, 0.03), elbow], 0.018, 8), plain(rgb)).add(
            tube([elbow, head], 0.018, 8), plain(rgb)
        ).add(sphere((0.035,) * 3, 9, 7).moved(*elbow), plain(rgb))
        part = (
            revolve(
                [(0, 0.18), (0.05, 0.18), (0.15, 0), (0.13, 0), (0.04, 0.15), (0, 0.15)][::-1], 20
            )
            .flipped()
            .oriented()
        )
        model.add(
            part.rotated("y", draw.uniform(0, 50)).moved(head[0], 0, head[2] - 0.12),
            plain(shade_rgb),
        )
    elif kind == "candle":
        r, h = draw.uniform(0.06, 0.3), draw.uniform(0.4, 1.0)
        model.add(
            revolve(
                [(0, 0), (r, 0), (r, h), (r * 0.85, h), (r * 0.6, h - 0.03), (0, h - 0.03)], 20
            ),
            any_paint(draw, shade_rgb, 0.3),
        ).add(cylinder(0.012, 0.1, 6).moved(0, 0, h - 0.03), plain(DARK))
        if draw.chance(0.5):
            w = r + draw.uniform(0.05, 0.2)
            model.add(
                revolve([(0, -0.05), (w * 0.7, -0.05), (w, 0.03), (w * 0.95, 0.04), (r, 0.0)], 24),
                brushed(draw, metal(draw)),
            )
    elif kind == "bulb":
        line = profile(
            [(0.12, 0), (0.13, 0.2), (0.3, 0.5), (0.32, 0.7), (0.18, 0.92), (0, 0.98)], 20
        )
        model.add(revolve(line, 22), mottled(draw, (0.95, 0.93, 0.85), 0.03)).add(
            revolve([(0, -0.25), (0.06, -0.25), (0.12, -0.18), (0.125, 0.02)], 18),
            brushed(draw, metal(draw)),
        )
        if draw.chance(0.6):
            model.rotated("x", 95)
    elif kind == "lantern":
        w = draw.uniform(0.3, 0.45)
        model.add(box((w, w, 0.06)), plain(rgb)).add(
            box((w * 0.85, w * 0.85, 0.5)).moved(0, 0, 0.06),
            plain(draw.pick((shade_rgb, (0.95, 0.85, 0.5)))),
        ).add(
            cylinder(w * 0.75, 0.2, 4, w * 0.2).rotated("z", 45).moved(0, 0, 0.56), plain(rgb)
        ).add(torus(0.09, 0.015, 14, 6).rotated("x", 90).moved(0, 0, 0.83), plain(rgb))
        legs(model, w * 0.9, w * 0.9, 0.56, 0.025, plain(rgb))
    else:
        n = 32
        open_ = draw.chance(0.5)
        scallop = 1 - 0.08 * np.abs(np.sin(np.arange(n) * 4 * np.pi / n))
        if open_:
            from training.data.objects.surfaces import sectors

            line = [(0.55, 0.62), (0.5, 0.75), (0.3, 0.93), (0, 1.0)]
            model.add(
                revolve(line, n, scallop), sectors(vivid(draw), color(draw), 4), bake=True
            ).add(
                revolve(
                    [(0, 0.97), (0.3, 0.9), (0.49, 0.73), (0.55, 0.62)][::-1], n, scallop
                ).flipped(),
                plain(DARK * 4),
            )
        else:
            fold = 1 - 0.3 * np.abs(np.sin(np.arange(n) * 4 * np.pi / n))
            model.add(
                revolve(
                    profile([(0.02, 0.15), (0.12, 0.35), (0.08, 0.9), (0.02, 1.0)], 12), n, fold
                ),
                any_paint(draw, vivid(draw), 0.4),
            )
        hook = np.array([(0, 0, 1.0), (0, 0, 0.1), (0.04, 0, 0.0), (0.11, 0, 0.0), (0.15, 0, 0.08)])
        model.add(tube(curve(hook, 20), 0.018, 7), plain(rgb))
        if not open_:
            model.rotated("x", draw.pick((90, 90, 0)))
        else:
            model.rotated("x", draw.pick((0, 120)))
    return model.grounded()


def screen(draw: Draw, height: int = 64, width: int = 96) -> np.ndarray:
    """What a display shows."""
    kind = draw.pick(("off", "picture", "text", "grid"))
    if kind == "off":
        return labels.sheet(height, width, np.full(3, draw.uniform(0.03, 0.12)))
    if kind == "picture":
        return labels.picture(draw, height, width)
    if kind == "text":
        return labels.back(
            draw, height, width, draw.pick((np.full(3, 0.95), np.full(3, 0.08), color(draw)))
        )
    image = labels.sheet(height, width, color(draw))
    n = draw.integer(3, 5)
    for i in range(n):
        for j in range(n + 1):
            y, x = int((i + 0.2) * height / n), int((j + 0.2) * width / (n + 1))
            image[y : y + int(0.6 * height / n), x : x + int(0.6 * width / (n + 1))] = (
                labels.rgb255(vivid(draw))
            )
    return image


@family(weight=2.2)
def device(draw: Draw) -> Model:
    """Phones, tablets, remotes, calculators, cameras, speakers, adapters, laptops."""
    kind = draw.pick(
        (
            "phone",
            "remote",
            "camera",
            "speaker",
            "adapter",
            "laptop",
            "monitor",
            "mouse",
            "gamepad",
            "keyboard",
            "router",
            "headphones",
        )
    )
    model, rgb = Model(), draw.pick((DARK, np.full(3, 0.92), metal(draw), color(draw)))
    front = rectangle(1, 1)
    if kind in ("phone", "remote"):
        w, h, t = draw.uniform(0.3, 0.75), 1.0, draw.uniform(0.04, 0.1)
        if kind == "remote":
            w, t = draw.uniform(0.2, 0.34), draw.uniform(0.07, 0.14)
        model.add(rounded_box((w, h, t), draw.uniform(0.015, 0.05), 2), plain(rgb))
        if kind == "phone":
            model.add(
                plate(rectangle(w * 0.92, h * draw.uniform(0.8, 0.95)), t + 0.003),
                np.rot90(screen(draw)).copy(),
            )
            if draw.chance(0.5):
                model.add(
                    plate(rectangle(w * 0.3, h * 0.18), -0.003).moved(w * 0.2, h * 0.36).flipped(),
                    plain(DARK),
                )
        else:
            nx, ny = draw.integer(2, 4), draw.integer(4, 9)
            for i in range(nx):
                for j in range(ny):
                    if draw.chance(0.9):
                        s = draw.pick((0.6, 0.6, 0.75)) * w / nx
                        key = draw.pick(
                            (contrast(draw, rgb), np.full(3, 0.6), np.full(3, 0.9), vivid(draw)),
                            (1, 3, 2, 1),
                        )
                        model.add(
                            box((s * 0.9, min(s * 0.7, 0.7 * h / ny), 0.02)).moved(
                                ((i + 0.5) / nx - 0.5) * w * 0.85,
                                ((j + 0.5) / ny - 0.5) * h * 0.9,
                                t,
                            ),
                            plain(key),
                        )
        pose = draw.integer(0, 3)
        if pose == 1:
            model.rotated("x", draw.uniform(60, 90))
        elif pose == 2:
            model.rotated("y", 180)
    elif kind == "camera":
        w, h, t = 0.9, draw.uniform(0.5, 0.65), draw.uniform(0.25, 0.4)
        model.add(
            rounded_box((w, t, h), 0.06, 2),
            bands([rgb, rgb, draw.pick((metal(draw), rgb))], [-0.2, 0.35], 2),
        )
        r, long = draw.uniform(0.17, 0.26), draw.uniform(0.1, 0.5)
        lens = revolve(
            [(r, 0), (r, long), (r * 0.85, long), (r * 0.8, long - 0.05), (0, long - 0.05)], 24
        )
        model.add(
            lens.rotated("x", 90).moved(0.05, -t / 2, h * 0.48),
            bands([DARK, GLASS * 1.5, DARK], [-0.6, -0.2], 1),
        )
        model.add(
            cylinder(r * 0.7, 0.01, 16)
            .rotated("x", 90)
            .moved(0.05, -t / 2 - long + 0.04, h * 0.48),
            plain(GLASS),
        )
        model.add(box((0.25, t * 0.7, 0.1), 1, 0.8).moved(0.05, 0, h), plain(rgb)).add(
            cylinder(0.05, 0.05, 12).moved(-0.32, 0, h), plain(metal(draw))
        )
    elif kind == "speaker":
        w, d, h = draw.uniform(0.4, 1.0), draw.uniform(0.3, 0.5), draw.uniform(0.4, 1.0)
        if draw.chance(0.3):
            model.add(cylinder(w / 2, h, 28), any_paint(draw, rgb, 0.2)).add(
                cylinder(w * 0.42, 0.02, 24).moved(0, 0, h), plain(contrast(draw, rgb))
            )
        else:
            model.add(
                rounded_box((w, d, h), 0.04, 1), grain(draw) if draw.chance(0.3) else plain(rgb)
            )
            for k in range(n := draw.integer(1, 3)):
                r = min(w, h / n) * 0.38 * draw.uniform(0.6, 1)
                cone = revolve(
                    [(r, 0), (r * 1.05, 0.03), (r * 0.9, 0.03), (r * 0.3, -0.03), (0, 0.02)], 22
                )
                model.add(
                    cone.rotated("x", 90).moved(0, -d / 2, h * (k + 0.5) / n),
                    bands([contrast(draw, rgb), DARK * 2], [-0.2], 1),
                )
    elif kind == "adapter":
        model.add(rounded_box((0.5, 0.4, 0.3), 0.05, 2), plain(rgb))
        path = curve(
            [
                (0.2, 0, 0.12),
                (0.5, 0.1, 0.06),
                (0.6, 0.5, 0.03),
                (0.1, 0.6, 0.03),
                (-0.3, 0.4, 0.03),
                (-0.5, 0.7, 0.03),
            ],
            40,
        )
        model.add(tube(path, 0.022, 7, ends="round"), plain(rgb))
        for y in (-0.08, 0.08):
            model.add(box((0.14, 0.03, 0.06)).moved(-0.3, y, 0.12), plain(metal(draw)))
    elif kind in ("laptop", "monitor"):
        w, h = 1.0, draw.uniform(0.55, 0.7)
        tilt = draw.uniform(-15, 35) if kind == "laptop" else draw.uniform(-5, 12)
        panel = Model().add(rounded_box((w, 0.05, h), 0.015, 1), plain(rgb))
        panel.add(
            grid(
                np.array(
                    [
                        [(-w * 0.46, -0.028, h * 0.06), (w * 0.46, -0.028, h * 0.06)],
                        [(-w * 0.46, -0.028, h * 0.95), (w * 0.46, -0.028, h * 0.95)],
                    ]
                )
            ),
            screen(draw),
        )
        panel.rotated("x", -tilt)
        if kind == "laptop":
            model.extend(panel.moved(0, 0.32, 0.04)).add(
                rounded_box((w, 0.66, 0.05), 0.015, 1), plain(rgb)
            )
            model.add(plate(rectangle(w * 0.86, 0.3), 0.053).moved(0, 0.08), keys(draw, rgb)).add(
                plate(rectangle(0.26, 0.15), 0.053).moved(0, -0.2), plain(shade(rgb, 0.8))
            )
        else:
            z = draw.uniform(0.12, 0.25)
            model.extend(panel.moved(0, 0, z)).add(
                box((0.1, 0.05, z + 0.15)).moved(0, 0.07, 0.01), plain(rgb)
            ).add(rounded_box((0.4, 0.28, 0.03), 0.01, 1).moved(0, 0.04, 0), plain(rgb))
    elif kind == "mouse":
        part = superquadric((0.5, 0.3, 0.22), 0.8, 0.8).map(
            lambda p: np.stack(
                [p[:, 0], p[:, 1], np.maximum(p[:, 2], -0.05) * (1 - 0.35 * p[:, 0])], -1
            )
        )
        model.add(part, bands([rgb, draw.pick((rgb, DARK * 3))], [0.1], 0)).add(
            cylinder(0.06, 0.05, 12).rotated("x", 90).moved(0.28, 0.025, 0.13), plain(DARK * 3)
        )
        if draw.chance(0.5):
            model.add(
                tube(
                    curve(
                        [(0.48, 0, 0), (0.7, 0.1, -0.03), (0.9, -0.1, -0.03), (1.2, 0.2, -0.03)], 16
                    ),
                    0.018,
                    6,
                ),
                plain(rgb),
            )
    elif kind == "gamepad":
        model.add(superquadric((0.4, 0.22, 0.09), 0.7, 0.6), plain(rgb))
        for s in (-1, 1):
            model.add(
                tube(
                    curve(
                        [(s * 0.3, 0.02, 0), (s * 0.45, -0.15, -0.01), (s * 0.5, -0.38, -0.05)], 8
                    ),
                    np.linspace(0.13, 0.08, 8),
                    10,
                    ends="round",
                ),
                plain(rgb),
            ).add(cylinder(0.06, 0.09, 12).moved(s * 0.17, -0.08, 0.05), plain(DARK * 2))
            for k in range(4):
                model.add(
                    cylinder(0.03, 0.03, 8).moved(
                        s * 0.3 + 0.06 * np.cos(k * np.pi / 2),
                        0.07 + 0.06 * np.sin(k * np.pi / 2),
                        0.08,
                    ),
                    plain(vivid(draw) if s > 0 else DARK * 3),
                )
    elif kind == "keyboard":
        w, d = 1.0, draw.uniform(0.3, 0.4)
        model.add(rounded_box((w, d, 0.05), 0.015, 1), plain(rgb)).add(
            plate(rectangle(w * 0.95, d * 0.88), 0.053), keys(draw, rgb)
        )
    elif kind == "router":
        model.add(rounded_box((0.8, 0.5, 0.12), 0.04, 2), plain(rgb))
        for x in np.linspace(-0.3, 0.3, draw.integer(0, 4)):
            model.add(
                tube(
                    [(x, 0.24, 0.06), (x * 1.3, 0.28, draw.uniform(0.4, 0.7))],
                    0.025,
                    8,
                    ends="round",
                ),
                plain(DARK),
            )
        model.add(box((0.5, 0.012, 0.03)).moved(0, -0.25, 0.05), plain(vivid(draw)))
    else:
        a = np.linspace(0, np.pi, 18)
        path = np.stack([0.42 * np.cos(a), 0 * a, 0.45 + 0.45 * np.sin(a)], -1)
        model.add(tube(path, np.tile([0.03, 0.06], (18, 1)), 8, up=(0, 1, 0)), plain(rgb))
        for s in (-1, 1):
            model.add(
                cylinder(0.2, 0.1, 20).rotated("y", 90).moved(s * 0.42 - 0.05, 0, 0.38),
                plain(contrast(draw, rgb) if draw.chance(0.4) else rgb),
            ).add(
                torus(0.15, 0.06, 18, 8).rotated("y", 90).moved(s * 0.34, 0, 0.38),
                plain(DARK * 1.5),
            )
        if draw.chance(0.6):
            model.rotated("x", draw.uniform(60, 95))
    del front
    return model.grounded()


def keys(draw: Draw, rgb) -> np.ndarray:
    """A keyboard seen from above."""
    image = labels.sheet(48, 144, shade(rgb, 0.5))
    key = labels.rgb255(draw.pick((DARK * 1.5, np.full(3, 0.9), contrast(draw, rgb))))
    for j in range(5):
        for i in range(15):
            image[j * 9 + 3 : j * 9 + 10, i * 9 + 5 : i * 9 + 12] = key
    return image


@family(weight=1.5, lie=0.0)
def book(draw: Draw) -> Model:
    """Books, notebooks, magazines, boxes of films; closed, stacked, standing, open."""
    model = Model()

    def one(w, d, t):
        rgb, m = color(draw), Model()
        c = 0.04 * t + 0.006
        m.add(
            box((w - 0.02, d - 0.03, t - 2 * c)).moved(0.005, 0, c),
            mottled(draw, (0.93, 0.9, 0.83), 0.04, 9),
        )
        cover = labels.front(draw, 96, 72, rgb)
        for z, image in ((0.0, None), (t - c, cover)):
            m.add(box((w, d, c)).moved(0, 0, z), plain(rgb))
            if image is not None:
                m.add(plate(rectangle(w, d), t + 0.002), image)
        m.add(plate(rectangle(w, d), -0.002).flipped(), labels.back(draw, 96, 72, rgb))
        m.add(box((c, d, t)).moved(-w / 2, 0, 0), plain(shade(rgb, 0.92)))
        if draw.chance(0.6):
            spine = np.array(
                [
                    [(-w / 2 - c / 2 - 0.002, d / 2, 0), (-w / 2 - c / 2 - 0.002, -d / 2, 0)],
                    [(-w / 2 - c / 2 - 0.002, d / 2, t), (-w / 2 - c / 2 - 0.002, -d / 2, t)],
                ]
            )
            strip = labels.sheet(24, 96, rgb)
            labels.title(draw, strip, (6, 3, 90, 21), contrast(draw, rgb))
            m.add(grid(spine), strip)
        return m

    w, d = draw.uniform(0.5, 0.8), draw.uniform(0.7, 1.0)
    kind = draw.pick(("one", "one", "stack", "row", "open"))
    if kind == "open":
        x = np.linspace(-1, 1, 22)
        z = 0.05 + 0.07 * np.sin(np.pi * np.abs(x)) ** 0.7 * (1 - 0.5 * np.abs(x))
        y = np.array([-0.5, 0.5])
        page = np.stack(
            [
                np.broadcast_to(x * w, (2, 22)),
                np.broadcast_to(y[:, None] * d, (2, 22)),
                np.broadcast_to(z, (2, 22)),
            ],
            -1,
        )
        paper = np.concatenate(
            [
                labels.back(draw, 96, 64, np.full(3, 0.95)),
                draw.pick((labels.back, labels.front))(draw, 96, 64, np.full(3, 0.95)),
            ],
            1,
        )
        model.add(grid(page), paper).add(
            grid(page * [1.02, 1.02, 0] - [0, 0, 0.01]).flipped(), plain(color(draw))
        ).add(box((2 * w, d * 0.99, 0.04)), plain((0.9, 0.88, 0.82)))
        return model.grounded()
    z = 0.0
    for k in range(1 if kind == "one" else draw.integer(2, 6)):
        t = draw.uniform(0.04, 0.22)
        m = one(w * draw.uniform(0.85, 1.1), d * draw.uniform(0.85, 1.1), t)
        if kind == "row":
            m.rotated("y", -90).grounded().rotated("z", 180)
            model.extend(m.moved(z + t / 2, 0, 0))
        else:
            model.extend(m.rotated("z", draw.uniform(-20, 20) if k else 0).moved(0, 0, z))
        z += t + 0.004
    if kind == "one" and draw.chance(0.35):
        model.rotated("y", -90)
    return model.grounded()


@family(weight=0.8)
def clock(draw: Draw) -> Model:
    """Alarm clocks, watches, mirrors, picture frames, road signs, cones, magnifying glasses."""
    kind = draw.pick(("alarm", "frame", "sign", "cone", "glass", "watch", "hydrant"))
    model, rgb = Model(), draw.pick((vivid(draw), metal(draw), color(draw)))
    if kind in ("alarm", "watch"):
        r = 0.45
        model.add(
            revolve(
                [(0, 0), (r, 0), (r * 1.06, 0.1), (r, 0.22), (r * 0.9, 0.22), (r * 0.88, 0.18)], 28
            ).rotated("x", 90),
            plain(rgb),
        )
        face = labels.sheet(64, 64, draw.pick((np.full(3, 0.96), DARK, color(draw))))
        ink = contrast(draw, face[0, 0] / 255, 0.5)
        import cv2

        for k in range(12):
            a = k * np.pi / 6
            cv2.circle(
                face,
                (int(32 + 26 * np.sin(a)), int(32 - 26 * np.cos(a))),
                2,
                labels.rgb255(ink),
                -1,
            )
        for length, a in ((16, draw.uniform(0, 6.3)), (24, draw.uniform(0, 6.3))):
            cv2.line(
                face,
                (32, 32),
                (int(32 + length * np.sin(a)), int(32 - length * np.cos(a))),
                labels.rgb255(ink),
                3,
            )
        disc = plate(ring_outline(28, r * 0.88, r * 0.88), 0.19)
        model.add(disc.rotated("x", 90), face)
        if kind == "alarm":
            for s in (-1, 1):
                model.add(
                    sphere((0.17, 0.12, 0.13), 14, 8)
                    .rotated("y", s * 35)
                    .moved(s * 0.26, -0.1, 0.5),
                    plain(draw.pick((rgb, metal(draw)))),
                )
                model.add(
                    tube([(s * 0.28, -0.1, -0.3), (s * 0.4, -0.1, -0.56)], 0.035, 7, ends="round"),
                    plain(DARK),
                )
        else:
            strap = (
                curve(
                    [
                        (0, 0.1, 0),
                        (0, 0.15, 0.5),
                        (0, 0.9, 0.75),
                        (0, 1.4, 0.2),
                        (0, 1.4, -0.2),
                        (0, 0.9, -0.75),
                        (0, 0.15, -0.5),
                    ],
                    30,
                    closed=True,
                )
                if draw.chance(0.5)
                else curve([(0, 0.02, -1.6), (0, 0.0, 0), (0, 0.02, 1.6)], 12)
            )
            closed = len(strap) == 30
            model.add(
                tube(
                    strap,
                    np.tile([0.04, 0.2], (len(strap), 1)),
                    ring_outline(8, power=5),
                    closed=closed,
                    up=(1, 0, 0),
                ),
                plain(color(draw, "black", "brown", "grey", "blue")),
            )
            if not closed:
                model.rotated("x", -90)
    elif kind == "frame":
        w, h, t = draw.uniform(0.5, 1), draw.uniform(0.5, 1), draw.uniform(0.04, 0.12)
        for x, z, sx, sz in (
            (0, 0, w, t),
            (0, h - t, w, t),
            (-(w - t) / 2, t, t, h - 2 * t),
            ((w - t) / 2, t, t, h - 2 * t),
        ):
            model.add(
                box((sx, 0.05, sz)).moved(x, 0, z),
                grain(draw, wood(draw)) if draw.chance(0.3) else plain(rgb),
            )
        model.add(box((w * 0.96, 0.02, h * 0.96)).moved(0, 0.01, h * 0.02), plain((0.5, 0.4, 0.3)))
        image = (
            labels.picture(draw, 64, 64)
            if draw.chance(0.8)
            else labels.sheet(64, 64, (0.7, 0.78, 0.82))
        )
        e = t * 0.8
        model.add(
            grid(
                np.array(
                    [
                        [(-w / 2 + e, -0.003, e), (w / 2 - e, -0.003, e)],
                        [(-w / 2 + e, -0.003, h - e), (w / 2 - e, -0.003, h - e)],
                    ]
                )
            ),
            image,
        )
        if draw.chance(0.5):
            model.add(tube([(0, 0.02, h * 0.7), (0, 0.35, -0.08)], 0.02, 6), plain((0.4, 0.3, 0.2)))
            model.rotated("x", -12)
    elif kind == "sign":
        n = draw.pick((3, 4, 8, 24))
        shape = (
            ring_outline(24, 0.3, 0.3)
            if n == 24
            else 0.34
            * np.stack(
                [
                    np.cos(
                        a := 2 * np.pi * (np.arange(n) + 0.5) / n
                        - np.pi / 2 * (n == 3)
                        + np.pi / n * (n == 3)
                    ),
                    np.sin(a),
                ],
                -1,
            )
        )
        z = draw.uniform(0.7, 1.0)
        model.add(extrude(shape, 0.03).rotated("x", 90).moved(0, -0.02, z), plain(vivid(draw))).add(
            plate(shape * 0.85, 0.005).rotated("x", 90).moved(0, -0.048, z),
            labels.front(draw, 48, 48, draw.pick((np.full(3, 0.95), vivid(draw)))),
        )
        model.add(cylinder(0.03, z + 0.2, 10), plain(metal(draw))).add(
            cylinder(0.2, 0.05, 20), plain(DARK * 3)
        )
    elif kind == "cone":
        model.add(box((0.6, 0.6, 0.05)), plain(draw.pick((DARK, (0.95, 0.4, 0.05))))).add(
            revolve([(0.24, 0.05), (0.05, 0.85), (0, 0.85)], 24),
            bands(
                [
                    (0.95, 0.4, 0.05),
                    (0.95, 0.95, 0.95),
                    (0.95, 0.4, 0.05),
                    (0.95, 0.95, 0.95),
                    (0.95, 0.4, 0.05),
                ],
                [-0.4, -0.1, 0.2, 0.5],
                2,
            ),
            bake=True,
        )
    elif kind == "glass":
        model.add(torus(0.3, 0.035, 28, 8), plain(rgb)).add(
            cylinder(0.29, 0.02, 24).moved(0, 0, -0.01), plain((0.75, 0.82, 0.86))
        ).add(
            tube([(0.32, 0, 0), (0.95, 0, 0)], np.array([0.03, 0.05]), 9, ends="round"),
            plain(draw.pick((DARK, wood(draw), rgb))),
        )
    else:
        model.add(
            revolve(
                profile(
                    [
                        (0.3, 0),
                        (0.3, 0.06),
                        (0.2, 0.08),
                        (0.2, 0.6),
                        (0.23, 0.64),
                        (0.21, 0.75),
                        (0.1, 0.88),
                        (0, 0.9),
                    ],
                    26,
                ),
                22,
            ),
            plain(rgb),
        ).add(revolve([(0, 0), (0.3, 0)], 22), rgb)
        for k in range(3):
            model.add(
                cylinder(0.09, 0.14, 12)
                .rotated("y", 90)
                .moved(0.17, 0, 0.45)
                .rotated("z", 120 * k),
                plain(shade(rgb, 0.9)),
            )
    return model.grounded()


@family(weight=0.6)
def instrument(draw: Draw) -> Model:
    """Guitars, drums, trumpets, bells, dumb-bells, rackets, skateboards, trophies, globes."""
    kind = draw.pick(
        ("guitar", "drum", "bell", "dumbbell", "racket", "skateboard", "sword", "globe")
    )
    model, rgb = Model(), draw.pick((vivid(draw), wood(draw), color(draw)))
    if kind == "guitar":
        body_line = curve(
            [
                (-0.5, 0),
                (-0.4, 0.28),
                (-0.15, 0.27),
                (0.0, 0.17),
                (0.2, 0.22),
                (0.3, 0.05),
                (0.3, -0.05),
                (0.2, -0.22),
                (0.0, -0.17),
                (-0.15, -0.27),
                (-0.4, -0.28),
            ],
            44,
            closed=True,
        )
        model.add(
            extrude(body_line, 0.14, 0.015),
            grain(draw, wood(draw), 0) if draw.chance(0.5) else plain(rgb),
        ).add(cylinder(0.1, 0.006, 18).moved(0, 0, 0.14), plain(DARK)).add(
            box((0.75, 0.08, 0.04)).moved(0.6, 0, 0.13), plain(wood(draw))
        ).add(box((0.18, 0.12, 0.04)).moved(1.05, 0, 0.12), plain(rgb)).add(
            box((0.04, 0.2, 0.03)).moved(-0.25, 0, 0.14), plain(DARK)
        )
        model.rotated("y", draw.pick((0, -80)))
    elif kind == "drum":
        r, h = draw.uniform(0.35, 0.6), draw.uniform(0.3, 0.9)
        model.add(revolve([(r, 0.02), (r, h - 0.02)], 28), any_paint(draw, rgb, 0.5), bake=True)
        for z in (0, h - 0.06):
            model.add(
                revolve([(r, z), (r * 1.05, z), (r * 1.05, z + 0.06), (r, z + 0.06)], 28),
                plain(metal(draw)),
            )
        model.add(revolve([(r, h - 0.01), (0, h - 0.01)], 28), plain((0.93, 0.91, 0.86))).add(
            revolve([(0, 0.01), (r, 0.01)], 28), plain((0.9, 0.88, 0.84))
        )
        if draw.chance(0.4):
            for s in (-1, 1):
                model.add(
                    tube(
                        [(-0.4, s * 0.15, h + 0.03), (0.6, s * 0.05, h + 0.06)],
                        0.025,
                        7,
                        ends="round",
                    ),
                    plain(wood(draw)),
                )
    elif kind == "bell":
        line = profile([(0.5, 0), (0.42, 0.12), (0.3, 0.45), (0.2, 0.62), (0, 0.68)], 18)
        model.add(revolve(line, 26), brushed(draw, metal(draw))).add(
            revolve([(0, 0.4), (0.25, 0.35), (0.47, 0)], 26), plain(DARK * 3)
        ).add(
            tube([(0, 0, 0.65), (0, 0, 1.1)], np.array([0.04, 0.07]), 9, ends="round"),
            plain(wood(draw)),
        )
    elif kind == "dumbbell":
        r = draw.uniform(0.15, 0.3)
        model.add(
            cylinder(0.04, 0.8, 10).moved(0, 0, -0.4).rotated("y", 90), brushed(draw, metal(draw))
        )
        for s in (-1, 1):
            part = cylinder(r, 0.22, draw.pick((6, 24)))
            model.add(part.moved(0, 0, 0.22).rotated("y", 90 * s), plain(draw.pick((DARK, rgb))))
    elif kind == "racket":
        a = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        path = np.stack([0.33 * np.cos(a), 0.25 * np.sin(a), 0 * a], -1)
        model.add(tube(path, 0.028, 8, closed=True), plain(rgb)).add(
            tube([(0.33, 0, 0), (1.0, 0, 0)], np.array([0.03, 0.045]), 9),
            plain(draw.pick((DARK, wood(draw), rgb))),
        )
        if draw.chance(0.5):
            model.add(
                cylinder(1, 0.03, 26).scaled(0.32, 0.24, 1).moved(0, 0, -0.015), plain(vivid(draw))
            )
        else:
            for y in np.linspace(-0.2, 0.2, 7):
                x = 0.33 * np.sqrt(1 - (y / 0.25) ** 2)
                model.add(tube([(-x, y, 0), (x, y, 0)], 0.006, 4), plain(np.full(3, 0.9)))
            for x in np.linspace(-0.26, 0.26, 8):
                y = 0.25 * np.sqrt(1 - (x / 0.33) ** 2)
                model.add(tube([(x, -y, 0), (x, y, 0)], 0.006, 4), plain(np.full(3, 0.9)))
    elif kind == "skateboard":
        t = np.linspace(-1, 1, 20)
        path = np.stack([0.6 * t, 0 * t, 0.14 + 0.12 * np.clip(np.abs(t) - 0.7, 0, 1) / 0.3], -1)
        wide = 0.15 * np.clip(1 - np.abs(t) ** 8, 0.2, 1)
        model.add(
            tube(path, np.stack([wide, 0 * t + 0.015], -1), ring_outline(8, power=6), up=(0, 0, 1)),
            any_paint(draw, rgb, 0.4),
        )
        add_wheels(model, (-0.36, 0.36), 0.11, 0.05, 0.05, np.full(3, 0.9))
    elif kind == "sword":
        w = draw.uniform(0.03, 0.06)
        model.add(
            extrude([(0, -w), (0.8, -w * 0.8), (0.95, 0), (0.8, w * 0.8), (0, w)], 0.025, 0.01),
            brushed(draw, metal(draw)),
        ).add(box((0.05, 0.3, 0.05)).moved(0, 0, -0.012), plain(draw.pick((metal(draw), rgb)))).add(
            tube([(0, 0, 0.012), (-0.28, 0, 0.012)], 0.03, 9, ends="round"),
            any_paint(draw, rgb, 0.4),
        )
    else:
        from training.data.objects.surfaces import smooth_noise

        noise = smooth_noise(draw, 1.3)
        model.add(
            sphere((0.4,) * 3, 26, 15).rotated("x", 23),
            lambda p: np.where((noise(p) > 0.3)[:, None], (0.4, 0.5, 0.22), (0.18, 0.36, 0.62)),
            bake=True,
        )
        a = np.linspace(-np.pi / 2 - 0.3, np.pi / 2 - 0.1, 14)
        model.add(
            tube(np.stack([0.46 * np.cos(a), 0 * a, 0.46 * np.sin(a)], -1), 0.02, 7),
            plain(metal(draw)),
        ).add(
            revolve([(0, -0.62), (0.25, -0.62), (0.22, -0.57), (0.04, -0.54), (0.04, -0.4)], 20),
            plain(draw.pick((DARK, wood(draw)))),
        )
    return model.grounded()
