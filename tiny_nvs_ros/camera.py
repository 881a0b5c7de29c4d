"""A calibrated camera: how it projects points to pixels."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

# The distortion models of sensor_msgs/CameraInfo, with the possible numbers of coefficients.
FISHEYE = "equidistant"
POLYNOMIAL = (4, 5, 8, 12, 14)  # OpenCV has one formula for all of them
OUTSIDE = -2.0  # a pixel coordinate outside any image
DISTORTION_MODELS = {"plumb_bob": POLYNOMIAL, "rational_polynomial": POLYNOMIAL, FISHEYE: (4,)}


@dataclass(frozen=True)
class Camera:
    """Calibration of a camera's images, in OpenCV's convention (pixel centres are integers).

    matrix: K (3, 3), pixels; distortion: coefficients, none for an ideal pinhole;
    fisheye: whether they are those of the equidistant model; width, height: pixels;
    T_frame_camera: (4, 4), metres, the camera in the frame that its images name. It is the identity
    unless the camera is one of a stereo pair, whose images name a frame of the pair.
    """

    matrix: np.ndarray
    distortion: np.ndarray
    fisheye: bool
    width: int
    height: int
    T_frame_camera: np.ndarray = field(default_factory=lambda: np.eye(4))

    @classmethod
    def from_info(cls, info: Any, rectified: bool = False) -> "Camera":
        """Return the camera of a sensor_msgs/CameraInfo message, or of an object with its fields.

        rectified: the images are rectified (image_rect): P applies instead of K and D. Region of
        interest, binning, and the pose in a stereo pair (Tx, Ty in P and, for unrectified images,
        R) are applied. Raises ValueError if the camera is not calibrated, for a region of interest
        that is not in the image, and for a distortion model that is not supported.
        """
        matrix = np.array(info.p if rectified else info.k, float).reshape(3, -1)
        focal_lengths, centre = matrix[[0, 1], [0, 1]], matrix[:2, 2]
        if not (np.isfinite(matrix).all() and (focal_lengths > 0).all() and centre.any()):
            raise ValueError(
                f"camera_info has no calibration: {'p' if rectified else 'k'} is "
                f"{matrix.ravel().tolist()}; calibrate the camera"
            )
        matrix = matrix[:, :3].copy()
        _check_region(info)
        distortion, fisheye = (np.zeros(0), False) if rectified else _distortion(info)
        region, binning = info.roi, [max(info.binning_x, 1), max(info.binning_y, 1)]
        matrix[:2, 2] -= [region.x_offset, region.y_offset]
        matrix[:2] /= np.array(binning)[:, None]
        return cls(
            matrix,
            distortion,
            fisheye,
            (region.width or info.width) // binning[0],
            (region.height or info.height) // binning[1],
            _pose_in_stereo_pair(info, rectified),
        )

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project points to pixels, (N, 2); NaN if the camera cannot see in a point's direction.

        points: (N, 3) in the camera's own optical frame.
        """
        points = np.asarray(points, float)
        visible = self._sees(*points.T)
        ahead = np.where(visible[:, None], points, [0.0, 0.0, 1.0])
        pixels = _project(ahead, self.matrix, self.distortion, self.fisheye)
        return np.where(visible[:, None], pixels, np.nan)

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Return points of the optical frame at depth 1 that pixels, (N, 2), see: (N, 3)."""
        undistort = cv2.fisheye.undistortPoints if self.fisheye else cv2.undistortPoints
        points = np.asarray(pixels, np.float64)[:, None]
        ahead = undistort(points, self.matrix, self.distortion)[:, 0]
        return np.column_stack([ahead, np.ones(len(ahead))])

    def pinhole_map(
        self, R_pinhole_camera: np.ndarray, focal: float, size: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return where the pixels of a pinhole camera at the same place lie in the image.

        R_pinhole_camera: (3, 3), its orientation; focal: pixels; its image is size x size, the
        principal point in the centre. Returns x and y, size x size float32, for cv2.remap; both are
        OUTSIDE if the camera cannot see in that direction.
        """
        centre = size / 2 - 0.5
        pinhole = np.array([[focal, 0, centre], [0, focal, centre], [0, 0, 1]])
        make_map = cv2.initUndistortRectifyMap
        if self.fisheye:
            make_map = cv2.fisheye.initUndistortRectifyMap
        shape = (size, size)
        x, y = make_map(
            self.matrix, self.distortion, R_pinhole_camera, pinhole, shape, cv2.CV_32FC1
        )
        slopes = (np.arange(size) - centre) / focal
        # If it sees in the directions of the four corners, then in all between them.
        if not self._sees(*_rays(R_pinhole_camera, slopes[[0, -1]])).all():
            hidden = ~self._sees(*_rays(R_pinhole_camera, slopes))
            x[hidden] = y[hidden] = OUTSIDE
        return x, y

    def _sees(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return whether the lens projects points, of any shape, of the optical frame."""
        slope = np.hypot(x, y) / np.where(z > 0, z, 1)
        return (z > 0) & (slope <= _max_slope(tuple(self.distortion), self.fisheye))


def _rays(R_pinhole_camera: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Return x, y, z, (3, N, N), of rays of a pinhole camera in the other camera's frame.

    slopes: (N,) of the columns and of the rows.
    """
    column, row, ahead = R_pinhole_camera[..., None, None]
    return column * slopes + row * slopes[:, None] + ahead


@lru_cache(maxsize=16)
def _max_slope(distortion: tuple[float, ...], fisheye: bool) -> float:
    """Return the tangent of the angle to the optical axis up to which distortion is monotonic.

    Beyond it the polynomial folds back: points farther out would appear in the image again.
    """
    if not distortion:
        return np.inf
    slope = np.tan(np.linspace(0, np.pi / 2, 200, endpoint=False))
    turn = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    outward = np.stack([np.cos(turn), np.sin(turn)], axis=-1)[:, None]
    rays = np.concatenate([slope[:, None] * outward, np.ones((8, 200, 1))], axis=-1)
    points = _project(rays.reshape(-1, 3), np.eye(3), np.array(distortion), fisheye)
    points = points.reshape(8, 200, 2)
    rises = np.diff((points * outward).sum(axis=-1)).min(axis=0) > 0
    # The maximum may lie in the last interval that rises.
    return np.inf if rises.all() else float(slope[max(np.argmin(rises) - 1, 0)])


def _project(
    points: np.ndarray, matrix: np.ndarray, distortion: np.ndarray, fisheye: bool
) -> np.ndarray:
    """Project points (N, 3) in front of a camera with distortion, (N, 2)."""
    project = cv2.fisheye.projectPoints if fisheye else cv2.projectPoints
    none = np.zeros(3)
    return project(points[:, None], none, none, matrix, distortion)[0][:, 0]


def _check_region(info: Any) -> None:
    """Raise ValueError if a camera_info's region of interest is not in the camera's whole image.

    All zeros stand for the whole image.
    """
    region = info.roi
    x, y, width, height = region.x_offset, region.y_offset, region.width, region.height
    if not (x or y or width or height):
        return
    if not (width and height and x + width <= info.width and y + height <= info.height):
        raise ValueError(
            f"camera_info has a region of interest (roi) of {width}x{height} pixels at ({x}, {y}), "
            f"which is not in its {info.width}x{info.height} pixels: width and height must be the "
            "whole sensor's, or roi all zeros"
        )


def _distortion(info: Any) -> tuple[np.ndarray, bool]:
    """Return a camera_info's coefficients (none for a pinhole), and whether it is a fisheye."""
    model, coefficients = info.distortion_model, np.array(info.d, float)
    if model not in DISTORTION_MODELS:
        if coefficients.any():
            raise ValueError(
                f"camera_info has the distortion model {model!r}, supported are "
                f"{', '.join(DISTORTION_MODELS)}; rectify the images"
            )
        return np.zeros(0), False
    if not np.isfinite(coefficients).all():
        raise ValueError(
            f"camera_info has coefficients that are not finite, d: {coefficients.tolist()}"
        )
    if not coefficients.any():
        coefficients = np.zeros(4 if model == FISHEYE else 0)
    elif model == FISHEYE and not coefficients[4:].any():
        coefficients = coefficients[:4]  # RealSense appends zeros
    elif len(coefficients) not in DISTORTION_MODELS[model]:
        raise ValueError(
            f"camera_info has {len(coefficients)} coefficients (d) of {model}, "
            f"it must have {' or '.join(map(str, DISTORTION_MODELS[model]))}"
        )
    return coefficients, model == FISHEYE


def _pose_in_stereo_pair(info: Any, rectified: bool) -> np.ndarray:
    """Return T_frame_camera (4, 4), the camera in the frame that a camera_info names.

    By the definition of CameraInfo, P projects points of the pair's first camera (its rectified
    frame, which both name), and R rotates from the unrectified camera to the rectified one. P and R
    of a single camera say nothing more: many drivers leave them at zero.
    """
    projection = np.array(info.p, float).reshape(3, 4)
    if not np.isfinite(projection).all() or not (projection[0, 0] > 0 and projection[1, 1] > 0):
        return np.eye(4)
    pose = np.eye(4)
    pose[:3, 3] = -np.linalg.solve(projection[:, :3], projection[:, 3])
    rotation = np.array(info.r, float).reshape(3, 3)
    if not rectified and rotation.any():
        if not (
            np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3) and np.linalg.det(rotation) > 0
        ):
            raise ValueError(
                f"camera_info has an r that is no rotation: {rotation.ravel().tolist()}"
            )
        pose[:3, :3] = rotation
    return pose
