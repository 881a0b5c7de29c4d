"""Views of an object from a recording: images, camera_info, TF and masks."""

from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice

import cv2
import numpy as np

from tiny_nvs_ros import virtual_camera as vc
from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.decode import rgb_from_compressed, rgb_from_raw
from tiny_nvs_ros.geometry import SRN_CAMERA
from tiny_nvs_ros.image import on_white, with_mask
from tiny_nvs_ros.srn_cameras import OBJECT_RADII
from training.data.cameras import at_distances
from training.data.recorded_cameras import PosedCameras
from training.data.recorded_masks import read_masks
from training.data.recording import Recording, RecordingError, ViewOptions, reason_of
from training.progress import track

DECODERS = {
    "sensor_msgs/msg/Image": rgb_from_raw,
    "sensor_msgs/msg/CompressedImage": rgb_from_compressed,
}
MIN_DISC_COVERAGE = 0.95  # of the object's disc in the image; the node is content with less
ANY_DISTANCE = replace(SRN_CAMERA, any_distance=True)


@dataclass(frozen=True)
class RecordedViews:
    """Views of an object: images (size, size, 3) uint8 RGB, or 4 RGBA with a mask, poses (4, 4)
    T_object_camera in model units, and focal lengths, pixels.

    left_out: number of images that could not be used, by reason. doubtful: of those that were
    used.
    """

    images: list[np.ndarray]
    poses: list[np.ndarray]
    focals: list[float]
    left_out: Counter[str]
    doubtful: Counter[str]


def read_views(recording: Recording, options: ViewOptions) -> RecordedViews:
    """Turn each image into the view of the model's virtual camera, at the camera's own distance.

    Raises ValueError if the bag lacks one of the topics.
    """
    images = recording.messages(options.image_topic, DECODERS)
    decode = DECODERS[recording.type_of(options.image_topic)]
    cameras = PosedCameras(recording, options)
    masks = read_masks(recording, options, cameras)
    views = RecordedViews([], [], [], Counter(), masks.doubtful if masks else Counter())
    count = -(-recording.count(options.image_topic) // options.every)
    used = islice(images, 0, None, options.every)
    for message in track(used, count, "images", "image"):
        try:
            camera, T_object_camera = cameras.of(message)
            virtual = vc.virtual_camera(T_object_camera, model=ANY_DISTANCE,
                                        object_radius=options.object_radius)  # fmt: skip
            mask = masks.of(message) if masks else None
            image = _view(decode(message), mask, camera, virtual, options)
            across = virtual.pixels_across(camera, options.object_radius)
            small = vc.resolution_fault(across)
        except RecordingError:  # it would be the same for all images
            raise
        except (ValueError, LookupError, ArithmeticError, MemoryError, cv2.error) as error:
            views.left_out[reason_of(error)] += 1
            continue
        views.doubtful.update([small] if small else [])
        radii = np.clip(virtual.model_distance / ANY_DISTANCE.radius, *OBJECT_RADII)
        poses, focals = at_distances(virtual.pose[None], np.array([radii]))
        views.images.append(image)
        views.poses.append(poses[0])
        views.focals.append(float(focals[0]) * options.size)
    topic = recording.resolve(options.image_topic)
    lost = recording.count(topic) - recording.seen[topic]
    if lost > 0:
        views.left_out["in a damaged part of the bag"] += -(-lost // options.every)
    return views


def _view(
    image: np.ndarray,
    mask: np.ndarray | None,
    camera: Camera,
    virtual: vc.VirtualCamera,
    options: ViewOptions,
) -> np.ndarray:
    """Return the virtual camera's view; raises ValueError if it does not show all of the object."""
    if mask is not None:
        image = with_mask(image, mask)
        image = np.dstack([on_white(image), image[..., 3]])
    view, coverage = vc.image_to_view(image, camera, virtual, options.object_radius, options.size)
    if vc.disc_coverage(coverage) < MIN_DISC_COVERAGE:
        raise ValueError("the object is not wholly in the image")
    alpha = None if mask is None else view[..., 3] / 255
    if alpha is not None:
        vc.check_silhouette(alpha, coverage)
    color = view[..., :3]
    if vc.is_blank(color, coverage) or vc.disc_is_empty(color, alpha):
        raise ValueError("nothing but background in the view: are TF and the mask on the object?")
    return view if mask is None else straight(view)


def straight(view: np.ndarray) -> np.ndarray:
    """Return RGBA with the object's colours, of H x W x 4 uint8: colours on white, and alpha."""
    alpha = view[..., 3:].astype(np.float32) / 255
    color = 255 - (255 - view[..., :3].astype(np.float32)) / np.maximum(alpha, 1 / 255)
    return np.dstack([np.clip(color, 0, 255).round().astype(np.uint8), view[..., 3:]])
