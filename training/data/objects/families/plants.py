"""Plants in pots."""

import numpy as np

from training.data.objects.draw import Draw, color, hsv, shade, vivid
from training.data.objects.families.animals import limb
from training.data.objects.families.crockery import walled
from training.data.objects.families.fruit import leaf, lumpy
from training.data.objects.model import Model, family
from training.data.objects.outlines import profile
from training.data.objects.shapes import revolve, sphere
from training.data.objects.surfaces import any_paint, mottled, plain


@family(weight=1.5)
def plant(draw: Draw) -> Model:
    """Plants in pots: leaves, cactus, succulent, small tree, flowers, bonsai."""
    model, rgb = Model(), draw.pick((np.array([0.72, 0.38, 0.24]), color(draw), np.full(3, 0.93)))
    r, h = draw.uniform(0.22, 0.36), draw.uniform(0.3, 0.5)
    foot = r * draw.uniform(0.6, 1.0)
    line = [
        (foot, 0),
        (foot + (r - foot) * 0.8, h * 0.8),
        (r, h * 0.82),
        (r * draw.uniform(1, 1.1), h),
    ]
    model.extend(walled(draw, line, 0.03, rgb, paint=any_paint(draw, rgb, 0.25)))
    model.add(
        revolve([(r * 0.93, h * 0.85), (0, h * 0.88)], 18), mottled(draw, (0.25, 0.16, 0.1), 0.3, 7)
    )
    kind = draw.pick(("leaves", "cactus", "succulent", "tree", "flower", "grass"))
    green = hsv(draw.uniform(75, 150), draw.uniform(0.4, 0.8), draw.uniform(0.25, 0.6))
    if kind in ("leaves", "succulent", "grass"):
        for _ in range(draw.integer(8, 22)):
            length = draw.uniform(0.3, 0.8) * (0.5 if kind == "succulent" else 1)
            wide = length * {"leaves": 0.35, "succulent": 0.45, "grass": 0.07}[kind]
            part = (
                leaf(length, wide, draw.uniform(0.1, 0.5))
                .rotated("y", -draw.uniform(15, 85))
                .rotated("z", draw.uniform(0, 360))
            )
            model.add(part.moved(0, 0, h * 0.88), plain(shade(green, draw.uniform(0.7, 1.3))))
    elif kind == "cactus":
        n, ribs = 24, draw.integer(5, 9)
        wavy = 1 - 0.13 * np.abs(np.cos(ribs * np.arange(n) * np.pi / n))
        tall = draw.uniform(0.2, 1.0)
        line = profile([(r * 0.4, 0), (r * 0.6, tall * 0.5), (r * 0.5, tall * 0.9), (0, tall)], 12)
        model.add(revolve(line, n, wavy).moved(0, 0, h * 0.85), mottled(draw, green, 0.1, 5))
        for s in (-1, 1):
            if draw.chance(0.5):
                z = h + tall * draw.uniform(0.3, 0.6)
                model.add(
                    limb(
                        [(0, 0, z), (s * r * 1.1, 0, z + 0.05), (s * r * 1.2, 0, z + tall * 0.4)],
                        [0.08, 0.08, 0.07],
                    ),
                    plain(green),
                )
        if draw.chance(0.3):
            model.add(
                sphere((0.08, 0.08, 0.06), 10, 6).moved(0, 0, h * 0.85 + tall), plain(vivid(draw))
            )
    elif kind == "tree":
        tall = draw.uniform(0.4, 0.9)
        lean = draw.uniform(-0.2, 0.2)
        model.add(
            limb(
                [(0, 0, h * 0.8), (lean, 0, h + tall * 0.5), (lean * 0.5, 0, h + tall)],
                [0.06, 0.05, 0.03],
                7,
            ),
            plain((0.35, 0.24, 0.15)),
        )
        shape = draw.pick(("ball", "cone", "cloud"))
        if shape == "cone":
            model.add(
                lumpy(
                    draw, revolve([(0, 0), (0.4, 0.05), (0.2, 0.6), (0, 1.0)], 16), 0.08, 3
                ).moved(0, 0, h + tall * 0.5),
                mottled(draw, green, 0.2, 6),
            )
        else:
            for _ in range(1 if shape == "ball" else draw.integer(3, 7)):
                s = 0.4 if shape == "ball" else draw.uniform(0.15, 0.3)
                at = np.zeros(3) if shape == "ball" else draw.normal(3) * [0.2, 0.2, 0.12]
                model.add(
                    lumpy(draw, sphere((s, s, s * 0.85), 14, 9), 0.1, 3).moved(
                        lean * 0.5 + at[0], at[1], h + tall + at[2]
                    ),
                    mottled(draw, green, 0.2, 6),
                )
    else:
        for _ in range(draw.integer(1, 7)):
            tip = np.array([*draw.uniforms(-0.3, 0.3, 2), h + draw.uniform(0.4, 0.9)])
            model.add(
                limb([(0, 0, h * 0.8), tip * [0.4, 0.4, 0.8], tip], [0.018, 0.016, 0.014], 5),
                plain(green),
            )
            petals, s, petal = draw.integer(5, 9), draw.uniform(0.08, 0.18), vivid(draw)
            for k in range(petals):
                model.add(
                    leaf(s, s * 0.6, 0.3).rotated("z", 360 * k / petals).moved(*tip), plain(petal)
                )
            model.add(
                sphere((s * 0.3, s * 0.3, s * 0.25), 8, 6).moved(*tip), plain((0.9, 0.75, 0.2))
            )
            if draw.chance(0.7):
                model.add(
                    leaf(0.3, 0.12, 0.4)
                    .rotated("y", -30)
                    .rotated("z", draw.uniform(0, 360))
                    .moved(0, 0, h),
                    plain(green),
                )
    return model.grounded()
