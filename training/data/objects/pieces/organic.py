"""Grown things that several families share: limbs, leaves, stems, lumps, and fruit's colours."""

import numpy as np

from training.data.objects.draw import Draw
from training.data.objects.outlines import curve
from training.data.objects.shapes import tube
from training.data.objects.surfaces import smooth_noise

STEM = np.array([0.3, 0.2, 0.1])
LEAF = np.array([0.25, 0.5, 0.15])
RED, DARK_RED = np.array([0.72, 0.08, 0.07]), np.array([0.45, 0.03, 0.06])
GREEN, YELLOW = np.array([0.45, 0.62, 0.12]), np.array([0.88, 0.76, 0.15])
ORANGE, BROWN = np.array([0.93, 0.5, 0.07]), np.array([0.5, 0.33, 0.15])


def lumpy(draw: Draw, part, amount: float, frequency: float = 1.2):
    """Displace the surface smoothly along the rays from its centre."""
    centre = (part.vertices.max(0) + part.vertices.min(0)) / 2
    size = np.ptp(part.vertices, axis=0).max() / 2
    noise = smooth_noise(draw, frequency)
    return part.map(
        lambda p: centre + (p - centre) * (1 + amount * noise((p - centre) / size))[:, None]
    )


def stem(draw: Draw, z: float, length: float, thick: float = 0.022):
    lean = draw.uniforms(-0.3, 0.3, 2) * length
    return tube(
        curve([(0, 0, z), (*lean * 0.3, z + length * 0.6), (*lean, z + length)], 5),
        np.linspace(thick, thick * 1.3, 5),
        6,
    )


def leaf(length: float, width: float, lift: float = 0.2):
    """A leaf along +x from the origin."""
    t = np.linspace(0, 1, 7)
    path = np.stack([length * t, 0 * t, lift * length * np.sin(t * np.pi * 0.8)], -1)
    size = np.stack([0.004 + width * np.sin(np.pi * t**0.8) ** 0.8 / 2, 0 * t + 0.008], -1)
    return tube(path, size, 6, up=(0, 0, 1))


def limb(points, radii, sides: int = 9):
    return tube(
        curve(points, max(5, 3 * len(points))),
        np.interp(np.linspace(0, 1, max(5, 3 * len(points))), np.linspace(0, 1, len(radii)), radii),
        sides,
        ends="round",
    )
