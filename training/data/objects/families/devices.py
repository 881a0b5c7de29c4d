"""Phones, cameras, computers, speakers."""

import numpy as np

from training.data.objects import labels, prints
from training.data.objects.draw import DARK, GLASS, Draw, color, contrast, metal, shade, vivid
from training.data.objects.model import Model, family
from training.data.objects.outlines import curve, rectangle
from training.data.objects.shapes import (
    box,
    cylinder,
    grid,
    plate,
    revolve,
    rounded_box,
    superquadric,
    torus,
    tube,
)
from training.data.objects.surfaces import any_paint, bands, grain, plain


def screen(draw: Draw, height: int = 64, width: int = 96) -> np.ndarray:
    """Return the picture of a display, (height, width, 3) uint8."""
    kind = draw.pick(("off", "picture", "text", "grid"))
    if kind == "off":
        return prints.sheet(height, width, np.full(3, draw.uniform(0.03, 0.12)))
    if kind == "picture":
        return prints.picture(draw, height, width)
    if kind == "text":
        return labels.back(
            draw, height, width, draw.pick((np.full(3, 0.95), np.full(3, 0.08), color(draw)))
        )
    image = prints.sheet(height, width, color(draw))
    n = draw.integer(3, 5)
    for i in range(n):
        for j in range(n + 1):
            y, x = int((i + 0.2) * height / n), int((j + 0.2) * width / (n + 1))
            image[y : y + int(0.6 * height / n), x : x + int(0.6 * width / (n + 1))] = (
                prints.rgb255(vivid(draw))
            )
    return image


@family(weight=2.2)
def device(draw: Draw) -> Model:
    """Phones, tablets, remotes, calculators, cameras, speakers, adapters, laptops."""
    kind = draw.pick(
        (
            "phone",
            "remote",
            "camera",
            "speaker",
            "adapter",
            "laptop",
            "monitor",
            "mouse",
            "gamepad",
            "keyboard",
            "router",
            "headphones",
        )
    )
    model, rgb = Model(), draw.pick((DARK, np.full(3, 0.92), metal(draw), color(draw)))
    if kind in ("phone", "remote"):
        w, h, t = draw.uniform(0.3, 0.75), 1.0, draw.uniform(0.04, 0.1)
        if kind == "remote":
            w, t = draw.uniform(0.2, 0.34), draw.uniform(0.07, 0.14)
        model.add(rounded_box((w, h, t), draw.uniform(0.015, 0.05), 2), plain(rgb))
        if kind == "phone":
            model.add(
                plate(rectangle(w * 0.92, h * draw.uniform(0.8, 0.95)), t + 0.003),
                np.rot90(screen(draw)).copy(),
            )
            if draw.chance(0.5):
                model.add(
                    plate(rectangle(w * 0.3, h * 0.18), -0.003).moved(w * 0.2, h * 0.36).flipped(),
                    plain(DARK),
                )
        else:
            nx, ny = draw.integer(2, 4), draw.integer(4, 9)
            for i in range(nx):
                for j in range(ny):
                    if draw.chance(0.9):
                        s = draw.pick((0.6, 0.6, 0.75)) * w / nx
                        key = draw.pick(
                            (contrast(draw, rgb), np.full(3, 0.6), np.full(3, 0.9), vivid(draw)),
                            (1, 3, 2, 1),
                        )
                        model.add(
                            box((s * 0.9, min(s * 0.7, 0.7 * h / ny), 0.02)).moved(
                                ((i + 0.5) / nx - 0.5) * w * 0.85,
                                ((j + 0.5) / ny - 0.5) * h * 0.9,
                                t,
                            ),
                            plain(key),
                        )
        pose = draw.integer(0, 3)
        if pose == 1:
            model.rotated("x", draw.uniform(60, 90))
        elif pose == 2:
            model.rotated("y", 180)
    elif kind == "camera":
        w, h, t = 0.9, draw.uniform(0.5, 0.65), draw.uniform(0.25, 0.4)
        model.add(
            rounded_box((w, t, h), 0.06, 2),
            bands([rgb, rgb, draw.pick((metal(draw), rgb))], [-0.2, 0.35], 2),
        )
        r, long = draw.uniform(0.17, 0.26), draw.uniform(0.1, 0.5)
        lens = revolve(
            [(r, 0), (r, long), (r * 0.85, long), (r * 0.8, long - 0.05), (0, long - 0.05)], 24
        )
        model.add(
            lens.rotated("x", 90).moved(0.05, -t / 2, h * 0.48),
            bands([DARK, GLASS * 1.5, DARK], [-0.6, -0.2], 1),
        )
        model.add(
            cylinder(r * 0.7, 0.01, 16)
            .rotated("x", 90)
            .moved(0.05, -t / 2 - long + 0.04, h * 0.48),
            plain(GLASS),
        )
        model.add(box((0.25, t * 0.7, 0.1), 1, 0.8).moved(0.05, 0, h), plain(rgb)).add(
            cylinder(0.05, 0.05, 12).moved(-0.32, 0, h), plain(metal(draw))
        )
    elif kind == "speaker":
        w, d, h = draw.uniform(0.4, 1.0), draw.uniform(0.3, 0.5), draw.uniform(0.4, 1.0)
        if draw.chance(0.3):
            model.add(cylinder(w / 2, h, 28), any_paint(draw, rgb, 0.2)).add(
                cylinder(w * 0.42, 0.02, 24).moved(0, 0, h), plain(contrast(draw, rgb))
            )
        else:
            model.add(
                rounded_box((w, d, h), 0.04, 1), grain(draw) if draw.chance(0.3) else plain(rgb)
            )
            for k in range(n := draw.integer(1, 3)):
                r = min(w, h / n) * 0.38 * draw.uniform(0.6, 1)
                cone = revolve(
                    [(r, 0), (r * 1.05, 0.03), (r * 0.9, 0.03), (r * 0.3, -0.03), (0, 0.02)], 22
                )
                model.add(
                    cone.rotated("x", 90).moved(0, -d / 2, h * (k + 0.5) / n),
                    bands([contrast(draw, rgb), DARK * 2], [-0.2], 1),
                )
    elif kind == "adapter":
        model.add(rounded_box((0.5, 0.4, 0.3), 0.05, 2), plain(rgb))
        path = curve(
            [
                (0.2, 0, 0.12),
                (0.5, 0.1, 0.06),
                (0.6, 0.5, 0.03),
                (0.1, 0.6, 0.03),
                (-0.3, 0.4, 0.03),
                (-0.5, 0.7, 0.03),
            ],
            40,
        )
        model.add(tube(path, 0.022, 7, ends="round"), plain(rgb))
        for y in (-0.08, 0.08):
            model.add(box((0.14, 0.03, 0.06)).moved(-0.3, y, 0.12), plain(metal(draw)))
    elif kind in ("laptop", "monitor"):
        w, h = 1.0, draw.uniform(0.55, 0.7)
        tilt = draw.uniform(-15, 35) if kind == "laptop" else draw.uniform(-5, 12)
        panel = Model().add(rounded_box((w, 0.05, h), 0.015, 1), plain(rgb))
        panel.add(
            grid(
                np.array(
                    [
                        [(-w * 0.46, -0.028, h * 0.06), (w * 0.46, -0.028, h * 0.06)],
                        [(-w * 0.46, -0.028, h * 0.95), (w * 0.46, -0.028, h * 0.95)],
                    ]
                )
            ),
            screen(draw),
        )
        panel.rotated("x", -tilt)
        if kind == "laptop":
            model.extend(panel.moved(0, 0.32, 0.04)).add(
                rounded_box((w, 0.66, 0.05), 0.015, 1), plain(rgb)
            )
            model.add(plate(rectangle(w * 0.86, 0.3), 0.053).moved(0, 0.08), keys(draw, rgb)).add(
                plate(rectangle(0.26, 0.15), 0.053).moved(0, -0.2), plain(shade(rgb, 0.8))
            )
        else:
            z = draw.uniform(0.12, 0.25)
            model.extend(panel.moved(0, 0, z)).add(
                box((0.1, 0.05, z + 0.15)).moved(0, 0.07, 0.01), plain(rgb)
            ).add(rounded_box((0.4, 0.28, 0.03), 0.01, 1).moved(0, 0.04, 0), plain(rgb))
    elif kind == "mouse":
        part = superquadric((0.5, 0.3, 0.22), 0.8, 0.8).map(
            lambda p: np.stack(
                [p[:, 0], p[:, 1], np.maximum(p[:, 2], -0.05) * (1 - 0.35 * p[:, 0])], -1
            )
        )
        model.add(part, bands([rgb, draw.pick((rgb, DARK * 3))], [0.1], 0)).add(
            cylinder(0.06, 0.05, 12).rotated("x", 90).moved(0.28, 0.025, 0.13), plain(DARK * 3)
        )
        if draw.chance(0.5):
            model.add(
                tube(
                    curve(
                        [(0.48, 0, 0), (0.7, 0.1, -0.03), (0.9, -0.1, -0.03), (1.2, 0.2, -0.03)], 16
                    ),
                    0.018,
                    6,
                ),
                plain(rgb),
            )
    elif kind == "gamepad":
        model.add(superquadric((0.4, 0.22, 0.09), 0.7, 0.6), plain(rgb))
        for s in (-1, 1):
            model.add(
                tube(
                    curve(
                        [(s * 0.3, 0.02, 0), (s * 0.45, -0.15, -0.01), (s * 0.5, -0.38, -0.05)], 8
                    ),
                    np.linspace(0.13, 0.08, 8),
                    10,
                    ends="round",
                ),
                plain(rgb),
            ).add(cylinder(0.06, 0.09, 12).moved(s * 0.17, -0.08, 0.05), plain(DARK * 2))
            for k in range(4):
                model.add(
                    cylinder(0.03, 0.03, 8).moved(
                        s * 0.3 + 0.06 * np.cos(k * np.pi / 2),
                        0.07 + 0.06 * np.sin(k * np.pi / 2),
                        0.08,
                    ),
                    plain(vivid(draw) if s > 0 else DARK * 3),
                )
    elif kind == "keyboard":
        w, d = 1.0, draw.uniform(0.3, 0.4)
        model.add(rounded_box((w, d, 0.05), 0.015, 1), plain(rgb)).add(
            plate(rectangle(w * 0.95, d * 0.88), 0.053), keys(draw, rgb)
        )
    elif kind == "router":
        model.add(rounded_box((0.8, 0.5, 0.12), 0.04, 2), plain(rgb))
        for x in np.linspace(-0.3, 0.3, draw.integer(0, 4)):
            model.add(
                tube(
                    [(x, 0.24, 0.06), (x * 1.3, 0.28, draw.uniform(0.4, 0.7))],
                    0.025,
                    8,
                    ends="round",
                ),
                plain(DARK),
            )
        model.add(box((0.5, 0.012, 0.03)).moved(0, -0.25, 0.05), plain(vivid(draw)))
    else:
        a = np.linspace(0, np.pi, 18)
        path = np.stack([0.42 * np.cos(a), 0 * a, 0.45 + 0.45 * np.sin(a)], -1)
        model.add(tube(path, np.tile([0.03, 0.06], (18, 1)), 8, up=(0, 1, 0)), plain(rgb))
        for s in (-1, 1):
            model.add(
                cylinder(0.2, 0.1, 20).rotated("y", 90).moved(s * 0.42 - 0.05, 0, 0.38),
                plain(contrast(draw, rgb) if draw.chance(0.4) else rgb),
            ).add(
                torus(0.15, 0.06, 18, 8).rotated("y", 90).moved(s * 0.34, 0, 0.38),
                plain(DARK * 1.5),
            )
        if draw.chance(0.6):
            model.rotated("x", draw.uniform(60, 95))
    return model.grounded()


def keys(draw: Draw, rgb) -> np.ndarray:
    """A keyboard seen from above."""
    image = prints.sheet(48, 144, shade(rgb, 0.5))
    key = prints.rgb255(draw.pick((DARK * 1.5, np.full(3, 0.9), contrast(draw, rgb))))
    for j in range(5):
        for i in range(15):
            image[j * 9 + 3 : j * 9 + 10, i * 9 + 5 : i * 9 + 12] = key
    return image
