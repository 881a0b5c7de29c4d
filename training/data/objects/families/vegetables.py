"""Vegetables and mushrooms."""

import numpy as np

from training.data.objects.draw import Draw, shade
from training.data.objects.model import Model, family
from training.data.objects.outlines import profile
from training.data.objects.pieces.organic import (
    BROWN,
    GREEN,
    LEAF,
    ORANGE,
    RED,
    STEM,
    YELLOW,
    leaf,
    lumpy,
    stem,
)
from training.data.objects.shapes import bend, cylinder, revolve, sphere, tube
from training.data.objects.surfaces import fade, mottled, plain, sectors, speckle, spots


@family(weight=2.0)
def vegetable(draw: Draw) -> Model:
    """Carrots, peppers, mushrooms, corn, onions, pumpkins, broccoli, potatoes and others."""
    kind = draw.pick(
        (
            "carrot",
            "pepper",
            "mushroom",
            "aubergine",
            "cucumber",
            "corn",
            "onion",
            "pumpkin",
            "broccoli",
            "chilli",
            "potato",
            "leek",
            "radish",
        )
    )
    model = Model()
    n = 24
    a = np.arange(n) * 2 * np.pi / n
    if kind in ("carrot", "radish", "leek"):
        long = {"carrot": draw.uniform(2, 4), "radish": 0.8, "leek": 4.0}[kind]
        rgb = {"carrot": (0.92, 0.45, 0.1), "radish": (0.8, 0.1, 0.3), "leek": (0.92, 0.93, 0.8)}[
            kind
        ]
        line = profile(
            [(0, 0), (0.12, 0.1 * long), (0.38, 0.65 * long), (0.46, 0.95 * long), (0, long)], 16
        )
        part = lumpy(draw, revolve(line, 16), 0.02, 3)
        model.add(
            part,
            fade(shade(rgb, 0.9), (0.35, 0.6, 0.2), 2, 0.3, 1.2)
            if kind == "leek"
            else mottled(draw, rgb, 0.1, 6),
        )
        for k in range(draw.integer(2, 6)):
            model.add(
                leaf(draw.uniform(0.8, 1.6), 0.2, 0.2)
                .rotated("y", -draw.uniform(50, 85))
                .rotated("z", 70 * k)
                .moved(0, 0, long * 0.97),
                plain(shade(LEAF, draw.uniform(0.7, 1.2))),
            )
        return model.rotated("x", 90).grounded()
    if kind == "pepper":
        lobes, depth = draw.integer(3, 4), draw.uniform(0.08, 0.2)
        line = profile(
            [(0, 0.12), (0.25, 0), (0.55, 0.3), (0.7, 1.0), (0.5, 1.25), (0.12, 1.12), (0, 1.1)], 18
        )
        rgb = draw.pick((RED, YELLOW, GREEN * 0.7, ORANGE))
        model.add(revolve(line, n, 1 + depth * np.cos(lobes * a)), mottled(draw, rgb, 0.06))
        model.add(stem(draw, 1.1, 0.4, 0.06), plain(LEAF * 0.8))
    elif kind == "mushroom":
        cap_w, s = draw.uniform(0.5, 0.9), draw.uniform(0.15, 0.3)
        rgb = draw.pick((np.array([0.9, 0.86, 0.78]), BROWN, RED))
        model.add(
            revolve(profile([(0, 0), (s, 0), (s * 0.85, 0.4), (s, 0.75)], 9), 18),
            mottled(draw, (0.9, 0.87, 0.8), 0.06),
        )
        paint = (
            spots(draw, rgb, (0.95, 0.95, 0.92), 18, 0.15)
            if draw.chance(0.3)
            else mottled(draw, rgb, 0.08)
        )
        model.add(
            revolve(
                profile(
                    [
                        (s * 0.8, 0.72),
                        (cap_w * 0.9, 0.55),
                        (cap_w, 0.66),
                        (cap_w * 0.75, 0.95),
                        (0, 1.1),
                    ],
                    15,
                ),
                n,
            ),
            paint,
        )
    elif kind == "aubergine":
        line = profile([(0, 0), (0.4, 0.08), (0.5, 0.5), (0.32, 1.2), (0.2, 1.5), (0, 1.55)], 18)
        part = bend(revolve(line, 20), draw.uniform(0, 60))
        model.add(part, mottled(draw, (0.2, 0.08, 0.22), 0.1)).add(
            sphere((0.24, 0.24, 0.12), 10, 7).moved(
                part.vertices[part.vertices[:, 2].argmax(), 0], 0, part.vertices[:, 2].max() - 0.02
            ),
            plain(LEAF * 0.8),
        )
        model.rotated("x", 90)
    elif kind == "cucumber":
        t = np.linspace(-1, 1, 16)
        path = np.stack([t * 1.2, draw.uniform(0, 0.3) * t**2, 0 * t], -1)
        rgb = draw.pick((np.array([0.15, 0.35, 0.1]), GREEN * 0.8))
        model.add(
            tube(path, 0.26 * (1 - t**6 * 0.5), 14, ends="round"), mottled(draw, rgb, 0.15, 6)
        )
    elif kind == "corn":
        rows = 24
        z = np.linspace(0, 2, rows)
        r = 0.4 * np.sin(np.pi * np.clip(0.12 + 0.86 * z / 2, 0, 1)) ** 0.5
        bumps = 1 + 0.06 * np.cos(12 * np.arange(n) * 2 * np.pi / n) * (
            (np.arange(rows) % 2)[:, None] * 0.6 + 0.4
        )
        model.add(
            revolve(
                [(0, 0), *np.column_stack([r, z]), (0, 2.02)],
                n,
                np.concatenate([bumps[:1], bumps, bumps[:1]]),
            ),
            speckle(draw, (0.93, 0.75, 0.2), (0.85, 0.6, 0.12), 0.4),
        )
        for k in range(draw.integer(0, 4)):
            model.add(
                leaf(1.6, 0.6, 0.15).rotated("y", -75).rotated("z", 90 * k).moved(0, 0, -0.1),
                plain(shade(LEAF, 1.2)),
            )
        model.rotated("x", draw.pick((90, 90, 0)))
    elif kind == "onion":
        line = profile(
            [(0, 0), (0.4, 0.05), (0.75, 0.5), (0.5, 0.95), (0.1, 1.15), (0.06, 1.5), (0, 1.5)], 20
        )
        rgb = draw.pick(
            (np.array([0.78, 0.5, 0.2]), np.array([0.5, 0.12, 0.25]), np.array([0.93, 0.91, 0.85]))
        )
        model.add(revolve(line, n), sectors(rgb, shade(rgb, 0.85), 14, 0.5))
    elif kind == "pumpkin":
        t = np.linspace(-np.pi / 2, np.pi / 2, 15)
        ribs = 1 - 0.12 * np.abs(np.cos(draw.integer(4, 6) * np.arange(36) * 2 * np.pi / 36)) ** 3
        rgb = draw.pick((ORANGE * [0.95, 0.9, 1], GREEN * 0.6, np.array([0.9, 0.85, 0.7])))
        model.add(
            revolve(
                np.column_stack([np.cos(t).round(12), draw.uniform(0.6, 0.9) * np.sin(t)]), 36, ribs
            ),
            mottled(draw, rgb, 0.08),
        )
        model.add(stem(draw, 0.6, 0.5, 0.09), plain(STEM * [1, 1.4, 1]))
    elif kind == "broccoli":
        white = draw.chance(0.3)
        rgb = np.array([0.9, 0.88, 0.75]) if white else np.array([0.2, 0.42, 0.12])
        model.add(cylinder(0.2, 0.7, 12, 0.35), plain((0.6, 0.72, 0.4)))
        for _ in range(draw.integer(9, 16)):
            b, q, s = draw.uniform(0, 6.3), draw.uniform(0, 0.55), draw.uniform(0.2, 0.32)
            model.add(
                lumpy(draw, sphere((s, s, s), 10, 7), 0.1, 3).moved(
                    q * np.cos(b), q * np.sin(b), 0.95 - 0.5 * q**2
                ),
                mottled(draw, rgb, 0.2, 6),
            )
    elif kind == "chilli":
        t = np.linspace(0, 1, 14)
        path = np.stack([t * 2, draw.uniform(-0.6, 0.6) * t**2, 0 * t], -1)
        model.add(
            tube(path, np.interp(t, [0, 0.1, 0.5, 1], [0.1, 0.2, 0.16, 0.02]), 10),
            mottled(draw, draw.pick((RED, GREEN * 0.6, ORANGE)), 0.06),
        )
        model.add(tube([(0, 0, 0), (-0.3, 0.05, 0.05)], 0.05, 6), plain(LEAF * 0.8))
    else:
        part = lumpy(
            draw, sphere((1, draw.uniform(0.65, 0.9), draw.uniform(0.6, 0.8)), 20, 12), 0.07, 1.5
        )
        model.add(part, mottled(draw, (0.72, 0.55, 0.32), 0.12, 4))
    if kind in ("pepper", "onion", "mushroom") and draw.chance(0.3):
        model.rotated("x", 85)
    return model.grounded()
