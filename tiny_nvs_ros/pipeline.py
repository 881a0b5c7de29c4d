"""Real images and camera poses to imagined views of the object. Needs no ROS.

renderer = runtime.load(find_weights("cars"))
views = imagine(renderer, SourceImage(image, T_object_camera), T_object_targets)
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import ArrayLike

from tiny_nvs_ros import geometry
from tiny_nvs_ros import virtual_camera as vc
from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.image import WHITE, montage, on_white, resize, scene_of
from tiny_nvs_ros.model import SourceView, ViewRequest, ViewSamples

if TYPE_CHECKING:
    from tiny_nvs_ros.runtime import Renderer

CONTACT_SHEET_TILE = 128  # pixels of an image in a contact sheet
DEFAULT_DISTANCE = 8.0  # object radii, of the first camera of crops without an object_radius
MAX_NOT_WHITE = 0.25  # of what surrounds the object in an image without a mask
MIN_DISC_COVERAGE = 0.9  # of the object's disc: a truncated object is another object to the model


@dataclass(frozen=True)
class SourceImage:
    """An image of the object and its camera.

    image: H x W x 3 uint8 RGB, or x 4: the whole image of `camera`, or without one a crop around
    the object. Transparent pixels are not the object; what they show beside it tells a model of
    several sources where alpha is wrong. T_object_camera: (4, 4), metres: the frame that the image
    names, optical (REP 103), in the object frame. camera: calibration of a whole image.
    """

    image: np.ndarray
    T_object_camera: np.ndarray
    camera: Camera | None = None


@dataclass(frozen=True)
class PreparedSource:
    """A source image, checked and warped to the model's view, which can be given again and again.

    view: what the model is given; camera: its virtual camera. T_object_image: (4, 4), metres, of
    the frame that the image names. fault: what makes its views worse, empty if nothing is known.
    """

    view: SourceView
    camera: vc.VirtualCamera
    T_object_image: np.ndarray
    fault: str = ""


@dataclass(frozen=True)
class ImaginedViews:
    """Imagined views with the cameras for which they are true.

    samples: what the model gave, views of `cameras`, which look at the object upright. sources:
    what they were imagined from. object_radius: half the diagonal of the object's bounding box,
    metres.

    Images, maps and poses are those of the target cameras: rolled as these are, with one focal
    length; the principal point is the centre.
    """

    samples: ViewSamples
    cameras: list[vc.VirtualCamera]
    sources: list[PreparedSource]
    object_radius: float

    def warp(self) -> None:
        """Compute images, maps and poses now; otherwise each is computed when it is first read."""
        _ = self.images, self.uncertainties, self.alphas, self._depths, self.T_object_views

    @cached_property
    def images(self) -> np.ndarray:
        """The means of the samples, N x size x size x 3 uint8."""
        return vc.views_to_cameras(np.round(self.samples.mean * 255).astype(np.uint8), self.cameras)

    @cached_property
    def uncertainties(self) -> np.ndarray | None:
        """Standard deviations of the colours over the samples, N x size x size float32 in [0, 1].

        None if there is one sample.
        """
        if self.samples.rgb.shape[1] == 1:
            return None
        return vc.views_to_cameras(self.samples.std, self.cameras)

    @cached_property
    def alphas(self) -> np.ndarray | None:
        """Probabilities of the object, N x size x size float32; None if the model has none."""
        if self.samples.alpha is None:
            return None
        return vc.views_to_cameras(self.samples.alpha.mean(axis=1), self.cameras)

    @property
    def depths(self) -> np.ndarray | None:
        """Mean depths along the optical axis, N x size x size float32, metres.

        NaN where there is probably no object; None if the model has none.
        """
        return None if self._depths is None else self._depths[0]

    @property
    def depth_uncertainties(self) -> np.ndarray | None:
        """Standard deviations of the depths over the samples, metres, like `depths`.

        None also if there is one sample.
        """
        if self._depths is None or self.samples.rgb.shape[1] == 1:
            return None
        return self._depths[1]

    @cached_property
    def _depths(self) -> tuple[np.ndarray, np.ndarray] | None:
        alpha, depth = self.samples.alpha, self.samples.depth
        if alpha is None or depth is None:
            return None
        weight = alpha.sum(axis=1)
        mean = (alpha * depth).sum(axis=1) / np.maximum(weight, 1e-6)
        variance = (alpha * np.square(depth - mean[:, None])).sum(axis=1)
        variance /= np.maximum(weight, 1e-6)
        # Warped with its weight, so that no depth mixes with that of the empty background.
        weight /= alpha.shape[1]
        weights, means, variances = (
            vc.views_to_cameras(each, self.cameras)
            for each in (weight, weight * mean, weight * variance)
        )
        empty, weights = weights < 0.5, np.maximum(weights, 1e-6)
        distances = np.array([camera.distance for camera in self.cameras], np.float32)
        depths = distances[:, None, None] + self.object_radius * means / weights
        spreads = self.object_radius * np.sqrt(variances / weights)
        depths[empty] = spreads[empty] = np.nan
        return depths.astype(np.float32), spreads.astype(np.float32)

    @cached_property
    def T_object_views(self) -> np.ndarray:
        """Poses of the views, (N, 4, 4), metres, in the object frame."""
        return vc.view_poses(self.cameras)

    @property
    def focal(self) -> float:
        """Focal length of all views, pixels."""
        size = self.samples.rgb.shape[2]
        return min(camera.focal(self.object_radius) for camera in self.cameras) * size

    @property
    def source(self) -> np.ndarray:
        """The view of the first source camera that the model was given, size x size x 3 uint8."""
        return self.sources[0].view.image

    @property
    def poses(self) -> np.ndarray:
        """T_source_view (N, 4, 4), metres, in the frame of the first source image."""
        return geometry.relative_pose(self.sources[0].T_object_image, self.T_object_views)


def imagine(
    renderer: "Renderer",
    sources: SourceImage | PreparedSource | Sequence[SourceImage | PreparedSource],
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
    image needs it. Without it a crop is taken for an image of the model's focal length, or if the
    model knows any distance, for one from DEFAULT_DISTANCE. samples, steps, seed, heading_known,
    on_step: see NovelViewModel.generate.

    Each view is what its target camera sees after the shortest rotation that makes it look at the
    object's centre; ImaginedViews.T_object_views has its position and roll.

    Raises ValueError if a camera cannot see the object, a whole image does not contain all of it, a
    source's view shows nothing but background or the object by a few pixels, and if the model does
    not take so many sources; TypeError for a source of another type.
    """
    alone = isinstance(sources, SourceImage | PreparedSource)
    given = [sources] if alone else list(sources)
    if not given:
        raise ValueError("no source image")
    if object_radius is not None:
        vc.check_radius(object_radius)
    shape = np.shape(T_object_targets)
    if len(shape) != 3:
        raise ValueError(f"T_object_targets has shape {shape}; it must be (N, 4, 4)")
    if not shape[0]:
        raise ValueError("no target camera")
    model, prepared = renderer.config.camera, []
    for i, source in enumerate(given):
        if isinstance(source, SourceImage):
            name = f"the camera of source {i}" if len(given) > 1 else "the camera"
            source = prepare(source, model, object_radius, name)
            if source.fault:
                warnings.warn(f"{name}: {source.fault}", stacklevel=2)
        elif not isinstance(source, PreparedSource):
            raise TypeError(f"source {i} is a {type(source).__name__}; it must be a SourceImage")
        prepared.append(source)
    radius = object_radius or radius_of_crop(prepared[0].camera.distance, model)
    names = [f"the camera of view {i}" for i in range(len(T_object_targets))]
    targets = vc.virtual_cameras(T_object_targets, names, model, radius)
    if object_radius is not None:
        for camera in targets:
            camera.check_outside(object_radius)
    request = ViewRequest.create(
        renderer.config,
        [source.view for source in prepared],
        np.stack([target.pose for target in targets]),
        samples=samples,
        seed=seed,
        steps=steps,
        heading_known=heading_known,
    )
    return ImaginedViews(renderer.render(request, on_step), targets, prepared, radius)


def prepare(
    source: SourceImage,
    model: geometry.ModelCamera,
    object_radius: float | None = None,
    name: str = "the camera",
) -> PreparedSource:
    """Check a source image and warp it to the model's view.

    model: the model's camera, ModelConfig.camera; object_radius: as of `imagine`. name: of the
    source's camera, for errors. Raises ValueError as `imagine`.
    """
    if object_radius is not None:
        vc.check_radius(object_radius)
    pose = source.T_object_camera
    if source.camera is not None:
        pose = np.asarray(pose, float) @ source.camera.T_frame_camera
    radius = object_radius
    if radius is None:
        distance = float(np.linalg.norm(np.asarray(pose, float)[:3, 3]))
        radius = radius_of_crop(distance, model) or None
    camera = vc.virtual_camera(pose, name, model, radius)
    if object_radius is not None:
        camera.check_outside(object_radius)
    view, fault = source_view(source, camera, object_radius)
    return PreparedSource(view, camera, np.asarray(source.T_object_camera, float), fault)


def source_view(
    source: SourceImage, virtual: vc.VirtualCamera, object_radius: float | None
) -> tuple[SourceView, str]:
    """Return the model's view of a source image, and what is wrong with it but no error.

    virtual: its virtual camera. Raises ValueError if the image is not uint8 RGB or RGBA, does not
    contain the whole object, shows it by a few pixels, the view shows nothing but background, or
    alpha covers what cannot be the object.
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
    transparent = scene = None
    if image.shape[-1] == 4 and image[..., 3].min() < 255:  # cameras that give RGBA are opaque
        transparent = np.repeat(255 - image[..., 3:], 3, axis=-1)
        scene = scene_of(image)
    image = on_white(image)
    if source.camera is None:
        warp = partial(vc.crop_to_view, virtual=virtual, size=model.size)
        view = warp(image)
        rows, columns = np.minimum(image.shape[:2], model.size)
        blank = vc.is_blank(cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA))
        coverage = np.ones(view.shape[:2])
        across = max(image.shape[:2]) * vc.disc_width(model)
    else:
        if object_radius is None:
            raise ValueError("object_radius is not set: a whole image needs it, in metres")

        def warp(image: np.ndarray) -> np.ndarray:
            return vc.image_to_view(image, source.camera, virtual, object_radius, model.size)[0]

        view, coverage = vc.image_to_view(image, source.camera, virtual, object_radius, model.size)
        share = vc.disc_coverage(coverage, model)
        if share < MIN_DISC_COVERAGE:
            raise ValueError(
                f"only {share:.0%} of the object's disc (object_radius, {object_radius:g} m) is in "
                "the image: turn the camera to the object, or move it back"
            )
        blank = vc.is_blank(view, coverage)
        across = virtual.pixels_across(source.camera, object_radius)
    # What is outside becomes white, so transparency is warped, not alpha.
    alpha = None if transparent is None else 1 - warp(transparent)[..., 0] / np.float32(255)
    scene = None if scene is None else warp(scene)
    if alpha is not None and source.camera is not None:
        vc.check_silhouette(alpha, coverage, model)
    if blank or vc.disc_is_empty(view, alpha, model):
        raise ValueError(
            f"nothing but background in the view of {virtual.name}: check the object's pose (TF), "
            "object_radius, camera_info, the mask or alpha, and the exposure"
        )
    faults = [vc.resolution_fault(across)]
    share = vc.share_not_white(view, coverage, model) if alpha is None else 0.0
    if share > MAX_NOT_WHITE:
        fault = (
            f"{share:.0%} of what surrounds the object is not white, and the model takes that for "
            "a part of it: give a mask, a depth image or alpha"
        )
        if source.camera is None:
            fault += "; a crop needs a white margin, and a whole image its camera_info"
        faults.append(fault)
    return SourceView(view, virtual.pose, alpha, scene), "; ".join(filter(None, faults))


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


def radius_of_crop(distance: float, model: geometry.ModelCamera) -> float:
    """Return the object's radius, metres, that stands in for an unknown one.

    distance: of the first source camera from the object's centre, metres.
    """
    return distance / (DEFAULT_DISTANCE if model.any_distance else model.distance / model.radius)
