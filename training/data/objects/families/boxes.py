"""Cartons, crates, milk cartons, baskets, and packs of things."""

import numpy as np

from training.data.objects import labels, prints
from training.data.objects.draw import Draw, color, contrast, metal, shade, vivid
from training.data.objects.model import Model, family
from training.data.objects.part import Part
from training.data.objects.shapes import box, cylinder, revolve, rounded_box, sphere, tube
from training.data.objects.surfaces import brushed, material, mottled, pattern, plain, sectors


@family(weight=5.5, lie=0.25, group=0.08)
def carton(draw: Draw) -> Model:
    """Printed boxes: cereal, tea, gelatin, medicine, sweets."""
    w = draw.uniform(0.5, 1.0)
    d = draw.pick((draw.uniform(0.12, 0.4), draw.uniform(0.3, 1.0)))
    size = np.array([w, d, draw.uniform(0.35, 1.4)])
    if draw.chance(0.3):
        size = size[draw.generator.permutation(3)]
    model = Model()
    part = box(size) if draw.chance(0.6) else rounded_box(size, draw.uniform(0.01, 0.06), 1)
    if draw.chance(0.2):
        part = box(size, 5)
        bulge = draw.uniform(-0.03, 0.08)
        low, high = part.vertices.min(0), part.vertices.max(0)

        def swell(p):
            q = (p - (low + high) / 2) / ((high - low) / 2)
            f = np.stack(
                [(1 - q[:, (k + 1) % 3] ** 2) * (1 - q[:, (k + 2) % 3] ** 2) for k in range(3)], -1
            )
            return p + bulge * size.min() * 2 * q * f

        part = part.map(swell)
    model.add(part, labels.carton(draw, size))
    return model


@family(weight=0.7, lie=0.1)
def crate_box(draw: Draw) -> Model:
    """Cardboard boxes, closed or open, plain or with tape and print; wooden crates."""
    model = Model()
    w, d, h = draw.uniform(0.6, 1.2), draw.uniform(0.5, 1.0), draw.uniform(0.3, 0.9)
    brown = draw.pick((np.array([0.72, 0.55, 0.36]), np.array([0.8, 0.66, 0.47]), color(draw)))
    brown = shade(brown, draw.uniform(0.8, 1.1))
    if draw.chance(0.5):
        faces = [prints.sheet(64, 64, shade(brown, draw.uniform(0.92, 1.05))) for _ in range(6)]
        if draw.chance(0.6):
            faces[4][:, 26:38] = prints.rgb255(shade(brown, draw.pick((0.75, 1.2))))
            faces[0][:18, 26:38] = faces[2][:18, 26:38] = faces[4][0, 30]
        for k in (0, 2):
            if draw.chance(0.5):
                prints.title(draw, faces[k], (8, 22, 56, 42), shade(brown, 0.35))
            if draw.chance(0.4):
                prints.logo(draw, faces[k], (6, 44, 24, 62), shade(brown, 0.3))
        if draw.chance(0.5):
            piece = labels.back(draw, 30, 36, np.ones(3))
            faces[draw.integer(0, 4)][8:38, 14:50] = piece
        model.add(box((w, d, h)), labels.atlas(faces))
        return model
    t = draw.uniform(0.015, 0.04)
    paint = mottled(draw, brown, 0.06, 3)
    for x, y, sx, sy in ((0, -d / 2, w, t), (0, d / 2, w, t), (-w / 2, 0, t, d), (w / 2, 0, t, d)):
        model.add(box((sx + t * (sx > sy), sy + t * (sy > sx), h)).moved(x, y, 0), paint)
    model.add(box((w, d, t)), plain(shade(brown, 0.75)))
    if draw.chance(0.7):  # flaps
        for k in range(4):
            length, wide = draw.uniform(0.35, 0.5) * d, (w, d, w, d)[k]
            flap = (
                box((wide, t, length))
                .rotated("x", draw.uniform(40, 150))
                .moved(0, -(d, w, d, w)[k] / 2, h)
            )
            model.add(flap.rotated("z", 90 * k), paint)
    if draw.chance(0.4):
        for _ in range(draw.integer(1, 4)):
            r = draw.uniform(0.12, 0.25)
            model.add(
                sphere((r, r, r), 12, 8).moved(
                    *(draw.uniforms(-0.25, 0.25, 2) * [w, d]), h * draw.uniform(0.3, 0.9)
                ),
                material(draw),
            )
    return model


@family(weight=0.8, lie=0.1)
def milk_carton(draw: Draw) -> Model:
    """A gable-top carton."""
    model, rgb = Model(), draw.pick((np.ones(3) * 0.95, color(draw)))
    w, h, gable = draw.uniform(0.3, 0.5), draw.uniform(0.5, 0.9), draw.uniform(0.15, 0.3)
    atlas = labels.carton(draw, (w, w, h), rgb)
    model.add(box((w, w, h)), atlas)
    a = w / 2
    flap = draw.uniform(0.05, 0.12)
    roof = np.array(
        [
            [-a, -a, h],
            [a, -a, h],
            [a, a, h],
            [-a, a, h],
            [-a * 0.95, 0, h + gable],
            [a * 0.95, 0, h + gable],
        ]
    )
    faces = np.array([[0, 1, 5], [0, 5, 4], [2, 3, 4], [2, 4, 5], [1, 2, 5], [3, 0, 4]])
    uv = np.array([[0, 0], [1, 0], [1, 0], [0, 0], [0, 1], [1, 1.0]])
    model.add(
        Part(roof[faces].reshape(-1, 3), np.arange(18).reshape(-1, 3), uv[faces].reshape(-1, 2)),
        labels.front(draw, 48, 64, draw.pick((rgb, vivid(draw)))),
    )
    model.add(
        box((w * 0.97, 0.025, flap + 0.02)).moved(0, 0, h + gable - 0.02), plain(shade(rgb, 0.95))
    )
    if draw.chance(0.5):
        spout = cylinder(w * 0.16, 0.09, 14).rotated("x", 40).moved(0, -a * 0.5, h + gable * 0.45)
        model.add(spout, plain(contrast(draw, rgb)))
    return model


@family(weight=0.5)
def basket(draw: Draw) -> Model:
    """Baskets, bins and buckets with a hoop handle."""
    model, r, h = Model(), draw.uniform(0.3, 0.5), draw.uniform(0.3, 0.8)
    wide, t = r * draw.uniform(1.0, 1.4), 0.025
    squash, n, rows = draw.uniform(0.6, 1), 36, 10
    z = np.linspace(0, h, rows)
    weave = (
        1 + 0.025 * ((np.arange(n)[None] // 2 + np.arange(rows)[:, None]) % 2)
        if draw.chance(0.6)
        else None
    )
    line = np.column_stack([np.linspace(r, wide, rows), z])
    rgb = draw.pick((np.array([0.65, 0.45, 0.25]), color(draw), np.array([0.8, 0.65, 0.4])))
    paint = sectors(rgb, shade(rgb, 0.75), 18) if draw.chance(0.5) else mottled(draw, rgb, 0.12, 5)
    model.add(revolve(line, n, weave, squash), paint)
    model.add(
        revolve(
            [(wide, h), (wide * 1.04, h + t), (wide - t, h + t), (r - t, t), (0, t)],
            n,
            None,
            squash,
        ),
        plain(shade(rgb, 0.7)),
    )
    model.add(revolve([(0, 0), (r, 0)], n, None, squash), plain(rgb))
    if draw.chance(0.6):
        a = np.linspace(0, np.pi, 14)
        lift = draw.uniform(0.2, 0.7)
        path = np.stack([wide * np.cos(a), 0 * a, h + lift * np.sin(a)], -1)
        model.add(
            tube(path, draw.uniform(0.015, 0.04), 6), plain(shade(rgb, draw.uniform(0.6, 1.1)))
        )
    if draw.chance(0.45):
        fill = draw.pick(("balls", "flat"))
        if fill == "flat":
            model.add(
                revolve(
                    [((r + wide) / 2 - t, h * 0.6), ((r + wide) / 4, h * 0.66), (0, h * 0.68)],
                    n,
                    None,
                    squash,
                ),
                pattern(draw),
            )
        else:
            rgb = color(draw)
            for _ in range(draw.integer(4, 9)):
                s, a, q = draw.uniform(0.1, 0.16), draw.uniform(0, 6.3), draw.uniform(0, 0.6) * r
                model.add(
                    sphere((s, s, s), 10, 7).moved(
                        q * np.cos(a), q * np.sin(a) * squash, h * 0.75 + draw.uniform(0, 0.1)
                    ),
                    mottled(draw, shade(rgb, draw.uniform(0.7, 1.2)), 0.1),
                )
    return model


@family(weight=0.8)
def pack(draw: Draw) -> Model:
    """Packs of cans, bottles, rolls or boxes, in a row or a block, some wrapped."""
    model, nx, ny = Model(), draw.integer(2, 4), draw.integer(1, 2)
    rgb, kind = color(draw), draw.pick(("cans", "bottles", "rolls", "boxes"))
    image = labels.wrapper(draw, rgb, 48, 96)
    wrap = labels.carton(draw, (0.4, 0.5, 0.9), rgb)
    tin, top = metal(draw), color(draw)
    h = draw.uniform(0.6, 1.3)
    for i in range(nx):
        for j in range(ny):
            one = Model()
            if kind == "cans":
                one.add(revolve([(0.24, 0.03), (0.24, h)], 18), image).add(
                    revolve([(0, 0), (0.2, 0), (0.24, 0.03)], 18), plain(tin)
                ).add(
                    revolve([(0.24, h), (0.2, h + 0.04), (0.19, h + 0.02), (0, h + 0.02)], 18),
                    brushed(draw, tin),
                )
            elif kind == "bottles":
                one.add(
                    revolve(
                        [(0.22, 0), (0.24, 0.05), (0.24, h * 0.6), (0.08, h * 0.85), (0.08, h)], 16
                    ),
                    image,
                ).add(cylinder(0.1, 0.12, 12).moved(0, 0, h - 0.02), plain(top)).add(
                    revolve([(0, 0), (0.22, 0)], 16), plain(rgb)
                )
            elif kind == "rolls":
                one.add(
                    revolve([(0.08, 0), (0.24, 0), (0.24, h), (0.08, h), (0.08, 0)], 18),
                    mottled(draw, (0.93, 0.92, 0.9), 0.03),
                )
            else:
                one.add(box((0.46, 0.47, h)), wrap)
            model.extend(
                one.rotated("z", draw.uniform(0, 360) if kind != "boxes" else 0).moved(
                    0.5 * i, 0.5 * j, 0
                )
            )
    if draw.chance(0.4) and kind != "boxes":
        low, high = model.bounds()
        z = h * draw.uniform(0.0, 0.4)
        size = (*(high - low)[:2] + 0.03, h * draw.uniform(0.3, 0.6))
        middle = (low + high) / 2
        model.add(
            rounded_box(size, 0.03, 1).moved(middle[0], middle[1], z),
            labels.carton(draw, size, vivid(draw)),
        )
    return model.grounded()
