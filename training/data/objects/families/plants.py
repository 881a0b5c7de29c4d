"""Plants in pots, and trees."""

import numpy as np

from training.data.objects.draw import Draw, color, hsv, shade, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import profile
from training.data.objects.pieces.organic import leaf, limb, lumpy
from training.data.objects.pieces.vessels import walled
from training.data.objects.shapes import cylinder, revolve, sphere
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


@family(weight=0.8)
def tree(draw: Draw) -> Model:
    """Palms, firs, broad-leaved trees, bushes, corals, mushrooms of stone: plants without a pot."""
    model = Model()
    trunk = hsv(draw.uniform(18, 34), draw.uniform(0.3, 0.6), draw.uniform(0.25, 0.6))
    green = hsv(draw.uniform(70, 165), draw.uniform(0.35, 0.8), draw.uniform(0.25, 0.65))
    kind, h = draw.pick(("palm", "fir", "broad", "coral")), draw.uniform(0.6, 1.1)
    lean = draw.uniform(-0.3, 0.3)
    if kind == "palm":
        path = [(0, 0, 0), (lean * 0.2, 0, h * 0.5), (lean, 0, h)]
        model.add(limb(path, [0.09, 0.06, 0.05], 8), mottled(draw, trunk, 0.12, 6))
        n = draw.integer(5, 9)
        for k in range(n):
            part = leaf(draw.uniform(0.4, 0.6), 0.2, 0.35).rotated("y", draw.uniform(5, 35))
            model.add(
                part.rotated("z", 360 * k / n).moved(lean, 0, h + 0.02),
                plain(shade(green, draw.uniform(0.8, 1.2))),
            )
    elif kind == "fir":
        model.add(cylinder(0.07, 0.3, 10), plain(trunk))
        n, r = draw.integer(1, 5), draw.uniform(0.28, 0.45)
        for k in range(n):
            f = 1 - 0.7 * k / max(n, 2)
            z = 0.2 + (h - 0.3) * k / n
            model.add(
                cylinder(r * f, h * (1.3 / n), 12, 0.0).moved(0, 0, z),
                mottled(draw, green, 0.12, 5),
            )
    elif kind == "broad":
        model.add(
            limb([(0, 0, 0), (lean * 0.4, 0, h * 0.4), (lean, 0, h * 0.75)], [0.1, 0.07, 0.05], 8),
            plain(trunk),
        )
        for k in range(draw.integer(1, 6)):
            s = draw.uniform(0.18, 0.36)
            at = (0, 0, 0) if k == 0 else draw.normal(3) * [0.2, 0.2, 0.1]
            model.add(
                lumpy(draw, sphere((s, s, s * 0.85), 14, 9), 0.08, 2.5).moved(
                    lean + at[0], at[1], h * 0.85 + at[2]
                ),
                mottled(draw, green, 0.15, 5),
            )
    else:
        rgb = draw.pick((vivid(draw), trunk, color(draw)))
        for _ in range(draw.integer(3, 7)):
            tip = np.array([*draw.uniforms(-0.45, 0.45, 2), draw.uniform(0.4, 1.0)])
            knee = tip * [0.3, 0.3, 0.5] + draw.normal(3) * 0.04
            model.add(
                limb([(0, 0, 0), knee, tip], [0.12, 0.07, 0.05], 8), mottled(draw, rgb, 0.1, 5)
            )
            if draw.chance(0.6):
                model.add(
                    limb(
                        [knee, knee + np.array([0.15, 0.1, 0.2]), tip + np.array([0.2, 0.1, -0.1])],
                        [0.06, 0.05, 0.04],
                        7,
                    ),
                    mottled(draw, rgb, 0.1, 5),
                )
        model.add(lumpy(draw, sphere((0.25, 0.25, 0.1), 14, 8), 0.1, 2), plain(shade(rgb, 0.7)))
    if draw.chance(0.3):
        model.add(
            cylinder(draw.uniform(0.2, 0.35), 0.05, 20).moved(0, 0, -0.04),
            plain(draw.pick((green * 0.8, wood(draw)))),
        )
    return model.grounded()
