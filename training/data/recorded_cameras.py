"""The cameras of a recording's images: calibrations over time, and poses by TF."""

from bisect import bisect_right
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import numpy as np

from tiny_nvs_ros.camera import Camera
from training.data.recording import Recording, RecordingError, ViewOptions
from training.data.transform_history import TransformHistory, frame_name, stamp_of
from training.progress import Progress

CAMERA_INFO = ("sensor_msgs/msg/CameraInfo",)
TF_TYPES = ("tf2_msgs/msg/TFMessage", "tf/msg/tfMessage")  # the latter: ROS 1


class PosedCameras:
    """The cameras of a recording's images.

    Raises ValueError if the bag lacks one of the topics, and RecordingError, also later, if its TF
    cannot be used.
    """

    def __init__(self, recording: Recording, options: ViewOptions):
        topic = options.info_topic or info_topic_of(options.image_topic)
        self._infos = CameraInfos(recording.timed_messages(topic, CAMERA_INFO), options.rectified)
        self._recording, self._options = recording, options
        self._frames = self._infos.frames
        self._transforms = None
        if self._frames:
            self._transforms = read_transforms(recording, options, self._frames)

    @property
    def frame(self) -> str:
        """The frame of all camera_info; empty if there are several, or none is named."""
        return next(iter(self._infos.frames)) if len(self._infos.frames) == 1 else ""

    def of(self, image: Any, frame: str = "") -> tuple[Camera, np.ndarray]:
        """Return the camera of an image (or depth image) and T_object_camera, (4, 4), metres.

        frame: of the camera, if the image does not name it. Raises ValueError or LookupError if one
        of them is not known, and RecordingError if none can be.
        """
        frame = frame_name(image.header.frame_id) or frame
        if not frame:
            raise ValueError("image has no frame_id")
        if not stamp_of(image):
            raise ValueError("image has no stamp, so the pose of its camera is not known")
        camera = self._infos.camera(frame, stamp_of(image))
        if self._transforms is None or frame not in self._frames:
            self._frames = {*self._frames, frame}
            self._transforms = read_transforms(self._recording, self._options, self._frames)
        pose = self._transforms.lookup(self._options.object_frame, frame, stamp_of(image))
        return camera, pose @ camera.T_frame_camera


class CameraInfos:
    """The camera_info of a topic over time; drivers change it, or begin with zeros."""

    def __init__(self, messages: Iterable[tuple[int, Any]], rectified: bool):
        """messages: with the times of recording, ns, for those without a stamp."""
        self.rectified = rectified
        self._stamps: list[int] = []
        self._infos: list[Any] = []  # where it changes
        stamped = ((stamp_of(message) or recorded, message) for recorded, message in messages)
        for stamp, message in sorted(stamped, key=itemgetter(0)):
            if not self._infos or _content(message) != _content(self._infos[-1]):
                self._stamps.append(stamp)
                self._infos.append(message)
        self._cameras: dict[int, Camera] = {}

    @property
    def frames(self) -> set[str]:
        return {frame_name(info.header.frame_id) for info in self._infos} - {""}

    def camera(self, image_frame: str, stamp: int) -> Camera:
        """Return the calibration that was valid at an image's stamp, ns, as the node matches it.

        Raises ValueError if it is of another camera, or not calibrated.
        """
        if not self._infos:
            raise ValueError("no camera_info could be read")
        index = max(bisect_right(self._stamps, stamp) - 1, 0)
        info = self._infos[index]
        frame = info.header.frame_id
        if frame and frame_name(frame) != frame_name(image_frame):
            raise ValueError(
                f"image is of the camera {image_frame!r}, camera_info of {frame!r} (--info-topic)"
            )
        if index not in self._cameras:
            self._cameras[index] = Camera.from_info(info, self.rectified)
        return self._cameras[index]


def _content(info: Any) -> tuple:
    """Return the fields of a camera_info that tell one calibration from another."""
    roi = info.roi
    return (
        info.header.frame_id, info.width, info.height, info.distortion_model, info.binning_x,
        info.binning_y, roi.x_offset, roi.y_offset, roi.width, roi.height,
        *(tuple(values) for values in (info.d, info.k, info.r, info.p)),
    )  # fmt: skip


def info_topic_of(image_topic: str) -> str:
    """The camera_info topic beside an image topic, by the convention of image_transport."""
    raw = image_topic.removesuffix("/compressed")
    return raw.rpartition("/")[0] + "/camera_info"


def read_transforms(
    recording: Recording, options: ViewOptions, frames: Iterable[str]
) -> TransformHistory:
    """Read the TF that connects the object with the cameras' frames.

    Raises RecordingError if the bag has no TF, or one of several runs.
    """
    between = [(options.object_frame, frame) for frame in frames]
    transforms = TransformHistory(options.max_gap_s, between)
    known = recording.topics(TF_TYPES)
    static = recording.resolve(options.tf_static_topic)
    wanted = dict.fromkeys([static, *map(recording.resolve, options.tf_topics)])  # static first
    topics = [topic for topic in wanted if topic in known]
    if not topics:
        raise RecordingError(
            f"{recording.path}: no TF on {' or '.join([*options.tf_topics, static])}; topics "
            f"with it: {', '.join(known) or 'none'} (--tf-topic, --tf-static-topic)"
        )
    transforms.unread = [topic for topic in known if topic not in topics]
    with Progress(sum(map(recording.count, topics)), "transforms", "message") as progress:
        for topic in topics:
            for recorded, message in recording.timed_messages(topic, TF_TYPES):
                for transform in message.transforms:
                    try:
                        transforms.add(transform, topic == static, recorded)
                    except ValueError as error:
                        raise RecordingError(f"{recording.path}: {error}") from None
                progress.update()
    return transforms
