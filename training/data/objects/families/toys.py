"""Stacking rings, skittles, chess pieces, board games, castles."""

import numpy as np

from training.data.objects import labels, prints
from training.data.objects.draw import DARK, Draw, color, contrast, hsv, shade, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, rectangle
from training.data.objects.shapes import (
    box,
    cylinder,
    extrude,
    plate,
    revolve,
    rounded_box,
    sphere,
    torus,
    tube,
)
from training.data.objects.surfaces import any_paint, bands, grain, mottled, plain, sectors


@family(weight=0.8)
def ring_stack(draw: Draw) -> Model:
    """Stacking rings on a stick, spinning tops, yo-yos, bowling pins, skittles, chess pieces."""
    model = Model()
    kind = draw.pick(("rings", "top", "pin", "yoyo", "rattle"))
    if kind == "rings":
        n, z = draw.integer(3, 6), 0.08
        model.add(cylinder(0.5, 0.08, 24), plain(color(draw)))
        for k in range(n):
            r = 0.16 * (1 - 0.08 * k)
            model.add(
                torus(0.38 * (1 - 0.12 * k), r, 24, 10).scaled(1, 1, 0.9).moved(0, 0, z + r),
                plain(vivid(draw)),
            )
            z += 1.7 * r
        model.add(sphere((0.13, 0.13, 0.13), 12, 8).moved(0, 0, z + 0.08), plain(vivid(draw))).add(
            cylinder(0.07, z, 10), plain(wood(draw))
        )
    elif kind == "top":
        model.add(
            revolve(
                [
                    (0, 0),
                    (0.04, 0.05),
                    (draw.uniform(0.35, 0.55), 0.4),
                    (0.4, 0.52),
                    (0.08, 0.6),
                    (0.06, draw.uniform(0.8, 1.1)),
                    (0, 1.0),
                ],
                26,
            ),
            draw.pick(
                (
                    sectors(vivid(draw), vivid(draw), 6),
                    bands([vivid(draw), color(draw), vivid(draw)], [-0.3, 0.1], 2),
                )
            ),
            bake=True,
        )
        model.rotated("x", draw.uniform(20, 60))
    elif kind == "pin":
        line = curve(
            [
                (0.17, 0),
                (0.27, 0.35),
                (0.22, 0.6),
                (0.1, 0.85),
                (0.09, 0.95),
                (0.15, 1.1),
                (0.1, 1.22),
            ],
            22,
        )
        model.add(
            revolve([(0, 0), *line, (0, 1.25)], 22),
            draw.pick(
                (
                    bands([np.ones(3) * 0.94, vivid(draw), np.ones(3) * 0.94], [0.35, 0.5], 2),
                    any_paint(draw, None, 0.4),
                )
            ),
            bake=True,
        )
        if draw.chance(0.25):
            model.rotated("x", 90)
    elif kind == "yoyo":
        a, rgb = vivid(draw), color(draw)
        for side in (0, 180):
            model.add(
                revolve([(0, 0.03), (0.45, 0.05), (0.5, 0.15), (0.4, 0.27), (0, 0.3)], 26).rotated(
                    "x", 90 + side
                ),
                sectors(a, rgb, 5) if draw.chance(0.4) else plain(a),
            )
    else:
        model.add(
            sphere((0.35, 0.35, 0.35), 20, 11).moved(0, 0, 1.1),
            any_paint(draw, vivid(draw), 0.6),
            bake=True,
        ).add(cylinder(0.07, 0.85, 12), plain(vivid(draw))).add(
            torus(0.2, 0.06, 18, 8).rotated("x", 90).moved(0, 0, -0.15), plain(vivid(draw))
        )
        model.rotated("x", 90)
    return model.grounded()


@family(weight=0.7)
def board_game(draw: Draw) -> Model:
    """Flat things with marked tops: chess boards, peg boards, xylophones, card decks."""
    model = Model()
    kind = draw.pick(("chess", "pegs", "xylophone", "deck", "palette"))
    w, d, t = draw.uniform(0.8, 1.1), draw.uniform(0.5, 1.0), draw.uniform(0.04, 0.14)
    rgb = wood(draw) if draw.chance(0.6) else color(draw)
    if kind == "xylophone":
        n = draw.integer(5, 9)
        model.add(box((w, 0.08, t)).moved(0, -0.2, 0), plain(rgb)).add(
            box((w, 0.08, t)).moved(0, 0.2, 0), plain(rgb)
        )
        for k in range(n):
            model.add(
                box((0.8 * w / n, draw.uniform(0.55, 0.6) * (1 - 0.4 * k / n) + 0.2, 0.04)).moved(
                    (k - (n - 1) / 2) * w / n, 0, t
                ),
                plain(hsv(330 * k / n, 0.85, 0.9)),
            )
        return model.grounded()
    model.add(
        rounded_box((w, d, t), 0.02, 1), grain(draw, rgb, 0) if draw.chance(0.5) else plain(rgb)
    )
    top = rectangle(0.9 * w, 0.88 * d)
    if kind == "chess":
        image = np.kron((np.add.outer(range(8), range(8)) % 2)[..., None], np.ones((8, 8, 1)))
        a, b = np.array(prints.rgb255(color(draw))), np.array(prints.rgb255(contrast(draw, rgb)))
        model.add(plate(top, t + 0.003), (image * a + (1 - image) * b).astype(np.uint8))
        for _ in range(draw.integer(0, 10)):
            s = draw.uniform(0.03, 0.045)
            x, y = (
                (draw.integer(0, 7) - 3.5) * 0.9 * w / 8,
                (draw.integer(0, 7) - 3.5) * 0.88 * d / 8,
            )
            piece = revolve(
                [(0, 0), (s, 0), (s * 0.5, s), (s * 0.4, s * 2.5), (s * 0.7, s * 3), (0, s * 3.8)],
                10,
            )
            model.add(
                piece.moved(x, y, t + 0.004),
                plain(draw.pick((np.ones(3) * 0.92, np.ones(3) * 0.1))),
            )
    elif kind == "pegs":
        nx, ny = draw.integer(2, 5), draw.integer(2, 4)
        for i in range(nx):
            for j in range(ny):
                x, y = ((i + 0.5) / nx - 0.5) * 0.85 * w, ((j + 0.5) / ny - 0.5) * 0.85 * d
                if draw.chance(0.65):
                    model.add(
                        cylinder(0.05, draw.uniform(0.1, 0.3), 10).moved(x, y, t),
                        plain(draw.pick((rgb * 0.9, vivid(draw)))),
                    )
                else:
                    model.add(cylinder(0.05, 0.004, 12).moved(x, y, t), plain(shade(rgb, 0.3)))
    elif kind == "deck":
        model.add(plate(top, t + 0.003), labels.front(draw, 64, 96, color(draw)))
    else:
        for k in range(n := draw.integer(4, 8)):
            a = 2 * np.pi * k / n
            model.add(
                sphere((0.08, 0.08, 0.03), 12, 7).moved(
                    0.34 * w * np.cos(a), 0.34 * d * np.sin(a), t
                ),
                plain(vivid(draw)),
            )
    return model.grounded()


@family(weight=0.7)
def castle(draw: Draw) -> Model:
    """Castles, lighthouses, wind mills, stage sets, bird houses, bridges: buildings as toys."""
    model, rgb = (
        Model(),
        draw.pick((np.array([0.65, 0.63, 0.6]), color(draw), np.array([0.75, 0.6, 0.42]))),
    )
    roof = draw.pick((vivid(draw), color(draw)))
    kind = draw.pick(("castle", "lighthouse", "mill", "bridge"))
    stone = mottled(draw, rgb, 0.08, 6)

    def tower(x, y, r, h):
        model.add(cylinder(r, h, 14, r * draw.uniform(0.85, 1)).moved(x, y, 0), stone)
        if draw.chance(0.6):
            model.add(
                cylinder(r * 1.25, draw.uniform(0.2, 0.45), 14, 0.0).moved(x, y, h), plain(roof)
            )
        else:
            model.add(cylinder(r * 1.15, 0.08, 14).moved(x, y, h), plain(shade(rgb, 0.9)))
            for k in range(5):
                a = 2 * np.pi * k / 5
                model.add(
                    box((0.05, 0.05, 0.07)).moved(x + r * np.cos(a), y + r * np.sin(a), h + 0.08),
                    plain(shade(rgb, 0.9)),
                )
        model.add(box((0.05, 0.02, 0.1)).moved(x, y - r * 1.0, h * 0.6), plain(DARK))

    if kind == "castle":
        w, d, h = draw.uniform(0.5, 0.9), draw.uniform(0.4, 0.7), draw.uniform(0.25, 0.45)
        model.add(box((w, d, h)), stone)
        for x in (-1, 1):
            for y in (-1, 1):
                if draw.chance(0.85):
                    tower(
                        x * w / 2, y * d / 2, draw.uniform(0.09, 0.14), h * draw.uniform(1.1, 1.9)
                    )
        model.add(box((0.2, 0.03, h * 0.7)).moved(0, -d / 2, 0), plain(wood(draw) * 0.6))
    elif kind == "lighthouse":
        second = contrast(draw, rgb)
        h = draw.uniform(0.7, 1.2)
        model.add(
            revolve([(0, 0), (0.22, 0), (0.13, h), (0, h)], 20),
            bands([rgb, second] * 3, np.linspace(-0.65, 0.65, 5), 2),
            bake=True,
        )
        model.add(cylinder(0.18, 0.03, 18).moved(0, 0, h), plain(DARK)).add(
            cylinder(0.1, 0.15, 14).moved(0, 0, h + 0.03), plain((0.95, 0.9, 0.6))
        ).add(cylinder(0.14, 0.12, 14, 0.0).moved(0, 0, h + 0.18), plain(roof))
    elif kind == "mill":
        h = draw.uniform(0.6, 0.9)
        model.add(cylinder(0.26, h, 8, 0.17), stone).add(
            cylinder(0.21, 0.22, 8, 0.0).moved(0, 0, h), plain(roof)
        )
        spin = draw.uniform(0, 90)
        for k in range(4):
            blade = box((0.1, 0.015, 0.5)).moved(0.03, 0, 0.03).rotated("y", 90 * k + spin)
            model.add(blade.moved(0, -0.24, h * 0.95), plain(wood(draw)))
        model.add(box((0.12, 0.02, 0.22)).moved(0, -0.25, 0), plain(DARK * 2))
    else:
        w, h = 1.2, draw.uniform(0.25, 0.5)
        a = np.linspace(0, np.pi, 15)
        r = draw.uniform(0.25, 0.42)
        side = np.concatenate(
            [
                [
                    (w / 2, 0),
                    (w / 2, h * 0.8),
                    (0.0, h * 0.8 + 0.12),
                    (-w / 2, h * 0.8),
                    (-w / 2, 0),
                ],
                np.stack([-r * np.cos(a), min(1, h * 0.7 / r) * r * np.sin(a)], -1),
            ]
        )
        model.add(extrude(side, 0.3).rotated("x", 90).moved(0, 0.15, 0), stone)
        for y in (-0.16, 0.16):
            model.add(
                tube(
                    curve(
                        [
                            (-w / 2, y, h * 0.8 + 0.08),
                            (0, y, h * 0.8 + 0.2),
                            (w / 2, y, h * 0.8 + 0.08),
                        ],
                        10,
                    ),
                    0.025,
                    6,
                ),
                plain(roof),
            )
    return model.grounded()
