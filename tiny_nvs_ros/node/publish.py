"""Publishes imagined views: NovelViews, the contact sheet, and the cameras for viewers."""

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import PoseArray
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from tiny_nvs_ros.msg import NovelViews
from tiny_nvs_ros.node import conversions, markers
from tiny_nvs_ros.node.qos import Topics
from tiny_nvs_ros.node.source import Source
from tiny_nvs_ros.pipeline import ImaginedViews, contact_sheet

FRUSTUM_DEPTH = 0.15  # of the drawn cameras, times the source camera's distance


class ViewPublisher:
    """The topics ~/novel_views, ~/montage, ~/camera_poses and ~/cameras."""

    def __init__(self, topics: Topics):
        self._views = topics.advertise(NovelViews, "~/novel_views", 1)
        self._montage = topics.advertise(Image, "~/montage", 1)
        self._camera_poses = topics.advertise(PoseArray, "~/camera_poses", 1)
        self._cameras = topics.advertise(MarkerArray, "~/cameras", 1)

    def has_subscribers(self) -> bool:
        publishers = (self._views, self._montage, self._camera_poses, self._cameras)
        return any(publisher.get_subscription_count() for publisher in publishers)

    def publish(self, source: Source, views: ImaginedViews, latency: float) -> None:
        """Publish the views of a source. latency: since the image's arrival, s."""
        message = novel_views_message(source, views, latency)
        self._views.publish(message)
        if self._montage.get_subscription_count():
            sheet = contact_sheet(views.source, views)
            self._montage.publish(conversions.image_from_array(sheet, source.header))
        if self._camera_poses.get_subscription_count():
            self._camera_poses.publish(markers.camera_poses(message))
        if self._cameras.get_subscription_count():
            depth = FRUSTUM_DEPTH * float(np.linalg.norm(source.pose[:3, 3]))
            self._cameras.publish(markers.cameras(message, depth))


def novel_views_message(source: Source, views: ImaginedViews, latency: float) -> NovelViews:
    header = view_header(source)
    message = NovelViews(header=source.header, object_frame=source.object_frame)
    message.camera_info = camera_info(views, header)
    message.camera_poses = conversions.poses_from_matrices(views.poses)
    message.images = [conversions.image_from_array(image, header) for image in views.images]
    masks = None if views.alphas is None else np.round(views.alphas * 255).astype(np.uint8)
    for name, maps in (
        ("uncertainties", views.uncertainties),
        ("masks", masks),
        ("depths", views.depths),
        ("depth_uncertainties", views.depth_uncertainties),
    ):
        if maps is not None:
            images = [conversions.image_from_array(each, header) for each in maps]
            setattr(message, name, images)
    message.sources = len(views.sources)
    message.latency = duration(latency)
    return message


def view_header(source: Source) -> Header:
    """Header of imagined images: the source's stamp, and no frame, because TF has none there."""
    return Header(stamp=source.header.stamp)


def camera_info(views: ImaginedViews, header: Header) -> CameraInfo:
    """Calibration of the imagined images."""
    height, width = views.images.shape[1:3]
    return conversions.pinhole(width, height, views.focal, width / 2, height / 2, header)


def duration(seconds: float) -> Duration:
    return Duration(sec=int(seconds), nanosec=int(seconds % 1 * 1e9))
