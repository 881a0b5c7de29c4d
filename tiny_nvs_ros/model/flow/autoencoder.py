"""A KL autoencoder that changes size by pixel shuffles: cheaper, with a larger latent.

Every change of size is a rearrangement of pixels into channels or back (Shi et al. 2016) around a
1x1 convolution, so that no 3x3 convolution runs at the image's full size, and places of the
latent map, which is small enough for it, exchange what they know by attention.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from tiny_nvs_ros.model.layers import ConvBlock, Posterior, norm


class TransformerBlock(nn.Module):
    """Self-attention and feed-forward over the places of a map (B, C, h, w)."""

    def __init__(self, channels: int, heads: int = 4, expansion: int = 2):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.norm2 = nn.LayerNorm(channels)
        self.inner = nn.Linear(channels, expansion * channels)
        self.outer = nn.Linear(expansion * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        h = x.flatten(2).transpose(1, 2)  # (B, hw, C)
        qkv = self.qkv(self.norm1(h)).unflatten(-1, (3, self.heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (B, heads, hw, C / heads)
        h = h + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        h = h + self.outer(F.silu(self.inner(self.norm2(h))))
        return h.transpose(1, 2).unflatten(2, x.shape[2:])


class ShuffleAutoencoder(nn.Module):
    """A KL autoencoder whose latent map has an eighth of the image's size.

    Images are (B, 3, size, size) in [-1, 1]; features (B, widths[2], size / 8, size / 8); latents
    (B, latent_channels, size / 8, size / 8). widths: channels at 1/2, 1/4 and 1/8 of the size.
    """

    def __init__(self, widths: tuple[int, int, int] = (32, 64, 128), latent_channels: int = 16):
        super().__init__()
        fine, middle, coarse = widths
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(3 * 4, fine, 3, padding=1),
            ConvBlock(fine),
            nn.PixelUnshuffle(2),
            nn.Conv2d(fine * 4, middle, 1),
            ConvBlock(middle),
            nn.PixelUnshuffle(2),
            nn.Conv2d(middle * 4, coarse, 1),
            TransformerBlock(coarse),
        )
        self.moments = nn.Sequential(norm(coarse), nn.Conv2d(coarse, 2 * latent_channels, 1))
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_channels, coarse, 3, padding=1),
            TransformerBlock(coarse),
            nn.Conv2d(coarse, middle * 4, 1),
            nn.PixelShuffle(2),
            ConvBlock(middle),
            nn.Conv2d(middle, fine * 4, 1),
            nn.PixelShuffle(2),
            ConvBlock(fine),
            ConvBlock(fine),
            norm(fine),
            nn.SiLU(),
            nn.Conv2d(fine, 3 * 4, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def features(self, image: Tensor) -> Tensor:
        """Return the encoder's features of images, before they become a latent."""
        return self.encoder(image)

    def posterior(self, features: Tensor) -> Posterior:
        return Posterior(self.moments(features))

    def encode(self, image: Tensor) -> Posterior:
        return self.posterior(self.features(image))

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(z)
