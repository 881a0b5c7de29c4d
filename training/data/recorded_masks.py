"""The object's mask in each image of a recording."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tiny_nvs_ros.decode import depth_from_raw, mask_from_raw
from tiny_nvs_ros.depth_mask import object_mask
from training.data.recorded_cameras import PosedCameras
from training.data.recording import Recording, RecordingError, ViewOptions
from training.data.transform_history import frame_name, stamp_of
from training.progress import track

NS_PER_S = 1_000_000_000


class RecordedMasks:
    """The masks of a recording's images, found by their stamps.

    read: returns the mask of a message, H x W bool, or raises ValueError; tolerance_s: largest
    difference between the stamps of an image and its mask. doubtful: number of masks that were used
    although they name another camera than the image, by reason.
    """

    def __init__(
        self,
        topic: str,
        messages: Iterable[Any],
        read: Callable[[Any], np.ndarray],
        tolerance_s: float = 0.0,
    ):
        self.topic, self.tolerance_s = topic, tolerance_s
        self.doubtful: Counter[str] = Counter()
        masks, self._frames = {}, {}
        for message in messages:
            self._frames[stamp_of(message)] = frame_name(message.header.frame_id)
            try:
                mask = read(message)
            except RecordingError:
                raise
            except (ValueError, LookupError) as error:
                masks[stamp_of(message)] = str(error)
            else:  # a bit for each pixel: recordings are long
                masks[stamp_of(message)] = (mask.shape, np.packbits(mask))
        self._stamps = np.array(sorted(masks), np.int64)
        self._masks = [masks[stamp] for stamp in self._stamps.tolist()]

    def of(self, image: Any) -> np.ndarray:
        """Return the mask of an image message, H x W bool.

        Raises LookupError if there is none, and ValueError for one that cannot be used.
        """
        stamp = stamp_of(image)
        apart = np.abs(self._stamps - stamp)
        if not len(apart):
            raise LookupError(f"no message of {self.topic} could be read")
        nearest = int(apart.argmin())
        if apart[nearest] > self.tolerance_s * NS_PER_S:
            side = "later" if self._stamps[nearest] > stamp else "earlier"
            raise LookupError(
                f"no message of {self.topic} has its stamp: the nearest is about "
                f"{apart[nearest] / NS_PER_S:.1g} s {side} (--mask-tolerance)"
            )
        mask = self._masks[nearest]
        if isinstance(mask, str):
            raise ValueError(f"{self.topic}: {mask}")
        frame = self._frames[int(self._stamps[nearest])]
        if frame not in ("", frame_name(image.header.frame_id)):
            reason = f"image of {image.header.frame_id!r}, {self.topic} of {frame!r}"
            self.doubtful[f"{reason}: another camera's?"] += 1
        shape, bits = mask
        return np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape).astype(bool)


def read_masks(
    recording: Recording, options: ViewOptions, cameras: PosedCameras
) -> RecordedMasks | None:
    """Return the object's masks in the images; None if the options do not say where they are."""
    read, topic = mask_from_raw, options.mask_topic or options.depth_topic
    if topic is None:
        return None
    if not options.mask_topic:

        def read(message: Any) -> np.ndarray:
            depth = depth_from_raw(message)
            return object_mask(depth, *cameras.of(message, cameras.frame), options.object_radius)

    messages = recording.messages(topic, ("sensor_msgs/msg/Image",))
    messages = track(messages, recording.count(topic), topic, "image")
    return RecordedMasks(topic, messages, read, options.mask_tolerance_s)
