"""The model's camera in place of a real one: from a real image to the model's view, and back.

A virtual camera stands where the real camera stands, looks at the origin of the object frame,
upright, and shows the object's bounding sphere in the size of the training images. Models of one
distance (not ModelCamera.any_distance) take it as if it stood at that distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import cv2
import numpy as np
from numpy.typing import ArrayLike

from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.geometry import SRN_CAMERA, ModelCamera, check_pose, look_at, twist
from tiny_nvs_ros.image import WHITE, pad_to_square, resize, rotate

MAX_SAMPLES_PER_PIXEL = 16  # along each axis of a pixel of the view
# Of the colours of a view, of 255: a pixel that differs less from the background is background.
BACKGROUND_TOLERANCE = 8
MAX_MASK_OUTSIDE = 0.5  # of the view outside the object's disc, that a mask may cover
MIN_OBJECT_AREA = 0.003  # of a view's pixels (3 of 32 x 32): fewer are noise
# Pixels of the image across the object's sphere, which has 25 in the model's view. On the demo's
# cars 12 cost 0.3 dB, 8 1.4 dB, and 4 5.8 dB, and the uncertainty does not grow with the error.
MIN_PIXELS_ACROSS = 4
FEW_PIXELS_ACROSS = 8


@dataclass(frozen=True)
class VirtualCamera:
    """The model's camera for a real one: the same optical centre, rotated to look at the object.

    pose: (4, 4) T_object_virtual in model units, upright, at model.distance from the object's
    centre, or for a model of any distance at its own. rotation: (3, 3) R_virtual_camera, from the
    real camera's frame to the virtual one's. distance: of the real camera from the object's centre,
    metres. name: of the real camera, for errors. model: the model's camera.
    """

    pose: np.ndarray
    rotation: np.ndarray
    distance: float
    name: str = "the camera"
    model: ModelCamera = SRN_CAMERA

    @property
    def roll(self) -> float:
        """Rotation of the real camera about its optical axis, radians, from x towards y.

        A crop around the object, rotated by this angle (clockwise in the image), is upright.
        """
        return twist(self.rotation)

    @property
    def model_distance(self) -> float:
        """Distance of `pose` from the object's centre, model units."""
        if self.model.any_distance:
            return float(np.linalg.norm(self.pose[:3, 3]))
        return self.model.distance

    def focal(self, object_radius: float) -> float:
        """Return its focal length, image widths: the object's sphere is as large as in training.

        object_radius: half the diagonal of the object's bounding box, metres.
        """
        model = self.model
        return model.focal * (model.radius / object_radius) * (self.distance / model.distance)

    def pixels_across(self, camera: Camera, object_radius: float) -> float:
        """Return the width of the object's sphere in the real camera's image, pixels.

        camera: the real one's calibration; object_radius: as of `focal`.
        """
        return 2 * float(camera.matrix[0, 0]) * object_radius / self.distance

    def check_outside(self, object_radius: float) -> None:
        """Raise ValueError if the camera is within object_radius (metres) of the centre."""
        if self.distance <= object_radius:
            raise ValueError(
                f"{self.name} is inside the object: nearer to the object's centre than "
                f"object_radius, {object_radius:g} m"
            )


def check_radius(object_radius: float) -> None:
    """Raise ValueError unless half an object's diagonal, metres, is positive and finite."""
    if not (isinstance(object_radius, Real) and 0 < object_radius < np.inf):
        raise ValueError(
            f"object_radius is {object_radius!r}; it must be positive and finite, in metres"
        )


def virtual_camera(
    T_object_camera: ArrayLike,
    name: str = "the camera",
    model: ModelCamera = SRN_CAMERA,
    object_radius: float | None = None,
) -> VirtualCamera:
    """Return the virtual camera of a real one.

    T_object_camera: (4, 4), metres; name: of the camera, for errors. object_radius: half the
    diagonal of the object's bounding box, metres, which a model of any distance needs. Raises
    ValueError if the camera stands at the object's centre or has the object's centre behind it.
    """
    return virtual_cameras([T_object_camera], [name], model, object_radius)[0]


def virtual_cameras(
    T_object_cameras: ArrayLike,
    names: Sequence[str],
    model: ModelCamera = SRN_CAMERA,
    object_radius: float | None = None,
) -> list[VirtualCamera]:
    """Return the virtual cameras of real ones, (N, 4, 4) with N names; see virtual_camera."""
    cameras = np.asarray(T_object_cameras, dtype=float)
    try:
        check_pose(cameras)
    except ValueError:
        for camera, name in zip(cameras, names, strict=True):
            check_pose(camera, f"the pose of {name}")
        raise
    distances = np.linalg.norm(cameras[:, :3, 3], axis=-1)
    ahead = (cameras[:, :3, 3] * cameras[:, :3, 2]).sum(axis=-1) < 0
    for name, distance, sees in zip(names, distances, ahead, strict=True):
        if distance < 1e-6:
            raise ValueError(f"{name} stands at the object's centre, so no view of it is defined")
        if not sees:
            raise ValueError(
                f"the object's centre lies behind {name}, whose frame must be optical (z forward)"
            )
    if model.any_distance:
        if object_radius is None:
            raise ValueError("object_radius is not set: the model is told distances in radii")
        scale = np.full(len(cameras), model.radius / object_radius)
    else:
        scale = model.distance / distances
    poses = look_at(cameras[:, :3, 3] * scale[:, None], np.zeros(3))
    rotations = np.swapaxes(poses[:, :3, :3], -1, -2) @ cameras[:, :3, :3]
    each = zip(poses, rotations, distances.tolist(), names, strict=True)
    return [VirtualCamera(*camera, model) for camera in each]


def image_to_view(
    image: np.ndarray, camera: Camera, virtual: VirtualCamera, object_radius: float, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Warp a whole image to the virtual camera's view; lens distortion is removed.

    image: height x width x 3 uint8; virtual: the virtual camera of `camera` (of its own pose, see
    Camera.T_frame_camera); object_radius: half the diagonal of the object's bounding box, metres.
    Returns the view, size x size x 3 uint8, white outside the image, and its coverage: the share of
    each pixel that lies in the image, size x size float32. Raises ValueError if the image has
    another size than the camera's, and if the camera is inside the object.
    """
    if image.shape[:2] != (camera.height, camera.width):
        raise ValueError(
            f"the image has {image.shape[1]}x{image.shape[0]} pixels, its camera_info says "
            f"{camera.width}x{camera.height}"
        )
    check_radius(object_radius)
    virtual.check_outside(object_radius)
    focal = virtual.focal(object_radius) * size
    fine = int(np.clip(np.ceil(camera.matrix[0, 0] / focal), 1, MAX_SAMPLES_PER_PIXEL))
    x, y = camera.pinhole_map(virtual.rotation, focal * fine, size * fine)
    view = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderValue=(WHITE,) * 3)
    visible = (x >= 0) & (x <= camera.width - 1) & (y >= 0) & (y <= camera.height - 1)
    view = cv2.resize(view, (size, size), interpolation=cv2.INTER_AREA)
    return view, visible.reshape(size, fine, size, fine).mean(axis=(1, 3), dtype=np.float32)


def crop_to_view(crop: np.ndarray, virtual: VirtualCamera, size: int) -> np.ndarray:
    """Return a crop around the object as the virtual camera's view, size x size x 3 uint8.

    crop: H x W x 3 uint8, the object in its middle and as large as in the training images. It is
    padded to a square with white and rotated upright, nothing else.
    """
    # Rotating a larger image would take longer and give nothing better.
    square = resize(crop, 4 * size) if max(crop.shape[:2]) > 4 * size else pad_to_square(crop)
    return resize(rotate(square, virtual.roll), size)


def disc_width(model: ModelCamera = SRN_CAMERA) -> float:
    """Return the width of the object's disc in a view, image widths."""
    return 2 * model.focal * model.radius / model.distance


def object_disc(size: int, model: ModelCamera = SRN_CAMERA) -> np.ndarray:
    """Return the pixels that the object's bounding sphere covers in a view, size x size bool."""
    offset = np.arange(size) + 0.5 - size / 2
    distance = np.hypot(*np.meshgrid(offset, offset))
    return distance < disc_width(model) / 2 * size


def disc_coverage(coverage: np.ndarray, model: ModelCamera = SRN_CAMERA) -> float:
    """Return the share of the object's disc that lies in the image, 0 to 1.

    coverage: of the view, as image_to_view returns it.
    """
    return float(coverage[object_disc(len(coverage), model)].mean())


def resolution_fault(pixels_across: float) -> str:
    """Return what is wrong with an image that shows the object small; empty if nothing is.

    pixels_across: the width of the object's sphere in the image. Raises ValueError if the image
    cannot show the object's shape.
    """
    if pixels_across >= FEW_PIXELS_ACROSS:
        return ""
    fault = (
        f"the object's sphere is only {int(pixels_across)} pixels wide in the image: move the "
        "camera closer, give larger images, or correct object_radius"
    )
    if pixels_across < MIN_PIXELS_ACROSS:
        raise ValueError(fault)
    return fault


def disc_is_empty(
    view: np.ndarray, alpha: np.ndarray | None = None, model: ModelCamera = SRN_CAMERA
) -> bool:
    """Return whether a view is white, or transparent, wherever the object can be.

    view: size x size x 3 uint8; alpha: of the view, size x size, 0 to 1; None: opaque.
    """
    shown = not_white(view) & object_disc(len(view), model)
    area = (shown if alpha is None else alpha * shown).sum()
    return area < max(1, MIN_OBJECT_AREA * shown.size)


def not_white(image: np.ndarray) -> np.ndarray:
    """Return where an image, ... x 3 uint8, is darker than the white background, bool."""
    return image.min(axis=-1) < WHITE - BACKGROUND_TOLERANCE


def surroundings(coverage: np.ndarray, model: ModelCamera = SRN_CAMERA) -> np.ndarray:
    """Return the pixels of a view that are seen and where the object cannot be, bool.

    coverage: of the view, as image_to_view returns it.
    """
    return (coverage > 0.99) & ~object_disc(len(coverage), model)


def check_silhouette(
    alpha: np.ndarray, coverage: np.ndarray, model: ModelCamera = SRN_CAMERA
) -> None:
    """Raise ValueError if a mask shows mostly what cannot be the object.

    alpha: of the view, size x size, 0 to 1; coverage: as image_to_view returns it.
    """
    outside = surroundings(coverage, model)
    if outside.any() and alpha[outside].mean() > MAX_MASK_OUTSIDE:
        raise ValueError(
            "the mask covers most of what is farther than object_radius from the object's centre: "
            "it must be 0 outside the object (inverted?), or object_radius is too small"
        )


def share_not_white(
    view: np.ndarray, coverage: np.ndarray, model: ModelCamera = SRN_CAMERA
) -> float:
    """Return the share of what surrounds the object's disc that is not white, 0 to 1.

    view: size x size x 3 uint8; coverage: of the view, as image_to_view returns it.
    """
    outside = surroundings(coverage, model)
    return float(not_white(view)[outside].mean()) if outside.any() else 0.0


def is_blank(image: np.ndarray, coverage: np.ndarray | None = None) -> bool:
    """Return whether an image has one colour or a linear gradient: an object has an outline.

    image: H x W x 3 uint8; coverage: H x W, 1 where the image counts, by default everywhere.
    It is blank also if it shows an empty table, or a covered lens.
    """
    rows, columns = np.nonzero(np.ones(image.shape[:2]) if coverage is None else coverage > 0.99)
    pixels = image[rows, columns].astype(np.float64)
    plane = np.stack([np.ones(len(rows)), rows, columns], axis=-1)
    residual = np.abs(pixels - plane @ np.linalg.lstsq(plane, pixels, rcond=None)[0])
    differs = np.count_nonzero(residual.max(axis=-1) > BACKGROUND_TOLERANCE)
    return differs < max(1, MIN_OBJECT_AREA * len(rows))


def views_to_cameras(images: np.ndarray, cameras: Sequence[VirtualCamera]) -> np.ndarray:
    """Warp the model's views back to real cameras that look at the object: rolled, one focal.

    images: N x size x size x 3 uint8 or N x size x size float32, the model's views from `cameras`.
    Each is rotated by its camera's roll. At its real distance a camera needs a longer focal length
    to see the object as large; all views share the shortest (that of the nearest camera), so those
    of farther cameras are scaled down. The poses are those of view_poses.
    """
    nearest = min(camera.distance for camera in cameras)
    return np.stack(
        [
            rotate(image, -camera.roll, nearest / camera.distance)
            for image, camera in zip(images, cameras, strict=True)
        ]
    )


def view_poses(cameras: Sequence[VirtualCamera]) -> np.ndarray:
    """Return T_object_view (N, 4, 4), metres: the real cameras, rotated to look at the object.

    The rotation is the shortest one, so that the real camera's roll is kept.
    """
    poses = np.stack([camera.pose for camera in cameras])
    poses[:, :3, 3] *= np.array([[camera.distance / camera.model_distance] for camera in cameras])
    roll = np.array([camera.roll for camera in cameras])
    rolls = np.broadcast_to(np.eye(4), poses.shape).copy()
    rolls[:, 0, 0] = rolls[:, 1, 1] = np.cos(roll)
    rolls[:, 1, 0] = np.sin(roll)
    rolls[:, 0, 1] = -rolls[:, 1, 0]
    return poses @ rolls
