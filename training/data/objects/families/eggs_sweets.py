"""Eggs, sweets, sausages, sushi, lollipops."""

import numpy as np

from training.data.objects.draw import Draw, color, vivid
from training.data.objects.model import Model, family
from training.data.objects.pieces.organic import lumpy
from training.data.objects.shapes import (
    box,
    cylinder,
    extrude,
    revolve,
    rounded_box,
    sphere,
    superquadric,
    tube,
)
from training.data.objects.surfaces import (
    blotches,
    mottled,
    plain,
    sectors,
    smooth_noise,
    speckle,
    spots,
)


@family(weight=0.8)
def egg_sweets(draw: Draw) -> Model:
    """Eggs, sweets, sausages, sushi, chocolate bars, lollipops."""
    kind = draw.pick(
        ("egg", "candy", "sausage", "sushi", "chocolate", "lollipop", "fried_egg", "drumstick")
    )
    model = Model()
    if kind == "egg":
        t = np.linspace(-np.pi / 2, np.pi / 2, 13)
        shell = draw.pick((np.array([0.93, 0.9, 0.85]), np.array([0.78, 0.55, 0.38]), color(draw)))
        part = revolve(
            np.column_stack([np.cos(t).round(12) * (1 - 0.14 * np.sin(t)), 1.3 * np.sin(t)]), 22
        )
        model.add(
            part,
            draw.pick(
                (
                    mottled(draw, shell, 0.05),
                    sectors(shell, vivid(draw), 8, 0.5, 0, 0.3),
                    spots(draw, shell, vivid(draw), 20, 0.2),
                )
            ),
            bake=True,
        )
        if draw.chance(0.4):
            model.add(
                revolve(
                    [(0, -1.7), (0.6, -1.7), (0.5, -1.2), (0.75, -0.6), (0.6, -0.6), (0.3, -1.2)],
                    18,
                ),
                plain(color(draw)),
            )
        elif draw.chance(0.7):
            model.rotated("x", 85)
    elif kind == "candy":
        model.add(
            sphere((0.6, 0.4, 0.4), 16, 10),
            sectors(vivid(draw), (0.95, 0.95, 0.95), 5, 0.5, 0, 0.4),
        )
        for side in (0, 180):
            n = 20
            fan = revolve(
                [(0.05, 0), (0.35, 0.4), (0.33, 0.4), (0.04, 0.02)],
                n,
                1 + 0.15 * np.cos(6 * np.arange(n) * 2 * np.pi / n),
                0.4,
            )
            model.add(fan.rotated("y", 90).moved(0.55, 0, 0).rotated("z", side), plain(vivid(draw)))
    elif kind == "sausage":
        t = np.linspace(-1, 1, 14)
        for k in range(draw.integer(1, 3)):
            path = np.stack([t, draw.uniform(-0.3, 0.3) * t**2 + 0.42 * k, 0 * t], -1)
            model.add(tube(path, 0.18, 12, ends="round"), mottled(draw, (0.6, 0.28, 0.15), 0.15, 5))
    elif kind == "sushi":
        rice = np.array([0.93, 0.92, 0.87])
        if draw.chance(0.5):
            model.add(cylinder(0.5, 0.55, 22), plain((0.06, 0.09, 0.05))).add(
                cylinder(0.45, 0.55, 22).moved(0, 0, 0.02), speckle(draw, rice, rice * 0.85, 0.3)
            ).add(cylinder(0.2, 0.56, 12).moved(0, 0, 0.03), plain(vivid(draw)))
        else:
            model.add(
                lumpy(draw, superquadric((0.7, 0.3, 0.22), 0.6, 0.6), 0.03, 3),
                speckle(draw, rice, rice * 0.85, 0.3),
            )
            model.add(
                superquadric((0.8, 0.33, 0.1), 0.5, 0.5).moved(0, 0, 0.24),
                sectors((0.95, 0.5, 0.3), (0.97, 0.7, 0.5), 9, 0.7),
            )
    elif kind == "chocolate":
        rgb = np.array([0.3, 0.16, 0.08]) * draw.uniform(0.6, 1.6)
        nx, ny = draw.integer(3, 6), draw.integer(2, 4)
        for i in range(nx):
            for j in range(ny):
                model.add(box((0.19, 0.19, 0.06), 1, 0.8).moved(0.2 * i, 0.2 * j, 0.04), plain(rgb))
        model.add(
            box((0.2 * nx, 0.2 * ny, 0.05)).moved(0.1 * (nx - 1), 0.1 * (ny - 1), 0), plain(rgb)
        )
        if draw.chance(0.5):
            model.add(
                rounded_box((0.1 * nx, 0.21 * ny, 0.12), 0.02, 1).moved(
                    0.05 * nx - 0.1, 0.1 * (ny - 1), -0.005
                ),
                plain(color(draw)),
            )
    elif kind == "lollipop":
        r = draw.uniform(0.3, 0.5)
        flat = draw.uniform(0.25, 1)
        model.add(
            sphere((r, r * flat, r), 20, 12).moved(0, 0, 1),
            sectors(vivid(draw), vivid(draw), 4, 0.5, 0, 0.5),
        )
        model.add(cylinder(0.04, 0.8, 8), plain((0.95, 0.95, 0.93)))
        if draw.chance(0.7):
            model.rotated("x", 90)
    elif kind == "fried_egg":
        a = np.arange(30) * 2 * np.pi / 30
        r = 0.6 + 0.07 * smooth_noise(draw, 1.5)(np.stack([np.cos(a), np.sin(a), 0 * a], -1))
        model.add(
            extrude(np.stack([r * np.cos(a), r * np.sin(a)], -1), 0.06, 0.02),
            plain((0.96, 0.96, 0.93)),
        )
        model.add(sphere((0.24, 0.24, 0.16), 16, 9).moved(0.05, 0, 0.05), plain((0.95, 0.7, 0.1)))
    else:
        model.add(
            lumpy(draw, sphere((0.6, 0.4, 0.38), 18, 11), 0.05),
            blotches(draw, (0.65, 0.36, 0.14), (0.4, 0.2, 0.08), 2.5),
        )
        model.add(
            tube([(0.4, 0, 0), (1.1, 0, 0.02)], np.array([0.15, 0.07]), 9),
            plain((0.93, 0.88, 0.78)),
        )
        model.add(sphere((0.11, 0.14, 0.1), 9, 6).moved(1.12, 0, 0.02), plain((0.93, 0.88, 0.78)))
    return model.grounded()
