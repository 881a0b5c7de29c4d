"""A contact sheet: a grid of small images with labelled columns and rows."""

import cv2
import numpy as np

from tiny_nvs_ros.image import montage

SCALE = 3  # screen pixels per pixel
GAP, LEFT, LINE = 6, 130, 18  # screen pixels


def draw_contact_sheet(
    headings: list[str], rows: list[tuple[list[str], list[np.ndarray]]]
) -> np.ndarray:
    """Return the labelled grid, H x W x 3 uint8.

    headings: of the columns, one or more lines each. rows: lines of text and the row's images,
    size x size x 3, uint8 or float in [0, 1].
    """
    size = len(rows[0][1][0]) * SCALE
    over = [heading.split("\n") for heading in headings]
    most = max(map(len, over))
    top = GAP + LINE * most
    grid = montage([[_enlarged(image, size) for image in images] for _, images in rows], GAP)
    sheet = np.full((top + grid.shape[0], LEFT + grid.shape[1], 3), 255, np.uint8)
    sheet[top:, LEFT:] = grid
    for column, lines in enumerate(over):
        _write(sheet, lines, LEFT + GAP + column * (size + GAP), LINE * (1 + most - len(lines)) + 2)
    for row, (lines, _) in enumerate(rows):
        middle = top + GAP + row * (size + GAP) + size // 2
        _write(sheet, lines, GAP, middle - 6)
    return sheet


def _enlarged(image: np.ndarray, size: int) -> np.ndarray:
    if image.dtype != np.uint8:
        image = np.round(image * 255).astype(np.uint8)
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_NEAREST)


def _write(sheet: np.ndarray, lines: list[str], x: int, y: int) -> None:
    for k, line in enumerate(lines):
        at = (x, y + LINE * k)
        cv2.putText(sheet, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (40, 40, 40), 1, cv2.LINE_AA)
