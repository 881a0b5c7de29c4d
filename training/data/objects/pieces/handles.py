"""Handles: of cups, of bottles, and the grips of tools."""

import numpy as np

from training.data.objects.draw import DARK, Draw, color, contrast, metal, vivid, wood
from training.data.objects.model import Model
from training.data.objects.outlines import curve, ring_outline
from training.data.objects.shapes import torus, tube
from training.data.objects.surfaces import bands, mottled, plain, sectors


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


def curve_handle(x0, x1, z0, z1, out, count=12):
    """Path of a handle in the xz plane from (x0, z0) to (x1, z1), reaching `out` beyond."""
    x = max(x0, x1)
    points = [
        (x0 - 0.01, 0, z0),
        (x + out * 0.75, 0, z0 + 0.02 * (z1 - z0)),
        (x + out, 0, (z0 + z1) / 2),
        (x + out * 0.75, 0, z1 - 0.02 * (z1 - z0)),
        (x1 - 0.01, 0, z1),
    ]
    return curve(points, count)


def grip_color(draw: Draw) -> np.ndarray:
    return draw.pick((vivid(draw), DARK, vivid(draw), wood(draw), color(draw)))


def handle(draw: Draw, length: float, thick: float, rgb=None) -> Model:
    """A grip along +x from the origin: turned wood, rubber in two colours, ribbed, tapered."""
    model = Model()
    rgb = grip_color(draw) if rgb is None else rgb
    t = np.linspace(0, 1, 14)
    kind = draw.pick(("taper", "swell", "ribbed", "straight"))
    r = {
        "taper": np.interp(t, [0, 1], [1.15, 0.75]),
        "swell": 0.8 + 0.3 * np.sin(np.pi * t) ** 2 + 0.15 * (t < 0.12),
        "ribbed": 1 + 0.12 * (np.arange(14) % 2),
        "straight": np.ones(14),
    }[kind]
    second = contrast(draw, rgb)
    paint = draw.pick(
        (
            plain(rgb),
            plain(rgb),
            bands([rgb, second, rgb], np.sort(draw.uniforms(-1, 1, 2)), 0),
            mottled(draw, rgb, 0.08),
            sectors(rgb, second, 6),
        )
    )
    part = tube(
        np.stack([length * t, 0 * t, 0 * t], -1),
        thick * r,
        ring_outline(12, power=draw.pick((2, 2, 3.5))),
        ends="round",
    )
    model.add(part.scaled(1, 1, draw.uniform(0.7, 1.0)), paint)
    if draw.chance(0.2):
        model.add(
            torus(thick * 0.5, thick * 0.2, 14, 6).rotated("x", 90).moved(-thick, 0, 0),
            plain(metal(draw)),
        )
    return model
