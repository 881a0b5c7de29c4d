from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from tiny_nvs_ros.camera import Camera, crop_view, share_in_picture, virtual_view
from tiny_nvs_ros.geometry import DISTANCE, FOCAL, RADIUS, eye_at, look_at, virtual_camera

SIZE = 64


def info(width=320, height=240, focal=300.0, model="plumb_bob", d=(0.0,) * 5, **changes):
    k = [focal, 0, (width - 1) / 2, 0, focal, (height - 1) / 2, 0, 0, 1]
    p = [2 * focal, 0, 10.0, 5.0, 0, 2 * focal, 20.0, 0, 0, 0, 1, 0]
    region = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
    fields = dict(width=width, height=height, distortion_model=model, d=list(d), k=k, p=p)
    fields |= dict(roi=region, binning_x=0, binning_y=0) | changes
    return SimpleNamespace(**fields)


LENSES = {
    "pinhole": info(640, 480, 400.0),
    "barrel": info(640, 480, 400.0, d=(-0.28, 0.09, 0.001, -0.002, -0.01)),
    "rational": info(
        640, 480, 400.0, model="rational_polynomial", d=(0.2, 0.1, 0, 0, 0, 0.4, 0.1, 0.02)
    ),
    "fisheye": info(640, 480, 330.0, model="equidistant", d=(-0.02, 0.01, 0.003, -0.001)),
}


class Pose(NamedTuple):
    """Of a real camera, metres and degrees.

    aside: between its optical axis and the object, which lies towards that side of its picture
    (0: right, 90: below). psnr: the least that the warped picture reaches, dB.
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
    """The picture of a car of the pose's radius, by an ideal pinhole."""
    from training.cars import car
    from training.render import Renderer

    meshes = [replace(m, vertices=m.vertices * (pose.radius / RADIUS)) for m in car(0, 3)]
    renderer = Renderer(size, focal, supersample)
    picture = renderer.render(meshes, pose.matrix[None])[0]
    renderer.close()
    return picture


def distorted(pose: Pose, camera: Camera) -> np.ndarray:
    """The camera's picture: where OpenCV says that each of its pixels looks to."""
    x, y = np.meshgrid(np.arange(camera.width, dtype=float), np.arange(camera.height))
    pixels = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
    undistort = cv2.fisheye.undistortPoints if camera.fisheye else cv2.undistortPoints
    d = camera.distortion if len(camera.distortion) else np.zeros(4)
    ideal = undistort(pixels, camera.matrix, d)[:, 0] * IDEAL_FOCAL + (SIDE - 1) / 2
    x, y = ideal.astype(np.float32).reshape(camera.height, camera.width, 2).transpose(2, 0, 1)
    picture = rendered(pose, SIDE, IDEAL_FOCAL)
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderValue=(255, 255, 255))


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("pose", POSES)
def test_the_warped_picture_is_the_one_that_the_virtual_camera_takes(lens, pose):
    """To 43 dB, where a quarter of a pixel's shift leaves 29 to 37 dB, two degrees' turn 29 to 34.

    36 dB for the toy that has only 60 pixels in the picture.
    """
    pytest.importorskip("pyvista")
    camera, pose = Camera.from_info(LENSES[lens]), POSES[pose]
    virtual = virtual_camera(pose.matrix)
    view, seen = virtual_view(distorted(pose, camera), camera, virtual, pose.radius, 32)
    upright = pose._replace(aside=0, towards=0, roll=0)
    focal = FOCAL * 32 * (RADIUS / pose.radius) * (pose.distance / DISTANCE)
    expected = rendered(upright, 32, focal, supersample=8)
    covered = seen == 1
    assert share_in_picture(seen) > 0.7
    error = view.astype(float)[covered] - expected[covered]
    assert 10 * np.log10(255**2 / np.mean(error**2)) > pose.psnr


def test_the_coverage_says_where_the_picture_ends():
    """The object's centre lies on the picture's right edge, so half of its disc is in it."""
    camera = Camera.from_info(LENSES["pinhole"])
    pose = Pose(5.0, 0.2, aside=np.degrees(np.arctan(320 / 400)), roll=20)
    black = np.zeros((480, 640, 3), np.uint8)
    view, seen = virtual_view(black, camera, virtual_camera(pose.matrix), pose.radius, 32)
    assert share_in_picture(seen) == pytest.approx(0.5, abs=0.02)
    assert (view[seen == 1] == 0).all() and view[seen == 0].mean() > 250


@pytest.mark.parametrize("radius, away", [(0.05, 0.2), (0.05, 0.5), (2.0, 6.0), (2.0, 12.0)])
def test_an_object_has_its_trained_size_at_any_distance(radius, away):
    """A disc of the object's radius, seen face on, off the picture's middle."""
    camera = Camera.from_info(info(1280, 960, focal=900.0))
    T = look_at([0, -away, 0], [0.1 * away, 0, 0.1 * away])
    ball = np.sqrt(away**2 - radius**2) * radius / away  # radius of its outline
    centre = away - radius**2 / away  # and the outline's distance
    outline = np.array(
        [[ball * np.cos(a), centre - away, ball * np.sin(a)] for a in np.linspace(0, 6.28, 100)]
    )
    pixels = camera.project((outline - T[:3, 3]) @ T[:3, :3])
    picture = np.full((960, 1280, 3), 255, np.uint8)
    cv2.fillPoly(picture, [np.round(pixels).astype(int)], (0, 0, 0))
    view, _ = virtual_view(picture, camera, virtual_camera(T), radius, SIZE)
    dark = 1 - view[..., 0] / 255
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    assert (dark * columns).sum() / dark.sum() == pytest.approx(SIZE / 2, abs=0.3)
    assert (dark * rows).sum() / dark.sum() == pytest.approx(SIZE / 2, abs=0.3)
    focal = FOCAL * SIZE * RADIUS / radius * away / DISTANCE
    assert np.sqrt(dark.sum() / np.pi) == pytest.approx(focal * ball / centre, rel=0.02)


def test_a_view_has_no_object_where_the_picture_does_not_reach():
    """A lens bends rays from outside back into the picture; behind the camera there is nothing."""
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
    view, seen = virtual_view(black, barrel, away, 1.0, SIZE)
    assert (view[seen == 0] == 255).mean() > 0.95 and (view[seen == 1] == 0).all()
    assert (seen == 0).mean() > 0.3


@pytest.mark.parametrize("d", [(), (0.0,) * 4, (0.0,) * 5])
def test_a_fisheye_without_coefficients_is_still_a_fisheye(d):
    """As simulators say it: the distance from the middle is that of the angle."""
    camera = Camera.from_info(info(model="equidistant", d=d))
    pixels = camera.project(np.array([[np.sin(1.2), 0, np.cos(1.2)]]))
    np.testing.assert_allclose(pixels, [[159.5 + 300 * 1.2, 119.5]])


@pytest.mark.parametrize("model, d", [("", ()), ("none", (0.0,) * 5), ("plumb_bob", (0.0,) * 4)])
def test_a_camera_without_distortion_is_a_pinhole(model, d):
    camera = Camera.from_info(info(model=model, d=d))
    np.testing.assert_allclose(camera.project(np.array([[0.8, 0.6, 2.0]])), [[279.5, 209.5]])


FOLDING = {
    "barrel": ("plumb_bob", (-0.35, 0.05, 0.0, 0.0, 0.0)),
    "rational": ("rational_polynomial", (0.5, -0.4, 0.0, 0.0, -0.1, 0.9, 0.1, 0.0)),
    "fisheye": ("equidistant", (-0.1, -0.05, 0.0, 0.0)),
    "tangential": ("plumb_bob", (-0.3, 0.0, 0.02, -0.03, 0.0)),
}


@pytest.mark.parametrize("model, d", FOLDING.values(), ids=FOLDING)
def test_a_lens_shows_nothing_twice(model, d):
    """Its polynomial has a summit; what is farther out would come back into the picture."""
    camera = Camera.from_info(info(model=model, d=d))
    angle = np.linspace(0, np.pi / 2, 500, endpoint=False)
    radius = camera.project(np.stack([np.sin(angle), 0 * angle, np.cos(angle)], axis=-1))[:, 0]
    seen = np.isfinite(radius)
    assert seen[angle < 0.4].all() and not seen.all()
    assert (np.diff(seen.astype(int)) <= 0).all()
    assert (np.diff(radius[seen]) > 0).all()


def test_a_crop_becomes_a_view_by_padding_and_turning_alone():
    """A mark at the upper end of a long crop, of a camera that lies on its right side."""
    crop = np.full((300, 900, 3), 255, np.uint8)
    crop[100:200, :100] = 0
    virtual = virtual_camera(Pose(2.0, 0.5, roll=90).matrix)
    view = crop_view(crop, virtual, 32)
    dark = np.argwhere(view[..., 0] < 128)
    np.testing.assert_allclose(dark.mean(axis=0), [32 / 18 - 0.5, 15.5], atol=0.3)
    assert len(dark) == pytest.approx((32 / 9) ** 2, abs=4)


def test_small_details_are_averaged_not_dropped():
    camera = Camera.from_info(info(640, 480, focal=500.0))
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 1), np.uint8).repeat(3, axis=-1)
    virtual = virtual_camera(look_at([0, -2.6, 0], [0, 0, 0]))
    view, _ = virtual_view(noise, camera, virtual, 1.0, 32)  # of 15 pixels each
    assert view[8:24].std() < noise.std() / 8


def test_region_of_interest_and_binning_are_heeded():
    region = SimpleNamespace(x_offset=20, y_offset=40, width=200, height=100)
    whole = Camera.from_info(info())
    part = Camera.from_info(info(roi=region, binning_x=2, binning_y=2))
    assert (part.width, part.height) == (100, 50)
    point = np.array([[0.1, 0.05, 1.0]])
    expected = (whole.project(point) - [20, 40]) / 2
    np.testing.assert_allclose(part.project(point), expected)


def test_rectified_pictures_have_the_projection_matrix():
    camera = Camera.from_info(info(d=(-0.3, 0.1, 0, 0, 0)), rectified=True)
    assert not len(camera.distortion)
    np.testing.assert_allclose(camera.project(np.array([[0, 0, 1.0]])), [[10, 20]])


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(k=[0.0] * 9), "no calibration"),
        (dict(k=[float("nan")] * 9), "no calibration"),
        (dict(model="thin_prism", d=(0.1,)), "'thin_prism'"),
        (
            dict(d=(0.1,) * 3),
            r"3 coefficients \(d\) of plumb_bob, it must have 4 or 5 or 8 or 12 or 14",
        ),
        (
            dict(model="equidistant", d=(0.1,) * 5),
            r"5 coefficients \(d\) of equidistant, it must have 4",
        ),
        (dict(d=(0.1, float("nan"), 0, 0, 0)), "coefficients that are not finite"),
    ],
)
def test_a_camera_that_cannot_be_used_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        Camera.from_info(info(**changes))


def test_a_picture_of_another_size_is_refused():
    camera = Camera.from_info(info())
    virtual = virtual_camera(look_at([0, -2, 0], [0, 0, 0]))
    with pytest.raises(ValueError, match="64x48 pixels, its camera_info says 320x240"):
        virtual_view(np.zeros((48, 64, 3), np.uint8), camera, virtual, 1.0, SIZE)
    with pytest.raises(ValueError, match="object_radius is 0"):
        virtual_view(np.zeros((240, 320, 3), np.uint8), camera, virtual, 0, SIZE)
