"""Poses of one frame in its parent, over time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from tf2_ros.exceptions import ExtrapolationException
from tf2_ros.rotation import Quaternion, Vector, lerp, slerp

LATEST = 0  # the time that stands for "the latest"


class Pose(NamedTuple):
    """A frame in its parent at a time: p_parent = rotation * p_frame + translation."""

    stamp: int  # nanoseconds
    parent: str
    rotation: Quaternion
    translation: Vector  # metres


class StaticFrame:
    """The pose of a static frame."""

    def insert(self, pose: Pose) -> bool:
        self._pose = pose._replace(stamp=LATEST)
        return True

    def at(self, time: int) -> Pose:
        """Return the pose, with the stamp LATEST."""
        return self._pose

    def clear(self) -> None:
        """Keep the pose: it is valid before and after a jump in time."""


class MovingFrame:
    """The poses of a moving frame of the last cache_time (nanoseconds)."""

    def __init__(self, cache_time: int) -> None:
        self._cache_time = cache_time
        self._poses: list[Pose] = []  # in order of time

    def insert(self, pose: Pose) -> bool:
        """Add a pose. Returns False if it is older than the cache."""
        if self._poses:
            oldest = self._poses[-1].stamp - self._cache_time
            del self._poses[: bisect_left(self._poses, oldest, key=_stamp)]
            if pose.stamp < oldest:
                return False
        i = bisect_right(self._poses, pose.stamp, key=_stamp)
        if self._poses[i - 1 : i] != [pose]:
            self._poses.insert(i, pose)
        return True

    def at(self, time: int) -> Pose:
        """Return the pose at a time, interpolated between received ones.

        Raises ExtrapolationException if the time is outside the received times.
        """
        poses = self._poses
        if not poses:
            raise ExtrapolationException(f"Nothing is known at time {seconds(time)}")
        if time in (LATEST, poses[-1].stamp):
            return poses[-1]
        i = bisect_right(poses, time, key=_stamp)
        if i == 0 or i == len(poses):
            where, known, pose = (
                ("past", "earliest", poses[0]) if i == 0 else ("future", "latest", poses[-1])
            )
            raise ExtrapolationException(
                f"Lookup would require extrapolation into the {where}: requested time "
                f"{seconds(time)}, but the {known} data is at time {seconds(pose.stamp)}"
            )
        before, after = poses[i - 1], poses[i]
        if before.parent != after.parent:
            return before
        ratio = (time - before.stamp) / (after.stamp - before.stamp)
        return Pose(
            time,
            before.parent,
            slerp(before.rotation, after.rotation, ratio),
            lerp(before.translation, after.translation, ratio),
        )

    def clear(self) -> None:
        self._poses.clear()


def _stamp(pose: Pose) -> int:
    return pose.stamp


def seconds(nanoseconds: int) -> str:
    return f"{nanoseconds * 1e-9:.6f}"
