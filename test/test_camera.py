import cv2
import numpy as np
import pytest
from camera_infos import LENSES, info, region
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_nvs_ros.camera import OUTSIDE, Camera


@pytest.mark.parametrize("d", [(), (0.0,) * 4, (0.0,) * 5])
def test_fisheye_without_coefficients_projects_by_the_angle(d):
    """Simulators publish it so: the distance from the principal point is focal * angle."""
    camera = Camera.from_info(info(model="equidistant", d=d))
    pixels = camera.project(np.array([[np.sin(1.2), 0, np.cos(1.2)]]))
    np.testing.assert_allclose(pixels, [[159.5 + 300 * 1.2, 119.5]])


@pytest.mark.parametrize("model, d", [("", ()), ("none", (0.0,) * 5), ("plumb_bob", (0.0,) * 4)])
def test_camera_without_distortion_is_a_pinhole(model, d):
    camera = Camera.from_info(info(model=model, d=d))
    np.testing.assert_allclose(camera.project(np.array([[0.8, 0.6, 2.0]])), [[279.5, 209.5]])


FOLDING = {
    "barrel": ("plumb_bob", (-0.35, 0.05, 0.0, 0.0, 0.0)),
    "rational": ("rational_polynomial", (0.5, -0.4, 0.0, 0.0, -0.1, 0.9, 0.1, 0.0)),
    "fisheye": ("equidistant", (-0.1, -0.05, 0.0, 0.0)),
    "tangential": ("plumb_bob", (-0.3, 0.0, 0.02, -0.03, 0.0)),
}


@pytest.mark.parametrize("model, d", FOLDING.values(), ids=FOLDING)
def test_points_beyond_the_fold_of_a_distortion_polynomial_are_invisible(model, d):
    """The polynomial has a maximum; points farther out would appear in the image again."""
    camera = Camera.from_info(info(model=model, d=d))
    angle = np.linspace(0, np.pi / 2, 500, endpoint=False)
    radius = camera.project(np.stack([np.sin(angle), 0 * angle, np.cos(angle)], axis=-1))[:, 0]
    seen = np.isfinite(radius)
    assert seen[angle < 0.4].all() and not seen.all()
    assert (np.diff(seen.astype(int)) <= 0).all()
    assert (np.diff(radius[seen]) > 0).all()


def test_region_of_interest_and_binning_are_applied():
    whole = Camera.from_info(info())
    part = Camera.from_info(info(roi=region(20, 40, 200, 100), binning_x=2, binning_y=2))
    assert (part.width, part.height) == (100, 50)
    point = np.array([[0.1, 0.05, 1.0]])
    expected = (whole.project(point) - [20, 40]) / 2
    np.testing.assert_allclose(part.project(point), expected)


def test_rectified_image_uses_the_projection_matrix():
    camera = Camera.from_info(info(d=(-0.3, 0.1, 0, 0, 0)), rectified=True)
    assert not len(camera.distortion)
    np.testing.assert_allclose(camera.project(np.array([[0, 0, 1.0]])), [[10, 20]])


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(k=[0.0] * 9), "no calibration"),
        (dict(k=[float("nan")] * 9), "no calibration"),
        (dict(k=[300.0, 0, 0, 0, 300.0, 0, 0, 0, 1]), "no calibration"),
        (dict(roi=region(40, 20, 0, 0)), r"roi\) of 0x0 pixels at \(40, 20\), which is not in"),
        (dict(roi=region(40, 20, 320, 200)), "not in its 320x240 pixels"),
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
def test_unusable_camera_info_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        Camera.from_info(info(**changes))


STEREO = {
    "right": ((-60.0, 0.0), (0.1, 0.0)),
    "lower": ((0.0, -90.0), (0.0, 0.15)),
}


@pytest.mark.parametrize("rectified", [True, False])
@pytest.mark.parametrize("offset, position", STEREO.values(), ids=STEREO)
def test_second_camera_of_a_stereo_pair_has_a_pose_in_its_frame(rectified, offset, position):
    """By CameraInfo's definition, P projects points of the frame that the image names."""
    stereo = info(focal=300.0)
    stereo.p[3], stereo.p[7] = offset
    stereo.p[:3], stereo.p[4:7] = [600.0, 0, 10.0], [0, 600.0, 20.0]
    camera = Camera.from_info(stereo, rectified)
    np.testing.assert_allclose(camera.T_frame_camera[:2, 3], position)
    points = np.array([[0.2, 0.1, 1.5], [-0.3, 0.0, 0.8]])
    projection = np.array(stereo.p).reshape(3, 4) @ np.c_[points, np.ones(2)].T
    in_camera = points - camera.T_frame_camera[:3, 3]
    if rectified:
        np.testing.assert_allclose(
            camera.project(in_camera), (projection[:2] / projection[2]).T, atol=1e-9
        )


def test_region_and_binning_leave_the_pose_in_a_stereo_pair_as_it_is():
    stereo = info(roi=region(20, 40, 200, 100), binning_x=2, binning_y=2)
    stereo.p[3] = -60.0
    np.testing.assert_allclose(Camera.from_info(stereo, True).T_frame_camera[:3, 3], [0.1, 0, 0])


def test_unrectified_camera_of_a_stereo_pair_is_rotated_by_r():
    """A point of the rectified frame appears in the raw image at K R^-1 of it."""
    angle = 0.05
    r = [np.cos(angle), 0, np.sin(angle), 0, 1, 0, -np.sin(angle), 0, np.cos(angle)]
    camera = Camera.from_info(info(r=r))
    np.testing.assert_allclose(camera.T_frame_camera[:3, :3], np.reshape(r, (3, 3)))
    rectified = Camera.from_info(info(r=r), rectified=True)
    np.testing.assert_allclose(rectified.T_frame_camera, np.eye(4))


@pytest.mark.parametrize("changes", [dict(p=[0.0] * 12), dict(r=[0.0] * 9)])
def test_single_camera_without_p_or_r_stands_in_its_frame(changes):
    np.testing.assert_allclose(Camera.from_info(info(**changes)).T_frame_camera, np.eye(4))


@pytest.mark.parametrize("first", [2.0, -1.0, np.nan])
def test_r_that_is_no_rotation_is_refused(first):
    with pytest.raises(ValueError, match="r that is no rotation"):
        Camera.from_info(info(r=[first, 0, 0, 0, 1, 0, 0, 0, 1]))


def test_rectified_camera_with_an_invalid_offset_in_its_pair_is_refused():
    stereo = info()
    stereo.p[3] = float("nan")
    with pytest.raises(ValueError, match="no calibration: p is"):
        Camera.from_info(stereo, rectified=True)


LENSES_THAT_FOLD = [Camera.from_info(info(model=model, d=d)) for model, d in FOLDING.values()]


@settings(deadline=None)
@given(
    st.sampled_from([*map(Camera.from_info, LENSES.values()), *LENSES_THAT_FOLD]),
    st.tuples(*[st.floats(-1.5, 1.5)] * 3),
    st.floats(4, 100),
)
def test_pinhole_map_equals_the_projection_of_its_pixels(camera, turn, focal):
    """Also where the camera sees nothing: beyond its fold and behind it."""
    rotation, size = cv2.Rodrigues(np.array(turn))[0], 12
    x, y = camera.pinhole_map(rotation, focal, size)
    slope = (np.arange(size) + 0.5 - size / 2) / focal
    rays = np.stack([*np.meshgrid(slope, slope), np.ones((size, size))], axis=-1).reshape(-1, 3)
    expected = camera.project(rays @ rotation)
    hidden = np.isnan(expected[:, 0])
    np.testing.assert_array_equal(x.ravel()[hidden], OUTSIDE)
    # Far outside the image float32 has fewer digits.
    np.testing.assert_allclose(x.ravel()[~hidden], expected[~hidden, 0], rtol=1e-3, atol=0.01)
    np.testing.assert_allclose(y.ravel()[~hidden], expected[~hidden, 1], rtol=1e-3, atol=0.01)
