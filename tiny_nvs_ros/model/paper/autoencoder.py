"""The KL autoencoder: an image to a diagonal Gaussian over a small latent map, and back."""

from torch import Tensor, nn

from tiny_nvs_ros.model.layers import (
    AttentionBlock,
    Downsample,
    Posterior,
    ResnetBlock,
    Upsample,
    norm,
)


class Encoder(nn.Module):
    def __init__(self, width: int, multipliers: tuple[int, ...], latent_channels: int):
        super().__init__()
        widths = [width * m for m in multipliers]
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        self.levels = nn.ModuleList()
        for i, out in enumerate(widths):
            block = ResnetBlock(widths[max(i - 1, 0)], out)
            last = i == len(widths) - 1
            self.levels.append(nn.Sequential(block, nn.Identity() if last else Downsample(out)))
        self.middle = nn.Sequential(
            ResnetBlock(out, out), AttentionBlock(out), ResnetBlock(out, out)
        )
        self.out = nn.Sequential(
            norm(out), nn.SiLU(), nn.Conv2d(out, 2 * latent_channels, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv_in(x)
        for level in self.levels:
            h = level(h)
        return self.out(self.middle(h))


class Decoder(nn.Module):
    def __init__(self, width: int, multipliers: tuple[int, ...], latent_channels: int):
        super().__init__()
        widths = [width * m for m in reversed(multipliers)]
        self.conv_in = nn.Conv2d(latent_channels, widths[0], 3, padding=1)
        self.middle = nn.Sequential(
            ResnetBlock(widths[0], widths[0]),
            AttentionBlock(widths[0]),
            ResnetBlock(widths[0], widths[0]),
        )
        self.levels = nn.ModuleList()
        for i, out in enumerate(widths):
            block = ResnetBlock(widths[max(i - 1, 0)], out)
            last = i == len(widths) - 1
            self.levels.append(nn.Sequential(block, nn.Identity() if last else Upsample(out)))
        self.out = nn.Sequential(norm(out), nn.SiLU(), nn.Conv2d(out, 3, 3, padding=1))

    def forward(self, z: Tensor) -> Tensor:
        h = self.middle(self.conv_in(z))
        for level in self.levels:
            h = level(h)
        return self.out(h)


class Autoencoder(nn.Module):
    """The KL autoencoder of latent diffusion (Rombach et al. 2022), made tiny.

    Images are (B, 3, size, size) in [-1, 1]; latents (B, latent_channels, h, h) with
    h = size / 2 ** (len(multipliers) - 1).
    """

    def __init__(
        self,
        width: int = 16,
        multipliers: tuple[int, ...] = (1, 2, 2, 4),
        latent_channels: int = 1,
    ):
        super().__init__()
        self.encoder = Encoder(width, multipliers, latent_channels)
        self.moments = nn.Conv2d(2 * latent_channels, 2 * latent_channels, 1)
        self.latent = nn.Conv2d(latent_channels, latent_channels, 1)
        self.decoder = Decoder(width, multipliers, latent_channels)

    def encode(self, image: Tensor) -> Posterior:
        return Posterior(self.moments(self.encoder(image)))

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(self.latent(z))
