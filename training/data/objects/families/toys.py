"""Balls, blocks, bricks, dice, cubes, stacking rings, puzzles, marbles, spinning tops."""

import cv2
import numpy as np

from training.data.objects import labels
from training.data.objects.draw import Draw, color, contrast, hsv, metal, shade, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, rectangle, ring_outline
from training.data.objects.part import Part
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
from training.data.objects.surfaces import (
    any_paint,
    bands,
    grain,
    mottled,
    pattern,
    plain,
    sectors,
    smooth_noise,
    speckle,
)


def ball_paint(draw: Draw):
    """The pattern of a sports ball, toy ball or marble."""
    kind = draw.pick(
        (
            "plain",
            "tennis",
            "baseball",
            "basket",
            "football",
            "beach",
            "golf",
            "pattern",
            "globe",
            "print",
        )
    )
    a, b = vivid(draw), color(draw)
    if kind == "plain":
        return mottled(draw, color(draw), 0.05)
    if kind in ("tennis", "baseball"):
        ground = (
            hsv(draw.uniform(60, 75), 0.75, 0.9)
            if kind == "tennis"
            else draw.pick((np.ones(3) * 0.92, hsv(65, 0.8, 0.9)))
        )
        seam = np.ones(3) * 0.95 if kind == "tennis" else np.array([0.7, 0.1, 0.1])
        width, stitch = draw.uniform(0.06, 0.12), kind == "baseball"

        def tennis(p):
            n = p / np.maximum(np.linalg.norm(p, axis=1, keepdims=True), 1e-9)
            level = n[:, 2] - 0.75 * (n[:, 0] ** 2 - n[:, 1] ** 2)
            near = np.abs(np.abs(level) - 0.33) < width
            if stitch:
                near &= np.mod(np.arctan2(n[:, 1], n[:, 0]) * 14, 2) < 1.3
            return np.where(near[:, None], seam, ground)

        return tennis
    if kind == "basket":
        ground, line = draw.pick((np.array([0.8, 0.4, 0.15]), a)), np.ones(3) * 0.06

        def basket(p):
            n = p / np.maximum(np.linalg.norm(p, axis=1, keepdims=True), 1e-9)
            near = (np.abs(n[:, 0]) < 0.05) | (np.abs(n[:, 2]) < 0.05)
            near |= np.abs(np.abs(n[:, 1]) - 0.55 - 0.25 * n[:, 0] ** 2) < 0.05
            return np.where(near[:, None], line, ground)

        return basket
    if kind == "football":
        g = (1 + 5**0.5) / 2
        ico = np.array([(0, s, t * g) for s in (1, -1) for t in (1, -1)])
        ico = np.concatenate([ico, ico[:, [2, 0, 1]], ico[:, [1, 2, 0]]]) / np.hypot(1, g)
        dark = draw.pick((np.ones(3) * 0.06, a))
        light = draw.pick((np.ones(3) * 0.95, b))

        def football(p):
            n = p / np.maximum(np.linalg.norm(p, axis=1, keepdims=True), 1e-9)
            return np.where(((n @ ico.T).max(axis=1) > 0.93)[:, None], dark, light)

        return football
    if kind == "beach":
        colors = np.array(
            [vivid(draw) if draw.chance(0.6) else np.ones(3) * 0.95 for _ in range(6)]
        )

        def beach(p):
            k = ((np.arctan2(p[:, 1], p[:, 0]) / (2 * np.pi) + 0.5) * 6).astype(int) % 6
            return np.where((np.abs(p[:, 2]) > 0.93)[:, None], colors[0], colors[k])

        return beach
    if kind == "golf":
        white = np.ones(3) * 0.93
        return speckle(draw, white, white * 0.8, 0.3)
    if kind == "globe":
        noise = smooth_noise(draw, 1.3)
        return lambda p: np.where((noise(p) > 0.35)[:, None], (0.35, 0.5, 0.2), (0.15, 0.35, 0.65))
    return pattern(draw)


@family(weight=3.5)
def ball(draw: Draw) -> Model:
    """Balls: sports balls, toy balls, marbles; also rugby shaped, half flat, on a stand."""
    model = Model()
    long = draw.pick((1.0, 1.0, 1.0, 1.0, draw.uniform(1.3, 1.7)))
    part = sphere((1, 1, 1), 28, 15)
    if draw.chance(0.25):
        image = labels.canvas(draw, color(draw), 64, 128)
        part = part.painted(labels.label(draw, image, 0.3, 0.7))
    else:
        part = part.baked(ball_paint(draw), 96, 48)
    for axis in "zxy":
        part = part.rotated(axis, draw.uniform(0, 360))
    model.add(part.scaled(long, 1, 1))
    if draw.chance(0.06):
        model.add(
            revolve([(0.35, -1.25), (0.6, -1.25), (0.5, -0.75), (0.3, -0.9)], 20),
            plain(color(draw)),
        )
    elif draw.chance(0.05):
        model.add(torus(0.2, 0.05, 14, 6).rotated("x", 90).moved(0, 0, 1.15), plain(metal(draw)))
    return model.grounded()


@family(weight=0.8)
def marbles(draw: Draw) -> Model:
    """Heaps of balls, beads, stones, nuts, sweets."""
    model, n = Model(), draw.integer(3, 16)
    base = color(draw)
    alike, r0 = draw.chance(0.4), draw.uniform(0.7, 1.0)
    placed: list[tuple[np.ndarray, float]] = []
    for _ in range(n):
        r = r0 * draw.uniform(0.7, 1.1) if not alike else r0
        at = np.array([*draw.normal(2) * np.sqrt(n) * 0.4, r])
        for _ in range(25):
            clash = [(q, s) for q, s in placed if np.linalg.norm(q - at) < 0.93 * (r + s)]
            if not clash:
                break
            at = np.array([*draw.normal(2) * np.sqrt(n) * 0.6, r * (1 + draw.pick((0, 0, 0, 1.2)))])
        placed.append((at, r))
        squash = draw.uniform(0.7, 1) if not alike else 1.0
        rgb = shade(base, draw.uniform(0.8, 1.2)) if alike else color(draw)
        model.add(
            sphere((r, r, r * squash), 14, 9).moved(*at),
            draw.pick((mottled(draw, rgb, 0.15), any_paint(draw, rgb, 0.3))),
        )
    return model.grounded()


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
    faces = [labels.sheet(64, 64, rgb) for _ in range(6)]
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
                    labels.rgb255(ink),
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
            face[:] = labels.rgb255(ground)
            s, gap = 64 / n, draw.integer(1, 3)
            for i in range(n):
                for j in range(n):
                    tile = draw.pick(tiles) if mixed else tiles[k]
                    face[
                        int(i * s) + gap : int((i + 1) * s) - gap,
                        int(j * s) + gap : int((j + 1) * s) - gap,
                    ] = labels.rgb255(tile)
    elif kind == "letter":
        for face in faces:
            ink = contrast(draw, rgb, 0.4)
            if draw.chance(0.5):
                face[:6] = face[-6:] = face[:, :6] = face[:, -6:] = labels.rgb255(ink)
            if draw.chance(0.7):
                labels.title(draw, face, (10, 8, 54, 56), ink, labels.word(draw, 1, 1))
            else:
                labels.logo(draw, face, (12, 12, 52, 52), ink)
    elif kind == "gift":
        size = draw.uniforms(0.5, 1.2, 3)
        faces = [labels.ground(draw, 64, 64, rgb) if draw.chance(0.3) else f for f in faces]
        band, w = labels.rgb255(contrast(draw, rgb)), draw.integer(3, 8)
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
        a, b = np.array(labels.rgb255(color(draw))), np.array(labels.rgb255(contrast(draw, rgb)))
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
