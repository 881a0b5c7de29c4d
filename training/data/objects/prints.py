"""What is printed: words, small print, bar codes, pictures, logos; RGB uint8 (numpy, cv2)."""

import string

import cv2
import numpy as np

from training.data.objects.draw import Draw, color, contrast, shade
from training.data.objects.part import to_uint8

FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


def rgb255(rgb) -> tuple[int, int, int]:
    return tuple(round(255 * float(np.clip(c, 0, 1))) for c in rgb)


def sheet(height: int, width: int, rgb) -> np.ndarray:
    """An empty picture (height, width, 3) uint8."""
    image = np.empty((height, width, 3), np.uint8)
    image[:] = rgb255(rgb)
    return image


def word(draw: Draw, low: int = 3, high: int = 9) -> str:
    letters = string.ascii_uppercase if draw.chance(0.6) else string.ascii_lowercase
    return "".join(letters[draw.integer(0, 25)] for _ in range(draw.integer(low, high)))


def title(draw: Draw, image: np.ndarray, box, rgb, text: str | None = None) -> None:
    """One bold word that fills the box (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = (int(v) for v in box)
    text = word(draw) if text is None else text
    font, thick = draw.pick(FONTS), draw.integer(1, 3)
    (w, h), _ = cv2.getTextSize(text, font, 1.0, thick)
    scale = max(min((x1 - x0) / w, (y1 - y0) / (1.3 * h)), 0.15)
    thick = max(1, round(thick * scale * 1.6))
    (w, h), _ = cv2.getTextSize(text, font, scale, thick)
    at = (x0 + max(0, (x1 - x0 - w) // 2), (y0 + y1 + h) // 2)
    if draw.chance(0.3):
        edge = rgb255(1 - np.asarray(rgb))
        cv2.putText(image, text, at, font, scale, edge, thick + 2, cv2.LINE_AA)
    cv2.putText(image, text, at, font, scale, rgb255(rgb), thick, cv2.LINE_AA)


def small_print(draw: Draw, image: np.ndarray, box, rgb, line: int = 4) -> None:
    """Lines of text too small to read."""
    x0, y0, x1, y1 = (int(v) for v in box)
    ink = rgb255(rgb)
    for y in range(y0, y1 - 1, line):
        x = x0
        end = x1 if draw.chance(0.75) else x0 + int((x1 - x0) * draw.uniform(0.3, 0.9))
        while x < end:
            stop = min(x + draw.integer(2, 9), end)
            image[y : y + max(1, line // 2), x:stop] = ink
            x = stop + draw.integer(1, 3)


def barcode(draw: Draw, image: np.ndarray, box) -> None:
    x0, y0, x1, y1 = (int(v) for v in box)
    if x1 <= x0 or y1 <= y0:
        return
    image[y0:y1, x0:x1] = 245
    on = draw.generator.random(x1 - x0) < 0.5
    image[y0 + 1 : y1 - 1, x0:x1][:, on] = 20


def picture(draw: Draw, height: int, width: int) -> np.ndarray:
    """Something like a photograph: a sky or table, and soft things on it."""
    a, b = color(draw), color(draw)
    t = np.linspace(0, 1, height)[:, None, None]
    image = to_uint8(np.broadcast_to((1 - t) * a + t * b, (height, width, 3)))
    if draw.chance(0.5):
        y = int(height * draw.uniform(0.4, 0.8))
        image[y:] = rgb255(color(draw))
    base = color(draw)
    for _ in range(draw.integer(2, 9)):
        rgb = color(draw) if draw.chance(0.5) else shade(base, draw.uniform(0.6, 1.3))
        x, y = draw.integer(0, width), draw.integer(height // 4, height)
        r = draw.uniform(0.06, 0.3) * min(width, height)
        axes = (max(1, int(r * draw.uniform(0.6, 1.6))), max(1, int(r)))
        angle = draw.uniform(0, 180)
        cv2.ellipse(image, (x, y), axes, angle, 0, 360, rgb255(rgb), -1, cv2.LINE_AA)
        light = rgb255(shade(rgb, 1.35))
        small = (max(1, axes[0] // 3), max(1, axes[1] // 3))
        cv2.ellipse(image, (x - small[0], y - small[1]), small, angle, 0, 360, light, -1)
    blur = draw.uniform(0.3, 2.0)
    image = cv2.GaussianBlur(image, (0, 0), blur)
    if draw.chance(0.6):
        noise = draw.normal(max(2, height // 4), max(2, width // 4)) * draw.uniform(4, 22)
        noise = cv2.resize(noise.astype(np.float32), (width, height))[..., None]
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return image


def logo(draw: Draw, image: np.ndarray, box, rgb) -> None:
    """A simple sign: disc, ring, star, heart, leaf, shield, arrow or cross."""
    x0, y0, x1, y1 = (int(v) for v in box)
    cx, cy, r = (x0 + x1) // 2, (y0 + y1) // 2, max(2, min(x1 - x0, y1 - y0) // 2)
    ink, kind = rgb255(rgb), draw.integer(0, 6)
    if kind == 0:
        cv2.circle(image, (cx, cy), r, ink, -1, cv2.LINE_AA)
        if draw.chance(0.6):
            title(
                draw,
                image,
                (cx - 0.75 * r, cy - r / 2, cx + 0.75 * r, cy + r / 2),
                contrast(draw, rgb),
            )
    elif kind == 1:
        cv2.circle(image, (cx, cy), max(1, int(0.8 * r)), ink, max(1, r // 4), cv2.LINE_AA)
    elif kind == 2:
        cv2.ellipse(
            image,
            (cx, cy),
            (r, max(1, r // 2)),
            draw.uniform(-40, 40),
            0,
            360,
            ink,
            -1,
            cv2.LINE_AA,
        )
        if draw.chance(0.6):
            title(
                draw,
                image,
                (cx - 0.8 * r, cy - r / 3, cx + 0.8 * r, cy + r / 3),
                contrast(draw, rgb),
            )
    else:
        a = np.linspace(0, 2 * np.pi, 41)[:-1]
        if kind == 3:  # star
            n, depth = draw.integer(4, 9), draw.uniform(0.35, 0.7)
            rr = np.where(np.mod(np.floor(np.arange(40) * 2 * n / 40), 2) < 1, 1.0, depth)
            shape = np.stack([rr * np.sin(a), -rr * np.cos(a)], -1)
        elif kind == 4:  # heart
            shape = np.stack([
                np.sin(a) ** 3,
                -(13 * np.cos(a) - 5 * np.cos(2 * a) - 2 * np.cos(3 * a) - np.cos(4 * a)) / 16,
            ], -1)  # fmt: skip
        elif kind == 5:  # flower or cloud
            rr = 0.75 + 0.25 * np.cos(draw.integer(3, 8) * a)
            shape = np.stack([rr * np.cos(a), rr * np.sin(a)], -1)
        else:  # any polygon
            n = draw.integer(3, 7)
            b = np.sort(draw.uniforms(0, 2 * np.pi, n))
            shape = np.stack([np.cos(b), np.sin(b)], -1)
        points = np.round(shape * r + [cx, cy]).astype(np.int32)
        cv2.fillPoly(image, [points], ink, cv2.LINE_AA)
