import numpy as np
import pytest

pytest.importorskip("skimage")

from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tiny_nvs_ros.model.request import antithetic_noise
from training.eval import metrics


@pytest.fixture
def pairs():
    """Six images and their truths, on white with a square of noise."""
    rng = np.random.default_rng(0)
    images, truths = np.ones((2, 6, 32, 32, 3), np.float32)
    images[:, 8:24, 6:22] = rng.integers(256, size=(6, 16, 16, 3)) / 255
    truths[:, 9:25, 6:22] = rng.integers(256, size=(6, 16, 16, 3)) / 255
    return images, truths


def test_psnr_is_that_of_scikit_image(pairs):
    expected = [
        peak_signal_noise_ratio(truth, image, data_range=1.0)
        for image, truth in zip(*pairs, strict=True)
    ]
    np.testing.assert_allclose(metrics.psnr(*pairs), expected, rtol=1e-6)


def test_the_psnr_of_equal_images_is_finite(pairs):
    truths = pairs[1]
    assert metrics.psnr(truths, truths) == pytest.approx(58.92, abs=0.01)


def test_ssim_is_that_of_scikit_image(pairs):
    expected = [
        structural_similarity(image, truth, channel_axis=-1, data_range=1.0)
        for image, truth in zip(*pairs, strict=True)
    ]
    np.testing.assert_allclose(metrics.ssim(*pairs), expected, atol=1e-6)


def test_delta_e_is_that_of_scikit_image_in_the_truths_silhouette(pairs):
    expected = []
    for image, truth in zip(*pairs, strict=True):
        inside = (truth < 240 / 255).any(axis=-1)
        expected.append(deltaE_ciede2000(rgb2lab(image), rgb2lab(truth))[inside].mean())
    np.testing.assert_allclose(metrics.delta_e(*pairs), expected, rtol=1e-5)


def test_delta_e_of_a_picture_without_an_object_is_nan(pairs):
    images, truths = pairs
    truths[2] = 1.0
    assert np.isnan(metrics.delta_e(images, truths)).tolist() == [False] * 2 + [True] + [False] * 3


def test_iou_counts_pixels():
    image, truth = np.ones((2, 1, 8, 8, 3))
    image[0, :4], truth[0, 2:6] = 0.5, 0.2
    assert metrics.iou(image, truth) == pytest.approx(2 / 6)
    assert metrics.iou(truth, truth) == 1
    assert metrics.iou(np.ones_like(truth), np.ones_like(truth)) == 1


def test_a_pale_colour_is_no_background():
    pale = np.broadcast_to([1.0, 1.0, 0.9], (1, 8, 8, 3))
    assert metrics.silhouette(pale).all()
    assert not metrics.silhouette(np.full((1, 8, 8, 3), 241 / 255)).any()


@pytest.mark.parametrize("samples", [2, 8])
@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_spread_skill_of_an_ensemble_that_is_calibrated_is_one(samples, spread):
    """Truth and samples from one distribution: 1; samples of a spread times as wide: the spread."""
    rng = np.random.default_rng(1)
    centre, sigma = rng.uniform(size=100_000), rng.uniform(0.01, 0.3, 100_000)
    truth = centre + sigma * rng.standard_normal(100_000)
    ensemble = centre + spread * sigma * antithetic_noise(rng, (100_000, samples)).T
    error = ((ensemble.mean(axis=0) - truth) ** 2).mean()
    ratio = metrics.spread_skill(ensemble.var(axis=0).mean(), error)
    assert ratio == pytest.approx(spread, rel=0.02)
