from dataclasses import replace
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from camera_infos import LENSES, info
from hypothesis import given
from hypothesis import strategies as st

from tiny_nvs_ros import geometry
from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.geometry import SRN_CAMERA, eye_at, look_at
from tiny_nvs_ros.image import on_white
from tiny_nvs_ros.virtual_camera import (
    crop_to_view,
    disc_coverage,
    image_to_view,
    virtual_camera,
)

SIZE = 64

angle = st.floats(-3.1, 3.1)
place = st.builds(geometry.eye_at, angle, st.floats(-1.5, 1.5), st.floats(0.3, 5))


def aside_and_rolled(aside: float, towards: float, roll: float) -> np.ndarray:
    """Return a rotation of a camera away from its target, to any side, then about its axis."""
    half = np.sin(aside / 2)
    away = [half * np.cos(towards), half * np.sin(towards), 0, np.cos(aside / 2)]
    about = [0, 0, np.sin(roll / 2), np.cos(roll / 2)]
    return geometry.pose_from(np.zeros(3), away) @ geometry.pose_from(np.zeros(3), about)


@given(st.floats(0.05, 20), st.floats(-3.1, 3.1), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1))
def test_virtual_camera_stands_in_the_direction_of_the_real_one(distance, azimuth, elevation, roll):
    upright = geometry.look_at(geometry.eye_at(azimuth, elevation, distance), np.zeros(3))
    rolled = upright @ geometry.pose_from(np.zeros(3), [0, 0, np.sin(roll / 2), np.cos(roll / 2)])
    camera = virtual_camera(rolled)
    assert camera.distance == pytest.approx(distance)
    expected = upright.copy()
    expected[:3, 3] *= SRN_CAMERA.distance / distance
    np.testing.assert_allclose(camera.pose, expected, atol=1e-6)
    assert np.cos(camera.roll - roll) == pytest.approx(1)


@given(angle, st.floats(-1.5, 1.5), st.floats(0.3, 5), st.floats(0, 0.44), angle, angle)
def test_virtual_camera_does_not_depend_on_where_the_camera_looks(
    azimuth, elevation, distance, aside, towards, roll
):
    """Up to 25 degrees off the object, with any roll."""
    straight = geometry.look_at(geometry.eye_at(azimuth, elevation, distance), np.zeros(3))
    camera = straight @ aside_and_rolled(aside, towards, roll)
    virtual = virtual_camera(camera)
    np.testing.assert_allclose(virtual.pose, virtual_camera(straight).pose, atol=1e-9)
    ahead = virtual.rotation @ camera[:3, :3].T @ -camera[:3, 3]
    np.testing.assert_allclose(ahead, [0, 0, distance], atol=1e-9)


@given(st.floats(0, 0.44), angle, angle)
def test_roll_remains_after_the_shortest_rotation_to_the_object(aside, towards, roll):
    straight = geometry.look_at([0.8, 0.5, 0.4], np.zeros(3))
    camera = virtual_camera(straight @ aside_and_rolled(aside, towards, roll))
    assert np.cos(camera.roll - roll) == pytest.approx(1, abs=1e-9)


@given(place, place)
def test_relative_pose_of_virtual_cameras_equals_that_by_hand(source, target):
    """By hand: forward, right and down of a camera at each position."""

    def pose(eye):
        forward = -eye / np.sqrt(eye @ eye)
        right = np.array([-eye[1], eye[0], 0]) / np.hypot(*eye[:2])
        return right, np.cross(forward, right), forward, -1.3 * forward

    *axes, s = pose(source)
    *columns, t = pose(target)
    expected = [[*(a @ c for c in columns), a @ (t - s)] for a in axes] + [[0, 0, 0, 1]]
    cameras = [virtual_camera(geometry.look_at(eye, 0.05 * eye[::-1])) for eye in (source, target)]
    condition = geometry.relative_pose(*(camera.pose for camera in cameras))
    np.testing.assert_allclose(condition, expected, atol=1e-9)


def test_object_behind_the_camera_is_refused():
    behind = geometry.look_at([1.0, 0.0, 0.0], [2.0, 0.0, 0.0])
    with pytest.raises(ValueError, match=r"behind the camera of view 2, .* optical \(z forward\)"):
        virtual_camera(behind, "the camera of view 2")
    across = geometry.look_at([1.0, 0.0, 0.0], [1.0, 1.0, 0.0])
    with pytest.raises(ValueError, match="behind the camera"):
        virtual_camera(across)


def test_camera_at_the_centre_is_refused():
    with pytest.raises(ValueError, match="the camera stands at the object's centre"):
        virtual_camera(np.eye(4))


def test_invalid_pose_is_refused_by_name():
    with pytest.raises(ValueError, match="the pose of the camera has values that are not finite"):
        virtual_camera(np.full((4, 4), np.nan))


def test_camera_inside_the_object_is_refused():
    camera = virtual_camera(geometry.look_at([0.3, 0.0, 0.0], np.zeros(3)))
    camera.check_outside(0.29)
    with pytest.raises(ValueError, match="the camera is inside the object: nearer"):
        camera.check_outside(0.3)


class Pose(NamedTuple):
    """Pose of a real camera, metres and degrees.

    aside: angle between its optical axis and the object, which appears towards that side of the
    image (0: right, 90: below). psnr: lower limit of the warped image, dB.
    """

    distance: float
    radius: float
    azimuth: float = 40
    elevation: float = 20
    aside: float = 0
    towards: float = 0
    roll: float = 0
    psnr: float = 43

    @property
    def matrix(self) -> np.ndarray:
        """T_object_camera."""
        azimuth, elevation, aside, towards, roll = np.radians(self[2:7])
        straight = look_at(eye_at(azimuth, elevation, self.distance), np.zeros(3))
        off = aside * np.array([np.sin(towards + roll), -np.cos(towards + roll), 0])
        turn = cv2.Rodrigues(off)[0] @ cv2.Rodrigues(np.array([0, 0, roll]))[0]
        straight[:3, :3] = straight[:3, :3] @ turn  # numpy of Humble has no @=
        return straight


POSES = {
    "straight on": Pose(1.3, 0.5),
    "wrist, upside down": Pose(0.3, 0.1, 120, 50, aside=8, towards=200, roll=180),
    "far aside": Pose(0.8, 0.2, -60, 10, aside=25),
    "far aside, rolled": Pose(0.8, 0.2, -60, 10, aside=25, towards=190, roll=-30),
    "car at 5 m": Pose(5.0, 2.0, -140, 5, aside=15, towards=170, roll=-60),
    "toy at 5 m": Pose(5.0, 0.4, 20, 30, aside=20, towards=30, roll=3, psnr=36),
    "from above": Pose(0.5, 0.15, 10, 86, aside=5, towards=120, roll=77),
    "from below": Pose(1.0, 0.4, 10, -70, aside=12, towards=60, roll=-130),
}
SIDE, IDEAL_FOCAL = 1024, 400.0  # of a pinhole that sees more than each of the lenses


@cache
def rendered(pose: Pose, size: int, focal: float, supersample: int = 2) -> np.ndarray:
    """Return the image of a car of the pose's radius, by an ideal pinhole."""
    from training.data.cars import car
    from training.data.renderer import Renderer

    meshes = [
        replace(m, vertices=m.vertices * (pose.radius / SRN_CAMERA.radius)) for m in car(0, 3)
    ]
    renderer = Renderer(size, focal, supersample)
    image = on_white(renderer.render(meshes, pose.matrix[None])[0])
    renderer.close()
    return image


def distorted(pose: Pose, camera: Camera) -> np.ndarray:
    """Return the camera's image, by OpenCV's inverse of its distortion."""
    x, y = np.meshgrid(np.arange(camera.width, dtype=float), np.arange(camera.height))
    pixels = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
    undistort = cv2.fisheye.undistortPoints if camera.fisheye else cv2.undistortPoints
    d = camera.distortion if len(camera.distortion) else np.zeros(4)
    ideal = undistort(pixels, camera.matrix, d)[:, 0] * IDEAL_FOCAL + (SIDE - 1) / 2
    x, y = ideal.astype(np.float32).reshape(camera.height, camera.width, 2).transpose(2, 0, 1)
    image = rendered(pose, SIDE, IDEAL_FOCAL)
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderValue=(255, 255, 255))


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("pose", POSES)
def test_warped_image_equals_the_rendering_of_the_virtual_camera(lens, pose):
    """A shift by a quarter of a pixel would give 29 to 37 dB, a rotation by two degrees 29 to 34.

    36 dB for the toy, which has only 60 pixels in the image.
    """
    pytest.importorskip("moderngl")
    camera, pose = Camera.from_info(LENSES[lens]), POSES[pose]
    virtual = virtual_camera(pose.matrix)
    view, seen = image_to_view(distorted(pose, camera), camera, virtual, pose.radius, 32)
    upright = pose._replace(aside=0, towards=0, roll=0)
    focal = (
        SRN_CAMERA.focal
        * 32
        * (SRN_CAMERA.radius / pose.radius)
        * (pose.distance / SRN_CAMERA.distance)
    )
    expected = rendered(upright, 32, focal, supersample=8)
    covered = seen == 1
    assert disc_coverage(seen) > 0.7
    error = view.astype(float)[covered] - expected[covered]
    assert 10 * np.log10(255**2 / np.mean(error**2)) > pose.psnr


def test_coverage_ends_where_the_image_ends():
    """The object's centre lies on the image's right edge, so half of its disc is in it."""
    camera = Camera.from_info(LENSES["pinhole"])
    pose = Pose(5.0, 0.2, aside=np.degrees(np.arctan(320 / 400)), roll=20)
    black = np.zeros((480, 640, 3), np.uint8)
    view, seen = image_to_view(black, camera, virtual_camera(pose.matrix), pose.radius, 32)
    assert disc_coverage(seen) == pytest.approx(0.5, abs=0.02)
    assert (view[seen == 1] == 0).all() and view[seen == 0].mean() > 250


@pytest.mark.parametrize("radius, away", [(0.05, 0.2), (0.05, 0.5), (2.0, 6.0), (2.0, 12.0)])
def test_object_has_its_trained_size_at_any_distance(radius, away):
    """A ball of the object's radius, off the image's centre."""
    camera = Camera.from_info(info(1280, 960, focal=900.0))
    T = look_at([0, -away, 0], [0.1 * away, 0, 0.1 * away])
    ball = np.sqrt(away**2 - radius**2) * radius / away  # radius of its outline
    centre = away - radius**2 / away  # and the outline's distance
    outline = np.array(
        [[ball * np.cos(a), centre - away, ball * np.sin(a)] for a in np.linspace(0, 6.28, 100)]
    )
    pixels = camera.project((outline - T[:3, 3]) @ T[:3, :3])
    image = np.full((960, 1280, 3), 255, np.uint8)
    cv2.fillPoly(image, [np.round(pixels).astype(int)], (0, 0, 0))
    view, _ = image_to_view(image, camera, virtual_camera(T), radius, SIZE)
    dark = 1 - view[..., 0] / 255
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    assert (dark * columns).sum() / dark.sum() == pytest.approx(SIZE / 2, abs=0.3)
    assert (dark * rows).sum() / dark.sum() == pytest.approx(SIZE / 2, abs=0.3)
    focal = SRN_CAMERA.focal * SIZE * SRN_CAMERA.radius / radius * away / SRN_CAMERA.distance
    assert np.sqrt(dark.sum() / np.pi) == pytest.approx(focal * ball / centre, rel=0.02)


def test_view_is_white_outside_the_image_and_behind_the_camera():
    """Distortion would fold rays from outside back into the image."""
    for lens in LENSES.values():
        camera = Camera.from_info(lens)
        rays = np.array([[0, 0, -1.0], [0.1, 0, -1], [0, 0, 0], [1, 1, 0], [0, 0, 1]])
        pixels = camera.project(rays)
        assert np.isnan(pixels[:4]).all()
        np.testing.assert_allclose(pixels[4], camera.matrix[:2, 2])
    barrel = Camera.from_info(info(d=(-0.3, 0.1, 0.001, -0.002, 0.0)))
    edge = barrel.project(np.array([[0.5, 0, 1.0]]))
    assert 0 < edge[0, 0] < barrel.width
    assert not barrel.project(np.array([[1.5, 0, 1.0]]))[0, 0] < barrel.width
    black = np.zeros((240, 320, 3), np.uint8)
    away = virtual_camera(look_at([0, -2, 0], [3, 0, 0]))  # the object is far to the left
    view, seen = image_to_view(black, barrel, away, 1.0, SIZE)
    assert (view[seen == 0] == 255).mean() > 0.95 and (view[seen == 1] == 0).all()
    assert (seen == 0).mean() > 0.3


def test_crop_is_only_padded_and_rotated():
    """A mark at the upper end of a long crop, of a camera rolled by 90 degrees."""
    crop = np.full((300, 900, 3), 255, np.uint8)
    crop[100:200, :100] = 0
    virtual = virtual_camera(Pose(2.0, 0.5, roll=90).matrix)
    view = crop_to_view(crop, virtual, 32)
    dark = np.argwhere(view[..., 0] < 128)
    np.testing.assert_allclose(dark.mean(axis=0), [32 / 18 - 0.5, 15.5], atol=0.3)
    assert len(dark) == pytest.approx((32 / 9) ** 2, abs=4)


def test_details_smaller_than_a_pixel_are_averaged():
    camera = Camera.from_info(info(640, 480, focal=500.0))
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 1), np.uint8).repeat(3, axis=-1)
    virtual = virtual_camera(look_at([0, -2.6, 0], [0, 0, 0]))
    view, _ = image_to_view(noise, camera, virtual, 1.0, 32)  # of 15 pixels each
    assert view[8:24].std() < noise.std() / 8


def test_image_of_another_size_is_refused():
    camera = Camera.from_info(info())
    virtual = virtual_camera(look_at([0, -2, 0], [0, 0, 0]))
    with pytest.raises(ValueError, match="64x48 pixels, its camera_info says 320x240"):
        image_to_view(np.zeros((48, 64, 3), np.uint8), camera, virtual, 1.0, SIZE)
    with pytest.raises(ValueError, match="object_radius is 0"):
        image_to_view(np.zeros((240, 320, 3), np.uint8), camera, virtual, 0, SIZE)
