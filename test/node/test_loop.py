"""demo/loop.py and the examples of docs/integration.md for an arm, with the simulated camera."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header

from tiny_nvs_ros.node.point_cloud import POINT, point_cloud
from tiny_nvs_ros.shape import Shape

ROOT = Path(__file__).parents[2]
RADIUS = 0.1  # m
SIMULATOR = "tiny_nvs_ros.node.camera_simulator"
NVS = "tiny_nvs_ros.node"


def run(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "demo" / "loop.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_uncertainty_and_error_fall_with_a_look_from_the_best_pose(tmp_path):
    done = run("--looks", 2, "--random-runs", 1, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    policies = {line.split()[0]: line for line in done.stdout.splitlines()}
    for policy in ("best", "random"):
        pairs = re.findall(r"(0\.\d+)/(0\.\d+)", policies[policy])
        uncertainty, error = np.array(pairs, float).T
        assert len(pairs) == 2 and uncertainty[1] < uncertainty[0]
        if policy == "best":
            assert error[1] < error[0]
    picture = cv2.imread(str(tmp_path / "loop.png"))
    assert picture.shape[1] > 1000 and picture.std() > 10


def test_failing_loop_names_the_process_and_the_reason(tmp_path):
    done = run("--weights", "/proc/nowhere", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "nvs ended by itself, exit code 1" in done.stderr
    assert "/proc/nowhere does not exist" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


# Has the calls that the example makes. It reaches every second pose, at once.
MOVEIT = """
from types import SimpleNamespace

import rclpy
from geometry_msgs.msg import PoseStamped


class Arm:
    goals = 0

    def set_start_state_to_current_state(self):
        pass

    def set_goal_state(self, pose_stamped_msg, pose_link):
        assert pose_link == "camera", pose_link
        self.goals += 1
        self.goal = pose_stamped_msg

    def plan(self):
        return SimpleNamespace(trajectory=self.goal) if self.goals % 2 == 0 else None


class MoveItPy:
    def __init__(self, node_name):
        self.node = rclpy.create_node(node_name)
        self.place = self.node.create_publisher(PoseStamped, "/camera_simulator/camera_pose", 1)

    def get_planning_component(self, name):
        return Arm()

    def execute(self, trajectory, controllers):
        while not self.place.get_subscription_count():
            rclpy.spin_once(self.node, timeout_sec=0.1)
        self.place.publish(trajectory)
"""


def example(title: str) -> str:
    """Return the first python block of a section of the page."""
    page = (ROOT / "docs/integration.md").read_text()
    return re.search(r"```python\n(.*?)```", page[page.index(f"## {title}\n") :], re.DOTALL)[1]


def test_example_with_moveit_looks_from_reachable_poses(start, tmp_path):
    common = {"object_radius": RADIUS}
    start(SIMULATOR, {"object": "duck", **common})
    start(NVS, {"weights": "objects", "input": "camera", **common})
    (tmp_path / "moveit").mkdir()  # the script's folder comes first
    (tmp_path / "moveit" / "planning.py").write_text(MOVEIT)
    script = tmp_path / "look_around.py"
    code = example("Where to look next with an arm")
    assert 'CAMERA = "camera_color_optical_frame"' in code
    script.write_text(code.replace("camera_color_optical_frame", "camera"))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    looks = re.findall(r"look (\d): uncertainty (0\.\d+)", done.stdout)
    assert [int(number) for number, _ in looks] == list(range(1, len(looks) + 1))
    assert len(looks) > 1
    assert float(looks[-1][1]) < float(looks[0][1])


def test_example_of_a_filter_passes_certain_points_only(start, robot, tmp_path):
    rng = np.random.default_rng(0)
    confidence = np.array([0.9, 0.2, 0.6], np.float32)
    shape = Shape(
        points=rng.normal(size=(3, 3)).astype(np.float32),
        colors=np.zeros((3, 3), np.uint8),
        normals=np.eye(3, dtype=np.float32),
        confidence=confidence,
        seen=np.array([True, False, True]),
        occupancy=np.zeros((32, 32, 32), np.float32),
        object_radius=RADIUS,
    )
    cloud = point_cloud(shape, Header(frame_id="object"))
    received: list[PointCloud2] = []
    robot.node.create_subscription(PointCloud2, "/certain_points", received.append, 1)
    publisher = robot.node.create_publisher(PointCloud2, "/test/points", 1)
    script = tmp_path / "certain_points.py"
    script.write_text(example("Points for other nodes"))
    # Not those of a node of the tests before.
    remapped = ["--ros-args", "-r", "/nvs/points:=/test/points"]
    process = subprocess.Popen([sys.executable, script, *remapped])
    try:
        robot.spin_until(lambda: received, again=lambda: publisher.publish(cloud))
    finally:
        process.kill()
        process.wait()
    points = np.frombuffer(received[0].data, POINT)
    assert received[0].width == 2 and received[0].header.frame_id == "object"
    np.testing.assert_array_equal(points["x"], shape.points[confidence > 0.5, 0])


@pytest.mark.parametrize("file", sorted(ROOT.glob("launch/*.launch.py")), ids=lambda f: f.name)
def test_launch_files_name_what_exists(file):
    text = file.read_text()
    executables = set(re.findall(r'executable="(\w+)"', text)) - {"rviz2"}
    assert executables <= {script.name for script in (ROOT / "scripts").iterdir()}
    scripts = re.findall(r'SHARE / "demo" / "(\w+\.py)"', text)
    known = "".join((ROOT / "demo" / script).read_text() for script in scripts)
    for option in re.findall(r'"(--[a-z-]+)"', text):
        assert option == "--enclave" or f'"{option}"' in known, option
