import numpy as np
import pytest
import torch

from tiny_nvs_ros.geometry import SRN_CAMERA, eye_at, look_at, orbit
from tiny_nvs_ros.model.flow.camera_encoding import POINT_SPACING, camera_features, token_points
from tiny_nvs_ros.model.flow.preconditioning import SIGMA_DATA, velocity_skip
from tiny_nvs_ros.model.flow.transformer import FlowTransformer
from tiny_nvs_ros.model.flow.volume import cell_centres, reproject, sample_volume

VOLUME = (8, 8, 8)
KNOWN, UNKNOWN = torch.tensor([True]), torch.tensor([False])


@pytest.fixture(scope="module")
def transformer():
    """Small, and with no weight at the zero where training begins."""
    torch.manual_seed(0)
    net = FlowTransformer(source_channels=8, channels=32, depth=2, heads=2, expansion=2).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return net


def rotations(*directions):
    """R_object_camera of cameras at (azimuth, elevation), radians: (N, 3, 3)."""
    azimuth, elevation = np.array(directions).T
    pose = look_at(eye_at(azimuth, elevation), np.zeros(3))
    return torch.from_numpy(pose[:, :3, :3]).float()


def turn(angle):
    c, s = np.cos(angle), np.sin(angle)
    return torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1]], dtype=torch.float32)


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


SOURCE = rotations((0.4, 0.3))
TARGETS = rotations((0.9, 0.2), (2.0, -0.7), (-1.0, 1.2))
FEATURES, X, T = draw(1, 8, 4, 4), draw(1, 3, 16, 4, 4), torch.tensor([[0.1, 0.5, 1.0]])


def velocity(
    net, source=SOURCE, targets=TARGETS, known=KNOWN, t=T, interval=0.0, x=X,
    features=FEATURES,
):  # fmt: skip
    with torch.no_grad():
        seen = net.source(features, source, known)
        return net(x, t, torch.full_like(t, interval), net.target(targets[None], seen))


def test_the_velocity_has_the_latents_shape(transformer):
    assert velocity(transformer).shape == X.shape


def test_an_untrained_network_flows_to_an_empty_latent():
    net = FlowTransformer(source_channels=8, channels=32, depth=1, heads=2)
    expected = velocity_skip(T, torch.zeros_like(T))[..., None, None, None] * X
    assert torch.equal(velocity(net), expected)


@pytest.mark.parametrize("t, interval", [(1.0, 1.0), (0.5, 0.5), (0.75, 0.25)])
def test_standing_still_over_an_interval_is_the_mean_over_its_moments(t, interval):
    moments = t - (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000 * interval
    x = torch.tensor(1.0, dtype=torch.float64)
    for moment in moments:
        x = x - interval / 1000 * velocity_skip(moment, torch.zeros_like(moment)) * x
    t, interval = (torch.tensor(v, dtype=torch.float64) for v in (t, interval))
    torch.testing.assert_close(1 - interval * velocity_skip(t, interval), x, rtol=3e-3, atol=0)


def test_noise_that_stands_still_ends_with_the_spread():
    one = torch.ones(())
    torch.testing.assert_close(1 - velocity_skip(one, one), torch.tensor(SIGMA_DATA))


@pytest.mark.parametrize(
    "changes",
    [
        {"t": T / 2},
        {"interval": 0.1},
        {"x": X + 0.1},
        {"features": FEATURES.flip(0, 1)},
        {"targets": TARGETS.flip(0)},
        {"source": rotations((0.4, 0.9))},
        {"known": UNKNOWN},
    ],
)
def test_it_listens(transformer, changes):
    assert (velocity(transformer, **changes) - velocity(transformer)).abs().max() > 1e-3


def test_the_interval_adds_nothing_before_it_is_trained():
    net = FlowTransformer(source_channels=8, channels=32, depth=1, heads=2)
    with torch.no_grad():
        net.modulation.weight.normal_(generator=torch.Generator().manual_seed(0))
        net.out.weight.normal_(generator=torch.Generator().manual_seed(1))

    def added(interval):
        at_rest = velocity_skip(T, torch.full_like(T, interval))[..., None, None, None] * X
        return velocity(net, interval=interval) - at_rest

    assert added(0.0).abs().max() > 1e-3
    torch.testing.assert_close(added(0.7), added(0.0), rtol=0, atol=1e-5)


def test_the_source_seen_once_is_the_source_seen_for_each_target(transformer):
    together = velocity(transformer)
    each = [
        velocity(transformer, targets=TARGETS[k : k + 1], x=X[:, k : k + 1], t=T[:, k : k + 1])
        for k in range(3)
    ]
    torch.testing.assert_close(together, torch.cat(each, dim=1), rtol=1e-5, atol=1e-5)


def test_what_precedes_the_noise_does_for_all_samples(transformer):
    with torch.no_grad():
        target = transformer.target(TARGETS[None], transformer.source(FEATURES, SOURCE, KNOWN))
        moment = transformer.time_embedding(torch.tensor([0.5]), torch.tensor([0.0]))
        x = draw(3, 2, 16, 4, 4)
        together = transformer.velocity(x, moment, target)
        each = [transformer.velocity(x[:, k : k + 1], moment, target) for k in range(2)]
    torch.testing.assert_close(together, torch.cat(each, dim=1))


def test_sources_of_a_batch_do_not_mix(transformer):
    source = rotations((0.4, 0.3), (1.4, -0.3))
    features, known = draw(2, 8, 4, 4), torch.tensor([True, False])
    x, t = draw(2, 3, 16, 4, 4), torch.rand(2, 3)
    targets = torch.stack([TARGETS, TARGETS.flip(0)])
    with torch.no_grad():
        seen = transformer.target(targets, transformer.source(features, source, known))
        together = transformer(x, t, torch.zeros_like(t), seen)
    for k in range(2):
        own = slice(k, k + 1)
        alone = velocity(
            transformer, source[own], targets[k], known[own], t[own], 0.0, x[own], features[own]
        )
        torch.testing.assert_close(together[own], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("angle", [0.3, 2.0, -3.0])
def test_an_unknown_heading_does_not_matter(transformer, angle):
    turned = turn(angle)
    before = velocity(transformer, known=UNKNOWN)
    after = velocity(transformer, turned @ SOURCE, turned @ TARGETS, UNKNOWN)
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-5)
    known = velocity(transformer, turned @ SOURCE, turned @ TARGETS, KNOWN)
    assert (known - velocity(transformer)).abs().max() > 1e-3


def test_camera_features_are_direction_and_azimuths():
    source, target = (0.4, 0.3), (2.0, -0.7)
    numbers = camera_features(rotations(target)[0], rotations(source)[0], torch.tensor(True))
    expected = [
        *eye_at(2.0, -0.7, 1.0),
        np.cos(2.0), np.sin(2.0), np.cos(1.6), np.sin(1.6),
        np.cos(0.3), np.sin(0.3), 1,
    ]  # fmt: skip
    torch.testing.assert_close(numbers, torch.tensor(np.array(expected)).float())


def test_camera_features_tell_azimuths_at_the_pole():
    above = rotations((0.0, np.pi / 2 - 1e-4), (1.0, np.pi / 2 - 1e-4))
    numbers = camera_features(above, torch.tensor(orbit(1)[0, :3, :3]).float(), KNOWN)
    assert (numbers[0] - numbers[1]).abs().max() > 0.4


def test_a_token_looks_at_points_on_its_line_of_sight():
    points = token_points(TARGETS, SOURCE, KNOWN, side=4).view(3, 4, 4, 3, 3)
    seen = points @ TARGETS[:, None, None]  # in the cameras' frames
    ticks = torch.tensor([-0.75, -0.25, 0.25, 0.75])
    torch.testing.assert_close(seen[..., 0], ticks[None, None, :, None].expand(3, 4, 4, 3))
    torch.testing.assert_close(seen[..., 1], ticks[None, :, None, None].expand(3, 4, 4, 3))
    torch.testing.assert_close(
        seen[..., 2], torch.tensor([-POINT_SPACING, 0, POINT_SPACING]).expand(3, 4, 4, 3)
    )


def test_where_the_heading_is_unknown_the_source_looks_from_azimuth_0():
    points = token_points(SOURCE, SOURCE, UNKNOWN, side=4)
    expected = token_points(rotations((0.0, 0.3)), SOURCE, KNOWN, side=4)
    torch.testing.assert_close(points, expected)


def seen_by(rotation, points):
    """Numbers as of cell_centres of points in the object's frame, (n, 3), in one camera."""
    x, y, w = (points @ rotation).T
    depth, focal = SRN_CAMERA.distance + w, 2 * SRN_CAMERA.focal
    return torch.stack([focal * x / depth, focal * y / depth, w / SRN_CAMERA.radius], dim=-1)


def test_points_are_reprojected_by_perspective():
    points = 0.4 * draw(20, 3).clamp(-1, 1)
    other = reproject(seen_by(SOURCE[0], points), TARGETS[0].T @ SOURCE[0], SRN_CAMERA)
    torch.testing.assert_close(other, seen_by(TARGETS[0], points), rtol=1e-4, atol=1e-5)


def test_samples_are_trilinear_and_nothing_outside():
    x, y, z = 2 * (torch.arange(8) + 0.5) / 8 - 1, 0.3, -0.1  # a ramp to the right
    volume = (2 * x + 1).expand(1, 1, *VOLUME)
    points = torch.tensor([[0.2, y, z], [-0.7, y, z], [1.2, y, z], [0.2, -1.2, z], [0.2, y, 1.2]])
    expected = torch.tensor([1.4, -0.4, 0, 0, 0])
    torch.testing.assert_close(sample_volume(volume, points[None])[0, :, 0], expected)


def test_a_camera_sees_its_own_cells_where_they_are():
    cells = cell_centres(VOLUME, torch.zeros(()))
    torch.testing.assert_close(reproject(cells, torch.eye(3), SRN_CAMERA), cells)
    assert len(cells) == np.prod(VOLUME)


def test_a_source_sees_its_own_volume(transformer):
    """Each token what was made of itself."""
    with torch.no_grad():
        source = transformer.source(FEATURES, SOURCE, KNOWN)
        tokens = draw(1, 16, transformer.tokens_to_volume.out_features)  # 4x4 of them
        seen = transformer.volume_to_tokens(tokens)
        own = source._replace(volume=transformer._volume(tokens))
        again = transformer._resampled(SOURCE[None], own)[:, 0]
    torch.testing.assert_close(again, seen, rtol=1e-4, atol=1e-4)


def test_without_a_volume_it_goes_by_attention_alone():
    net = FlowTransformer(source_channels=8, channels=32, depth=1, heads=2, volume_channels=0)
    assert velocity(net).shape == X.shape
    assert not hasattr(net, "tokens_to_volume")


def test_a_target_sees_the_volume_from_its_side(transformer):
    """The right of the source's view is the left of the opposite camera's view."""
    behind = rotations((0.4 + np.pi, 0.0))
    tokens = torch.zeros(1, 4, 4, transformer.tokens_to_volume.out_features)
    tokens[:, 1:3, 3] = 1.0
    with torch.no_grad():
        source = transformer.source(FEATURES, rotations((0.4, 0.0)), KNOWN)
        volume = transformer._volume(tokens.flatten(1, 2))
        seen = transformer._resampled(behind[None], source._replace(volume=volume))
    something = (seen - transformer.volume_to_tokens.bias).abs().amax(dim=-1).view(4, 4) > 1e-3
    assert something[1:3, 0].all() and not something[:, 2:].any()
