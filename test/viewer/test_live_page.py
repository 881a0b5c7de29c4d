"""The page of --ros, without ROS: views and points as a listener gives them."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("viser", reason="viser is missing: make viewer installs it")

from tiny_nvs_ros.geometry import look_at, orbit
from tiny_nvs_ros.viewer import display, server
from tiny_nvs_ros.viewer.live_page import LivePage, sheet

VIEWS = 5


def live_views(uncertain: bool = True, views: int = VIEWS) -> SimpleNamespace:
    return SimpleNamespace(
        images=np.full((views, 32, 32, 3), 90, np.uint8),
        uncertainties=np.full((views, 32, 32), 0.1, np.float32) if uncertain else None,
        T_object_views=orbit(views, (0.4,), 0.5),
        T_object_source=look_at((0.6, 0, 0.3), (0, 0, 0)),
        object_radius=0.1,
        sources=2,
        latency=0.03,
    )


@pytest.fixture
def viewer():
    viewer = server.start("127.0.0.1", 8540)
    yield viewer
    viewer.stop()


def test_sheet_has_a_row_of_uncertainties_below_each_row_of_views():
    height = [sheet(live_views(uncertain)).shape[0] for uncertain in (True, False)]
    assert [round(each / display.TILE) for each in height] == [4, 2]


def test_views_are_drawn_in_object_radii_and_replaced(viewer):
    page = LivePage(viewer, "/nvs")
    page.show_views(live_views())
    assert len(page._frusta) == VIEWS + 1
    assert "5 views of 2 source images" in page._status.content
    assert all(np.linalg.norm(each.position) <= 2.11 for each in page._frusta)
    page._shown = -np.inf  # as if time had passed
    page.show_views(live_views(views=2))
    assert len(page._frusta) == 3


def test_views_in_quick_succession_are_not_all_sent_to_the_browsers(viewer):
    page = LivePage(viewer, "/nvs")
    page.show_views(live_views())
    page.show_views(live_views(views=2))
    assert len(page._frusta) == VIEWS + 1


def test_points_that_are_not_confident_enough_are_hidden(viewer):
    page = LivePage(viewer, "/nvs")
    page.show_views(live_views())
    points = np.array([(0.1, 0, 0), (0, 0.1, 0), (0, 0, 0.1)], np.float32)
    colors = np.zeros((3, 3), np.uint8)
    page.show_points(
        SimpleNamespace(points=points, colors=colors, confidence=np.array([0.2, 0.6, 0.9]))
    )
    assert page._cloud.points == pytest.approx(points[1:] / 0.1)


def test_problem_is_shown(viewer):
    page = LivePage(viewer, "/nvs")
    page.show_problem("No transform to <object>")
    assert "No transform to &lt;object&gt;" in page._status.content
