"""The pages for users agree with the code."""

import ast
import importlib
import re
import shutil
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


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_lead_to_files_and_headings_that_exist(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for file, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", text):
        if file.startswith(("http://", "https://")):
            continue
        target = (page.parent / file) if file else page
        assert target.exists(), file
        assert not anchor or anchor in anchors(target), f"{file}#{anchor}"


def commands(pattern: str) -> set[str]:
    """Return the commands in all pages that match, with continued lines joined."""
    text = "\n".join(page.read_text() for page in PAGES)
    return set(re.findall(pattern, re.sub(r"\\\n\s*", "", text)))


def python_options() -> dict[tuple[str, ...], set[str]]:
    """Return the options that the pages give, by module and first arguments (a stage, a bag)."""
    found: dict[tuple[str, ...], set[str]] = {}
    for command in commands(r"-m ((?:training|benchmarks)[\w.]* ?[^\n`;#(]*)"):
        words = command.replace("...", "").split()
        options = {word for word in words if word.startswith("--")}
        first = next((i for i, word in enumerate(words) if word in options), len(words))
        found.setdefault(tuple(words[:first]), set()).update(options)
    return found


PYTHON_OPTIONS = python_options()


@pytest.mark.parametrize("command", sorted(PYTHON_OPTIONS), ids=" ".join)
def test_commands_have_the_options_that_the_pages_give(command, capsys):
    pytest.importorskip("torch")
    module, *arguments = command
    try:
        main = importlib.import_module(module).main
    except ModuleNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--help"])
    assert end.value.code == 0
    words = set(re.findall(r"--[\w-]+", capsys.readouterr().out))
    assert PYTHON_OPTIONS[command] <= words


def test_make_targets_of_the_pages_exist():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = commands(r"(?:    |`)make ([\w-]+)")
    assert used and used <= targets


CODE_REFERENCES = re.findall(
    r"`([\w/]+\.\w+): ([\w.]+)`", (ROOT / "docs/architecture.md").read_text()
)


@pytest.mark.parametrize(("file", "name"), CODE_REFERENCES, ids=lambda value: value)
def test_names_in_the_architecture_page_exist(file, name):
    path = next(each for each in (ROOT / "tiny_nvs_ros" / file, ROOT / file) if each.exists())
    nodes = ast.parse(path.read_text()).body
    for part in name.split("."):
        found = [node for node in nodes if getattr(node, "name", "") == part]
        assert found, f"{file} has no {name}"
        nodes = getattr(found[0], "body", [])


def test_files_in_the_architecture_page_exist():
    page = (ROOT / "docs/architecture.md").read_text()
    for file in re.findall(r"`((?:[\w.]+/)*[\w]+\.(?:py|msg|srv)|[\w/]+/)[`:]", page):
        if "NAME" not in file:
            assert any((folder / file).exists() for folder in (ROOT / "tiny_nvs_ros", ROOT)), file


def python_blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


def test_example_of_the_readme_runs(monkeypatch, capsys):
    pytest.importorskip("torch")
    monkeypatch.chdir(ROOT)
    (code,) = python_blocks("../README.md")
    exec(code, {})
    assert capsys.readouterr().out == "(8, 4, 32, 32, 3) (8, 32, 32, 3) (8, 32, 32)\n"


def test_examples_of_the_python_page_run(monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("skimage")
    monkeypatch.chdir(ROOT)
    names: dict = {}
    for code in python_blocks("python.md"):
        exec(code, names)
    assert len(names["certain"]) > 100 and len(names["faces"]) > 100
    assert names["gains"].shape == (24,) and names["best"].shape == (4, 4)
    assert names["views"].rgb.shape == (8, 4, 32, 32, 3)


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


RCLCPP = """
#include <cstdio>
#include <memory>
#include <string>

#define RCLCPP_INFO(logger, ...) ((void)(logger), std::printf(__VA_ARGS__))

namespace rclcpp
{
struct Subscription {};
struct Node
{
  explicit Node(const std::string &) {}
  int get_logger() { return 0; }
  template<typename Message, typename Callback>
  std::shared_ptr<Subscription> create_subscription(const std::string &, int, Callback callback)
  {
    callback(Message());
    return nullptr;
  }
};
inline void init(int, char **) {}
inline void spin(std::shared_ptr<Node>) {}
inline void shutdown() {}
}  // namespace rclcpp
"""


def test_cpp_consumer_compiles_with_the_message(tmp_path):
    get_packages = pytest.importorskip("ament_index_python").get_packages_with_prefixes
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is missing")
    page = (ROOT / "docs/integration.md").read_text()
    (source,) = re.findall(r"```cpp\n(.*?)```", page, re.DOTALL)
    (tmp_path / "look_next.cpp").write_text(source)
    (tmp_path / "rclcpp").mkdir()
    (tmp_path / "rclcpp/rclcpp.hpp").write_text(RCLCPP)  # ROS from PyPI has no rclcpp
    include = {tmp_path}
    for prefix in set(get_packages().values()):
        include |= {Path(prefix, "include"), *Path(prefix, "include").glob("*/")}
    subprocess.run(
        [compiler, "-std=c++17", "-Wall", "-Werror", "-fsyntax-only", "look_next.cpp"]
        + [f"-isystem{folder}" for folder in sorted(include)],
        cwd=tmp_path,
        check=True,
    )


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
