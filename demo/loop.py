"""Looks at an object from where the node expects to learn most: python demo/loop.py

A simulated camera sees an object from one side. ~/rank_views tells from where to look next; the
camera moves to the best pose within the arm's reach, the node sees that image, too, and so on,
until the object is certain enough. The same again with random poses. out/loop/loop.png shows both.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from geometry_msgs.msg import PoseStamped
from loop_picture import Look, draw
from processes import DemoFailed, Process, isolate, running
from rclpy.time import Time
from sensor_msgs.msg import PointCloud2
from simulated_robot import Robot, nanoseconds
from std_srvs.srv import Trigger

from tiny_nvs_ros.decode import rgb_from_raw
from tiny_nvs_ros.geometry import eye_at, look_at
from tiny_nvs_ros.image import on_white
from tiny_nvs_ros.msg import NovelViews
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.camera_simulator import scaled
from tiny_nvs_ros.node.point_cloud import POINT
from tiny_nvs_ros.simulation.objects import SimulatedObject, object_names
from tiny_nvs_ros.srv import RankViews

RADIUS = 0.1  # m, of the object
DISTANCE = 0.4  # m, of the camera from the object's centre
FIRST_AZIMUTH = np.radians(50)
START = look_at(eye_at(FIRST_AZIMUTH, np.radians(25), DISTANCE), np.zeros(3))
# The arm stands in front of the object and does not reach the low poses behind it.
SHOULDER = eye_at(FIRST_AZIMUTH, 0.0, 0.45)  # m, in the object frame
REACH = 0.8  # m
FINE = 4  # a true view is rendered this many times larger, and averaged


class Explorer(Robot):
    """Moves the simulated camera and collects what the node makes of it."""

    def __init__(self, processes: list[Process], subject: SimulatedObject):
        super().__init__(processes)
        self._subject = subject
        self._clouds: list[PointCloud2] = []
        self._since = 0  # ns: messages of earlier images do not count
        self.node.create_subscription(PointCloud2, "/nvs/points", self._clouds.append, 5)
        self._place = self.node.create_publisher(PoseStamped, "/camera_simulator/camera_pose", 1)
        self._rank = self.node.create_client(RankViews, "/nvs/rank_views")
        self._forget = self.node.create_client(Trigger, "/nvs/forget")

    def explore(
        self, choose: Callable[[list[np.ndarray]], np.ndarray], looks: int, enough: float
    ) -> list[Look]:
        """Look from START and then from where `choose` says, `looks` times at most.

        choose: given poses within reach, the best first, returns one. enough: uncertainty at which
        the object needs no further look. Raises DemoFailed.
        """
        self._move(START)
        self._call(self._forget, Trigger.Request())
        done: list[Look] = []
        pose = START
        while True:
            self._move(pose)
            ranking = self._call(self._rank, RankViews.Request())
            done.append(self._look(pose, ranking.uncertainty))
            if len(done) == looks or ranking.uncertainty < enough:
                return done
            ranked = [conversions.matrix_from_pose(each) for each in ranking.poses.poses]
            taken = [look.pose for look in done]
            free = [p for p in ranked if reachable(p) and not any(close(p, t) for t in taken)]
            if not free:
                return done
            pose = choose(free)

    def _call(self, client: object, request: object) -> object:
        name = client.srv_name
        self.wait(client.service_is_ready, 60, f"nvs: {name} did not appear")
        answer = client.call_async(request)
        self.wait(answer.done, 60, f"nvs: {name} did not answer")
        if not answer.result().success:
            raise DemoFailed(f"nvs: {name} refused: {answer.result().message}")
        return answer.result()

    def _move(self, pose: np.ndarray) -> None:
        """Place the camera and wait for views and points of an image from there."""
        place = self._place
        self.wait(place.get_subscription_count, 60, "camera_simulator: no subscriber")
        message = PoseStamped(pose=conversions.pose_from_matrix(pose))
        message.header.frame_id = "object"
        place.publish(message)
        # Images from before may still be on their way; they would count what was forgotten since.
        self._since = self.node.get_clock().now().nanoseconds
        self.images.clear()
        self.views.clear()
        self._clouds.clear()
        self.wait(lambda: self._views_from(pose), 90, "nvs: no views from the camera's new pose")
        self.wait(lambda: self._cloud_from(pose), 90, "nvs: no points from the camera's new pose")

    def _views_from(self, pose: np.ndarray) -> tuple[NovelViews, np.ndarray] | None:
        new = (each for each in self.views if self._is_new(each[0]))
        return next((each for each in new if close(each[1], pose)), None)

    def _cloud_from(self, pose: np.ndarray) -> PointCloud2 | None:
        new = (each for each in self._clouds if self._is_new(each))
        return next((each for each in new if self._is_from(each, pose)), None)

    def _is_new(self, message: NovelViews | PointCloud2) -> bool:
        return nanoseconds(message.header.stamp) > self._since

    def _is_from(self, cloud: PointCloud2, pose: np.ndarray) -> bool:
        where = "object", "camera", Time.from_msg(cloud.header.stamp)
        if not self._buffer.can_transform(*where):
            return False
        transform = self._buffer.lookup_transform(*where).transform
        return close(conversions.matrix_from_transform(transform), pose)

    def _look(self, pose: np.ndarray, uncertainty: float) -> Look:
        message, T_object_source = self._views_from(pose)
        views = T_object_source @ np.stack(
            [conversions.matrix_from_pose(each) for each in message.camera_poses]
        )
        imagined = np.stack([rgb_from_raw(image) for image in message.images])
        size, focal = imagined.shape[1], message.camera_info.k[0]
        truth = np.stack([photograph(self._subject, view, focal, size) for view in views])
        cloud = np.frombuffer(self._cloud_from(pose).data, POINT)
        rgb = cloud["rgb"]
        return Look(
            pose=pose,
            photo=rgb_from_raw(self.images[nanoseconds(message.header.stamp)]),
            views=views,
            imagined=imagined,
            truth=truth,
            points=np.stack([cloud[axis] for axis in "xyz"], axis=-1),
            colors=np.stack([rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255], -1).astype(np.uint8),
            error=float(np.sqrt(np.square((imagined / 255.0) - truth / 255.0).mean())),
            uncertainty=float(uncertainty),
        )


def close(a: np.ndarray, b: np.ndarray) -> bool:
    return np.allclose(a, b, atol=1e-4)


def reachable(pose: np.ndarray) -> bool:
    """Return whether the arm can bring a camera to a pose. A real one asks its planner."""
    return bool(np.linalg.norm(pose[:3, 3] - SHOULDER) < REACH)


def photograph(
    subject: SimulatedObject, T_object_camera: np.ndarray, focal: float, size: int
) -> np.ndarray:
    """Return what a camera (metres, pixels) sees, size x size x 3 uint8 on white."""
    pose = scaled(T_object_camera, 1 / RADIUS)
    large = on_white(subject.render(pose, FINE * focal, FINE * size))
    return cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA)


def at_random(seed: int) -> Callable[[list[np.ndarray]], np.ndarray]:
    rng = np.random.default_rng(seed)
    return lambda poses: poses[rng.integers(len(poses))]


def compare(explorer: Explorer, arguments: argparse.Namespace) -> dict[str, list[list[Look]]]:
    """Return the runs of each policy."""
    runs: dict[str, list[list[Look]]] = {}
    policies = [("best", lambda poses: poses[0])]
    policies += [("random", at_random(arguments.seed + i)) for i in range(arguments.random_runs)]
    for name, choose in policies:
        looks = explorer.explore(choose, arguments.looks, arguments.enough)
        runs.setdefault(name, []).append(looks)
        told = "  ".join(f"{look.uncertainty:.3f}/{look.error:.3f}" for look in looks)
        print(f"{name:6}  uncertainty/error after each look: {told}", flush=True)
    return runs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--weights", default="objects", help="a weights folder, or the name of one in weights/"
    )
    parser.add_argument("--object", default="duck", choices=object_names())
    parser.add_argument("--looks", type=int, default=5, choices=range(1, 9), help="at most")
    parser.add_argument(
        "--enough", type=float, default=0.07, help="look no further below this uncertainty"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random poses")
    parser.add_argument("--random-runs", type=int, default=3, choices=range(1, 21))
    parser.add_argument(
        "--attach", action="store_true", help="the nodes run already (loop.launch.py)"
    )
    parser.add_argument("--out", type=Path, default=Path("out/loop"), help="folder to write")
    arguments = parser.parse_args()
    common = {"object_radius": RADIUS}
    # The memory has place for all looks; nothing is too old for it.
    memory = {"memory.size": 8, "memory.max_age": 0.0}
    nvs = {"weights": arguments.weights, "input": "camera", **memory, **common}
    parts = {
        "camera_simulator": (
            "tiny_nvs_ros.node.camera_simulator",
            {"object": arguments.object, **common},
        ),
        "nvs": ("tiny_nvs_ros.node", nvs),
    }
    if arguments.attach:
        parts = {}
    else:
        isolate()
    began = time.monotonic()
    subject = SimulatedObject.load(arguments.object)
    try:
        with running(parts) as processes:
            runs = compare(Explorer(processes, subject), arguments)
    except DemoFailed as failure:
        print(f"demo failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "loop.png"
    cv2.imwrite(str(file), draw(runs, subject, RADIUS, reachable)[..., ::-1])
    print(f"wrote {file} after {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
