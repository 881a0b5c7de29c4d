"""The pages for users: whether they say what is."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("weights/*/*.md"))]


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize(
    ("file", "function"),
    [("docs/parameters.md", "page"), ("config/nvs.yaml", "parameter_file")],
)
def test_generated_files_match_the_parameter_table(file, function, monkeypatch):
    pytest.importorskip("rcl_interfaces", reason="rcl_interfaces is missing: it comes with ROS")
    monkeypatch.syspath_prepend(ROOT / "docs")
    import parameters

    generated = getattr(parameters, function)()
    assert (ROOT / file).read_text() == generated, "run python docs/parameters.py"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_lead_to_files_that_are_there(page):
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not link.startswith(("http://", "https://")):
            assert (page.parent / link).exists(), link


def python_blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


# Converts as cv_bridge documents it, and says that it was asked.
CV_BRIDGE = """
import numpy as np

class CvBridge:
    def imgmsg_to_cv2(self, img_msg, desired_encoding="passthrough"):
        print("cv_bridge converts", img_msg.encoding)
        type_, shape = (np.uint8, (3,)) if img_msg.encoding == "rgb8" else (np.float32, ())
        return np.ndarray((img_msg.height, img_msg.width, *shape), type_, buffer=img_msg.data)
"""


@pytest.mark.parametrize("cv_bridge", ["installed", "missing"])
def test_python_consumer_of_the_page_prints_the_least_certain_view(
    cv_bridge, ros_domain_id, ros_node, spin_until, tmp_path
):
    import numpy as np
    from geometry_msgs.msg import Point, Pose
    from std_msgs.msg import Header

    from tiny_nvs_ros.msg import NovelViews
    from tiny_nvs_ros.node.conversions import image_from_array

    header = Header(frame_id="wrist_camera")
    message = NovelViews(header=header, object_frame="mug")
    message.images = [image_from_array(np.zeros((32, 32, 3), np.uint8), header)] * 2
    message.uncertainties = [
        image_from_array(np.full((32, 32), value, np.float32), header) for value in (0.1, 0.25)
    ]
    message.camera_poses = [Pose(), Pose(position=Point(x=0.3, y=0.0, z=0.5))]
    publisher = ros_node.create_publisher(NovelViews, "/nvs/novel_views", 1)

    script, output = tmp_path / "look_next.py", tmp_path / "output"
    script.write_text(python_blocks("integration.md")[-1])
    module = CV_BRIDGE if cv_bridge == "installed" else "raise ImportError('missing')"
    (tmp_path / "cv_bridge.py").write_text(module)  # the script's folder comes first
    with output.open("w") as file:
        process = subprocess.Popen([sys.executable, script], stdout=file, stderr=file)
    try:
        spin_until(lambda: publisher.get_subscription_count() or process.poll() is not None)
        spin_until(lambda: publisher.publish(message) or "m in wrist" in output.read_text())
    finally:
        process.kill()  # rclpy may miss a SIGTERM while nothing but topics wakes it
        process.wait()
    lines = output.read_text().splitlines()
    assert ("cv_bridge converts rgb8" in lines) == (cv_bridge == "installed")
    first = next(line for line in lines if not line.startswith("cv_bridge"))
    assert first == (
        "2 views of mug; the least certain is view 1 (0.250), from 0.30 0.00 0.50 m in wrist_camera"
    )


def test_the_other_examples_are_python():
    for block in python_blocks("integration.md"):
        compile(block, "integration.md", "exec")


def messages() -> list[str]:
    """Return the messages in the package's code as regular expressions; inserted values are .+"""
    found = []
    for file in ROOT.glob("tiny_nvs_ros/**/*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text())))
        strings = [node.values for node in nodes if isinstance(node, ast.JoinedStr)]
        pieces = {piece for values in strings for piece in values}
        strings += [[n] for n in nodes if isinstance(n, ast.Constant) and n not in pieces]
        for values in strings:
            texts = [str(each.value) if isinstance(each, ast.Constant) else "" for each in values]
            if len("".join(texts)) >= 7:
                found.append("".join(re.escape(text) or ".+" for text in texts))
    return found


def test_the_messages_of_the_page_are_those_of_the_code():
    page = (ROOT / "docs/troubleshooting.md").read_text().replace("\n  ", " ")
    items = re.findall(r"^- (`[^`]+`(?:, `[^`]+`)*)(?::|$)", page, re.MULTILINE)
    quoted = [text for item in items for text in re.findall(r"`([^`]+)`", item)]
    assert len(quoted) > 20
    known = messages()
    for text in quoted:
        ways = (text, text.removeprefix("no "), f"{text}: ")  # as parts of others
        assert any(re.fullmatch(message, way) for message in known for way in ways), text
