"""Faults of a robot, over DDS: the nvs node publishes no wrong view, and continues.

The node runs with the model of traced_nvs, whose views say which picture and pose they are of.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from rclpy.duration import Duration
from rclpy.time import Time
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from traced_nvs import (
    ENDLESS,
    ERROR,
    FINE,
    LEAVE,
    NO_CPU_MEMORY,
    NO_GPU_MEMORY,
    NO_MEMORY,
    SLOW,
    picture,
    read,
)

from tiny_nvs_ros import geometry
from tiny_nvs_ros.decode import rgb_from_raw
from tiny_nvs_ros.msg import NovelViews
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.srv import RenderPose

COUNT = 3  # views of an image
CAMERA = geometry.look_at([1.2, -0.9, 0.8], [0.0, 0.0, 0.0])  # T_object_camera

numbers = itertools.count(1)


@pytest.fixture(scope="module")
def nvs(start, robot, weights):
    parameters = {
        **{"weights": weights, "samples": 1, "tf_timeout": 0.3, "max_image_age": 0.0},
        "views.orbit.count": COUNT,
    }
    process = start("traced_nvs", parameters)
    yield process
    assert process.end() == 0, process.output


@pytest.fixture
def counts(nvs, robot) -> Callable[[], Counter]:
    """counts() restarts the node and returns its image counts until then, by reason."""

    def counts() -> Counter:
        before = nvs.output.count("inactive; images: ")
        assert robot.change_state("DEACTIVATE")
        robot.spin_until(lambda: nvs.output.count("inactive; images: ") > before)
        assert robot.change_state("ACTIVATE")
        robot.views.clear()
        summary = re.findall(r"inactive; images: (.*)", nvs.output)[-1]
        pairs = re.findall(r"([a-z_ ]+) (\d+)(?:, |$)", summary)
        return Counter({kind: int(count) for kind, count in pairs})

    counts()
    return counts


@pytest.fixture
def said(nvs, counts) -> Callable[[str], list[str]]:
    """said(pattern) finds a pattern in what the node logged in this test."""
    before = len(nvs.output)
    return lambda pattern: re.findall(pattern, nvs.output[before:])


@dataclass(frozen=True)
class Shown:
    header: Header
    pose: np.ndarray  # T_object_camera


class Album:
    """All published images, by which views are identified."""

    def __init__(self):
        self.shown: dict[int, Shown] = {}

    def add(self, number: int, image: Image, pose: np.ndarray) -> Image:
        self.shown[number] = Shown(image.header, pose)
        return image

    def check(self, views: NovelViews) -> None:
        """Assert that views belong to the image with their stamp and frame, and to its pose."""
        for image, pose in zip(views.images, views.camera_poses, strict=True):
            number, condition = read(rgb_from_raw(image))
            shown = self.shown[number]
            assert views.header == shown.header
            assert image.header.stamp == shown.header.stamp
            target = shown.pose @ conversions.matrix_from_pose(pose)
            wanted = geometry.relative_pose(in_model_units(shown.pose), in_model_units(target))
            np.testing.assert_allclose(condition, wanted, atol=1e-6)
        targets = [shown.pose @ conversions.matrix_from_pose(p) for p in views.camera_poses]
        orbit = geometry.orbit(COUNT, [0.5236], float(np.linalg.norm(shown.pose[:3, 3])))
        np.testing.assert_allclose(targets, orbit, atol=1e-6)

    def check_answer(self, answer: RenderPose.Response, target: np.ndarray) -> None:
        assert answer.success, answer.message
        number, condition = read(rgb_from_raw(answer.image))
        shown = self.shown[number]
        assert answer.source_stamp == shown.header.stamp
        wanted = geometry.relative_pose(in_model_units(shown.pose), in_model_units(target))
        np.testing.assert_allclose(condition, wanted, atol=1e-6)


def in_model_units(pose: np.ndarray) -> np.ndarray:
    pose = pose.copy()
    pose[:3, 3] *= geometry.SRN_CAMERA.distance / np.linalg.norm(pose[:3, 3])
    return pose


@pytest.fixture
def see(robot) -> Callable[..., Image]:
    """see() publishes a new image and its camera's pose at its stamp."""
    return lambda fault=FINE: robot.see(picture(next(numbers), fault), CAMERA)


@pytest.fixture
def works(counts, robot, see) -> Callable[[], None]:
    """works() asserts that a new image gets its views, and a request its response."""

    def works() -> None:
        robot.views_of(see)
        answer = robot.ask_view(CAMERA)
        robot.spin_until(answer.done)
        assert answer.result().success, answer.result().message

    works()
    return works


# Transforms -------------------------------------------------------------------------------------


def test_image_of_an_unknown_frame_is_dropped(robot, counts, works, said):
    shown = []

    def show():
        shown.append(robot.show(picture(next(numbers)), robot.now(), frame="nowhere"))

    robot.spin_until(lambda: said("no transform object <- nowhere: "), again=show)
    works()
    assert not [views for views in robot.views if views.header.frame_id == "nowhere"]
    assert 1 <= counts()["no transform"] <= len(shown)


def test_image_whose_transform_comes_after_tf_timeout_is_dropped(robot, counts, works, said):
    shown = []

    def show():
        shown.append(robot.show(picture(next(numbers)), robot.now(), frame="late"))

    robot.spin_until(lambda: said("no transform object <- late: "), again=show)
    for image in shown:
        robot.place("late", CAMERA, Time.from_msg(image.header.stamp))

    def show_in_time():
        stamp = robot.now()
        robot.place("late", CAMERA, stamp)
        robot.show(picture(next(numbers)), stamp, frame="late")

    robot.spin_until(lambda: said("receiving transform object <- late"), again=show_in_time)
    works()
    late = [image.header for image in shown]
    assert not [views for views in robot.views if views.header in late]
    assert counts()["no transform"] >= 1


@pytest.mark.parametrize("when, known", [("future", (-3, -2)), ("past", (2, 3))])
def test_image_outside_the_time_of_tf_is_dropped(robot, counts, works, said, when, known):
    frame = f"camera_{when}"

    def show():
        stamp = robot.now()
        for offset in known:
            robot.place(frame, CAMERA, Time(nanoseconds=stamp.nanoseconds + offset * 10**9))
        robot.show(picture(next(numbers)), stamp, frame)

    why = rf"no transform object <- {frame}: .*extrapolation into the {when}"
    robot.spin_until(lambda: said(why), again=show)
    works()
    assert not [views for views in robot.views if views.header.frame_id == frame]
    assert counts()["no transform"] >= 1


def test_views_stop_while_the_object_is_lost_and_resume(robot, counts, works, said):
    T_object_thing = geometry.pose_from([0.1, 0.2, 0.0], [0.0, 0.0, 1.0, 0.0])
    orbit = geometry.orbit(COUNT, [0.5236], float(np.linalg.norm(CAMERA[:3, 3])))
    why = "no transform thing <- camera: .*extrapolation into the future"
    lost = []

    def see() -> Image:
        stamp = robot.now()
        robot.place("thing", T_object_thing, stamp)
        robot.place("camera", T_object_thing @ CAMERA, stamp)
        return robot.show(picture(next(numbers)), stamp)

    def see_without_it() -> None:
        lost.append(robot.see(picture(next(numbers)), T_object_thing @ CAMERA).header)

    assert not robot.set_parameters("/nvs", object_frame="thing")
    try:
        for _ in "there", "back":
            views = robot.views_of(see)
            assert views.object_frame == "thing"
            pose = CAMERA @ conversions.matrix_from_pose(views.camera_poses[0])
            np.testing.assert_allclose(pose, orbit[0], atol=1e-6)
            if not lost:
                robot.spin_until(lambda: said(why), again=see_without_it)
    finally:
        robot.set_parameters("/nvs", object_frame="object")
    assert said("receiving transform thing <- camera")
    assert not [views for views in robot.views if views.header in lost]
    works()
    assert counts()["no transform"] >= 1


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "translation, rotation",
    [
        ((NAN, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)),
        ((INF, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)),
        ((1.0, 0.0, 0.0), (NAN, 0.0, 0.0, 1.0)),
        ((1.0, 0.0, 0.0), (0.0, 0.0, 0.0, INF)),
        ((1.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0)),
    ],
    ids=str,
)
def test_invalid_transform_is_refused(request, robot, counts, works, translation, rotation):
    frame = f"bad_{abs(hash(request.node.name))}"

    def show():
        stamp = robot.now()
        bad = robot.transform(frame, CAMERA, stamp)
        t, r = bad.transform.translation, bad.transform.rotation
        t.x, t.y, t.z = translation
        r.x, r.y, r.z, r.w = rotation
        robot.tf.sendTransform(bad)
        robot.show(picture(next(numbers)), stamp, frame)

    def show_well() -> Image:
        stamp = robot.now()
        robot.place(frame, CAMERA, stamp)
        return robot.show(picture(next(numbers)), stamp, frame)

    for _ in range(3):
        show()
    works()
    assert not [views for views in robot.views if views.header.frame_id == frame]
    robot.views_of(show_well)  # the frame is no worse for it
    assert counts()["error"] == 0


def test_transform_with_a_long_quaternion_is_normalised(robot, works):
    """As in tf2."""
    album = Album()

    def show() -> Image:
        stamp, number = robot.now(), next(numbers)
        long = robot.transform("long", CAMERA, stamp)
        r = long.transform.rotation
        r.x, r.y, r.z, r.w = 3 * r.x, 3 * r.y, 3 * r.z, 3 * r.w
        robot.tf.sendTransform(long)
        return album.add(number, robot.show(picture(number), stamp, "long"), CAMERA)

    album.check(robot.views_of(show))


def test_camera_at_the_objects_centre_is_refused(robot, counts, works, said):
    def show():
        stamp = robot.now()
        robot.place("inside", np.eye(4), stamp)
        robot.show(picture(next(numbers)), stamp, "inside")

    robot.spin_until(lambda: said("image dropped, invalid: .*"), again=show)
    assert "the camera stands at the object's centre" in said("image dropped, invalid: .*")[0]
    works()
    assert counts()["invalid"] >= 1


# Requests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0.0, 0.5, 2.0, NAN, INF])
def test_request_with_a_quaternion_that_is_not_unit_length_is_refused(robot, works, length):
    pose = conversions.pose_from_matrix(CAMERA)
    q = pose.orientation
    q.x, q.y, q.z, q.w = (length * part for part in (q.x, q.y, q.z, q.w))
    request = RenderPose.Request(camera_pose=PoseStamped(pose=pose))
    request.camera_pose.header.frame_id = "object"
    answer = robot.call(RenderPose, "/nvs/render_pose", request)
    assert not answer.success and "not of unit length" in answer.message
    works()


def test_request_with_a_quaternion_of_few_digits_is_served(robot, works):
    pose = conversions.pose_from_matrix(CAMERA)
    q = pose.orientation
    q.x, q.y, q.z, q.w = (round(part, 2) for part in (q.x, q.y, q.z, q.w))
    request = RenderPose.Request(camera_pose=PoseStamped(pose=pose))
    request.camera_pose.header.frame_id = "object"
    answer = robot.call(RenderPose, "/nvs/render_pose", request)
    assert answer.success, answer.message


# Time -------------------------------------------------------------------------------------------


@pytest.fixture
def sim_time(nvs, robot, counts):
    """sim_time(seconds) sets the clock of the simulation."""
    clock = robot.node.create_publisher(Clock, "/clock", 10)

    def set_clock(seconds: float) -> Time:
        stamp = Time(nanoseconds=round(seconds * 1e9))
        clock.publish(Clock(clock=stamp.to_msg()))
        return stamp

    assert not robot.set_parameters("/nvs", use_sim_time=True, max_image_age=1.0)
    robot.spin_until(lambda: clock.get_subscription_count() == 1)
    yield set_clock
    assert not robot.set_parameters("/nvs", use_sim_time=False, max_image_age=0.0)
    robot.node.destroy_publisher(clock)


def test_views_are_right_after_a_simulation_restarts_elsewhere(nvs, robot, sim_time):
    """The second run has the stamps of the first; its images get the poses of their own run."""
    album, runs = Album(), []
    for eye in [1.2, -0.9, 0.8], [-0.3, 1.5, 0.4], [0.2, -1.1, 1.6]:
        pose, seconds = geometry.look_at(eye, np.zeros(3)), itertools.count(1000, 5)

        def show(pose=pose, seconds=seconds) -> Image:
            stamp, number = sim_time(next(seconds) / 10), next(numbers)
            for offset in -0.2, 0.2:
                robot.place("camera", pose, stamp + Duration(seconds=offset))
            return album.add(number, robot.show(picture(number), stamp), pose)

        for _ in range(4):
            runs.append(robot.views_of(show))
        for views in robot.views:
            album.check(views)
        robot.views.clear()
    assert len(runs) == 12


def test_requests_are_served_after_a_simulation_restarts(nvs, robot, sim_time):
    """Requests use the transforms of this run, before its first image and after."""
    first, second = CAMERA, geometry.look_at([-0.3, 1.5, 0.4], np.zeros(3))
    album, seconds = Album(), itertools.count(1000, 5)

    def show(pose: np.ndarray) -> Image:
        stamp, number = sim_time(next(seconds) / 10), next(numbers)
        for offset in -0.2, 0.2:
            robot.place("camera", pose, stamp + Duration(seconds=offset))
        return album.add(number, robot.show(picture(number), stamp), pose)

    for _ in range(3):
        robot.views_of(lambda: show(first))
    stamp = sim_time(100.0)
    for offset in 0.0, 0.1:
        robot.place("camera", second, stamp + Duration(seconds=offset))
    number = next(numbers)
    image = conversions.image_from_array(picture(number), Header(frame_id="camera"))
    image.header.stamp = (stamp + Duration(seconds=0.05)).to_msg()
    album.add(number, image, second)
    target = geometry.look_at([0.2, 1.4, 0.7], np.zeros(3))
    answers = []

    def ask() -> None:
        for offset in 0.0, 0.1:
            robot.place("camera", second, stamp + Duration(seconds=offset))
        future = robot.ask_view(target, source_image=image)
        robot.spin_until(future.done)
        answers.append(future.result())
        if answers[-1].success:
            album.check_answer(answers[-1], target)

    robot.spin_until(lambda: answers and answers[-1].success, again=ask)


# Sizes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 64), (64, 1), (31, 33)], ids=str)
def test_small_images_are_imagined(robot, works, size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    robot.views_of(lambda: robot.see(image, CAMERA))
    works()


def test_single_pixel_is_refused_as_background(robot, works):
    image = conversions.image_from_array(np.zeros((1, 1, 3), np.uint8), Header(frame_id="camera"))
    answer = robot.ask_view(CAMERA, source_image=image)
    robot.spin_until(answer.done)
    assert "nothing but background in the view" in answer.result().message
    works()


@pytest.mark.parametrize("encoding, channels", [("rgb8", 3), ("mono8", 1)])
def test_large_images_are_imagined(nvs, robot, works, encoding, channels):
    side = 8192
    header = Header(stamp=robot.now().to_msg(), frame_id="camera")
    image = Image(header=header, encoding=encoding, height=side, width=side, step=side * channels)
    pixels = np.zeros((side, side, channels), np.uint8)
    pixels[side // 4 : -side // 4, side // 4 : -side // 4] = 200
    image.data = conversions.array("B", pixels.tobytes())
    robot.place("camera", CAMERA, Time.from_msg(header.stamp))
    robot.publish(image)
    answer = robot.ask_view(CAMERA, source_image=image)
    robot.spin_until(answer.done, seconds=120)
    assert answer.result().success, answer.result().message
    works()


def test_truncated_images_are_dropped(robot, counts, works, said):
    shown = []

    def show() -> None:
        stamp = robot.now()
        robot.place("camera", CAMERA, stamp)
        header = Header(stamp=stamp.to_msg(), frame_id="camera")
        image = conversions.image_from_array(picture(next(numbers)), header)
        image.data = image.data[:-1]
        shown.append(robot.publish(image).header)

    robot.spin_until(lambda: said("needs 3072 bytes .*, has 3071"), again=show)
    works()
    assert not [views for views in robot.views if views.header in shown]
    assert 1 <= counts()["invalid"] <= len(shown)


# The model --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault, kind, why",
    [
        (NO_MEMORY, "out of memory", "none left"),
        (NO_CPU_MEMORY, "out of memory", "cpu is out of memory: .*can't allocate memory"),
        (NO_GPU_MEMORY, "out of memory", "is out of memory: CUDA out of memory"),
        (ERROR, "error", r"(?s)Traceback.*RuntimeError: a fault of the model"),
        (LEAVE, "error", "a library left"),
    ],
)
def test_image_is_dropped_with_an_error_if_the_model_fails(
    robot, counts, works, see, said, fault, kind, why
):
    shown = []
    robot.spin_until(
        lambda: said(why),
        again=lambda: shown.extend(see(fault).header for _ in range(3)),
    )
    works()
    assert not [views for views in robot.views if views.header in shown]
    assert len(said(why)) == 1  # once a period
    assert not said("Traceback") or kind == "error"
    tally = counts()
    assert 1 <= tally[kind] <= len(shown)


@pytest.mark.parametrize("fault, why", [(NO_GPU_MEMORY, "memory"), (ERROR, "a fault of the")])
def test_request_gets_the_error_if_the_model_fails(robot, works, fault, why):
    source = robot.see(picture(next(numbers), fault), CAMERA)
    answer = robot.ask_view(CAMERA, source_image=source)
    robot.spin_until(answer.done)
    assert not answer.result().success and why in answer.result().message
    works()


@pytest.mark.parametrize("back", [False, True])
def test_deactivation_ends_a_running_inference(robot, works, see, said, back):
    """The inference is endless; the node may be active again at once."""
    source = robot.see(picture(next(numbers), ENDLESS), CAMERA)
    answers = [robot.ask_view(CAMERA, source_image=source) for _ in range(2)]  # the second waits
    robot.spin_until(lambda: said("at it"))
    assert robot.change_state("DEACTIVATE")
    if back:
        assert robot.change_state("ACTIVATE")
    robot.spin_until(lambda: all(answer.done() for answer in answers))
    for answer in answers:
        assert not answer.result().success
        # The second request may not have reached the worker yet.
        reasons = ("the node was deactivated", "the node is not active")
        assert answer.result().message in reasons[: 1 + (answer is answers[1])]
    if not back:
        assert robot.change_state("ACTIVATE")
    works()


# All at once ------------------------------------------------------------------------------------


def test_every_view_has_the_stamp_and_pose_of_its_image(nvs, robot, counts, works):
    """Many images of two moving cameras: their transforms come early, late, between others or not
    at all; some images are malformed or slow, and requests come in between."""
    rng = np.random.default_rng(0)
    album, asked = Album(), []

    def random_camera() -> np.ndarray:
        eye = rng.normal(size=3)
        return geometry.look_at(eye * rng.uniform(0.6, 3.0) / np.linalg.norm(eye), np.zeros(3))

    def show() -> None:
        number, pose = next(numbers), random_camera()
        when = rng.choice(["before", "around", "after", "never"], p=[0.4, 0.3, 0.2, 0.1])
        frame = "unknown" if when == "never" else rng.choice(["left", "right"])
        stamp = robot.now()
        if when == "before":
            robot.place(frame, pose, stamp)
        if when == "around":
            for offset in -1, 1:
                robot.place(frame, pose, Time(nanoseconds=stamp.nanoseconds + offset * 1000))
        header = Header(stamp=stamp.to_msg(), frame_id=frame)
        fault = rng.choice([FINE, SLOW, ERROR, NO_MEMORY], p=[0.8, 0.1, 0.05, 0.05])
        image = conversions.image_from_array(picture(number, fault), header)
        if rng.random() < 0.1:
            image.data = image.data[:100]
        robot.publish(image)
        album.add(number, image, pose)
        if when == "after":
            robot.place(frame, pose, stamp)
        if rng.random() < 0.2:
            target = random_camera()
            asked.append((robot.ask_view(target), target))
        end = robot.now() + Duration(seconds=rng.uniform(0.0, 0.04))
        robot.spin_until(lambda: robot.now() >= end)

    robot.views.clear()
    for _ in range(400):
        show()
    robot.spin_until(lambda: all(future.done() for future, _ in asked))
    mine = [views for views in robot.views if views.header.frame_id in ("left", "right")]
    for views in mine:
        album.check(views)
    assert len(mine) > 30
    stamps = [Time.from_msg(views.header.stamp).nanoseconds for views in mine]
    assert stamps == sorted(stamps)
    answers = [(future.result(), target) for future, target in asked if future.result().success]
    for answer, target in answers:
        if read(rgb_from_raw(answer.image))[0] in album.shown:
            album.check_answer(answer, target)
    assert len(answers) > 10
    tally = counts()
    print(tally)
    assert tally["published"] >= len(mine)
    for kind in "newer image", "no transform", "invalid", "error", "out of memory":
        assert tally[kind] > 0, tally
