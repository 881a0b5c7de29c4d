"""Bread, cakes, pies, ice cream."""

import numpy as np

from training.data.objects.draw import Draw, color, hsv, shade, vivid
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile
from training.data.objects.pieces.organic import GREEN, RED, lumpy
from training.data.objects.shapes import (
    box,
    cylinder,
    extrude,
    revolve,
    sphere,
    superquadric,
    torus,
    tube,
)
from training.data.objects.surfaces import blotches, fade, mottled, plain, sectors, spots

CRUST, CRUMB = np.array([0.72, 0.45, 0.2]), np.array([0.93, 0.83, 0.62])


@family(weight=1.5)
def bread(draw: Draw) -> Model:
    """Loaves, baguettes, rolls, toast, croissants, doughnuts, pretzel rings."""
    kind = draw.pick(("loaf", "baguette", "roll", "toast", "croissant", "doughnut", "slice"))
    model, crust = Model(), shade(CRUST, draw.uniform(0.65, 1.25))
    baked = blotches(draw, crust, shade(crust, 1.35), 2.5, 0.5)
    if kind == "loaf":
        model.add(
            lumpy(draw, superquadric((0.9, 0.45, 0.4), 0.6, 0.5), 0.03),
            fade(shade(crust, 1.2), shade(crust, 0.85)),
        )
    elif kind in ("baguette", "roll"):
        long = 1.2 if kind == "baguette" else 0.5
        model.add(lumpy(draw, sphere((long, 0.32, 0.25), 20, 12), 0.03), baked)
        for k in range(draw.integer(0, 4)):
            x = (k - 1.5) * long * 0.38
            model.add(
                sphere((0.04, 0.2, 0.03), 8, 6)
                .rotated("z", 30)
                .moved(x, 0, 0.235 * np.sqrt(max(0.1, 1 - (x / long) ** 2))),
                plain(shade(CRUMB, 0.95)),
            )
    elif kind in ("toast", "slice"):
        outline = curve(
            [
                (-0.42, -0.45),
                (0.42, -0.45),
                (0.42, 0.2),
                (0.5, 0.4),
                (0.3, 0.52),
                (-0.3, 0.52),
                (-0.5, 0.4),
                (-0.42, 0.2),
            ],
            32,
            closed=True,
        )
        t = draw.uniform(0.08, 0.16)
        model.add(extrude(outline, t), plain(crust))
        spread = draw.pick((CRUMB, CRUMB, shade(CRUST, 1.1), color(draw)))
        model.add(
            extrude(outline * 0.93, t + 0.012).moved(0, 0, -0.006), mottled(draw, spread, 0.06, 4)
        )
        if draw.chance(0.3):
            model.rotated("x", draw.uniform(60, 90))
    elif kind == "croissant":
        a = np.linspace(-1.7, 1.7, 18)
        path = np.stack([0.6 * np.cos(a), 0.6 * np.sin(a), 0 * a], -1)
        rad = 0.25 * np.cos(a * 0.85) ** 0.7 * (1 + 0.1 * np.cos(a * 9)) + 0.03
        model.add(tube(path, rad, 12, up=(0, 0, 1)), baked)
    else:
        r = draw.uniform(0.2, 0.32)
        model.add(torus(0.6, r, 28, 14), mottled(draw, crust, 0.08))
        if draw.chance(0.75):
            icing = draw.pick(
                (
                    vivid(draw),
                    np.array([0.25, 0.12, 0.06]),
                    np.array([0.95, 0.6, 0.7]),
                    np.ones(3) * 0.95,
                )
            )
            half = torus(0.6, r * 1.05, 28, 14).map(
                lambda p: np.stack([p[:, 0], p[:, 1], np.maximum(p[:, 2], r * 0.15)], -1)
            )
            paint = spots(draw, icing, vivid(draw), 35, 0.06) if draw.chance(0.5) else plain(icing)
            model.add(half, paint)
    return model.grounded()


@family(weight=1.5)
def cake(draw: Draw) -> Model:
    """Cakes, slices, pies, cupcakes, puddings, ice cream."""
    kind = draw.pick(
        (
            "round",
            "slice",
            "cupcake",
            "pie",
            "icecream",
            "pizza",
            "pizza_slice",
            "cheese",
            "burger",
            "sandwich",
        )
    )
    model = Model()
    icing = draw.pick(
        (
            np.array([0.96, 0.93, 0.88]),
            np.array([0.28, 0.14, 0.07]),
            np.array([0.95, 0.65, 0.72]),
            color(draw),
        )
    )
    sponge = draw.pick((CRUMB, np.array([0.4, 0.22, 0.12]), color(draw, "pink", "yellow", "cream")))
    if kind in ("round", "slice"):
        h, layers = draw.uniform(0.3, 0.7), draw.integer(2, 4)
        if kind == "round":
            a = np.arange(28) * 2 * np.pi / 28
            outline = 0.5 * np.stack([np.cos(a), np.sin(a)], -1)
            if draw.chance(0.35):
                outline = np.concatenate([[(0, 0)], outline[4:]])
        else:
            a = np.linspace(-0.35, 0.35, 8)
            outline = np.concatenate([[(0, 0)], np.stack([np.cos(a), np.sin(a)], -1)])
        for k in range(layers):
            model.add(
                extrude(outline, h / layers * 0.8).moved(0, 0, k * h / layers),
                mottled(draw, sponge, 0.08, 5),
            )
            model.add(
                extrude(outline * 1.005, h / layers * 0.2).moved(0, 0, (k + 0.8) * h / layers),
                plain(icing),
            )
        model.add(extrude(outline * 1.03, 0.05).moved(0, 0, h), any_icing(draw, icing))
        for k in range(n := draw.integer(0, 8)):
            b = 2 * np.pi * k / n if kind == "round" else draw.uniform(-0.25, 0.25)
            q = 0.38 if kind == "round" else draw.uniform(0.3, 0.9)
            s = draw.uniform(0.04, 0.08)
            model.add(
                sphere((s, s, s), 10, 7).moved(q * np.cos(b), q * np.sin(b), h + 0.07),
                plain(draw.pick((RED, icing, vivid(draw)))),
            )
        if kind == "round" and draw.chance(0.3):
            for _ in range(draw.integer(1, 6)):
                x, y = draw.uniforms(-0.25, 0.25, 2)
                model.add(cylinder(0.02, 0.25, 6).moved(x, y, h + 0.04), plain(vivid(draw)))
    elif kind == "cupcake":
        n = 32
        pleat = 1 + 0.04 * np.cos(16 * np.arange(n) * 2 * np.pi / n)
        wrap = color(draw)
        model.add(revolve([(0, 0), (0.3, 0), (0.42, 0.4), (0, 0.4)], n, pleat), plain(wrap))
        model.add(
            revolve(
                profile(
                    [
                        (0.44, 0.38),
                        (0.5, 0.5),
                        (0.4, 0.68),
                        (0.3, 0.72),
                        (0.3, 0.8),
                        (0.15, 0.92),
                        (0, 1.0),
                    ],
                    16,
                ),
                22,
            ),
            mottled(draw, draw.pick((icing, CRUST)), 0.06),
        )
        if draw.chance(0.5):
            model.add(sphere((0.09, 0.09, 0.09), 10, 7).moved(0, 0, 1.02), plain(RED))
    elif kind == "pie":
        model.add(
            revolve(
                [
                    (0, 0),
                    (0.4, 0),
                    (0.55, 0.16),
                    (0.53, 0.2),
                    (0.47, 0.15),
                    (0.25, 0.17),
                    (0, 0.18),
                ],
                32,
            ),
            blotches(draw, CRUST, shade(CRUST, 1.3), 3),
        )
        fill = color(draw, "red", "orange", "purple", "brown")
        model.add(revolve([(0.47, 0.165), (0, 0.19)], 24), mottled(draw, fill, 0.1))
        for k in range(-2, 3):
            for turn in (0, 90):
                s = np.sqrt(max(0.01, 0.22 - (0.18 * k) ** 2))
                model.add(
                    box((2 * s, 0.07, 0.03))
                    .moved(0, 0.18 * k, 0.18 + turn / 9000)
                    .rotated("z", turn),
                    plain(shade(CRUST, 1.1)),
                )
    elif kind == "icecream":
        cone = draw.chance(0.6)
        if cone:
            model.add(
                revolve([(0, 0), (0.03, 0), (0.3, 1.0), (0.0, 1.0)], 18),
                sectors((0.8, 0.6, 0.3), (0.65, 0.42, 0.2), 12, 0.8, 0, 0.5),
            )
        else:
            model.add(
                revolve([(0, 0.4), (0.25, 0.4), (0.4, 1.0), (0, 0.95)], 22), plain(color(draw))
            )
        for k in range(draw.integer(1, 3)):
            flavour = draw.pick((icing, color(draw, "pink", "cream", "brown", "green", "yellow")))
            model.add(
                lumpy(draw, sphere((0.34, 0.34, 0.32), 16, 10), 0.05, 2).moved(
                    *draw.uniforms(-0.08, 0.08, 2), 1.12 + 0.35 * k
                ),
                mottled(draw, flavour, 0.08),
            )
        if draw.chance(0.3):
            model.rotated("x", 90)
    elif kind in ("pizza", "pizza_slice"):
        span = 2 * np.pi if kind == "pizza" else draw.uniform(0.6, 0.9)
        a = np.linspace(0, span, 28)[: 27 if kind == "pizza" else 28]
        outline = 0.5 * np.stack([np.cos(a), np.sin(a)], -1)
        if kind == "pizza_slice":
            outline = np.concatenate([[(0, 0)], outline])
        model.add(extrude(outline, 0.035), plain(CRUST))
        model.add(
            extrude(outline * 0.92, 0.011).moved(0, 0, 0.034),
            mottled(draw, draw.pick((np.array([0.93, 0.75, 0.35]), RED * 1.05)), 0.15, 5),
        )
        path = 0.48 * np.stack([np.cos(a), np.sin(a), 0.07 + 0 * a], -1)
        model.add(
            tube(path, 0.035, 8, closed=kind == "pizza", up=(0, 0, 1)),
            blotches(draw, CRUST, shade(CRUST, 1.3), 4),
        )
        for _ in range(draw.integer(4, 16)):
            b, q = draw.uniform(0, span), 0.42 * np.sqrt(draw.uniform(0.1, 0.95))
            s = draw.uniform(0.02, 0.06)
            top = draw.pick(
                (RED * 0.9, GREEN * 0.6, np.array([0.1, 0.08, 0.1]), np.array([0.95, 0.92, 0.85]))
            )
            if kind == "pizza_slice":
                b = np.clip(b, s * 2, span - s * 2)
            model.add(cylinder(s, 0.018, 9).moved(q * np.cos(b), q * np.sin(b), 0.04), plain(top))
    elif kind == "cheese":
        a = np.linspace(-draw.uniform(0.3, 0.6), 0.45, 7)
        outline = np.concatenate([[(0, 0)], np.stack([np.cos(a), np.sin(a)], -1)])
        rgb = hsv(draw.uniform(38, 52), draw.uniform(0.4, 0.8), 0.95)
        model.add(extrude(outline, draw.uniform(0.25, 0.45), 0.01), mottled(draw, rgb, 0.04))
        for _ in range(draw.integer(0, 8)):
            s = draw.uniform(0.03, 0.07)
            x = draw.uniform(0.2, 0.8)
            model.add(
                sphere((s, 0.01, s), 9, 6)
                .rotated("z", np.degrees(a[0]))
                .moved(x * np.cos(a[0]), x * np.sin(a[0]), draw.uniform(0.08, 0.25)),
                plain(shade(rgb, 0.75)),
            )
    else:
        z, w = 0.0, 0.5
        long = kind == "sandwich" and draw.chance(0.5)
        bun = fade(shade(CRUST, 1.15), shade(CRUST, 0.85))

        def layer(part, paint, h):
            nonlocal z
            model.add((part.scaled(1.6, 0.6, 1) if long else part).moved(0, 0, z), paint)
            z += h

        layer(
            revolve(profile([(0, 0), (w * 0.9, 0), (w, 0.1), (w * 0.95, 0.16), (0, 0.16)], 10), 24),
            bun,
            0.16,
        )
        for _ in range(draw.integer(2, 5)):
            what = draw.integer(0, 3)
            if what == 0:
                layer(cylinder(w * 1.0, 0.12, 22), mottled(draw, (0.32, 0.18, 0.1), 0.2, 6), 0.12)
            elif what == 1:
                wavy = 1 + 0.08 * np.cos(9 * np.arange(30) * 2 * np.pi / 30)
                layer(
                    revolve([(0, 0), (w * 1.08, -0.02), (w * 1.08, 0.02), (0, 0.03)], 30, wavy),
                    plain(shade(GREEN, draw.uniform(0.8, 1.2))),
                    0.035,
                )
            elif what == 2:
                layer(
                    box((w * 1.7, w * 1.7, 0.03)).rotated("z", draw.uniform(0, 90)),
                    plain((0.95, 0.75, 0.2)),
                    0.03,
                )
            else:
                layer(cylinder(w * 0.9, 0.06, 20), plain(RED), 0.06)
        layer(
            revolve(profile([(w * 0.95, 0), (w, 0.08), (w * 0.75, 0.28), (0, 0.36)], 12), 24),
            spots(draw, CRUST, CRUMB, 25, 0.05) if draw.chance(0.4) else bun,
            0.3,
        )
    return model.grounded()


def any_icing(draw: Draw, rgb):
    return draw.pick(
        (plain(rgb), mottled(draw, rgb, 0.06), spots(draw, rgb, vivid(draw), 30, 0.06))
    )
