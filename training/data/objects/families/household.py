"""Other household things: lids, trays, staplers, bins, perfume, packs, nested cups, castles."""

import numpy as np

from training.data.objects import labels
from training.data.objects.draw import DARK, Draw, color, contrast, metal, shade, vivid, wood
from training.data.objects.families.containers import cap
from training.data.objects.families.cookware import lid
from training.data.objects.families.crockery import walled
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, rectangle, ring_outline
from training.data.objects.shapes import (
    box,
    cylinder,
    extrude,
    loft,
    plate,
    revolve,
    rounded_box,
    sphere,
    superquadric,
    torus,
    tube,
)
from training.data.objects.surfaces import any_paint, bands, brushed, mottled, plain, sectors


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
            image[: draw.integer(8, 30)] = labels.rgb255(contrast(draw, rgb))
            model.add(revolve([(r * 0.97, h), (0, h)], 32), image)
    if draw.chance(0.3):
        model.rotated("x", draw.pick((180, 75)))
    return model.grounded()


@family(weight=1.3)
def tray(draw: Draw) -> Model:
    """Trays, organisers, ice trays, egg cartons, baking tins, lunch boxes, paint boxes, drawers."""
    model, rgb = Model(), draw.pick((color(draw), metal(draw), np.full(3, 0.93)))
    w, d, h, t = (
        draw.uniform(0.6, 1.2),
        draw.uniform(0.4, 0.8),
        draw.uniform(0.06, 0.4),
        draw.uniform(0.012, 0.03),
    )
    kind = draw.pick(("open", "cells", "cups", "lunch"))
    if kind in ("open", "lunch"):
        n, flare = 32, draw.uniform(1.0, 1.15)
        outline = np.stack([ring_outline(n, power=draw.uniform(4, 10))] * 1)[0] * [w / 2, d / 2]
        levels = [
            (0.0, 0.97),
            (0.02, 1.0),
            (h, flare),
            (h, flare - 2 * t / d),
            (t, 1.0 - 2 * t / d),
        ]
        rows = np.stack([np.column_stack([outline * s, np.full(n, z)]) for z, s in levels])
        model.add(loft(rows), any_paint(draw, rgb, 0.15))
        if kind == "lunch":
            cover = draw.pick((rgb, contrast(draw, rgb)))
            top = np.stack(
                [
                    np.column_stack([outline * s * flare, np.full(n, z)])
                    for z, s in ((h, 1.04), (h + 0.05, 1.04), (h + 0.07, 0.97))
                ]
            )
            model.add(loft(top), any_paint(draw, cover, 0.3))
            if draw.chance(0.5):
                model.add(plate(outline * 0.8, h + 0.074), labels.front(draw, 64, 80, cover))
        elif draw.chance(0.5):
            for _ in range(draw.integer(1, 7)):
                s = draw.uniform(0.06, 0.14)
                part = draw.pick(
                    (
                        sphere((s, s, s * 0.8), 12, 8).moved(0, 0, s * 0.8),
                        rounded_box((s * 2, s * 1.4, s), 0.02, 1),
                        cylinder(s * 0.7, s * 1.5, 14),
                    )
                )
                model.add(
                    part.moved(*(draw.uniforms(-0.32, 0.32, 2) * [w, d]), t),
                    any_paint(draw, None, 0.3),
                )
    else:
        nx, ny = draw.integer(2, 5), draw.integer(1, 3)
        if kind == "cells":
            paint = any_paint(draw, rgb, 0.1)
            for x in np.linspace(-w / 2, w / 2, nx + 1):
                model.add(box((t, d + t, h)).moved(x, 0, 0), paint)
            for y in np.linspace(-d / 2, d / 2, ny + 1):
                model.add(box((w - t, t, h * 0.999)).moved(0, y, 0), paint)
            model.add(box((w, d, t)).moved(0, 0, 0.002), plain(shade(rgb, 0.8)))
        else:
            cell = min(w / nx, d / ny)
            model.add(
                extrude(rectangle(nx * cell, ny * cell, cell * 0.3), t).moved(0, 0, cell * 0.6),
                plain(rgb),
            )
        for i in range(nx):
            for j in range(ny):
                x, y = (i + 0.5) / nx - 0.5, (j + 0.5) / ny - 0.5
                if kind == "cups":
                    x, y = x * nx * cell, y * ny * cell
                    r = cell * 0.42
                    model.add(
                        revolve([(0, 0), (r * 0.7, 0), (r, cell * 0.6)], 16).moved(x, y, 0),
                        plain(rgb),
                    )
                    fill = draw.pick(
                        (DARK * 2, color(draw, "cream", "brown", "yellow"), shade(rgb, 0.6))
                    )
                    z = cell * 0.6 + t + 0.004
                    bulge = draw.pick((0.0, 0.0, 0.35 * cell))
                    model.add(
                        revolve(
                            [(r * 0.95, z), (r * 0.6, z + bulge * 0.8), (0, z + bulge)], 16
                        ).moved(x, y, 0),
                        plain(fill),
                    )
                elif draw.chance(0.6):
                    s = 0.35 * min(w / nx, d / ny)
                    part = draw.pick(
                        (
                            sphere((s, s, s), 12, 8).moved(0, 0, s),
                            cylinder(s * 0.8, h * draw.uniform(0.6, 1.6), 14),
                            box((s * 1.6, s * 1.4, h * draw.uniform(0.4, 1.5))),
                        )
                    )
                    model.add(part.moved(x * w, y * d, t + 0.004), any_paint(draw, None, 0.3))
    if draw.chance(0.06):
        model.rotated("x", draw.pick((80, 180)))
    return model.grounded()


@family(weight=0.8)
def stapler(draw: Draw) -> Model:
    """Staplers, hole punches, tape dispensers, can openers, nutcrackers: two arms on a base."""
    model, rgb = Model(), draw.pick((DARK, vivid(draw), color(draw)))
    w = draw.uniform(0.12, 0.2)
    if draw.chance(0.65):
        opening = draw.uniform(4, 14)
        base = rounded_box((1.0, w, 0.06), 0.02, 1)
        model.add(base, plain(draw.pick((DARK, rgb))))
        t = np.linspace(0, 1, 9)
        path = np.stack([-0.5 + 0.98 * t, 0 * t, 0.06 + 0.05 * np.sin(np.pi * t)], -1)
        size = np.stack(
            [w / 2 * (0.7 + 0.3 * np.sin(np.pi * t)), 0.05 + 0.03 * np.sin(np.pi * t)], -1
        )
        arm = tube(path, size, ring_outline(12, power=4), ends="round", up=(0, 0, 1))
        rail = box((0.9, w * 0.6, 0.05)).moved(0, 0, 0.02)
        for part, paint in (
            (arm.moved(0, 0, 0.07), plain(rgb)),
            (rail, brushed(draw, metal(draw))),
        ):
            turned = part.moved(0.5, 0, 0).rotated("y", -opening).moved(-0.5, 0, 0.08)
            model.add(turned, paint)
        model.add(box((0.1, w * 1.05, 0.14)).moved(-0.45, 0, 0.03), plain(shade(rgb, 0.8)))
    else:
        side = curve(
            [
                (-0.5, 0),
                (0.5, 0),
                (0.5, 0.16),
                (0.3, 0.22),
                (0.05, 0.3),
                (-0.2, 0.5),
                (-0.45, 0.42),
            ],
            30,
            closed=True,
        )
        for y in (-w, w * 0.8):
            model.add(extrude(side, w * 0.2).rotated("x", 90).moved(0, y + w * 0.2, 0), plain(rgb))
        model.add(box((0.9, w * 1.8, 0.08)), plain(rgb))
        reel = revolve([(0.1, 0), (0.19, 0), (0.19, 2 * w * 0.8), (0.1, 2 * w * 0.8)], 22)
        model.add(
            reel.rotated("x", 90).moved(-0.2, w * 0.78, 0.26),
            plain(draw.pick(((0.85, 0.8, 0.62), color(draw)))),
        )
    return model.grounded()


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


@family(weight=0.8)
def pack(draw: Draw) -> Model:
    """Packs of cans, bottles, rolls or boxes, in a row or a block, some wrapped."""
    model, nx, ny = Model(), draw.integer(2, 4), draw.integer(1, 2)
    rgb, kind = color(draw), draw.pick(("cans", "bottles", "rolls", "boxes"))
    image = labels.wrapper(draw, rgb, 48, 96)
    wrap = labels.carton(draw, (0.4, 0.5, 0.9), rgb)
    tin, top = metal(draw), color(draw)
    h = draw.uniform(0.6, 1.3)
    for i in range(nx):
        for j in range(ny):
            one = Model()
            if kind == "cans":
                one.add(revolve([(0.24, 0.03), (0.24, h)], 18), image).add(
                    revolve([(0, 0), (0.2, 0), (0.24, 0.03)], 18), plain(tin)
                ).add(
                    revolve([(0.24, h), (0.2, h + 0.04), (0.19, h + 0.02), (0, h + 0.02)], 18),
                    brushed(draw, tin),
                )
            elif kind == "bottles":
                one.add(
                    revolve(
                        [(0.22, 0), (0.24, 0.05), (0.24, h * 0.6), (0.08, h * 0.85), (0.08, h)], 16
                    ),
                    image,
                ).add(cylinder(0.1, 0.12, 12).moved(0, 0, h - 0.02), plain(top)).add(
                    revolve([(0, 0), (0.22, 0)], 16), plain(rgb)
                )
            elif kind == "rolls":
                one.add(
                    revolve([(0.08, 0), (0.24, 0), (0.24, h), (0.08, h), (0.08, 0)], 18),
                    mottled(draw, (0.93, 0.92, 0.9), 0.03),
                )
            else:
                one.add(box((0.46, 0.47, h)), wrap)
            model.extend(
                one.rotated("z", draw.uniform(0, 360) if kind != "boxes" else 0).moved(
                    0.5 * i, 0.5 * j, 0
                )
            )
    if draw.chance(0.4) and kind != "boxes":
        low, high = model.bounds()
        z = h * draw.uniform(0.0, 0.4)
        size = (*(high - low)[:2] + 0.03, h * draw.uniform(0.3, 0.6))
        middle = (low + high) / 2
        model.add(
            rounded_box(size, 0.03, 1).moved(middle[0], middle[1], z),
            labels.carton(draw, size, vivid(draw)),
        )
    return model.grounded()


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


@family(weight=0.7)
def castle(draw: Draw) -> Model:
    """Castles, lighthouses, wind mills, stage sets, bird houses, bridges: buildings as toys."""
    model, rgb = (
        Model(),
        draw.pick((np.array([0.65, 0.63, 0.6]), color(draw), np.array([0.75, 0.6, 0.42]))),
    )
    roof = draw.pick((vivid(draw), color(draw)))
    kind = draw.pick(("castle", "lighthouse", "mill", "bridge"))
    stone = mottled(draw, rgb, 0.08, 6)

    def tower(x, y, r, h):
        model.add(cylinder(r, h, 14, r * draw.uniform(0.85, 1)).moved(x, y, 0), stone)
        if draw.chance(0.6):
            model.add(
                cylinder(r * 1.25, draw.uniform(0.2, 0.45), 14, 0.0).moved(x, y, h), plain(roof)
            )
        else:
            model.add(cylinder(r * 1.15, 0.08, 14).moved(x, y, h), plain(shade(rgb, 0.9)))
            for k in range(5):
                a = 2 * np.pi * k / 5
                model.add(
                    box((0.05, 0.05, 0.07)).moved(x + r * np.cos(a), y + r * np.sin(a), h + 0.08),
                    plain(shade(rgb, 0.9)),
                )
        model.add(box((0.05, 0.02, 0.1)).moved(x, y - r * 1.0, h * 0.6), plain(DARK))

    if kind == "castle":
        w, d, h = draw.uniform(0.5, 0.9), draw.uniform(0.4, 0.7), draw.uniform(0.25, 0.45)
        model.add(box((w, d, h)), stone)
        for x in (-1, 1):
            for y in (-1, 1):
                if draw.chance(0.85):
                    tower(
                        x * w / 2, y * d / 2, draw.uniform(0.09, 0.14), h * draw.uniform(1.1, 1.9)
                    )
        model.add(box((0.2, 0.03, h * 0.7)).moved(0, -d / 2, 0), plain(wood(draw) * 0.6))
    elif kind == "lighthouse":
        second = contrast(draw, rgb)
        h = draw.uniform(0.7, 1.2)
        model.add(
            revolve([(0, 0), (0.22, 0), (0.13, h), (0, h)], 20),
            bands([rgb, second] * 3, np.linspace(-0.65, 0.65, 5), 2),
            bake=True,
        )
        model.add(cylinder(0.18, 0.03, 18).moved(0, 0, h), plain(DARK)).add(
            cylinder(0.1, 0.15, 14).moved(0, 0, h + 0.03), plain((0.95, 0.9, 0.6))
        ).add(cylinder(0.14, 0.12, 14, 0.0).moved(0, 0, h + 0.18), plain(roof))
    elif kind == "mill":
        h = draw.uniform(0.6, 0.9)
        model.add(cylinder(0.26, h, 8, 0.17), stone).add(
            cylinder(0.21, 0.22, 8, 0.0).moved(0, 0, h), plain(roof)
        )
        spin = draw.uniform(0, 90)
        for k in range(4):
            blade = box((0.1, 0.015, 0.5)).moved(0.03, 0, 0.03).rotated("y", 90 * k + spin)
            model.add(blade.moved(0, -0.24, h * 0.95), plain(wood(draw)))
        model.add(box((0.12, 0.02, 0.22)).moved(0, -0.25, 0), plain(DARK * 2))
    else:
        w, h = 1.2, draw.uniform(0.25, 0.5)
        a = np.linspace(0, np.pi, 15)
        r = draw.uniform(0.25, 0.42)
        side = np.concatenate(
            [
                [
                    (w / 2, 0),
                    (w / 2, h * 0.8),
                    (0.0, h * 0.8 + 0.12),
                    (-w / 2, h * 0.8),
                    (-w / 2, 0),
                ],
                np.stack([-r * np.cos(a), min(1, h * 0.7 / r) * r * np.sin(a)], -1),
            ]
        )
        model.add(extrude(side, 0.3).rotated("x", 90).moved(0, 0.15, 0), stone)
        for y in (-0.16, 0.16):
            model.add(
                tube(
                    curve(
                        [
                            (-w / 2, y, h * 0.8 + 0.08),
                            (0, y, h * 0.8 + 0.2),
                            (w / 2, y, h * 0.8 + 0.08),
                        ],
                        10,
                    ),
                    0.025,
                    6,
                ),
                plain(roof),
            )
    return model.grounded()


@family(weight=0.7)
def dispenser(draw: Draw) -> Model:
    """Bins, hampers, coffee makers, blenders, soap pumps, water coolers: a tall body with parts."""
    model, rgb = Model(), draw.pick((color(draw), metal(draw), np.full(3, 0.92)))
    kind = draw.pick(("bin", "blender", "coffee", "hourglass", "scale"))
    dark = draw.pick((DARK, contrast(draw, rgb)))
    if kind == "bin":
        r, h = draw.uniform(0.22, 0.34), draw.uniform(0.5, 0.9)
        power = draw.pick((2.0, draw.uniform(4, 9)))
        shape = np.linalg.norm(ring_outline(28, power=power), axis=1)
        model.add(revolve([(0, 0), (r * 0.9, 0), (r, h)], 28, shape), any_paint(draw, rgb, 0.15))
        model.add(
            revolve(
                profile(
                    [
                        (r * 1.04, h),
                        (r * 1.04, h + 0.06),
                        (r * 0.7, h + draw.uniform(0.08, 0.25)),
                        (0, h + 0.2),
                    ],
                    8,
                ),
                28,
                shape,
            ),
            plain(dark),
        )
        model.add(box((0.1, 0.12, 0.03)).moved(0, -r, 0.02), plain(DARK))
    elif kind == "blender":
        model.add(
            revolve(
                profile([(0.26, 0), (0.25, 0.1), (0.17, 0.3)], 8),
                22,
                np.linalg.norm(ring_outline(22, power=4), axis=1),
            ),
            plain(rgb),
        ).add(revolve([(0, 0), (0.26, 0)], 22), plain(rgb))
        glass = np.array([0.7, 0.78, 0.8]) * draw.uniform(0.7, 1.1)
        model.add(
            revolve([(0, 0.3), (0.13, 0.3), (0.2, 0.85), (0, 0.85)], 22),
            bands([color(draw), glass], [draw.uniform(-0.5, 0.7)], 2),
            bake=True,
        )
        model.add(cylinder(0.21, 0.08, 20).moved(0, 0, 0.85), plain(dark)).add(
            cylinder(0.07, 0.06, 12).moved(0, 0, 0.93), plain(dark)
        )
        model.add(
            tube(
                curve([(0.15, 0, 0.4), (0.34, 0, 0.5), (0.34, 0, 0.75), (0.19, 0, 0.8)], 10),
                0.03,
                8,
            ),
            plain(dark),
        ).add(cylinder(0.05, 0.03, 12).rotated("x", 90).moved(0, -0.25, 0.12), plain(metal(draw)))
    elif kind == "coffee":
        model.add(rounded_box((0.5, 0.6, 0.1), 0.03, 1), plain(rgb)).add(
            rounded_box((0.5, 0.22, 0.8), 0.03, 1).moved(0, 0.19, 0), plain(rgb)
        ).add(
            rounded_box((0.5, 0.56, 0.25), 0.04, 1).moved(0, 0.01, 0.6),
            plain(draw.pick((rgb, dark))),
        )
        model.add(
            revolve(profile([(0.14, 0.1), (0.18, 0.25), (0.12, 0.45), (0.13, 0.48)], 10), 20).moved(
                0, -0.1, 0
            ),
            bands([(0.12, 0.06, 0.03), (0.6, 0.66, 0.68)], [draw.uniform(-0.4, 0.5)], 2),
        ).add(revolve([(0.13, 0.48), (0, 0.5)], 20).moved(0, -0.1, 0), plain(DARK))
        model.add(
            tube(
                curve([(0, -0.26, 0.2), (0, -0.4, 0.22), (0, -0.4, 0.42), (0, -0.23, 0.45)], 10),
                0.025,
                7,
            ),
            plain(DARK),
        )
    elif kind == "hourglass":
        sand = draw.pick((color(draw), np.array([0.85, 0.7, 0.45])))
        for z in (0, 0.94):
            model.add(cylinder(0.26, 0.06, 22).moved(0, 0, z), plain(rgb))
        for k in range(3):
            a = 2 * np.pi * k / 3
            model.add(
                cylinder(0.025, 0.9, 8).moved(0.21 * np.cos(a), 0.21 * np.sin(a), 0.05), plain(rgb)
            )
        line = profile([(0.17, 0.06), (0.18, 0.25), (0.03, 0.5), (0.18, 0.75), (0.17, 0.94)], 20)
        model.add(
            revolve(line, 20),
            bands([sand, (0.75, 0.8, 0.82)], [draw.uniform(-0.7, 0.0)], 2),
            bake=True,
        )
    else:
        model.add(rounded_box((0.7, 0.7, 0.1), 0.04, 1), plain(rgb)).add(
            rounded_box((0.5, 0.35, 0.3), 0.06, 1).moved(0, 0, 0.08), plain(rgb)
        )
        face = labels.sheet(64, 64, np.full(3, 0.95))
        labels.small_print(draw, face, (10, 12, 54, 52), DARK)
        model.add(
            plate(ring_outline(24, 0.14, 0.14), 0.0).rotated("x", 90).moved(0, -0.178, 0.23), face
        )
        model.add(
            revolve(
                [(0, 0.42), (0.12, 0.42), (0.4, 0.52), (0.39, 0.54), (0.1, 0.45), (0, 0.45)], 26
            ),
            brushed(draw, metal(draw)),
        )
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
