"""Camera poses as 4x4 matrices.

`T_a_b` takes points from frame b to frame a. Every camera frame is a ROS optical frame (REP 103):
x right, y down, z forward. The object's frame has z up. Lengths are metres, or the model's own unit
in which its training cameras stood at `DISTANCE` from the object's centre.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

DISTANCE = 1.3  # of the training cameras from the object's centre, model units (SRN cars)
RADIUS = 0.5  # of the training objects, half the diagonal of their bounding box, model units
FOCAL = 131.25 / 128  # of the training cameras, in image widths (SRN cars)


def look_at(eye: ArrayLike, target: ArrayLike, up: ArrayLike = (0.0, 0.0, 1.0)) -> np.ndarray:
    """Pose of a camera at `eye` that looks at `target`.

    eye, target, up: (..., 3), metres, in the object's frame. Returns (..., 4, 4) T_object_camera,
    optical frame (REP 103). Raises ValueError where eye equals target; where the view runs along
    up, the image's up is +y (+z where up itself is along y).
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
    """Inverse of rigid transforms: (..., 4, 4) T_a_b to (..., 4, 4) T_b_a."""
    pose = np.asarray(pose, dtype=float)
    result = np.zeros_like(pose)
    rotation = np.swapaxes(pose[..., :3, :3], -1, -2)
    result[..., :3, :3] = rotation
    result[..., :3, 3:] = -rotation @ pose[..., :3, 3:]
    result[..., 3, 3] = 1.0
    return result


def relative_pose(T_object_source: ArrayLike, T_object_target: ArrayLike) -> np.ndarray:
    """T_source_target, (..., 4, 4): the target camera in the source camera's frame."""
    return inverse(T_object_source) @ np.asarray(T_object_target, dtype=float)


def upright_source(T_source_target: ArrayLike) -> np.ndarray:
    """The source camera's pose, up to the object's heading, from target cameras in its frame.

    T_source_target: (N, 4, 4), cameras that look upright at the object's centre from DISTANCE, as
    the source does; two whose azimuths differ lie in two planes through the up axis. Returns (4, 4)
    T_object_source, at azimuth 0. Raises ValueError where all azimuths equal the source's (or its
    opposite), which leaves the elevation open.
    """
    # Both cameras' x axes are level, so that up is across them, and the image's up is -y.
    right = np.asarray(T_source_target, dtype=float)[..., :3, 0]
    up = np.cross([1.0, 0.0, 0.0], right.reshape(-1, 3))
    up = up[np.linalg.norm(up, axis=-1).argmax()] if len(up) else np.zeros(3)
    length = np.linalg.norm(up)
    if length < 1e-3:
        raise ValueError(
            "poses do not tell the source camera's elevation, for their azimuths are the source's: "
            "give source_pose"
        )
    up = up / length * (-1.0 if up[1] > 0 else 1.0)
    elevation = np.arctan2(-up[2], -up[1])
    return look_at(eye_at(0.0, elevation), np.zeros(3))


def check_pose(pose: ArrayLike, name: str = "pose") -> np.ndarray:
    """`pose` as (..., 4, 4) float64; ValueError naming it unless finite and rigid to 1e-3."""
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


def eye_at(azimuth: ArrayLike, elevation: ArrayLike, distance: ArrayLike = DISTANCE) -> np.ndarray:
    """Point (..., 3) in the object's frame; angles in radians, azimuth from +x towards +y."""
    azimuth, elevation, distance = np.broadcast_arrays(azimuth, elevation, distance)
    ring = np.cos(elevation)
    return np.asarray(distance)[..., None] * np.stack(
        [ring * np.cos(azimuth), ring * np.sin(azimuth), np.sin(elevation)], axis=-1
    )


def orbit(
    count: int,
    elevations: ArrayLike = (np.pi / 6,),
    distance: float = DISTANCE,
    start: float = 0.0,
) -> np.ndarray:
    """Poses of cameras evenly around the object's z axis that look at its centre.

    count: cameras on each ring; elevations: one ring each, radians; distance: metres, from the
    centre; start: azimuth of each ring's first camera, radians.
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
    """(..., 4) x, y, z, w to (..., 3, 3).

    Raises ValueError where it is not finite, or its norm is off 1 by more than 0.1 (as tf2).
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
    """(..., 3, 3) to (..., 4) x, y, z, w with w >= 0."""
    m = np.asarray(rotation, dtype=float)
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    # Row k is 4 q_k q; the row of the largest q_k is the well-conditioned one.
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
    """Angle about z, radians, that is left of a (3, 3) after the shortest turn of the z axis."""
    r = np.asarray(rotation, dtype=float)
    # Of its quaternion 4 w z and 2 (w^2 - z^2), sine and cosine of twice the angle tan(z / w).
    return math.atan2(r[1, 0] - r[0, 1], r[0, 0] + r[1, 1])


def pose_from(position: ArrayLike, quaternion: ArrayLike) -> np.ndarray:
    """(..., 3) position and (..., 4) quaternion x, y, z, w to (..., 4, 4)."""
    position = np.asarray(position, dtype=float)
    if not np.isfinite(position).all():
        raise ValueError(f"position {position.tolist()} is not finite")
    pose = np.zeros((*position.shape[:-1], 4, 4))
    pose[..., :3, :3] = rotation_from_quaternion(quaternion)
    pose[..., :3, 3] = position
    pose[..., 3, 3] = 1.0
    return pose


@dataclass(frozen=True)
class VirtualCamera:
    """The model's view of a real camera: same optical centre, turned to look at the object.

    pose: (4, 4) T_object_virtual in model units, upright, at DISTANCE from the object's centre.
    rotation: (3, 3) R_virtual_camera, from the real camera's frame to the virtual one's.
    distance: of the real camera from the object's centre, metres. name: of the real camera, in
    errors.
    """

    pose: np.ndarray
    rotation: np.ndarray
    distance: float
    name: str = "the camera"

    @property
    def roll(self) -> float:
        """How far the real camera is turned about its optical axis, radians.

        A crop around the object, turned by this angle (from x towards y, which is clockwise as one
        sees it), is upright.
        """
        return twist(self.rotation)

    def focal(self, object_radius: float) -> float:
        """Its focal length, in image widths, that shows the object as large as those of training.

        object_radius: half the diagonal of the object's bounding box, metres.
        """
        return FOCAL * (RADIUS / object_radius) * (self.distance / DISTANCE)

    def check_outside(self, object_radius: float) -> None:
        """Raises ValueError where the camera is within object_radius (metres) of the centre."""
        if self.distance <= object_radius:
            raise ValueError(
                f"{self.name} is inside the object: nearer to the object's centre than "
                f"object_radius, {object_radius:g} m"
            )


def virtual_camera(T_object_camera: ArrayLike, name: str = "the camera") -> VirtualCamera:
    """The virtual camera of a real one.

    T_object_camera: (4, 4), metres; name: of the camera, in errors. Raises ValueError where the
    camera stands at the object's centre or has the object's centre behind it.
    """
    return virtual_cameras([T_object_camera], [name])[0]


def virtual_cameras(T_object_cameras: ArrayLike, names: Sequence[str]) -> list[VirtualCamera]:
    """The virtual camera of each real one: (N, 4, 4) T_object_camera and N names, as above."""
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
    poses = look_at(cameras[:, :3, 3] * (DISTANCE / distances)[:, None], np.zeros(3))
    rotations = np.swapaxes(poses[:, :3, :3], -1, -2) @ cameras[:, :3, :3]
    each = zip(poses, rotations, distances.tolist(), names, strict=True)
    return [VirtualCamera(*camera) for camera in each]
