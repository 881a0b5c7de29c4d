"""Birds, fish, reptiles and insects, from ellipsoids and tapered tubes: toys of them."""

# ruff: noqa: RUF005 (`+` adds arrays)
import numpy as np

from training.data.objects.draw import Draw, color, contrast, hsv, shade, vivid
from training.data.objects.model import Model, family
from training.data.objects.pieces.coats import INK, coat, finish, fur
from training.data.objects.pieces.organic import leaf, limb
from training.data.objects.shapes import box, extrude, sphere, tube
from training.data.objects.surfaces import (
    any_paint,
    fade,
    mottled,
    patches,
    plain,
    sectors,
    stripes,
)


@family(weight=1.2)
def bird(draw: Draw) -> Model:
    """Ducks, chicks, parrots, owls, penguins, rubber ducks."""
    model, marks = Model(), Model()
    rgb = draw.pick((color(draw), vivid(draw), np.full(3, 0.92), hsv(50, 0.85, 0.95), fur(draw)))
    stand = draw.uniform(0, 70)
    fat = draw.uniform(0.6, 0.85)
    model.add(sphere((0.6, 0.6 * fat, 0.5 * draw.uniform(0.8, 1)), 18, 11).rotated("y", -stand))
    a = np.radians(stand)
    head = draw.uniform(0.24, 0.36)
    at = np.array([0.42 * np.cos(a) + 0.08, 0, 0.5 * np.sin(a) + 0.4 + draw.uniform(0, 0.3)])
    model.add(sphere((head,) * 3, 16, 10).moved(*at)).add(
        limb([(0.2 * np.cos(a), 0, 0.2), at * [0.9, 1, 0.7], at], [0.3, head * 0.8, head * 0.7])
    )
    beak = draw.pick((hsv(draw.uniform(15, 48), 0.9, 0.95), INK))
    long = draw.uniform(0.1, 0.4)
    marks.add(
        limb(
            [at + [head * 0.8, 0, 0], at + [head + long, 0, -0.05 * draw.uniform(0, 2)]],
            [0.1, draw.uniform(0.02, 0.08)],
            8,
        ).scaled(1, 1, 1),
        plain(beak),
    )
    for s in (-1, 1):
        marks.add(
            sphere((0.05,) * 3, 8, 6).moved(
                at[0] + head * 0.65, s * head * 0.6, at[2] + head * 0.35
            ),
            plain(INK),
        )
        wing = (
            sphere((0.4, 0.07, 0.22), 12, 8)
            .rotated("y", -stand * 0.8 + draw.uniform(-10, 10))
            .moved(-0.1, s * 0.6 * fat * 0.92, 0.08)
        )
        marks.add(
            wing, plain(shade(rgb, draw.uniform(0.5, 1.1)) if draw.chance(0.7) else vivid(draw))
        )
    model.add(
        limb(
            [(-0.35 * np.cos(a), 0, -0.2 * np.sin(a)), (-0.75, 0, draw.uniform(-0.5, 0.4))],
            [0.22, 0.08],
        ).scaled(1, 1.3, 1)
    )
    foot = draw.uniform(0.0, 0.4)
    if foot > 0.1:
        base = model.bounds()[0][2]
        for s in (-1, 1):
            marks.add(
                tube([(0.05, s * 0.2, base + 0.1), (0.05, s * 0.2, base - foot)], 0.04, 6),
                plain(beak),
            )
            marks.add(box((0.3, 0.18, 0.04)).moved(0.13, s * 0.2, base - foot), plain(beak))
    paint = draw.pick(
        (plain(rgb), mottled(draw, rgb, 0.1), coat(draw, rgb), fade(shade(rgb, 1.2), rgb))
    )
    return finish(draw, model, marks, paint).grounded()


@family(weight=1.0)
def fish(draw: Draw) -> Model:
    """Fish, sharks, whales, snakes, snails, turtles, crabs, insects."""
    kind = draw.pick(("fish", "fish", "snake", "turtle", "snail", "bug", "octopus"))
    model, marks = Model(), Model()
    rgb = draw.pick((vivid(draw), np.array([0.5, 0.55, 0.6]), color(draw)))
    second = contrast(draw, rgb)
    if kind == "fish":
        t = np.linspace(0, 1, 16)
        tall, wide = draw.uniform(0.18, 0.5), draw.uniform(0.1, 0.2)
        shape = np.sin(np.pi * np.clip(t, 0.02, 0.95) ** 0.75) + 0.12
        model.add(
            tube(
                np.stack([1 - 2 * t, 0 * t, 0 * t], -1),
                np.stack([wide * shape, tall * shape], -1),
                14,
                ends="round",
                up=(0, 0, 1),
            )
        )
        tail = np.array([(-0.9, 0), (-1.3, 0.35), (-1.2, 0), (-1.3, -0.35)]) * [
            1,
            draw.uniform(0.6, 1.3),
        ]
        marks.add(extrude(tail, 0.04).rotated("x", 90).moved(0, 0.02, 0), plain(second))
        fin = np.array(
            [(0.2, tall * 0.8), (-0.3, tall + draw.uniform(0.1, 0.35)), (-0.5, tall * 0.7)]
        )
        marks.add(extrude(fin, 0.04).rotated("x", 90).moved(0, 0.02, 0), plain(second))
        for s in (-1, 1):
            marks.add(
                sphere((0.05, 0.03, 0.05), 8, 6).moved(0.75, s * wide * 0.75, tall * 0.2),
                plain(INK),
            )
            marks.add(
                leaf(0.35, 0.2, 0.1).rotated("z", s * 130).moved(0.3, s * wide * 0.8, -0.05),
                plain(second),
            )
        paint = draw.pick(
            (
                fade(np.full(3, 0.9), rgb),
                sectors(rgb, second, 3),
                stripes(rgb, second, draw.uniform(3, 8), (1, 0, 0)),
                mottled(draw, rgb, 0.15),
            )
        )
        model = finish(draw, model, marks, paint)
        return model.rotated("x", draw.pick((0, 90))).grounded()
    if kind == "snake":
        t = np.linspace(0, 1, 40)
        a = t * draw.uniform(5, 14)
        r = draw.pick((0.5 + 0 * t, 0.3 + 0.5 * t))
        path = np.stack([r * np.cos(a) + t * draw.uniform(0, 2), r * np.sin(a), 0.05 + 0 * t], -1)
        model.add(
            tube(
                path,
                0.07 * np.interp(t, [0, 0.06, 0.1, 0.6, 1], [1.2, 1.4, 0.9, 1, 0.15]),
                8,
                ends="round",
            )
        )
        return finish(
            draw,
            model,
            marks,
            draw.pick(
                (
                    patches(draw, [rgb, second], 30),
                    stripes(rgb, second, 14, (1, 1, 0)),
                    mottled(draw, rgb, 0.2, 6),
                )
            ),
        ).grounded()
    if kind == "turtle":
        model.add(
            sphere((0.6, 0.5, draw.uniform(0.3, 0.45)), 20, 11).map(
                lambda p: p * [1, 1, 1] * np.where(p[:, 2:] < 0, [1, 1, 0.4], 1)
            )
        )
        body = finish(draw, model, marks, patches(draw, [rgb, second, shade(rgb, 0.7)], 25, 0.05))
        skin_rgb = color(draw, "green", "brown", "teal")
        for x in (-0.4, 0.4):
            for s in (-1, 1):
                body.add(
                    limb([(x, s * 0.35, -0.05), (x * 1.4, s * 0.6, -0.15)], [0.12, 0.1], 8),
                    plain(skin_rgb),
                )
        body.add(limb([(0.5, 0, 0), (0.85, 0, 0.12)], [0.12, 0.15], 9), plain(skin_rgb))
        return body.grounded()
    if kind == "snail":
        t = np.linspace(0, 1, 44)
        a = t * 2 * np.pi * 2.2
        r = 0.06 + 0.32 * t
        path = np.stack([r * np.cos(a), 0.12 * (1 - t), r * np.sin(a) + 0.45], -1)
        model.add(tube(path, 0.04 + 0.14 * t, 10), any_paint(draw, rgb, 0.4))
        model.add(
            limb(
                [(-0.7, 0, 0.05), (0.2, 0, 0.1), (0.6, 0, 0.2), (0.7, 0, 0.5)],
                [0.06, 0.14, 0.12, 0.11],
            ),
            mottled(draw, second, 0.08),
        )
        for s in (-1, 1):
            model.add(
                limb([(0.72, s * 0.05, 0.5), (0.85, s * 0.12, 0.75)], [0.02, 0.03], 6),
                plain(second),
            )
        return model.grounded()
    n = 3 if kind == "bug" else 4
    model.add(
        sphere((0.5, 0.32, 0.28) if kind == "bug" else (0.4, 0.4, 0.5), 18, 11),
        any_paint(draw, rgb, 0.5),
    )
    model.add(
        sphere((0.22, 0.22, 0.2), 12, 8).moved(
            0.6 if kind == "bug" else 0.1, 0, 0.02 if kind == "bug" else 0.4
        ),
        plain(second),
    )
    for k in range(n):
        for s in (-1, 1):
            b = (
                np.radians(40 + 100 * k / (n - 1))
                if kind == "bug"
                else np.radians(20 + 140 * k / (n - 1))
            )
            d = np.array([np.cos(b), s * np.sin(b), 0])
            up = 0.15 if kind == "bug" else -0.2
            model.add(
                limb(
                    [d * 0.25, d * 0.6 + [0, 0, up], d * draw.uniform(0.85, 1.1) - [0, 0, 0.3]],
                    [0.05, 0.045, 0.03] if kind == "bug" else [0.13, 0.1, 0.04],
                    6,
                ),
                plain(second if kind == "bug" else rgb),
            )
    return model.grounded()
