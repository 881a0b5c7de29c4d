"""The page of --ros: what a running nvs node imagines, the same for all browsers."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from tiny_nvs_ros.image import montage
from tiny_nvs_ros.pipeline import colormap
from tiny_nvs_ros.viewer import display
from tiny_nvs_ros.viewer.scene import FRUSTUM_COLOR, FRUSTUM_SCALE, add_frustum, show_points

if TYPE_CHECKING:
    import viser

    from tiny_nvs_ros.node.live_views import LivePoints, LiveViews

COLUMNS = 4  # of the images on the page
VIEW_SCALE = 0.16  # object radii: frusta of views, smaller than that of the source
VIEW_COLOR = (120, 130, 140)
PERIOD_S = 1 / 15  # between images: browsers have other things to do


class LivePage:
    """Shows views and points as they arrive, from any thread. name: of the node."""

    def __init__(self, server: viser.ViserServer, name: str):
        self._server, self._lock = server, threading.Lock()
        self._radius: float | None = None  # of the object, metres: the scene's unit
        self._shown = -np.inf
        self._times: list[float] = []  # of arrivals
        self._frusta: list[viser.CameraFrustumHandle] = []
        self._cloud: viser.PointCloudHandle | None = None
        self._points: LivePoints | None = None
        gui = server.gui
        gui.add_html(display.note(f"What {name} imagines: each view, its uncertainty below"))
        self._images = gui.add_image(np.full((4, 4, 3), 255, np.uint8), visible=False)
        self._status = gui.add_html(display.note(f"Waiting for {name}/novel_views ..."))
        self._min_confidence = gui.add_slider(
            "Confidence", 0.0, 0.95, 0.05, 0.5, hint="Points that are less certain are hidden"
        )

        @self._min_confidence.on_update
        def _(_: object) -> None:
            self._draw_points()

    def show_views(self, views: LiveViews) -> None:
        """Show the views of a message, unless the last ones were shown just now."""
        with self._lock:
            now = time.monotonic()
            self._times = [*(each for each in self._times if each > now - 3), now]
            if now < self._shown + PERIOD_S:
                return
            self._shown = now
            self._radius = views.object_radius
            self._images.image, self._images.visible = sheet(views), True
            rate = (len(self._times) - 1) / max(now - self._times[0], 1e-6)
            self._status.content = display.note(
                f"{len(views.images)} views of {views.sources} source images, "
                f"{rate:.0f} Hz, latency {1e3 * views.latency:.0f} ms"
            )
            self._draw_frusta(views)

    def show_points(self, points: LivePoints) -> None:
        """Show a cloud."""
        self._points = points
        self._draw_points()

    def show_problem(self, text: str) -> None:
        """Say why nothing is shown."""
        self._status.content = display.note(text)

    def _draw_frusta(self, views: LiveViews) -> None:
        """Draw the cameras of the views, and that of the newest source in another colour."""
        poses = [*views.T_object_views, views.T_object_source]
        looks = [(image, VIEW_COLOR, VIEW_SCALE) for image in views.images]
        looks.append((None, FRUSTUM_COLOR, FRUSTUM_SCALE))
        with self._server.atomic():
            for handle in self._frusta[len(poses) :]:
                handle.remove()
            self._frusta = [
                add_frustum(
                    self._server.scene,
                    f"/views/{i}",
                    scaled(pose, self._radius),
                    *look,
                )
                for i, (pose, look) in enumerate(zip(poses, looks, strict=True))
            ]

    def _draw_points(self) -> None:
        with self._lock:
            points = self._points
            if points is None or self._radius is None:
                return
            shown = points.confidence >= self._min_confidence.value
            self._cloud = show_points(
                self._server,
                self._cloud,
                points.points[shown] / np.float32(self._radius),
                points.colors[shown],
            )


def scaled(pose: np.ndarray, unit: float) -> np.ndarray:
    """Return a pose (4, 4) with its position in another unit, metres."""
    result = pose.copy()
    result[:3, 3] /= unit
    return result


def sheet(views: LiveViews) -> np.ndarray:
    """Return the views in rows, each with its uncertainties in the row below, uint8."""
    rows = []
    for i in range(0, len(views.images), COLUMNS):
        part = slice(i, i + COLUMNS)
        rows.append([display.enlarge(image) for image in views.images[part]])
        if views.uncertainties is not None:
            maps = views.uncertainties[part]
            rows.append([display.enlarge(colormap(each)) for each in maps])
    return montage(rows, gap=4)
