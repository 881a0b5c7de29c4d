"""A real camera: how it projects, and the model's view of an object cut out of its picture."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from tiny_nvs_ros.geometry import DISTANCE, FOCAL, RADIUS, VirtualCamera
from tiny_nvs_ros.image import WHITE, pad_to_square, resize, turn

# sensor_msgs/CameraInfo.distortion_model: how many coefficients it can have
FISHEYE = "equidistant"
POLYNOMIAL = (4, 5, 8, 12, 14)  # one formula, OpenCV's
DISTORTION_MODELS = {"plumb_bob": POLYNOMIAL, "rational_polynomial": POLYNOMIAL, FISHEYE: (4,)}
FINEST = 16  # samples a pixel of the view, along each axis


@dataclass(frozen=True)
class Camera:
    """Calibration of a camera's pictures, in OpenCV's convention (a pixel's centre is whole).

    matrix: K (3, 3), pixels; distortion: coefficients, none for an ideal pinhole;
    fisheye: whether they are those of the equidistant model; width, height: pixels.
    """

    matrix: np.ndarray
    distortion: np.ndarray
    fisheye: bool
    width: int
    height: int

    @classmethod
    def from_info(cls, info: Any, rectified: bool = False) -> "Camera":
        """Of a sensor_msgs/CameraInfo message, or of anything with its fields.

        rectified: the pictures are rectified already (image_rect), P applies instead of K and D.
        Region of interest and binning are heeded. Raises ValueError for a camera that is not
        calibrated and for a distortion model that is not supported.
        """
        matrix = np.array(info.p if rectified else info.k, float).reshape(3, -1)[:, :3]
        if not (np.isfinite(matrix).all() and matrix[0, 0] > 0 and matrix[1, 1] > 0):
            raise ValueError(
                f"camera_info has no calibration: {'p' if rectified else 'k'} is "
                f"{matrix.ravel().tolist()}; calibrate the camera"
            )
        distortion, fisheye = (np.zeros(0), False) if rectified else _lens(info)
        region, binning = info.roi, [max(info.binning_x, 1), max(info.binning_y, 1)]
        matrix[:2, 2] -= [region.x_offset, region.y_offset]
        matrix[:2] /= np.array(binning)[:, None]
        return cls(
            matrix,
            distortion,
            fisheye,
            (region.width or info.width) // binning[0],
            (region.height or info.height) // binning[1],
        )

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (N, 2) of points (N, 3) in the optical frame; NaN where it has no ray of them."""
        points = np.asarray(points, float)
        slope = np.hypot(points[:, 0], points[:, 1]) / np.where(points[:, 2] > 0, points[:, 2], 1)
        visible = (points[:, 2] > 0) & (slope <= self._widest_slope())
        ahead = np.where(visible[:, None], points, [0.0, 0.0, 1.0])
        return np.where(visible[:, None], self._distort(ahead, self.matrix), np.nan)

    def _widest_slope(self) -> float:
        """Tangent of the angle to the optical axis up to which the lens's polynomial rises.

        Beyond it what is farther out would come back into the picture.
        """
        if not len(self.distortion):
            return np.inf
        slope = np.tan(np.linspace(0, np.pi / 2, 200, endpoint=False))
        turn = np.linspace(0, 2 * np.pi, 8, endpoint=False)
        outward = np.stack([np.cos(turn), np.sin(turn)], axis=-1)[:, None]
        rays = np.concatenate([slope[:, None] * outward, np.ones((8, 200, 1))], axis=-1)
        points = self._distort(rays.reshape(-1, 3), np.eye(3)).reshape(8, 200, 2)
        rises = np.diff((points * outward).sum(axis=-1)).min(axis=0) > 0
        # The summit may lie in the last interval that rises.
        return np.inf if rises.all() else float(slope[max(np.argmin(rises) - 1, 0)])

    def _distort(self, points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Where the lens shows points (N, 3) that lie ahead, (N, 2)."""
        project = cv2.fisheye.projectPoints if self.fisheye else cv2.projectPoints
        none = np.zeros(3)
        return project(points[:, None], none, none, matrix, self.distortion)[0][:, 0]


def _lens(info: Any) -> tuple[np.ndarray, bool]:
    """Distortion coefficients of a camera_info, none for a pinhole; whether it is a fisheye."""
    model, coefficients = info.distortion_model, np.array(info.d, float)
    if model not in DISTORTION_MODELS:
        if coefficients.any():
            raise ValueError(
                f"camera_info has the distortion model {model!r}, supported are "
                f"{', '.join(DISTORTION_MODELS)}; rectify the pictures"
            )
        return np.zeros(0), False
    if not np.isfinite(coefficients).all():
        raise ValueError(f"camera_info has coefficients that are not finite, d: {list(info.d)}")
    if not coefficients.any():
        coefficients = np.zeros(4 if model == FISHEYE else 0)
    elif model == FISHEYE and not coefficients[4:].any():
        coefficients = coefficients[:4]  # RealSense fills up to five
    elif len(coefficients) not in DISTORTION_MODELS[model]:
        raise ValueError(
            f"camera_info has {len(coefficients)} coefficients (d) of {model}, "
            f"it must have {' or '.join(map(str, DISTORTION_MODELS[model]))}"
        )
    return coefficients, model == FISHEYE


def virtual_view(
    image: np.ndarray, camera: Camera, virtual: VirtualCamera, object_radius: float, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """A picture as the virtual camera would take it: upright, the object in the middle.

    Its focal length is such that an object of `object_radius` metres (half the diagonal of its
    bounding box) is as large as the training objects are. image: height x width x 3 uint8 as the
    camera has taken it; the lens's distortion is undone. Returns the view, size x size x 3 uint8,
    white where the picture does not reach, and the share of each of its pixels that the picture
    covers, size x size float32. Raises ValueError where the image has not the camera's size, and
    where the camera is inside the object.
    """
    if image.shape[:2] != (camera.height, camera.width):
        raise ValueError(
            f"the image has {image.shape[1]}x{image.shape[0]} pixels, its camera_info says "
            f"{camera.width}x{camera.height}"
        )
    if not object_radius > 0:
        raise ValueError(f"object_radius is {object_radius}; it must be positive, in metres")
    virtual.check_outside(object_radius)
    focal = virtual.focal(object_radius) * size
    fine = int(np.clip(np.ceil(camera.matrix[0, 0] / focal), 1, FINEST))
    x, y, visible = _refine(_project_corners(camera, virtual, focal, size), fine)
    view = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderValue=(WHITE,) * 3)
    visible = visible & (x >= 0) & (x <= camera.width - 1) & (y >= 0) & (y <= camera.height - 1)
    view = cv2.resize(view, (size, size), interpolation=cv2.INTER_AREA)
    return view, visible.reshape(size, fine, size, fine).mean(axis=(1, 3), dtype=np.float32)


def crop_view(crop: np.ndarray, virtual: VirtualCamera, size: int) -> np.ndarray:
    """A crop around the object as the virtual camera's view, size x size x 3 uint8.

    crop: H x W x 3 uint8, the object in its middle and as large as the training objects are; it is
    padded to a square with white and turned upright by the camera's roll, no more.
    """
    # A larger picture would be turned more slowly, and not better.
    square = resize(crop, 4 * size) if max(crop.shape[:2]) > 4 * size else pad_to_square(crop)
    return resize(turn(square, virtual.roll), size)


def share_in_picture(seen: np.ndarray) -> float:
    """How much of the object's disc the picture covers, 0 to 1; seen: virtual_view's coverage."""
    offset = np.arange(len(seen)) + 0.5 - len(seen) / 2
    disc = np.hypot(*np.meshgrid(offset, offset)) < FOCAL * len(seen) * RADIUS / DISTANCE
    return float(seen[disc].mean())


def _project_corners(camera: Camera, virtual: VirtualCamera, focal: float, size: int) -> np.ndarray:
    """Where the corners of the view's pixels lie in the picture, (size + 1, size + 1, 2)."""
    slope = (np.arange(size + 1) - size / 2) / focal
    rays = np.stack([*np.meshgrid(slope, slope), np.ones((size + 1, size + 1))], axis=-1)
    pixels = camera.project(rays.reshape(-1, 3) @ virtual.rotation)  # by its transpose
    return pixels.reshape(size + 1, size + 1, 2)


def _refine(corners: np.ndarray, fine: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y (float32) and whether it is visible, of fine x fine samples in each pixel.

    Linear between the corners, which lens and perspective bend by less than a pixel.
    """
    size = len(corners) - 1
    sample = (np.arange(size * fine) + 0.5) / fine
    weight = np.maximum(0, 1 - np.abs(sample[:, None] - np.arange(size + 1))).astype(np.float32)
    hidden = np.isnan(corners[..., 0])
    x, y = (
        weight @ np.where(hidden, 0, corners[..., i]).astype(np.float32) @ weight.T for i in (0, 1)
    )
    visible = np.ones(x.shape, bool)
    if hidden.any():
        visible = weight @ hidden.astype(np.float32) @ weight.T == 0
        x[~visible] = y[~visible] = -2  # outside
    return x, y, visible
