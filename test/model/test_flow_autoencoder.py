import torch

from tiny_nvs_ros.model.flow.autoencoder import ShuffleAutoencoder


def test_shapes():
    autoencoder = ShuffleAutoencoder((8, 16, 32), latent_channels=6)
    image = torch.zeros(2, 3, 32, 32)
    assert autoencoder.features(image).shape == (2, 32, 4, 4)
    posterior = autoencoder.encode(image)
    assert posterior.mean.shape == posterior.log_variance.shape == (2, 6, 4, 4)
    assert autoencoder.decode(posterior.mean).shape == image.shape


def test_an_image_is_encoded_from_its_features():
    torch.manual_seed(0)
    autoencoder = ShuffleAutoencoder((8, 16, 32), latent_channels=6)
    image = torch.randn(1, 3, 32, 32)
    expected = autoencoder.posterior(autoencoder.features(image)).mean
    assert torch.equal(autoencoder.encode(image).mean, expected)
    assert not torch.equal(autoencoder.encode(image.flip(0, 1)).mean, expected)
