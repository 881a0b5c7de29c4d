"""The colours of procedural cars, drawn by chance; RGB in 0..1."""

from types import SimpleNamespace

import cv2
import numpy as np

# Borders, in degrees, of red, orange, yellow, green, cyan, blue, violet, pink: equally likely.
HUES = (-12, 12, 42, 68, 165, 200, 255, 290, 348)


def draw_palette(rng: np.random.Generator) -> SimpleNamespace:
    """Colours, RGB in 0..1: every hue is as likely as another; a third are white to black."""
    c = SimpleNamespace()
    c.body = draw_paint(rng)
    c.second = draw_paint(rng)
    c.roof = c.body
    trim = rng.random()
    if trim < 0.12:
        c.roof = c.second
    elif trim < 0.2:
        c.roof = np.full(3, 0.07)
    tint = rng.uniform(0.85, 1.15, 3)
    c.glass = np.clip(rng.choice([0.08, 0.15, 0.23, 0.36]) * tint * [0.9, 1.0, 1.15], 0, 1)
    c.dark = np.full(3, rng.uniform(0.05, 0.16))
    c.under = np.full(3, rng.uniform(0.16, 0.45)) * rng.uniform(0.9, 1.1, 3)
    c.tyre = np.full(3, rng.uniform(0.05, 0.11))
    c.rim = rng.choice([0.82, 0.7, 0.55, 0.2]) * np.ones(3)
    if rng.random() < 0.08:
        c.rim = c.body if rng.random() < 0.5 else hsv(rng.random(), 0.8, 0.8)
    c.chrome = np.full(3, rng.uniform(0.6, 0.85))
    c.seat = hsv(rng.uniform(0.02, 0.11), rng.uniform(0.1, 0.7), rng.uniform(0.12, 0.75))
    c.head = np.array([0.95, 0.95, rng.uniform(0.8, 1.0)])
    c.lamp = np.array([rng.uniform(0.55, 0.9), rng.uniform(0.02, 0.12), 0.05])
    return c


def draw_paint(rng: np.random.Generator) -> np.ndarray:
    """One colour: two in three have a hue, the others are white, silver, grey or black."""
    if rng.random() < 0.66:
        hue = np.interp(8 * rng.random(), range(9), HUES) % 360 / 360
        return hsv(hue, rng.uniform(0.55, 1.0), rng.uniform(0.35, 1.0))
    low, high = ((0.82, 0.94), (0.58, 0.75), (0.28, 0.5), (0.04, 0.13))[rng.integers(4)]
    return np.clip(rng.uniform(low, high) * rng.uniform(0.96, 1.04, 3), 0, 1)


def hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    """RGB in 0..1 of hue, saturation and value in 0..1."""
    pixel = np.array([[[hue * 360, saturation, value]]], np.float32)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].astype(float)
