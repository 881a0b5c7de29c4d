"""Reads a bag (ROS 2 or ROS 1): images, camera_info and TF, to views of an object."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from tiny_nvs_ros import virtual_camera as vc
from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.decode import rgb_from_compressed, rgb_from_raw
from training.data.transform_history import TransformHistory, frame_name, stamp_of
from training.progress import Progress, track

DECODERS = {
    "sensor_msgs/msg/Image": rgb_from_raw,
    "sensor_msgs/msg/CompressedImage": rgb_from_compressed,
}
CAMERA_INFO = ("sensor_msgs/msg/CameraInfo",)
TF_TYPES = ("tf2_msgs/msg/TFMessage", "tf/msg/tfMessage")  # the latter: ROS 1
MIN_DISC_COVERAGE = 0.95  # of the object's disc in the image; the node is content with less
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
        if not self.path.exists():
            raise RecordingError(f"{self.path}: no such file or folder")
        try:
            self._reader = AnyReader([self.path], default_typestore=_default_types(self.path))
            self._reader.open()
        except Exception as error:  # a damaged file raises whatever its reader runs into
            raise RecordingError(f"{self.path}: {_reason(error)} ({_repair(self.path)})") from error
        return self

    def __exit__(self, *error: object) -> None:
        self._reader.close()

    def topics(self, types: Iterable[str]) -> list[str]:
        """Names of the topics of some message types that have messages."""
        topics = self._reader.topics.items()
        return sorted(name for name, t in topics if t.msgtype in types and t.msgcount)

    def count(self, topic: str) -> int:
        return self._reader.topics[topic].msgcount

    def type_of(self, topic: str) -> str:
        return self._reader.topics[topic].msgtype

    def messages(self, topic: str, types: Iterable[str]) -> Iterator[Any]:
        """Yield the messages of a topic, in the order of recording.

        Raises ValueError, with the topics that there are, if it has none of these types.
        """
        known = self.topics(types)
        if topic not in known:
            there = ", ".join(known) or "none"
            raise ValueError(
                f"{self.path}: no {' or '.join(types)} on {topic}; topics with it: {there}"
            )
        return self._deserialize(topic)

    def _deserialize(self, topic: str) -> Iterator[Any]:
        self.seen[topic] = 0
        for kind, data in self._raw(topic):
            self.seen[topic] += 1
            try:
                message = self._reader.deserialize(data, kind)
            except Exception as error:  # as above
                self.damaged[f"damaged message on {topic} ({_reason(error)})"] += 1
                continue
            yield _as_ros2(message)

    def _raw(self, topic: str) -> Iterator[tuple[str, bytes]]:
        """Types and data of the messages; what a damaged part of the file holds is skipped."""
        connections = self._reader.topics[topic].connections
        start, skip = self._reader.start_time, MIN_SKIP_NS
        while start < self._reader.end_time:
            try:
                for connection, stamp, data in self._reader.messages(connections, start=start):
                    start, skip = max(start, stamp), MIN_SKIP_NS
                    yield connection.msgtype, data
                return
            except GeneratorExit:
                raise
            except Exception as error:  # as above
                if skip == MIN_SKIP_NS:  # else it is the same place, not passed yet
                    self.damaged[f"damaged place on {topic} ({_reason(error)})"] += 1
                start, skip = start + skip, 2 * skip


def _default_types(path: Path) -> Any:
    """Message types for bags that do not bring them along."""
    return get_typestore(Stores.ROS1_NOETIC if path.suffix == ".bag" else Stores.ROS2_HUMBLE)


def _reason(error: Exception) -> str:
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


class CameraInfos:
    """The camera_info of a topic over time; drivers change it, or begin with zeros."""

    def __init__(self, messages: Iterable[Any], rectified: bool):
        self.rectified = rectified
        self._stamps: list[int] = []
        self._infos: list[Any] = []  # where it changes
        for message in sorted(messages, key=stamp_of):
            if not self._infos or _content(message) != _content(self._infos[-1]):
                self._stamps.append(stamp_of(message))
                self._infos.append(message)
        self._cameras: dict[int, Camera] = {}

    @property
    def frames(self) -> set[str]:
        return {frame_name(info.header.frame_id) for info in self._infos} - {""}

    def camera(self, image: Any) -> Camera:
        """Return the calibration that was valid at an image's stamp, as the node matches it.

        Raises ValueError if it is of another camera, or not calibrated.
        """
        if not self._infos:
            raise ValueError("no camera_info could be read")
        index = max(bisect_right(self._stamps, stamp_of(image)) - 1, 0)
        info = self._infos[index]
        frame, image_frame = info.header.frame_id, image.header.frame_id
        if frame and frame_name(frame) != frame_name(image_frame):
            raise ValueError(
                f"image is of the camera {image_frame!r}, camera_info of {frame!r} (--info-topic)"
            )
        if index not in self._cameras:
            self._cameras[index] = Camera.from_info(info, self.rectified)
        return self._cameras[index]


def _content(info: Any) -> tuple:
    """What of a camera_info tells one calibration from another."""
    roi = info.roi
    return (
        info.header.frame_id, info.width, info.height, info.distortion_model, info.binning_x,
        info.binning_y, roi.x_offset, roi.y_offset, roi.width, roi.height,
        *(tuple(values) for values in (info.d, info.k, info.r, info.p)),
    )  # fmt: skip


@dataclass(frozen=True)
class ViewOptions:
    """What to take from a recording.

    info_topic: None for the one beside the image topic. object_radius: metres. size: pixels of the
    views. every: use every Nth image. max_gap_s: of TF, over which poses are interpolated.
    """

    image_topic: str
    object_frame: str
    object_radius: float
    info_topic: str | None = None
    size: int = 64
    every: int = 1
    rectified: bool = False
    max_gap_s: float = 0.5
    tf_topic: str = "/tf"
    tf_static_topic: str = "/tf_static"


@dataclass(frozen=True)
class RecordedViews:
    """Views of an object: images (N, size, size, 3) uint8 and poses (N, 4, 4) T_object_camera.

    left_out: number of images that could not be used, by reason.
    """

    images: list[np.ndarray]
    poses: list[np.ndarray]
    left_out: Counter[str]


def info_topic_of(image_topic: str) -> str:
    """The camera_info topic beside an image topic, by the convention of image_transport."""
    raw = image_topic.removesuffix("/compressed")
    return raw.rpartition("/")[0] + "/camera_info"


def read_views(recording: Recording, options: ViewOptions) -> RecordedViews:
    """Turn each image into the view of the model's virtual camera.

    Raises ValueError if the bag lacks one of the topics.
    """
    images = recording.messages(options.image_topic, DECODERS)
    info_topic = options.info_topic or info_topic_of(options.image_topic)
    infos = CameraInfos(recording.messages(info_topic, CAMERA_INFO), options.rectified)
    decode = DECODERS[recording.type_of(options.image_topic)]
    frames = infos.frames
    transforms = read_transforms(recording, options, frames) if frames else None
    views = RecordedViews([], [], Counter())
    count = -(-recording.count(options.image_topic) // options.every)
    used = islice(images, 0, None, options.every)
    for message in track(used, count, "images", "image"):
        try:
            frame = frame_name(message.header.frame_id)
            if not frame:
                raise ValueError("image has no frame_id")
            camera = infos.camera(message)
            if transforms is None or frame not in frames:
                frames = {*frames, frame}
                transforms = read_transforms(recording, options, frames)
            T_object_frame = transforms.lookup(options.object_frame, frame, stamp_of(message))
            virtual = vc.virtual_camera(T_object_frame @ camera.T_frame_camera)
            image = _view(decode(message), camera, virtual, options)
        except (ValueError, LookupError, ArithmeticError, MemoryError, cv2.error) as error:
            views.left_out[_reason(error)] += 1
            continue
        views.images.append(image)
        views.poses.append(virtual.pose)
    lost = recording.count(options.image_topic) - recording.seen[options.image_topic]
    if lost > 0:
        views.left_out["in a damaged part of the bag"] += -(-lost // options.every)
    return views


def _view(
    image: np.ndarray, camera: Camera, virtual: vc.VirtualCamera, options: ViewOptions
) -> np.ndarray:
    """Return the virtual camera's view; raises ValueError if it does not show all of the object."""
    view, coverage = vc.image_to_view(image, camera, virtual, options.object_radius, options.size)
    if vc.disc_coverage(coverage) < MIN_DISC_COVERAGE:
        raise ValueError("the object is not wholly in the image")
    if vc.is_blank(view, coverage) or vc.disc_is_white(view):
        raise ValueError("nothing but background in the view: is TF on the object?")
    return view


def read_transforms(
    recording: Recording, options: ViewOptions, frames: Iterable[str]
) -> TransformHistory:
    """Read the TF that connects the object with the cameras' frames.

    Raises ValueError if the bag has no TF.
    """
    between = [(options.object_frame, frame) for frame in frames]
    transforms = TransformHistory(options.max_gap_s, between)
    known = recording.topics(TF_TYPES)
    topics = [t for t in (options.tf_static_topic, options.tf_topic) if t in known]
    if not topics:
        raise ValueError(
            f"{recording.path}: no TF on {options.tf_topic} or {options.tf_static_topic}; topics "
            f"with it: {', '.join(known) or 'none'} (--tf-topic, --tf-static-topic)"
        )
    with Progress(sum(map(recording.count, topics)), "transforms", "message") as progress:
        for topic in topics:
            for message in recording.messages(topic, TF_TYPES):
                for transform in message.transforms:
                    transforms.add(transform, static=topic == options.tf_static_topic)
                progress.update()
    return transforms
