import numpy as np
import pytest
import torch

from tiny_nvs_ros.geometry import eye_at, look_at
from tiny_nvs_ros.model.multiview.camera_encoding import project, unproject
from tiny_nvs_ros.model.multiview.mask_repair import MaskRepair
from tiny_nvs_ros.model.multiview.network import MultiviewNetwork
from tiny_nvs_ros.model.multiview.volume import cell_centres, resample


def rotations(*directions):
    """R_object_camera (1, N, 3, 3) of cameras at (azimuth, elevation), radians."""
    azimuth, elevation = np.array(directions).T
    poses = look_at(eye_at(azimuth, elevation), np.zeros(3))
    return torch.from_numpy(poses[None, :, :3, :3]).float()


def draw(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


SOURCES = rotations((0.4, 0.3), (1.5, 0.8), (-2.0, -0.2))
TARGETS = rotations((0.9, 0.2), (2.0, -0.7))
RHO = torch.tensor([[2.6, 6.0, 12.0]])


@pytest.fixture(scope="module")
def network():
    """With no weight at the zero where training begins."""
    torch.manual_seed(0)
    network = MultiviewNetwork(repair_channels=32).eval()
    with torch.no_grad():
        for layer in (network.modulation, network.pair[-1]):
            layer.weight.normal_(0, 0.1)
    return network


def imagine(network, order=(0, 1, 2), known=False, padding=0, **changes):
    count = len(order)
    order = list(order) + [0] * padding
    arguments = {
        "images": draw(1, 3, 7, 32, 32)[:, order],
        "source_rotations": SOURCES[:, order],
        "source_rho": RHO[:, order],
        "valid": torch.arange(len(order))[None] < count,
        "heading_known": torch.tensor([known]),
        "target_rotations": TARGETS,
        "target_rho": torch.tensor([[3.0, 8.0]]),
        "noise": draw(1, 2, 2, 16, 4, 4, seed=2),
        **changes,
    }
    with torch.no_grad():
        views = network(**arguments)
    return torch.cat([views.color, views.alpha, views.depth], dim=-3)


def test_network_has_at_most_1_700_000_parameters(network):
    assert sum(p.numel() for p in network.parameters()) <= 1_700_000


def test_mask_repair_leaves_sources_alone_around_which_nothing_is_known():
    images = draw(2, 7, 32, 32).clamp(-1, 1)
    images[0, 4:] = 1
    repaired = MaskRepair(8)(images)
    assert torch.equal(repaired[0], images[0, :4])
    assert not torch.equal(repaired[1], images[1, :4])


def test_untrained_mask_repair_changes_next_to_nothing():
    """An object, half transparent at its left, before a grey background."""
    alpha = torch.zeros(1, 1, 32, 32)
    alpha[..., 8:24, 8:24] = 1
    alpha[..., 8:24, 8] = 0.5
    color, grey = torch.tensor([0.1, 0.5, 0.9])[:, None, None], 0.4
    scene = alpha * color + (1 - alpha) * grey
    parts = scene * alpha + 1 - alpha, alpha, scene * (1 - alpha) + alpha
    repaired = MaskRepair(8)(2 * torch.cat(parts, dim=1) - 1)
    given = 2 * torch.cat(parts[:2], dim=1) - 1
    torch.testing.assert_close(repaired, given, rtol=0, atol=0.1)


def test_order_of_the_sources_does_not_matter(network):
    torch.testing.assert_close(
        imagine(network), imagine(network, order=(2, 0, 1)), rtol=0, atol=1e-5
    )


def test_padding_adds_nothing(network):
    torch.testing.assert_close(imagine(network), imagine(network, padding=2), rtol=0, atol=1e-5)


@pytest.mark.parametrize("angle", [0.3, -2.5])
def test_rotating_the_object_frame_about_z_matters_only_if_the_heading_is_known(network, angle):
    c, s = np.cos(angle), np.sin(angle)
    turn = torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1]], dtype=torch.float32)
    turned = {"source_rotations": turn @ SOURCES, "target_rotations": turn @ TARGETS}
    torch.testing.assert_close(imagine(network), imagine(network, **turned), rtol=0, atol=1e-5)
    known = imagine(network, known=True)
    assert (known - imagine(network, known=True, **turned)).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["images", "source_rho", "target_rho", "noise"])
def test_every_input_changes_the_views(network, name):
    values = {
        "images": draw(1, 3, 7, 32, 32, seed=5),
        "source_rho": 2 * RHO,
        "target_rho": torch.tensor([[6.0, 4.0]]),
        "noise": draw(1, 2, 2, 16, 4, 4, seed=6),
    }
    assert (imagine(network) - imagine(network, **{name: values[name]})).abs().max() > 1e-3


def test_eight_sources_and_opposite_sources_give_finite_views(network):
    eight = rotations(*[(k * np.pi / 4, 0.3) for k in range(8)])
    views = imagine(
        network,
        images=draw(1, 8, 7, 32, 32),
        source_rotations=eight,
        source_rho=torch.full((1, 8), 5.0),
        valid=torch.ones(1, 8, dtype=torch.bool),
    )
    assert views.isfinite().all()


def test_project_is_the_inverse_of_unproject():
    cells, rho = 0.9 * draw(5, 20, 3).clamp(-1, 1), torch.linspace(2.2, 20, 5)
    torch.testing.assert_close(project(unproject(cells, rho), rho), cells)


def test_volume_seen_from_its_own_camera_is_itself():
    volume = draw(1, 1, 3, 8, 8, 8)
    seen = resample(volume, SOURCES[:, :1], RHO[:, :1], SOURCES[:, :1], RHO[:, :1])
    torch.testing.assert_close(seen[0, 0, 0].T, volume[0, 0].flatten(1), rtol=1e-4, atol=1e-4)
    assert len(cell_centres((8, 8, 8), volume)) == 8**3
