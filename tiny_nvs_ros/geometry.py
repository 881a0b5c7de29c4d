"""Camera poses as 4x4 matrices, and the camera that a model was trained with.

`T_a_b` takes points from frame b to frame a. Every camera frame is a ROS optical frame (REP 103):
x right, y down, z forward. The object frame has z up. Lengths are metres, or model units: the unit
of the training data, in which the training cameras stand at `ModelCamera.distance` from the centre.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class ModelCamera:
    """The camera that a model was trained with: it looks at the object's centre, upright.

    size: of its square image, pixels; radius: of the object's bounding sphere (half the diagonal of
    the bounding box), model units; distance: of the camera from the object's centre, model units;
    focal: focal length at that distance, image widths. any_distance: cameras keep their own
    distance, which the model is told; else all stand at `distance`. The defaults are the cameras of
    the SRN cars (Sitzmann et al., Scene Representation Networks, 2019). Raises ValueError for
    values that are not positive and finite, and for a camera inside the object's sphere.
    """

    size: int = 32
    radius: float = 0.5
    distance: float = 1.3
    focal: float = 131.25 / 128
    any_distance: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.any_distance, bool):
            raise ValueError(
                f"the model camera's any_distance is {self.any_distance!r}; it must be true or "
                "false"
            )
        for name in ("size", "radius", "distance", "focal"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"the model camera's {name} is {value!r}; it must be a number")
            if not 0 < value < math.inf:
                raise ValueError(f"the model camera's {name} is {value}; it must be positive")
        if self.size != int(self.size):
            raise ValueError(f"the model camera's size is {self.size}; it must be a whole number")
        if self.distance <= self.radius:
            raise ValueError(
                f"the model camera's distance is {self.distance}, within the object's radius, "
                f"{self.radius}"
            )

    def focal_at(self, distance: ArrayLike) -> np.ndarray | float:
        """Focal length, image widths, that shows the object as large from another distance.

        distance: model units, any shape. The object's sphere keeps its size in the image (up to
        perspective) if the focal length grows with the distance.
        """
        return self.focal * distance / self.distance


SRN_CAMERA = ModelCamera()


def look_at(eye: ArrayLike, target: ArrayLike, up: ArrayLike = (0.0, 0.0, 1.0)) -> np.ndarray:
    """Return the pose of a camera at `eye` that looks at `target`.

    eye, target, up: (..., 3), metres, in the object frame. Returns (..., 4, 4) T_object_camera,
    optical frame (REP 103). If the camera looks along `up`, the image's up is +y (+z if `up` itself
    is along y). Raises ValueError if eye equals target.
    """
    eye, target, up = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (eye, target, up)))
    forward = target - eye
    length = np.linalg.norm(forward, axis=-1, keepdims=True)
    if not np.all(length > 1e-9):
        raise ValueError(f"look_at: the camera's position equals its target, {target.tolist()}")
    forward = forward / length
    right = np.cross(forward, up)
    up_length = np.linalg.norm(up, axis=-1, keepdims=True)
    along_up = np.linalg.norm(right, axis=-1, keepdims=True) < 1e-6 * up_length
    if along_up.any():
        along_y = np.abs(up[..., 1:2]) > 0.9 * up_length
        fallback = np.where(along_y, [0.0, 0.0, 1.0], [0.0, 1.0, 0.0])
        right = np.where(along_up, np.cross(forward, fallback), right)
    right = right / np.linalg.norm(right, axis=-1, keepdims=True)
    pose = np.zeros((*eye.shape[:-1], 4, 4))
    pose[..., :3, 0] = right
    pose[..., :3, 1] = np.cross(forward, right)
    pose[..., :3, 2] = forward
    pose[..., :3, 3] = eye
    pose[..., 3, 3] = 1.0
    return pose


def inverse(pose: ArrayLike) -> np.ndarray:
    """Return the inverses of rigid transforms: (..., 4, 4) T_a_b to (..., 4, 4) T_b_a."""
    pose = np.asarray(pose, dtype=float)
    result = np.zeros_like(pose)
    rotation = np.swapaxes(pose[..., :3, :3], -1, -2)
    result[..., :3, :3] = rotation
    result[..., :3, 3:] = -rotation @ pose[..., :3, 3:]
    result[..., 3, 3] = 1.0
    return result


def relative_pose(T_object_source: ArrayLike, T_object_target: ArrayLike) -> np.ndarray:
    """Return T_source_target, (..., 4, 4): the target camera in the source camera's frame."""
    return inverse(T_object_source) @ np.asarray(T_object_target, dtype=float)


def upright_source(T_source_target: ArrayLike, distance: float = SRN_CAMERA.distance) -> np.ndarray:
    """Return the source camera's pose, up to the object's heading, from cameras in its frame.

    T_source_target: (N, 4, 4), cameras that look upright at the object's centre, as the source
    does; distance: of the source from the centre. Returns (4, 4) T_object_source, at azimuth 0.
    Raises ValueError if all azimuths equal the source's (or its opposite): then the poses do not
    determine the elevation.
    """
    # The x axes of all cameras are level: up is perpendicular to two of them, and -y in the image.
    right = np.asarray(T_source_target, dtype=float)[..., :3, 0]
    up = np.cross([1.0, 0.0, 0.0], right.reshape(-1, 3))
    up = up[np.linalg.norm(up, axis=-1).argmax()] if len(up) else np.zeros(3)
    length = np.linalg.norm(up)
    if length < 1e-3:
        raise ValueError(
            "the relative poses do not determine the source camera's elevation, because their "
            "azimuths equal the source's: give the source camera's pose"
        )
    up = up / length * (-1.0 if up[1] > 0 else 1.0)
    elevation = np.arctan2(-up[2], -up[1])
    return look_at(eye_at(0.0, elevation, distance), np.zeros(3))


def check_pose(pose: ArrayLike, name: str = "pose") -> np.ndarray:
    """Return `pose` as (..., 4, 4) float64.

    Raises ValueError, with `name`, unless it is finite and a rigid transform to 1e-3.
    """
    pose = np.asarray(pose, dtype=float)
    if pose.shape[-2:] != (4, 4):
        raise ValueError(f"{name} has shape {pose.shape}; a pose is (..., 4, 4)")
    if not np.isfinite(pose).all():
        raise ValueError(f"{name} has values that are not finite")
    rotation = pose[..., :3, :3]
    if (
        np.abs(pose[..., 3, :] - [0, 0, 0, 1]).max(initial=0) > 1e-3
        or np.abs(rotation @ np.swapaxes(rotation, -1, -2) - np.eye(3)).max(initial=0) > 1e-3
        or not np.all(np.linalg.det(rotation) > 0)
    ):
        raise ValueError(f"{name} is not a rigid transform (rotation, translation, 0 0 0 1)")
    return pose


def eye_at(
    azimuth: ArrayLike, elevation: ArrayLike, distance: ArrayLike = SRN_CAMERA.distance
) -> np.ndarray:
    """Return points (..., 3) in the object frame, at a distance from its origin.

    azimuth: from +x towards +y, elevation: above the xy plane, radians.
    """
    azimuth, elevation, distance = np.broadcast_arrays(azimuth, elevation, distance)
    ring = np.cos(elevation)
    return np.asarray(distance)[..., None] * np.stack(
        [ring * np.cos(azimuth), ring * np.sin(azimuth), np.sin(elevation)], axis=-1
    )


def orbit(
    count: int,
    elevations: ArrayLike = (np.pi / 6,),
    distance: float = SRN_CAMERA.distance,
    start: float = 0.0,
) -> np.ndarray:
    """Return the poses of cameras on rings around the object's z axis that look at its centre.

    count: cameras on each ring; elevations: one per ring, radians; distance: from the centre,
    metres; start: azimuth of each ring's first camera, radians. Raises ValueError without a camera.
    Returns (len(elevations) * count, 4, 4) T_object_camera, ring by ring.
    """
    if count < 1:
        raise ValueError(f"orbit: count is {count}; at least one camera is needed")
    if not distance > 0:
        raise ValueError(f"orbit: distance is {distance}; it must be positive")
    azimuth = start + 2 * np.pi * np.arange(count) / count
    eye = eye_at(azimuth[None, :], np.atleast_1d(elevations)[:, None], distance)
    return look_at(eye.reshape(-1, 3), np.zeros(3))


def rotation_from_quaternion(quaternion: ArrayLike) -> np.ndarray:
    """Return the rotations (..., 3, 3) of quaternions (..., 4) x, y, z, w.

    Raises ValueError if one is not finite, or its norm differs from 1 by more than 0.1 (as in tf2).
    """
    q = np.asarray(quaternion, dtype=float)
    norm = np.linalg.norm(q, axis=-1, keepdims=True)
    if not np.all(np.abs(norm - 1) < 0.1):  # false for NaN too
        raise ValueError(f"quaternion {q.tolist()} (x, y, z, w) is not of unit length")
    x, y, z, w = np.moveaxis(q / norm, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def quaternion_from_rotation(rotation: ArrayLike) -> np.ndarray:
    """Return the quaternions (..., 4) x, y, z, w, with w >= 0, of rotations (..., 3, 3)."""
    m = np.asarray(rotation, dtype=float)
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    # Row k is 4 q_k q. The row with the largest q_k is the best conditioned.
    yz, zx, xy = (m[..., i, j] - m[..., j, i] for i, j in ((2, 1), (0, 2), (1, 0)))
    sum_xy, sum_xz, sum_yz = (m[..., i, j] + m[..., j, i] for i, j in ((0, 1), (0, 2), (1, 2)))
    rows = np.stack(
        [
            np.stack([1 + xx - yy - zz, sum_xy, sum_xz, yz], axis=-1),
            np.stack([sum_xy, 1 - xx + yy - zz, sum_yz, zx], axis=-1),
            np.stack([sum_xz, sum_yz, 1 - xx - yy + zz, xy], axis=-1),
            np.stack([yz, zx, xy, 1 + xx + yy + zz], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(np.diagonal(rows, axis1=-2, axis2=-1), axis=-1)
    q = np.take_along_axis(rows, best[..., None, None], axis=-2)[..., 0, :]
    q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    return np.where(q[..., 3:] < 0, -q, q)


def twist(rotation: ArrayLike) -> float:
    """Return the twist of a rotation (3, 3) about z, radians (swing-twist decomposition).

    It is what remains after the shortest rotation that moves the z axis to its new direction.
    """
    r = np.asarray(rotation, dtype=float)
    # In its quaternion: 4 w z and 2 (w^2 - z^2), sine and cosine of twice atan(z / w).
    return math.atan2(r[1, 0] - r[0, 1], r[0, 0] + r[1, 1])


def pose_from(position: ArrayLike, quaternion: ArrayLike) -> np.ndarray:
    """Return poses (..., 4, 4) of positions (..., 3) and quaternions (..., 4) x, y, z, w.

    Raises ValueError if one is not finite or a quaternion is not of unit length.
    """
    position = np.asarray(position, dtype=float)
    if not np.isfinite(position).all():
        raise ValueError(f"position {position.tolist()} is not finite")
    pose = np.zeros((*position.shape[:-1], 4, 4))
    pose[..., :3, :3] = rotation_from_quaternion(quaternion)
    pose[..., :3, 3] = position
    pose[..., 3, 3] = 1.0
    return pose
