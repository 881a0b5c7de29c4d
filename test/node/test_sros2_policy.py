"""config/sros2/policy.xml allows exactly what the node does."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

POLICY = Path(__file__).parents[2] / "config" / "sros2" / "policy.xml"
SINCE_IRON = "/nvs/get_type_description"


@pytest.fixture(scope="module")
def allowed() -> dict[str, set[str]]:
    """Full names of what is allowed, by kind: publish, subscribe, reply."""
    (profile,) = ElementTree.parse(POLICY).getroot().iter("profile")
    assert (profile.get("ns"), profile.get("node")) == ("/", "nvs")
    return {
        kind: {expand(each.text) for each in group}
        for group in profile
        for kind, rule in group.items()
        if rule == "ALLOW"
    }


def expand(name: str) -> str:
    return name if name.startswith("/") else "/" + name.replace("~", "nvs")


def test_policy_allows_exactly_what_the_node_uses(allowed, start, robot, weights):
    start(
        "tiny_nvs_ros.node",
        {"weights": weights, "use_sim_time": "true", "input": "camera", "object_radius": 0.5}
        | {"mask_from": "topic"},
    )

    def differences(*without: str) -> set[str]:
        """Return names that are only allowed or only used, without those of other inputs."""
        node = robot.node
        used = {
            "publish": node.get_publisher_names_and_types_by_node("nvs", "/"),
            "subscribe": node.get_subscriber_names_and_types_by_node("nvs", "/"),
            "reply": node.get_service_names_and_types_by_node("nvs", "/"),
        }
        found = {
            f"{kind} {name}"
            for kind, names in used.items()
            for name in allowed[kind] ^ {name for name, _ in names}
        }
        print(found)  # seen where this fails
        return found - {f"subscribe {name}" for name in without} - {f"reply {SINCE_IRON}"}

    robot.spin_until(lambda: "nvs" in robot.node.get_node_names())
    robot.spin_until(lambda: not differences("/image/compressed", "/depth"))
    assert robot.set_parameters("/nvs", image_transport="compressed", mask_from="depth") == ""
    robot.spin_until(lambda: not differences("/image", "/mask"))
