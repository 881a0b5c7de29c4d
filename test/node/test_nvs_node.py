"""The nvs node in its own process, over DDS: its views are right, and it continues after faults."""

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.duration import Duration
from rclpy.time import Time
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool

from tiny_nvs_ros import geometry
from tiny_nvs_ros.decode import rgb_from_raw
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.srv import RenderPose

NVS = "tiny_nvs_ros.node"
STEPS, SAMPLES, TF_TIMEOUT = 2, 3, 1.0
CAMERA = geometry.look_at([1.2, -0.9, 0.8], [0.0, 0.0, 0.0])  # T_object_camera
DISTANCE = float(np.linalg.norm(CAMERA[:3, 3]))


@pytest.fixture(scope="module")
def nvs(start, robot, weights):
    parameters = {
        **{"weights": weights, "steps": STEPS, "samples": SAMPLES, "tf_timeout": TF_TIMEOUT},
        **{"views.orbit.count": 3, "views.orbit.elevations": "[0.5, -0.2]"},
    }
    process = start(NVS, parameters)
    yield process
    assert process.end() == 0, process.output
    assert "Traceback" not in process.output, process.output


@pytest.fixture
def change_state(robot):
    """change_state(Transition.TRANSITION_...) returns whether it succeeded."""

    def change_state(transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        return robot.call(ChangeState, "/nvs/change_state", request).success

    return change_state


@pytest.fixture
def state(robot):
    def state() -> str:
        return robot.call(GetState, "/nvs/get_state", GetState.Request()).current_state.label

    return state


@pytest.fixture
def render(nvs, robot):
    """render(T_frame_camera, frame, ...) calls render_pose."""

    def render(pose: np.ndarray, frame: str = "object", **request: object) -> RenderPose.Response:
        camera_pose = PoseStamped(pose=conversions.pose_from_matrix(pose))
        camera_pose.header.frame_id = frame
        request = RenderPose.Request(camera_pose=camera_pose, **request)
        return robot.call(RenderPose, "/nvs/render_pose", request)

    return render


@pytest.fixture(scope="module")
def expected(weights):
    """expected(picture, source, targets) is what the model says, asked without any node.

    Cameras are upright ones that look at the object, so their poses in model units are plain.
    """
    model = NovelViewModel.from_pretrained(weights)

    def expected(picture, source, targets, samples=SAMPLES, seed=0):
        def in_model_units(pose):
            pose = pose.copy()
            pose[:3, 3] *= 1.3 / np.linalg.norm(pose[:3, 3])
            return pose

        conditions = [np.linalg.inv(in_model_units(source)) @ in_model_units(t) for t in targets]
        return model.generate_relative(picture, conditions, samples=samples, seed=seed, steps=STEPS)

    return expected


def pixels(image: Image) -> np.ndarray:
    if image.encoding == "32FC1":
        return np.frombuffer(image.data, np.float32).reshape(image.height, image.width)
    return rgb_from_raw(image)


def assert_same_picture(image: Image, mean: np.ndarray) -> None:
    """To a grey level: other threads, other sums."""
    assert np.abs(pixels(image) - mean * 255).max() < 1.5


def test_views_equal_those_of_the_model_for_the_orbit(nvs, robot, picture, expected):
    views = robot.imagine(picture, CAMERA)  # has the stamp and frame of an image, see there
    orbit = geometry.orbit(3, [0.5, -0.2], DISTANCE)
    assert views.object_frame == "object"
    poses = [CAMERA @ conversions.matrix_from_pose(pose) for pose in views.camera_poses]
    np.testing.assert_allclose(poses, orbit, atol=1e-6)
    truth = expected(picture, CAMERA, orbit)
    for i, (image, uncertainty) in enumerate(zip(views.images, views.uncertainties, strict=True)):
        assert_same_picture(image, truth.mean[i])
        np.testing.assert_allclose(pixels(uncertainty), truth.std[i], atol=0.01)
        assert image.header.stamp == views.header.stamp
    assert np.abs(pixels(views.images[0]).astype(int) - pixels(views.images[1])).max() > 5
    info = views.camera_info
    assert (info.width, info.height) == (32, 32)
    focal = 131.25 / 128 * 32
    np.testing.assert_allclose(info.k, [focal, 0, 15.5, 0, focal, 15.5, 0, 0, 1])
    assert 0 < views.latency.sec + views.latency.nanosec * 1e-9 < 10


def test_rolled_camera_gives_the_same_views(nvs, robot, picture):
    straight = robot.imagine(picture, CAMERA)
    rolled = CAMERA @ geometry.pose_from(np.zeros(3), [0, 0, 1, 0])  # upside down
    views = robot.imagine(np.ascontiguousarray(picture[::-1, ::-1]), rolled)
    for ours, theirs in zip(views.images, straight.images, strict=True):
        assert np.abs(pixels(ours).astype(int) - pixels(theirs)).max() <= 1


def test_orbit_parameters_change_while_active(nvs, robot, picture):
    assert not robot.set_parameters("/nvs", views__orbit__count=2, views__orbit__distance=0.7)
    try:
        views = robot.imagine(picture, CAMERA)
        poses = [CAMERA @ conversions.matrix_from_pose(pose) for pose in views.camera_poses]
        np.testing.assert_allclose(poses, geometry.orbit(2, [0.5, -0.2], 0.7), atol=1e-6)
        assert views.camera_info.k[0] == pytest.approx(131.25 / 128 * 32 * 0.7 / DISTANCE)
        reason = robot.set_parameters("/nvs", views__orbit__elevations=[45.0])
        assert "45; it must be from -1.57 to 1.57" in reason
        reason = robot.set_parameters("/nvs", weights="elsewhere")
        assert "deactivate and clean up first" in reason
    finally:
        robot.set_parameters("/nvs", views__orbit__count=3, views__orbit__distance=0.0)


def test_views_of_tf_frames_equal_those_of_the_model(nvs, robot, picture, expected):
    """A static frame, and a moving one at the image's stamp."""
    still = geometry.look_at([-1.0, 0.4, 0.9], np.zeros(3))
    before, after = (geometry.look_at([x, 1.5, 0.6], np.zeros(3)) for x in (0.3, 0.7))
    robot.place_static("still", still)
    assert not robot.set_parameters("/nvs", views__frames=["still", "moving"])
    assert not robot.set_parameters("/nvs", views__source="frames")
    try:

        def show() -> Image:
            stamp = robot.now()
            robot.place("moving", before, stamp)
            robot.place("moving", after, stamp + Duration(seconds=0.2))
            robot.place("camera", CAMERA, stamp)
            return robot.show(picture, stamp)

        views = robot.views_of(show)
        poses = [CAMERA @ conversions.matrix_from_pose(pose) for pose in views.camera_poses]
        np.testing.assert_allclose(poses, [still, before], atol=1e-6)
        nearest = min(np.linalg.norm(still[:3, 3]), np.linalg.norm(before[:3, 3]))
        assert views.camera_info.k[0] == pytest.approx(131.25 / 128 * 32 * nearest / DISTANCE)
        assert_same_picture(views.images[0], expected(picture, CAMERA, [still, before]).mean[0])
    finally:
        robot.set_parameters("/nvs", views__source="orbit")


def test_render_pose_in_a_tf_frame_equals_the_model(robot, render, picture, expected):
    robot.imagine(picture, CAMERA)
    hand = geometry.look_at([0.2, 1.4, 0.7], np.zeros(3))
    robot.place_static("hand", hand)
    answers = [
        render(np.eye(4), "hand"),
        render(hand, "object"),
        render(geometry.inverse(CAMERA) @ hand, "camera"),
    ]
    truth = expected(picture, CAMERA, [hand])
    for answer in answers:
        assert answer.success, answer.message
        assert_same_picture(answer.image, truth.mean[0])
        np.testing.assert_allclose(pixels(answer.uncertainty), truth.std[0], atol=0.01)
        focal = 131.25 / 128 * 32 * np.linalg.norm(hand[:3, 3]) / DISTANCE
        assert answer.camera_info.k[0] == pytest.approx(focal)
        assert answer.view_pose.header.frame_id == "camera"
        view = CAMERA @ conversions.matrix_from_pose(answer.view_pose.pose)
        np.testing.assert_allclose(view, hand, atol=1e-6)
        assert answer.render_time.sec + answer.render_time.nanosec > 0


def test_render_pose_uses_the_image_samples_and_seed_of_the_request(
    robot, render, picture, expected
):
    latest = robot.imagine(picture, CAMERA)
    other = np.ascontiguousarray(picture[::-1])
    source = robot.see(other, CAMERA)
    target = geometry.look_at([0.2, 1.4, 0.7], np.zeros(3))
    answer = render(target, source_image=source, samples=1, seed=5)
    assert answer.success, answer.message
    assert answer.source_stamp == source.header.stamp
    assert not answer.uncertainty.data
    assert_same_picture(answer.image, expected(other, CAMERA, [target], 1, 5).mean[0])
    randoms = [render(target, source_image=source, samples=1, seed=-1).image.data for _ in "ab"]
    assert randoms[0] != randoms[1]
    assert latest.header.stamp != source.header.stamp


AWAY = geometry.look_at([1.0, 0.0, 0.0], [2.0, 0.0, 0.0])


@pytest.mark.parametrize(
    "change, reason",
    [
        (dict(frame="nowhere"), "no transform object <- nowhere: "),
        (dict(frame=""), "no frame_id"),
        (dict(pose=AWAY), "behind the camera"),
        (dict(pose=np.eye(4)), "centre"),
        (dict(samples=65), "at most 64"),
        (dict(source_image=Image(width=4, height=4, encoding="rgb8", step=12)), "needs 48 bytes"),
        (dict(source_image=Image(data=b"abc", encoding="rgb8")), "empty"),
        (dict(source_image=Image(width=4, height=4, encoding="16UC1")), "'16UC1' is not"),
    ],
)
def test_render_pose_refuses_with_the_reason(robot, render, picture, change, reason):
    robot.imagine(picture, CAMERA)
    answer = render(**{"pose": CAMERA, **change})
    assert not answer.success
    assert reason in answer.message
    assert not answer.image.data
    assert render(CAMERA).success


@pytest.mark.parametrize("field", ["position.x", "orientation.w"])
def test_render_pose_refuses_an_invalid_pose(robot, render, picture, field):
    robot.imagine(picture, CAMERA)
    pose = PoseStamped()
    pose.header.frame_id = "object"
    part, number = field.split(".")
    setattr(getattr(pose.pose, part), number, float("nan"))
    answer = robot.call(RenderPose, "/nvs/render_pose", RenderPose.Request(camera_pose=pose))
    assert not answer.success and "not" in answer.message


MALFORMED = (
    dict(width=0),
    dict(height=0),
    dict(data=b""),
    dict(data=bytes(100)),
    dict(encoding="bayer_rggb16"),
    dict(step=1),
)


@pytest.mark.parametrize("change", MALFORMED, ids=str)
def test_render_pose_refuses_a_malformed_image(change, nvs, robot, render, picture):
    image = robot.see(picture, CAMERA)
    for name, value in change.items():
        setattr(image, name, value)
    answer = render(CAMERA, source_image=image)
    assert not answer.success and answer.message


def test_malformed_images_are_dropped_and_the_node_continues(nvs, robot, picture):
    def show() -> None:
        for change in MALFORMED:
            stamp = robot.now()
            robot.place("camera", CAMERA, stamp)
            image = conversions.image_from_array(picture, PoseStamped().header)
            image.header.stamp, image.header.frame_id = stamp.to_msg(), "camera"
            for name, value in change.items():
                setattr(image, name, value)
            robot.publish(image)

    show()  # and again: of images that come at once a busy node sees the newest only
    robot.spin_until(lambda: "image dropped, invalid: " in nvs.output, again=show)
    robot.imagine(picture, CAMERA)  # of a later image, as it asserts
    assert "Traceback" not in nvs.output


def test_image_waits_for_its_transform(nvs, robot, state, picture):
    robot.imagine(picture, CAMERA)
    assert not robot.set_parameters("/nvs", tf_timeout=20.0)
    try:
        stamp = robot.now()
        image = robot.show(picture, stamp)
        state()  # meanwhile the node answers
        # Where the camera is at the stamp lies between before and after: both come later.
        moved = geometry.look_at([0.5, 1.0, 0.8], np.zeros(3))
        for offset in (-1, 1):
            robot.place("camera", moved, Time(nanoseconds=stamp.nanoseconds + offset * 10**6))
        robot.spin_until(lambda: any(views.header == image.header for views in robot.views))
    finally:
        robot.set_parameters("/nvs", tf_timeout=TF_TIMEOUT)
    pose = moved @ conversions.matrix_from_pose(robot.views[-1].camera_poses[0])
    first = geometry.orbit(3, [0.5], np.linalg.norm(moved[:3, 3]))[0]
    np.testing.assert_allclose(pose, first, atol=1e-6)


def test_missing_input_is_logged_once_and_again_when_it_arrives(nvs, robot, picture):
    robot.imagine(picture, CAMERA)
    assert "no image on /image yet" in nvs.output
    assert "receiving images on /image" in nvs.output
    for _ in range(3):
        robot.show(picture, robot.now(), frame="lost")
        robot.imagine(picture, CAMERA)
    robot.spin_until(  # a busy machine may drop some images
        lambda: "no transform object <- lost: " in nvs.output,
        again=lambda: robot.show(picture, robot.now(), frame="lost"),
    )
    robot.place_static("lost", CAMERA)
    robot.spin_until(
        lambda: "receiving transform object <- lost" in nvs.output,
        again=lambda: robot.show(picture, robot.now(), frame="lost"),
    )
    assert nvs.output.count("no transform object <- lost: ") == 1


def test_paused_node_keeps_images_for_requests(nvs, robot, render, picture):
    robot.imagine(picture, CAMERA)
    answer = robot.call(SetBool, "/nvs/enable", SetBool.Request(data=False))
    assert answer.success and answer.message == "paused"
    paused = robot.see(picture, CAMERA)
    stamps = []

    def ask() -> None:
        stamps.append(render(CAMERA).source_stamp)

    robot.spin_until(lambda: stamps[-2:] == [paused.header.stamp] * 2, again=ask)
    assert paused.header not in [views.header for views in robot.views]
    assert robot.call(SetBool, "/nvs/enable", SetBool.Request(data=True)).success
    robot.imagine(picture, CAMERA)


def test_old_image_is_dropped_with_a_hint(nvs, robot, picture):
    robot.imagine(picture, CAMERA)
    assert not robot.set_parameters("/nvs", max_image_age=1e-6)
    try:
        hint = "does a bag play without use_sim_time?"
        robot.spin_until(lambda: hint in nvs.output, again=lambda: robot.see(picture, CAMERA))
    finally:
        robot.set_parameters("/nvs", max_image_age=1.0)
    robot.imagine(picture, CAMERA)


def test_restarted_bag_is_imagined_again(nvs, robot, picture):
    robot.imagine(picture, CAMERA)
    assert not robot.set_parameters("/nvs", max_image_age=0.0)
    try:

        def show() -> Image:
            stamp = robot.now() - Duration(seconds=1000)
            robot.place("camera", CAMERA, stamp)
            return robot.show(picture, stamp)

        robot.views_of(show)
    finally:
        robot.set_parameters("/nvs", max_image_age=1.0)
    assert "time jumped back " in nvs.output
    robot.imagine(picture, CAMERA)


def test_newest_image_supersedes_older_ones(nvs, robot, picture):
    robot.imagine(picture, CAMERA)
    assert not robot.set_parameters("/nvs", steps=25)  # slow enough to be overtaken
    try:
        robot.views.clear()
        shown = [robot.see(picture, CAMERA).header for _ in range(8)]
        robot.spin_until(lambda: robot.views and robot.views[-1].header == shown[-1], seconds=60)
        assert len(robot.views) <= 3
    finally:
        robot.set_parameters("/nvs", steps=STEPS)


def test_lifecycle(nvs, robot, state, change_state, render, picture, weights, tmp_path):
    robot.imagine(picture, CAMERA)
    assert state() == "active"
    assert change_state(Transition.TRANSITION_DEACTIVATE)
    assert state() == "inactive"
    robot.spin_until(lambda: robot.node.count_subscribers("/image") == 0)
    answer = render(CAMERA)
    assert not answer.success and "not active" in answer.message
    assert "deactivate and clean up first" in robot.set_parameters("/nvs", weights="elsewhere")

    assert change_state(Transition.TRANSITION_CLEANUP)
    assert not robot.set_parameters("/nvs", weights=str(tmp_path / "missing"))
    assert not change_state(Transition.TRANSITION_CONFIGURE)
    assert state() == "unconfigured"
    assert f"weights folder {tmp_path / 'missing'} does not exist" in nvs.output

    assert not robot.set_parameters("/nvs", weights=str(weights))
    assert change_state(Transition.TRANSITION_CONFIGURE)
    assert change_state(Transition.TRANSITION_ACTIVATE)
    answer = render(CAMERA)
    assert not answer.success and "no image of the object yet" in answer.message
    robot.imagine(picture, CAMERA)
