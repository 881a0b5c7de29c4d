"""The page in a real browser: Chromium without a window, driven by Playwright."""

import io
import re
import shutil
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("viser", reason="viser is missing: make viewer installs it")
pytest.importorskip("playwright", reason="playwright is missing: pip install playwright")

from PIL import Image
from playwright import sync_api

from tiny_nvs_ros.simulation.objects import SimulatedObject, source_pose
from tiny_nvs_ros.viewer import server
from tiny_nvs_ros.viewer.renderers import Renderers

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium: apt-get install chromium (docs/viewer.md)"
)
# No GPU is needed; root needs --no-sandbox, in containers.
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
TIMEOUT_MS = 60_000
# viser drops an image's address when the next one comes, also while the browser still reads it.
REPLACED_IMAGE = "net::ERR_FILE_NOT_FOUND"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    renderers = Renderers()
    renderers.get(renderers.names[0])
    running = server.serve("127.0.0.1", 8472, renderers)
    yield f"http://127.0.0.1:{running.get_port()}"
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Tab:
    """A page of the viewer that has shown its first view. errors: of its console."""

    def __init__(self, browser, address: str, width: int = 1280, height: int = 720):
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.page.set_default_timeout(TIMEOUT_MS)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._on_console)
        self.page.goto(address)
        self.page.wait_for_selector("#uncertainty")

    def _on_console(self, message: sync_api.ConsoleMessage) -> None:
        if message.type == "error" and REPLACED_IMAGE not in message.text:
            self.errors.append(message.text)

    @property
    def uncertainty(self) -> float:
        """The number on the page, percent."""
        return float(self.page.inner_text("#uncertainty").rstrip(" %"))

    def wait_for_less_than(self, uncertainty: float) -> None:
        number = "parseFloat(document.querySelector('#uncertainty').innerText)"
        self.page.wait_for_function(f"{number} < {uncertainty}")

    @property
    def camera(self) -> str:
        """The camera on the page, without the time that a view took."""
        return re.sub(r", \d+ ms", "", self.page.inner_text("#camera"))

    def settle(self) -> None:
        """Wait until the camera rests."""
        before = None
        while before != (before := (self.camera, self.views)):
            self.page.wait_for_timeout(700)

    @property
    def views(self) -> str:
        """The address of the image with the imagined view, its uncertainty and the truth."""
        return self.page.get_attribute("img[src^='blob:']", "src")

    def drag(self, right: float, down: float = 0.0) -> None:
        mouse, start = self.page.mouse, (400, 400)
        mouse.move(*start)
        mouse.down()
        mouse.move(start[0] + right, start[1] + down, steps=12)
        mouse.up()

    def upload(self, name: str, content: bytes, kind: str = "image/png") -> None:
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Upload a photo").click()
        chooser.value.set_files({"name": name, "mimeType": kind, "buffer": content})


@pytest.fixture
def tab(browser, address) -> Iterator[Tab]:
    tab = Tab(browser, address)
    yield tab
    tab.page.close()


def png(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def test_page_loads_without_errors(tab):
    for text in ("Imagined", "Uncertainty", "Truth", "Look from here", "Where next?", "Reset"):
        assert tab.page.get_by_text(text, exact=True).first.is_visible()
    assert tab.page.locator("canvas").first.is_visible()
    assert tab.errors == []


def test_moving_the_camera_changes_the_imagined_image(tab):
    tab.settle()
    camera, views = tab.camera, tab.views
    tab.drag(200)
    tab.settle()
    assert tab.camera != camera
    assert tab.views != views


def test_look_from_here_lowers_the_uncertainty(tab):
    tab.settle()
    before = tab.uncertainty
    tab.page.get_by_role("button", name="Look from here").click()
    tab.page.wait_for_function(
        f"parseFloat(document.querySelector('#uncertainty').innerText) < {before}"
    )
    assert tab.errors == []


def test_where_next_moves_the_camera(tab):
    tab.settle()
    camera = tab.camera
    tab.page.get_by_role("button", name="Where next?").click()
    tab.page.wait_for_function(
        f"!document.querySelector('#camera').innerText.startsWith('{camera}')"
    )
    tab.settle()
    assert "4.0 radii" in tab.camera


def test_two_browsers_do_not_disturb_each_other(tab, browser, address):
    other = Tab(browser, address)
    other.settle()
    camera, uncertainty = other.camera, other.uncertainty
    tab.drag(200)
    tab.page.get_by_role("button", name="Look from here").click()
    tab.settle()
    assert (other.camera, other.uncertainty) == (camera, uncertainty)
    other.page.close()


def test_upload_is_imagined(tab):
    tab.settle()
    views = tab.views
    tab.upload("van.png", png(SimulatedObject.load("van").photograph(source_pose(0)).image))
    tab.page.get_by_text("Your photo", exact=True).nth(1).wait_for()  # beside the folder's name
    tab.settle()
    assert tab.views != views
    assert tab.page.locator("input[value='photo: van.png']").first.is_visible()
    assert tab.page.get_by_role("button", name="Look from here").is_disabled()
    assert tab.errors == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not an image", "not a PNG, JPEG or WebP image"),
        (png(np.full((5000, 8000), 255, np.uint8)), "40 megapixels"),
        (bytes(17 * 2**20), "17 MiB; at most 16"),
    ],
    ids=["text", "megapixels", "bytes"],
)
def test_broken_upload_is_refused_on_the_page(tab, content, reason):
    tab.settle()
    views = tab.views
    tab.upload("x.png", content)
    tab.page.get_by_text(reason).first.wait_for()
    assert tab.views == views
    assert tab.page.get_by_text("Truth", exact=True).is_visible()


def test_other_weights_and_objects_are_taken_from_the_menus(tab):
    def choose(old: str, new: str) -> None:
        tab.page.locator(f"input[value='{old}']:visible").first.click()
        tab.page.get_by_role("option", name=new, exact=True).click()
        tab.page.locator(f"input[value='{new}']:visible").first.wait_for()

    tab.settle()
    views = tab.views
    choose("duck", "shoe")
    tab.settle()
    assert tab.views != views
    choose("objects", "cars")
    tab.page.get_by_text("The weights cars give no depth").wait_for()
    tab.settle()
    tab.page.get_by_role("button", name="Look from here").click()  # replaces the only source
    tab.settle()
    assert tab.errors == []
    assert not tab.page.get_by_text("Not possible").is_visible()


def test_mesh_is_downloaded(tab):
    tab.settle()
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="Download the mesh").click()
    assert download.value.suggested_filename == "object.glb"
    assert download.value.path().read_bytes().startswith(b"glTF")


def test_page_works_at_phone_width(browser, address):
    tab = Tab(browser, address, 390, 844)
    tab.settle()
    button = tab.page.get_by_role("button", name="Look from here")
    box = button.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert box["y"] + box["height"] <= 844
    before = tab.uncertainty
    button.click()
    tab.page.wait_for_function(
        f"parseFloat(document.querySelector('#uncertainty').innerText) < {before}"
    )
    tab.page.close()
