"""Markers of the imagined cameras, and the configurations of RViz and Foxglove."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from builtin_interfaces.msg import Duration, Time
from std_msgs.msg import Header
from visualization_msgs.msg import Marker

from tiny_nvs_ros import geometry
from tiny_nvs_ros.msg import NovelViews
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.diagnostics import HARDWARE_ID, STATUS_NAME
from tiny_nvs_ros.node.markers import RED_UNCERTAINTY, camera_poses, cameras

DEPTH = 0.2
CONFIG = Path(__file__).parents[2] / "config"
SHOWN = {"/nvs/points", "/image", "/nvs/montage", "/nvs/cameras", "/nvs/camera_poses"}


def novel_views(*uncertainties: float, count: int = 3) -> NovelViews:
    """Return views of 32 x 24 pixels with constant uncertainties."""
    header = Header(stamp=Time(sec=7), frame_id="camera")
    views = NovelViews(header=header, latency=Duration(sec=3))
    views.camera_info = conversions.pinhole(32, 24, 40.0, 16.0, 12.0, Header())
    poses = geometry.orbit(count, [0.5], 1.3)
    views.camera_poses = [conversions.pose_from_matrix(pose) for pose in poses]
    views.uncertainties = [
        conversions.image_from_array(np.full((24, 32), u, np.float32), Header())
        for u in uncertainties
    ]
    return views


def ends(marker: Marker) -> np.ndarray:
    return np.array([(point.x, point.y, point.z) for point in marker.points])


def test_camera_poses_are_those_of_the_views():
    views = novel_views()
    poses = camera_poses(views)
    assert (poses.header, poses.poses) == (views.header, views.camera_poses)


def test_each_camera_has_a_marker_with_the_frame_and_stamp_of_the_image():
    views = novel_views()
    _, *markers = cameras(views, DEPTH).markers
    assert [marker.pose for marker in markers] == views.camera_poses
    for marker in markers:
        assert (marker.header, marker.frame_locked) == (views.header, False)
        assert (marker.action, marker.type) == (Marker.ADD, Marker.LINE_LIST)
        assert len(marker.points) % 2 == 0 and marker.scale.x > 0 and marker.color.a == 1


def test_stale_markers_are_deleted_first():
    first, *markers = cameras(novel_views(count=2), DEPTH).markers
    assert first.action == Marker.DELETEALL and not first.ns
    # RViz complains of two markers of the same name in an array, and counts the first.
    names = [(marker.ns, marker.id) for marker in (first, *markers)]
    assert len(set(names)) == 3


def test_markers_expire_after_the_next_views_should_have_come():
    """The lifetime includes the latency of a slow inference."""
    lifetime = cameras(novel_views(), DEPTH).markers[1].lifetime
    assert lifetime == Duration(sec=5 + 2 * 3)


def test_frustum_passes_through_the_corners_of_the_image():
    points = ends(cameras(novel_views(), DEPTH).markers[1])
    assert set(points[:, 2]) == {0.0, DEPTH}
    far = points[points[:, 2] == DEPTH]
    seen = {(round(x / z * 40 + 16), round(y / z * 40 + 12)) for x, y, z in far}
    corners = {(0, 0), (32, 0), (32, 24), (0, 24)}
    (peak,) = seen - corners
    assert seen - {peak} == corners
    assert peak == (16, -6)  # above the image


@pytest.mark.parametrize(
    "uncertainty, colour",
    [
        (0, (0, 1, 0)),
        (RED_UNCERTAINTY / 2, (1, 1, 0)),
        (RED_UNCERTAINTY, (1, 0, 0)),
        (1, (1, 0, 0)),
    ],
)
def test_marker_colour_shows_the_uncertainty(uncertainty, colour):
    _, *markers = cameras(novel_views(uncertainty, 0.01, 0.01), DEPTH).markers
    shown = [(marker.color.r, marker.color.g, marker.color.b) for marker in markers]
    assert shown[0] == pytest.approx(colour, abs=1e-5)
    assert shown[1] == shown[2] == pytest.approx((0.4, 1, 0))


def test_markers_without_uncertainties_are_white():
    for marker in cameras(novel_views(), DEPTH).markers[1:]:
        assert (marker.color.r, marker.color.g, marker.color.b) == (1, 1, 1)


def test_rviz_configuration_names_topics_of_the_node():
    config = yaml.safe_load((CONFIG / "nvs.rviz").read_text())
    displays = config["Visualization Manager"]["Displays"]
    assert {display["Topic"]["Value"] for display in displays if "Topic" in display} == SHOWN
    assert all(display["Enabled"] for display in displays)
    (cameras_display,) = (d for d in displays if d["Class"].endswith("/MarkerArray"))
    assert set(cameras_display["Namespaces"]) == {cameras(novel_views(), DEPTH).markers[1].ns}
    names = {display["Name"] + "1" for display in displays}
    expanded = config["Panels"][0]["Property Tree Widget"]["Expanded"]
    assert {path.split("/")[1] for path in expanded} <= names | {"Global Options1"}


def leaves(layout: dict | str) -> list[str]:
    """Panels in a layout."""
    if isinstance(layout, str):
        return [layout]
    assert layout["direction"] in ("row", "column")
    return leaves(layout["first"]) + leaves(layout["second"])


def test_foxglove_configuration_names_topics_of_the_node():
    layout = json.loads((CONFIG / "nvs.foxglove.json").read_text())
    panels = layout["configById"]
    assert sorted(leaves(layout["layout"])) == sorted(panels)
    topics = set(panels["3D!nvs"]["topics"])
    topics |= {p["imageMode"]["imageTopic"] for n, p in panels.items() if n.startswith("Image!")}
    assert topics == SHOWN
    status = panels["DiagnosticStatusPanel!nvs"]
    assert status["selectedHardwareId"] == HARDWARE_ID
    assert status["selectedName"] == f"/nvs: {STATUS_NAME}"
