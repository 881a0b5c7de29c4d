"""Start the nvs node: ros2 launch tiny_nvs_ros nvs.launch.py image:=/camera/crop ..."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

SHARE = Path(get_package_share_directory("tiny_nvs_ros"))

# Those that are parameters of the node; empty ones stay as params_file has them.
PARAMETERS = {
    "weights": (str, "the model: a weights folder, or the name of one in share/tiny_nvs_ros"),
    "device": (str, "what it runs on: auto, cpu, cuda, cuda:1 ..."),
    "object_frame": (str, "TF frame of the object"),
    "use_sim_time": (bool, "true with a bag or a simulation that publishes /clock"),
}


def generate_launch_description() -> LaunchDescription:
    arguments = [
        DeclareLaunchArgument(name, default_value="", description=f"{text}; if not in params_file")
        for name, (_, text) in PARAMETERS.items()
    ]
    arguments += [
        DeclareLaunchArgument(
            "params_file",
            default_value=str(SHARE / "config" / "nvs.yaml"),
            description="YAML file with the node's parameters",
        ),
        DeclareLaunchArgument(
            "image", default_value="image", description="topic of the object's images"
        ),
        DeclareLaunchArgument(
            "namespace", default_value="", description="ROS namespace of the node"
        ),
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=start_node)])


def start_node(context: LaunchContext) -> list[Node]:
    given = {
        name: ParameterValue(LaunchConfiguration(name), value_type=type_)
        for name, (type_, _) in PARAMETERS.items()
        if LaunchConfiguration(name).perform(context)
    }
    return [
        Node(
            package="tiny_nvs_ros",
            executable="nvs_node",
            name="nvs",
            namespace=LaunchConfiguration("namespace"),
            parameters=[LaunchConfiguration("params_file"), given],
            remappings=[("image", LaunchConfiguration("image"))],
            output="screen",
            emulate_tty=True,
        )
    ]
