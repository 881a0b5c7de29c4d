"""Start and exit of the nvs node."""

import signal

import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState

from tiny_nvs_ros import geometry

NVS = "tiny_nvs_ros.node"
CAMERA = geometry.look_at([1.2, -0.9, 0.8], [0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    "parameters, reason",
    [
        ({"samples": 0}, "samples"),
        ({"samples": "many"}, "samples"),
        ({"views.source": "frames"}, "views.frames names none"),
        ({"views.source": "frames", "views.frames": "[]"}, "views.frames names none"),
        (
            {"views.orbit.elevations": "[]"},
            "views.orbit.elevations is empty; it needs",
        ),
        ({"weights": "/proc/nowhere"}, "weights folder /proc/nowhere does not exist"),
        ({"weights": "planes"}, "no weights 'planes' come with the package: there are cars, "),
    ],
)
def test_invalid_parameters_end_the_start(start, parameters, reason):
    process = start(NVS, parameters)
    assert process.popen.wait(timeout=60) == 1
    assert reason in process.output
    assert "Traceback" not in process.output


def test_misspelt_parameters_are_named_and_an_empty_list_is_accepted(
    start, robot, weights, tmp_path
):
    file = tmp_path / "other.yaml"
    file.write_text("nvs_node:\n  ros__parameters:\n    samples: 2\n")
    qos = {
        "qos_overrides./image.subscription.depth": 5,
        "qos_overrides./img.subscription.depth": 5,
    }
    process = start(
        NVS,
        {"weights": weights, "views.frames": "[]", "object_radus": 0.1, "autostart": "false"} | qos,
        {"__node": "misspelt"},
        ["--params-file", str(file)],
    )
    robot.spin_until(lambda: "has no parameters for this node" in process.output)
    assert process.end() == 0, process.output
    unknown, other_node = process.output.splitlines()
    assert "are ignored: object_radus (did you mean object_radius?), qos_overrides./img." in unknown
    assert "./image.subscription.depth," not in unknown
    assert (
        f"{file} has no parameters for this node, /misspelt: it has some for nvs_node" in other_node
    )


def test_sigint_ends_the_node_while_it_loads(start, robot, weights):
    process = start(NVS, {"weights": weights}, {"__node": "loading"})
    robot.spin_until(lambda: "loading" in robot.node.get_node_names())
    assert process.end() == 0, process.output
    assert "Traceback" not in process.output


def test_sigterm_ends_the_node_while_it_imagines(start, robot, weights, picture):
    process = start(NVS, {"weights": weights, "steps": 2, "samples": 1, "views.orbit.count": 1})
    robot.imagine(picture, CAMERA)
    robot.set_parameters("/nvs", steps=100)
    for _ in range(5):
        robot.see(picture, CAMERA)
    assert process.end(signal.SIGTERM) == 0, process.output
    assert "Traceback" not in process.output


def test_node_without_autostart_stays_unconfigured(start, robot, weights):
    process = start(NVS, {"weights": weights, "autostart": "false"}, {"__node": "managed"})

    def state() -> str:
        """Ask again each second: discovery may lose the first response of a new service."""
        asked = []
        robot.spin_until(
            lambda: any(future.done() for future in asked),
            again=lambda: asked.append(
                robot.ask(GetState, "/managed/get_state", GetState.Request())
            ),
        )
        answer = next(future.result() for future in asked if future.done())
        return answer.current_state.label

    assert state() == "unconfigured"
    assert process.output == ""

    # What cannot be, Humble and Jazzy do not even answer: rclpy raises there. The node lives on.
    client = robot.node.create_client(ChangeState, "/managed/change_state")
    robot.spin_until(client.service_is_ready)
    client.call_async(ChangeState.Request(transition=Transition(id=Transition.TRANSITION_CLEANUP)))
    robot.spin_until(lambda: process.output)
    assert state() == "unconfigured"
    assert process.end() == 0, process.output
