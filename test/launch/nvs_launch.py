"""Launch description and checks that test_launch_nvs.py gives to launch_testing.

Launch arguments: those of nvs.launch.py.
"""

import time
import unittest
from pathlib import Path

import launch_testing.actions
import launch_testing.asserts
import rclpy
from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import Node

from tiny_nvs_ros.msg import NovelViews
from tiny_nvs_ros.srv import RenderPose

SHARE = Path(get_package_share_directory("tiny_nvs_ros"))


def include(name: str, **arguments: str) -> IncludeLaunchDescription:
    source = PythonLaunchDescriptionSource(str(SHARE / "launch" / name))
    return IncludeLaunchDescription(source, launch_arguments=arguments.items())


@launch_testing.parametrize("name", ["nvs.launch.py", "demo.launch.py"])
def generate_test_description(name: str) -> tuple[LaunchDescription, dict[str, str]]:
    if name == "demo.launch.py":
        expected = {"namespace": "", "object_frame": "object"}
        actions = [include(name)]
    else:
        expected = {"namespace": "/robot", "object_frame": "car"}
        player = Node(
            package="tiny_nvs_ros",
            executable="camera_player",
            parameters=[{"folder": str(SHARE / "demo" / "cars"), "object_frame": "car"}],
            remappings=[
                ("image", "/wrist/crop"),
                ("/tf", "/robot/tf"),
                ("/tf_static", "/robot/tf_static"),
            ],
        )
        arguments = {"image": "/wrist/crop", "object_frame": "car"}
        actions = [include(name, namespace="robot", tf_namespace="/robot", **arguments), player]
    return LaunchDescription([*actions, launch_testing.actions.ReadyToTest()]), expected


class WhileItRuns(unittest.TestCase):
    def setUp(self) -> None:
        rclpy.init()
        self.node = rclpy.create_node("test")

    def tearDown(self) -> None:
        self.node.destroy_node()
        rclpy.shutdown()

    def spin_until(self, condition) -> None:
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end, "not so within 60 s")
            rclpy.spin_once(self.node, timeout_sec=0.5)

    def test_views_are_published(self, namespace: str, object_frame: str) -> None:
        received = []
        topic = f"{namespace}/nvs/novel_views"
        self.node.create_subscription(NovelViews, topic, received.append, 1)
        self.spin_until(lambda: received)
        self.assertEqual(received[0].object_frame, object_frame)
        self.assertEqual(received[0].header.frame_id, "camera")
        self.assertEqual(len(received[0].images), 3)  # of the test's params_file

    def test_a_pose_is_rendered(self, namespace: str, object_frame: str) -> None:
        client = self.node.create_client(RenderPose, f"{namespace}/nvs/render_pose")
        self.spin_until(client.service_is_ready)
        request = RenderPose.Request()
        request.camera_pose.header.frame_id = "camera"
        answers = []

        def ask() -> bool:
            """Until an image has come, the node can only say that there is none."""
            future = client.call_async(request)
            self.spin_until(future.done)
            answers.append(future.result())
            return answers[-1].success

        self.spin_until(ask)
        self.assertEqual(answers[-1].image.width, 32)


@launch_testing.post_shutdown_test()
class AfterIt(unittest.TestCase):
    def test_exit_codes_are_zero(self, proc_info) -> None:
        launch_testing.asserts.assertExitCodes(proc_info)
