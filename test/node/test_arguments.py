"""Parameters that the node does not have are named in a warning."""

import pytest

from tiny_nvs_ros.node.arguments import names, unused_arguments

KNOWN = {"samples", "object_radius", "views.orbit.elevations", "use_sim_time"}
SAMPLES = "/**:\n  ros__parameters:\n    samples: 2\n"


def warnings(*ros_args: str, node: str = "/nvs") -> list[str]:
    return unused_arguments(["nvs_node", "--ros-args", *map(str, ros_args)], node, KNOWN)


@pytest.fixture
def write(tmp_path):
    """write(text) returns a parameter file."""

    def write(text: str) -> str:
        file = tmp_path / "nvs.yaml"
        file.write_text(text)
        return str(file)

    return write


@pytest.mark.parametrize(
    ("pattern", "node", "applies"),
    [
        ("nvs", "/nvs", True),
        ("/nvs", "/nvs", True),
        ("nvs", "/robot/nvs", False),
        ("robot/nvs", "/robot/nvs", True),
        ("/**", "/nvs", True),
        ("/**", "/robot/arm/nvs", True),
        ("/**/nvs", "/robot/arm/nvs", True),
        ("/**/nvs", "/nvs", True),
        ("/*/nvs", "/robot/nvs", True),
        ("/*/nvs", "/nvs", False),
        ("/*", "/nvs", True),
        ("n.s", "/nvs", False),
        ("nvs_node", "/nvs", False),
    ],
)
def test_name_pattern_applies_to_node_as_in_rcl(pattern, node, applies):
    assert names(pattern, node) == applies


def test_known_parameters_give_no_warning(write):
    rules = ("-p", "samples:=2", "--param", "nvs:object_radius:=0.1", "-r", "image:=/camera")
    assert warnings(*rules, "--params-file", write(SAMPLES), "--log-level", "debug") == []


def test_misspelt_parameters_are_named_with_the_similar_ones():
    (warning,) = warnings(
        "-p", "object_radus:=0.1", "-p", "views.orbit.elevation:=[0.1]", "-p", "x:=1"
    )
    assert warning == (
        "unknown parameters in the command line are ignored: object_radus (did you mean "
        "object_radius?), views.orbit.elevation (did you mean views.orbit.elevations?), x"
    )


def test_misspelt_parameters_of_a_file_are_named(write):
    file = write(
        "nvs:\n  ros__parameters:\n    views: {orbit: {elevation: [0.1]}}\n    samples: 2\n"
    )
    (warning,) = warnings("--params-file", file)
    assert warning.startswith(f"unknown parameters in {file} are ignored: views.orbit.elevation (")


def test_file_for_another_node_name_is_reported(write):
    file = write("nvs_node:\n  ros__parameters:\n    samples: 2\n")
    assert warnings("--params-file", file) == [
        f"{file} has no parameters for this node, /nvs: it has some for nvs_node; write /nvs or /**"
    ]


def test_file_for_the_node_in_another_namespace_is_reported(write):
    file = write("nvs:\n  ros__parameters:\n    samples: 2\n")
    (warning,) = warnings("--params-file", file, node="/robot1/nvs")
    assert "has no parameters for this node, /robot1/nvs" in warning


def test_file_shared_with_other_nodes_is_not_reported(write):
    camera = "camera:\n  ros__parameters:\n    fps: 30\n"
    text = camera + "robot1:\n  nvs:\n    ros__parameters:\n      samples: 2\n"
    assert warnings("--params-file", write(text), node="/robot1/nvs") == []


def test_empty_parameter_file_is_not_reported(write):
    assert warnings("--params-file", write("")) == []


def test_parameters_for_another_node_are_reported():
    assert warnings("-p", "nvs_node:samples:=2") == [
        "parameters of other nodes than /nvs are ignored: nvs_node:samples"
    ]


def test_arguments_outside_ros_args_are_reported():
    assert unused_arguments(["nvs_node", "-p", "samples:=2"], "/nvs", KNOWN) == [
        "arguments that are not behind --ros-args are ignored: -p samples:=2"
    ]
