import warnings
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tiny_nvs_ros import geometry
from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.geometry import SRN_CAMERA
from tiny_nvs_ros.image import on_white, resize
from tiny_nvs_ros.model import ModelConfig, ViewSamples
from tiny_nvs_ros.model.request import draw_noise
from tiny_nvs_ros.pipeline import SourceImage, contact_sheet, imagine, prepare
from tiny_nvs_ros.virtual_camera import virtual_camera

SIZE = 32
WHOLE = Camera(
    np.array([[300.0, 0, 159.5], [0, 300, 119.5], [0, 0, 1]]), np.zeros(0), False, 320, 240
)


class Painter:
    """A renderer that records its arguments, and paints a bar that points up."""

    config = ModelConfig()
    asked = None

    def render(self, request, on_step):
        self.asked = SimpleNamespace(
            image=request.sources[0].image,
            T_object_source=request.sources[0].T_object_camera,
            T_object_targets=request.T_object_targets,
            samples=request.noise.shape[1],
            noise=request.noise,
            steps=request.steps,
            heading_known=request.heading_known,
            on_step=on_step,
        )
        return self.paint(self.asked)

    def paint(self, asked):
        views = np.full((len(asked.T_object_targets), asked.samples, SIZE, SIZE, 3), 255, np.uint8)
        views[:, :, 4:16, 12:20] = 0
        return ViewSamples(views)


def rolled(pose: np.ndarray, angle: float) -> np.ndarray:
    turn = geometry.pose_from(np.zeros(3), [0, 0, np.sin(angle / 2), np.cos(angle / 2)])
    return pose @ turn


def camera(azimuth: float, distance: float, target=(0.0, 0.0, 0.0)) -> np.ndarray:
    return geometry.look_at(geometry.eye_at(azimuth, 0.4, distance), target)


def image_of_ball(pose: np.ndarray, radius: float, model: Camera = WHOLE) -> np.ndarray:
    """Return the camera's image of a black ball at the object's centre, on white."""
    centre = geometry.inverse(pose)[:3, 3]
    x, y = model.project(centre[None])[0]
    image = np.full((model.height, model.width, 3), 255, np.uint8)
    pixels = round(model.matrix[0, 0] * radius / centre[2])
    return cv2.circle(image, (round(x), round(y)), pixels, (0, 0, 0), cv2.FILLED)


@pytest.fixture
def painter():
    return Painter()


@pytest.fixture
def upright():
    image = np.full((64, 64, 3), 255, np.uint8)
    image[8:32, 28:36] = (200, 0, 0)
    return image


def test_model_gets_cameras_at_its_own_distance(painter, upright):
    imagine(painter, SourceImage(upright, camera(0.3, 2.0)), camera(1.5, 7.0)[None], samples=2)
    np.testing.assert_allclose(painter.asked.T_object_source, camera(0.3, 1.3), atol=1e-9)
    np.testing.assert_allclose(painter.asked.T_object_targets, camera(1.5, 1.3)[None], atol=1e-9)
    np.testing.assert_array_equal(painter.asked.image, resize(upright, SIZE))


def test_crop_of_a_rolled_camera_is_rotated_upright(painter, upright):
    straight = camera(0.3, 2.0)
    upside_down = rolled(straight, np.pi)
    imagine(painter, SourceImage(upright[::-1, ::-1], upside_down), straight[None])
    np.testing.assert_array_equal(painter.asked.image, resize(upright, SIZE))
    np.testing.assert_allclose(painter.asked.T_object_source, camera(0.3, 1.3), atol=1e-9)
    quarter = rolled(straight, np.pi / 2)  # its x axis points down, so up is its -x: left
    seen = np.rot90(upright, axes=(0, 1))  # up is on the left
    imagine(painter, SourceImage(seen, quarter), straight[None])
    assert np.abs(painter.asked.image.astype(int) - resize(upright, SIZE)).max() <= 1


@pytest.mark.parametrize("known", [False, True])
def test_options_are_passed_to_the_model(painter, upright, known):
    source, steps = camera(0.3, 2.0), []
    options = dict(samples=3, steps=7, heading_known=known, on_step=steps.append)
    imagine(painter, SourceImage(upright, source), source[None], seed=5, **options)
    assert {name: getattr(painter.asked, name) for name in options} == options
    noise = draw_noise(painter.config, np.random.default_rng(5), 1, 3)
    np.testing.assert_array_equal(painter.asked.noise, noise)


def test_long_crop_is_not_truncated_when_it_is_rotated(painter):
    """The bar reaches from edge to edge of a crop of a camera rolled by 90 degrees."""
    lying = np.full((40, 400, 3), 255, np.uint8)
    lying[15:25] = 0
    straight = camera(0.3, 2.0)
    views = imagine(painter, SourceImage(lying, rolled(straight, np.pi / 2)), straight[None])
    assert (views.source[:, 16].max(axis=1) < 200).all()
    np.testing.assert_array_equal(painter.asked.image, views.source)


def test_transparent_pixels_of_a_source_are_white(painter, upright):
    source = camera(0.3, 2.0)
    rgba = np.dstack([np.where(upright == 255, 0, upright), 255 * (upright[..., 1] == 0)])
    imagine(painter, SourceImage(rgba.astype(np.uint8), source), source[None])
    np.testing.assert_array_equal(painter.asked.image, resize(upright, SIZE))


def test_whole_image_is_warped_to_the_view_of_the_object(painter):
    """A ball of the object's radius in the corner of the image of a rolled camera."""
    source = rolled(camera(0.3, 2.0, target=(0.5, 0.3, 0.1)), 2.5)
    image = image_of_ball(source, 0.3)
    views = imagine(painter, SourceImage(image, source, WHOLE), source[None], object_radius=0.3)
    np.testing.assert_array_equal(painter.asked.image, views.source)
    np.testing.assert_allclose(painter.asked.T_object_source, camera(0.3, 1.3), atol=1e-9)
    dark = np.argwhere(views.source[..., 0] < 128)
    np.testing.assert_allclose(dark.mean(axis=0), 15.5, atol=0.5)
    trained = SIZE * SRN_CAMERA.focal * SRN_CAMERA.radius / SRN_CAMERA.distance
    assert np.sqrt(len(dark) / np.pi) == pytest.approx(trained, rel=0.05)
    assert views.focal == pytest.approx(SIZE * SRN_CAMERA.focal * 0.5 / 0.3 * 2.0 / 1.3)


@pytest.mark.parametrize("shift", [(0.12, 0, 0), (0, 0.08, 0)], ids=["horizontal", "vertical"])
def test_second_camera_of_a_stereo_pair_stands_aside_its_frame(painter, shift):
    """Its images name the first camera's frame; P says where it stands in it."""
    frame = camera(0.3, 0.7)
    pair = geometry.pose_from(shift, [0, 0, 0, 1.0])
    image = image_of_ball(frame @ pair, 0.1)
    source = SourceImage(image, frame, replace(WHOLE, T_frame_camera=pair))
    views = imagine(painter, source, frame[None], object_radius=0.1)
    dark = np.argwhere(views.source[..., 0] < 128)
    np.testing.assert_allclose(dark.mean(axis=0), 15.5, atol=0.5)
    expected = virtual_camera(frame @ pair).pose
    np.testing.assert_allclose(painter.asked.T_object_source, expected, atol=1e-9)
    # The poses of the views are in the frame that the image names.
    np.testing.assert_allclose(views.poses[0], np.eye(4), atol=1e-9)


def test_object_that_is_not_wholly_in_the_image_is_refused(painter):
    source = camera(0.3, 2.0, target=(0.9, 0.3, 0.1))
    image = image_of_ball(source, 0.5)
    words = r"only \d+% of the object's disc \(object_radius, 0.5 m\) is in the image"
    with pytest.raises(ValueError, match=words):
        imagine(painter, SourceImage(image, source, WHOLE), source[None], object_radius=0.5)


def test_whole_image_without_object_radius_is_refused(painter):
    source = camera(0.3, 2.0)
    with pytest.raises(ValueError, match="object_radius is not set"):
        imagine(painter, SourceImage(image_of_ball(source, 0.3), source, WHOLE), source[None])


def noisy(image: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 3, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def gradient(low: int, high: int) -> np.ndarray:
    ramp = np.linspace(low, high, 320)[None, :, None]
    return np.broadcast_to(ramp, (240, 320, 3)).astype(np.uint8)


BEHIND = {
    "white": np.full((240, 320, 3), 255, np.uint8),
    "noisy white": noisy(np.full((240, 320, 3), 252, np.uint8)),
    "transparent": np.zeros((240, 320, 4), np.uint8),
    "black, a covered lens": noisy(np.zeros((240, 320, 3), np.uint8)),
    "grey table": noisy(np.full((240, 320, 3), 180, np.uint8)),
    "table in uneven light": noisy(gradient(140, 240)),
    "object beside the frame": image_of_ball(camera(0.3, 0.6, target=(0.0, 0.25, 0.0)), 0.03),
}


@pytest.mark.parametrize("image", BEHIND.values(), ids=BEHIND)
@pytest.mark.parametrize("whole", [True, False], ids=["image", "crop"])
def test_view_of_nothing_but_background_is_refused(painter, image, whole):
    source = camera(0.3, 0.6)
    if not whole:
        image = image[50:190, 90:230]  # around the image's centre, where the object should be
    with pytest.raises(ValueError, match="nothing but background in the view of the camera"):
        imagine(
            painter,
            SourceImage(image, source, WHOLE if whole else None),
            source[None],
            object_radius=0.05,
        )
    assert painter.asked is None


def test_view_with_wrong_binning_is_refused(painter):
    """camera_info of a binned image that does not say so: the object is expected elsewhere."""
    source = camera(0.3, 0.6, target=(0.08, -0.12, 0.0))
    binned = replace(WHOLE, matrix=np.diag([0.5, 0.5, 1]) @ WHOLE.matrix)
    image = image_of_ball(source, 0.05, binned)
    with pytest.raises(ValueError, match="nothing but background"):
        imagine(painter, SourceImage(image, source, WHOLE), source[None], object_radius=0.05)


@pytest.mark.parametrize("width", [1, 3])
def test_thin_object_is_not_background(painter, width):
    """A pen: 40 pixels long, 1 or 3 wide."""
    source = camera(0.3, 0.6)
    image = np.full((240, 320, 3), 255, np.uint8)
    image[100:140, 160 : 160 + width] = 60
    imagine(painter, SourceImage(image, source, WHOLE), source[None], object_radius=0.05)
    assert painter.asked is not None


def test_mask_of_almost_nothing_is_refused(painter):
    """Four pixels of noise that a detector calls the object."""
    source = camera(0.3, 0.6)
    ball = image_of_ball(source, 0.05)
    alpha = np.zeros((240, 320), np.uint8)
    alpha[119:121, 159:161] = 255
    with pytest.raises(ValueError, match="nothing but background"):
        image = SourceImage(np.dstack([ball, alpha]), source, WHOLE)
        imagine(painter, image, source[None], object_radius=0.05)


@pytest.mark.parametrize("whole", [True, False], ids=["image", "crop"])
def test_object_of_few_pixels_is_warned_of_and_of_fewer_refused(painter, whole):
    def ask(pixels):
        source = camera(0.3, 300 * 2 * 0.05 / pixels)
        image, lens = image_of_ball(source, 0.04), WHOLE
        if not whole:
            side = round(pixels * 32 / 25)
            image, lens = np.full((side, side, 3), 255, np.uint8), None
            image[side // 4 : -(side // 4), side // 4 : -(side // 4)] = 0
        imagine(painter, SourceImage(image, source, lens), source[None], object_radius=0.05)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask(9)
    with pytest.warns(UserWarning, match="only [67] pixels wide in the image: move the camera"):
        ask(6.7)
    with pytest.raises(ValueError, match="only 3 pixels wide in the image: move the camera"):
        ask(3.9)


def test_pale_object_on_white_is_not_background(painter):
    source = camera(0.3, 0.6)
    image = np.where(image_of_ball(source, 0.05) == 0, 240, 255).astype(np.uint8)
    imagine(painter, SourceImage(image, source, WHOLE), source[None], object_radius=0.05)
    assert painter.asked is not None


@pytest.mark.parametrize("whole", [True, False])
def test_background_without_a_mask_is_warned_of(painter, whole):
    """A ball on a table, in a whole image and in a crop; the same with alpha is right."""
    source = camera(0.3, 0.6)
    ball = image_of_ball(source, 0.05)
    on_table = np.where(ball == 0, 0, np.uint8([150, 130, 110]))
    on_table[:130] = 90  # the wall
    lens = WHOLE if whole else None
    with pytest.warns(UserWarning, match=r"the camera: \d+% of what surrounds the object is not"):
        imagine(painter, SourceImage(on_table, source, lens), source[None], object_radius=0.05)
    cut = np.dstack([on_table, 255 - ball[..., 0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        imagine(painter, SourceImage(cut, source, lens), source[None], object_radius=0.05)
        imagine(painter, SourceImage(ball, source, lens), source[None], object_radius=0.05)


def test_views_have_the_roll_of_their_cameras(painter, upright):
    straight = camera(0.3, 2.0)
    quarter = rolled(straight, np.pi / 2)
    source = SourceImage(upright, straight)
    views = imagine(painter, source, np.stack([straight, quarter]), samples=2)
    assert views.images[0, 8, 16, 0] == 0  # the bar points up
    assert views.images[1, 16, 8, 0] == 0  # and to the left: there is up for that camera
    assert views.images[1, 8, 16, 0] == 255
    expected = geometry.relative_pose(straight, np.stack([straight, quarter]))
    np.testing.assert_allclose(views.poses, expected, atol=1e-9)


def test_view_of_a_camera_that_looks_aside_looks_at_the_centre(painter, upright):
    source = camera(0.3, 2.0)
    aside = rolled(camera(1.0, 2.0, target=(0.1, 0.2, -0.1)), 0.3)
    views = imagine(painter, SourceImage(upright, source), aside[None])
    pose = views.T_object_views[0]
    np.testing.assert_allclose(pose[:3, 3], aside[:3, 3], atol=1e-9)
    ahead = pose[:3, :3].T @ -pose[:3, 3]
    np.testing.assert_allclose(ahead, [0, 0, 2.0], atol=1e-9)
    turn = aside[:3, :3].T @ pose[:3, :3]  # the shortest: without rotation about its own axis
    assert turn[0, 1] == pytest.approx(turn[1, 0], abs=1e-9)


def test_one_focal_length_holds_for_all_distances(painter, upright):
    """The bar's height in metres, projected with the published focal length, gives its pixels."""
    source = camera(0.0, 2.0)
    targets = np.stack([camera(1, 1.0), camera(2, 4.0)])
    views = imagine(painter, SourceImage(upright, source), targets)
    model_focal = SRN_CAMERA.focal * SIZE
    for image, pose in zip(views.images, views.T_object_views, strict=True):
        height = (image.min(axis=(1, 2)) < 128).sum()
        metres = 12 / model_focal * 2.0  # 12 pixels of the model's camera at the source's distance
        assert height == pytest.approx(views.focal * metres / np.linalg.norm(pose[:3, 3]), abs=1)
    assert views.focal == pytest.approx(model_focal / 2)


def test_uncertainty_needs_several_samples(painter, upright):
    source = SourceImage(upright, camera(0.0, 2.0))
    targets = source.T_object_camera[None]
    assert imagine(painter, source, targets, samples=1).uncertainties is None
    views = imagine(painter, source, targets, samples=3)
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
def test_camera_that_cannot_see_the_object_is_refused(painter, upright, bad, reason):
    good = camera(0, 2.0)
    with pytest.raises(ValueError, match=reason.format("the camera of view 1")):
        imagine(painter, SourceImage(upright, good), np.stack([good, bad]), object_radius=0.5)
    with pytest.raises(ValueError, match=reason.format("the camera")):
        imagine(painter, SourceImage(upright, bad), good[None], object_radius=0.5)
    assert painter.asked is None


def test_more_sources_than_the_model_takes_are_refused(painter, upright):
    sources = [SourceImage(upright, camera(angle, 2.0)) for angle in (0.3, 1.0)]
    with pytest.raises(ValueError, match="2 source"):
        imagine(painter, sources, camera(0, 2.0)[None])
    with pytest.raises(ValueError, match="no source image"):
        imagine(painter, [], camera(0, 2.0)[None])


def test_no_target_camera_is_refused(painter, upright):
    with pytest.raises(ValueError, match="no target camera"):
        imagine(painter, SourceImage(upright, camera(0, 2.0)), np.zeros((0, 4, 4)))


@pytest.mark.parametrize("whole", [True, False], ids=["image", "crop"])
@pytest.mark.parametrize(
    "image",
    [np.zeros((240, 320), np.uint8), np.zeros((240, 320, 2), np.uint8), np.zeros((240, 320, 3))],
    ids=["grey", "two channels", "float"],
)
def test_image_that_is_not_rgb_is_refused(painter, image, whole):
    source = camera(0, 2.0)
    with pytest.raises(ValueError, match="must be H x W x 3"):
        imagine(
            painter,
            SourceImage(image, source, WHOLE if whole else None),
            source[None],
            object_radius=0.3,
        )


class Truth(Painter):
    """A renderer that knows the object: a car, as the model's cameras would see it."""

    def paint(self, asked):
        return ViewSamples(
            render_car(0.5, SIZE * SRN_CAMERA.focal, asked.T_object_targets)[:, None]
        )


def render_car(radius: float, focal: float, poses: np.ndarray) -> np.ndarray:
    """Return images of a car of that radius (units of the poses); focal in pixels."""
    pytest.importorskip("moderngl")
    from training.data.cars import car
    from training.data.renderer import Renderer

    scale = radius / SRN_CAMERA.radius
    meshes = [replace(m, vertices=m.vertices * scale) for m in car(0, 3)]
    renderer = Renderer(SIZE, focal, supersample=8)
    images = np.stack([on_white(image) for image in renderer.render(meshes, poses)])
    renderer.close()
    return images


@pytest.mark.parametrize("times, least", [(1.0, 32), (2.0, 20)])
def test_views_equal_renderings_at_their_poses(upright, times, least):
    """Wherever the target cameras look, with any roll: the published pose and focal length give
    the published image of the real object.

    Up to the interpolation of a rotated image of 32 pixels, and at another distance than the
    source's up to the perspective, which the model does not know.
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
    views = imagine(Truth(), SourceImage(upright, source), targets, object_radius=radius)
    truth = render_car(radius, views.focal, views.T_object_views)
    error = ((views.images.astype(float) - truth) ** 2).mean(axis=(1, 2, 3))
    assert (10 * np.log10(255**2 / np.maximum(error, 1e-3)) > least).all()
    np.testing.assert_allclose(views.T_object_views[:, :3, 3], targets[:, :3, 3], atol=1e-9)


class Bowl(Painter):
    """A renderer of any distance, whose views have a disc 0.1 radii before the centre."""

    config = ModelConfig(architecture="multiview", preset="objects")

    def paint(self, asked):
        shape = (len(asked.T_object_targets), asked.samples, SIZE, SIZE)
        y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
        alpha = np.broadcast_to((np.hypot(x, y) < 12).astype(np.float32), shape)
        offset = np.linspace(-0.02, 0.02, asked.samples)[:, None, None] - 0.1
        rgb = np.where(alpha[..., None] > 0, np.uint8(90), np.uint8(255)).repeat(3, axis=-1)
        return ViewSamples(rgb, alpha, np.broadcast_to(offset, shape).astype(np.float32))


def test_model_of_any_distance_gets_distances_in_object_radii(upright):
    renderer = Bowl()
    crop = SourceImage(upright, camera(0.3, 2.0))
    imagine(renderer, crop, camera(1.5, 7.0)[None], object_radius=0.5)
    np.testing.assert_allclose(np.linalg.norm(renderer.asked.T_object_source[:3, 3]), 2.0)
    np.testing.assert_allclose(np.linalg.norm(renderer.asked.T_object_targets[0, :3, 3]), 7.0)
    imagine(renderer, crop, camera(1.5, 4.0)[None])  # 8 radii stand in for the source's distance
    np.testing.assert_allclose(np.linalg.norm(renderer.asked.T_object_source[:3, 3]), 4.0)
    np.testing.assert_allclose(np.linalg.norm(renderer.asked.T_object_targets[0, :3, 3]), 8.0)


def test_depths_are_metres_along_the_axis_and_nan_where_nothing_is(upright):
    targets = np.stack([camera(1.5, 3.0), rolled(camera(0.5, 6.0), 0.7)])
    source = SourceImage(upright, camera(0.3, 2.0))
    views = imagine(Bowl(), source, targets, samples=3, object_radius=0.5)
    assert views.alphas.shape == views.depths.shape == views.depth_uncertainties.shape
    for depth, spread, distance in zip(
        views.depths, views.depth_uncertainties, (3.0, 6.0), strict=True
    ):
        np.testing.assert_allclose(np.nanmedian(depth), distance - 0.05, atol=1e-5)
        np.testing.assert_allclose(np.nanmin(depth), np.nanmax(depth), atol=1e-4)
        np.testing.assert_allclose(np.nanmedian(spread), 0.5 * 0.02 * (2 / 3) ** 0.5, rtol=1e-3)
        assert np.isnan(depth[0, 0]) and np.isnan(spread[0, 0])
    # The farther camera has the nearer one's focal length, so the object is half as large.
    seen = np.isfinite(views.depths).sum(axis=(1, 2))
    assert 0.2 < seen[1] / seen[0] < 0.3


def test_a_mask_reaches_the_model_as_alpha(upright):
    renderer = Bowl()
    image = np.full((240, 320, 3), 120, np.uint8)
    image[:, 150:] = 30
    alpha = np.zeros((240, 320, 1), np.uint8)
    alpha[80:160, 120:200] = 255
    source = SourceImage(np.dstack([image, alpha]), camera(0.3, 2.0), WHOLE)
    views = imagine(renderer, source, camera(1.5, 3.0)[None], object_radius=0.4)
    view = views.sources[0].view
    assert view.alpha.max() == 1 and view.alpha.min() == 0
    assert (view.image[view.alpha == 0] == 255).all() and (view.image[view.alpha == 1] < 200).all()
    assert set(np.unique(view.scene[3:-3, 3:-3])) >= {30, 120}  # what the mask hides is there too
    opaque = np.dstack([image, np.full_like(alpha, 255)])  # as cameras give it: no mask
    views = imagine(
        renderer,
        SourceImage(opaque, camera(0.3, 2.0), WHOLE),
        camera(1.5, 3.0)[None],
        object_radius=0.4,
    )
    assert views.sources[0].view.alpha is None


def test_inverted_mask_is_refused(upright):
    alpha = np.full((240, 320, 1), 255, np.uint8)
    alpha[80:160, 120:200] = 0
    room = np.random.default_rng(0).integers(0, 200, (240, 320, 3), np.uint8)
    source = SourceImage(np.dstack([room, alpha]), camera(0.3, 2.0), WHOLE)
    with pytest.raises(ValueError, match="the mask covers most of what is farther than object_rad"):
        prepare(source, SRN_CAMERA, 0.4)


@pytest.mark.parametrize(
    "sources, targets, radius, error, reason",
    [
        ((np.zeros((9, 9, 3), np.uint8), np.eye(4)), 1, 0.4, TypeError, "source 0 is a ndarray"),
        (None, 0, 0.4, ValueError, r"T_object_targets has shape \(4, 4\)"),
        (None, 1, np.inf, ValueError, "object_radius is inf"),
        (None, 1, "0.4", ValueError, "object_radius is '0.4'"),
    ],
)
def test_arguments_of_another_type_or_shape_are_named(
    painter, upright, sources, targets, radius, error, reason
):
    source = SourceImage(upright, camera(0.3, 2.0)) if sources is None else sources
    target = camera(1.5, 3.0)
    with pytest.raises(error, match=reason):
        imagine(painter, source, target[None] if targets else target, object_radius=radius)
