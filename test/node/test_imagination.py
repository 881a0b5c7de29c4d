from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tiny_nvs_ros import geometry
from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.image import resize
from tiny_nvs_ros.model import ModelConfig, NovelViews
from tiny_nvs_ros.node.imagination import contact_sheet, imagine

SIZE = 32


class Painter:
    """A renderer that remembers what it was asked, and paints a bar that points up."""

    config = ModelConfig()
    asked = None

    def generate(self, image, poses, samples, **arguments):
        self.asked = SimpleNamespace(image=image, poses=poses, samples=samples, **arguments)
        views = np.full((len(poses), samples, SIZE, SIZE, 3), 255, np.uint8)
        views[:, :, 4:16, 12:20] = 0
        return NovelViews(views)


def rolled(pose: np.ndarray, angle: float) -> np.ndarray:
    turn = geometry.pose_from(np.zeros(3), [0, 0, np.sin(angle / 2), np.cos(angle / 2)])
    return pose @ turn


def camera(azimuth: float, distance: float, target=(0.0, 0.0, 0.0)) -> np.ndarray:
    return geometry.look_at(geometry.eye_at(azimuth, 0.4, distance), target)


@pytest.fixture
def painter():
    return Painter()


@pytest.fixture
def upright():
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[8:32, 28:36] = (200, 0, 0)
    return picture


def test_the_model_sees_cameras_of_its_own_distance(painter, upright):
    source, target = camera(0.3, 2.0), camera(1.5, 7.0)
    imagine(painter, upright, source, target[None], samples=2)
    at_1_3 = geometry.relative_pose(camera(0.3, 1.3), camera(1.5, 1.3))
    np.testing.assert_allclose(painter.asked.poses, at_1_3[None], atol=1e-9)
    np.testing.assert_array_equal(painter.asked.image, resize(upright, SIZE))


def test_a_picture_of_a_rolled_camera_is_turned_upright(painter, upright):
    """A camera rolled by a quarter turn from x towards y sees up at its own +x... of the image."""
    straight = camera(0.3, 2.0)
    upside_down = rolled(straight, np.pi)
    imagine(painter, upright[::-1, ::-1], upside_down, straight[None], samples=1)
    np.testing.assert_array_equal(painter.asked.image, resize(upright, SIZE))
    np.testing.assert_allclose(painter.asked.poses[0], np.eye(4), atol=1e-9)
    quarter = rolled(straight, np.pi / 2)  # its x axis points down, so up is its -x: left
    seen = np.rot90(upright, axes=(0, 1))  # up goes to the left
    imagine(painter, seen, quarter, straight[None], samples=1)
    assert np.abs(painter.asked.image.astype(int) - resize(upright, SIZE)).max() <= 1


@pytest.mark.parametrize("known", [False, True])
def test_the_model_is_told_where_the_source_camera_stands(painter, upright, known):
    source = camera(0.3, 2.0)
    imagine(painter, upright, rolled(source, 1.0), source[None], samples=1, heading_known=known)
    np.testing.assert_allclose(painter.asked.source_pose, camera(0.3, geometry.DISTANCE), atol=1e-9)
    assert painter.asked.heading_known is known


def test_nothing_of_a_long_crop_is_lost_when_it_is_turned(painter):
    """The bar reaches from edge to edge of a crop that is lying because the camera is."""
    lying = np.full((40, 400, 3), 255, np.uint8)
    lying[15:25] = 0
    straight = camera(0.3, 2.0)
    views = imagine(painter, lying, rolled(straight, np.pi / 2), straight[None], samples=1)
    assert (views.source[:, 16].max(axis=1) < 200).all()
    np.testing.assert_array_equal(painter.asked.image, views.source)


WHOLE = Camera(
    np.array([[300.0, 0, 159.5], [0, 300, 119.5], [0, 0, 1]]), np.zeros(0), False, 320, 240
)


def test_a_whole_picture_is_warped_to_the_view_of_the_object(painter):
    """A ball of the object's radius in the corner of the picture of a rolled camera."""
    source = rolled(camera(0.3, 2.0, target=(0.5, 0.3, 0.1)), 2.5)
    x, y = WHOLE.project(geometry.inverse(source)[None, :3, 3])[0]
    picture = np.full((240, 320, 3), 255, np.uint8)
    cv2.circle(picture, (round(x), round(y)), round(300 * 0.3 / 2.0), (0, 0, 0), cv2.FILLED)
    views = imagine(
        painter, picture, source, source[None], samples=1, camera=WHOLE, object_radius=0.3
    )
    np.testing.assert_array_equal(painter.asked.image, views.source)
    np.testing.assert_allclose(painter.asked.poses[0], np.eye(4), atol=1e-9)
    dark = np.argwhere(views.source[..., 0] < 128)
    np.testing.assert_allclose(dark.mean(axis=0), 15.5, atol=0.5)
    trained = SIZE * geometry.FOCAL * geometry.RADIUS / geometry.DISTANCE
    assert np.sqrt(len(dark) / np.pi) == pytest.approx(trained, rel=0.05)
    assert views.focal == pytest.approx(SIZE * geometry.FOCAL * 0.5 / 0.3 * 2.0 / 1.3)


def test_an_object_that_is_not_wholly_in_the_picture_is_refused(painter):
    picture = np.full((240, 320, 3), 255, np.uint8)
    source = camera(0.3, 2.0, target=(0.9, 0.3, 0.1))
    words = r"only \d+% of the object's disc \(object_radius, 0.5 m\) is in the picture"
    with pytest.raises(ValueError, match=words):
        imagine(painter, picture, source, source[None], 1, camera=WHOLE, object_radius=0.5)


def test_a_whole_picture_needs_the_object_radius(painter):
    picture, source = np.zeros((240, 320, 3), np.uint8), camera(0.3, 2.0)
    with pytest.raises(ValueError, match="object_radius is not set"):
        imagine(painter, picture, source, source[None], 1, camera=WHOLE)


def test_views_are_turned_to_the_roll_that_was_asked(painter, upright):
    straight = camera(0.3, 2.0)
    quarter = rolled(straight, np.pi / 2)
    views = imagine(painter, upright, straight, np.stack([straight, quarter]), samples=2)
    assert views.images[0, 8, 16, 0] == 0  # the bar points up
    assert views.images[1, 16, 8, 0] == 0  # and to the left, as up lies for that camera
    assert views.images[1, 8, 16, 0] == 255
    expected = geometry.relative_pose(straight, np.stack([straight, quarter]))
    np.testing.assert_allclose(views.poses, expected, atol=1e-9)


def test_a_camera_that_looks_aside_gets_the_view_from_its_place(painter, upright):
    source = camera(0.3, 2.0)
    aside = rolled(camera(1.0, 2.0, target=(0.1, 0.2, -0.1)), 0.3)
    views = imagine(painter, upright, source, aside[None], samples=1)
    pose = source @ views.poses[0]
    np.testing.assert_allclose(pose[:3, 3], aside[:3, 3], atol=1e-9)
    ahead = pose[:3, :3].T @ -pose[:3, 3]
    np.testing.assert_allclose(ahead, [0, 0, 2.0], atol=1e-9)  # it looks at the centre
    turn = aside[:3, :3].T @ pose[:3, :3]  # by the shortest way: no turn about its own axis
    assert turn[0, 1] == pytest.approx(turn[1, 0], abs=1e-9)


def test_one_focal_length_is_true_for_all_distances(painter, upright):
    """The bar's real height, seen with the published focal length, is what the pixels show."""
    source = camera(0.0, 2.0)
    views = imagine(painter, upright, source, np.stack([camera(1, 1.0), camera(2, 4.0)]), samples=1)
    model_focal = ModelConfig().geometry["focal"] * SIZE
    for image, pose in zip(views.images, source @ views.poses, strict=True):
        height = (image.min(axis=(1, 2)) < 128).sum()
        metres = 12 / model_focal * 2.0  # 12 pixels of the model's camera at the source's distance
        assert height == pytest.approx(views.focal * metres / np.linalg.norm(pose[:3, 3]), abs=1)
    assert views.focal == pytest.approx(model_focal / 2)


def test_uncertainty_needs_samples(painter, upright):
    source = camera(0.0, 2.0)
    assert imagine(painter, upright, source, source[None], samples=1).uncertainties is None
    views = imagine(painter, upright, source, source[None], samples=3)
    assert views.uncertainties.shape == (1, SIZE, SIZE)
    assert contact_sheet(upright, views).shape == (262, 262, 3)


@pytest.mark.parametrize(
    "bad, reason",
    [
        (geometry.look_at((0, 0, 0), (5.0, 0, 0)), "{} stands at the object's centre"),
        (geometry.look_at((2.0, 0, 0), (5.0, 0, 0)), "the object's centre lies behind {}, whose"),
        (camera(0, 0.4), "{} is inside the object: nearer .* than object_radius, 0.5 m"),
        (np.full((4, 4), np.nan), "the pose of {} has values that are not finite"),
    ],
)
def test_cameras_that_cannot_see_the_object_are_refused(painter, upright, bad, reason):
    good = camera(0, 2.0)
    with pytest.raises(ValueError, match=reason.format("the camera of view 1")):
        imagine(painter, upright, good, np.stack([good, bad]), samples=1, object_radius=0.5)
    with pytest.raises(ValueError, match=reason.format("the camera")):
        imagine(painter, upright, bad, good[None], samples=1, object_radius=0.5)
    assert painter.asked is None


class Truth(Painter):
    """A renderer that knows the object: a car, as the model's cameras would see it."""

    def __init__(self, T_object_source: np.ndarray):
        self.source = geometry.virtual_camera(T_object_source).pose

    def generate(self, image, poses, **arguments):
        return NovelViews(render_car(0.5, SIZE * geometry.FOCAL, self.source @ poses)[:, None])


def render_car(radius: float, focal: float, poses: np.ndarray) -> np.ndarray:
    """Pictures of a car of that size (units of the poses) by pinholes; focal in pixels."""
    pytest.importorskip("pyvista")
    from training.cars import car
    from training.render import Renderer

    meshes = [replace(m, vertices=m.vertices * (radius / geometry.RADIUS)) for m in car(0, 3)]
    renderer = Renderer(SIZE, focal, supersample=8)
    pictures = renderer.render(meshes, poses)
    renderer.close()
    return pictures


@pytest.mark.parametrize("times, least", [(1.0, 32), (2.0, 20)])
def test_views_are_what_cameras_at_their_poses_see(times, least):
    """Wherever the asked cameras look to, however they are rolled: the published pose and focal
    length give the published picture of the real object.

    Up to what a turn of 32 pixels costs, and at another distance than the source's up to the
    perspective, which the model does not know.
    """
    radius, distance = 0.25, 0.65  # seen as large as in training
    source = rolled(camera(0.5, distance, target=(0.05, 0.1, -0.05)), 2.4)
    there = distance * times
    targets = np.stack(
        [
            rolled(camera(1.5, there), np.pi),
            rolled(camera(1.5, there, target=(0.0, -0.1, 0.2)), 0.0),
            rolled(camera(-2.5, there, target=(0.1, 0.2, 0.1)), -0.6),
            rolled(camera(2.5, there, target=(0.2, 0.1, -0.1)), 1.3),
        ]
    )
    blank = np.full((SIZE, SIZE, 3), 255, np.uint8)
    views = imagine(Truth(source), blank, source, targets, samples=1, object_radius=radius)
    truth = render_car(radius, views.focal, source @ views.poses)
    error = ((views.images.astype(float) - truth) ** 2).mean(axis=(1, 2, 3))
    assert (10 * np.log10(255**2 / np.maximum(error, 1e-3)) > least).all()
    for view, asked in zip(source @ views.poses, targets, strict=True):
        np.testing.assert_allclose(view[:3, 3], asked[:3, 3], atol=1e-9)
