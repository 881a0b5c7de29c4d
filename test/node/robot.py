"""A robot in the tests' process, and nodes in their own processes."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TransformStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.task import Future
from rclpy.time import Time
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from tf2_ros import StaticTransformBroadcaster, TransformBroadcaster

from tiny_nvs_ros import geometry
from tiny_nvs_ros.msg import NovelViews
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.srv import RenderPose

# Neither frame is the other or the world, so that no mix-up of them goes unseen.
T_WORLD_OBJECT = geometry.pose_from([3.0, -2.0, 0.7], [0.0, 0.0, np.sin(0.6), np.cos(0.6)])


class Process:
    """A python module, also of this folder, in its own process, with ROS parameters, remappings and
    other ROS arguments."""

    def __init__(
        self,
        folder: Path,
        module: str,
        parameters: dict,
        remappings: dict | None = None,
        ros_args: Sequence[str] = (),
    ):
        self.log = folder / f"{module}.log"
        command = [sys.executable, "-m", module, "--ros-args"]
        for name, value in parameters.items():
            command += ["-p", f"{name}:={value}"]
        for name, value in (remappings or {}).items():
            command += ["-r", f"{name}:={value}"]
        command += ros_args
        paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        with self.log.open("w") as log:
            self.popen = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=env)

    @property
    def output(self) -> str:
        return self.log.read_text()

    def _status(self, field: str) -> int:
        lines = Path(f"/proc/{self.popen.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))

    @property
    def memory(self) -> float:
        """Resident memory, MB."""
        return self._status("VmRSS") / 1024

    @property
    def threads(self) -> int:
        return self._status("Threads")

    @property
    def cpu_time(self) -> float:
        """CPU time of all its threads, s."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self, by: signal.Signals = signal.SIGINT, seconds: float = 60.0) -> int:
        """Send a signal and return the exit code."""
        self.popen.send_signal(by)
        return self.popen.wait(timeout=seconds)

    def kill(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()


class Robot:
    """Publishes images and TF, receives views, calls services."""

    def __init__(self) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node("robot", context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._images = self.node.create_publisher(Image, "image", 1)
        self.tf = TransformBroadcaster(self.node)
        self._static_tf = StaticTransformBroadcaster(self.node)
        self._clients: dict[str, rclpy.client.Client] = {}
        self.views: list[NovelViews] = []
        self.node.create_subscription(NovelViews, "/nvs/novel_views", self.views.append, 10)
        self.statuses: dict[str, DiagnosticStatus] = {}  # the last one of each node, by its name
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        self.place_static("object", np.eye(4))

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.statuses[status.name.partition(":")[0]] = status

    def counts(self) -> Counter[str]:
        """Return the nvs node's image counts since its activation, by reason."""
        for _ in range(2):  # the first may have been on its way
            self.statuses.pop("/nvs", None)
            self.spin_until(lambda: "/nvs" in self.statuses)
        values = self.statuses["/nvs"].values
        kinds = {value.key.removeprefix("dropped, "): value for value in values}
        return Counter(
            {k: int(v.value) for k, v in kinds.items() if v.key != k or k == "published"}
        )

    def spin_some(self, seconds: float = 0.0) -> None:
        """Spin once, for `seconds` at most."""
        self._executor.spin_once(timeout_sec=seconds)

    def spin_until(
        self, condition: Callable[[], object], seconds: float = 60.0, again: Callable = lambda: None
    ) -> None:
        """Spin until the condition holds; call `again` every second meanwhile."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not so within {seconds} s"
            again()
            pause = time.monotonic() + 1
            while not condition() and time.monotonic() < pause:
                self._executor.spin_once(timeout_sec=0.1)

    def ask(self, type_: type, name: str, request: object) -> Future:
        """Call a service; the future completes while this robot spins."""
        client = self._clients.get(name) or self.node.create_client(type_, name)
        self._clients[name] = client
        self.spin_until(client.service_is_ready)
        return client.call_async(request)

    def call(self, type_: type, name: str, request: object, seconds: float = 60.0) -> object:
        future = self.ask(type_, name, request)
        self.spin_until(future.done, seconds)
        return future.result()

    def call_again(self, type_: type, name: str, request: object) -> object:
        """Call a service whose repetition changes nothing; again if DDS loses the response."""
        for _ in range(4):
            try:
                return self.call(type_, name, request, 12)
            except AssertionError:
                continue
        return self.call(type_, name, request, 12)

    def change_state(self, name: str, seconds: float = 60.0) -> bool:
        """Make a transition of the nvs node, such as "ACTIVATE"; return whether it succeeded."""
        transition = Transition(id=getattr(Transition, f"TRANSITION_{name}"))
        request = ChangeState.Request(transition=transition)
        return self.call(ChangeState, "/nvs/change_state", request, seconds).success

    def ask_view(self, pose: np.ndarray, frame: str = "object", **request: object) -> Future:
        """Call render_pose for a camera at T_frame_camera; the future holds the response."""
        return self.ask(RenderPose, "/nvs/render_pose", view_request(pose, frame, **request))

    def set_parameters(self, node: str, **values: object) -> str:
        """Return the reason of a refusal, "" for none. In names, __ stands for a dot."""
        request = SetParametersAtomically.Request()
        request.parameters = [
            Parameter(name.replace("__", "."), value=value).to_parameter_msg()
            for name, value in values.items()
        ]
        name = f"{node}/set_parameters_atomically"
        answer = self.call_again(SetParametersAtomically, name, request)
        assert answer.result.successful == (not answer.result.reason)
        return answer.result.reason

    def now(self) -> Time:
        return self.node.get_clock().now()

    def transform(self, frame: str, T_object_frame: np.ndarray, stamp: Time) -> TransformStamped:
        """Return the transform of a frame at T_object_frame; its parent is the world."""
        header = Header(stamp=stamp.to_msg(), frame_id="world")
        transform = conversions.transform_from_matrix(T_WORLD_OBJECT @ T_object_frame)
        return TransformStamped(header=header, child_frame_id=frame, transform=transform)

    def place_static(self, frame: str, T_object_frame: np.ndarray) -> None:
        """Publish a frame at T_object_frame on /tf_static."""
        self._static_tf.sendTransform(self.transform(frame, T_object_frame, self.now()))

    def place(self, frame: str, T_object_frame: np.ndarray, stamp: Time) -> None:
        """Publish a frame at T_object_frame on /tf."""
        self.tf.sendTransform(self.transform(frame, T_object_frame, stamp))

    def show(self, picture: np.ndarray, stamp: Time, frame: str = "camera") -> Image:
        header = Header(stamp=stamp.to_msg(), frame_id=frame)
        return self.publish(conversions.image_from_array(picture, header))

    def publish(self, image: Image) -> Image:
        self._images.publish(image)
        return image

    def see(self, picture: np.ndarray, T_object_camera: np.ndarray) -> Image:
        """Publish an image and its camera's pose with the current time."""
        stamp = self.now()
        self.place("camera", T_object_camera, stamp)
        return self.show(picture, stamp)

    def imagine(self, picture: np.ndarray, T_object_camera: np.ndarray) -> NovelViews:
        """Return the views of an image, which is published until they come."""
        return self.views_of(lambda: self.see(picture, T_object_camera))

    def views_of(self, show: Callable[[], Image]) -> NovelViews:
        """Return the first views with the stamp and frame of an image that `show` published."""
        shown: list[Header] = []
        self.spin_until(
            lambda: any(views.header in shown for views in self.views),
            again=lambda: shown.append(show().header),
        )
        return next(views for views in self.views if views.header in shown)


def view_request(pose: np.ndarray, frame: str = "object", **request: object) -> RenderPose.Request:
    """Return a request for a camera at T_frame_camera."""
    camera_pose = PoseStamped(pose=conversions.pose_from_matrix(pose))
    camera_pose.header.frame_id = frame
    return RenderPose.Request(camera_pose=camera_pose, **request)
