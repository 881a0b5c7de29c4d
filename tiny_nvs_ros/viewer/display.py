"""What the page shows of a view: one image and HTML around it."""

import html

import cv2
import numpy as np

from tiny_nvs_ros.image import WHITE, montage
from tiny_nvs_ros.pipeline import colormap
from tiny_nvs_ros.viewer.session import TargetView

TILE = 160  # pixels of an image on the page
GAP = 4  # pixels around them
STYLE = "padding:0 .75em;font-size:.85em;line-height:1.5;text-align:center"


def montage_of(view: TargetView, source: np.ndarray) -> np.ndarray:
    """Return the imagined view, its uncertainty and the truth side by side, uint8.

    source: what stands in for a truth that is not known, size x size x 3 uint8.
    """
    images = view.image, colormap(view.uncertainty), source if view.truth is None else view.truth
    return montage([[enlarge(image) for image in images]], gap=GAP)


def blank() -> np.ndarray:
    """Return a white image as large as `montage_of`."""
    return np.full((TILE + 2 * GAP, 3 * (TILE + GAP) + GAP, 3), WHITE, np.uint8)


def enlarge(image: np.ndarray) -> np.ndarray:
    """Return an image as TILE x TILE, uint8, smooth."""
    return cv2.resize(image, (TILE, TILE), interpolation=cv2.INTER_CUBIC)


def captions(*texts: str) -> str:
    """Return HTML of texts above the columns of the images."""
    columns = "".join(f"<div style='flex:1'>{html.escape(text)}</div>" for text in texts)
    return f"<div style='{STYLE};display:flex;font-weight:600'>{columns}</div>"


def status(view: TargetView, seconds: float) -> str:
    """Return HTML that says how uncertain a view is and where its camera stands."""
    x, y, z = view.T_object_camera[:3, 3]
    azimuth, elevation = np.degrees([np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))])
    distance = np.linalg.norm([x, y, z])
    return (
        f"<div style='{STYLE}'>Uncertainty <b id='uncertainty'>{100 * view.mean_uncertainty:.1f} %"
        f"</b><br><span id='camera' style='opacity:.65'>azimuth {azimuth:.0f}°, "
        f"elevation {elevation:.0f}°, {distance:.1f} radii away, {1e3 * seconds:.0f} ms</span>"
        "</div>"
    )


def note(text: str) -> str:
    """Return HTML of a line of help."""
    return f"<div style='{STYLE};opacity:.65'>{html.escape(text)}</div>"
