"""Hammers, screwdrivers, drills, brushes."""

import numpy as np

from training.data.objects.draw import DARK, Draw, color, contrast, metal, shade, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, ring_outline
from training.data.objects.pieces.handles import grip_color, handle
from training.data.objects.shapes import box, cylinder, extrude, revolve, rounded_box, sphere, tube
from training.data.objects.surfaces import bands, brushed, grain, mottled, plain


@family(weight=1.8)
def hammer(draw: Draw) -> Model:
    """Claw hammers, mallets, axes, picks, meat tenderisers."""
    rgb, thick = metal(draw), draw.uniform(0.028, 0.045)
    wooden = draw.chance(0.5)
    hand = wood(draw) if wooden else grip_color(draw)
    model = Model()
    if wooden:
        model.extend(handle(draw, 1.0, thick, hand))
    else:
        model.extend(handle(draw, 0.5, thick * 1.2, hand))
        model.add(
            tube([(0.45, 0, 0), (1.0, 0, 0)], np.array([thick * 0.75, thick * 0.7]), 10),
            brushed(draw, rgb) if draw.chance(0.6) else plain(hand),
        )
    kind = draw.pick(("claw", "mallet", "axe", "ball", "pick"), (4, 2, 2, 1, 1))
    s = draw.uniform(0.8, 1.3)
    if kind == "claw":
        model.add(
            cylinder(0.06 * s, 0.16 * s, 14, 0.065 * s).rotated("x", 90).moved(1.0, -0.06, 0),
            brushed(draw, rgb),
        )
        model.add(box((0.09 * s, 0.16, 0.09 * s)).moved(1.0, 0, -0.045 * s), plain(rgb))
        for y in (-0.025, 0.025):
            path = curve(
                [(1.0, 0.05, y), (1.0 - 0.01, 0.16 * s, y * 1.3), (1.0 - 0.09, 0.26 * s, y * 1.7)],
                8,
            )
            model.add(
                tube(
                    path,
                    np.stack([np.linspace(0.045, 0.01, 8), np.full(8, 0.018)], -1),
                    6,
                    up=(0, 0, 1),
                ),
                brushed(draw, rgb),
            )
    elif kind in ("mallet", "ball"):
        r, length = draw.uniform(0.07, 0.14), draw.uniform(0.25, 0.42)
        head = draw.pick((plain(DARK), plain(wood(draw)), brushed(draw, rgb), plain(vivid(draw))))
        part = cylinder(r, length, 16) if draw.chance(0.6) else box((r * 1.8, r * 1.8, length))
        model.add(part.moved(0, 0, -length / 2).rotated("x", 90).moved(1.0, 0, 0), head)
        if kind == "ball":
            model.add(sphere((r, r, r), 12, 8).moved(1.0, length / 2, 0), brushed(draw, rgb))
    elif kind == "axe":
        a, b = draw.uniform(0.1, 0.2), draw.uniform(0.2, 0.34)
        blade = curve(
            [
                (0.94, -0.05),
                (1.06, -0.05),
                (1.07, 0.06),
                (1.02 + a, b),
                (1.0, b * 1.12),
                (0.98 - a, b),
                (0.93, 0.06),
            ],
            24,
            closed=True,
        )
        model.add(
            extrude(blade, 0.05, 0.02).moved(0, 0, -0.025),
            brushed(draw, draw.pick((rgb, vivid(draw)))),
        )
    else:
        path = curve([(0.9, -0.38, 0), (1.0, 0, 0), (0.9, 0.38, 0)], 11)
        size = np.concatenate([np.linspace(0.012, 0.045, 6), np.linspace(0.04, 0.015, 5)])
        model.add(tube(path, size, 6), brushed(draw, rgb))
    return model.rotated("x", draw.uniform(-15, 15)).grounded()


@family(weight=1.5)
def screwdriver(draw: Draw) -> Model:
    """Screwdrivers, awls, chisels, soldering irons, paint rollers' handles: grip and shaft."""
    rgb = metal(draw)
    length = draw.uniform(0.3, 0.8)
    model = handle(draw, draw.uniform(0.3, 0.5), draw.uniform(0.045, 0.09))
    start = model.bounds()[1][0]
    r = draw.uniform(0.012, 0.03)
    model.add(tube([(start - 0.05, 0, 0), (start + length, 0, 0)], r, 8), brushed(draw, rgb))
    kind = draw.pick(("flat", "cross", "chisel", "bare"))
    if kind == "flat":
        model.add(box((0.08, 3 * r, r * 0.7)).moved(start + length, 0, -0.35 * r), plain(rgb))
    elif kind == "cross":
        model.add(
            revolve([(0, 0), (r, 0), (0.3 * r, 0.05), (0, 0.05)], 8)
            .rotated("y", 90)
            .moved(start + length, 0, 0),
            plain(shade(rgb, 0.6)),
        )
    elif kind == "chisel":
        w = draw.uniform(0.04, 0.1)
        model.add(box((0.35, 2 * w, 0.02)).moved(start + length, 0, -0.01), brushed(draw, rgb))
    return model.grounded()


@family(weight=2.0, lie=0.3)
def drill(draw: Draw) -> Model:
    """Drills, glue guns, hair dryers, toy pistols, spray guns: barrel, grip, trigger."""
    model, rgb = Model(), draw.pick((vivid(draw), vivid(draw), DARK, color(draw)))
    second = draw.pick((DARK, contrast(draw, rgb)))
    r, length = draw.uniform(0.1, 0.16), draw.uniform(0.4, 0.75)
    line = profile(
        [
            (0, -0.08),
            (r * 0.7, -0.06),
            (r, 0.05),
            (r, length * 0.6),
            (r * draw.uniform(0.6, 1.1), length),
            (0, length),
        ],
        18,
    )
    model.add(
        revolve(line, 18).rotated("y", 90),
        bands([second, rgb, rgb, second], [-0.7, 0.2, draw.uniform(0.5, 0.9)], 0),
        bake=True,
    )
    lean, h = draw.uniform(-0.02, 0.22), draw.uniform(0.35, 0.6)
    x = draw.uniform(0.05, 0.3)
    path = curve([(x, 0, -r * 0.5), (x - lean * 0.5, 0, -h * 0.5), (x - lean, 0, -h)], 8)
    size = np.tile([r * draw.uniform(0.45, 0.65), r * draw.uniform(0.55, 0.9)], (8, 1))
    model.add(
        tube(path, size, ring_outline(12, power=3), up=(1, 0, 0)),
        bands([second, rgb], [draw.uniform(-0.6, 0.6)], 2),
    )
    kind = draw.pick(("drill", "drill", "gun", "dryer"))
    if kind == "drill":
        z = -h
        model.add(
            rounded_box((0.36, 0.2, draw.uniform(0.08, 0.16)), 0.03, 1).moved(
                x - lean + 0.02, 0, z - 0.1
            ),
            plain(draw.pick((second, rgb))),
        )
        model.add(
            revolve([(0, 0), (r * 0.65, 0), (r * 0.65, 0.1), (r * 0.3, 0.17), (0, 0.17)], 14)
            .rotated("y", 90)
            .moved(length, 0, 0),
            plain(DARK),
        )
        if draw.chance(0.6):
            model.add(
                tube([(length + 0.15, 0, 0), (length + draw.uniform(0.25, 0.5), 0, 0)], 0.018, 6),
                plain(metal(draw)),
            )
    elif kind == "gun":
        model.add(
            cylinder(r * 0.5, 0.25, 12, r * 0.3).rotated("y", 90).moved(length, 0, 0),
            plain(draw.pick((second, metal(draw)))),
        )
        if draw.chance(0.5):
            model.add(
                cylinder(r * 0.6, 0.3, 14).moved(length * 0.5, 0, r * 0.7),
                plain(contrast(draw, rgb)),
            )
    else:
        model.add(
            revolve(
                [(r * 0.8, 0), (r * 0.95, 0.15), (r * 0.85, 0.15), (r * 0.7, 0.02), (0, 0.02)],
                18,
                None,
                0.6,
            )
            .rotated("y", 90)
            .moved(length * 0.97, 0, 0),
            plain(second),
        )
    model.add(
        box((0.05, 0.05, 0.12)).moved(x + r * 0.75, 0, -r - 0.1),
        plain(contrast(draw, rgb) if draw.chance(0.4) else second),
    )
    if draw.chance(0.35):
        model.rotated("x", 90)
    return model.grounded()


@family(weight=1.5)
def brush(draw: Draw) -> Model:
    """Paint brushes, hair brushes, tooth brushes, dish brushes, brooms, combs."""
    model, rgb = Model(), grip_color(draw)
    hair = draw.pick((DARK, np.array([0.85, 0.75, 0.55]), np.ones(3) * 0.92, vivid(draw)))
    kind = draw.pick(("paint", "hair", "tooth", "broom"))
    bristle = mottled(draw, hair, 0.12, 6)
    if kind == "paint":
        w = draw.uniform(0.06, 0.22)
        model.extend(handle(draw, 0.6, 0.035, rgb))
        model.add(box((0.16, 2 * w, 0.09)).moved(0.66, 0, -0.045), brushed(draw, metal(draw)))
        model.add(box((0.28, 1.95 * w, 0.075)).moved(0.86, 0, -0.037), bristle)
    elif kind == "hair":
        model.extend(handle(draw, 0.5, 0.045, rgb))
        w = draw.uniform(0.1, 0.2)
        model.add(sphere((0.3, w, 0.05), 18, 9).moved(0.78, 0, 0), plain(rgb))
        for x in np.linspace(0.6, 0.96, 6):
            for y in np.linspace(-0.6, 0.6, 4):
                model.add(
                    box((0.015, 0.015, 0.14)).moved(
                        x, y * w * np.sqrt(max(0.05, 1 - ((x - 0.78) / 0.27) ** 2)), 0.03
                    ),
                    plain(hair),
                )
    elif kind == "tooth":
        t = np.linspace(0, 1, 10)
        path = np.stack([1.1 * t, 0 * t, 0.03 * np.sin(6 * t)], -1)
        model.add(
            tube(
                path,
                np.stack(
                    [
                        np.interp(t, [0, 0.5, 0.7, 0.85, 1], [0.05, 0.055, 0.025, 0.05, 0.045]),
                        0 * t + 0.028,
                    ],
                    -1,
                ),
                8,
                ends="round",
                up=(0, 0, 1),
            ),
            bands([rgb, contrast(draw, rgb), rgb], [-0.6, 0.1], 0),
        )
        model.add(
            box((0.24, 0.085, 0.12)).moved(0.97, 0, 0.01),
            bands([hair, vivid(draw), hair], [-0.3, 0.3], 0),
        )
        model.rotated("x", draw.pick((0, 90)))
    else:
        w = draw.uniform(0.2, 0.4)
        model.add(rounded_box((2 * w, 0.14, 0.08), 0.02, 1), draw.pick((plain(rgb), grain(draw))))
        model.add(box((1.9 * w, 0.11, 0.16), 1, 1.0).moved(0, 0, -0.16), bristle)
        if draw.chance(0.5):
            model.extend(
                handle(draw, draw.uniform(0.4, 1.0), 0.03)
                .rotated("y", -draw.uniform(10, 80))
                .moved(0, 0, 0.06)
            )
    return model.grounded()
