import numpy as np
import pytest

from tiny_nvs_ros import geometry
from tiny_nvs_ros.model import ViewSamples
from tiny_nvs_ros.model.config import read_config
from tiny_nvs_ros.next_best_view import correlations, rank, ring, variances
from tiny_nvs_ros.pipeline import SourceImage
from tiny_nvs_ros.resources import find_weights
from tiny_nvs_ros.runtime import load

RADIUS = 0.1  # metres
SIZE = 32


class Doubtful:
    """A renderer whose samples differ by `spread` of the direction in which a camera stands."""

    config = read_config(find_weights("objects"))

    def __init__(self, spread):
        self.spread = spread

    def render(self, request, on_step=None):
        count, samples = request.noise.shape[:2]
        eyes = request.T_object_targets[:, :3, 3]
        directions = eyes / np.linalg.norm(eyes, axis=-1, keepdims=True)
        sign = np.resize([1, -1], samples)
        level = 128 + np.array([self.spread(d) for d in directions])[:, None] * sign
        rgb = np.broadcast_to(level[..., None, None, None], (count, samples, SIZE, SIZE, 3))
        maps = (np.full((count, samples, SIZE, SIZE), value, np.float32) for value in (1, 0))
        return ViewSamples(rgb.astype(np.uint8), *maps)


def source(azimuth: float, elevation: float = 0.4) -> SourceImage:
    image = np.full((64, 64, 3), 255, np.uint8)
    image[20:44, 16:48] = (200, 60, 20)
    pose = geometry.orbit(1, (elevation,), 5 * RADIUS, azimuth)[0]
    return SourceImage(image, pose)


def azimuth_of(pose: np.ndarray) -> float:
    return float(np.degrees(np.arctan2(pose[1, 3], pose[0, 3])))


def test_candidate_near_the_uncertain_side_is_preferred():
    renderer = Doubtful(lambda d: 60 * max(d[1], 0) ** 2 + 2)  # only +y is uncertain
    candidates = ring(RADIUS, 0.5)
    gains = rank(renderer, source(-np.pi / 2), candidates, object_radius=RADIUS)
    assert gains.shape == (24,)
    assert abs(azimuth_of(candidates[gains.argmax()]) - 90) < 31


def test_equally_uncertain_object_is_looked_at_from_the_unseen_side():
    renderer = Doubtful(lambda d: 30)
    candidates = ring(RADIUS, 0.5, elevations=(20,))
    sources = [source(0.0), source(np.pi / 2)]
    best = candidates[rank(renderer, sources, candidates, object_radius=RADIUS).argmax()]
    assert azimuth_of(best) in (pytest.approx(-150), pytest.approx(-120))


def test_certain_object_has_nothing_to_gain():
    gains = rank(Doubtful(lambda d: 0), source(0.0), ring(RADIUS, 0.5), object_radius=RADIUS)
    assert np.allclose(gains, 0)


def test_model_gains_least_from_where_it_looked():
    renderer, sources = load(find_weights("objects"), "cpu"), [source(0.0), source(2.0)]
    candidates = np.concatenate([[s.T_object_camera for s in sources], ring(RADIUS, 0.5)])
    gains = rank(renderer, sources, candidates, object_radius=RADIUS)
    assert set(np.argsort(gains)[:2]) == {0, 1}
    again = rank(renderer, sources[::-1], candidates, object_radius=RADIUS)
    assert np.allclose(gains, again, rtol=0.02)


def test_no_candidate_has_no_gain():
    gains = rank(Doubtful(lambda d: 1), source(0.0), np.zeros((0, 4, 4)), object_radius=RADIUS)
    assert gains.shape == (0,)


def test_variances_add_colour_and_silhouette():
    rgb = np.zeros((1, 2, SIZE, SIZE, 3), np.uint8)
    rgb[:, 1] = 51  # standard deviation 0.1
    alpha = np.zeros((1, 2, SIZE, SIZE), np.float32)
    assert variances(ViewSamples(rgb)) == pytest.approx(0.01)
    alpha[:, 1] = 0.4  # standard deviation 0.2, at half of its weight
    assert variances(ViewSamples(rgb, alpha)) == pytest.approx(0.01 + 0.5 * 0.04)


def test_correlation_falls_with_the_angle_and_vanishes_beyond_a_source():
    poses = geometry.orbit(4, (0.0,), 1.0)
    far = correlations(poses[:1], geometry.orbit(36, (0.0,), 1.0), poses[2:3])[0]
    assert far[0] == pytest.approx(1, abs=1e-6)
    assert (np.diff(far[:18]) < 0).all()
    assert abs(far[18]) < 0.1


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"samples": 1}, "samples is 1; it must be at least 2"),
        ({"object_radius": 0.0}, "object_radius is 0.0; it must be positive"),
        ({"object_radius": None}, "object_radius is None; it must be positive"),
        ({"object_radius": np.inf}, "object_radius is inf; it must be positive and finite"),
        ({"object_radius": 0.6}, "the camera.*is inside the object"),
    ],
)
def test_invalid_arguments_are_named(options, error):
    arguments = {"object_radius": RADIUS, **options}
    with pytest.raises(ValueError, match=error):
        rank(Doubtful(lambda d: 1), source(0.0), ring(RADIUS, 0.5), **arguments)


def test_candidate_that_looks_away_is_named_by_its_number():
    candidates = ring(RADIUS, 0.5)
    candidates[3, :3, :3] = candidates[3, :3, :3] @ np.diag([-1, 1, -1])
    with pytest.raises(ValueError, match="lies behind the camera of view 3"):
        rank(Doubtful(lambda d: 1), source(0.0), candidates, object_radius=RADIUS)


def test_ring_has_its_distance_and_elevations_and_turns_every_second_ring():
    poses = ring(RADIUS, 0.4, count=6, elevations=(0, 30, 60))
    assert poses.shape == (18, 4, 4)
    assert np.allclose(np.linalg.norm(poses[:, :3, 3], axis=-1), 0.4)
    assert np.allclose(poses[::6, 2, 3], 0.4 * np.sin(np.radians([0, 30, 60])))
    assert [azimuth_of(pose) for pose in poses[::6]] == pytest.approx([0, 30, 0])


def test_ring_within_the_object_is_refused():
    with pytest.raises(ValueError, match=r"distance is 0\.1; it must be more than object_radius"):
        ring(0.1, 0.1)
    with pytest.raises(ValueError, match="count is 0"):
        ring(0.1, 0.5, count=0)
    with pytest.raises(ValueError, match=r"object_radius is -1"):
        ring(-1, 0.5)
    for elevations in ((), (120.0,), (np.nan,)):
        with pytest.raises(ValueError, match="from -90 to 90 degrees"):
            ring(0.1, 0.5, elevations=elevations)


def test_candidates_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"candidates have shape \(12, 3, 4\)"):
        rank(
            Doubtful(lambda d: 1),
            source(0.0),
            ring(RADIUS, 0.5, 6)[:, :3],
            object_radius=RADIUS,
        )
