"""Which source images are remembered."""

from types import SimpleNamespace

import numpy as np
import pytest

from tiny_nvs_ros.geometry import eye_at, look_at
from tiny_nvs_ros.node.parameters import NodeSettings
from tiny_nvs_ros.node.source_memory import Remembered, SourceMemory

SETTINGS = NodeSettings(memory_size=3, memory_min_angle=0.3, memory_max_age=10.0)


def image(azimuth: float, stamp: float = 0.0) -> Remembered:
    """Return an image of a camera at an azimuth (rad), stamped in seconds."""
    camera = SimpleNamespace(pose=look_at(eye_at(azimuth, 0.0, 2.0), np.zeros(3)))
    return Remembered(SimpleNamespace(camera=camera), int(stamp * 1e9))


@pytest.fixture
def memory():
    return SourceMemory()


def test_images_from_different_sides_are_given_together_newest_first(memory):
    images = [image(azimuth) for azimuth in (0.0, 1.0, 2.0)]
    given = [memory.add(each, SETTINGS, 8) for each in images]
    assert [len(each) for each in given] == [1, 2, 3]
    assert given[-1] == [each.source for each in images[::-1]] == memory.sources()


def test_new_image_stands_for_the_one_from_nearly_the_same_side(memory):
    old, new = image(0.0), image(0.2)
    memory.add(old, SETTINGS, 8)
    assert memory.add(new, SETTINGS, 8) == [new.source]


def test_side_seen_again_has_the_new_image(memory):
    images = [image(0.0), image(1.5), image(0.1), image(1.6)]
    for each in images:
        given = memory.add(each, SETTINGS, 8)
    assert given == [images[i].source for i in (3, 2)]


def test_full_memory_forgets_the_side_that_others_show_best(memory):
    images = [image(azimuth) for azimuth in (0.0, 1.5, 1.9, 3.5)]
    for each in images:
        given = memory.add(each, SETTINGS, 8)
    assert given == [images[i].source for i in (3, 2, 0)]


@pytest.mark.parametrize("step", [0.01, 0.13, 0.3001])
def test_a_camera_that_moves_around_leaves_images_from_all_sides(memory, step):
    for k in range(int(13 / step)):
        given = memory.add(image(step * k), SETTINGS, 8)
    assert len(given) == 3
    directions = [Remembered(each, 0).direction for each in given[1:]]
    assert np.arccos(directions[0] @ directions[1]) > 1.5


def test_no_more_sources_are_given_than_the_model_takes(memory):
    for azimuth in (0.0, 1.0):
        given = memory.add(image(azimuth), SETTINGS, 1)
    assert len(given) == 1


def test_old_images_are_forgotten(memory):
    memory.add(image(0.0, stamp=0), SETTINGS, 8)
    assert len(memory.add(image(1.0, stamp=9), SETTINGS, 8)) == 2
    assert len(memory.add(image(2.0, stamp=11), SETTINGS, 8)) == 2
    assert memory.stamps() == [11 * 10**9, 9 * 10**9]


@pytest.mark.parametrize("change", [{"object_frame": "mug"}, {"object_radius": 0.2}])
def test_all_is_forgotten_when_its_meaning_changes(memory, change):
    memory.add(image(0.0), SETTINGS, 8)
    other = NodeSettings(memory_size=3, memory_min_angle=0.3, **change)
    assert len(memory.add(image(1.0), other, 8)) == 1


def test_forget_and_keep_only_say_how_many_are_gone(memory):
    images = [image(azimuth) for azimuth in (0.0, 1.0, 2.0)]
    for each in images:
        memory.add(each, SETTINGS, 8)
    assert memory.keep_only(images[2].source) == 2
    assert memory.sources() == [images[2].source]
    assert memory.forget() == 1 and memory.forget() == 0
