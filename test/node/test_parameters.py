from dataclasses import fields, replace
from pathlib import Path

import pytest
import rclpy
import yaml
from rclpy.parameter import Parameter

from tiny_nvs_ros.node.parameters import NodeSettings, Parameters, parameter_name

CONFIG = Path(__file__).parents[2] / "config" / "nvs.yaml"


@pytest.fixture
def node(ros_domain_id):
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("nvs", context=context, start_parameter_services=False)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def flat(tree: dict, prefix: str = "") -> dict:
    result = {}
    for name, value in tree.items():
        below = flat(value, f"{prefix}{name}.") if isinstance(value, dict) else None
        result.update(below or {f"{prefix}{name}": value})
    return result


def test_configuration_file_has_every_parameter_with_its_default():
    written = flat(yaml.safe_load(CONFIG.read_text())["/**"]["ros__parameters"])
    declared = {parameter_name(row): row.default for row in fields(NodeSettings)}
    assert {k: tuple(v) if isinstance(v, list) else v for k, v in written.items()} == declared
    assert list(written) == list(declared)
    assert {k: type(v) for k, v in written.items()} == {
        k: list if isinstance(v, tuple) else type(v) for k, v in declared.items()
    }


def test_every_parameter_is_described_and_bounded(node):
    parameters = Parameters(node)
    assert parameters.settings == NodeSettings()
    for row in fields(NodeSettings):
        descriptor = node.describe_parameter(parameter_name(row))
        assert len(descriptor.description) > 10
        if type(row.default) in (int, float):
            assert descriptor.integer_range or descriptor.floating_point_range


@pytest.mark.parametrize(
    "name, value, reason",
    [
        ("samples", 0, "samples"),
        ("samples", 3.0, "type"),
        ("object_frame", "/object", "no leading slash"),
        ("tf_timeout", -0.1, "tf_timeout"),
        ("tf_timeout", float("nan"), "tf_timeout"),
        ("views.source", "sphere", "'sphere'; it must be orbit or frames"),
        ("views.source", "frames", "views.frames names none"),
        ("views.orbit.elevations", [0.1, 30.0], "30; it must be from -1.57 to 1.57 (rad:"),
        ("views.orbit.elevations", [float("nan")], "nan"),
        ("views.orbit.count", 65, "views.orbit.count"),
        ("views.orbit.elevations", [0.1] * 33, "makes 264 cameras; there may be 256"),
        ("next_view.elevations", [0.1] * 22, "next_view.elevations makes 264 cameras"),
        ("views.frames", ["camera"] * 257, "views.frames has 257 names"),
        ("object_frame", "", "object_frame is empty"),
        ("autostart", False, "read-only"),
    ],
)
def test_invalid_value_is_refused_with_the_reason(node, name, value, reason):
    parameters = Parameters(node)
    result = node.set_parameters([Parameter(name, value=value)])[0]
    assert not result.successful
    assert reason in result.reason
    assert parameters.settings == NodeSettings()


def test_empty_list_of_elevations_is_refused():
    with pytest.raises(ValueError, match=r"views\.orbit\.elevations is empty"):
        replace(NodeSettings(), orbit_elevations=())


@pytest.mark.parametrize("field", ["orbit_distance", "next_view_distance"])
def test_cameras_inside_the_object_are_refused(field):
    with pytest.raises(ValueError, match=r"distance is 0.1, inside the object \(object_radius"):
        replace(NodeSettings(), object_radius=0.2, **{field: 0.1})


def test_valid_values_apply_at_once(node):
    parameters = Parameters(node)
    before = parameters.settings
    changes = {"samples": 2, "views.orbit.elevations": [0.0, 1.0], "views.frames": ["hand", ""]}
    results = node.set_parameters([Parameter(k, value=v) for k, v in changes.items()])
    assert all(result.successful for result in results)
    assert before == NodeSettings()
    assert parameters.settings == replace(
        NodeSettings(), samples=2, orbit_elevations=(0.0, 1.0), frames=("hand", "")
    )
    assert parameters.settings.view_count == 16
    assert node.set_parameters([Parameter("views.source", value="frames")])[0].successful
    assert parameters.settings.view_frames == ("hand",)
    assert parameters.settings.view_count == 1


def test_parameters_of_the_model_change_only_while_unconfigured(node):
    parameters = Parameters(node)
    change = [Parameter("weights", value="elsewhere")]
    parameters.configured = True
    result = node.set_parameters(change)[0]
    assert not result.successful and "deactivate and clean up first" in result.reason
    assert parameters.settings.weights == "objects"
    parameters.configured = False
    assert node.set_parameters(change)[0].successful
    assert parameters.settings.weights == "elsewhere"
