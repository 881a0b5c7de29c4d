"""Launch description and checks that test_launch_nvs.py gives to launch_testing.

Launch arguments: those of loop.launch.py.
"""

import unittest
from pathlib import Path

import launch_testing.actions
import launch_testing.asserts
from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

FILE = Path(get_package_share_directory("tiny_nvs_ros"), "launch", "loop.launch.py")


def generate_test_description() -> LaunchDescription:
    included = IncludeLaunchDescription(PythonLaunchDescriptionSource(str(FILE)))
    return LaunchDescription([included, launch_testing.actions.ReadyToTest()])


class WhileItRuns(unittest.TestCase):
    def test_both_policies_look_and_the_picture_is_written(self, proc_info, proc_output) -> None:
        proc_info.assertWaitForShutdown("look_around", timeout=120)
        for text in ("best    uncertainty/error", "random  uncertainty/error", "loop.png after"):
            proc_output.assertWaitFor(text, stream="stdout", timeout=10)


@launch_testing.post_shutdown_test()
class AfterIt(unittest.TestCase):
    def test_exit_codes_are_zero(self, proc_info) -> None:
        launch_testing.asserts.assertExitCodes(proc_info)
