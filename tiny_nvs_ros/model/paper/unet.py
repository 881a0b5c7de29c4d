"""The UNet over a latent map that predicts its noise, given context tokens."""

import torch
from torch import Tensor, nn

from tiny_nvs_ros.model.layers import (
    Downsample,
    ResnetBlock,
    SpatialTransformer,
    Upsample,
    norm,
    timestep_embedding,
)


class Block(nn.Module):
    """A ResNet block followed by a spatial transformer."""

    def __init__(self, in_channels: int, out_channels: int, time: int, context: int):
        super().__init__()
        self.resnet = ResnetBlock(in_channels, out_channels, time)
        self.transformer = SpatialTransformer(out_channels, context)

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        return self.transformer(self.resnet(x, time), context)


class UNet(nn.Module):
    """The denoising UNet.

    A latent map (B, latent_channels, h, h), timesteps (B,) and context tokens
    (B, N, context_channels) to the predicted noise, of the latent's shape.
    """

    def __init__(
        self,
        latent_channels: int = 1,
        widths: tuple[int, ...] = (16, 32, 64),
        blocks: int = 2,
        time_channels: int = 64,
        context_channels: int = 32,
    ):
        super().__init__()
        self.time_channels = time_channels
        self.time = nn.Sequential(
            nn.Linear(time_channels, time_channels),
            nn.SiLU(),
            nn.Linear(time_channels, time_channels),
        )

        def block(in_channels: int, out_channels: int) -> Block:
            return Block(in_channels, out_channels, time_channels, context_channels)

        self.conv_in = nn.Conv2d(latent_channels, widths[0], 3, padding=1)
        self.encoder, self.downsamples = nn.ModuleList(), nn.ModuleList()
        for i, width in enumerate(widths):
            entry = widths[max(i - 1, 0)]
            self.encoder.append(
                nn.ModuleList(block(entry if j == 0 else width, width) for j in range(blocks))
            )
            if i < len(widths) - 1:
                self.downsamples.append(Downsample(width))
        self.middle = block(widths[-1], widths[-1])
        self.decoder, self.upsamples = nn.ModuleList(), nn.ModuleList()
        for i, width in reversed(list(enumerate(widths))):
            exit_ = widths[max(i - 1, 0)]
            self.decoder.append(
                nn.ModuleList(
                    block(2 * width, exit_ if j == blocks - 1 else width) for j in range(blocks)
                )
            )
            if i > 0:
                self.upsamples.append(Upsample(exit_))
        self.out = nn.Sequential(
            norm(widths[0]), nn.SiLU(), nn.Conv2d(widths[0], latent_channels, 3, padding=1)
        )

    def forward(self, x: Tensor, t: Tensor, context: Tensor) -> Tensor:
        time = self.time(timestep_embedding(t, self.time_channels))
        h = self.conv_in(x)
        skips = []
        for i, level in enumerate(self.encoder):
            if i > 0:
                h = self.downsamples[i - 1](h)
            for block in level:
                h = block(h, time, context)
                skips.append(h)
        h = self.middle(h, time, context)
        for i, level in enumerate(self.decoder):
            if i > 0:
                h = self.upsamples[i - 1](h)
            for block in level:
                h = block(torch.cat([h, skips.pop()], dim=1), time, context)
        return self.out(h)
