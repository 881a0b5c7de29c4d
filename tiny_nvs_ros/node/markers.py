"""Markers and poses of the imagined cameras, for RViz and Foxglove."""

import numpy as np
from geometry_msgs.msg import Point, PoseArray
from rclpy.duration import Duration
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from tiny_nvs_ros.msg import NovelViews

RED_UNCERTAINTY = 0.05  # mean standard deviation of a view that is drawn red
LIFETIME_S = 5.0  # of a marker, plus twice the latency of its message


def camera_poses(views: NovelViews) -> PoseArray:
    """Return the poses alone; a camera looks along its z axis."""
    return PoseArray(header=views.header, poses=views.camera_poses)


def cameras(views: NovelViews, depth: float) -> MarkerArray:
    """Return the frustum of each camera as a marker, with a triangle on its upper side.

    Green views are certain, red ones uncertain; white: unknown, with one sample. depth: of the
    frustum, metres.
    """
    points = [Point(x=x, y=y, z=z) for x, y, z in frustum(views.camera_info, depth).tolist()]
    latency = Duration.from_msg(views.latency).nanoseconds * 1e-9
    lifetime = Duration(seconds=LIFETIME_S + 2 * latency).to_msg()
    colours = [uncertainty_colour(image) for image in views.uncertainties]
    colours = colours or [ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)] * len(views.camera_poses)
    # DELETEALL first, to clear stale markers. RViz needs a separate namespace for it.
    markers = [Marker(header=views.header, action=Marker.DELETEALL)]
    for i, (pose, colour) in enumerate(zip(views.camera_poses, colours, strict=True)):
        marker = Marker(header=views.header, ns="cameras", id=i, type=Marker.LINE_LIST)
        marker.pose, marker.points, marker.color = pose, points, colour
        marker.scale.x = depth / 30
        marker.lifetime = lifetime
        markers.append(marker)
    return MarkerArray(markers=markers)


def frustum(camera: CameraInfo, depth: float) -> np.ndarray:
    """Return the ends of its lines, (20, 3), metres in the camera's frame; two rows are a line."""
    fx, fy, cx, cy = (camera.k[i] for i in (0, 4, 2, 5))
    left, right = ((u - 0.5 - cx) / fx * depth for u in (0, camera.width))
    top, bottom = ((v - 0.5 - cy) / fy * depth for v in (0, camera.height))
    eye = (0.0, 0.0, 0.0)
    corners = [
        (x, y, depth) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))
    ]
    peak = ((left + right) / 2, top - (bottom - top) / 4, depth)
    lines = [(eye, corner) for corner in corners]
    lines += [(corners[i - 1], corners[i]) for i in range(4)]
    lines += [(corners[0], peak), (peak, corners[1])]
    return np.array(lines).reshape(-1, 3)


def uncertainty_colour(uncertainty: Image) -> ColorRGBA:
    """Return green for a certain view, red from a mean of RED_UNCERTAINTY on."""
    red = min(float(np.frombuffer(uncertainty.data, np.float32).mean()) / RED_UNCERTAINTY, 1.0)
    return ColorRGBA(r=min(2 * red, 1.0), g=min(2 - 2 * red, 1.0), b=0.0, a=1.0)
