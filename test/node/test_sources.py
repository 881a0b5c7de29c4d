"""The nvs node with the weights `objects`: several sources, shape and next view, over DDS."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseArray, PoseStamped
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from tiny_nvs_ros import runtime
from tiny_nvs_ros.decode import depth_from_raw
from tiny_nvs_ros.geometry import eye_at, look_at, orbit
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.inference import Inference
from tiny_nvs_ros.node.parameters import NodeSettings
from tiny_nvs_ros.node.source import Source
from tiny_nvs_ros.resources import find_weights
from tiny_nvs_ros.srn_data import SrnInstance, find_instance
from tiny_nvs_ros.srv import RankViews, RenderPose

NVS = "tiny_nvs_ros.node"
DEMO = Path(__file__).parents[2] / "demo"
RADIUS = 0.5
NUMPY = {PointField.FLOAT32: np.float32, PointField.UINT8: np.uint8}


@pytest.fixture(scope="module")
def mug():
    return SrnInstance(find_instance(DEMO / "things", "object_77_00089"), camera=None)


@pytest.fixture(scope="module")
def nvs(start):
    process = start(NVS, {"weights": "objects", "object_radius": RADIUS, "memory.max_age": 0.0})
    yield process
    assert process.end() == 0, process.output
    assert "Traceback" not in process.output, process.output


@pytest.fixture
def forget(nvs, robot):
    def forget() -> str:
        return robot.call(Trigger, "/nvs/forget", Trigger.Request()).message

    forget()
    return forget


@pytest.fixture
def look(nvs, robot, mug):
    """look(i) shows the mug from its camera i and returns the views."""

    def look(i: int):
        return robot.imagine(mug.image(i, 64), mug.poses[i])

    return look


def test_a_second_side_of_the_object_makes_its_views_more_certain(forget, look):
    first = look(0)
    both = look(24)
    assert (first.sources, both.sources) == (1, 2)
    spread = [
        np.mean([np.frombuffer(each.data, np.float32).mean() for each in views.uncertainties])
        for views in (first, both)
    ]
    assert spread[1] < 0.9 * spread[0]
    assert look(24).sources == 2  # seen again, not one more


def test_background_without_a_mask_is_logged(forget, nvs, robot, mug):
    image = mug.image(0, 64).copy()
    image[image.min(axis=-1) > 247] = 150, 130, 110
    robot.imagine(image, mug.poses[0])
    robot.spin_until(lambda: "of what surrounds the object is not white" in nvs.output)


def test_masks_and_depths_are_of_the_views(forget, look):
    views = look(0)
    count = len(views.camera_poses)
    assert count == len(views.masks) == len(views.depths) == len(views.depth_uncertainties) == 8
    distance = np.linalg.norm(conversions.matrix_from_pose(views.camera_poses[0])[:3, 3])
    for mask, depth in zip(views.masks, views.depths, strict=True):
        assert mask.encoding == "mono8"
        alpha = np.frombuffer(mask.data, np.uint8).reshape(32, 32)
        metres = depth_from_raw(depth)
        assert alpha[16, 16] > 128 > alpha[0, 0]
        assert np.isnan(metres[0, 0]) and np.isfinite(metres[alpha > 150]).all()
        assert 0.8 < np.nanmedian(metres) < 1.4 and distance < 3


def test_forget_says_how_many_images_it_forgot(forget, look):
    look(0), look(16)
    assert forget() == "2 source images forgotten"
    assert look(32).sources == 1


def test_nothing_is_rendered_from_a_forgotten_image(forget, look, robot, mug):
    look(0)
    request = RenderPose.Request()
    request.camera_pose.header.frame_id = "object"
    request.camera_pose.pose = conversions.pose_from_matrix(mug.poses[12])
    assert robot.call(RenderPose, "/nvs/render_pose", request).success
    forget()
    response = robot.call(RenderPose, "/nvs/render_pose", request)
    assert not response.success and "no image of the object yet" in response.message


def test_images_of_another_object_in_the_same_place_replace_those_of_before(
    forget, look, nvs, robot, mug
):
    look(0), look(24)
    car = SrnInstance(find_instance(DEMO / "cars", "car_2_00046"), camera=None)
    robot.spin_until(
        lambda: "has the object moved against object" in nvs.output,
        again=lambda: robot.see(car.image(12, 64), mug.poses[12]),
    )
    assert robot.imagine(car.image(12, 64), mug.poses[12]).sources == 1


def test_points_lie_on_the_object_and_have_the_documented_fields(forget, look, robot):
    clouds = []
    robot.node.create_subscription(PointCloud2, "/nvs/points", clouds.append, 1)
    look(0), look(24)
    robot.spin_until(lambda: len(clouds) > 1, again=lambda: look(24))
    cloud = clouds[-1]
    assert cloud.header.frame_id == "object"
    types = {f.name: (NUMPY[f.datatype], f.offset) for f in cloud.fields}
    assert list(types) == [
        *("x", "y", "z", "rgb", "confidence", "normal_x", "normal_y", "normal_z", "seen"),
    ]
    formats, offsets = zip(*types.values(), strict=True)
    layout = {"names": list(types), "formats": formats, "offsets": offsets}
    points = np.frombuffer(cloud.data, np.dtype({**layout, "itemsize": cloud.point_step}))
    assert len(points) == cloud.width > 100 and cloud.row_step == len(cloud.data)
    xyz = np.stack([points[name] for name in "xyz"], axis=-1)
    assert np.linalg.norm(xyz, axis=-1).max() < 1.3 * RADIUS
    sure = points["confidence"] > 0.5
    red, _, blue = (points["rgb"].view(np.uint32)[sure] >> shift & 255 for shift in (16, 8, 0))
    assert red.mean() > blue.mean() + 30  # it is a red mug
    assert set(np.unique(points["seen"])) == {0, 1}


def test_next_view_looks_at_the_object_from_another_side(forget, look, robot, mug):
    views = []
    robot.node.create_subscription(PoseStamped, "/nvs/next_view", views.append, 1)
    look(0)
    robot.spin_until(lambda: views, again=lambda: look(0))
    assert views[-1].header.frame_id == "object"
    pose = conversions.matrix_from_pose(views[-1].pose)
    np.testing.assert_allclose(pose[:3, 3] @ pose[:3, 2], -np.linalg.norm(pose[:3, 3]), rtol=1e-6)
    assert pose[:3, 3] @ mug.poses[0][:3, 3] < 0.5 * np.linalg.norm(mug.poses[0][:3, 3]) ** 2


def rank(robot, candidates: np.ndarray | None = None, **request: object) -> RankViews.Response:
    given = PoseArray()
    if candidates is not None:
        given.header.frame_id = "object"
        given.poses = conversions.poses_from_matrices(candidates)
    return robot.call(RankViews, "/nvs/rank_views", RankViews.Request(candidates=given, **request))


def test_candidates_are_ranked_by_their_gain(forget, look, robot, mug):
    look(0)
    candidates = np.stack([mug.poses[i] for i in (1, 12, 24)])
    answer = rank(robot, candidates)
    assert answer.success, answer.message
    assert list(answer.gains) == sorted(answer.gains, reverse=True) and len(answer.gains) == 3
    worst = conversions.matrix_from_pose(answer.poses.poses[-1])
    np.testing.assert_allclose(worst, mug.poses[1], atol=1e-6)  # beside what is known
    before = answer.uncertainty
    look(24), look(12)
    assert rank(robot, candidates).uncertainty < before


def test_ranking_is_of_the_latest_image_too(mug):
    """It may have come while nobody subscribed to the views, which are then not imagined."""
    inference = Inference(runtime.load(find_weights("objects"), "cpu", "eager"), wake=lambda: None)
    settings = NodeSettings(weights="objects", object_radius=RADIUS)

    def uncertainty(i):
        header = Header(stamp=Time(sec=1 + i))
        message = conversions.image_from_array(mug.image(i, 64), header)
        source = Source(message, mug.poses[i], "object", 1 + i, None, None)
        return inference.ranking(mug.poses[:3], settings, source)().uncertainty

    try:
        one, both = uncertainty(0), uncertainty(24)
        assert both < one
        assert inference.memory.stamps() == [25_000_000_000, 1_000_000_000]
    finally:
        inference.worker.stop()


def test_without_candidates_the_ring_is_ranked(forget, look, robot):
    look(0)
    answer = rank(robot, count=5)
    assert answer.success and len(answer.poses.poses) == len(answer.gains) == 5
    assert answer.poses.header.frame_id == "object"
    whole = rank(robot)
    assert len(whole.gains) == 24 and list(whole.gains[:5]) == list(answer.gains)


def test_candidate_that_cannot_see_the_object_is_refused_by_number(forget, look, robot):
    look(0)
    away = look_at(eye_at(0.3, 0.2, 2.0), 2 * eye_at(0.3, 0.2, 2.0))
    answer = rank(robot, np.stack([orbit(1)[0], away]))
    assert not answer.success and "behind the camera of view 1" in answer.message


def test_candidate_with_an_invalid_pose_is_refused_by_number(forget, look, robot):
    look(0)
    given = PoseArray(poses=conversions.poses_from_matrices(orbit(2)))
    given.header.frame_id = "object"
    given.poses[1].orientation.w = 5.0
    answer = robot.call(RankViews, "/nvs/rank_views", RankViews.Request(candidates=given))
    assert not answer.success and "pose 1 of candidates: quaternion" in answer.message


def test_next_view_that_fails_drops_no_image(forget, look, robot, nvs):
    """With crops of unknown radius the ring may be inside the object, which nobody knows before."""
    robot.node.create_subscription(PoseStamped, "/nvs/next_view", lambda message: None, 1)
    assert robot.set_parameters("/nvs", object_radius=0.0, next_view__distance=0.01) == ""
    before = robot.counts()
    robot.spin_until(lambda: "nothing on ~/next_view: " in nvs.output, again=lambda: look(0))
    assert robot.counts()["invalid"] == before["invalid"]
    assert robot.set_parameters("/nvs", object_radius=RADIUS, next_view__distance=0.0) == ""
