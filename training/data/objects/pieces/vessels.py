"""Walls, glazes, contents and lids of open vessels."""

import numpy as np

from training.data.objects.draw import Draw, color, contrast, shade
from training.data.objects.model import Model
from training.data.objects.shapes import revolve
from training.data.objects.surfaces import mottled, occluded, plain, spots


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


def lid(draw: Draw, r: float, rgb) -> "object":
    """A domed lid with a knob, as one part."""
    rise, knob = draw.uniform(0.03, 0.15), draw.uniform(0.03, 0.07)
    z = rise * 1.02
    line = [
        (r * 1.02, 0),
        (r * 1.02, 0.02),
        (r * 0.75, rise * 0.65 + 0.02),
        (knob * 0.6, z),
        (knob * 0.6, z + 0.03),
        (knob, z + 0.04),
        (knob, z + 0.08),
        (0, z + 0.09),
    ]
    return revolve(line, 28).painted(plain(rgb))
