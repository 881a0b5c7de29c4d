"""Pens, padlocks, nuts and bolts, rolls, wheels, chains and cables."""

import numpy as np

from training.data.objects import labels
from training.data.objects.draw import DARK, Draw, color, contrast, metal, shade, vivid
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, ring_outline
from training.data.objects.shapes import box, cylinder, extrude, revolve, rounded_box, tube
from training.data.objects.surfaces import any_paint, bands, brushed, mottled, plain, sectors


@family(weight=1.8, lie=0.0)
def pen(draw: Draw) -> Model:
    """Markers, pens, pencils, crayons, lipsticks, thermometers, batteries, torches."""
    model, rgb = Model(), color(draw)
    kind = draw.pick(
        ("marker", "pencil", "battery", "torch", "pen", "lipstick"), (4, 2, 1, 2, 2, 1)
    )
    r = draw.uniform(0.05, 0.09)
    second = draw.pick((contrast(draw, rgb), DARK, metal(draw)))
    if kind in ("marker", "pen"):
        r *= 1 if kind == "marker" else 0.6
        split = draw.uniform(0.55, 0.75)
        image = labels.canvas(draw, rgb, 64, 64)
        if draw.chance(0.8):
            image = np.rot90(labels.wrapper(draw, rgb, 48, 96)).copy()
        model.add(revolve([(r * 0.9, 0), (r, 0.03), (r, split)], 16), image)
        model.add(revolve([(0, 0), (r * 0.9, 0)], 16), plain(second))
        model.add(
            revolve([(r, split), (r * 1.1, split), (r * 1.06, 0.93), (r * 0.7, 1), (0, 1)], 16),
            plain(second),
        )
        if draw.chance(0.6):
            model.add(box((r * 0.5, r * 0.35, 0.3)).moved(0, r * 1.2, 0.66), plain(second))
    elif kind == "pencil":
        r = draw.uniform(0.025, 0.05)
        ridge = np.linalg.norm(ring_outline(12), axis=1) * np.where(np.arange(12) % 2, 0.93, 1)
        model.add(revolve([(0, 0), (r, 0), (r, 0.8)], 12, ridge), any_paint(draw, rgb, 0.2))
        model.add(revolve([(r, 0.8), (r * 0.3, 0.95)], 12), plain((0.85, 0.68, 0.45)))
        model.add(revolve([(r * 0.3, 0.95), (0, 1)], 12), plain(rgb if draw.chance(0.5) else DARK))
        if draw.chance(0.6):
            model.add(cylinder(r * 1.02, 0.06, 12).moved(0, 0, -0.03), plain(metal(draw))).add(
                cylinder(r * 0.95, 0.08, 12).moved(0, 0, -0.1), plain((0.9, 0.5, 0.5))
            )
    elif kind == "battery":
        r = draw.uniform(0.13, 0.3)
        model.add(
            revolve([(0, 0), (r, 0), (r, 1), (r * 0.95, 1), (0, 1)], 20),
            bands([rgb, second], [draw.uniform(-0.5, 0.6)], 2),
            bake=True,
        )
        model.add(cylinder(r * 0.35, 0.06, 12).moved(0, 0, 1), plain(metal(draw)))
    elif kind == "torch":
        r = draw.uniform(0.08, 0.12)
        big = r * draw.uniform(1.0, 1.9)
        ribs = 1 + 0.04 * (np.arange(20) % 2)
        model.add(
            revolve(
                [
                    (0, 0),
                    (r, 0),
                    (r, 0.7),
                    (big, 0.82),
                    (big, 1),
                    (big * 0.85, 1),
                    (big * 0.8, 0.97),
                    (0, 0.97),
                ],
                20,
                ribs,
            ),
            bands([second, rgb, second], [-0.85, 0.35], 2),
        )
        model.add(
            cylinder(r * 0.25, 0.02, 8).rotated("x", 90).moved(0, -r, 0.5), plain(vivid(draw))
        )
    else:
        r = 0.2
        model.add(
            rounded_box((2 * r, 2 * r, 0.55), 0.05, 1)
            if draw.chance(0.5)
            else cylinder(r, 0.55, 18),
            plain(draw.pick((DARK, metal(draw), rgb))),
        )
        model.add(cylinder(r * 0.8, 0.15, 16).moved(0, 0, 0.55), brushed(draw, metal(draw)))
        model.add(
            revolve([(r * 0.65, 0.65), (r * 0.65, 0.9), (r * 0.2, 1.0), (0, 1.0)], 14),
            plain(color(draw, "red", "pink", "purple")),
        )
        return model.grounded()
    if draw.chance(0.85 if kind not in ("battery", "torch") else 0.5):
        model.rotated("y", 90)
    return (
        model.rotated("x", draw.uniform(0, 360) if kind != "torch" else 0).grounded()
        if draw.chance(0.8) and kind not in ("battery", "torch")
        else model.grounded()
    )


@family(weight=1.0)
def padlock(draw: Draw) -> Model:
    model, rgb = Model(), draw.pick((metal(draw), metal(draw), vivid(draw), DARK))
    w, h, t = 0.5, draw.uniform(0.35, 0.6), draw.uniform(0.15, 0.28)
    body = (
        rounded_box((w, t, h), draw.uniform(0.02, 0.1), 2)
        if draw.chance(0.7)
        else extrude(ring_outline(24, w / 2, h / 2), t, 0.03)
        .rotated("x", 90)
        .moved(0, t / 2, h / 2)
    )
    model.add(body, brushed(draw, rgb))
    if draw.chance(0.6):
        model.add(cylinder(0.07, 0.02, 12).rotated("x", 90).moved(0, -t / 2, h * 0.4), plain(DARK))
    a = np.linspace(0, np.pi, 12)
    r, lift = w * draw.uniform(0.3, 0.38), draw.uniform(0.05, 0.4)
    path = np.concatenate(
        [
            [(r, 0, h - 0.05)],
            np.stack([r * np.cos(a), 0 * a, h + lift + r * np.sin(a)], -1),
            [(-r, 0, h - 0.05)],
        ]
    )
    model.add(tube(path, draw.uniform(0.035, 0.065), 10), brushed(draw, metal(draw)))
    if draw.chance(0.7):
        model.rotated("x", draw.pick((90, -90)))
    return model.grounded()


@family(weight=1.2)
def nut_bolt(draw: Draw) -> Model:
    """Nuts, bolts, screws, washers, gears, pipes and fittings, springs."""
    model, rgb = Model(), draw.pick((metal(draw), metal(draw), vivid(draw), DARK))
    paint = brushed(draw, rgb) if draw.chance(0.7) else any_paint(draw, rgb, 0.1)
    kind = draw.pick(("bolt", "nut", "gear", "spring", "pipe", "elbow", "screw"))
    hexagon = np.where(np.arange(12) % 2, 0.9, 1.0)
    if kind in ("bolt", "screw"):
        r, length, head = draw.uniform(0.1, 0.2), draw.uniform(0.4, 1.2), draw.uniform(0.22, 0.4)
        if kind == "bolt":
            model.add(revolve([(0, 0), (head, 0), (head, 0.2), (0, 0.2)], 12, hexagon), paint)
        else:
            model.add(
                revolve(profile([(0, 0), (head * 0.6, 0.0), (head, 0.1), (r, 0.25)], 8), 16), paint
            )
        z = np.linspace(0.15, 0.2 + length, 26)
        thread = r * (1 - 0.12 * (np.arange(26) % 2))
        model.add(revolve([*np.column_stack([thread, z]), (0, z[-1])], 14), brushed(draw, rgb))
        if draw.chance(0.4):
            model.add(
                revolve([(r, 0), (head, 0), (head, 0.2), (r, 0.2)], 12, hexagon).moved(
                    0, 0, length * 0.6
                ),
                brushed(draw, metal(draw)),
            )
        if draw.chance(0.6):
            model.rotated("x", 90)
    elif kind in ("nut", "gear"):
        teeth = 6 if kind == "nut" else draw.integer(8, 20)
        n = 12 if kind == "nut" else 4 * teeth
        ring = hexagon if kind == "nut" else 1 + draw.uniform(0.08, 0.2) * (np.arange(n) % 4 < 2)
        hole, t = draw.uniform(0.15, 0.6), draw.uniform(0.1, 0.6)
        k = np.array([hole, 1, 1, hole, hole])
        outer = np.array([0, 1, 1, 0, 0])[:, None]
        radius = np.where(outer > 0, ring, 1.0)
        model.add(revolve(np.column_stack([k, [0, 0, t, t, 0]]), n, radius), paint)
    elif kind == "spring":
        turns = draw.integer(3, 7)
        a = np.linspace(0, 2 * np.pi * turns, turns * 14)
        h = draw.uniform(0.6, 2.5)
        r = draw.uniform(0.3, 0.5) * np.interp(a, [0, a[-1]], [1, draw.pick((1, 1, 0.5))])
        model.add(
            tube(
                np.stack([r * np.cos(a), r * np.sin(a), h * a / a[-1]], -1),
                draw.uniform(0.03, 0.08),
                6,
                up=(0, 0, 1),
            ),
            paint,
        )
        if draw.chance(0.5):
            model.rotated("x", 90)
    elif kind == "pipe":
        r, h, t = draw.uniform(0.1, 0.6), 1.0, draw.uniform(0.02, 0.08)
        model.add(
            revolve([(r - t, 0), (r, 0), (r, h), (r - t, h), (r - t, 0)], 24),
            any_paint(draw, rgb, 0.25),
        )
        if draw.chance(0.5):
            model.rotated("x", 90)
    else:
        a = np.linspace(0, np.pi / 2, 9)
        path = np.concatenate(
            [
                [(1.0, 0, -draw.uniform(0.3, 1))],
                np.stack([np.cos(a), 0 * a, np.sin(a)], -1),
                [(-draw.uniform(0.3, 1), 0, 1.0)],
            ]
        )
        r = draw.uniform(0.15, 0.3)
        model.add(tube(path, r, 14), paint)
        model.add(
            cylinder(r * 1.3, 0.2, 14).moved(path[0, 0], 0, path[0, 2]), plain(shade(rgb, 0.85))
        )
        model.add(
            cylinder(r * 1.3, 0.2, 14).rotated("y", 90).moved(path[-1, 0], 0, 1.0),
            plain(shade(rgb, 0.85)),
        )
        model.rotated("x", draw.pick((0, 90)))
    return model.grounded()


@family(weight=1.0)
def tape_roll(draw: Draw) -> Model:
    """Rolls of tape, paper, yarn, wheels, reels, hoses, rings."""
    model, rgb = Model(), color(draw)
    kind = draw.pick(("tape", "paper", "reel", "hose", "wheel"))
    if kind in ("tape", "paper"):
        hole, h = (
            draw.uniform(0.2, 0.8),
            draw.uniform(0.2, 0.7) if kind == "tape" else draw.uniform(0.8, 2.2),
        )
        core = draw.pick((np.array([0.75, 0.6, 0.42]), color(draw)))
        if kind == "paper":
            rgb = np.ones(3) * draw.uniform(0.85, 0.97)
        model.add(revolve([(hole, 0), (1, 0), (1, h), (hole, h)], 28), any_paint(draw, rgb, 0.15))
        model.add(
            revolve([(hole, h), (hole * 0.95, h), (hole * 0.95, 0), (hole, 0)], 28), plain(core)
        )
    elif kind == "reel":
        r, h = draw.uniform(0.3, 0.8), draw.uniform(0.5, 1.5)
        model.add(revolve([(0.15, 0), (1, 0), (1, 0.08), (r, 0.1)], 24), plain(rgb)).add(
            revolve([(r, h - 0.1), (1, h - 0.08), (1, h), (0.15, h)], 24), plain(rgb)
        )
        z = np.linspace(0.1, h - 0.1, 14)
        model.add(
            revolve(np.column_stack([r * (1 + 0.03 * (np.arange(14) % 2)), z]), 20),
            mottled(draw, contrast(draw, rgb), 0.1, 6),
        )
        model.add(revolve([(0.15, h), (0.15, 0)], 12), plain(DARK))
    elif kind == "hose":
        turns = draw.integer(2, 4)
        a = np.linspace(0, 2 * np.pi * turns, 22 * turns)
        r = draw.uniform(0.06, 0.12)
        path = np.stack(
            [(1 + 0.1 * np.sin(a * 0.37)) * np.cos(a), np.sin(a), r * a / np.pi * 0.9], -1
        )
        model.add(tube(path, r, 7, ends="round"), any_paint(draw, rgb, 0.2))
    else:
        w = draw.uniform(0.3, 0.7)
        model.add(
            revolve(
                profile(
                    [(0.6, 0), (0.9, 0.0), (1, w * 0.25), (1, w * 0.75), (0.9, w), (0.6, w)], 14
                ),
                30,
                1 + 0.02 * (np.arange(30) % 2),
            ),
            plain(DARK * draw.uniform(0.7, 2)),
        )
        rim = draw.pick((metal(draw), color(draw)))
        model.add(
            revolve([(0.6, w * 0.95), (0.2, w * 0.7), (0.15, w), (0, w)], 24),
            sectors(rim, shade(rim, 0.4), draw.integer(4, 9), 0.6),
        ).add(revolve([(0, 0), (0.6, 0.05)], 20), plain(shade(rim, 0.7)))
    if draw.chance(0.45):
        model.rotated("x", 90)
    return model.grounded()


@family(weight=0.6)
def chain(draw: Draw) -> Model:
    """Chains, necklaces, cables, ropes and rings, lying in curves."""
    model = Model()
    k = draw.integer(4, 7)
    a = np.sort(draw.uniforms(0, 2 * np.pi * draw.uniform(0.5, 1.2), k))
    points = np.column_stack([np.cos(a), np.sin(a) * 0.8, 0 * a]) * draw.uniforms(0.4, 1.0, k, 1)
    if draw.chance(0.5):
        rgb = draw.pick((metal(draw), vivid(draw), np.array([0.9, 0.7, 0.15])))
        n = draw.integer(12, 24)
        path = curve(points, n)
        length = np.linalg.norm(np.diff(path, axis=0), axis=1).mean() * 0.72
        for i in range(n - 1):
            d = path[i + 1] - path[i]
            b = np.arange(10) * 2 * np.pi / 10
            link = np.stack([length * np.cos(b), length * 0.55 * np.sin(b), 0 * b], -1)
            part = tube(link, length * 0.17, 5, closed=True).rotated("x", 90 * (i % 2) * 0.8 + 10)
            model.add(
                part.rotated("z", np.degrees(np.arctan2(d[1], d[0]))).moved(
                    *((path[i] + path[i + 1]) / 2)
                ),
                plain(rgb),
            )
    else:
        path = curve(points, 50)
        r = draw.uniform(0.02, 0.06)
        path[:, 2] += 2 * r * (np.arange(50) / 50)
        rgb = color(draw)
        model.add(tube(path, r, 7, ends="round"), any_paint(draw, rgb, 0.3))
        if draw.chance(0.6):
            for end in (0, -1):
                model.add(
                    rounded_box((0.16, 0.1, 0.08), 0.02, 1).moved(
                        path[end, 0], path[end, 1], path[end, 2] - 0.03
                    ),
                    plain(contrast(draw, rgb)),
                )
    return model.grounded()
