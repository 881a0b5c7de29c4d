"""Random numbers and colours for procedural objects."""

import cv2
import numpy as np


class Draw:
    """A random generator with the few distributions that object families need."""

    def __init__(self, *seed: int, generator: np.random.Generator | None = None):
        self.generator = np.random.default_rng(seed) if generator is None else generator

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        return float(low + (high - low) * self.generator.random())

    def log(self, low: float, high: float) -> float:
        """Uniform in the logarithm."""
        return float(np.exp(self.generator.uniform(np.log(low), np.log(high))))

    def integer(self, low: int, high: int) -> int:
        """From low to high, both included; low if high is below."""
        return int(self.generator.integers(low, max(low, high) + 1))

    def chance(self, probability: float) -> bool:
        return bool(self.generator.random() < probability)

    def pick(self, choices, weights=None):
        if weights is None:
            return choices[int(self.generator.integers(len(choices)))]
        edges = np.cumsum(np.asarray(weights, float))
        return choices[int(np.searchsorted(edges, self.generator.random() * edges[-1]))]

    def normal(self, *shape: int) -> np.ndarray:
        return self.generator.normal(size=shape)

    def uniforms(self, low, high, *shape: int) -> np.ndarray:
        return self.generator.uniform(low, high, shape)

    def sign(self) -> int:
        return 1 if self.generator.random() < 0.5 else -1


# Ranges of hue (degrees), saturation and value of the colours of products, and their shares.
COLORS = {
    "white": ((20, 60), (0.0, 0.08), (0.85, 1.0), 15),
    "cream": ((30, 55), (0.1, 0.35), (0.8, 0.98), 6),
    "black": ((0, 360), (0.0, 0.25), (0.03, 0.14), 9),
    "grey": ((190, 260), (0.0, 0.12), (0.25, 0.75), 8),
    "red": ((-10, 8), (0.7, 1.0), (0.45, 0.95), 14),
    "orange": ((12, 34), (0.75, 1.0), (0.75, 1.0), 6),
    "yellow": ((40, 58), (0.65, 1.0), (0.8, 1.0), 10),
    "green": ((75, 160), (0.4, 1.0), (0.25, 0.8), 8),
    "teal": ((165, 195), (0.4, 1.0), (0.35, 0.85), 4),
    "blue": ((200, 240), (0.5, 1.0), (0.3, 0.95), 12),
    "purple": ((250, 300), (0.3, 0.9), (0.3, 0.8), 3),
    "pink": ((315, 350), (0.25, 0.8), (0.7, 1.0), 4),
    "brown": ((14, 34), (0.4, 0.8), (0.2, 0.55), 5),
}
DARK = np.full(3, 0.07)  # black plastic and rubber
GLASS = np.array([0.12, 0.16, 0.2])  # dark windows
WOODS = ((26, 0.45, 0.8), (30, 0.35, 0.85), (22, 0.6, 0.5), (18, 0.6, 0.35), (34, 0.4, 0.9))


def hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    """RGB in [0, 1] of a hue in degrees, saturation and value in [0, 1]."""
    pixel = np.array([[[hue % 360, np.clip(saturation, 0, 1), np.clip(value, 0, 1)]]], np.float32)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].astype(float)


def color(draw: Draw, *names: str) -> np.ndarray:
    """A colour of the named kinds; without names, as often as products have it."""
    kinds = names or tuple(COLORS)
    kind = draw.pick(kinds, [COLORS[k][3] for k in kinds])
    ranges = COLORS[kind][:3]
    return hsv(*(draw.uniform(*r) for r in ranges))


def vivid(draw: Draw) -> np.ndarray:
    """A saturated colour."""
    return color(draw, "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink")


def neutral(draw: Draw) -> np.ndarray:
    return color(draw, "white", "cream", "black", "grey")


def metal(draw: Draw) -> np.ndarray:
    """Steel, aluminium, brass, copper or dark iron."""
    kind = draw.pick(("steel", "brass", "copper", "iron"), (7, 1, 0.6, 2))
    h, s, v = {
        "steel": (210, draw.uniform(0, 0.06), draw.uniform(0.5, 0.85)),
        "brass": (draw.uniform(40, 48), 0.5, draw.uniform(0.6, 0.85)),
        "copper": (draw.uniform(14, 22), 0.55, draw.uniform(0.55, 0.8)),
        "iron": (220, draw.uniform(0, 0.12), draw.uniform(0.12, 0.3)),
    }[kind]
    return hsv(h, s, v)


def wood(draw: Draw) -> np.ndarray:
    h, s, v = draw.pick(WOODS)
    return hsv(h + draw.uniform(-4, 4), s * draw.uniform(0.8, 1.2), v * draw.uniform(0.8, 1.1))


def skin(draw: Draw) -> np.ndarray:
    return hsv(draw.uniform(16, 30), draw.uniform(0.25, 0.6), draw.uniform(0.35, 0.98))


def contrast(draw: Draw, other: np.ndarray, least: float = 0.35) -> np.ndarray:
    """A colour that stands out from `other`."""
    for _ in range(8):
        candidate = color(draw)
        if np.abs(candidate - other).max() > least:
            break
    return candidate


def shade(rgb: np.ndarray, factor: float) -> np.ndarray:
    """Lighter (factor above 1) or darker."""
    return np.clip(np.asarray(rgb) * factor, 0, 1)
