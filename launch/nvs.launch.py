"""Start the nvs node: ros2 launch tiny_nvs_ros nvs.launch.py image:=/camera/crop ..."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

SHARE = Path(get_package_share_directory("tiny_nvs_ros"))

# Arguments that set parameters of the node; an empty one leaves the value of params_file.
PARAMETERS = {
    "weights": (str, "a weights folder, or the name of one in share/tiny_nvs_ros/weights"),
    "device": (str, "device of the model: auto, cpu, cuda, cuda:1 ..."),
    "object_frame": (str, "TF frame of the object"),
    "object_heading": (
        str,
        "known: it is turned as the training objects were; unknown: only its z axis is used",
    ),
    "input": (
        str,
        "content of image: crop, around the object; camera or rectified, the whole image",
    ),
    "object_radius": (float, "m: half the diagonal of the object's bounding box"),
    "image_transport": (str, "transport of the images: raw or compressed"),
    "use_sim_time": (bool, "true with a bag or a simulation that publishes /clock"),
}
TOPICS = {
    "image": "topic of the images",
    "camera_info": "topic of the camera's calibration, required for whole images",
    "view_poses": "topic of the cameras to imagine, for views.source poses",
}


def generate_launch_description() -> LaunchDescription:
    arguments = [
        DeclareLaunchArgument(name, default_value="", description=f"{text}; if not in params_file")
        for name, (_, text) in PARAMETERS.items()
    ]
    arguments += [
        DeclareLaunchArgument(name, default_value=name, description=text)
        for name, text in TOPICS.items()
    ]
    arguments += [
        DeclareLaunchArgument(
            "mask", default_value="", description="topic of the object's masks; empty: no masks"
        ),
        DeclareLaunchArgument(
            "depth",
            default_value="",
            description="topic of depth images, aligned with image, that the object's masks are "
            "made from; empty: none",
        ),
        DeclareLaunchArgument(
            "params_file",
            default_value=str(SHARE / "config" / "nvs.yaml"),
            description="YAML file with the node's parameters",
        ),
        DeclareLaunchArgument(
            "namespace", default_value="", description="ROS namespace of the node"
        ),
        DeclareLaunchArgument(
            "tf_namespace",
            default_value="",
            description="namespace of the robot's tf and tf_static, such as /robot1; empty: "
            "/tf and /tf_static",
        ),
        DeclareLaunchArgument(
            "enclave", default_value="", description="SROS 2 enclave of the node, such as /nvs"
        ),
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=start_node)])


def start_node(context: LaunchContext) -> list[Node]:
    given = {
        name: ParameterValue(LaunchConfiguration(name), value_type=type_)
        for name, (type_, _) in PARAMETERS.items()
        if LaunchConfiguration(name).perform(context)
    }
    remappings = [(name, LaunchConfiguration(name)) for name in TOPICS]
    mask, depth, enclave = (
        LaunchConfiguration(name).perform(context) for name in ("mask", "depth", "enclave")
    )
    for name, topic, mask_from in (("mask", mask, "topic"), ("depth", depth, "depth")):
        if topic:
            given["mask_from"] = mask_from
            remappings.append((name, topic))
    if tf_namespace := LaunchConfiguration("tf_namespace").perform(context).strip("/"):
        remappings += [(f"/{name}", f"/{tf_namespace}/{name}") for name in ("tf", "tf_static")]
    return [
        Node(
            package="tiny_nvs_ros",
            executable="nvs_node",
            name="nvs",
            namespace=LaunchConfiguration("namespace"),
            parameters=[LaunchConfiguration("params_file"), given],
            remappings=remappings,
            ros_arguments=["--enclave", enclave] if enclave else None,
            output="screen",
            emulate_tty=True,
        )
    ]
