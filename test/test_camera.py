from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tiny_nvs_ros.camera import Camera, virtual_view
from tiny_nvs_ros.geometry import DISTANCE, FOCAL, RADIUS, look_at, virtual_camera

SIZE = 64


def info(width=320, height=240, focal=300.0, model="plumb_bob", d=(0.0,) * 5, **changes):
    k = [focal, 0, (width - 1) / 2, 0, focal, (height - 1) / 2, 0, 0, 1]
    p = [2 * focal, 0, 10.0, 5.0, 0, 2 * focal, 20.0, 0, 0, 0, 1, 0]
    region = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
    fields = dict(width=width, height=height, distortion_model=model, d=list(d), k=k, p=p)
    fields |= dict(roi=region, binning_x=0, binning_y=0) | changes
    return SimpleNamespace(**fields)


LENSES = {
    "pinhole": info(),
    "barrel": info(d=(-0.3, 0.1, 0.001, -0.002, 0.0)),
    "rational": info(model="rational_polynomial", d=(0.2, 0.1, 0, 0, 0, 0.4, 0.1, 0.02)),
    "fisheye": info(model="equidistant", d=(-0.02, 0.01, 0.003, -0.001)),
}
# The camera's position in object radii, what it looks at, and its roll, radians.
POSES = {
    "straight on": ((0, -2.6, 0), (0, 0, 0), 0.0),
    "upside down": ((1.5, 1.5, 1.5), (0, 0, 0), np.pi),
    "to the side, rolled": ((-2, 1.2, 1.2), (0.3, 0.2, 0.2), 1.0),
    "from below": ((0.3, 0.5, -2.5), (0.1, -0.2, 0), -2.0),
}


def camera_pose(eye, target, roll, radius):
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]]
    return look_at(np.array(eye) * radius, np.array(target) * radius) @ turn


def distort(image, camera):
    """The picture of an ideal pinhole of the same matrix as the camera's lens shows it."""
    x, y = np.meshgrid(np.arange(camera.width, dtype=float), np.arange(camera.height))
    pixels = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
    if camera.fisheye:
        rays = cv2.fisheye.undistortPoints(pixels, camera.matrix, camera.distortion)
    else:
        rays = cv2.undistortPoints(pixels, camera.matrix, camera.distortion)
    ideal = rays[:, 0] * np.diag(camera.matrix)[:2] + camera.matrix[:2, 2]
    x, y = ideal.astype(np.float32).reshape(camera.height, camera.width, 2).transpose(2, 0, 1)
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderValue=(255, 255, 255))


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("pose", POSES)
def test_the_warped_picture_is_the_one_that_the_virtual_camera_takes(lens, pose):
    pytest.importorskip("pyvista")
    from training.cars import car
    from training.render import Renderer

    camera = Camera.from_info(LENSES[lens])
    T = camera_pose(*POSES[pose], RADIUS)
    side = max(camera.width, camera.height)
    real = Renderer(side, focal=camera.matrix[0, 0])
    picture = real.render([*car(0, 3)], T[None])[0]
    real.close()
    margin = (side - camera.height) // 2
    picture = distort(picture[margin : margin + camera.height], camera)

    virtual = virtual_camera(T)
    view, seen = virtual_view(picture, camera, virtual, RADIUS, SIZE)
    focal = FOCAL * SIZE * virtual.distance / DISTANCE
    ideal = Renderer(SIZE, focal=focal)
    expected = ideal.render([*car(0, 3)], look_at(T[:3, 3], np.zeros(3))[None])[0]
    ideal.close()
    covered = seen == 1
    assert covered.mean() > 0.6
    difference = np.abs(view.astype(int) - expected)[covered]
    assert difference.mean() < 1.5  # of 255; the object itself covers a fifth
    assert np.percentile(difference, 99) < 40  # at its edges


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
    barrel = Camera.from_info(LENSES["barrel"])
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
