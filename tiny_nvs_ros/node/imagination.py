"""From real cameras to the model's and back: what the node does with an image. No ROS in here."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tiny_nvs_ros import geometry
from tiny_nvs_ros.image import WHITE, montage, resize, turn

if TYPE_CHECKING:
    from tiny_nvs_ros.runtime import EagerRenderer

TILE = 128  # pixels of a picture in a contact sheet


@dataclass(frozen=True)
class ImaginedViews:
    """Views with the cameras that they are true for.

    images: N x H x W x 3 uint8, each the mean of its samples. uncertainties: N x H x W float32
    in [0, 1], None with one sample. poses: (N, 4, 4) T_source_view, metres, in the real source
    camera's frame. focal: pixels, of all views.
    """

    images: np.ndarray
    uncertainties: np.ndarray | None
    poses: np.ndarray
    focal: float


def imagine(
    renderer: "EagerRenderer",
    picture: np.ndarray,
    T_object_source: np.ndarray,
    T_object_targets: np.ndarray,
    samples: int,
    steps: int | None = None,
    seed: int | None = None,
) -> ImaginedViews:
    """Imagine an object from other places.

    picture: H x W x 3 uint8, a crop around the object. T_object_source (4, 4), T_object_targets
    (N, 4, 4): real cameras, metres. Raises ValueError for cameras that do not see the object.

    A view is what the target camera sees once turned, by the shortest way, to look at the object's
    centre; so poses has its place and its roll. The model's cameras all stand at one distance.
    At its real distance a camera needs a focal length longer by that ratio to see the same, and
    the views share one focal length: the nearest camera's, the others' views shrink to it.
    """
    source = geometry.virtual_camera(T_object_source)
    targets = [geometry.virtual_camera(pose) for pose in T_object_targets]
    distances = np.array([target.distance for target in targets])
    scales = distances.min() / distances

    conditions = geometry.relative_pose(source.pose, np.stack([t.pose for t in targets]))
    upright = turn(picture, source.roll)
    views = renderer.generate(upright, conditions, samples=samples, steps=steps, seed=seed)

    images = np.round(views.mean * 255).astype(np.uint8)
    uncertainties = views.std if samples > 1 else None
    turned = [(-t.roll, scale) for t, scale in zip(targets, scales, strict=True)]
    images = np.stack([turn(i, *how) for i, how in zip(images, turned, strict=True)])
    if uncertainties is not None:
        uncertainties = np.stack(
            [turn(u, *how) for u, how in zip(uncertainties, turned, strict=True)]
        )

    config = renderer.config
    focal = config.geometry["focal"] * config.size * distances.min() / source.distance
    poses = geometry.relative_pose(T_object_source, np.stack([view_pose(t) for t in targets]))
    return ImaginedViews(images, uncertainties, poses, float(focal))


def view_pose(camera: geometry.VirtualCamera) -> np.ndarray:
    """T_object_view, metres: the real camera, turned to look at the object with its roll kept."""
    pose = camera.pose.copy()
    pose[:3, 3] *= camera.distance / geometry.DISTANCE
    half = camera.roll / 2
    return pose @ geometry.pose_from(np.zeros(3), [0.0, 0.0, np.sin(half), np.cos(half)])


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
