"""Real images and camera poses to imagined views of the object. Needs no ROS.

renderer = runtime.load(find_weights("cars"))
views = imagine(renderer, SourceImage(image, T_object_camera), T_object_targets)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import ArrayLike

from tiny_nvs_ros import geometry
from tiny_nvs_ros import virtual_camera as vc
from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.image import WHITE, montage, on_white, resize
from tiny_nvs_ros.model import ViewRequest

if TYPE_CHECKING:
    from tiny_nvs_ros.runtime import Renderer

CONTACT_SHEET_TILE = 128  # pixels of an image in a contact sheet
MIN_DISC_COVERAGE = 0.9  # of the object's disc: a truncated object is another object to the model


@dataclass(frozen=True)
class SourceImage:
    """An image of the object and its camera.

    image: H x W x 3 uint8 RGB, or x 4 (transparent pixels become white): the whole image of
    `camera`, or without one a crop around the object. T_object_camera: (4, 4), metres: the frame
    that the image names, optical (REP 103), in the object frame. camera: calibration of a whole
    image.
    """

    image: np.ndarray
    T_object_camera: np.ndarray
    camera: Camera | None = None


@dataclass(frozen=True)
class ImaginedViews:
    """Imagined views with the cameras for which they are true.

    sources: size x size x 3 uint8 each: the views of the source cameras that the model was given.
    images: N x size x size x 3 uint8, each the mean of its samples. uncertainties: N x size x size
    float32 in [0, 1], the standard deviation over the samples; None if there is one sample.
    T_object_views: (N, 4, 4), T_object_source: (4, 4) of the first source image, metres.
    focal: pixels, of all views; the principal point is the centre.
    """

    sources: list[np.ndarray]
    images: np.ndarray
    uncertainties: np.ndarray | None
    T_object_views: np.ndarray
    T_object_source: np.ndarray
    focal: float

    @property
    def source(self) -> np.ndarray:
        """The view of the first source camera that the model was given, size x size x 3 uint8."""
        return self.sources[0]

    @property
    def poses(self) -> np.ndarray:
        """T_source_view (N, 4, 4), metres, in the frame of the first source image."""
        return geometry.relative_pose(self.T_object_source, self.T_object_views)


def imagine(
    renderer: "Renderer",
    sources: SourceImage | Sequence[SourceImage],
    T_object_targets: ArrayLike,
    *,
    samples: int = 1,
    steps: int | None = None,
    seed: int | None = None,
    object_radius: float | None = None,
    heading_known: bool = False,
    on_step: Callable[[], None] = lambda: None,
) -> ImaginedViews:
    """Imagine views of an object from other places.

    sources: one or several images of it. T_object_targets: (N, 4, 4), metres, real cameras in the
    object frame. object_radius: half the diagonal of the object's bounding box, metres; a whole
    image needs it, a crop without it is taken for an image of the model's focal length.
    samples, steps, seed, heading_known, on_step: see NovelViewModel.generate.

    Each view is what its target camera sees after the shortest rotation that makes it look at the
    object's centre; ImaginedViews.T_object_views has its position and roll.

    Raises ValueError if a camera cannot see the object, a whole image does not contain all of it, a
    source's view shows nothing but background, and if the model does not take so many sources.
    """
    sources = [sources] if isinstance(sources, SourceImage) else list(sources)
    if not sources:
        raise ValueError("no source image")
    config = renderer.config
    model = config.camera
    source_cameras, targets = _virtual_cameras(sources, T_object_targets, model)
    if object_radius is not None:
        for camera in (*source_cameras, *targets):
            camera.check_outside(object_radius)
    views = [
        source_view(source, camera, object_radius)
        for source, camera in zip(sources, source_cameras, strict=True)
    ]
    given = [(view, camera.pose) for view, camera in zip(views, source_cameras, strict=True)]
    request = ViewRequest.create(
        config,
        given,
        np.stack([target.pose for target in targets]),
        samples=samples,
        seed=seed,
        steps=steps,
        heading_known=heading_known,
    )
    rendered = renderer.render(request, on_step)
    images = np.round(rendered.mean * 255).astype(np.uint8)
    uncertainties = rendered.std if samples > 1 else None
    radius = object_radius
    if radius is None:
        radius = model.radius * source_cameras[0].distance / model.distance
    return ImaginedViews(
        sources=views,
        images=vc.views_to_cameras(images, targets),
        uncertainties=None
        if uncertainties is None
        else vc.views_to_cameras(uncertainties, targets),
        T_object_views=vc.view_poses(targets),
        T_object_source=np.asarray(sources[0].T_object_camera, float),
        focal=min(target.focal(radius) for target in targets) * model.size,
    )


def source_view(
    source: SourceImage, virtual: vc.VirtualCamera, object_radius: float | None
) -> np.ndarray:
    """Return the model's view of a source image, size x size x 3 uint8.

    virtual: its virtual camera. Raises ValueError if the image is not uint8 RGB or RGBA, does not
    contain the whole object, or the view shows nothing but background.
    """
    image, model = np.asarray(source.image), virtual.model
    if (
        image.ndim != 3
        or image.shape[-1] not in (3, 4)
        or image.dtype != np.uint8
        or not image.size
    ):
        raise ValueError(
            f"an image has the shape {image.shape} and type {image.dtype}; it must be H x W x 3 "
            "(or 4) uint8"
        )
    image = on_white(image)
    if source.camera is None:
        view = vc.crop_to_view(image, virtual, model.size)
        rows, columns = np.minimum(image.shape[:2], model.size)
        blank = vc.is_blank(cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA))
    else:
        if object_radius is None:
            raise ValueError("object_radius is not set: a whole image needs it, in metres")
        view, coverage = vc.image_to_view(image, source.camera, virtual, object_radius, model.size)
        share = vc.disc_coverage(coverage, model)
        if share < MIN_DISC_COVERAGE:
            raise ValueError(
                f"only {share:.0%} of the object's disc (object_radius, {object_radius:g} m) is in "
                "the image: turn the camera to the object, or move it back"
            )
        blank = vc.is_blank(view, coverage)
    if blank or vc.disc_is_white(view, model):
        raise ValueError(
            f"nothing but background in the view of {virtual.name}: check the object's pose (TF), "
            "object_radius, camera_info, the mask or alpha, and the exposure"
        )
    return view


def contact_sheet(image: np.ndarray, views: ImaginedViews) -> np.ndarray:
    """Return an image with the views in one row and their uncertainties below it, uint8 RGB."""
    blank = np.full((CONTACT_SHEET_TILE, CONTACT_SHEET_TILE, 3), WHITE, np.uint8)
    rows = [[resize(each, CONTACT_SHEET_TILE) for each in (image, *views.images)]]
    if views.uncertainties is not None:
        maps = [resize(colormap(each), CONTACT_SHEET_TILE) for each in views.uncertainties]
        rows.append([blank, *maps])
    return montage(rows)


def colormap(uncertainty: np.ndarray) -> np.ndarray:
    """Map H x W in [0, 1] to colours, H x W x 3 uint8: black is 0, yellow 0.25 and more."""
    scaled = np.round(np.clip(uncertainty / 0.25, 0, 1) * 255).astype(np.uint8)
    return cv2.cvtColor(cv2.applyColorMap(scaled, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)


def _virtual_cameras(
    sources: list[SourceImage], T_object_targets: ArrayLike, model: geometry.ModelCamera
) -> tuple[list[vc.VirtualCamera], list[vc.VirtualCamera]]:
    """Return the virtual cameras of the sources and of the targets."""
    if not len(T_object_targets):
        raise ValueError("no target camera")
    poses = [
        each.T_object_camera
        if each.camera is None
        else np.asarray(each.T_object_camera, float) @ each.camera.T_frame_camera
        for each in sources
    ]
    several = len(sources) > 1
    names = [f"the camera of source {i}" if several else "the camera" for i in range(len(poses))]
    names += [f"the camera of view {i}" for i in range(len(T_object_targets))]
    cameras = vc.virtual_cameras([*poses, *T_object_targets], names, model)
    return cameras[: len(poses)], cameras[len(poses) :]
