"""Books and musical instruments, sports goods."""

import numpy as np

from training.data.objects import labels, prints
from training.data.objects.draw import DARK, Draw, color, contrast, metal, shade, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, rectangle, ring_outline
from training.data.objects.pieces.supports import add_wheels
from training.data.objects.shapes import box, cylinder, extrude, grid, plate, revolve, sphere, tube
from training.data.objects.surfaces import any_paint, brushed, grain, mottled, plain, smooth_noise


@family(weight=1.5, lie=0.0)
def book(draw: Draw) -> Model:
    """Books, notebooks, magazines, boxes of films; closed, stacked, standing, open."""
    model = Model()

    def one(w, d, t):
        rgb, m = color(draw), Model()
        c = 0.04 * t + 0.006
        m.add(
            box((w - 0.02, d - 0.03, t - 2 * c)).moved(0.005, 0, c),
            mottled(draw, (0.93, 0.9, 0.83), 0.04, 9),
        )
        cover = labels.front(draw, 96, 72, rgb)
        for z, image in ((0.0, None), (t - c, cover)):
            m.add(box((w, d, c)).moved(0, 0, z), plain(rgb))
            if image is not None:
                m.add(plate(rectangle(w, d), t + 0.002), image)
        m.add(plate(rectangle(w, d), -0.002).flipped(), labels.back(draw, 96, 72, rgb))
        m.add(box((c, d, t)).moved(-w / 2, 0, 0), plain(shade(rgb, 0.92)))
        if draw.chance(0.6):
            spine = np.array(
                [
                    [(-w / 2 - c / 2 - 0.002, d / 2, 0), (-w / 2 - c / 2 - 0.002, -d / 2, 0)],
                    [(-w / 2 - c / 2 - 0.002, d / 2, t), (-w / 2 - c / 2 - 0.002, -d / 2, t)],
                ]
            )
            strip = prints.sheet(24, 96, rgb)
            prints.title(draw, strip, (6, 3, 90, 21), contrast(draw, rgb))
            m.add(grid(spine), strip)
        return m

    w, d = draw.uniform(0.5, 0.8), draw.uniform(0.7, 1.0)
    kind = draw.pick(("one", "one", "stack", "row", "open"))
    if kind == "open":
        x = np.linspace(-1, 1, 22)
        z = 0.05 + 0.07 * np.sin(np.pi * np.abs(x)) ** 0.7 * (1 - 0.5 * np.abs(x))
        y = np.array([-0.5, 0.5])
        page = np.stack(
            [
                np.broadcast_to(x * w, (2, 22)),
                np.broadcast_to(y[:, None] * d, (2, 22)),
                np.broadcast_to(z, (2, 22)),
            ],
            -1,
        )
        paper = np.concatenate(
            [
                labels.back(draw, 96, 64, np.full(3, 0.95)),
                draw.pick((labels.back, labels.front))(draw, 96, 64, np.full(3, 0.95)),
            ],
            1,
        )
        model.add(grid(page), paper).add(
            grid(page * [1.02, 1.02, 0] - [0, 0, 0.01]).flipped(), plain(color(draw))
        ).add(box((2 * w, d * 0.99, 0.04)), plain((0.9, 0.88, 0.82)))
        return model.grounded()
    z = 0.0
    for k in range(1 if kind == "one" else draw.integer(2, 6)):
        t = draw.uniform(0.04, 0.22)
        m = one(w * draw.uniform(0.85, 1.1), d * draw.uniform(0.85, 1.1), t)
        if kind == "row":
            m.rotated("y", -90).grounded().rotated("z", 180)
            model.extend(m.moved(z + t / 2, 0, 0))
        else:
            model.extend(m.rotated("z", draw.uniform(-20, 20) if k else 0).moved(0, 0, z))
        z += t + 0.004
    if kind == "one" and draw.chance(0.35):
        model.rotated("y", -90)
    return model.grounded()


@family(weight=0.6)
def instrument(draw: Draw) -> Model:
    """Guitars, drums, trumpets, bells, dumb-bells, rackets, skateboards, trophies, globes."""
    kind = draw.pick(
        ("guitar", "drum", "bell", "dumbbell", "racket", "skateboard", "sword", "globe")
    )
    model, rgb = Model(), draw.pick((vivid(draw), wood(draw), color(draw)))
    if kind == "guitar":
        body_line = curve(
            [
                (-0.5, 0),
                (-0.4, 0.28),
                (-0.15, 0.27),
                (0.0, 0.17),
                (0.2, 0.22),
                (0.3, 0.05),
                (0.3, -0.05),
                (0.2, -0.22),
                (0.0, -0.17),
                (-0.15, -0.27),
                (-0.4, -0.28),
            ],
            44,
            closed=True,
        )
        model.add(
            extrude(body_line, 0.14, 0.015),
            grain(draw, wood(draw), 0) if draw.chance(0.5) else plain(rgb),
        ).add(cylinder(0.1, 0.006, 18).moved(0, 0, 0.14), plain(DARK)).add(
            box((0.75, 0.08, 0.04)).moved(0.6, 0, 0.13), plain(wood(draw))
        ).add(box((0.18, 0.12, 0.04)).moved(1.05, 0, 0.12), plain(rgb)).add(
            box((0.04, 0.2, 0.03)).moved(-0.25, 0, 0.14), plain(DARK)
        )
        model.rotated("y", draw.pick((0, -80)))
    elif kind == "drum":
        r, h = draw.uniform(0.35, 0.6), draw.uniform(0.3, 0.9)
        model.add(revolve([(r, 0.02), (r, h - 0.02)], 28), any_paint(draw, rgb, 0.5), bake=True)
        for z in (0, h - 0.06):
            model.add(
                revolve([(r, z), (r * 1.05, z), (r * 1.05, z + 0.06), (r, z + 0.06)], 28),
                plain(metal(draw)),
            )
        model.add(revolve([(r, h - 0.01), (0, h - 0.01)], 28), plain((0.93, 0.91, 0.86))).add(
            revolve([(0, 0.01), (r, 0.01)], 28), plain((0.9, 0.88, 0.84))
        )
        if draw.chance(0.4):
            for s in (-1, 1):
                model.add(
                    tube(
                        [(-0.4, s * 0.15, h + 0.03), (0.6, s * 0.05, h + 0.06)],
                        0.025,
                        7,
                        ends="round",
                    ),
                    plain(wood(draw)),
                )
    elif kind == "bell":
        line = profile([(0.5, 0), (0.42, 0.12), (0.3, 0.45), (0.2, 0.62), (0, 0.68)], 18)
        model.add(revolve(line, 26), brushed(draw, metal(draw))).add(
            revolve([(0, 0.4), (0.25, 0.35), (0.47, 0)], 26), plain(DARK * 3)
        ).add(
            tube([(0, 0, 0.65), (0, 0, 1.1)], np.array([0.04, 0.07]), 9, ends="round"),
            plain(wood(draw)),
        )
    elif kind == "dumbbell":
        r = draw.uniform(0.15, 0.3)
        model.add(
            cylinder(0.04, 0.8, 10).moved(0, 0, -0.4).rotated("y", 90), brushed(draw, metal(draw))
        )
        for s in (-1, 1):
            part = cylinder(r, 0.22, draw.pick((6, 24)))
            model.add(part.moved(0, 0, 0.22).rotated("y", 90 * s), plain(draw.pick((DARK, rgb))))
    elif kind == "racket":
        a = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        path = np.stack([0.33 * np.cos(a), 0.25 * np.sin(a), 0 * a], -1)
        model.add(tube(path, 0.028, 8, closed=True), plain(rgb)).add(
            tube([(0.33, 0, 0), (1.0, 0, 0)], np.array([0.03, 0.045]), 9),
            plain(draw.pick((DARK, wood(draw), rgb))),
        )
        if draw.chance(0.5):
            model.add(
                cylinder(1, 0.03, 26).scaled(0.32, 0.24, 1).moved(0, 0, -0.015), plain(vivid(draw))
            )
        else:
            for y in np.linspace(-0.2, 0.2, 7):
                x = 0.33 * np.sqrt(1 - (y / 0.25) ** 2)
                model.add(tube([(-x, y, 0), (x, y, 0)], 0.006, 4), plain(np.full(3, 0.9)))
            for x in np.linspace(-0.26, 0.26, 8):
                y = 0.25 * np.sqrt(1 - (x / 0.33) ** 2)
                model.add(tube([(x, -y, 0), (x, y, 0)], 0.006, 4), plain(np.full(3, 0.9)))
    elif kind == "skateboard":
        t = np.linspace(-1, 1, 20)
        path = np.stack([0.6 * t, 0 * t, 0.14 + 0.12 * np.clip(np.abs(t) - 0.7, 0, 1) / 0.3], -1)
        wide = 0.15 * np.clip(1 - np.abs(t) ** 8, 0.2, 1)
        model.add(
            tube(path, np.stack([wide, 0 * t + 0.015], -1), ring_outline(8, power=6), up=(0, 0, 1)),
            any_paint(draw, rgb, 0.4),
        )
        add_wheels(model, (-0.36, 0.36), 0.11, 0.05, 0.05, np.full(3, 0.9))
    elif kind == "sword":
        w = draw.uniform(0.03, 0.06)
        model.add(
            extrude([(0, -w), (0.8, -w * 0.8), (0.95, 0), (0.8, w * 0.8), (0, w)], 0.025, 0.01),
            brushed(draw, metal(draw)),
        ).add(box((0.05, 0.3, 0.05)).moved(0, 0, -0.012), plain(draw.pick((metal(draw), rgb)))).add(
            tube([(0, 0, 0.012), (-0.28, 0, 0.012)], 0.03, 9, ends="round"),
            any_paint(draw, rgb, 0.4),
        )
    else:
        noise = smooth_noise(draw, 1.3)
        model.add(
            sphere((0.4,) * 3, 26, 15).rotated("x", 23),
            lambda p: np.where((noise(p) > 0.3)[:, None], (0.4, 0.5, 0.22), (0.18, 0.36, 0.62)),
            bake=True,
        )
        a = np.linspace(-np.pi / 2 - 0.3, np.pi / 2 - 0.1, 14)
        model.add(
            tube(np.stack([0.46 * np.cos(a), 0 * a, 0.46 * np.sin(a)], -1), 0.02, 7),
            plain(metal(draw)),
        ).add(
            revolve([(0, -0.62), (0.25, -0.62), (0.22, -0.57), (0.04, -0.54), (0.04, -0.4)], 20),
            plain(draw.pick((DARK, wood(draw)))),
        )
    return model.grounded()
