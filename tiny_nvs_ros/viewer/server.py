"""Serves the viewer: python -m tiny_nvs_ros.viewer --help"""

from __future__ import annotations

import argparse
import sys
import threading
import warnings
from typing import TYPE_CHECKING

import numpy as np

from tiny_nvs_ros.viewer.live_page import LivePage
from tiny_nvs_ros.viewer.page import FIRST_EYE, Page
from tiny_nvs_ros.viewer.renderers import Renderers

if TYPE_CHECKING:
    import viser

    from tiny_nvs_ros.node.live_views import LiveListener

PORT = 8080
FIELD_OF_VIEW = np.radians(40)  # vertical
BRAND = (0, 102, 153)
BACKGROUND = (238, 241, 244), (250, 251, 252)  # RGB, bottom and top


def start(host: str, port: int) -> viser.ViserServer:
    """Start a server with an empty page, at the next free port from `port`; returns at once."""
    import viser

    server = viser.ViserServer(host, port, label="tiny_nvs_ros", verbose=False)
    # No page can open viser's tunnel to the outside.
    server.request_share_url = lambda *_, **__: None
    server.gui.configure_theme(
        control_width="large",
        show_logo=False,
        show_share_button=False,
        brand_color=BRAND,
    )
    server.gui.main_panel.dock_right()
    server.scene.set_up_direction("+z")
    server.scene.set_background_image(background(), format="png")
    server.initial_camera.position = FIRST_EYE
    server.initial_camera.look_at = np.zeros(3)
    server.initial_camera.fov = float(FIELD_OF_VIEW)
    return server


def serve(host: str, port: int, renderers: Renderers) -> viser.ViserServer:
    """Serve a page of its own to each browser until `stop`; returns at once."""
    server = start(host, port)
    pages: dict[int, Page] = {}

    @server.on_client_connect
    def _(client: viser.ClientHandle) -> None:
        page = pages[client.client_id] = Page(client, renderers)
        if client.client_id not in server.get_clients():  # it left meanwhile
            page.close()

    @server.on_client_disconnect
    def _(client: viser.ClientHandle) -> None:
        if page := pages.pop(client.client_id, None):
            page.close()

    return server


def background() -> np.ndarray:
    """Return a faint gradient, H x W x 3 uint8, on which white objects can be seen."""
    share = np.linspace(1, 0, 64)[:, None, None]
    low, high = (np.array(color, float) for color in BACKGROUND)
    column = low + share * (high - low)
    return np.round(np.broadcast_to(column, (64, 2, 3))).astype(np.uint8)


def serve_node(
    host: str, port: int, name: str, arguments: list[str]
) -> tuple[viser.ViserServer, LiveListener]:
    """Serve what a running node imagines until both are closed; returns at once.

    arguments: of ROS. Raises ImportError without ROS.
    """
    try:
        from tiny_nvs_ros.node.live_views import LiveListener
    except ImportError as error:
        raise ImportError(f"--ros needs ROS 2 and this package built for it: {error}") from error
    server = start(host, port)
    page = LivePage(server, name)
    handlers = page.show_views, page.show_points, page.show_problem
    return server, LiveListener(name, *handlers, arguments)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tiny_nvs_ros.viewer",
        description="Serve a page on which objects are imagined, or with --ros one that shows what "
        "a running node imagines. Without --ros it needs no ROS.",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on. The default serves browsers on this machine alone; 0.0.0.0 "
        "serves everyone who can reach it, without a password and unencrypted",
    )
    parser.add_argument("--port", type=int, default=PORT, help="default: %(default)s")
    parser.add_argument(
        "--weights", help="a weights folder, or the name of one in weights/ (default: objects)"
    )
    parser.add_argument(
        "--ros",
        nargs="?",
        const="/nvs",
        metavar="NODE",
        help="show the views and points of a running node (default: /nvs)",
    )
    ours, ros = split_arguments(sys.argv[1:])
    arguments = parser.parse_args(ours)
    try:
        import viser  # noqa: F401
    except ImportError:
        print(
            f"the viewer needs viser, which {sys.executable} does not find: make viewer installs "
            "it (or pip install viser==1.1.1 pillow scikit-image trimesh)",
            file=sys.stderr,
        )
        return 1
    # A page that closed may have had a view on its way.
    warnings.filterwarnings("ignore", "Queued a .* on a closed connection")
    listener = None
    try:
        if arguments.ros:
            server, listener = serve_node(arguments.host, arguments.port, arguments.ros, ros)
        else:
            renderers = Renderers(arguments.weights)
            renderers.get(renderers.names[0])
            server = serve(arguments.host, arguments.port, renderers)
    except (OSError, ValueError, ImportError) as error:
        print(f"viewer: {error}", file=sys.stderr)
        return 1
    host = "localhost" if arguments.host in ("127.0.0.1", "0.0.0.0") else arguments.host
    print(f"the viewer is at http://{host}:{server.get_port()} (Ctrl+C ends it)", flush=True)
    forever = threading.Event()
    try:
        while not forever.wait(1.0):  # a signal that another thread received is seen only then
            pass
    except KeyboardInterrupt:
        if listener:
            listener.close()
        server.stop()
    return 0


def split_arguments(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the arguments before --ros-args, and the rest, which is for ROS."""
    end = arguments.index("--ros-args") if "--ros-args" in arguments else len(arguments)
    return arguments[:end], arguments[end:]
