"""More images and requests than the model can serve: views stay recent and correct.

Time is counted in images and inferences, not in seconds: the machine may be busy with other things.
"""

import itertools
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rclpy.time import Time
from robot import view_request
from std_msgs.msg import Header
from traced_nvs import FINE, SLOW, read
from traced_nvs import picture as numbered

from tiny_nvs_ros import geometry
from tiny_nvs_ros.decode import rgb_from_raw
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.srv import RenderPose

CAMERA = geometry.look_at([1.2, -0.9, 0.8], [0.0, 0.0, 0.0])  # T_object_camera
RATE = 60  # Hz
IMAGES = int(os.environ.get("NVS_TEST_IMAGES", "2000"))  # of the flood; 20000 take minutes


@pytest.fixture(scope="module")
def nvs(start, robot, weights):
    parameters = {"weights": weights, "samples": 1, "views.orbit.count": 1, "tf_timeout": 0.1}
    process = start("traced_nvs", parameters)
    robot.place_static("camera", CAMERA)
    robot.imagine(numbered(0), CAMERA)
    yield process
    assert process.end() == 0, process.output
    assert "Traceback" not in process.output


@pytest.fixture
def anew(nvs, robot):
    """Restart the node, which clears its counts."""
    assert robot.change_state("DEACTIVATE")
    assert robot.change_state("ACTIVATE")
    robot.views_of(lambda: robot.show(numbered(0), robot.now()))


class Camera:
    """Publishes numbered images at RATE from a timer, and records the views of them."""

    def __init__(self, robot, fault: int):
        self.robot, self.fault = robot, fault
        self.shown: list[int] = []  # stamps, ns
        self.received: list[tuple[int, int]] = []  # number of the picture, and of the newest then
        self._timer = robot.node.create_timer(1 / RATE, self._show)
        robot.views.clear()

    def _show(self) -> None:
        image = self.robot.show(numbered(len(self.shown), self.fault), self.robot.now())
        self.shown.append(Time.from_msg(image.header.stamp).nanoseconds)
        for views in self.robot.views:
            number, _ = read(rgb_from_raw(views.images[0]))
            assert self.shown[number] == Time.from_msg(views.header.stamp).nanoseconds
            self.received.append((number, len(self.shown) - 1))
        self.robot.views.clear()

    def close(self) -> None:
        self.robot.node.destroy_timer(self._timer)


@pytest.fixture
def camera(robot, anew):
    """camera(fault) starts to publish images that cause a fault of the model."""
    cameras = []

    def camera(fault: int) -> Camera:
        cameras.append(Camera(robot, fault))
        return cameras[-1]

    yield camera
    for each in cameras:
        each.close()


def test_published_views_are_no_older_than_an_inference(robot, camera):
    """The age is counted in images shown since, as is an inference: from one result to the next.

    An image that waits while another is inferred, as in a queue of one, would be twice as old.
    """
    camera = camera(SLOW)
    robot.spin_until(lambda: len(camera.received) > 20, seconds=120)
    camera.close()
    numbers = [number for number, _ in camera.received]
    assert numbers == sorted(set(numbers))
    ages = [newest - number for number, newest in camera.received]
    inferences = [after - before for before, after in itertools.pairwise(numbers)]
    print(f"images shown in an inference: {inferences}, since the published one: {ages}")
    assert statistics.median(ages) < 1.5 * statistics.median(inferences) + 5  # DDS takes some too
    counts = robot.counts()
    assert counts.keys() == {"published", "newer image"}
    assert len(camera.received) <= counts["published"]
    assert sum(counts.values()) <= len(camera.shown) + 2  # those of `anew`


def test_requests_are_served_before_images(robot, camera):
    """Between a call and its response at most two inferences of images end."""
    camera = camera(SLOW)
    robot.spin_until(lambda: len(camera.received) > 3)
    ended = []
    for _ in range(10):
        before = len(camera.received)
        answer = robot.ask_view(CAMERA)
        robot.spin_until(answer.done)
        assert answer.result().success, answer.result().message
        ended.append(len(camera.received) + len(robot.views) - before)
    print("inferences between call and answer:", ended)
    assert statistics.median(ended) <= 2 and max(ended) <= 4


def test_eight_concurrent_clients_get_their_own_responses(robot, camera):
    camera = camera(FINE)
    robot.spin_until(lambda: len(camera.received) > 3)
    clients = [robot.node.create_client(RenderPose, "/nvs/render_pose") for _ in range(8)]
    robot.spin_until(lambda: all(client.service_is_ready() for client in clients))
    targets = geometry.orbit(8, [0.3], float(np.linalg.norm(CAMERA[:3, 3])))
    wanted = geometry.relative_pose(in_model_units(CAMERA), in_model_units(targets))
    for _ in range(5):
        answers = ask_all(robot, clients, targets)
        for answer, pose in zip(answers, wanted, strict=True):
            number, condition = read(rgb_from_raw(answer.image))
            assert camera.shown[number] == Time.from_msg(answer.source_stamp).nanoseconds
            np.testing.assert_allclose(condition, pose, atol=1e-6)
    for client in clients:
        robot.node.destroy_client(client)


def ask_all(robot, clients, targets, **request) -> list[RenderPose.Response]:
    """Call render_pose for each client's T_object_target at the same time."""
    futures = []
    for client, target in zip(clients, targets, strict=True):
        futures.append(client.call_async(view_request(target, **request)))
    robot.spin_until(lambda: all(future.done() for future in futures))
    return [future.result() for future in futures]


def in_model_units(poses: np.ndarray) -> np.ndarray:
    poses = poses.copy()
    distance = np.linalg.norm(poses[..., :3, 3:], axis=-2, keepdims=True)
    poses[..., :3, 3:] *= geometry.SRN_CAMERA.distance / distance
    return poses


def test_eight_concurrent_clients_get_the_views_of_the_model(
    start, robot, weights, picture, camera
):
    """With the real model, while images flood the node."""
    parameters = {"weights": weights, "steps": 2, "samples": 2, "lazy": "false"}
    process = start("tiny_nvs_ros.node", parameters, {"__node": "true_nvs"})
    clients = [robot.node.create_client(RenderPose, "/true_nvs/render_pose") for _ in range(8)]
    robot.spin_until(lambda: all(client.service_is_ready() for client in clients))
    camera(FINE)
    targets = geometry.orbit(8, [0.3], float(np.linalg.norm(CAMERA[:3, 3])))
    wanted = geometry.relative_pose(in_model_units(CAMERA), in_model_units(targets))
    model = NovelViewModel.from_pretrained(weights)
    truths = [
        model.generate_relative(picture, p[None], samples=2, seed=0, steps=2).mean[0] * 255
        for p in wanted
    ]
    header = Header(stamp=robot.now().to_msg(), frame_id="camera")
    source = conversions.image_from_array(picture, header)
    answers = ask_all(robot, clients, targets, source_image=source)
    for i, answer in enumerate(answers):
        errors = [np.abs(rgb_from_raw(answer.image) - truth).max() for truth in truths]
        assert np.argmin(errors) == i and errors[i] < 1.5  # other threads, other sums
    for client in clients:
        robot.node.destroy_client(client)
    assert process.end() == 0, process.output
    assert "Traceback" not in process.output


def test_memory_does_not_grow_under_load(nvs, robot, anew, capsys):
    """Images come as fast as possible; some never get a transform."""
    images = itertools.count()

    def arrived() -> int:
        return sum(robot.counts().values())

    def flood(until: int) -> None:
        while arrived() < until:
            for number in itertools.islice(images, 1000):
                frame = "unknown" if number % 10 == 0 else "camera"
                robot.show(numbered(number), robot.now(), frame)
                time.sleep(0.001)
            robot.views.clear()

    flood(IMAGES // 10)
    before, memory, threads, cpu = arrived(), nvs.memory, nvs.threads, nvs.cpu_time
    flood(before + IMAGES)
    count, grown = arrived() - before, nvs.memory - memory
    with capsys.disabled():
        print(f"\n{count} images: from {memory:.1f} MB {grown:+.2f} MB, dropped and published:")
        print(dict(robot.counts()), f"{(nvs.cpu_time - cpu) / count * 1e3:.1f} ms of CPU each")
    assert nvs.threads <= threads
    assert grown < 4  # an image, kept, is 3 kB


def test_stress_script_finds_no_problems(ros_domain_id, weights):
    """A short run; run it longer by hand."""
    script = Path(__file__).with_name("stress.py")
    options = ["--weights", weights, "--seconds", "8", "--samples", "1", "--steps", "1"]
    command = [sys.executable, script, *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"views published +[1-9]", done.stdout)
    assert re.search(r"problems +none", done.stdout)
