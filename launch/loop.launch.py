"""Look at a simulated object from the best next poses: ros2 launch tiny_nvs_ros loop.launch.py

It draws out/loop/loop.png, as demo/loop.py does alone. The nodes then go on.
"""

import sys
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

SHARE = Path(get_package_share_directory("tiny_nvs_ros"))
OBJECT_RADIUS = 0.1  # m, which demo/loop.py takes for granted


def generate_launch_description() -> LaunchDescription:
    text = {
        name: ParameterValue(LaunchConfiguration(name), value_type=str)
        for name in ("object", "weights")
    }
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "object", default_value="duck", description="the object, one of the viewer's"
            ),
            DeclareLaunchArgument(
                "weights", default_value="objects", description="the model, see nvs.launch.py"
            ),
            DeclareLaunchArgument("looks", default_value="5", description="looks at most, 1 to 8"),
            DeclareLaunchArgument(
                "random_runs", default_value="3", description="runs with random poses"
            ),
            DeclareLaunchArgument(
                "out", default_value="out/loop", description="folder to write the picture to"
            ),
            DeclareLaunchArgument("rviz", default_value="false", description="also start rviz2"),
            Node(
                package="tiny_nvs_ros",
                executable="camera_simulator",
                parameters=[{"object": text["object"], "object_radius": OBJECT_RADIUS}],
                output="screen",
                emulate_tty=True,
            ),
            Node(
                package="tiny_nvs_ros",
                executable="nvs_node",
                name="nvs",
                parameters=[
                    {
                        "weights": text["weights"],
                        "input": "camera",
                        "object_radius": OBJECT_RADIUS,
                        "memory.size": 8,
                        "memory.max_age": 0.0,
                    }
                ],
                output="screen",
                emulate_tty=True,
            ),
            ExecuteProcess(
                name="look_around",
                cmd=[
                    *(sys.executable, str(SHARE / "demo" / "loop.py"), "--attach"),
                    *("--object", LaunchConfiguration("object")),
                    *("--looks", LaunchConfiguration("looks")),
                    *("--random-runs", LaunchConfiguration("random_runs")),
                    *("--out", LaunchConfiguration("out")),
                ],
                output="screen",
                emulate_tty=True,
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
