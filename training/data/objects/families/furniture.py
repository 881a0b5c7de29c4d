"""Chairs, tables, cabinets, houses."""

import numpy as np

from training.data.objects.draw import DARK, GLASS, Draw, color, contrast, metal, shade, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import profile
from training.data.objects.pieces.supports import legs
from training.data.objects.shapes import (
    box,
    cylinder,
    extrude,
    revolve,
    rounded_box,
    sphere,
    superquadric,
    tube,
)
from training.data.objects.surfaces import any_paint, brushed, grain, mottled, plain


@family(weight=1.5)
def chair(draw: Draw) -> Model:
    """Chairs, stools, armchairs, benches, sofas, beds."""
    model = Model()
    kind = draw.pick(("chair", "chair", "stool", "sofa", "office", "bed"))
    rgb, cloth = draw.pick((wood(draw), color(draw))), color(draw)
    paint = grain(draw, rgb) if draw.chance(0.4) else plain(rgb)
    if kind in ("chair", "stool"):
        w, d, h = draw.uniform(0.4, 0.55), draw.uniform(0.4, 0.5), draw.uniform(0.35, 0.65)
        round_ = kind == "stool" and draw.chance(0.6)
        t = draw.uniform(0.03, 0.09)
        seat = cylinder(w / 2, t, 24) if round_ else rounded_box((w, d, t), t * 0.4, 1)
        model.add(seat.moved(0, 0, h), any_paint(draw, cloth, 0.2) if draw.chance(0.6) else paint)
        legs(
            model,
            w * (0.55 if round_ else 0.88),
            d * (0.55 if round_ else 0.88),
            h,
            draw.uniform(0.015, 0.035),
            paint,
            draw.uniform(0, 0.07),
            draw.chance(0.6),
        )
        if kind == "chair":
            high, lean = draw.uniform(0.35, 0.6), draw.uniform(0, 0.12)
            style = draw.pick(("slab", "bars", "ladder"))
            for s in (-1, 1):
                if style != "slab" or draw.chance(0.5):
                    model.add(
                        tube(
                            [
                                (-d * 0.44, s * w * 0.44, h),
                                (-d * 0.44 - lean, s * w * 0.44, h + high),
                            ],
                            0.025,
                            8,
                        ),
                        paint,
                    )
            if style == "slab":
                part = rounded_box((0.05, w * 0.95, high * 0.75), 0.02, 1).moved(
                    -d * 0.45 - lean * 0.6, 0, h + high * 0.25
                )
                model.add(part, any_paint(draw, cloth, 0.2))
            elif style == "bars":
                for y in np.linspace(-0.36, 0.36, draw.integer(3, 6)) * w:
                    model.add(
                        tube([(-d * 0.44, y, h), (-d * 0.44 - lean, y, h + high)], 0.014, 6), paint
                    )
                model.add(
                    box((0.04, w * 0.95, 0.08)).moved(-d * 0.44 - lean, 0, h + high - 0.06), paint
                )
            else:
                for z in np.linspace(0.35, 0.95, draw.integer(2, 4)):
                    model.add(
                        box((0.03, w * 0.88, 0.07)).moved(
                            -d * 0.44 - lean * z, 0, h + high * z - 0.03
                        ),
                        paint,
                    )
            if draw.chance(0.25):
                for s in (-1, 1):
                    model.add(box((d * 0.9, 0.05, 0.04)).moved(0, s * w * 0.5, h + 0.2), paint).add(
                        box((0.04, 0.04, 0.2)).moved(d * 0.4, s * w * 0.5, h), paint
                    )
    elif kind == "sofa":
        w, d, h = draw.uniform(0.5, 1.4), draw.uniform(0.5, 0.65), draw.uniform(0.16, 0.28)
        arm, back = draw.uniform(0.08, 0.18), draw.uniform(0.25, 0.45)
        cover = any_paint(draw, cloth, 0.15)
        model.add(rounded_box((d, w, h), 0.05, 2).moved(0, 0, 0.07), cover).add(
            rounded_box((0.17, w, h + back), 0.06, 2).moved(-d / 2 + 0.05, 0, 0.07), cover
        )
        for s in (-1, 1):
            model.add(
                rounded_box((d * 1.02, arm, h + draw.uniform(0.12, 0.2)), 0.05, 2).moved(
                    0, s * (w / 2 + arm / 2 - 0.02), 0.07
                ),
                cover,
            )
        n = max(1, round(w / 0.55))
        for k in range(n):
            y = ((k + 0.5) / n - 0.5) * w
            model.add(
                rounded_box((d * 0.85, w / n * 0.97, 0.11), 0.045, 2).moved(0.05, y, h + 0.05),
                plain(shade(cloth, 1.08)),
            )
        if draw.chance(0.5):
            model.add(
                superquadric((0.07, 0.17, 0.17), 0.6, 0.6)
                .rotated("y", -20)
                .moved(-d * 0.15, draw.uniform(-0.3, 0.3) * w, h + 0.3),
                any_paint(draw, None, 0.6),
            )
        legs(model, d * 0.85, w * 0.9, 0.08, 0.03, plain(rgb))
    elif kind == "bed":
        w, d = 1.0, draw.uniform(0.5, 0.9)
        model.add(box((w, d, 0.14)).moved(0, 0, 0.08), paint).add(
            rounded_box((w * 0.97, d * 0.96, 0.16), 0.05, 2).moved(0, 0, 0.2),
            plain(np.full(3, 0.92)),
        ).add(
            rounded_box((w * 0.62, d * 1.0, 0.14), 0.05, 2).moved(0.19, 0, 0.24),
            any_paint(draw, cloth, 0.5),
        ).add(box((0.06, d * 1.03, draw.uniform(0.4, 0.7))).moved(-w / 2, 0, 0), paint)
        for y in (-0.24, 0.24):
            model.add(
                superquadric((0.13, 0.2 * d, 0.06), 0.7, 0.6).moved(-0.33, y * d, 0.4),
                plain(np.full(3, 0.95)),
            )
        legs(model, w * 0.95, d * 0.95, 0.1, 0.035, paint)
    else:
        model.add(rounded_box((0.46, 0.46, 0.09), 0.035, 2).moved(0, 0, 0.45), plain(cloth)).add(
            rounded_box((0.08, 0.42, 0.5), 0.035, 2).rotated("y", -8).moved(-0.24, 0, 0.58),
            plain(cloth),
        ).add(cylinder(0.03, 0.38, 10).moved(0, 0, 0.08), plain(metal(draw)))
        for k in range(5):
            model.add(
                box((0.28, 0.05, 0.04)).moved(0.14, 0, 0.07).rotated("z", 72 * k), plain(DARK)
            ).add(
                sphere((0.035,) * 3, 8, 6).moved(0.27, 0, 0.035).rotated("z", 72 * k), plain(DARK)
            )
    return model.grounded()


@family(weight=1.3)
def table(draw: Draw) -> Model:
    """Tables, desks, benches, stands; with or without things on them."""
    model = Model()
    w, d, h = draw.uniform(0.6, 1.3), draw.uniform(0.4, 0.8), draw.uniform(0.3, 0.75)
    rgb = draw.pick((wood(draw), wood(draw), color(draw)))
    paint = draw.pick((grain(draw, rgb, 0), plain(rgb), mottled(draw, rgb, 0.05)))
    t = draw.uniform(0.02, 0.08)
    round_ = draw.chance(0.3)
    if round_:
        d = w
    top = (
        cylinder(w / 2, t, 30)
        if round_
        else rounded_box((w, d, t), draw.uniform(0.005, t * 0.4), 1)
    )
    model.add(top.moved(0, 0, h), paint)
    style = draw.pick(("legs", "pillar", "panels", "trestle", "metal"))
    under = paint if style != "metal" else brushed(draw, metal(draw))
    if style in ("legs", "metal"):
        f = 0.6 if round_ else 0.88
        legs(
            model,
            w * f,
            d * f,
            h,
            draw.uniform(0.012, 0.04),
            under,
            draw.uniform(-0.02, 0.06),
            draw.chance(0.5),
        )
        if draw.chance(0.4):
            model.add(
                box((w * f * 0.97, d * f * 0.97, 0.03)).moved(0, 0, h * draw.uniform(0.2, 0.9)),
                paint,
            )
    elif style == "pillar":
        model.add(
            revolve(profile([(0.2, 0), (0.05, 0.08), (0.04, h * 0.6), (0.06, h)], 12), 18), under
        ).add(cylinder(w * 0.28, 0.04, 24), under)
    elif style == "panels":
        for x in (-1, 1):
            model.add(box((0.04, d * 0.9, h)).moved(x * w * (0.3 if round_ else 0.45), 0, 0), under)
        if draw.chance(0.5) and not round_:
            model.add(
                box((w * 0.3, d * 0.85, h * 0.85)).moved(w * 0.28, 0, h * 0.12),
                plain(shade(rgb, 0.9)),
            )
            for z in (0.35, 0.6, 0.85):
                model.add(
                    box((w * 0.1, 0.02, 0.02)).moved(w * 0.28, -d * 0.44, h * z), plain(metal(draw))
                )
    else:
        for x in (-0.38, 0.38):
            model.add(tube([(x * w, -d * 0.42, 0), (x * w, d * 0.2, h)], 0.025, 6), under).add(
                tube([(x * w, d * 0.42, 0), (x * w, -d * 0.2, h)], 0.025, 6), under
            )
    if draw.chance(0.2):
        for _ in range(draw.integer(1, 3)):
            s = draw.uniform(0.05, 0.13)
            part = draw.pick(
                (
                    cylinder(s, s * 2, 16),
                    box((s * 2, s * 1.4, s)),
                    sphere((s, s, s), 14, 9).moved(0, 0, s),
                )
            )
            model.add(
                part.moved(*(draw.uniforms(-0.3, 0.3, 2) * [w, d]), h + t),
                any_paint(draw, None, 0.4),
            )
    return model.grounded()


@family(weight=1.2)
def cabinet(draw: Draw) -> Model:
    """Shelves, cupboards, fridges, chests, dressers, houses, mail boxes, bins."""
    kind = draw.pick(("shelf", "cupboard", "fridge", "chest", "house", "postbox", "stove"))
    model, rgb = Model(), draw.pick((wood(draw), color(draw), np.full(3, 0.92)))
    w, d, h = draw.uniform(0.4, 0.9), draw.uniform(0.25, 0.5), draw.uniform(0.5, 1.2)
    paint = grain(draw, rgb, 2) if draw.chance(0.3) else plain(rgb)
    knob = draw.pick((metal(draw), DARK, wood(draw)))
    if kind == "shelf":
        t = 0.03
        for x in (-1, 1):
            model.add(box((t, d, h)).moved(x * (w - t) / 2, 0, 0), paint)
        n = draw.integer(2, 5)
        for k in range(n + 1):
            model.add(box((w - 2 * t, d, t)).moved(0, 0, k * (h - t) / n), paint)
        if draw.chance(0.7):
            model.add(box((w, t * 0.6, h)).moved(0, d / 2, 0), plain(shade(rgb, 0.7)))
        if draw.chance(0.6):
            for k in range(n):
                x, cell = -w / 2 + t, (h - t) / n
                while x < w / 2 - 0.08 and draw.chance(0.93):
                    thick = draw.uniform(0.03, 0.09)
                    model.add(
                        box((thick * 0.95, d * 0.6, cell * draw.uniform(0.5, 0.85))).moved(
                            x + thick / 2, 0, k * cell + t
                        ),
                        plain(color(draw)),
                    )
                    x += thick
    elif kind in ("cupboard", "fridge", "stove"):
        model.add(rounded_box((w, d, h), 0.02, 1).moved(0, 0, 0.04), paint)
        n, m = draw.integer(1, 2), draw.integer(1, 4)
        door = draw.pick((shade(rgb, 1.07), shade(rgb, 0.9), contrast(draw, rgb)))
        for i in range(n):
            for j in range(m):
                cw, ch = w / n, h / m
                x, z = (i + 0.5) * cw - w / 2, j * ch + 0.04
                model.add(
                    box((cw * 0.92, 0.03, ch * 0.93)).moved(x, -d / 2, z + ch * 0.03), plain(door)
                )
                side = cw * 0.35 * (1 if i == 0 else -1)
                model.add(
                    box((0.02, 0.03, min(0.15, ch * 0.4))).moved(
                        x + side, -d / 2 - 0.03, z + ch * 0.4
                    ),
                    plain(knob),
                )
        if kind == "stove":
            for x in (-0.25, 0.25):
                for y in (-0.22, 0.22):
                    model.add(cylinder(0.1, 0.015, 16).moved(x * w, y * d, h + 0.04), plain(DARK))
        legs(model, w * 0.9, d * 0.9, 0.06, 0.025, plain(shade(rgb, 0.5)))
    elif kind == "chest":
        w, h = 0.9, draw.uniform(0.3, 0.45)
        model.add(box((w, d * 1.3, h)), paint)
        a = np.linspace(0, np.pi, 12)
        side = np.stack([d * 0.65 * np.cos(a), 0.3 * h + d * 0.4 * np.sin(a)], -1)
        side = np.concatenate(
            [
                [
                    (d * 0.65, 0),
                ],
                side,
                [(-d * 0.65, 0)],
            ]
        )
        lid_part = extrude(side, w).rotated("x", 90).rotated("z", 90).moved(-w / 2, 0, h + 0.01)
        model.add(lid_part, paint)
        for x in (-0.3, 0.3):
            model.add(box((0.07, d * 1.33, h)).moved(x, 0, 0.002), plain(metal(draw)))
        model.add(box((0.12, 0.04, 0.14)).moved(0, -d * 0.66, h - 0.06), plain((0.8, 0.65, 0.2)))
    elif kind == "house":
        h = draw.uniform(0.35, 0.7)
        model.add(box((w, d * 1.5, h)), paint)
        roof = np.array([(-w * 0.6, 0), (w * 0.6, 0), (0, draw.uniform(0.25, 0.5))])
        model.add(
            extrude(roof, d * 1.65).rotated("x", 90).moved(0, d * 0.825, h),
            any_paint(draw, color(draw, "red", "brown", "grey", "blue"), 0.2),
        )
        model.add(
            box((0.14, 0.03, h * 0.5)).moved(draw.uniform(-0.1, 0.1), -d * 0.75, 0),
            plain(color(draw)),
        )
        for x in (-0.28, 0.28):
            model.add(box((0.13, 0.02, 0.14)).moved(x * w, -d * 0.75, h * 0.5), plain(GLASS * 2))
            model.add(
                box((0.02, 0.16, 0.14)).moved(w / 2 * np.sign(x), 0, h * 0.45), plain(GLASS * 2)
            )
        if draw.chance(0.6):
            model.add(box((0.1, 0.1, 0.35)).moved(w * 0.25, 0.1, h + 0.1), plain((0.6, 0.3, 0.22)))
    else:
        a = np.linspace(0, np.pi, 14)
        r = d * 0.8
        side = np.concatenate(
            [[(r, 0)], np.stack([r * np.cos(a), 0.35 + r * np.sin(a)], -1), [(-r, 0)]]
        )
        z = draw.uniform(0.1, 0.9)
        rgb = vivid(draw)
        model.add(extrude(side, 0.6).rotated("x", 90).moved(0, 0.3, z), plain(rgb)).add(
            box((r * 1.2, 0.02, 0.07)).moved(0, -0.305, z + 0.4), plain(DARK)
        )
        if z > 0.4:
            model.add(box((0.09, 0.09, z)), plain(wood(draw)))
        else:
            legs(model, r * 1.5, 0.45, z, 0.03, plain(rgb))
    return model.grounded()
