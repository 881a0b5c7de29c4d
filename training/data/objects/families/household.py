"""Trays and boxes with compartments; bins, dispensers and coffee makers."""

import numpy as np

from training.data.objects import labels, prints
from training.data.objects.draw import DARK, Draw, color, contrast, metal, shade
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
    tube,
)
from training.data.objects.surfaces import any_paint, bands, brushed, plain


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
        face = prints.sheet(64, 64, np.full(3, 0.95))
        prints.small_print(draw, face, (10, 12, 54, 52), DARK)
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
