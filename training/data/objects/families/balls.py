"""Balls, marbles and heaps of small round things."""

import numpy as np

from training.data.objects import labels
from training.data.objects.draw import Draw, color, hsv, metal, shade, vivid
from training.data.objects.model import Model, family
from training.data.objects.shapes import revolve, sphere, torus
from training.data.objects.surfaces import any_paint, mottled, pattern, plain, smooth_noise, speckle


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
