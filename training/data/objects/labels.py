"""Printed packages: labels, cartons, book covers; RGB uint8 (numpy, cv2)."""

import cv2
import numpy as np

from training.data.objects.draw import Draw, color, contrast, shade, vivid
from training.data.objects.part import to_uint8
from training.data.objects.prints import (
    barcode,
    logo,
    picture,
    rgb255,
    sheet,
    small_print,
    title,
    word,
)


def ground(draw: Draw, height: int, width: int, rgb) -> np.ndarray:
    """A label's background: plain, gradient, stripes, bursts, dots or waves."""
    image = sheet(height, width, rgb)
    other = contrast(draw, rgb) if draw.chance(0.5) else shade(rgb, draw.uniform(0.5, 1.4))
    kind = draw.pick(
        ("plain", "fade", "diagonal", "half", "dots", "wave", "burst"), (5, 3, 1, 2, 1, 2, 1)
    )
    y, x = np.mgrid[:height, :width]
    if kind == "fade":
        t = (y / height if draw.chance(0.8) else x / width)[..., None]
        image = to_uint8((1 - t) * np.asarray(rgb) + t * other)
    elif kind == "diagonal":
        n, share = draw.uniform(3, 12), draw.uniform(0.2, 0.6)
        image[np.mod((x + draw.uniform(-1, 1) * y) * n / width, 1) < share] = rgb255(other)
    elif kind == "half":
        image[: int(height * draw.uniform(0.2, 0.8))] = rgb255(other)
    elif kind == "dots":
        n = draw.integer(4, 12)
        px = width / n
        on = np.hypot(np.mod(x, px) - px / 2, np.mod(y, px) - px / 2) < px * draw.uniform(0.15, 0.4)
        image[on] = rgb255(other)
    elif kind == "wave":
        edge = height * (draw.uniform(0.2, 0.8) + draw.uniform(0.05, 0.25) * np.sin(
            2 * np.pi * (draw.integer(1, 3) * x / width + draw.uniform())))  # fmt: skip
        image[y > edge] = rgb255(other)
    elif kind == "burst":
        a = np.arctan2(y - height * draw.uniform(0.2, 0.8), x - width * draw.uniform(0.2, 0.8))
        image[np.mod(a / np.pi * draw.integer(4, 10), 1) < 0.5] = rgb255(other)
    return image


def front(draw: Draw, height: int, width: int, rgb, text: str | None = None) -> np.ndarray:
    """The front of a package: title, picture or logo, bars and small print."""
    image = ground(draw, height, width, rgb)
    ink = contrast(draw, rgb, 0.5)
    margin = 0.06 * width
    top = draw.pick((0.05, 0.1, 0.15, 0.55))
    tall = draw.uniform(0.14, 0.34)
    if draw.chance(0.75):
        y0, y1 = sorted(draw.uniforms(0.1, 1.0, 2) * height)
        ph, pw = max(4, int(y1 - y0)), max(4, int(width * draw.uniform(0.45, 1.0)))
        x0 = draw.integer(0, width - pw)
        if draw.chance(0.6):
            piece, area = picture(draw, ph, pw), image[int(y0) : int(y0) + ph, x0 : x0 + pw]
            piece = piece[: area.shape[0]]
            if draw.chance(0.5):
                oval = np.zeros(area.shape[:2], np.uint8)
                cv2.ellipse(
                    oval,
                    (pw // 2, area.shape[0] // 2),
                    (pw // 2, max(1, area.shape[0] // 2)),
                    0,
                    0,
                    360,
                    1,
                    -1,
                )
                area[oval > 0] = piece[oval > 0]
            else:
                area[:] = piece
        else:
            logo(draw, image, (x0, y0, x0 + pw, y0 + ph), vivid(draw))
    if draw.chance(0.45):
        y0 = int(top * height)
        y1 = int((top + tall) * height)
        band = contrast(draw, ink, 0.5)
        if draw.chance(0.5):
            image[y0:y1] = rgb255(band)
        else:
            cv2.ellipse(
                image,
                (width // 2, (y0 + y1) // 2),
                (int(0.47 * width), max(2, (y1 - y0) // 2)),
                0,
                0,
                360,
                rgb255(band),
                -1,
                cv2.LINE_AA,
            )
    title(draw, image, (margin, top * height, width - margin, (top + tall) * height), ink, text)
    if draw.chance(0.5):
        y = (top + tall + draw.uniform(0.02, 0.1)) * height
        title(
            draw,
            image,
            (3 * margin, y, width - 3 * margin, y + 0.09 * height),
            contrast(draw, rgb, 0.4),
        )
    if draw.chance(0.4):
        small_print(draw, image, (margin, 0.88 * height, width - margin, 0.97 * height), ink, 3)
    if draw.chance(0.25):
        s = draw.uniform(0.12, 0.28) * width
        x, y = draw.uniform(0, width - s), draw.uniform(0, height - s)
        logo(draw, image, (x, y, x + s, y + s), vivid(draw))
    return image


def back(draw: Draw, height: int, width: int, rgb) -> np.ndarray:
    """The back or side of a package: small print, a table, a barcode."""
    image = sheet(height, width, rgb)
    ink = np.zeros(3) + (0.1 if np.mean(rgb) > 0.4 else 0.95)
    m = max(1, int(0.08 * width))
    if draw.chance(0.5):
        title(draw, image, (m, 0.04 * height, width - m, 0.2 * height), ink)
    y = draw.uniform(0.2, 0.4) * height
    if draw.chance(0.4):
        x = int(draw.uniform(0.4, 0.7) * width)
        image[int(y) : int(0.75 * height), m:x] = 240
        small_print(draw, image, (m + 1, y + 1, x - 1, 0.74 * height), np.zeros(3) + 0.1, 3)
    else:
        small_print(draw, image, (m, y, width - m, 0.8 * height), ink, draw.integer(3, 5))
    if draw.chance(0.6):
        x = draw.uniform(0.05, 0.5) * width
        barcode(draw, image, (x, 0.82 * height, x + 0.4 * width, 0.96 * height))
    return image


def carton(draw: Draw, size, rgb=None) -> np.ndarray:
    """Atlas (128, 192, 3) of a printed carton's six faces for `shapes.box`, of the given size."""
    rgb = color(draw) if rgb is None else np.asarray(rgb)
    text, cell = word(draw), 64
    side = rgb if draw.chance(0.7) else contrast(draw, rgb)
    w, d, h = size

    def fit(image):
        return cv2.resize(image, (cell, cell), interpolation=cv2.INTER_AREA)

    def pixels(width, height):
        longest = 112 / max(width, height)
        return max(20, int(height * longest)), max(20, int(width * longest))

    face = front(draw, *pixels(w, h), rgb, text)
    rear = face if draw.chance(0.35) else back(draw, *pixels(w, h), rgb)
    flank = [
        back(draw, *pixels(d, h), side)
        if draw.chance(0.6)
        else front(draw, *pixels(d, h), side, text)
        for _ in range(2)
    ]
    lids = []
    for _ in range(2):
        lid = ground(draw, *pixels(w, d), side)
        if draw.chance(0.6):
            title(draw, lid, (4, 4, lid.shape[1] - 4, lid.shape[0] - 4), contrast(draw, side), text)
        lids.append(lid)
    top_row = [fit(face), fit(flank[0]), fit(rear)]
    low_row = [fit(flank[1]), fit(lids[0]), fit(lids[1])]
    return np.concatenate([np.concatenate(top_row, 1), np.concatenate(low_row, 1)], 0)


def atlas(faces) -> np.ndarray:
    """Atlas for `shapes.box` of six pictures: front, right, back, left, top, bottom."""
    faces = [cv2.resize(f, (64, 64), interpolation=cv2.INTER_AREA) for f in faces]
    return np.concatenate([np.concatenate(faces[:3], 1), np.concatenate(faces[3:], 1)], 0)


def wrapper(draw: Draw, rgb, height: int = 64, width: int = 160) -> np.ndarray:
    """A label around a can or bottle: front, perhaps repeated, with small print between."""
    turns = draw.pick((1, 1, 2))
    image = ground(draw, height, width, rgb)
    share = draw.uniform(0.35, 0.6) / turns
    face = front(draw, height, int(width * share), rgb)
    text = back(draw, height, max(12, int(width * (1 / turns - share) * 0.7)), rgb)
    start = draw.integer(0, width - 1)
    for k in range(turns):
        x = int(k * width / turns)
        image[:, x : x + face.shape[1]] = face
        if draw.chance(0.7):
            x += face.shape[1] + 4
            image[:, x : x + text.shape[1]] = text[:, : max(0, width - x)]
    if draw.chance(0.4):
        edge = rgb255(contrast(draw, rgb))
        n = draw.integer(1, height // 8)
        image[:n], image[-n:] = edge, edge
    return np.roll(image, start, axis=1)


def canvas(draw: Draw, rgb, height: int = 96, width: int = 160) -> np.ndarray:
    """Empty texture of a body of revolution, a little uneven in colour."""
    image = np.empty((height, width, 3), np.float32)
    image[:] = 255 * np.asarray(rgb)
    if draw.chance(0.4):
        noise = draw.normal(4, 6).astype(np.float32) * draw.uniform(2, 10)
        image += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    return np.clip(image, 0, 255).astype(np.uint8)


def paste(image: np.ndarray, piece: np.ndarray, u0, u1, v0, v1) -> None:
    """Put a picture at texture coordinates [u0, u1] x [v0, v1] (v up)."""
    height, width = image.shape[:2]
    y0, y1 = round((1 - v1) * height), round((1 - v0) * height)
    w, h = max(1, round((u1 - u0) * width)), max(1, y1 - y0)
    piece = cv2.resize(piece, (w, h), interpolation=cv2.INTER_AREA)
    columns = (round(u0 * width) + np.arange(w)) % width
    image[max(y0, 0) : y0 + h, columns] = piece[max(0, -y0) :][: image.shape[0] - max(y0, 0)]


def label(draw: Draw, image: np.ndarray, v0: float, v1: float) -> np.ndarray:
    """Put a random label on the canvas between v0 and v1: around, in front only, front and back."""
    rgb = color(draw)
    kind = draw.pick(("around", "front", "both", "print", "bare"), (5, 4, 2, 2, 1))
    start = draw.uniform()
    if kind == "around":
        paste(image, wrapper(draw, rgb), start, start + 1, v0, v1)
    elif kind in ("front", "both"):
        wide = draw.uniform(0.25, 0.42)
        face = front(draw, 72, 64, rgb)
        under = image.copy()
        paste(image, face, start, start + wide, v0, v1)
        if kind == "both":
            paste(image, back(draw, 72, 64, rgb), start + 0.5, start + 0.5 + wide, v0, v1)
        if draw.chance(0.3):  # an oval label
            oval = np.zeros((64, 64, 3), np.uint8)
            cv2.ellipse(oval, (32, 32), (31, 31), 0, 0, 360, (255, 255, 255), -1)
            mask = np.zeros_like(image)
            paste(mask, oval, start, start + wide, v0, v1)
            image[mask < 128] = under[mask < 128]
    elif kind == "print":  # ink straight on the surface
        height, width = image.shape[:2]
        x = start * width * 0.6
        y0, y1 = (1 - v1) * height, (1 - v0) * height
        box = (x, y0, x + 0.4 * width, y1)
        if draw.chance(0.5):
            logo(draw, image, box, rgb)
        else:
            title(draw, image, (x, y0, x + 0.4 * width, y0 + 0.6 * (y1 - y0)), rgb)
            small_print(draw, image, (x, y0 + 0.65 * (y1 - y0), x + 0.4 * width, y1), rgb)
    return image
