"""Inputs of the nvs node: crops or whole images, raw or compressed, masks, view poses."""

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseArray, PoseStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from tiny_nvs_ros import geometry
from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.decode import rgb_from_raw
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.srv import RenderPose
from tiny_nvs_ros.virtual_camera import image_to_view, virtual_camera

CAMERA = geometry.look_at([1.2, -0.9, 0.8], [0.0, 0.0, 0.0])  # T_object_camera
STEPS, SAMPLES, RADIUS = 2, 2, 0.3


@pytest.fixture(scope="module")
def nvs(start, robot, weights):
    parameters = dict(weights=weights, steps=STEPS, samples=SAMPLES, tf_timeout=1.0)
    process = start("tiny_nvs_ros.node", {**parameters, "views.orbit.count": 2})
    yield process
    assert process.end() == 0, process.output
    assert "Traceback" not in process.output, process.output


@pytest.fixture
def settings(nvs, robot):
    """settings(name=value, ...) sets parameters until the end of the test."""
    defaults = dict(views__source="orbit", input="crop", image_transport="raw", mask=False)

    def settings(**values):
        assert not robot.set_parameters("/nvs", **values)

    yield settings
    settings(**defaults, object_radius=0.0, lazy=True, tf_timeout=1.0)


@pytest.fixture
def publisher(robot):
    """publisher(type, topic, qos=1), until the end of the test."""
    publishers = []

    def publisher(type_, topic, qos=1):
        publishers.append(robot.node.create_publisher(type_, topic, qos))
        return publishers[-1]

    yield publisher
    for each in publishers:
        robot.node.destroy_publisher(each)


@pytest.fixture(scope="module")
def imagined(weights):
    """imagined(image, T_object_camera) is the model's first view of the orbit."""
    model = NovelViewModel.from_pretrained(weights)

    def imagined(picture, source=CAMERA):
        distance = np.linalg.norm(source[:3, 3])
        targets = geometry.orbit(2, [0.5236], distance)
        conditions = geometry.relative_pose(
            virtual_camera(source).pose,
            np.stack([virtual_camera(target).pose for target in targets]),
        )
        return (
            model.generate_relative(picture, conditions, samples=SAMPLES, seed=0, steps=STEPS).mean[
                0
            ]
            * 255
        )

    return imagined


def assert_shows(image, expected):
    assert np.abs(rgb_from_raw(image).astype(float) - expected).max() < 1.5


def compressed(picture, stamp):
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    header = Header(stamp=stamp.to_msg(), frame_id="camera")
    return CompressedImage(header=header, format="png", data=data.tobytes())


def test_compressed_image_is_imagined(robot, settings, publisher, picture, imagined):
    settings(image_transport="compressed")
    images = publisher(CompressedImage, "image/compressed")

    def show():
        stamp = robot.now()
        robot.place("camera", CAMERA, stamp)
        message = compressed(picture, stamp)
        images.publish(message)
        return message

    assert_shows(robot.views_of(show).images[0], imagined(picture))


@pytest.mark.parametrize(("input", "info_frame"), [("camera", "camera"), ("rectified", "")])
def test_object_is_cut_from_a_whole_image_by_camera_info(
    robot, settings, publisher, imagined, input, info_frame
):
    """A wrist camera, upside down, that looks past the object. info_frame: empty, too."""
    settings(object_radius=RADIUS)
    settings(input=input)
    aside = geometry.look_at([1.2, -0.9, 0.8], [0.15, 0.1, -0.1])
    source = aside @ geometry.pose_from(np.zeros(3), [0, 0, 1, 0])
    rng = np.random.default_rng(0)
    whole = cv2.resize(
        rng.integers(0, 256, (12, 16, 3), dtype=np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC
    )
    infos = publisher(CameraInfo, "camera_info")
    info = conversions.pinhole(320, 240, 400.0, 160.0, 120.0, Header())
    info.d = [-0.2, 0.05, 0.0, 0.0, 0.0]

    def show():
        stamp = robot.now()
        robot.place("camera", source, stamp)
        info.header = Header(stamp=stamp.to_msg(), frame_id=info_frame)
        infos.publish(info)
        return robot.show(whole, stamp)

    views = robot.views_of(show)
    camera = Camera.from_info(info, rectified=input == "rectified")
    virtual = virtual_camera(source)
    crop, _ = image_to_view(whole, camera, virtual, RADIUS, 32)
    assert_shows(views.images[0], imagined(crop, source))
    poses = [source @ conversions.matrix_from_pose(pose) for pose in views.camera_poses]
    orbit = geometry.orbit(2, [0.5236], np.linalg.norm(source[:3, 3]))
    np.testing.assert_allclose(poses, orbit, atol=1e-6)
    model = geometry.SRN_CAMERA
    focal = 32 * model.focal_at(virtual.distance) * model.radius / RADIUS
    assert views.camera_info.k[0] == pytest.approx(focal)


def test_missing_or_wrong_camera_info_is_reported(nvs, robot, settings, publisher, picture):
    settings(object_radius=RADIUS, tf_timeout=0.2)
    settings(input="camera")
    missing = "no camera_info on /camera_info yet"
    robot.spin_until(lambda: missing in nvs.output, again=lambda: robot.see(picture, CAMERA))
    infos = publisher(CameraInfo, "camera_info")

    def see_with(width, frame):
        infos.publish(conversions.pinhole(width, 64, 70.0, 32, 32, Header(frame_id=frame)))
        robot.see(picture, CAMERA)

    for info, reason in (
        ((640, "camera"), "the image has 64x64 pixels, its camera_info says 640x64"),
        ((64, "other"), "image is of the camera 'camera', camera_info of 'other': remap"),
    ):
        service = RenderPose.Request()
        service.camera_pose = PoseStamped(pose=conversions.pose_from_matrix(CAMERA))
        service.camera_pose.header.frame_id = "object"
        service.source_image = robot.see(picture, CAMERA)
        answers = []

        def ask(info=info, service=service, answers=answers):
            see_with(*info)
            answers.append(robot.call(RenderPose, "/nvs/render_pose", service).message)

        robot.spin_until(lambda: any(reason in a for a in answers), again=ask)  # noqa: B023
    assert "receiving camera_info on /camera_info" in nvs.output


def test_input_camera_without_object_radius_is_refused(robot, nvs):
    assert "object_radius is 0: set that first" in robot.set_parameters("/nvs", input="camera")


def test_mask_makes_the_background_white(nvs, robot, settings, publisher, picture, imagined):
    settings(mask=True, tf_timeout=5.0)
    masks = publisher(Image, "mask")
    inside = np.zeros((64, 64), np.uint8)
    inside[10:50, 20:40] = 1
    mask = Image(height=64, width=64, step=64, encoding="mono8", data=inside.tobytes())

    def show():
        image = robot.see(picture, CAMERA)
        mask.header = image.header
        robot.spin_until(lambda: masks.get_subscription_count() > 0)
        masks.publish(mask)  # after its image, as a segmentation's
        return image

    views = robot.views_of(show)
    cut = np.where(inside[..., None] > 0, picture, np.uint8(255))
    assert_shows(views.images[0], imagined(cut))


@pytest.mark.parametrize("kind", ["white", "transparent", "one colour"])
def test_image_without_an_object_is_dropped_with_a_warning(nvs, robot, picture, kind):
    image = {
        "white": np.full((64, 64, 3), 255, np.uint8),
        "transparent": np.dstack([picture, np.zeros((64, 64), np.uint8)]),
        "one colour": np.full((64, 64, 3), (90, 140, 90), np.uint8),
    }[kind]
    nothing = "nothing but background in the view of the camera"
    counts = robot.counts()["invalid"]
    robot.spin_until(
        lambda: robot.counts()["invalid"] > counts, again=lambda: robot.see(image, CAMERA)
    )
    robot.spin_until(
        lambda: robot.statuses["/nvs"].level == DiagnosticStatus.WARN,
        again=lambda: robot.see(image, CAMERA),
    )
    assert nothing in robot.statuses["/nvs"].message
    answer = robot.ask_view(CAMERA)
    robot.spin_until(answer.done)
    assert not answer.result().success and nothing in answer.result().message


def test_image_without_its_mask_is_dropped(nvs, robot, settings, picture):
    settings(mask=True, tf_timeout=0.1)
    robot.spin_until(
        lambda: "no mask on /mask with the stamp of the image" in nvs.output,
        again=lambda: robot.see(picture, CAMERA),
    )


def test_latched_view_poses_in_any_frame_are_imagined(robot, settings, publisher, picture):
    hand = geometry.look_at([0.3, 0.1, 0.2], [0.0, 0.5, 0.0])
    robot.place_static("hand", hand)
    wanted = [geometry.look_at([x, 1.5, 0.6], [0.02, 0.0, 0.01]) for x in (0.3, -0.7, 0.9)]
    poses = [conversions.pose_from_matrix(geometry.inverse(hand) @ pose) for pose in wanted]
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    message = PoseArray(header=Header(frame_id="hand"), poses=poses)
    publisher(PoseArray, "view_poses", latched).publish(message)
    settings(views__source="poses")

    def views_are_three():
        views = robot.imagine(picture, CAMERA)
        return views if len(views.images) == 3 else None

    views = views_are_three() or views_are_three()
    for ours, theirs in zip(views.camera_poses, wanted, strict=True):
        ours = CAMERA @ conversions.matrix_from_pose(ours)
        np.testing.assert_allclose(ours[:3, 3], theirs[:3, 3], atol=1e-6)


def test_view_poses_without_poses_are_reported(nvs, robot, settings, publisher, picture):
    # A publisher of its own, since what was latched in another test is still known.
    settings(views__source="poses")
    empty = PoseArray(header=Header(frame_id="object"))
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    publisher(PoseArray, "view_poses", latched).publish(empty)
    robot.spin_until(
        lambda: "view_poses has 0 poses; it must have 1 to 256" in nvs.output,
        again=lambda: robot.see(picture, CAMERA),
    )


@pytest.mark.parametrize("lazy, summary", [(True, "images: none"), (False, "images: published ")])
def test_lazy_node_without_subscribers_does_not_imagine(
    start, robot, weights, picture, lazy, summary
):
    remappings = {"__ns": "/unseen", "image": "/image"}
    process = start("tiny_nvs_ros.node", dict(weights=weights, steps=STEPS, lazy=lazy), remappings)
    request = RenderPose.Request()
    request.camera_pose.pose = conversions.pose_from_matrix(CAMERA)
    request.camera_pose.header.frame_id = "object"

    def image_came(stamp):
        answer = robot.call(RenderPose, "/unseen/nvs/render_pose", request)
        return answer.success and answer.source_stamp == stamp

    robot.spin_until(lambda: "active" in process.output)
    shown = []
    robot.spin_until(
        lambda: any(image_came(stamp) for stamp in shown[-2:]),
        again=lambda: shown.append(robot.see(picture, CAMERA).header.stamp),
    )
    change = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE))
    assert robot.call(ChangeState, "/unseen/nvs/change_state", change).success
    robot.spin_until(lambda: f"inactive; {summary}" in process.output)
    assert process.end() == 0
