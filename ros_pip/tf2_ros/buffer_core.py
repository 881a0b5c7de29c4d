"""Stores frames over time and chains them (tf2_py.BufferCore in the original)."""

from __future__ import annotations

import contextlib
import math
import threading
from typing import Any

from geometry_msgs.msg import TransformStamped
from rclpy.duration import Duration
from rclpy.logging import get_logger

from tf2_ros.exceptions import (
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TransformException,
)
from tf2_ros.frame_history import LATEST, MovingFrame, Pose, StaticFrame, seconds
from tf2_ros.rotation import (
    IDENTITY,
    Quaternion,
    Vector,
    add,
    conjugate,
    multiply,
    normalise,
    rotate,
)


class BufferCore:
    """Stores transforms and chains them on request; may be used from several threads."""

    def __init__(self, cache_time: Duration | None = None) -> None:
        """cache_time: how long moving frames are kept; None: 10 s."""
        self._cache_time = 10 * 10**9 if cache_time is None else _nanoseconds(cache_time)
        self._frames: dict[str, StaticFrame | MovingFrame] = {}  # by the child's name
        self._names: set[str] = set()
        self._lock = threading.RLock()

    def set_transform(self, transform: TransformStamped, authority: str) -> None:
        """Add a moving frame at a time. An invalid transform is logged and ignored."""
        self._set(transform, authority, MovingFrame)

    def set_transform_static(self, transform: TransformStamped, authority: str) -> None:
        """Add a static frame."""
        self._set(transform, authority, StaticFrame)

    def clear(self) -> None:
        """Discard the poses of moving frames; their names stay known, static frames stay."""
        with self._lock:
            for frame in self._frames.values():
                frame.clear()

    def can_transform_core(
        self, target_frame: str, source_frame: str, time: Any
    ) -> tuple[bool, str]:
        """Return whether lookup_transform_core would succeed, and the reason if not."""
        try:
            self.lookup_transform_core(target_frame, source_frame, time)
        except TransformException as error:
            return False, str(error)
        return True, ""

    def lookup_transform_core(
        self, target_frame: str, source_frame: str, time: Any
    ) -> TransformStamped:
        """Return the transform that takes points from source_frame to target_frame (see Buffer)."""
        time = _nanoseconds(time)
        with self._lock:
            if target_frame == source_frame:  # even if the frame is unknown
                return self._identity(target_frame, time)
            self._check_name("target_frame", target_frame)
            self._check_name("source_frame", source_frame)
            if time == LATEST:  # is the newest time at which every moving frame on the way is known
                up, down = self._paths(target_frame, source_frame, LATEST)
                time = min((p.stamp for p in up + down if p.stamp != LATEST), default=LATEST)
            up, down = self._paths(target_frame, source_frame, time)
        to_target, offset = _inverse(*_chain(up))
        rotation, translation = _chain(down)
        translation = add(rotate(to_target, translation), offset)
        return _message(
            target_frame, source_frame, time, multiply(to_target, rotation), translation
        )

    def _set(self, transform: TransformStamped, authority: str, kind: type) -> None:
        parent = transform.header.frame_id.removeprefix("/")
        child = transform.child_frame_id.removeprefix("/")
        r, t = transform.transform.rotation, transform.transform.translation
        rotation, translation = (r.x, r.y, r.z, r.w), (t.x, t.y, t.z)
        if problem := _problem(parent, child, rotation, translation):
            get_logger("tf2").error(
                f"Ignoring the transform from {parent!r} to {child!r}: {problem}"
            )
            return
        pose = Pose(_nanoseconds(transform.header.stamp), parent, normalise(rotation), translation)
        with self._lock:
            self._names |= {parent, child}
            frame = self._frames.get(child)
            if not isinstance(frame, kind):
                frame = StaticFrame() if kind is StaticFrame else MovingFrame(self._cache_time)
            if not frame.insert(pose):
                get_logger("tf2").warning(
                    f"TF_OLD_DATA: ignoring {child!r} at {seconds(pose.stamp)}: too old"
                )
                return
            self._frames[child] = frame

    def _check_name(self, argument: str, name: str) -> None:
        if not name or name.startswith("/"):
            what = "start with a '/'" if name else "be empty"
            raise InvalidArgumentException(f'{argument} "{name}" is invalid: it cannot {what}')
        if name not in self._names:
            raise LookupException(f'"{name}" passed as {argument} does not exist')

    def _identity(self, name: str, time: int) -> TransformStamped:
        if time == LATEST and name in self._frames:
            with contextlib.suppress(ExtrapolationException):
                time = self._frames[name].at(LATEST).stamp
        return _message(name, name, time, IDENTITY, (0.0, 0.0, 0.0))

    def _paths(self, target: str, source: str, time: int) -> tuple[list[Pose], list[Pose]]:
        """Return the poses from target and from source up to their common ancestor."""
        up, up_error = self._ancestry(target, time)
        down, down_error = self._ancestry(source, time)
        meeting = next((name for name in down if name in up), None)
        if meeting is None:
            error = up_error or down_error
            if error and time != LATEST:
                raise ExtrapolationException(
                    f"{error}, when looking up transform from frame [{source}] to frame [{target}]"
                )
            raise ConnectivityException(
                f"Could not find a connection between '{target}' and '{source}' because they are "
                "not part of the same tree"
            )
        return tuple(list(way.values())[: list(way).index(meeting)] for way in (up, down))

    def _ancestry(
        self, name: str, time: int
    ) -> tuple[dict[str, Pose | None], ExtrapolationException | None]:
        """Return the frames from this one to its root, or to the first one unknown at that time."""
        way = {}
        while frame := self._frames.get(name):
            if name in way:
                raise LookupException("The tf tree is invalid because it contains a loop")
            try:
                way[name] = frame.at(time)
            except ExtrapolationException as error:
                return {**way, name: None}, error
            name = way[name].parent
        return {**way, name: None}, None


def _chain(poses: list[Pose]) -> tuple[Quaternion, Vector]:
    """Return rotation and translation from the first pose's frame to the last one's parent."""
    rotation, translation = IDENTITY, (0.0, 0.0, 0.0)
    for pose in poses:
        translation = add(rotate(pose.rotation, translation), pose.translation)
        rotation = multiply(pose.rotation, rotation)
    return rotation, translation


def _inverse(rotation: Quaternion, translation: Vector) -> tuple[Quaternion, Vector]:
    back = conjugate(rotation)
    return back, rotate(back, tuple(-c for c in translation))


def _problem(parent: str, child: str, rotation: Quaternion, translation: Vector) -> str:
    if not parent or not child:
        return "a frame has no name"
    if parent == child:
        return "a frame cannot be its own parent"
    if any(math.isnan(number) for number in rotation + translation):
        return "it has a nan"
    if not any(rotation):
        return "its quaternion is zero"
    return ""


def _message(
    target: str, source: str, time: int, rotation: Quaternion, translation: Vector
) -> TransformStamped:
    message = TransformStamped()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(time, 10**9)
    message.header.frame_id = target
    message.child_frame_id = source
    r, t = message.transform.rotation, message.transform.translation
    r.x, r.y, r.z, r.w = normalise(rotation)
    t.x, t.y, t.z = translation
    return message


def _nanoseconds(time: Any) -> int:
    """Return the nanoseconds of an rclpy or builtin_interfaces Time or Duration."""
    if hasattr(time, "sec") and hasattr(time, "nanosec"):
        return time.sec * 10**9 + time.nanosec
    if hasattr(time, "nanoseconds"):
        return time.nanoseconds
    raise TypeError("time must have sec and nanosec, or nanoseconds.")
