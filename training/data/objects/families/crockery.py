"""Mugs, cups, bowls, plates, goblets, vases: vessels with real walls."""

import numpy as np

from training.data.objects import labels
from training.data.objects.draw import Draw, color, contrast, metal, shade, vivid, wood
from training.data.objects.families.cutlery import cutlery_piece
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, profile, ring_outline
from training.data.objects.shapes import plate, revolve, rounded_box, sphere, tube
from training.data.objects.surfaces import (
    any_paint,
    bands,
    brushed,
    grain,
    mottled,
    occluded,
    pattern,
    plain,
    spots,
)


def pottery(draw: Draw) -> np.ndarray:
    """Colour of a glaze or of plastic: white for every third."""
    return (
        np.array([0.94, 0.94, 0.92]) * draw.uniform(0.9, 1.05) if draw.chance(0.35) else color(draw)
    )


def walled(
    draw: Draw,
    outside,
    thickness: float,
    rgb,
    inside=None,
    floor: float = 0.05,
    sectors=28,
    radius=None,
    squash=1.0,
    paint=None,
) -> Model:
    """An open vessel with a wall. outside: profile (P, 2) from the foot to the rim."""
    model, outside = Model(), np.asarray(outside, float)
    top = outside[-1]
    along = np.gradient(outside, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    inner = outside + thickness * np.column_stack([-along[:, 1], along[:, 0]])
    inner = inner[outside[:, 1] > floor][::-1]
    inner = np.column_stack([np.maximum(inner[:, 0], 0.01), np.maximum(inner[:, 1], floor)])
    centre = [(max(inner[-1, 0] * 0.6, 0.005), floor), (0, floor)]
    across = inner[0] - top
    lip = [top, (top + inner[0]) / 2 + 0.3 * np.array([-across[1], -across[0]]), inner[0]]
    inside = rgb if inside is None else inside
    shell = revolve(outside, sectors, radius, squash)
    model.add(shell, rgb if paint is None else paint, bake=True)
    model.add(
        revolve([(0, outside[0, 1]), tuple(outside[0])], sectors, radius, squash), shade(rgb, 0.9)
    )
    model.add(revolve(lip, sectors, radius, squash), plain(rgb if draw.chance(0.8) else inside))
    depth = occluded(plain(inside), draw.uniform(0.6, 0.95))
    model.add(revolve([*inner, *centre], sectors, radius, squash), depth)
    return model


def filled(draw: Draw, model: Model, radius: float, z: float, squash: float = 1.0) -> None:
    """A drink, soup or food that fills a vessel to the height z."""
    rgb = draw.pick(
        (
            np.array([0.15, 0.07, 0.03]),
            np.array([0.55, 0.3, 0.12]),
            np.array([0.9, 0.85, 0.75]),
            np.array([0.75, 0.25, 0.08]),
            color(draw),
        )
    )
    dome = draw.pick((0.0, draw.uniform(0.0, 0.3))) * radius
    paint = draw.pick(
        (plain(rgb), mottled(draw, rgb, 0.2, 6), spots(draw, rgb, contrast(draw, rgb), 25, 0.15))
    )
    line = [
        (radius, z),
        (radius * 0.8, z + dome * 0.5),
        (radius * 0.4, z + dome * 0.9),
        (0, z + dome),
    ]
    model.add(revolve(line, 24, None, squash), paint)


def ear(draw: Draw, r0: float, r1: float, z0: float, z1: float, kind: str | None = None) -> Model:
    """A handle in the xz plane between the wall's points (r0, z0) and (r1, z1); unpainted."""
    out = (z1 - z0) * draw.uniform(0.35, 0.75)
    x = max(r0, r1)
    kind = draw.pick(("round", "ear", "square", "angled")) if kind is None else kind
    if kind == "round":
        a = np.linspace(-np.pi / 2, np.pi / 2, 12)
        mid = np.interp(np.sin(a), [-1, 1], [r0, r1])
        path = np.stack(
            [mid - 0.02 + out * np.cos(a), 0 * a, (z0 + z1) / 2 + (z1 - z0) / 2 * np.sin(a)], -1
        )
    else:
        low, high = {"ear": (0.6, 1.0), "square": (1.0, 1.0), "angled": (0.5, 1.1)}[kind]
        points = [
            (r0 - 0.02, z0),
            (r0 + low * out * 0.5, z0 + 0.01),
            (x + low * out, z0 + 0.25 * (z1 - z0)),
            (x + high * out, z0 + 0.75 * (z1 - z0)),
            (x + high * out * 0.6, z1),
            (r1 - 0.02, z1),
        ]
        path = np.insert(curve(points, 14), 1, 0.0, axis=1)
    thick = (z1 - z0) * draw.uniform(0.06, 0.13)
    section = draw.pick((8, ring_outline(10, power=4)))
    size = np.tile([thick * draw.uniform(0.8, 1.8), thick], (len(path), 1))
    return tube(path, size, section, up=None)


@family(weight=5.0, lie=0.06, group=0.05)
def mug(draw: Draw) -> Model:
    """Mugs and tea cups with a handle, glazed, printed or of enamelled metal."""
    r, h = draw.uniform(0.34, 0.52), draw.uniform(0.6, 1.15)
    rgb = pottery(draw)
    shape = draw.pick(("straight", "taper", "bowl", "barrel", "flare"), (4, 2, 3, 1.5, 2))
    f = draw.uniform(0.5, 0.9)
    line = {
        "straight": [(r * 0.94, 0), (r, 0.04), (r, h * 0.5), (r, h)],
        "taper": [(r * f, 0), (r * (f + 1) / 2, h * 0.5), (r, h)],
        "bowl": [(r * 0.5, 0), (r * 0.55, 0.04), (r * 0.9, h * 0.3), (r, h * 0.65), (r * 1.03, h)],
        "barrel": [(r * 0.8, 0), (r * 1.03, h * 0.4), (r, h * 0.7), (r * 0.9, h)],
        "flare": [(r * f, 0), (r * f, h * 0.4), (r * (f + 0.1), h * 0.7), (r * 1.05, h)],
    }[shape]
    if shape == "bowl":
        h *= draw.uniform(0.6, 0.9)
        line = [(x, z * (h / line[-1][1])) for x, z in line]
    line = profile(line, 14)
    t = draw.uniform(0.02, 0.06)
    inside = draw.pick((rgb, rgb, np.ones(3) * 0.93, contrast(draw, rgb)))
    kind = draw.pick(("plain", "label", "pattern", "dip"), (5, 3, 1.5, 2))
    paint = None
    if kind == "label":
        paint = labels.label(draw, labels.canvas(draw, rgb), 0.12, 0.88)
    elif kind == "pattern":
        paint = pattern(draw, rgb)
    elif kind == "dip":
        other = contrast(draw, rgb)
        paint = bands([other, rgb], [draw.uniform(-0.6, 0.6)])
    model = walled(draw, line, t, rgb, inside, floor=0.06, paint=paint)
    if draw.chance(0.93):
        z0, z1 = h * draw.uniform(0.12, 0.35), h * draw.uniform(0.7, 0.92)
        r0, r1 = np.interp([z0, z1], line[:, 1], line[:, 0])
        model.add(ear(draw, r0, r1, z0, z1), plain(rgb if draw.chance(0.85) else inside))
    if draw.chance(0.3):
        z = h * draw.uniform(0.4, 0.88)
        filled(draw, model, np.interp(z, line[:, 1], line[:, 0]) - t * 1.01, z)
    if draw.chance(0.12):  # a saucer
        w = r * draw.uniform(1.5, 1.9)
        model.add(
            revolve(
                [(0, -0.09), (w * 0.5, -0.09), (w, 0.0), (w, 0.02), (w * 0.5, -0.04), (0, -0.04)],
                28,
            ),
            plain(rgb),
        )
    return model


@family(weight=4.0, lie=0.15, group=0.15)
def cup(draw: Draw) -> Model:
    """Beakers, stacking cups, paper cups, tumblers, flower pots, bins: no handle."""
    r, h = draw.uniform(0.3, 0.5), draw.uniform(0.6, 1.2)
    rgb = pottery(draw) if draw.chance(0.4) else vivid(draw)
    foot = r * draw.uniform(0.6, 1.0)
    line = [(foot * 0.97, 0), (foot, 0.03)] + [
        (foot + (r - foot) * s, h * s) for s in (0.3, 0.6, 0.9)
    ]
    if draw.chance(0.35):
        lip = draw.uniform(1.05, 1.2)
        line += [(r, h * 0.91), (r * lip, h * 0.92), (r * lip, h)]
    else:
        line += [(r, h)]
    ribs, n = None, 32
    if draw.chance(0.2):
        n = 48
        ribs = 1 + draw.uniform(0.01, 0.04) * np.cos(
            np.arange(n) * 2 * np.pi / n * draw.integer(6, 16)
        )
    if draw.chance(0.12):
        ribs = np.linalg.norm(ring_outline(n, power=draw.uniform(3, 8)), axis=1)
    paint = None
    if draw.chance(0.45):
        paint = labels.label(draw, labels.canvas(draw, rgb), 0.1, 0.85)
    elif draw.chance(0.25):
        paint = pattern(draw, rgb)
    t = draw.uniform(0.012, 0.04)
    model = walled(
        draw, line, t, rgb, draw.pick((rgb, rgb, np.ones(3) * 0.93)), 0.04, n, ribs, 1.0, paint
    )
    if draw.chance(0.25):
        lid = draw.pick((np.ones(3) * 0.95, np.ones(3) * 0.08, color(draw)))
        w = line[-1][0] * 1.04
        model.add(
            revolve(
                [
                    (w, h - 0.02),
                    (w, h + 0.04),
                    (w * 0.92, h + 0.05),
                    (w * 0.88, h + 0.1),
                    (w * 0.8, h + 0.1),
                    (w * 0.78, h + 0.06),
                    (0, h + 0.06),
                ],
                28,
            ),
            plain(lid),
        )
        if draw.chance(0.5):
            model.add(
                tube([(0.05, 0, h), (0.08, 0, h + draw.uniform(0.3, 0.5))], 0.022, 8),
                plain(vivid(draw)),
            )
    elif draw.chance(0.15):  # pens
        for _ in range(draw.integer(2, 6)):
            a, q = draw.uniform(0, 6.3), r * 0.5
            end = (q * np.cos(a) * 1.5, q * np.sin(a) * 1.5, h * draw.uniform(1.1, 1.5))
            model.add(tube([(0, 0, 0.06), end], draw.uniform(0.02, 0.035), 7), plain(color(draw)))
    elif draw.chance(0.2):
        filled(draw, model, (r + foot) / 2 - t, h * 0.6)
    if draw.chance(0.06):
        return model.rotated("x", 180).grounded()
    return model


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
            image[-y - draw.integer(2, 8) : -y] = labels.rgb255(other)
        elif kind == "two":
            image[: draw.integer(25, 45)] = labels.rgb255(other)
        elif kind == "pattern":
            for k in range(m := draw.integer(4, 16)):
                labels.logo(draw, image, (k * 128 / m, 44, k * 128 / m + 100 / m, 60), other)
        if kind == "picture":
            model.add(top, plain(rgb))
            disc = ring_outline(24, flat * 0.46, flat * 0.46 * squash)
            art = (
                labels.picture(draw, 64, 64)
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


@family(weight=1.2, lie=0.05)
def goblet(draw: Draw) -> Model:
    """Goblets, egg cups, trophies, candlesticks: a foot, a stem and a cup."""
    model = Model()
    foot, stem = draw.uniform(0.2, 0.4), draw.uniform(0.02, 0.07)
    z0, r = draw.uniform(0.15, 0.6), draw.uniform(0.2, 0.45)
    rgb = draw.pick((metal(draw), color(draw), wood(draw)))
    paint = draw.pick((brushed(draw, rgb), plain(rgb), pattern(draw, rgb), grain(draw)))
    knob = stem * draw.uniform(1, 2.5)
    bottom = profile(
        [
            (foot, 0.0),
            (foot, 0.02),
            (foot * 0.6, 0.05),
            (stem, 0.12),
            (stem, z0 * 0.6),
            (knob, z0 * 0.75),
            (stem, z0),
        ],
        20,
    )
    model.add(revolve([(0, 0), *bottom], 24), paint)
    mouth = r * draw.uniform(0.6, 1.2)
    top = profile([(stem, z0), (r * 0.7, z0 + 0.08), (r, z0 + 0.25), (mouth, 1.0)], 12)
    cup_model = walled(draw, top, 0.015, rgb, None, z0 + 0.06, 24, None, 1.0, paint)
    model.extend(cup_model)
    if draw.chance(0.25):  # a trophy's handles
        for side in (0, 180):
            model.add(ear(draw, r * 0.95, mouth, z0 + 0.2, 0.9, "ear").rotated("z", side), paint)
    if draw.chance(0.3):
        filled(draw, model, min(r, mouth) * 0.85, 0.75)
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
