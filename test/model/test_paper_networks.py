import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.layers import Posterior
from tiny_nvs_ros.model.paper.autoencoder import Autoencoder
from tiny_nvs_ros.model.paper.unet import UNet


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_paper_preset_has_the_published_numbers_of_parameters():
    model = NovelViewModel.from_preset("paper")
    assert count(model.autoencoder) == 634_941
    assert count(model.denoiser) == 1_043_089
    assert count(model) == 1_678_030


def test_fast_preset_is_not_larger():
    assert count(NovelViewModel.from_preset("fast")) <= 1_700_000


@pytest.mark.parametrize(
    "channels, multipliers, side", [(1, (1, 2, 2, 4), 4), (4, (1, 2, 2, 4), 4), (1, (1, 2, 4), 8)]
)
def test_autoencoder_shapes(channels, multipliers, side):
    autoencoder = Autoencoder(16, multipliers, channels)
    posterior = autoencoder.encode(torch.zeros(2, 3, 32, 32))
    assert posterior.mean.shape == posterior.log_variance.shape == (2, channels, side, side)
    assert autoencoder.decode(posterior.mean).shape == (2, 3, 32, 32)


@pytest.mark.parametrize("channels, side", [(1, 4), (4, 4), (1, 8)])
def test_denoiser_shapes(channels, side):
    denoiser = UNet(latent_channels=channels, context_channels=channels * side**2 + 16)
    z = torch.zeros(2, channels, side, side)
    context = torch.zeros(2, 1, channels * side**2 + 16)
    assert denoiser(z, torch.tensor([0, 999]), context).shape == z.shape


@pytest.mark.parametrize("changed", ["time", "context"])
def test_denoiser_listens_to_time_and_context(changed):
    torch.manual_seed(0)
    denoiser = UNet()
    z, t, context = torch.randn(1, 1, 4, 4), torch.tensor([10]), torch.randn(1, 1, 32)
    before = denoiser(z, t, context)
    after = denoiser(z, t + 500 * (changed == "time"), context + (changed == "context"))
    assert (after - before).abs().max() > 1e-3


@given(st.floats(-3, 3), st.floats(-3, 3))
@settings(deadline=None)
def test_posterior_kl_is_torchs(mean, log_variance):
    moments = torch.tensor([mean, log_variance]).view(1, 2, 1, 1)
    posterior = torch.distributions.Normal(mean, torch.tensor(log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(Posterior(moments).kl()[0], expected, rtol=1e-4, atol=1e-5)


def test_posterior_samples_around_its_mean():
    posterior = Posterior(torch.tensor([2.0, 0.5]).log().mul(2).view(1, 2, 1, 1))
    eps = torch.tensor(3.0).view(1, 1, 1, 1)
    expected = 2 * torch.log(torch.tensor(2.0)) + 3 * 0.5
    torch.testing.assert_close(posterior.sample(eps).squeeze(), expected)
