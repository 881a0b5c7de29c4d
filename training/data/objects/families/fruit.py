"""Fruit and berries."""

import numpy as np

from training.data.objects.draw import Draw, hsv, shade
from training.data.objects.model import Model, family
from training.data.objects.outlines import profile, ring_outline
from training.data.objects.pieces.organic import (
    BROWN,
    DARK_RED,
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
from training.data.objects.shapes import revolve, sphere, tube
from training.data.objects.surfaces import blotches, fade, mottled, plain, sectors, speckle, spots


def ripe(draw: Draw, *colors):
    """A fruit's skin: one of the colours, or two of them blended, with mottling."""
    a, b = (np.clip(draw.pick(colors) + 0.05 * draw.normal(3), 0, 1) for _ in range(2))
    kind = draw.pick(("plain", "fade", "cheek", "speckle"), (3, 2, 3, 1))
    if kind == "plain":
        return mottled(draw, a, draw.uniform(0.03, 0.12), 3)
    if kind == "fade":
        return fade(a, b)
    if kind == "cheek":
        return blotches(draw, a, b, draw.uniform(0.7, 2), draw.uniform(-0.3, 0.8))
    return speckle(draw, a, shade(a, draw.pick((0.7, 1.3))), 0.1)


@family(weight=5.0)
def fruit(draw: Draw) -> Model:
    """Round fruit by their profile: apple, pear, peach, plum, orange, lemon, tomato, avocado ..."""
    kind = draw.pick(
        (
            "apple",
            "pear",
            "peach",
            "plum",
            "orange",
            "lemon",
            "tomato",
            "avocado",
            "kiwi",
            "mango",
            "melon",
            "fig",
        ),
        (4, 5.5, 2, 1.5, 2.5, 2, 1.5, 1, 0.7, 1, 1, 0.5),
    )
    model, t = Model(), np.linspace(-np.pi / 2, np.pi / 2, 15)
    r, z = np.cos(t).round(12), np.sin(t)
    ribs = None
    if kind in ("apple", "tomato", "peach", "plum"):
        dimple = draw.uniform(0.1, 0.35) * (1 if kind == "apple" else 0.6)
        z = z * draw.uniform(0.8, 0.98) - dimple * np.exp(-((r / 0.35) ** 2)) * np.sign(
            z
        ) * np.where(z > 0, 1, 0.5)
        r = r * (1 + draw.uniform(-0.1, 0.16) * z)
        if kind == "tomato":
            z = z * draw.uniform(0.65, 1)
            ribs = 1 + draw.uniform(0, 0.06) * np.cos(
                draw.integer(4, 8) * np.arange(24) * 2 * np.pi / 24
            )
        skin = {
            "apple": (RED, DARK_RED, GREEN, YELLOW),
            "tomato": (RED, ORANGE * [1, 0.6, 1]),
            "peach": (ORANGE, np.array([0.95, 0.65, 0.3]), RED),
            "plum": (DARK_RED, np.array([0.25, 0.08, 0.25]), RED),
        }[kind]
    elif kind == "pear":
        belly, neck, tip = draw.uniform(0.75, 1.0), draw.uniform(0.3, 0.62), draw.uniform(0.1, 0.3)
        waist = draw.uniform(0.2, 0.7)
        line = profile(
            [
                (0, -0.93),
                (0.45, -0.97),
                (belly, -0.35),
                (belly * 0.9, 0.05),
                (neck, waist),
                (neck * 0.8, waist + 0.35),
                (tip, waist + 0.62),
                (0, waist + 0.6),
            ],
            22,
        )
        r, z = line.T
        skin = (
            GREEN * 0.9,
            GREEN,
            YELLOW,
            np.array([0.65, 0.6, 0.2]),
            np.array([0.8, 0.75, 0.4]),
            np.array([0.6, 0.4, 0.2]),
        )
    elif kind == "lemon":
        z = z * draw.uniform(1.15, 1.4) + np.sign(z) * draw.uniform(0.1, 0.25) * np.exp(
            -((r / 0.3) ** 2)
        )
        skin = (YELLOW, np.array([0.95, 0.85, 0.2]), GREEN)
    elif kind == "avocado":
        z = z * 1.3
        r = r * (1 - 0.25 * z)
        skin = (np.array([0.2, 0.28, 0.1]), np.array([0.15, 0.15, 0.08]), GREEN * 0.6)
    elif kind == "mango":
        z = z * draw.uniform(1.1, 1.4)
        skin = (ORANGE, RED, YELLOW, GREEN)
    elif kind == "kiwi":
        z = z * draw.uniform(1.1, 1.3)
        skin = (BROWN, BROWN * 0.8)
    elif kind == "melon":
        z = z * draw.uniform(0.9, 1.4)
        skin = (np.array([0.15, 0.35, 0.12]), YELLOW, np.array([0.7, 0.72, 0.45]))
    elif kind == "fig":
        z = z + 0.5 * np.exp(-((r / 0.35) ** 2)) * (z > 0)
        skin = (np.array([0.3, 0.1, 0.25]), GREEN * 0.7)
    else:
        z = z * draw.uniform(0.88, 1.0)
        skin = (ORANGE, ORANGE * [1, 0.85, 1], YELLOW)
    body = revolve(np.column_stack([r, z]), 24, ribs, draw.uniform(0.88, 1.0))
    if kind == "peach":
        body = body.map(
            lambda p: p * (1 - 0.12 * np.exp(-((p[:, :1] / 0.12) ** 2)) * (p[:, 1:2] > 0))
        )
    body = lumpy(draw, body, draw.uniform(0.0, 0.05))
    paint = ripe(draw, *skin)
    if kind == "melon" and draw.chance(0.5):
        paint = sectors(GREEN * 0.45, GREEN * 0.9, draw.integer(8, 14), 0.5, 0, 0.02)
    model.add(body, paint, bake=True)
    top = float(z[r < 0.3].max()) - (0.25 if kind in ("apple", "peach", "plum") else 0.03)
    if kind in ("apple", "pear") and draw.chance(0.85):
        model.add(
            stem(draw, top, draw.uniform(0.2, 0.5), draw.uniform(0.03, 0.05)),
            plain(STEM * draw.uniform(0.6, 1.4)),
        )
        if draw.chance(0.15):
            model.add(
                leaf(0.6, 0.3).rotated("z", draw.uniform(0, 360)).moved(0, 0, top + 0.2),
                plain(LEAF),
            )
    if kind == "tomato" or (kind in ("orange", "plum") and draw.chance(0.3)):
        for k in range(5):
            model.add(leaf(0.4, 0.14, 0.3).rotated("z", 72 * k).moved(0, 0, top), plain(LEAF))
    if draw.chance(
        {"pear": 0.3, "lemon": 0.85, "avocado": 0.8, "kiwi": 0.9, "mango": 0.9, "melon": 0.7}.get(
            kind, 0.1
        )
    ):
        model.rotated("x", draw.uniform(60, 95))
    else:
        model.rotated("x", draw.uniform(-15, 15))
    return model.rotated("z", draw.uniform(0, 360)).grounded()


@family(weight=1.5)
def banana(draw: Draw) -> Model:
    """One banana or a hand of them."""
    model = Model()
    ripe_color = hsv(draw.uniform(44, 75), draw.uniform(0.65, 0.95), draw.uniform(0.75, 0.95))
    count = draw.pick((1, 1, 1, 2, 3, 5))
    arc, thick = draw.uniform(60, 120), draw.uniform(0.085, 0.12)
    for k in range(count):
        t = np.linspace(0, 1, 16)
        a = np.radians(arc) * (t - 0.5)
        radius = 1 / np.radians(arc)
        path = np.stack([radius * np.sin(a), 0 * t, radius * (1 - np.cos(a))], -1)
        wide = thick * np.interp(
            t, [0, 0.05, 0.1, 0.25, 0.75, 0.88, 0.93, 1.0], [0.2, 0.3, 0.55, 1, 1, 0.5, 0.3, 0.3]
        )
        dark, brown = STEM * 0.7, draw.uniform(0.02, 0.06)
        skin = blotches(draw, ripe_color, STEM, 4, draw.uniform(1.0, 2.0))
        low, high = path[0, 0], path[-1, 0]

        def paint(p, skin=skin, dark=dark, brown=brown, low=low, high=high):
            x = low + (p[:, 0] + 1) / 2 * (high - low)
            tip = (x < low + brown) | (x > high - 2 * brown)
            return np.where(tip[:, None], dark, skin(p))

        part = (
            tube(path, wide, ring_outline(6, power=2.2))
            .rotated("x", 80)
            .rotated("z", 14 * (k - count / 2))
        )
        model.add(part.moved(0, 0.1 * k, 0.02 * k), paint)
    if draw.chance(0.25):
        model.rotated("x", draw.uniform(-90, 0))
    return model.grounded()


@family(weight=1.0)
def strawberry(draw: Draw) -> Model:
    """Strawberries, raspberries, pine cones, pineapples: bumps or seeds, leaves on top."""
    model, kind = Model(), draw.pick(("strawberry", "raspberry", "pineapple"), (3, 1, 1))
    if kind == "raspberry":
        rgb = draw.pick((RED, DARK_RED, np.array([0.12, 0.08, 0.2])))
        for ring, zz in enumerate(np.linspace(-0.8, 0.7, 6)):
            r = 0.6 * np.sqrt(max(0.05, 1 - (zz * 0.9) ** 2)) * (1 + 0.25 * zz)
            for k in range(n := max(3, int(2 * np.pi * r / 0.42))):
                a = 2 * np.pi * (k + 0.5 * (ring % 2)) / n
                model.add(
                    sphere((0.22, 0.22, 0.22), 8, 6).moved(r * np.cos(a), r * np.sin(a), zz),
                    plain(shade(rgb, draw.uniform(0.85, 1.15))),
                )
        return model.rotated("x", draw.uniform(0, 180)).grounded()
    t = np.linspace(-np.pi / 2, np.pi / 2, 15)
    r, z = np.cos(t).round(12), np.sin(t)
    if kind == "strawberry":
        r, z = r * (0.75 + 0.3 * z) * draw.uniform(0.8, 1), z * 1.05
        body = lumpy(draw, revolve(np.column_stack([r, z]), 22), 0.04)
        paint = spots(draw, np.clip(RED + 0.08 * draw.normal(3), 0, 1), (0.9, 0.75, 0.3), 60, 0.05)
        model.add(body, paint, bake=True)
        for k in range(n := draw.integer(5, 9)):
            model.add(
                leaf(draw.uniform(0.4, 0.6), 0.22, draw.uniform(-0.1, 0.5))
                .rotated("z", 360 / n * k)
                .moved(0, 0, 0.98),
                plain(shade(LEAF, draw.uniform(0.8, 1.3))),
            )
        model.add(stem(draw, 0.95, 0.25), plain(LEAF))
        if draw.chance(0.6):
            model.rotated("x", draw.uniform(70, 180))
        return model.grounded()
    n = 28
    bumps = 1 + 0.05 * np.cos(8 * np.arange(n) * 2 * np.pi / n + np.arange(19)[:, None] * 1.6)
    line = profile(np.column_stack([r * 0.65, z]), 19)
    model.add(revolve(line, n, bumps), mottled(draw, (0.72, 0.5, 0.15), 0.25, 7))
    for ring in range(3):
        for k in range(6):
            part = leaf(draw.uniform(0.5, 0.8), 0.14, 0.1).rotated("y", -50 - 15 * ring)
            model.add(
                part.rotated("z", 60 * k + 30 * ring).moved(0, 0, 0.9),
                plain(shade(LEAF, draw.uniform(0.6, 1.1))),
            )
    return model
