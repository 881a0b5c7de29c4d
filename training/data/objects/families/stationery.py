"""Pens, staplers and rolls of tape."""

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


@family(weight=0.8)
def stapler(draw: Draw) -> Model:
    """Staplers, hole punches, tape dispensers, can openers, nutcrackers: two arms on a base."""
    model, rgb = Model(), draw.pick((DARK, vivid(draw), color(draw)))
    w = draw.uniform(0.12, 0.2)
    if draw.chance(0.65):
        opening = draw.uniform(4, 14)
        base = rounded_box((1.0, w, 0.06), 0.02, 1)
        model.add(base, plain(draw.pick((DARK, rgb))))
        t = np.linspace(0, 1, 9)
        path = np.stack([-0.5 + 0.98 * t, 0 * t, 0.06 + 0.05 * np.sin(np.pi * t)], -1)
        size = np.stack(
            [w / 2 * (0.7 + 0.3 * np.sin(np.pi * t)), 0.05 + 0.03 * np.sin(np.pi * t)], -1
        )
        arm = tube(path, size, ring_outline(12, power=4), ends="round", up=(0, 0, 1))
        rail = box((0.9, w * 0.6, 0.05)).moved(0, 0, 0.02)
        for part, paint in (
            (arm.moved(0, 0, 0.07), plain(rgb)),
            (rail, brushed(draw, metal(draw))),
        ):
            turned = part.moved(0.5, 0, 0).rotated("y", -opening).moved(-0.5, 0, 0.08)
            model.add(turned, paint)
        model.add(box((0.1, w * 1.05, 0.14)).moved(-0.45, 0, 0.03), plain(shade(rgb, 0.8)))
    else:
        side = curve(
            [
                (-0.5, 0),
                (0.5, 0),
                (0.5, 0.16),
                (0.3, 0.22),
                (0.05, 0.3),
                (-0.2, 0.5),
                (-0.45, 0.42),
            ],
            30,
            closed=True,
        )
        for y in (-w, w * 0.8):
            model.add(extrude(side, w * 0.2).rotated("x", 90).moved(0, y + w * 0.2, 0), plain(rgb))
        model.add(box((0.9, w * 1.8, 0.08)), plain(rgb))
        reel = revolve([(0.1, 0), (0.19, 0), (0.19, 2 * w * 0.8), (0.1, 2 * w * 0.8)], 22)
        model.add(
            reel.rotated("x", 90).moved(-0.2, w * 0.78, 0.26),
            plain(draw.pick(((0.85, 0.8, 0.62), color(draw)))),
        )
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
