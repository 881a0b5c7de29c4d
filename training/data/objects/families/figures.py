"""Dolls, statues, robots, teddy bears, snowmen."""

import numpy as np

from training.data.objects.draw import Draw, color, metal, shade, skin, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile
from training.data.objects.pieces.coats import INK, fur
from training.data.objects.pieces.organic import limb, lumpy
from training.data.objects.shapes import box, cylinder, revolve, rounded_box, sphere, torus, tube
from training.data.objects.surfaces import any_paint, fade, mottled, over, plain


@family(weight=2.6, lie=0.08)
def figure(draw: Draw) -> Model:
    """Dolls, statues, action figures, toy bricks' people, robots, snowmen, teddy bears."""
    kind = draw.pick(("person", "person", "teddy", "robot", "snowman", "peg", "bust"))
    model = Model()
    face, hair = skin(draw), draw.pick((INK, fur(draw), vivid(draw)))
    shirt, legs, shoe = color(draw), color(draw), color(draw, "black", "brown", "white", "red")
    if kind in ("person", "bust"):
        chub, h = draw.uniform(0.8, 1.4), draw.uniform(0.7, 1.1)
        head = draw.uniform(0.13, 0.3)
        wide = 0.2 * chub
        stance = draw.uniform(0.02, 0.16)
        skirt = draw.chance(0.2)
        z = h if kind == "person" else 0.2
        if kind == "bust":
            model.add(cylinder(0.28, 0.2, 20, 0.2), plain(color(draw)))
        elif skirt:
            model.add(
                revolve(
                    profile([(0.4 * chub, 0.1), (0.3 * chub, h * 0.5), (wide * 0.8, h)], 9), 18
                ),
                any_paint(draw, legs, 0.4),
            ).add(revolve([(0, 0.1), (0.4 * chub, 0.1)], 18), plain(legs))
        for s in (-1, 1):
            if kind == "person" and not skirt:
                step = draw.uniform(-0.2, 0.2)
                model.add(
                    limb(
                        [
                            (0, s * wide * 0.5, h),
                            (step * 0.4, s * (wide * 0.5 + stance * 0.5), h * 0.5),
                            (step, s * (wide * 0.5 + stance), 0.07),
                        ],
                        [0.11 * chub, 0.09 * chub, 0.075 * chub],
                    ),
                    plain(legs),
                )
                model.add(
                    sphere((0.14, 0.08, 0.07), 9, 6).moved(
                        step + 0.05, s * (wide * 0.5 + stance), 0.06
                    ),
                    plain(shoe),
                )
            lift, out = draw.uniform(-0.55, 0.5), draw.uniform(0.1, 0.5)
            hand = np.array([draw.uniform(-0.1, 0.4), s * (wide + out), z + 0.5 + lift])
            elbow = np.array([hand[0] * 0.3, s * (wide + out * 0.7), z + 0.5 + lift * 0.55])
            model.add(
                limb(
                    [(0, s * wide * 1.0, z + 0.52), elbow, hand], [0.085 * chub, 0.07 * chub, 0.055]
                ),
                fade(face, shirt, 2, -1.0, -0.99) if draw.chance(0.3) else plain(shirt),
            )
            model.add(sphere((0.075, 0.06, 0.075), 8, 6).moved(*hand), plain(face))
        model.add(
            tube(
                curve([(0, 0, z - 0.05), (0, 0, z + 0.25), (0, 0, z + 0.62)], 8),
                np.stack(
                    [
                        0.13 * chub * np.array([1, 1, 1, 1.05, 1.1, 1.1, 0.9, 0.5]),
                        wide * np.array([1, 0.95, 0.95, 1, 1.08, 1.1, 0.95, 0.5]),
                    ],
                    -1,
                ),
                14,
                up=(0, 1, 0),
            ),
            any_paint(draw, shirt, 0.35),
        )
        top = z + 0.62 + head * 1.0
        model.add(sphere((head * 0.9, head * 0.85, head), 16, 10).moved(0, 0, top), plain(face))
        style = draw.pick(("hair", "hat", "helmet", "bald"))
        if style in ("hair", "helmet"):
            cap = sphere((head * 1.0, head * 0.95, head * 1.05), 16, 10).map(
                lambda p: np.stack(
                    [
                        p[:, 0],
                        p[:, 1],
                        np.maximum(
                            p[:, 2],
                            head
                            * (0.2 if style == "helmet" else -0.5)
                            * np.where(p[:, 0] > 0, -0.2, 1),
                        ),
                    ],
                    -1,
                )
            )
            model.add(
                cap.moved(-head * 0.13, 0, top + head * 0.08),
                plain(hair if style == "hair" else vivid(draw)),
            )
        elif style == "hat":
            model.add(
                revolve(
                    [
                        (0, 0),
                        (head * 1.6, 0.0),
                        (head * 1.6, 0.03),
                        (head * 0.9, 0.05),
                        (head * 0.8, head * 0.9),
                        (0, head),
                    ],
                    18,
                ).moved(0, 0, top + head * 0.4),
                plain(color(draw)),
            )
        for s in (-1, 1):
            model.add(
                sphere((head * 0.1,) * 3, 7, 5).moved(
                    head * 0.82, s * head * 0.3, top + head * 0.1
                ),
                plain(INK),
            )
        if draw.chance(0.2):  # a statue of one material
            rgb = draw.pick((metal(draw), np.full(3, 0.9), wood(draw)))
            model.parts = [part.painted(mottled(draw, rgb, 0.04)) for part in model.parts]
    elif kind == "teddy":
        rgb = draw.pick((fur(draw), vivid(draw)))
        tummy = shade(rgb, 1.3)
        model.add(
            lumpy(draw, sphere((0.36, 0.4, 0.45), 18, 11), 0.02).moved(0, 0, 0.5),
            over(mottled(draw, rgb, 0.08, 4), plain(tummy), lambda p: p[:, 0] > 0.55),
        )
        model.add(
            sphere((0.32, 0.35, 0.32), 18, 11).moved(0.03, 0, 1.15), mottled(draw, rgb, 0.08, 4)
        ).add(sphere((0.16, 0.16, 0.13), 12, 8).moved(0.3, 0, 1.08), plain(tummy)).add(
            sphere((0.05, 0.06, 0.04), 8, 6).moved(0.45, 0, 1.12), plain(INK)
        )
        sit = draw.chance(0.7)
        ear = draw.uniform(0.1, 0.3)
        for s in (-1, 1):
            model.add(
                sphere((0.07, 0.13, 0.13 if ear < 0.2 else ear * 1.3), 10, 7).moved(
                    0, s * 0.26, 1.4 + (0 if ear < 0.2 else ear * 0.7)
                ),
                plain(rgb),
            ).add(sphere((0.045,) * 3, 8, 6).moved(0.3, s * 0.13, 1.23), plain(INK))
            model.add(
                limb(
                    [(0.05, s * 0.34, 0.75), (0.2, s * 0.55, 0.5), (0.3, s * 0.5, 0.35)],
                    [0.13, 0.13, 0.12],
                ),
                plain(rgb),
            )
            end = (0.6, s * 0.35, 0.14) if sit else (0.05, s * 0.24, -0.3)
            model.add(limb([(0.05, s * 0.22, 0.25), end], [0.17, 0.15]), plain(rgb))
        if draw.chance(0.4):
            model.add(torus(0.26, 0.06, 16, 8).moved(0, 0, 0.9), plain(vivid(draw)))
    elif kind == "robot":
        a, b = draw.pick((metal(draw), vivid(draw))), color(draw)
        model.add(rounded_box((0.35, 0.5, 0.55), 0.05, 1).moved(0, 0, 0.5), plain(a)).add(
            rounded_box((0.3, 0.36, 0.28), 0.06, 1).moved(0, 0, 1.1), plain(draw.pick((a, b)))
        ).add(cylinder(0.08, 0.1, 10).moved(0, 0, 1.02), plain(INK))
        model.add(box((0.03, 0.3, 0.22)).moved(0.18, 0, 0.68), plain(b))
        for s in (-1, 1):
            model.add(sphere((0.05,) * 3, 8, 6).moved(0.15, s * 0.09, 1.25), plain(vivid(draw)))
            model.add(
                limb(
                    [(0, s * 0.3, 0.95), (0.1, s * 0.42, 0.7), (0.25, s * 0.4, 0.6)],
                    [0.07, 0.06, 0.06],
                ),
                plain(b),
            ).add(box((0.14, 0.12, 0.12)).moved(0.3, s * 0.4, 0.53), plain(INK))
            model.add(box((0.16, 0.14, 0.45)).moved(0, s * 0.14, 0.08), plain(b)).add(
                rounded_box((0.32, 0.18, 0.12), 0.03, 1).moved(0.05, s * 0.14, 0), plain(INK)
            )
        if draw.chance(0.5):
            model.add(tube([(0, 0, 1.35), (0, 0, 1.6)], 0.015, 6), plain(INK)).add(
                sphere((0.05,) * 3, 8, 6).moved(0, 0, 1.62), plain(vivid(draw))
            )
    elif kind == "snowman":
        white = np.full(3, 0.95)
        z = 0.0
        for r in (0.5, 0.36, 0.25):
            model.add(
                sphere((r, r, r * 0.92), 18, 11).moved(0, 0, z + r * 0.85),
                mottled(draw, white, 0.03),
            )
            z += r * 1.5
        model.add(
            limb([(0.2, 0, z - 0.15), (0.5, 0, z - 0.17)], [0.05, 0.01], 7), plain((0.95, 0.5, 0.1))
        ).add(torus(0.24, 0.06, 16, 8).moved(0, 0, z - 0.32), plain(vivid(draw)))
        model.add(cylinder(0.3, 0.03, 18).moved(0, 0, z + 0.02), plain(INK)).add(
            cylinder(0.2, 0.25, 18).moved(0, 0, z + 0.03), plain(INK)
        )
    else:
        r = draw.uniform(0.2, 0.3)
        line = profile([(r, 0), (r * 1.05, 0.2), (r * 0.75, 0.6), (r * 0.4, 0.75)], 10)
        model.add(revolve([(0, 0), *line], 20), any_paint(draw, shirt, 0.5), bake=True)
        model.add(
            sphere((r * 0.8,) * 3, 16, 10).moved(0, 0, 0.72 + r * 0.6),
            over(plain(face), plain(hair), lambda p: (p[:, 2] > 0.4) | (p[:, 0] < -0.5)),
        )
    return model.grounded()
