"""What things stand on: legs and wheels."""

import numpy as np

from training.data.objects.draw import DARK
from training.data.objects.model import Model
from training.data.objects.outlines import ring_outline
from training.data.objects.shapes import revolve, tube
from training.data.objects.surfaces import plain


def legs(
    model: Model, w: float, d: float, h: float, thick: float, paint, splay: float = 0.0, round_=True
) -> None:
    for x in (-1, 1):
        for y in (-1, 1):
            foot = np.array([x * (w / 2 + splay), y * (d / 2 + splay), 0.0])
            top = np.array([x * w / 2, y * d / 2, h])
            section = 8 if round_ else ring_outline(8, power=8)
            model.add(tube([foot, top], np.array([thick * 0.75, thick]), section), paint)


def wheel(radius: float, width: float, rim) -> list:
    """A wheel in the xz plane around the origin, with its paints."""
    tyre = revolve(
        [
            (0, 0),
            (radius * 0.85, 0),
            (radius, width * 0.2),
            (radius, width * 0.8),
            (radius * 0.85, width),
            (0, width),
        ],
        16,
    )
    hub = revolve(
        [
            (0, -0.02 * radius),
            (radius * 0.55, -0.02 * radius),
            (radius * 0.55, width + 0.02 * radius),
            (0, width + 0.02 * radius),
        ],
        12,
    )
    return [(p.rotated("x", 90).moved(0, width / 2, 0), c) for p, c in ((tyre, DARK), (hub, rim))]


def add_wheels(model: Model, xs, y: float, radius: float, width: float, rim) -> None:
    for x in xs:
        for s in (-1, 1):
            for part, rgb in wheel(radius, width, rim):
                model.add(part.moved(x, s * y, radius), plain(rgb))
