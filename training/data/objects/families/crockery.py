"""Bowls, plates and vases."""

import numpy as np

from training.data.objects import labels, prints
from training.data.objects.draw import Draw, color, contrast, metal, shade, vivid, wood
from training.data.objects.families.cutlery import cutlery_piece
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, ring_outline
from training.data.objects.pieces.handles import ear
from training.data.objects.pieces.vessels import filled, pottery, walled
from training.data.objects.shapes import plate, revolve, rounded_box, sphere, tube
from training.data.objects.surfaces import any_paint, grain, mottled, occluded, pattern, plain


@family(weight=2.5, group=0.08, lie=0.03)
def bowl(draw: Draw) -> Model:
    r, h = 0.5, draw.uniform(0.14, 0.48)
    rgb = pottery(draw)
    foot = draw.uniform(0.3, 0.6) * r
    power = draw.uniform(1.4, 3.0)
    s = np.linspace(0, 1, 10)
    line = np.column_stack([foot + (r - foot) * s ** (1 / power), 0.03 + (h - 0.03) * s])
    line = np.concatenate([[(foot * 0.95, 0), (foot * 0.98, 0.025)], line])
    if draw.chance(0.3):
        line = np.concatenate([line, [(r * draw.uniform(1.03, 1.18), h * 1.02)]])
    n, wave = 36, None
    if draw.chance(0.15):
        wave = 1 + np.linspace(0, 1, len(line))[:, None] * 0.05 * np.cos(
            draw.integer(5, 12) * np.arange(n) * 2 * np.pi / n
        )
    paint = pattern(draw, rgb) if draw.chance(0.25) else any_paint(draw, rgb, 0)
    if draw.chance(0.12):
        paint = grain(draw)
        rgb = wood(draw)
    inside = draw.pick((rgb, rgb, np.ones(3) * 0.93, contrast(draw, rgb)))
    t = draw.uniform(0.012, 0.035)
    if wave is not None:
        model = Model()
        model.add(revolve(line, n, wave), paint, bake=True)
        inner = np.column_stack([np.maximum(line[1:, 0] - t, 0), line[1:, 1] + t / 2])[::-1]
        lining = np.concatenate([line[-1:], inner, [(0, inner[-1, 1])]])
        waves = np.concatenate([wave[-1:], wave[1:][::-1], wave[1:2]])
        model.add(revolve(lining, n, waves), occluded(plain(inside), 0.75))
        model.add(revolve([(0, 0), tuple(line[0])], n, wave[0]), rgb)
    else:
        model = walled(draw, line, t, rgb, inside, 0.05, n, None, 1.0, paint)
    if draw.chance(0.25):
        z = h * draw.uniform(0.5, 0.85)
        filled(draw, model, np.interp(z, line[:, 1], line[:, 0]) - t, z)
    if draw.chance(0.08):
        spoon_model = cutlery_piece(draw, "spoon", metal(draw)).scaled(draw.uniform(0.6, 0.8))
        model.extend(spoon_model.rotated("y", 35).moved(0.3, 0, h * 1.0))
    if draw.chance(0.05):
        return model.rotated("x", 180).grounded()
    return model


@family(weight=2.0, group=0.1)
def plate_dish(draw: Draw) -> Model:
    """Plates, dishes, trays, saucers: round, oval or square, plain, printed, with food."""
    rgb, n = pottery(draw), 40
    h, flat = draw.uniform(0.03, 0.12), draw.uniform(0.5, 0.75)
    power = draw.pick((2.0, 2.0, 2.0, draw.uniform(3, 9)))
    radius = None if power == 2 else np.linalg.norm(ring_outline(n, power=power), axis=1)
    squash = draw.pick((1.0, 1.0, 1.0, draw.uniform(0.6, 0.85)))
    t = draw.uniform(0.012, 0.025)
    under = [(0, 0), (flat * 0.45, 0), (flat * 0.5, 0.003), (0.5, h), (0.5, h + t)]
    over = [(0.5, h + t), (flat * 0.52, t + 0.004), (flat * 0.46, t), (flat * 0.25, t), (0, t)]
    model = Model().add(revolve(under, n, radius, squash), plain(rgb))
    top = revolve(over, n, radius, squash)
    kind = draw.pick(("plain", "rim", "picture", "pattern", "two"), (5, 2, 1, 1, 1.5))
    if kind == "plain":
        model.add(top, any_paint(draw, rgb, 0))
    else:
        image = labels.canvas(draw, rgb, 64, 128)
        other = contrast(draw, rgb)
        if kind == "rim":
            y = draw.integer(2, 14)
            image[-y - draw.integer(2, 8) : -y] = prints.rgb255(other)
        elif kind == "two":
            image[: draw.integer(25, 45)] = prints.rgb255(other)
        elif kind == "pattern":
            for k in range(m := draw.integer(4, 16)):
                prints.logo(draw, image, (k * 128 / m, 44, k * 128 / m + 100 / m, 60), other)
        if kind == "picture":
            model.add(top, plain(rgb))
            disc = ring_outline(24, flat * 0.46, flat * 0.46 * squash)
            art = (
                prints.picture(draw, 64, 64)
                if draw.chance(0.5)
                else labels.front(draw, 64, 64, rgb)
            )
            model.add(plate(disc, t + 0.003), art)
        else:
            model.add(top, image)
    if draw.chance(0.25):
        for _ in range(draw.integer(1, 6)):
            s = draw.uniform(0.05, 0.16)
            x, y = draw.uniforms(-0.18, 0.18, 2)
            piece = draw.pick(
                (
                    sphere((s, s * draw.uniform(0.6, 1), s * draw.uniform(0.25, 0.8)), 14, 9).moved(
                        0, 0, s * 0.3
                    ),
                    rounded_box((s * 1.6, s * 1.2, s * 0.8), s * 0.2, 1),
                )
            )
            food = color(draw, "brown", "red", "orange", "yellow", "green", "cream")
            model.add(
                piece.rotated("z", draw.uniform(0, 180)).moved(x, y * squash, t),
                any_paint(draw, food, 0.3),
            )
    return model


@family(weight=1.5, lie=0.04)
def vase(draw: Draw) -> Model:
    """Vases and urns of free profile, some ribbed or twisted."""
    h, k = 1.0, draw.integer(4, 6)
    radii = draw.uniforms(0.1, 0.42, k)
    radii[0] = draw.uniform(0.12, 0.3)
    line = profile(np.column_stack([radii, np.linspace(0, h, k)]), 22)
    line[:, 0] = np.maximum(line[:, 0], 0.05)
    n, ribs = 32, None
    if draw.chance(0.3):
        turn = draw.uniform(-1.5, 1.5) * np.linspace(0, 1, 22)[:, None]
        ribs = 1 + draw.uniform(0.02, 0.1) * np.cos(
            draw.integer(3, 10) * (np.arange(n) * 2 * np.pi / n + turn)
        )
    rgb = pottery(draw)
    paint = any_paint(draw, rgb, 0.5)
    foot_ribs, rim_ribs = (None, None) if ribs is None else (ribs[0], ribs[-1])
    throat = line[:, 1] > h - 0.2  # as deep as one sees into the vase
    within = [tuple(line[-1]), *np.column_stack([line[throat, 0] * 0.85, line[throat, 1]])[::-1]]
    model = (
        Model()
        .add(revolve(line, n, ribs), paint, bake=True)
        .add(revolve([(0, 0), tuple(line[0])], n, foot_ribs), shade(rgb, 0.8))
    )
    model.add(
        revolve([*within, (0, within[-1][1])], n, rim_ribs),
        occluded(plain(shade(rgb, 0.7)), 0.4),
    )
    if draw.chance(0.2):
        for side in (0, 180):
            i = draw.integer(4, 8)
            model.add(
                ear(draw, line[i, 0], line[i + 10, 0], line[i, 1], line[i + 10, 1], "ear").rotated(
                    "z", side
                ),
                plain(rgb),
            )
    if draw.chance(0.25):
        for _ in range(draw.integer(2, 7)):  # flowers
            a, out, up = draw.uniform(0, 6.3), draw.uniform(0.05, 0.4), draw.uniform(1.2, 1.7)
            tip = np.array([out * np.cos(a), out * np.sin(a), up])
            model.add(
                tube(curve([(0, 0, 0.7), tip * [0.3, 0.3, 0.8], tip], 6), 0.012, 5),
                (0.2, 0.45, 0.15),
            )
            s = draw.uniform(0.05, 0.14)
            model.add(sphere((s, s, s * 0.7), 10, 7).moved(*tip), mottled(draw, vivid(draw), 0.15))
    return model
