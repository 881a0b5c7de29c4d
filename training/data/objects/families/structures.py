"""Stands, holders, ladders, machines, drones: assemblies of bars, plates and blocks."""

from itertools import pairwise

import numpy as np

from training.data.objects.draw import DARK, Draw, color, contrast, metal, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, rectangle, ring_outline
from training.data.objects.shapes import (
    box,
    cylinder,
    extrude,
    revolve,
    rounded_box,
    sphere,
    superquadric,
    torus,
    tube,
)
from training.data.objects.surfaces import any_paint, brushed, mottled, plain


@family(weight=1.2)
def holder(draw: Draw) -> Model:
    """Book ends, plate and phone stands, hooks, brackets, racks, ladders, easels."""
    model = Model()
    rgb = draw.pick((metal(draw), color(draw), wood(draw)))
    paint = draw.pick((plain(rgb), brushed(draw, rgb), mottled(draw, rgb, 0.05)))
    kind = draw.pick(("bookend", "stand", "ladder", "rack", "bracket", "easel"))
    w, h, t = draw.uniform(0.4, 0.9), draw.uniform(0.4, 1.0), draw.uniform(0.015, 0.06)
    if kind == "bookend":
        depth = draw.uniform(0.3, 0.8)
        model.add(rounded_box((depth, w, t), t * 0.3, 1), paint)
        model.add(
            rounded_box((t, w * draw.uniform(0.5, 1), h), t * 0.3, 1).moved(
                -depth / 2 + t / 2, 0, 0
            ),
            paint,
        )
        if draw.chance(0.5):
            side = [(-depth / 2, 0), (depth * 0.3, 0), (-depth / 2, h * 0.7)]
            model.add(extrude(side, t).rotated("x", 90).moved(0, t / 2, 0), paint)
        if draw.chance(0.3):
            second = Model().extend(model).parts
            for part in list(second):
                model.add(part.scaled(-1, 1, 1).moved(depth * draw.uniform(1.1, 1.3), 0, 0))
    elif kind == "stand":
        lean = draw.uniform(10, 35)
        model.add(rounded_box((t, w, h), t * 0.4, 1).rotated("y", -lean), paint)
        model.add(rounded_box((0.3, w, t), t * 0.4, 1).moved(0.12, 0, 0.02), paint)
        model.add(rounded_box((t, w, 0.1), t * 0.4, 1).moved(0.26, 0, 0.02), paint)
        model.add(
            rounded_box((t, w * 0.5, h * 0.75), t * 0.4, 1)
            .rotated("y", lean)
            .moved(-h * 0.55, 0, 0),
            paint,
        )
    elif kind == "ladder":
        w *= 0.6
        lean = draw.uniform(0, 0.3)
        n = draw.integer(3, 7)
        r = t * 0.7 + 0.008
        for flip in (1, -1) if draw.chance(0.5) else (1,):
            for s in (-1, 1):
                model.add(
                    tube(
                        [(flip * lean, s * w / 2, 0), (0, s * w * 0.42, h)],
                        r,
                        draw.pick((8, ring_outline(8, power=8))),
                    ),
                    paint,
                )
            for k in range(n):
                f = (k + 0.7) / (n + 0.4)
                x, y = flip * lean * (1 - f), w / 2 - w * 0.08 * f
                step = draw.pick((r * 2, r * 4)) if k == 0 else r * 3
                model.add(box((step, 2 * y, r * 1.2)).moved(x, 0, f * h), paint)
    elif kind == "rack":
        long, r = draw.uniform(0.6, 1.1), t * 0.5 + 0.006
        for y in (-w / 2, w / 2):
            model.add(tube([(-long / 2, y, r), (long / 2, y, r)], r, 7), paint)
        for x in np.linspace(-0.5, 0.5, draw.integer(4, 9)) * long:
            path = curve(
                [(x, -w / 2, r), (x, -w * 0.3, h * 0.5), (x, w * 0.3, h * 0.5), (x, w / 2, r)], 10
            )
            model.add(tube(path, r * 0.8, 6), paint)
        if draw.chance(0.5):
            for x in np.linspace(-0.35, 0.35, draw.integer(1, 5)) * long:
                dish = revolve(
                    [(0, 0), (w * 0.25, 0), (w * 0.42, 0.05), (w * 0.4, 0.06), (0, 0.02)], 22
                )
                model.add(
                    dish.rotated("y", draw.uniform(75, 88)).moved(x, 0, w * 0.45),
                    plain(color(draw)),
                )
    elif kind == "bracket":
        outline = rectangle(w, h, 0.1)
        model.add(extrude(outline, t).rotated("x", 90), paint)
        for _ in range(draw.integer(1, 4)):
            x, z = draw.uniforms(-0.35, 0.35, 2) * [w, h]
            hook = curve(
                [(x, 0, z), (x, -0.15, z - 0.05), (x, -0.25, z + 0.0), (x, -0.25, z + 0.1)], 10
            )
            model.add(
                tube(hook, t * 0.5 + 0.01, 7, ends="round"), plain(draw.pick((rgb, metal(draw))))
            )
        if draw.chance(0.5):
            model.rotated("x", 90)
    else:
        r = t * 0.6 + 0.008
        top = np.array([0, 0, h])
        for foot in ((0.22, -w / 2, 0), (0.22, w / 2, 0), (-0.35, 0, 0)):
            model.add(tube([foot, top], r, 8), paint)
        model.add(box((0.08, w * 0.9, 0.03)).moved(0.2, 0, h * 0.35), paint)
        if draw.chance(0.7):
            board = box((0.02, w * 0.8, h * 0.5)).rotated("y", -14).moved(0.2, 0, h * 0.38)
            model.add(board, any_paint(draw, None, 0.7))
    return model.grounded()


@family(weight=1.5)
def machine(draw: Draw) -> Model:
    """Devices of no known use: a mirrored body of blocks, cylinders, pipes, knobs and wheels."""
    model = Model()
    few = [draw.pick((color(draw), metal(draw), DARK)) for _ in range(3)]
    size = draw.uniforms(0.3, 0.9, 3)
    body = draw.pick(
        (
            box(size),
            rounded_box(size, 0.06, 1),
            cylinder(size[0] / 2, size[2], 20),
            superquadric(size / 2, 0.4, 0.5).moved(0, 0, size[2] / 2),
        )
    )
    model.add(body, any_paint(draw, few[0], 0.2))
    for _ in range(draw.integer(3, 9)):
        kind = draw.pick(("block", "block", "disc", "rod", "ball", "pipe", "ring"))
        s = draw.log(0.08, 0.4)
        at = draw.uniforms(-0.55, 0.55, 3) * size + [0, 0, size[2] / 2]
        face = draw.integer(0, 2)
        at[face] = (size[face] / 2) * draw.sign() * draw.uniform(0.9, 1.15) + (
            size[2] / 2 if face == 2 else 0
        )
        turn = ("y", "x", "z")[face]
        if kind == "block":
            part = rounded_box(draw.uniforms(0.6, 2.0, 3) * s, 0.1 * s, 1).moved(0, 0, -s / 2)
        elif kind == "disc":
            part = cylinder(s * 0.7, s * draw.uniform(0.2, 0.8), 18).moved(0, 0, -s * 0.2)
            part = part if face == 2 else part.rotated(turn, 90)
        elif kind == "rod":
            part = cylinder(s * 0.15, s * 2.5, 8).moved(0, 0, -s * 1.25)
            part = part if face == 2 else part.rotated(turn, 90)
        elif kind == "ball":
            part = sphere((s * 0.5,) * 3, 14, 9)
        elif kind == "ring":
            part = torus(s * 0.6, s * 0.15, 18, 8).rotated("x", draw.pick((0, 90)))
        else:
            points = (
                np.array([(0, 0, 0), (0.6, 0, 0.2), (0.7, 0.3, 0.6), (0.3, 0.4, 0.9)]) * s * 1.6
            )
            part = tube(curve(points, 12), s * 0.14, 8, ends="round")
        part = part.moved(*at).painted(any_paint(draw, draw.pick(few), 0.1))
        model.add(part)
        if abs(at[1]) > 0.08 and draw.chance(0.8):
            model.add(part.scaled(1, -1, 1))
    if draw.chance(0.35):
        r = draw.uniform(0.08, 0.2)
        for x in (-0.4, 0.4):
            for s in (-1, 1):
                wheel = (
                    cylinder(r, 0.1, 16)
                    .rotated("x", 90)
                    .moved(x * size[0], s * size[1] / 2 + 0.05, 0)
                )
                model.add(wheel, plain(DARK))
    return model.grounded()


@family(weight=0.7)
def gadget(draw: Draw) -> Model:
    """Drones, blasters, rifles, telescopes, microscopes, robot arms, rovers."""
    model, a, b = (
        Model(),
        draw.pick((color(draw), vivid(draw), DARK)),
        draw.pick((metal(draw), color(draw))),
    )
    kind = draw.pick(("drone", "blaster", "scope", "arm", "microscope"))
    if kind == "drone":
        model.add(superquadric((0.25, 0.15, 0.08), 0.6, 0.6), plain(a))
        r = draw.uniform(0.15, 0.24)
        for x in (-1, 1):
            for y in (-1, 1):
                end = np.array([x * 0.38, y * 0.36, 0.03])
                model.add(
                    tube([(x * 0.1, y * 0.08, 0), end], 0.025, 7), plain(draw.pick((a, DARK)))
                )
                model.add(cylinder(0.04, 0.08, 10).moved(*(end - [0, 0, 0.02])), plain(b))
                if draw.chance(0.5):
                    model.add(torus(r, 0.015, 20, 6).moved(*end), plain(a))
                model.add(
                    box((2 * r, 0.03, 0.01))
                    .rotated("z", draw.uniform(0, 180))
                    .moved(end[0], end[1], 0.1),
                    plain(DARK),
                )
        for y in (-0.12, 0.12):
            model.add(tube([(-0.15, y, -0.18), (0.15, y, -0.18)], 0.012, 6), plain(DARK)).add(
                tube([(0, y, -0.18), (0, y * 0.6, 0)], 0.012, 6), plain(DARK)
            )
    elif kind == "blaster":
        long = draw.uniform(0.6, 1.2)
        model.add(rounded_box((long * 0.6, 0.12, 0.2), 0.03, 1), any_paint(draw, a, 0.2))
        model.add(
            cylinder(draw.uniform(0.03, 0.07), long * 0.6, 14)
            .rotated("y", 90)
            .moved(long * 0.25, 0, 0.12),
            plain(b),
        )
        grip = [(-0.05, 0.0), (0.07, 0.0), (0.0, -0.26), (-0.13, -0.26)]
        model.add(
            extrude(grip, 0.09).rotated("x", 90).moved(-long * 0.15, 0.045, 0.02),
            plain(draw.pick((DARK, b))),
        )
        if draw.chance(0.6):
            stock = [(0, 0.16), (0, 0.04), (-0.35, -0.08), (-0.35, 0.14)]
            model.add(
                extrude(stock, 0.08).rotated("x", 90).moved(-long * 0.29, 0.04, 0),
                plain(draw.pick((wood(draw), a))),
            )
        if draw.chance(0.5):
            model.add(cylinder(0.04, 0.25, 12).rotated("y", 90).moved(-0.1, 0, 0.26), plain(DARK))
        model.add(
            torus(0.05, 0.012, 12, 5).rotated("x", 90).moved(-long * 0.15 + 0.11, 0, -0.04),
            plain(DARK),
        )
        if draw.chance(0.6):
            model.rotated("x", 90)
    elif kind == "scope":
        r, long = draw.uniform(0.06, 0.12), draw.uniform(0.6, 1.0)
        line = [
            (0, 0),
            (r, 0),
            (r, long * 0.4),
            (r * 1.25, long * 0.42),
            (r * 1.25, long),
            (r * 1.1, long),
            (r, long - 0.04),
            (0, long - 0.04),
        ]
        model.add(
            revolve(line, 20).rotated("y", draw.uniform(50, 85)).moved(-0.3, 0, 0.75),
            any_paint(draw, a, 0.2),
        )
        for k in range(3):
            c, s = np.cos(2.1 * k), np.sin(2.1 * k)
            model.add(tube([(0, 0, 0.85), (0.35 * c, 0.35 * s, 0)], 0.025, 7), plain(b))
        model.add(sphere((0.06,) * 3, 10, 7).moved(0, 0, 0.85), plain(DARK))
    elif kind == "arm":
        model.add(cylinder(0.22, 0.12, 24), plain(b)).add(
            cylinder(0.14, 0.2, 20).moved(0, 0, 0.1), plain(a)
        )
        points = [
            np.array([0, 0, 0.3]),
            np.array([draw.uniform(-0.2, 0.1), 0, 0.75]),
            np.array([draw.uniform(0.2, 0.5), 0, draw.uniform(0.6, 1.0)]),
            np.array([draw.uniform(0.5, 0.7), 0, draw.uniform(0.3, 0.7)]),
        ]
        for p, q in pairwise(points):
            model.add(
                tube([p, q], np.array([0.08, 0.06]), draw.pick((10, ring_outline(10, power=5)))),
                plain(a),
            )
        for p in points:
            model.add(cylinder(0.1, 0.2, 16).moved(0, 0, -0.1).rotated("x", 90).moved(*p), plain(b))
        for y in (-0.06, 0.06):
            model.add(
                box((0.03, 0.03, 0.18)).moved(points[-1][0], y, points[-1][2] - 0.25), plain(DARK)
            )
    else:
        model.add(rounded_box((0.4, 0.3, 0.06), 0.02, 1), plain(a)).add(
            box((0.08, 0.1, 0.7)).moved(-0.15, 0, 0.04), plain(a)
        ).add(box((0.28, 0.26, 0.03)).moved(0.05, 0, 0.25), plain(DARK))
        model.add(
            cylinder(0.06, 0.45, 14).rotated("y", draw.uniform(-25, 0)).moved(0.05, 0, 0.5),
            plain(b),
        ).add(cylinder(0.035, 0.16, 12).moved(0.05, 0, 0.36), plain(DARK)).add(
            cylinder(0.05, 0.26, 14).rotated("x", 90).moved(-0.15, 0.13, 0.3),
            plain(contrast(draw, a)),
        )
    return model.grounded()
