"""Clocks, watches, mirrors, picture frames, road signs."""

import cv2
import numpy as np

from training.data.objects import labels, prints
from training.data.objects.draw import DARK, Draw, color, contrast, metal, shade, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, ring_outline
from training.data.objects.shapes import (
    box,
    cylinder,
    extrude,
    grid,
    plate,
    revolve,
    sphere,
    torus,
    tube,
)
from training.data.objects.surfaces import bands, grain, plain


@family(weight=0.8)
def clock(draw: Draw) -> Model:
    """Alarm clocks, watches, mirrors, picture frames, road signs, cones, magnifying glasses."""
    kind = draw.pick(("alarm", "frame", "sign", "cone", "glass", "watch", "hydrant"))
    model, rgb = Model(), draw.pick((vivid(draw), metal(draw), color(draw)))
    if kind in ("alarm", "watch"):
        r = 0.45
        model.add(
            revolve(
                [(0, 0), (r, 0), (r * 1.06, 0.1), (r, 0.22), (r * 0.9, 0.22), (r * 0.88, 0.18)], 28
            ).rotated("x", 90),
            plain(rgb),
        )
        face = prints.sheet(64, 64, draw.pick((np.full(3, 0.96), DARK, color(draw))))
        ink = contrast(draw, face[0, 0] / 255, 0.5)
        for k in range(12):
            a = k * np.pi / 6
            cv2.circle(
                face,
                (int(32 + 26 * np.sin(a)), int(32 - 26 * np.cos(a))),
                2,
                prints.rgb255(ink),
                -1,
            )
        for length, a in ((16, draw.uniform(0, 6.3)), (24, draw.uniform(0, 6.3))):
            cv2.line(
                face,
                (32, 32),
                (int(32 + length * np.sin(a)), int(32 - length * np.cos(a))),
                prints.rgb255(ink),
                3,
            )
        disc = plate(ring_outline(28, r * 0.88, r * 0.88), 0.19)
        model.add(disc.rotated("x", 90), face)
        if kind == "alarm":
            for s in (-1, 1):
                model.add(
                    sphere((0.17, 0.12, 0.13), 14, 8)
                    .rotated("y", s * 35)
                    .moved(s * 0.26, -0.1, 0.5),
                    plain(draw.pick((rgb, metal(draw)))),
                )
                model.add(
                    tube([(s * 0.28, -0.1, -0.3), (s * 0.4, -0.1, -0.56)], 0.035, 7, ends="round"),
                    plain(DARK),
                )
        else:
            strap = (
                curve(
                    [
                        (0, 0.1, 0),
                        (0, 0.15, 0.5),
                        (0, 0.9, 0.75),
                        (0, 1.4, 0.2),
                        (0, 1.4, -0.2),
                        (0, 0.9, -0.75),
                        (0, 0.15, -0.5),
                    ],
                    30,
                    closed=True,
                )
                if draw.chance(0.5)
                else curve([(0, 0.02, -1.6), (0, 0.0, 0), (0, 0.02, 1.6)], 12)
            )
            closed = len(strap) == 30
            model.add(
                tube(
                    strap,
                    np.tile([0.04, 0.2], (len(strap), 1)),
                    ring_outline(8, power=5),
                    closed=closed,
                    up=(1, 0, 0),
                ),
                plain(color(draw, "black", "brown", "grey", "blue")),
            )
            if not closed:
                model.rotated("x", -90)
    elif kind == "frame":
        w, h, t = draw.uniform(0.5, 1), draw.uniform(0.5, 1), draw.uniform(0.04, 0.12)
        for x, z, sx, sz in (
            (0, 0, w, t),
            (0, h - t, w, t),
            (-(w - t) / 2, t, t, h - 2 * t),
            ((w - t) / 2, t, t, h - 2 * t),
        ):
            model.add(
                box((sx, 0.05, sz)).moved(x, 0, z),
                grain(draw, wood(draw)) if draw.chance(0.3) else plain(rgb),
            )
        model.add(box((w * 0.96, 0.02, h * 0.96)).moved(0, 0.01, h * 0.02), plain((0.5, 0.4, 0.3)))
        image = (
            prints.picture(draw, 64, 64)
            if draw.chance(0.8)
            else prints.sheet(64, 64, (0.7, 0.78, 0.82))
        )
        e = t * 0.8
        model.add(
            grid(
                np.array(
                    [
                        [(-w / 2 + e, -0.003, e), (w / 2 - e, -0.003, e)],
                        [(-w / 2 + e, -0.003, h - e), (w / 2 - e, -0.003, h - e)],
                    ]
                )
            ),
            image,
        )
        if draw.chance(0.5):
            model.add(tube([(0, 0.02, h * 0.7), (0, 0.35, -0.08)], 0.02, 6), plain((0.4, 0.3, 0.2)))
            model.rotated("x", -12)
    elif kind == "sign":
        n = draw.pick((3, 4, 8, 24))
        shape = (
            ring_outline(24, 0.3, 0.3)
            if n == 24
            else 0.34
            * np.stack(
                [
                    np.cos(
                        a := 2 * np.pi * (np.arange(n) + 0.5) / n
                        - np.pi / 2 * (n == 3)
                        + np.pi / n * (n == 3)
                    ),
                    np.sin(a),
                ],
                -1,
            )
        )
        z = draw.uniform(0.7, 1.0)
        model.add(extrude(shape, 0.03).rotated("x", 90).moved(0, -0.02, z), plain(vivid(draw))).add(
            plate(shape * 0.85, 0.005).rotated("x", 90).moved(0, -0.048, z),
            labels.front(draw, 48, 48, draw.pick((np.full(3, 0.95), vivid(draw)))),
        )
        model.add(cylinder(0.03, z + 0.2, 10), plain(metal(draw))).add(
            cylinder(0.2, 0.05, 20), plain(DARK * 3)
        )
    elif kind == "cone":
        model.add(box((0.6, 0.6, 0.05)), plain(draw.pick((DARK, (0.95, 0.4, 0.05))))).add(
            revolve([(0.24, 0.05), (0.05, 0.85), (0, 0.85)], 24),
            bands(
                [
                    (0.95, 0.4, 0.05),
                    (0.95, 0.95, 0.95),
                    (0.95, 0.4, 0.05),
                    (0.95, 0.95, 0.95),
                    (0.95, 0.4, 0.05),
                ],
                [-0.4, -0.1, 0.2, 0.5],
                2,
            ),
            bake=True,
        )
    elif kind == "glass":
        model.add(torus(0.3, 0.035, 28, 8), plain(rgb)).add(
            cylinder(0.29, 0.02, 24).moved(0, 0, -0.01), plain((0.75, 0.82, 0.86))
        ).add(
            tube([(0.32, 0, 0), (0.95, 0, 0)], np.array([0.03, 0.05]), 9, ends="round"),
            plain(draw.pick((DARK, wood(draw), rgb))),
        )
    else:
        model.add(
            revolve(
                profile(
                    [
                        (0.3, 0),
                        (0.3, 0.06),
                        (0.2, 0.08),
                        (0.2, 0.6),
                        (0.23, 0.64),
                        (0.21, 0.75),
                        (0.1, 0.88),
                        (0, 0.9),
                    ],
                    26,
                ),
                22,
            ),
            plain(rgb),
        ).add(revolve([(0, 0), (0.3, 0)], 22), rgb)
        for k in range(3):
            model.add(
                cylinder(0.09, 0.14, 12)
                .rotated("y", 90)
                .moved(0.17, 0, 0.45)
                .rotated("z", 120 * k),
                plain(shade(rgb, 0.9)),
            )
    return model.grounded()
