"""The three-dimensional part of the page: the object's points and its source cameras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tiny_nvs_ros.geometry import quaternion_from_rotation
from tiny_nvs_ros.image import resize
from tiny_nvs_ros.pipeline import PreparedSource
from tiny_nvs_ros.shape import Shape

if TYPE_CHECKING:
    import viser

FRUSTUM_SCALE = 0.25  # object radii
FRUSTUM_ANGLE = np.radians(45)  # of a camera's view, as it is drawn
FRUSTUM_DISTANCE = 2.1  # object radii: farther cameras are drawn here, so that they stay in view
FRUSTUM_COLOR = (0, 102, 153)
FRUSTUM_PIXELS = 128
FRUSTUM_THICKNESS = 0.02  # of its scale
# A frustum is hidden while the view is from within this angle of it: it would cover the object.
HIDING_ANGLE = np.radians(18)
POINT_SIZE = 0.022  # object radii


class SourceScene:
    """Points and frusta in one client's scene. on_click: called with a clicked source's pose."""

    def __init__(self, client: viser.ClientHandle, on_click: Callable[[np.ndarray], None]):
        self._client, self._on_click = client, on_click
        self._points: viser.PointCloudHandle | None = None
        self._frusta: list[tuple[viser.CameraFrustumHandle, np.ndarray]] = []
        self._eye = np.zeros(3)

    def show_sources(self, sources: Sequence[PreparedSource]) -> None:
        """Replace the frusta by those of sources, with the views that the model is given."""
        for handle, _ in self._frusta:
            handle.remove()
        self._frusta = []
        for i, source in enumerate(sources):
            pose = source.T_object_image
            handle = add_frustum(self._client.scene, f"/sources/{i}", pose, source.view.image)
            handle.visible = not self._hides_object(pose)
            handle.on_click(lambda _, pose=pose: self._on_click(pose))
            self._frusta.append((handle, pose))

    def show_shape(self, shape: Shape, min_confidence: float) -> None:
        """Replace the points by those of a shape that are confident enough."""
        shown = shape.confidence >= min_confidence
        points, colors = shape.points[shown], shape.colors[shown]
        self._points = show_points(self._client, self._points, points, colors)

    def look_from(self, eye: np.ndarray) -> None:
        """Hide the frusta that are in the way of a view from a position (3,)."""
        self._eye = eye
        for handle, pose in self._frusta:
            visible = not self._hides_object(pose)
            if handle.visible != visible:
                handle.visible = visible

    def _hides_object(self, pose: np.ndarray) -> bool:
        to_source, eye = pose[:3, 3], self._eye
        lengths = np.linalg.norm(to_source) * np.linalg.norm(eye)
        return bool(to_source @ eye > lengths * np.cos(HIDING_ANGLE))


def add_frustum(
    scene: viser.SceneApi,
    name: str,
    pose: np.ndarray,
    image: np.ndarray | None,
    color: tuple[int, int, int] = FRUSTUM_COLOR,
    scale: float = FRUSTUM_SCALE,
) -> viser.CameraFrustumHandle:
    """Draw a camera at a pose (4, 4) in object radii, at FRUSTUM_DISTANCE if it is farther.

    image: H x W x 3 uint8 that it shows. scale: of the drawing, object radii. It takes the place of
    another of the same name.
    """
    distance = np.linalg.norm(pose[:3, 3])
    return scene.add_camera_frustum(
        name,
        fov=float(FRUSTUM_ANGLE),
        aspect=1.0,
        scale=scale,
        color=color,
        thickness=FRUSTUM_THICKNESS,
        image=None if image is None else resize(image, FRUSTUM_PIXELS),
        wxyz=np.roll(quaternion_from_rotation(pose[:3, :3]), 1),
        position=pose[:3, 3] * min(1, FRUSTUM_DISTANCE / distance),
    )


def show_points(
    owner: viser.ClientHandle | viser.ViserServer,
    handle: viser.PointCloudHandle | None,
    points: np.ndarray,
    colors: np.ndarray,
) -> viser.PointCloudHandle | None:
    """Draw points (M, 3) in object radii with colours (M, 3) uint8, in place of those of a handle.

    Returns the handle, None as long as there were no points.
    """
    if handle is None:
        if not len(points):
            return None
        return owner.scene.add_point_cloud(
            "/points",
            points,
            colors,
            point_size=POINT_SIZE,
            point_shape="circle",
            point_shading="flat",
            precision="float32",
        )
    with owner.atomic():  # the browser refuses an empty or half a change
        handle.visible = len(points) > 0
        if len(points):
            handle.points, handle.colors = points, colors
    return handle
