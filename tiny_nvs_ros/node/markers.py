"""The imagined cameras, for those who look at them in RViz or Foxglove."""

import numpy as np
from geometry_msgs.msg import Point, PoseArray
from rclpy.duration import Duration
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from tiny_nvs_ros.msg import NovelViews

UNCERTAIN = 0.05  # mean standard deviation of a view that is drawn red, as much as there is
LIFETIME = 5.0  # s that cameras are shown where no more come, and twice the latency of these


def camera_poses(views: NovelViews) -> PoseArray:
    """The poses alone; z is where a camera looks."""
    return PoseArray(header=views.header, poses=views.camera_poses)


def cameras(views: NovelViews, depth: float) -> MarkerArray:
    """What each camera sees as a pyramid of lines with a peak on its upper side.

    From green to red the view is less certain; white: nobody knows, with one sample. depth: of the
    pyramids, metres.
    """
    points = [Point(x=x, y=y, z=z) for x, y, z in frustum(views.camera_info, depth).tolist()]
    latency = Duration.from_msg(views.latency).nanoseconds * 1e-9
    lifetime = Duration(seconds=LIFETIME + 2 * latency).to_msg()
    colours = [uncertainty_colour(image) for image in views.uncertainties]
    colours = colours or [ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)] * len(views.camera_poses)
    # First, so that cameras go that are no more. RViz wants a name of its own for it.
    markers = [Marker(header=views.header, action=Marker.DELETEALL)]
    for i, (pose, colour) in enumerate(zip(views.camera_poses, colours, strict=True)):
        marker = Marker(header=views.header, ns="cameras", id=i, type=Marker.LINE_LIST)
        marker.pose, marker.points, marker.color = pose, points, colour
        marker.scale.x = depth / 30
        marker.lifetime = lifetime
        markers.append(marker)
    return MarkerArray(markers=markers)


def frustum(camera: CameraInfo, depth: float) -> np.ndarray:
    """Ends of its lines, (20, 3), metres in the camera's frame: two rows make a line."""
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
    """Green for a certain view, red for one whose mean standard deviation is UNCERTAIN."""
    red = min(float(np.frombuffer(uncertainty.data, np.float32).mean()) / UNCERTAIN, 1.0)
    return ColorRGBA(r=min(2 * red, 1.0), g=min(2 - 2 * red, 1.0), b=0.0, a=1.0)
