"""TF of a recording: the poses of frames over time."""

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from tiny_nvs_ros.geometry import inverse, pose_from

NS_PER_S = 1_000_000_000
JUMP_BACK_S = 1.0  # later messages with an older stamp: the bag holds several runs
MAX_NAMES = 20  # of frames in a message
OTHER_CLOCK_S = 60.0  # between an image and all poses of a frame: different clocks made the stamps


class Edge:
    """T_parent_child over time. Kept as numbers until a lookup, because bags hold millions of them.

    static: each pose is valid until the next one, and the first one before, too.
    """

    def __init__(self, static: bool = False):
        self.static = static
        self._stamps, self._numbers = array("q"), array("d")  # ns; x y z, qx qy qz qw
        self._sorted: tuple[np.ndarray, np.ndarray] | None = None

    def add(self, stamp: int, numbers: Iterable[float]) -> None:
        if not self.static and self._stamps and stamp < self._stamps[-1] - JUMP_BACK_S * NS_PER_S:
            raise ValueError(
                f"time jumps back by {(self._stamps[-1] - stamp) / NS_PER_S:.0f} s: the bag holds "
                "several runs; cut it into one bag for each"
            )
        self._stamps.append(stamp)
        self._numbers.extend(numbers)
        self._sorted = None

    def begin_to_move(self) -> None:
        """Discard the poses of a static edge, of which poses came on /tf."""
        self.static, self._sorted = False, None
        del self._stamps[:], self._numbers[:]

    def __len__(self) -> int:
        return len(self._stamps)

    @property
    def span(self) -> tuple[int, int]:
        """The oldest and the newest stamp, ns; there must be one."""
        return min(self._stamps), max(self._stamps)

    def at(self, stamp: int, max_gap_s: float) -> np.ndarray:
        """Return the pose (4, 4) at a time, interpolated between its two neighbours.

        Raises LookupError, with the reason, outside the recorded time and in a gap that is longer
        than max_gap_s.
        """
        stamps, numbers = self._arrays()
        if not len(stamps):
            raise LookupError("has no valid pose: quaternions are not of unit length, or NaN")
        if self.static:
            return _pose(numbers[max(int(np.searchsorted(stamps, stamp, "right")) - 1, 0)])
        after = int(np.searchsorted(stamps, stamp))
        if after < len(stamps) and stamps[after] == stamp:
            return _pose(numbers[after])
        if len(stamps) == 1:
            raise LookupError("was sent once, for another time; /tf_static is for fixed frames")
        if after in (0, len(stamps)):
            apart = max(stamps[0] - stamp, stamp - stamps[-1])
            clocks = apart > OTHER_CLOCK_S * NS_PER_S
            hint = ": it is more than a minute away, so by another clock?" if clocks else ""
            raise LookupError(f"does not reach its time{hint}")
        start, end = stamps[after - 1], stamps[after]
        if end - start > max_gap_s * NS_PER_S:
            raise LookupError(f"has a gap of more than {max_gap_s:g} s (--max-gap)")
        share = (stamp - start) / (end - start)
        return interpolate(_pose(numbers[after - 1]), _pose(numbers[after]), share)

    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Stamps (N,) and numbers (N, 7), by time."""
        if self._sorted is None:
            stamps = np.array(self._stamps, np.int64)
            order = np.argsort(stamps, kind="stable")
            self._sorted = stamps[order], np.array(self._numbers).reshape(-1, 7)[order]
        return self._sorted


def _pose(numbers: np.ndarray) -> np.ndarray:
    return pose_from(numbers[:3], numbers[3:])


def interpolate(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """Return the pose (4, 4) between two: a straight line and the shortest rotation."""
    turn, _ = cv2.Rodrigues(first[:3, :3].T @ second[:3, :3])
    pose = first.copy()
    pose[:3, :3] = first[:3, :3] @ cv2.Rodrigues(turn * share)[0]
    pose[:3, 3] += share * (second[:3, 3] - first[:3, 3])
    return pose


class TransformHistory:
    """The frames of /tf and /tf_static.

    unread: other topics with transforms, named if a frame is missing. max_gap_s: no pose is
    interpolated over a longer gap. between: pairs of frames; once their
    connection is known, transforms that it does not need are not kept.
    """

    def __init__(self, max_gap_s: float = np.inf, between: Iterable[tuple[str, str]] = ()):
        self.max_gap_s = max_gap_s
        self.between = [(frame_name(a), frame_name(b)) for a, b in between]
        self._edges: dict[tuple[str, str], Edge] = {}  # by child and parent
        self._parents: dict[str, list[str]] = defaultdict(list)
        self._needed: set[tuple[str, str]] | None = None  # None: all
        self.unread: list[str] = []

    def add(self, message: Any, static: bool, recorded: int = 0) -> None:
        """Add a geometry_msgs/TransformStamped; what is no rigid transform is ignored, as by tf2.

        recorded: ns, stands in for the stamp of a static transform that has none. Raises ValueError
        if time jumps back.
        """
        child, parent = frame_name(message.child_frame_id), frame_name(message.header.frame_id)
        key = child, parent
        if key not in self._edges:
            self._edges[key] = Edge(static)
            self._parents[child].append(parent)
            self._find_needed()
        if not static and self._needed is not None and key not in self._needed:
            return
        edge = self._edges[key]
        if static and not edge.static:
            return
        if edge.static and not static:
            edge.begin_to_move()
        p, q = message.transform.translation, message.transform.rotation
        numbers = (p.x, p.y, p.z, q.x, q.y, q.z, q.w)
        length = math.hypot(*numbers[3:])
        if abs(length - 1) < 0.1 and math.isfinite(sum(numbers)):
            try:
                edge.add(stamp_of(message) or (recorded if static else 0), numbers)
            except ValueError as error:
                raise ValueError(f"transform {parent} <- {child}: {error}") from None

    @property
    def pose_count(self) -> int:
        """Number of poses in memory."""
        return sum(map(len, self._edges.values()))

    def lookup(self, target: str, source: str, stamp: int) -> np.ndarray:
        """Return T_target_source (4, 4) at a stamp, ns; raises LookupError with the reason.

        Raises ValueError if the frames form no tree.
        """
        to_target, to_source = (self._ancestors(frame, stamp) for frame in (target, source))
        common = next((frame for frame in to_source if frame in to_target), None)
        if common is None:
            raise LookupError(f"no transform {target} <- {source}{self._advice(target, source)}")
        T_common_target, T_common_source = (
            self._climb(chain, common, stamp) for chain in (to_target, to_source)
        )
        return inverse(T_common_target) @ T_common_source

    def _advice(self, *frames: str) -> str:
        """Return what may help against a missing connection of frames; begins with a semicolon."""
        known = set(self._parents).union(*self._parents.values())
        advice = ""
        if unknown := [frame for frame in frames if frame_name(frame) not in known]:
            there = ", ".join(sorted(known)[:MAX_NAMES]) + ", ..." * (len(known) > MAX_NAMES)
            advice = f"; there is no frame {' nor '.join(unknown)}, but {there or 'none'}"
        if self.unread:
            advice += f"; other topics with TF: {', '.join(self.unread)} (--tf-topic)"
        return advice

    def _find_needed(self) -> None:
        """Determine the edges that connect the pairs of frames, and discard the others' poses."""
        self._needed = None
        needed: set[tuple[str, str]] = set()
        for target, source in self.between:
            try:
                chains = self._ancestors(target), self._ancestors(source)
            except ValueError:  # no tree: the lookup says so
                return
            common = next((frame for frame in chains[1] if frame in chains[0]), None)
            if common is None:
                return
            for chain in chains:
                needed |= set(pairwise(chain[: chain.index(common) + 1]))
        if self.between:
            self._needed = needed
            for key in self._edges.keys() - needed:
                if not self._edges[key].static:  # those are few, and come once
                    self._edges[key] = Edge()

    def _ancestors(self, frame: str, stamp: int | None = None) -> list[str]:
        """The frame, its parent at a stamp (None: the only one), and so on up to the root."""
        chain = [frame_name(frame)]
        while parents := self._parents.get(chain[-1]):
            parent = parents[0] if len(parents) == 1 else self._parent_at(chain[-1], stamp)
            if parent in chain:
                raise ValueError(f"TF has a loop: {' <- '.join([*chain, parent])}")
            chain.append(parent)
        return chain

    def _parent_at(self, child: str, stamp: int | None) -> str:
        """The parent of a frame that changes its parent, such as an object that is grasped."""
        parents = self._parents[child]
        edges = {parent: self._edges[child, parent] for parent in parents}
        spans = sorted((*edge.span, parent) for parent, edge in edges.items() if len(edge))
        overlap = any(first[1] >= second[0] for first, second in pairwise(spans))
        if stamp is None or overlap or not spans:
            raise ValueError(
                f"TF gives {child} several parents: {', '.join(sorted(parents))}; record with one"
            )
        return max((span for span in spans if span[0] <= stamp), default=spans[0])[2]

    def _climb(self, chain: list[str], top: str, stamp: int) -> np.ndarray:
        """T_top_frame of the chain's first frame."""
        T = np.eye(4)
        for child, parent in pairwise(chain):
            if child == top:
                break
            try:
                T = self._edges[child, parent].at(stamp, self.max_gap_s) @ T
            except LookupError as error:
                raise LookupError(f"transform {parent} <- {child} {error}") from None
        return T


def frame_name(name: str) -> str:
    """A frame's name without ROS 1's leading slash."""
    return name.lstrip("/")


def stamp_of(message: Any) -> int:
    """Time of a message with a header, ns."""
    return message.header.stamp.sec * NS_PER_S + message.header.stamp.nanosec
