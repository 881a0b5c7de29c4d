"""Reads a bag (ROS 2 or ROS 1), also a damaged one."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from tiny_nvs_ros.resources import check_not_lfs_pointer

BAG_FILES = (".db3", ".mcap", ".bag", ".zstd")
MIN_SKIP_NS = 100_000_000  # of time after a damaged place in a bag


class RecordingError(ValueError):
    """A bag cannot be read; the message names it and says why."""


class Recording:
    """An open bag.

    damaged: messages and places in the file that were skipped, by reason. seen: messages that were
    found, by topic.
    """

    def __init__(self, path: Path):
        self.path = path
        self.damaged: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self._reader: AnyReader | None = None

    def __enter__(self) -> "Recording":
        _check_path(self.path)
        try:
            self._reader = AnyReader([self.path], default_typestore=_default_types(self.path))
            self._reader.open()
        except Exception as error:  # a damaged file raises whatever its reader runs into
            raise RecordingError(
                f"{self.path}: {reason_of(error)} ({_repair(self.path)})"
            ) from error
        return self

    def __exit__(self, *error: object) -> None:
        self._reader.close()

    def topics(self, types: Iterable[str]) -> list[str]:
        """Names of the topics of some message types that have messages."""
        topics = self._reader.topics.items()
        return sorted(name for name, t in topics if t.msgtype in types and t.msgcount)

    def resolve(self, topic: str) -> str:
        """Return a topic's name as the bag has it: some ROS 1 bags lack the leading slash."""
        other = topic[1:] if topic.startswith("/") else f"/{topic}"
        names = self._reader.topics
        return other if topic not in names and other in names else topic

    def count(self, topic: str) -> int:
        return self._reader.topics[self.resolve(topic)].msgcount

    def type_of(self, topic: str) -> str:
        return self._reader.topics[self.resolve(topic)].msgtype

    def messages(self, topic: str, types: Iterable[str]) -> Iterator[Any]:
        """Yield the messages of a topic, in the order of recording.

        Raises ValueError, with the topics that there are, if it has none of these types.
        """
        return (message for _, message in self.timed_messages(topic, types))

    def timed_messages(self, topic: str, types: Iterable[str]) -> Iterator[tuple[int, Any]]:
        """Like `messages`, with the time at which each was recorded, ns."""
        known, topic = self.topics(types), self.resolve(topic)
        if topic not in known:
            if topic in self._reader.topics and self.count(topic):
                raise ValueError(
                    f"{self.path}: {topic} is {self.type_of(topic)}; it must be "
                    f"{' or '.join(types)}"
                )
            there = ", ".join(known) or "none"
            raise ValueError(
                f"{self.path}: no {' or '.join(types)} on {topic}; topics with it: {there}"
            )
        return self._deserialize(topic)

    def _deserialize(self, topic: str) -> Iterator[tuple[int, Any]]:
        self.seen[topic] = 0
        for kind, stamp, data in self._raw(topic):
            self.seen[topic] += 1
            try:
                message = self._reader.deserialize(data, kind)
            except Exception as error:  # as above
                self.damaged[f"damaged message on {topic} ({reason_of(error)})"] += 1
                continue
            yield stamp, _as_ros2(message)

    def _raw(self, topic: str) -> Iterator[tuple[str, int, bytes]]:
        """Types, times and data of messages; what a damaged part of the file holds is skipped."""
        connections = self._reader.topics[topic].connections
        start, skip = self._reader.start_time, MIN_SKIP_NS
        while start < self._reader.end_time:
            try:
                for connection, stamp, data in self._reader.messages(connections, start=start):
                    start, skip = max(start, stamp), MIN_SKIP_NS
                    yield connection.msgtype, stamp, data
                return
            except GeneratorExit:
                raise
            except Exception as error:  # as above
                if skip == MIN_SKIP_NS:  # else it is the same place, not passed yet
                    self.damaged[f"damaged place on {topic} ({reason_of(error)})"] += 1
                start, skip = start + skip, 2 * skip


def _check_path(path: Path) -> None:
    """Raise RecordingError if a path is no bag, by the files that are there."""
    if not path.exists():
        raise RecordingError(f"{path}: no such file or folder")
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.name.endswith(BAG_FILES))
        if not (path / "metadata.yaml").exists():
            there = " or ".join(map(str, files[:3]))
            remedy = f"give {there}, or run `ros2 bag reindex {path}`" if there else "it is no bag"
            raise RecordingError(f"{path}: the folder has no metadata.yaml: {remedy}")
    try:
        for file in filter(Path.is_file, files):
            check_not_lfs_pointer(file)
    except (ValueError, OSError) as error:
        raise RecordingError(f"{path}: {error}") from None


def _default_types(path: Path) -> Any:
    """Message types for bags that do not bring them along."""
    return get_typestore(Stores.ROS1_NOETIC if path.suffix == ".bag" else Stores.ROS2_HUMBLE)


def reason_of(error: Exception) -> str:
    line = str(error).partition("\n")[0].rstrip(".")
    return line or type(error).__name__


def _repair(path: Path) -> str:
    if path.suffix == ".bag":
        return "`rosbag reindex` repairs some bags"
    if path.suffix == ".mcap" or (path.is_dir() and any(path.glob("*.mcap"))):
        return "`mcap recover` repairs some bags"
    return "`ros2 bag reindex` repairs some bags"


def _as_ros2(message: Any) -> Any:
    """A ROS 1 CameraInfo with the field names of ROS 2; other messages as they are."""
    if not hasattr(message, "K"):
        return message
    names = ("header", "height", "width", "distortion_model", "binning_x", "binning_y", "roi")
    fields = {name: getattr(message, name) for name in names}
    return SimpleNamespace(**fields, d=message.D, k=message.K, r=message.R, p=message.P)


@dataclass(frozen=True)
class ViewOptions:
    """Options of the views that are taken from a recording.

    info_topic: None for the one beside the image topic. object_radius: metres. mask_topic: masks of
    the images; depth_topic: depth images, aligned with them, from which masks are made; None
    without one. mask_tolerance_s: between the stamps of an image and its mask. size: pixels of the
    views. every: use every Nth image. max_gap_s: of TF, over which poses are interpolated.
    """

    image_topic: str
    object_frame: str
    object_radius: float
    info_topic: str | None = None
    mask_topic: str | None = None
    depth_topic: str | None = None
    mask_tolerance_s: float = 0.0
    size: int = 64
    every: int = 1
    rectified: bool = False
    max_gap_s: float = 0.5
    tf_topics: tuple[str, ...] = ("/tf",)
    tf_static_topic: str = "/tf_static"
