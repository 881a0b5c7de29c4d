"""Colour patterns over a part's surface: functions of points in [-1, 1] (`shapes.Paint`)."""

import numpy as np

from training.data.objects.draw import Draw, color, contrast, shade, vivid, wood
from training.data.objects.part import Paint


def smooth_noise(draw: Draw, frequency: float = 2.0, waves: int = 7):
    """A random smooth function of points (N, 3) with mean 0 and standard deviation near 1."""
    directions = draw.normal(3, waves) * frequency * np.pi / 1.7
    phases = draw.uniforms(0, 2 * np.pi, waves)
    scale = np.sqrt(2 / waves)
    return lambda p: scale * np.sin(p @ directions + phases).sum(axis=1)


def plain(rgb) -> Paint:
    return lambda p: np.broadcast_to(np.asarray(rgb, float), p.shape)


def mottled(draw: Draw, rgb, amount: float = 0.1, frequency: float = 2.5) -> Paint:
    """One colour that varies a little, as of stone, fruit, cloth or worn paint."""
    noise, tint = smooth_noise(draw, frequency), draw.uniforms(0.5, 1.0, 3)
    return lambda p: np.asarray(rgb) * (1 + amount * noise(p)[:, None] * tint)


def fade(first, second, axis: int = 2, low: float = -1.0, high: float = 1.0) -> Paint:
    """A gradient along an axis."""

    def paint(p):
        t = np.clip((p[:, axis] - low) / (high - low), 0, 1)[:, None]
        return (1 - t) * np.asarray(first) + t * np.asarray(second)

    return paint


def bands(colors, edges, axis: int = 2) -> Paint:
    """colors: one more than edges (ascending positions along the axis)."""
    colors = np.asarray(colors, float)
    return lambda p: colors[np.searchsorted(np.asarray(edges), p[:, axis])]


def stripes(first, second, count: float, direction, share: float = 0.5, phase=0.0) -> Paint:
    """Parallel stripes across a direction (3,)."""
    direction = np.asarray(direction, float) / np.linalg.norm(direction)

    def paint(p):
        on = np.mod((p @ direction + 1) / 2 * count + phase, 1) < share
        return np.where(on[:, None], first, second)

    return paint


def sectors(first, second, count: int, share: float = 0.5, phase=0.0, swirl=0.0) -> Paint:
    """Stripes by the angle about z; swirl: turns per unit of height."""

    def paint(p):
        angle = np.arctan2(p[:, 1], p[:, 0]) / (2 * np.pi) + swirl * p[:, 2]
        return np.where((np.mod(angle * count + phase, 1) < share)[:, None], first, second)

    return paint


def checks(first, second, count: float) -> Paint:
    """Squares in a cylinder's unrolled surface."""

    def paint(p):
        a = np.floor((np.arctan2(p[:, 1], p[:, 0]) / np.pi + 1) * round(count))
        b = np.floor((p[:, 2] + 1) * count / 2)
        return np.where((np.mod(a + b, 2) < 1)[:, None], first, second)

    return paint


def centres(draw: Draw, count: int) -> np.ndarray:
    """Points (count, 3) near the surface of a ball of radius 1."""
    c = draw.normal(count, 3)
    c /= np.linalg.norm(c, axis=1, keepdims=True)
    return c * draw.uniforms(0.6, 1.1, count, 1)


def spots(draw: Draw, ground, spot, count: int = 14, radius: float = 0.25) -> Paint:
    c, r = centres(draw, count), radius * draw.uniforms(0.6, 1.4, count)

    def paint(p):
        near = (np.linalg.norm(p[:, None] - c, axis=2) < r).any(axis=1)
        return np.where(near[:, None], spot, ground)

    return paint


def patches(draw: Draw, colors, count: int = 12, jitter: float = 0.25) -> Paint:
    """Irregular patches, each in one of the colours (camouflage, cow, mosaic, photograph)."""
    c, colors = centres(draw, count), np.asarray(colors, float)
    which = draw.generator.integers(len(colors), size=count)
    noise = [smooth_noise(draw, 3.0, 4) for _ in range(3)]

    def paint(p):
        q = p + jitter * 0.4 * np.stack([n(p) for n in noise], axis=1)
        return colors[which[((q[:, None] - c) ** 2).sum(axis=2).argmin(axis=1)]]

    return paint


def blotches(draw: Draw, ground, spot, frequency: float = 2.0, level: float = 0.4) -> Paint:
    """Soft blotches of a second colour: peach's cheek, rust, fur."""
    noise = smooth_noise(draw, frequency)

    def paint(p):
        t = 1 / (1 + np.exp(-4 * (noise(p) - level)))[:, None]
        return (1 - t) * np.asarray(ground) + t * np.asarray(spot)

    return paint


def speckle(draw: Draw, ground, spot, share: float = 0.15) -> Paint:
    """Fine grains: sponge, granite, seeds."""
    generator = np.random.default_rng(draw.integer(0, 2**31))

    def paint(p):
        on = generator.random(len(p)) < share
        return np.where(on[:, None], spot, ground)

    return paint


def grain(draw: Draw, rgb=None, axis: int | None = None) -> Paint:
    """Wood: year rings around an axis, distorted."""
    rgb = wood(draw) if rgb is None else np.asarray(rgb)
    axis = draw.integer(0, 2) if axis is None else axis
    noise, count = smooth_noise(draw, 1.0), draw.uniform(4, 12)
    offset, depth = draw.uniforms(-1.5, 1.5, 3), draw.uniform(0.08, 0.3)
    squeeze = np.where(np.arange(3) == axis, 0.12, 1.0)

    def paint(p):
        q = p * squeeze
        distance = np.linalg.norm((q + offset) * (np.arange(3) != axis), axis=1)
        ring = np.sin(count * distance * 2 + 1.5 * noise(q))
        return rgb * (1 - depth * (0.5 + 0.5 * ring[:, None]) * [0.8, 1.0, 1.2])

    return paint


def marble(draw: Draw, ground, vein) -> Paint:
    noise, direction = smooth_noise(draw, 1.5), draw.normal(3)

    def paint(p):
        t = np.abs(np.sin(3 * p @ direction + 2 * noise(p)))[:, None] ** 0.35
        return t * np.asarray(ground) + (1 - t) * np.asarray(vein)

    return paint


def brushed(draw: Draw, rgb) -> Paint:
    """Metal: bands of brightness by the angle about z, as of a reflected room."""
    noise, amount = smooth_noise(draw, 1.6, 5), draw.uniform(0.05, 0.3)
    flat = np.array([1.0, 1.0, 0.25])
    return lambda p: np.asarray(rgb) * (1 + amount * noise(p * flat))[:, None]


def over(base: Paint, top: Paint, where) -> Paint:
    """`top` where `where(points)` holds, `base` elsewhere."""
    return lambda p: np.where(where(p)[:, None], top(p), base(p))


def occluded(paint: Paint, floor: float = 0.55, low: float = -1.0, high: float = 0.6) -> Paint:
    """Darker towards the bottom: the inside of a container."""

    def shaded(p):
        t = np.clip((p[:, 2] - low) / (high - low), 0, 1)[:, None]
        return paint(p) * (floor + (1 - floor) * t)

    return shaded


def material(draw: Draw, rgb=None) -> Paint:
    """Plain or almost plain: what most things that have no print are painted with."""
    rgb = color(draw) if rgb is None else rgb
    kind = draw.pick(("plain", "mottled", "fade"), (5, 3, 1))
    if kind == "mottled":
        return mottled(draw, rgb, draw.uniform(0.02, 0.12), draw.log(1, 5))
    if kind == "fade":
        return fade(shade(rgb, draw.uniform(0.6, 1)), shade(rgb, draw.uniform(0.9, 1.2)))
    return plain(rgb)


def pattern(draw: Draw, rgb=None) -> Paint:
    """Any pattern, two or more colours."""
    a = color(draw) if rgb is None else np.asarray(rgb, float)
    b = contrast(draw, a)
    c = vivid(draw)
    kind = draw.pick(PATTERNS)
    if kind == "bands":
        edges = np.sort(draw.uniforms(-0.8, 0.8, draw.integer(1, 4)))
        pool = [a, b, a, c, b]
        return bands(pool[: len(edges) + 1], edges, draw.pick((2, 2, 2, 0)))
    if kind == "stripes":
        return stripes(
            a, b, draw.uniform(2, 9), draw.normal(3) * [1, 1, 1.5], draw.uniform(0.2, 0.8)
        )
    if kind == "sectors":
        swirl = draw.pick((0.0, draw.uniform(-0.3, 0.3)))
        return sectors(a, b, draw.integer(2, 12), draw.uniform(0.25, 0.75), draw.uniform(), swirl)
    if kind == "checks":
        return checks(a, b, draw.integer(2, 5))
    if kind == "spots":
        return spots(draw, a, b, draw.integer(5, 30), draw.uniform(0.12, 0.4))
    if kind == "patches":
        return patches(draw, [a, a, b, c][: draw.integer(2, 4) + 1], draw.integer(5, 30))
    if kind == "blotches":
        return blotches(draw, a, b, draw.uniform(0.8, 3), draw.uniform(-0.2, 0.9))
    if kind == "fade":
        return fade(a, b, draw.pick((2, 2, 0, 1)))
    if kind == "marble":
        return marble(draw, a, b)
    if kind == "grain":
        return grain(draw)
    return speckle(draw, a, b, draw.uniform(0.05, 0.4))


PATTERNS = (
    "bands",
    "bands",
    "stripes",
    "sectors",
    "checks",
    "spots",
    "patches",
    "patches",
    "blotches",
    "fade",
    "fade",
    "marble",
    "grain",
    "speckle",
)


def any_paint(draw: Draw, rgb=None, patterned: float = 0.3) -> Paint:
    return pattern(draw, rgb) if draw.chance(patterned) else material(draw, rgb)
