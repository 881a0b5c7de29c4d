"""Lamps, candles, light bulbs, umbrellas."""

import numpy as np

from training.data.objects.draw import DARK, Draw, color, metal, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile
from training.data.objects.pieces.supports import legs
from training.data.objects.shapes import box, cylinder, revolve, sphere, torus, tube
from training.data.objects.surfaces import any_paint, brushed, mottled, plain, sectors


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
