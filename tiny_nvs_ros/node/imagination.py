"""From real cameras to the model's and back: what the node does with an image. No ROS in here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tiny_nvs_ros import geometry
from tiny_nvs_ros.camera import Camera, crop_view, share_in_picture, virtual_view
from tiny_nvs_ros.image import WHITE, montage, resize, turn

if TYPE_CHECKING:
    from tiny_nvs_ros.runtime import Renderer

TILE = 128  # pixels of a picture in a contact sheet
IN_PICTURE = 0.9  # of the disc around the object, at least: a cut object is another object


@dataclass(frozen=True)
class ImaginedViews:
    """Views with the cameras that they are true for.

    source: H x W x 3 uint8, the view of the real camera that the model was given. images: N x H x
    W x 3 uint8, each the mean of its samples. uncertainties: N x H x W float32 in [0, 1], None
    with one sample. poses: (N, 4, 4) T_source_view, metres, in the real source camera's frame.
    focal: pixels, of all views.
    """

    source: np.ndarray
    images: np.ndarray
    uncertainties: np.ndarray | None
    poses: np.ndarray
    focal: float


def imagine(
    renderer: "Renderer",
    picture: np.ndarray,
    T_object_source: np.ndarray,
    T_object_targets: np.ndarray,
    samples: int,
    steps: int | None = None,
    seed: int | None = None,
    camera: Camera | None = None,
    object_radius: float | None = None,
    heading_known: bool = False,
    on_step: Callable[[], None] = lambda: None,
) -> ImaginedViews:
    """Imagine an object from other places.

    picture: H x W x 3 uint8: the whole picture of `camera`, or without a camera a crop around the
    object. T_object_source (4, 4), T_object_targets (N, 4, 4): real cameras, metres.
    object_radius: half the diagonal of the object's bounding box, metres. A whole picture needs
    it; with a crop None takes the source for a camera with the model's focal length. heading_known
    and on_step: as of NovelViewModel.generate. Raises ValueError for cameras from which the object
    cannot be seen, for a whole picture that does not show all of it, and as camera.virtual_view
    does.

    A view is what the target camera sees once turned, by the shortest way, to look at the object's
    centre; so poses has its place and its roll. The model's cameras all stand at one distance.
    At its real distance a camera needs a focal length longer by that ratio to see the same, and
    the views share one focal length: the nearest camera's, the others' views shrink to it.
    """
    names = ["the camera", *(f"the camera of view {i}" for i in range(len(T_object_targets)))]
    source, *targets = geometry.virtual_cameras([T_object_source, *T_object_targets], names)
    if object_radius is not None:
        for each in (source, *targets):
            each.check_outside(object_radius)
    distances = np.array([target.distance for target in targets])
    scales = distances.min() / distances

    config = renderer.config
    if camera is None:
        view = crop_view(picture, source, config.size)
    else:
        view = whole_view(picture, camera, source, object_radius, config.size)
    conditions = geometry.relative_pose(source.pose, np.stack([t.pose for t in targets]))
    views = renderer.generate(
        view,
        conditions,
        samples=samples,
        steps=steps,
        seed=seed,
        source_pose=source.pose,
        heading_known=heading_known,
        on_step=on_step,
    )

    images = np.round(views.mean * 255).astype(np.uint8)
    uncertainties = views.std if samples > 1 else None
    turned = [(-t.roll, scale) for t, scale in zip(targets, scales, strict=True)]
    images = np.stack([turn(i, *how) for i, how in zip(images, turned, strict=True)])
    if uncertainties is not None:
        uncertainties = np.stack(
            [turn(u, *how) for u, how in zip(uncertainties, turned, strict=True)]
        )

    radius = object_radius
    if radius is None:
        radius = geometry.RADIUS * source.distance / geometry.DISTANCE
    focal = min(target.focal(radius) for target in targets) * config.size
    poses = geometry.relative_pose(T_object_source, view_poses(targets))
    return ImaginedViews(view, images, uncertainties, poses, focal)


def whole_view(
    picture: np.ndarray,
    camera: Camera,
    source: geometry.VirtualCamera,
    object_radius: float | None,
    size: int,
) -> np.ndarray:
    """camera.virtual_view of a picture; ValueError where the object is not wholly in it."""
    if object_radius is None:
        raise ValueError("object_radius is not set: a whole picture needs it, in metres")
    view, seen = virtual_view(picture, camera, source, object_radius, size)
    share = share_in_picture(seen)
    if share < IN_PICTURE:
        raise ValueError(
            f"only {share:.0%} of the object's disc (object_radius, {object_radius:g} m) is in the "
            "picture: turn the camera to the object, or go back"
        )
    return view


def view_poses(cameras: list[geometry.VirtualCamera]) -> np.ndarray:
    """T_object_view (N, 4, 4), metres: real cameras, turned to look at the object, roll kept."""
    poses = np.stack([camera.pose for camera in cameras])
    poses[:, :3, 3] *= np.array([[camera.distance / geometry.DISTANCE] for camera in cameras])
    roll = np.array([camera.roll for camera in cameras])
    turns = np.broadcast_to(np.eye(4), poses.shape).copy()
    turns[:, 0, 0] = turns[:, 1, 1] = np.cos(roll)
    turns[:, 1, 0] = np.sin(roll)
    turns[:, 0, 1] = -turns[:, 1, 0]
    return poses @ turns


def contact_sheet(picture: np.ndarray, views: ImaginedViews) -> np.ndarray:
    """The source picture with the views in one row, their uncertainties below; uint8 RGB."""
    blank = np.full((TILE, TILE, 3), WHITE, np.uint8)
    rows = [[resize(image, TILE) for image in (picture, *views.images)]]
    if views.uncertainties is not None:
        rows.append([blank, *(resize(heat(u), TILE) for u in views.uncertainties)])
    return montage(rows)


def heat(uncertainty: np.ndarray) -> np.ndarray:
    """H x W in [0, 1] to H x W x 3 uint8: black is certain, yellow a standard deviation of 0.25."""
    scaled = np.round(np.clip(uncertainty / 0.25, 0, 1) * 255).astype(np.uint8)
    return cv2.cvtColor(cv2.applyColorMap(scaled, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
