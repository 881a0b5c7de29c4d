"""What the viewer's --ros receives of the messages that the node sends."""

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Header
from tf2_ros import StaticTransformBroadcaster

from tiny_nvs_ros import runtime
from tiny_nvs_ros.geometry import look_at, orbit
from tiny_nvs_ros.msg import NovelViews
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.live_views import LiveListener
from tiny_nvs_ros.node.point_cloud import point_cloud
from tiny_nvs_ros.node.publish import novel_views_message
from tiny_nvs_ros.node.source import Source
from tiny_nvs_ros.pipeline import SourceImage, imagine
from tiny_nvs_ros.resources import find_weights
from tiny_nvs_ros.shape import SIDE, Shape

T_OBJECT_SOURCE = look_at((0.5, 0.3, 0.4), (0, 0, 0))
RADIUS = 0.12  # of the object, metres
HEADER = Header(stamp=Time(sec=5), frame_id="camera")


@pytest.fixture(scope="module")
def views():
    image = np.full((64, 64, 3), 255, np.uint8)
    image[20:44, 16:48] = (200, 30, 30)
    renderer = runtime.load(find_weights("objects"), "cpu")
    source, targets = SourceImage(image, T_OBJECT_SOURCE), orbit(3, (0.4,), 0.9)
    return imagine(renderer, source, targets, samples=2, seed=0, object_radius=RADIUS)


@pytest.fixture
def received(ros_node):
    """A list of what a listener to /nvs was given."""
    received = []
    listener = LiveListener("nvs", received.append, received.append, received.append)
    yield received
    listener.close()


def send(ros_node, spin_until, received, topic, message) -> object:
    """Publish until something is received, and return it."""
    publisher = ros_node.create_publisher(type(message), topic, 1)
    spin_until(publisher.get_subscription_count)
    timer = ros_node.create_timer(0.1, lambda: publisher.publish(message))
    spin_until(lambda: received)
    timer.destroy()
    return received[0]


def views_message(views) -> NovelViews:
    source = Source(Image(header=HEADER), T_OBJECT_SOURCE, "object", 1, None, None)
    return novel_views_message(source, views, 0.25)


def test_views_are_placed_in_the_object_frame(ros_node, spin_until, received, views):
    broadcaster = StaticTransformBroadcaster(ros_node)
    transform = TransformStamped(header=Header(frame_id="object"), child_frame_id="camera")
    transform.transform = conversions.transform_from_matrix(T_OBJECT_SOURCE)
    broadcaster.sendTransform(transform)

    def placed() -> list:
        return [each for each in received if not isinstance(each, str)]

    publisher = ros_node.create_publisher(NovelViews, "/nvs/novel_views", 1)
    ros_node.create_timer(0.1, lambda: publisher.publish(views_message(views)))
    spin_until(placed)
    live = placed()[0]
    assert (live.images == views.images).all()
    assert (live.uncertainties == views.uncertainties).all()
    assert live.T_object_views == pytest.approx(views.T_object_views, abs=1e-6)
    assert live.T_object_source == pytest.approx(T_OBJECT_SOURCE, abs=1e-6)
    assert live.object_radius == pytest.approx(RADIUS, rel=1e-3)
    assert (live.sources, live.latency) == (1, 0.25)


def test_missing_transform_is_named(ros_node, spin_until, received, views):
    message = views_message(views)
    problem = send(ros_node, spin_until, received, "/nvs/novel_views", message)
    assert problem.startswith("No transform to object")


def test_points_have_their_colours_and_confidence(ros_node, spin_until, received):
    rng = np.random.default_rng(0)
    points, normals = rng.normal(size=(2, 5, 3)).astype(np.float32)
    colors = rng.integers(0, 256, (5, 3), dtype=np.uint8)
    confidence = rng.random(5, np.float32)
    occupancy = np.zeros((SIDE,) * 3, np.float32)
    shape = Shape(points, colors, normals, confidence, np.ones(5, bool), occupancy, RADIUS)
    cloud = point_cloud(shape, HEADER)
    assert isinstance(cloud, PointCloud2)
    live = send(ros_node, spin_until, received, "/nvs/points", cloud)
    assert (live.points == points).all()
    assert (live.colors == colors).all()
    assert (live.confidence == confidence).all()
