"""Source images: an image message with its camera's pose, calibration and mask."""

from dataclasses import dataclass

import numpy as np
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.decode import depth_from_raw, mask_from_raw
from tiny_nvs_ros.depth_mask import object_mask
from tiny_nvs_ros.image import with_mask
from tiny_nvs_ros.node.conversions import time_of
from tiny_nvs_ros.node.image_decoder import to_rgb
from tiny_nvs_ros.node.matched_topic import MatchedTopic
from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.parameters import NodeSettings
from tiny_nvs_ros.node.transforms import AsyncTransforms


@dataclass(frozen=True)
class Source:
    """An image of the object and the pose of its camera.

    pose: (4, 4) T_object_camera, metres, in object_frame. number: of its arrival, 0 for the image
    of a request. camera: calibration of a whole image, None for a crop. mask: of the object, or the
    depth image that it is made from, None without one. object_radius: metres, for that.
    """

    message: Image | CompressedImage
    pose: np.ndarray
    object_frame: str
    number: int
    camera: Camera | None
    mask: Image | None
    depth: Image | None = None
    object_radius: float = 0.0

    @property
    def header(self) -> Header:
        return self.message.header

    @property
    def stamp(self) -> Time:
        return time_of(self.header.stamp)

    def image(self) -> np.ndarray:
        """Decode the image: H x W x 3 uint8 RGB, or with the mask as alpha H x W x 4.

        Raises ValueError for malformed data.
        """
        image = to_rgb(self.message)
        mask = self._mask()
        return image if mask is None else with_mask(image, mask)

    def _mask(self) -> np.ndarray | None:
        if self.depth is not None:
            pose = self.pose @ self.camera.T_frame_camera
            depth = depth_from_raw(self.depth)
            return object_mask(depth, self.camera, pose, self.object_radius)
        return None if self.mask is None else mask_from_raw(self.mask)


class SourceAssembler:
    """Waits for everything that belongs to an image, and returns it as a Source."""

    def __init__(
        self,
        monitor: Monitor,
        transforms: AsyncTransforms,
        camera_infos: MatchedTopic | None,
        masks: MatchedTopic | None,
        depths: MatchedTopic | None = None,
    ):
        """camera_infos, masks, depths: None if the parameters do not ask for them."""
        self._monitor, self._transforms = monitor, transforms
        self._camera_infos, self._masks, self._depths = camera_infos, masks, depths

    async def assemble(
        self, message: Image | CompressedImage, settings: NodeSettings, number: int = 0
    ) -> Source:
        """Return the image with its camera's pose at its stamp, its calibration and mask or depth.

        Raises MissingInput if one of them does not arrive within tf_timeout, and ValueError for an
        image without frame_id and for a camera_info of another camera.
        """
        frame = message.header.frame_id
        if not frame:
            raise ValueError("image has no frame_id: its publisher must name the camera's frame")
        stamp = time_of(message.header.stamp)
        pose = await self._transforms.lookup(
            settings.object_frame, frame, stamp, settings.tf_timeout
        )
        camera = mask = depth = None
        if self._camera_infos:
            info = await self._camera_infos.match(stamp, settings.tf_timeout)
            check_same_camera(frame, info)
            camera = Camera.from_info(info, rectified=settings.input == "rectified")
        wait = settings.tf_timeout, settings.mask_tolerance
        if self._masks:
            mask = await self._masks.match(stamp, *wait)
            self._check_frame(frame, "mask", mask.header.frame_id)
        if self._depths:
            depth = await self._depths.match(stamp, *wait)
            self._check_frame(frame, "depth", depth.header.frame_id)
        radius = settings.object_radius
        return Source(message, pose, settings.object_frame, number, camera, mask, depth, radius)

    def _check_frame(self, frame: str, what: str, other: str) -> None:
        if not same_frame(frame, other):
            text = f"image is of the camera {frame!r}, {what} of {other!r}: another camera's?"
            self._monitor.warn(f"{what} frame", text)


def check_same_camera(image_frame: str, info: CameraInfo) -> None:
    """Raise ValueError if a camera_info belongs to another camera than the image."""
    info_frame = info.header.frame_id
    if not same_frame(image_frame, info_frame):
        raise ValueError(
            f"image is of the camera {image_frame!r}, camera_info of {info_frame!r}: remap "
            "camera_info to the topic of the image's camera, or give both the same frame_id"
        )


def same_frame(image_frame: str, other_frame: str) -> bool:
    """Return whether a message belongs to the camera of an image, by frame_id.

    Some drivers leave it empty, and some write the leading slash of ROS 1: both are accepted.
    """
    return not other_frame or other_frame.lstrip("/") == image_frame.lstrip("/")
