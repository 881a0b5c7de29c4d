"""Coats of animals and statues: colours, patterns and the paint over all parts."""

import numpy as np

from training.data.objects.draw import Draw, hsv, shade
from training.data.objects.model import Model
from training.data.objects.surfaces import blotches, fade, mottled, patches, spots, stripes

INK = np.full(3, 0.06)  # eyes, noses, hooves


def fur(draw: Draw) -> np.ndarray:
    """A coat's colour."""
    return draw.pick(
        (
            hsv(draw.uniform(20, 38), draw.uniform(0.3, 0.65), draw.uniform(0.35, 0.9)),
            hsv(draw.uniform(25, 45), draw.uniform(0.08, 0.3), draw.uniform(0.75, 0.95)),
            np.full(3, draw.uniform(0.06, 0.2)),
            np.full(3, draw.uniform(0.35, 0.65)),
            hsv(draw.uniform(14, 24), 0.6, draw.uniform(0.2, 0.4)),
        )
    )


def coat(draw: Draw, rgb=None):
    """A coat in the object's own coordinates: plain, patched, striped, or with a pale belly."""
    rgb = fur(draw) if rgb is None else rgb
    other = draw.pick((np.full(3, 0.93), np.full(3, 0.07), fur(draw), shade(rgb, 0.5)))
    kind = draw.pick(
        ("plain", "patches", "belly", "stripes", "spots", "blotches", "saddle"),
        (4, 2, 3, 0.7, 0.8, 2, 2),
    )
    if kind == "patches":
        return patches(draw, [rgb, other], draw.integer(6, 16))
    if kind == "belly":
        return fade(other, rgb, 2, -1.0, draw.uniform(-0.6, 0.2))
    if kind == "saddle":
        return fade(rgb, shade(other, 0.8), 2, draw.uniform(-0.3, 0.2), 0.7)
    if kind == "stripes":
        return stripes(rgb, other, draw.uniform(5, 9), (1, 0, 0.2), 0.4)
    if kind == "spots":
        return spots(draw, rgb, other, 30, 0.12)
    if kind == "blotches":
        return blotches(draw, rgb, other, 1.5, 0.4)
    return mottled(draw, rgb, 0.1, 3)


def finish(draw: Draw, model: Model, marks: Model, paint) -> Model:
    """Paint all parts in common coordinates, so that patterns run over their borders."""
    points = np.concatenate([part.vertices for part in model.parts])
    low, high = points.min(0), points.max(0)
    half = (high - low).max() / 2
    painted = Model()
    for part in model.parts:
        colors = paint((part.vertices - (low + high) / 2) / half)
        painted.add(part, lambda p, c=colors: c)
    return painted.extend(marks)
