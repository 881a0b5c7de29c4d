"""Start a camera that circles a car, and the nvs node: ros2 launch tiny_nvs_ros demo.launch.py"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

SHARE = Path(get_package_share_directory("tiny_nvs_ros"))


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "folder",
                default_value=str(SHARE / "demo" / "cars"),
                description="posed images in the SRN layout",
            ),
            DeclareLaunchArgument(
                "instance", default_value="", description="object of the folder; empty: the first"
            ),
            DeclareLaunchArgument("rate", default_value="10.0", description="images a second"),
            DeclareLaunchArgument("rviz", default_value="false", description="also start rviz2"),
            Node(
                package="tiny_nvs_ros",
                executable="camera_player",
                parameters=[
                    {
                        "folder": ParameterValue(LaunchConfiguration("folder"), value_type=str),
                        "instance": ParameterValue(LaunchConfiguration("instance"), value_type=str),
                        "rate": ParameterValue(LaunchConfiguration("rate"), value_type=float),
                    }
                ],
                output="screen",
                emulate_tty=True,
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(SHARE / "launch" / "nvs.launch.py")),
                launch_arguments={"object_heading": "known", "object_radius": "0.5"}.items(),
            ),
            Node(
                package="rviz2",
                executable="rviz2",
                arguments=["-d", str(SHARE / "config" / "nvs.rviz")],
                condition=IfCondition(LaunchConfiguration("rviz")),
                output="log",
            ),
        ]
    )
