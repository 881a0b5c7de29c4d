"""Shoes, one or a pair."""

import numpy as np

from training.data.objects.draw import DARK, Draw, color, contrast, shade
from training.data.objects.model import Model, family
from training.data.objects.outlines import ring_outline
from training.data.objects.shapes import cylinder, loft, revolve, sphere, tube
from training.data.objects.surfaces import any_paint, mottled, over, plain


@family(weight=3.2)
def shoe(draw: Draw) -> Model:
    """Sneakers, boots, sandals, high heels, slippers; one or a pair."""
    kind = draw.pick(("sneaker", "sneaker", "boot", "sandal", "heel", "slipper"))
    rgb, sole_rgb = color(draw), draw.pick((np.full(3, 0.93), DARK, color(draw)))
    accent = contrast(draw, rgb)

    def one() -> Model:
        model = Model()
        t = np.linspace(0, 1, 16)  # heel to toe
        x = t - 0.5
        half = np.interp(
            t, [0, 0.08, 0.3, 0.5, 0.72, 0.9, 1], [0.07, 0.12, 0.12, 0.115, 0.155, 0.13, 0.04]
        )
        inward = 0.03 * np.sin(np.pi * t)
        rise = np.clip(1 - t / 0.65, 0, 1) * (0.16 if kind == "heel" else 0.02)
        thick = {"sneaker": 0.07, "boot": 0.06, "sandal": 0.05, "heel": 0.025, "slipper": 0.03}[
            kind
        ] * draw_thick
        outline = ring_outline(20, power=3)
        rows = []
        for k in range(16):
            y = inward[k] + half[k] * 1.06 * outline[:, 0]
            z = rise[k] + thick * (0.5 + 0.5 * outline[:, 1])
            rows.append(np.stack([0 * y + x[k] * 1.03, y, z], -1))
        model.add(loft(np.array(rows)), plain(sole_rgb))
        if kind == "heel":
            model.add(cylinder(0.02, 0.17, 10, 0.05).moved(-0.43, 0, 0), plain(sole_rgb))
        base = rise + thick
        if kind == "sandal":
            for at, tall in ((0.72, 0.14), (draw_at, 0.17)):
                k = int(at * 15)
                a = np.linspace(0, np.pi, 10)
                path = np.stack(
                    [
                        0 * a + x[k],
                        inward[k] + half[k] * np.cos(a),
                        base[k] - 0.02 + tall * np.sin(a),
                    ],
                    -1,
                )
                model.add(tube(path, np.tile([0.012, 0.05], (10, 1)), 6, up=(1, 0, 0)), plain(rgb))
            return model
        high = {"sneaker": 0.3, "boot": draw_tall, "heel": 0.18, "slipper": 0.2}[kind]
        top = np.interp(
            t,
            [0, 0.3, 0.45, 0.62, 0.8, 0.95, 1],
            [high * 0.9, high, high * 0.8 if kind != "heel" else 0.08, 0.2, 0.15, 0.1, 0.03],
        )
        if kind in ("heel", "slipper"):
            top = (
                np.interp(
                    t, [0, 0.15, 0.35, 0.6, 0.8, 0.95, 1], [0.16, 0.1, 0.06, 0.06, 0.12, 0.09, 0.03]
                )
                if kind == "heel"
                else np.interp(t, [0, 0.4, 0.5, 0.8, 1], [0.02, 0.02, 0.17, 0.14, 0.04])
            )
        rows = []
        for k in range(16):
            a = np.linspace(0, 2 * np.pi, 22, endpoint=False)
            y = inward[k] + half[k] * np.cos(a) * (
                1 - 0.35 * np.clip(np.sin(a), 0, 1) * (1 if top[k] > 0.1 else 0.3)
            )
            z = base[k] - 0.015 + top[k] * np.clip(np.sin(a), 0, 1) ** 0.8
            rows.append(np.stack([0 * y + x[k] * 0.99, y, z], -1))
        upper = loft(np.array(rows))
        paint = (
            over(
                upper_paint,
                plain(accent),
                lambda p: (np.abs(p[:, 0] - draw_mark) < 0.1) & (p[:, 2] < 0.3),
            )
            if striped
            else upper_paint
        )
        model.add(upper, paint)
        if kind in ("sneaker", "slipper", "heel"):
            k = 5 if kind == "sneaker" else 8
            hole = sphere((0.14 if kind == "sneaker" else 0.2, 0.075, 0.03), 14, 8).rotated(
                "y", 18 if kind == "sneaker" else 0
            )
            model.add(
                hole.moved(
                    -0.27 if kind == "sneaker" else -0.15,
                    0.02,
                    base[k] + top[k] * (0.93 if kind == "sneaker" else 0.5),
                ),
                plain(shade(rgb, 0.3)),
            )
        else:
            shaft = revolve(
                [
                    (0.115, 0),
                    (0.12, high * 0.5),
                    (draw_wide, high),
                    (draw_wide * 0.85, high),
                    (0.06, high * 0.6),
                    (0, high * 0.6),
                ],
                20,
                None,
                0.85,
            )
            model.add(shaft.scaled(1.25, 1, 1).moved(-0.3, 0.01, base[0] + 0.05), upper_paint)
        if kind in ("sneaker", "boot"):
            for k in range(draw_laces):
                s = 0.02 + 0.035 * k
                model.add(
                    tube(
                        [
                            (-0.02 + s, -0.05, 0.3 - 0.12 * k / 4 + base[8] - 0.05),
                            (-0.02 + s, 0.1, 0.3 - 0.12 * k / 4 + base[8] - 0.05),
                        ],
                        0.012,
                        5,
                        ends="round",
                    ),
                    plain(lace),
                )
        return model

    draw_thick, draw_at, draw_tall = (
        draw.uniform(0.7, 1.5),
        draw.uniform(0.25, 0.45),
        draw.uniform(0.35, 0.75),
    )
    draw_mark, draw_wide, draw_laces = (
        draw.uniform(-0.3, 0.4),
        draw.uniform(0.11, 0.15),
        draw.integer(2, 5),
    )
    striped, lace = draw.chance(0.5), draw.pick((np.full(3, 0.93), accent, DARK))
    upper_paint = draw.pick((plain(rgb), mottled(draw, rgb, 0.08), any_paint(draw, rgb, 0.4)))
    model = one()
    if draw.chance(0.25):
        other = one()
        other.parts = [part.scaled(1, -1, 1) for part in other.parts]
        model.extend(other.moved(draw.uniform(-0.1, 0.1), 0.36, 0))
    elif draw.chance(0.2):
        model.rotated("x", 90)
    return model.grounded()
