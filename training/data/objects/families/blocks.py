"""Toy bricks, building blocks, dice and cubes."""

import cv2
import numpy as np

from training.data.objects import labels, prints
from training.data.objects.draw import Draw, color, contrast, shade, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import ring_outline
from training.data.objects.part import Part
from training.data.objects.shapes import box, cylinder, extrude, rounded_box, tube
from training.data.objects.surfaces import any_paint, grain, mottled, plain


@family(weight=3.5, group=0.1)
def brick(draw: Draw) -> Model:
    """Toy bricks with studs: plates, slopes, arches; several on top of each other."""
    model, rgb = Model(), vivid(draw) if draw.chance(0.85) else color(draw)
    z, many = 0.0, draw.pick((1, 1, 1, 1, 2, 3))
    nx, ny = draw.integer(1, 5), draw.integer(1, 2)
    stud, tall = draw.uniform(0.25, 0.32), draw.uniform(0.12, 0.24)
    for _ in range(many):
        h = draw.pick((1.2, 1.2, 0.45, 2.0))
        kind = draw.pick(("brick", "brick", "brick", "slope", "arch", "curve"))
        dx, w, d = 0.0, nx * 0.98, ny * 0.98
        left = nx
        if kind == "brick" or nx < 2:
            model.add(rounded_box((w, d, h), 0.03, 1).moved(0, 0, z), plain(rgb))
        elif kind in ("slope", "curve"):
            left = draw.integer(1, nx - 1)
            e = -w / 2 + left
            side = np.array([(-w / 2, 0), (w / 2, 0), (w / 2, 0.15), (e, h), (-w / 2, h)])
            if kind == "curve":
                a = np.linspace(0, np.pi / 2, 7)
                side = np.concatenate(
                    [
                        [(-w / 2, 0)],
                        np.stack([e + (w / 2 - e) * np.cos(a), 0.15 + (h - 0.15) * np.sin(a)], -1),
                        [(-w / 2, h)],
                    ]
                )
            model.add(extrude(side, d).rotated("x", 90).moved(0, d / 2, z), plain(rgb))
        else:
            a = np.linspace(0, np.pi, 11)
            r = min(0.33 * w, h * 0.75)
            side = np.concatenate(
                [
                    [(w / 2, 0), (w / 2, h), (-w / 2, h), (-w / 2, 0)],
                    np.stack([-r * np.cos(a), r * np.sin(a)], -1),
                ]
            )
            model.add(extrude(side, d).rotated("x", 90).moved(0, d / 2, z), plain(rgb))
        for i in range(left):
            for j in range(ny):
                model.add(
                    cylinder(stud, tall, 14).moved(dx + i - (nx - 1) / 2, j - (ny - 1) / 2, z + h),
                    plain(shade(rgb, 1.03)),
                )
        if draw.chance(0.15):
            eye = np.array([0.0, -d / 2 - 0.005, z + h * 0.55])
            model.add(
                cylinder(h * 0.25, 0.01, 16).rotated("x", 90).moved(*eye), plain((0.95, 0.95, 0.95))
            ).add(
                cylinder(h * 0.12, 0.02, 12).rotated("x", 90).moved(*eye), plain((0.05, 0.05, 0.05))
            )
        z += h
        nx, rgb = max(1, nx + draw.integer(-1, 1)), vivid(draw) if draw.chance(0.8) else rgb
    if draw.chance(0.08):
        model.rotated("x", draw.pick((90, 180)))
    return model.grounded()


def solid(draw: Draw) -> Part:
    """A building block: cube, cuboid, cylinder, cone, pyramid, arch, wedge, half round, polygon."""
    w, d, h = draw.uniforms(0.4, 1.0, 3)
    kind = draw.pick(("box", "box", "cylinder", "cone", "wedge", "arch", "prism", "half", "soft"))
    if kind == "box":
        return box((w, d, h))
    if kind == "soft":
        return rounded_box((w, d, h), draw.uniform(0.03, 0.15), 2)
    if kind == "cylinder":
        return cylinder(w / 2, h, 24)
    if kind == "cone":
        return cylinder(w / 2, h, draw.pick((4, 24)), draw.pick((0.0, 0.0, 0.15)))
    if kind == "wedge":
        return (
            extrude([(-w / 2, 0), (w / 2, 0), (draw.uniform(-w / 2, w / 2), h)], d)
            .rotated("x", 90)
            .moved(0, d / 2, 0)
        )
    if kind == "arch":
        a = np.linspace(0, np.pi, 11)
        r = 0.3 * w
        h = max(h, 0.4 * w)
        side = np.concatenate(
            [
                [(w / 2, 0), (w / 2, h), (-w / 2, h), (-w / 2, 0)],
                np.stack([-r * np.cos(a), r * np.sin(a)], -1),
            ]
        )
        return extrude(side, d).rotated("x", 90).moved(0, d / 2, 0)
    if kind == "half":
        a = np.linspace(0, np.pi, 13)
        return (
            extrude(np.stack([w / 2 * np.cos(a), w / 2 * np.sin(a)], -1), d)
            .rotated("x", 90)
            .moved(0, d / 2, 0)
        )
    return extrude(ring_outline(draw.integer(3, 8), w / 2, w / 2), h)


@family(weight=2.0)
def blocks(draw: Draw) -> Model:
    """Building blocks, alone, stacked or side by side, of wood or in colours."""
    model, n = Model(), draw.pick((1, 1, 2, 3, 4, 6))
    wooden = draw.chance(0.4)
    z = 0.0
    for k in range(n):
        rgb = wood(draw) if wooden else color(draw)
        paint = (
            draw.pick((grain(draw, rgb), mottled(draw, rgb, 0.06)))
            if wooden
            else draw.pick((plain(rgb), mottled(draw, rgb, 0.08), any_paint(draw, rgb, 0.4)))
        )
        part = solid(draw).rotated("z", draw.uniform(-30, 30))
        model.add(part.moved(*draw.uniforms(-0.06, 0.06, 2), z), paint)
        if n > 3 and k % 2:
            part = solid(draw).moved(draw.pick((-1.0, 1.0)), 0, 0)
            model.add(part, plain(vivid(draw)) if not wooden else grain(draw))
        else:
            z += np.ptp(part.vertices[:, 2])
    return model.grounded()


@family(weight=2.4)
def cube_print(draw: Draw) -> Model:
    """Dice, puzzle cubes, letter blocks, gift boxes, speakers: a cube with marked faces."""
    kind = draw.pick(("dice", "rubik", "letter", "gift", "foam"))
    model, rgb = Model(), draw.pick((np.ones(3) * 0.94, vivid(draw), color(draw)))
    faces = [prints.sheet(64, 64, rgb) for _ in range(6)]
    size = np.ones(3)
    if kind == "dice":
        ink = contrast(draw, rgb, 0.5)
        spots = {
            1: [4],
            2: [0, 8],
            3: [0, 4, 8],
            4: [0, 2, 6, 8],
            5: [0, 2, 4, 6, 8],
            6: [0, 2, 3, 5, 6, 8],
        }
        for face, k in zip(faces, draw.generator.permutation(6), strict=True):
            for s in spots[int(k) + 1]:
                cv2.circle(
                    face,
                    (14 + 18 * (s % 3), 14 + 18 * (s // 3)),
                    7,
                    prints.rgb255(ink),
                    -1,
                    cv2.LINE_AA,
                )
    elif kind == "rubik":
        n = draw.pick((3, 3, 3, 2, 4))
        tiles = [
            np.ones(3) * 0.95,
            (0.85, 0.1, 0.1),
            (0.1, 0.3, 0.75),
            (0.95, 0.85, 0.1),
            (0.1, 0.6, 0.25),
            (0.95, 0.45, 0.05),
        ]
        ground = draw.pick((np.ones(3) * 0.06, np.ones(3) * 0.9))
        mixed = draw.chance(0.6)
        for k, face in enumerate(faces):
            face[:] = prints.rgb255(ground)
            s, gap = 64 / n, draw.integer(1, 3)
            for i in range(n):
                for j in range(n):
                    tile = draw.pick(tiles) if mixed else tiles[k]
                    face[
                        int(i * s) + gap : int((i + 1) * s) - gap,
                        int(j * s) + gap : int((j + 1) * s) - gap,
                    ] = prints.rgb255(tile)
    elif kind == "letter":
        for face in faces:
            ink = contrast(draw, rgb, 0.4)
            if draw.chance(0.5):
                face[:6] = face[-6:] = face[:, :6] = face[:, -6:] = prints.rgb255(ink)
            if draw.chance(0.7):
                prints.title(draw, face, (10, 8, 54, 56), ink, prints.word(draw, 1, 1))
            else:
                prints.logo(draw, face, (12, 12, 52, 52), ink)
    elif kind == "gift":
        size = draw.uniforms(0.5, 1.2, 3)
        faces = [labels.ground(draw, 64, 64, rgb) if draw.chance(0.3) else f for f in faces]
        band, w = prints.rgb255(contrast(draw, rgb)), draw.integer(3, 8)
        for face in faces:
            face[:, 32 - w : 32 + w] = band
        for face in faces[4:]:
            face[32 - w : 32 + w] = band
    else:
        size = draw.uniforms(0.4, 1.2, 3)
        noise = [np.clip(draw.normal(16, 16) * draw.uniform(4, 25), -70, 70) for _ in range(6)]
        faces = [
            np.clip(f + cv2.resize(x.astype(np.float32), (64, 64))[..., None], 0, 255).astype(
                np.uint8
            )
            for f, x in zip(faces, noise, strict=True)
        ]
    radius = draw.uniform(0.02, 0.2) if kind in ("dice", "foam") else draw.uniform(0.005, 0.08)
    model.add(rounded_box(size, radius * size.min(), 2), labels.atlas(faces))
    if kind == "gift" and draw.chance(0.7):
        for side in (0, 120, 240):
            a = np.arange(14) * 2 * np.pi / 14
            loop = np.stack([0.14 + 0.14 * np.cos(a), 0 * a, 0.02 + 0.12 + 0.12 * np.sin(a)], -1)
            model.add(
                tube(loop, np.tile([0.012, 0.05], (14, 1)), 6, closed=True)
                .rotated("z", side)
                .moved(0, 0, size[2]),
                plain(np.array(band) / 255),
            )
    if kind == "dice" and draw.chance(0.3):
        model.rotated("x", draw.uniform(-40, 40)).rotated("y", draw.uniform(-40, 40))
    return model.grounded()
