"""The multi-view network: source images and cameras, target cameras and noise to imagined views.

Each source is encoded in its own camera: convolutions, then transformer blocks on its 4x4 tokens.
Its tokens and features fill a volume in its frustum. A target's tokens begin with what the sources'
volumes hold in its own frustum, merged by weights that know the angle between the cameras, and
attend to the tokens of all sources. Noise enters last, in a few blocks and the decoder; one pass
gives one sample. All views of a request are independent of each other but for the sources.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tiny_nvs_ros.model.layers import (
    FREQUENCIES,
    ConvBlock,
    ModulatedBlock,
    fourier_features,
    mlp,
    norm,
)
from tiny_nvs_ros.model.multiview.camera_encoding import (
    CAMERA_FEATURES,
    POINTS_PER_TOKEN,
    camera_features,
    pair_features,
    shared_frame,
    token_points,
)
from tiny_nvs_ros.model.multiview.mask_repair import MaskRepair
from tiny_nvs_ros.model.multiview.volume import resample

RGBA = 4  # red, green, blue on white, and alpha: what is encoded of a source
VIEW_CHANNELS = 5  # red, green, blue, alpha, depth
PAIR_FEATURES = 8


class Views(NamedTuple):
    """Imagined views, (..., channels, size, size) each.

    color: RGB of the object, 0 to 1; alpha: probability of the object, 0 to 1; depth: of the
    visible surface behind the object's centre along the optical axis, object radii.
    """

    color: Tensor
    alpha: Tensor
    depth: Tensor

    def on_white(self) -> Tensor:
        """Return RGB of the object on white, 0 to 1."""
        return 1 + self.alpha * (self.color - 1)


class MultiviewNetwork(nn.Module):
    """See the module. size: pixels; channels: of tokens; depth, noise_depth: blocks before and
    after the noise; widths: of the convolutions at 1/2 and 1/4 of the size; volume_channels: of a
    volume's cell; noise_channels: of the noise at a token; repair_channels: of MaskRepair, 0 for
    none, as in weights of before it."""

    def __init__(
        self,
        size: int = 32,
        channels: int = 128,
        depth: int = 4,
        noise_depth: int = 2,
        heads: int = 4,
        expansion: int = 3,
        widths: tuple[int, int] = (32, 64),
        volume_channels: int = 16,
        noise_channels: int = 16,
        repair_channels: int = 0,
    ):
        super().__init__()
        self.side, self.slices = size // 8, size // 4  # of the tokens and of the volume
        self.noise_channels = noise_channels
        fine, middle = widths
        cell = volume_channels + 1  # and the confidence
        waves = 1 + 2 * len(FREQUENCIES)

        self.repair = MaskRepair(repair_channels) if repair_channels else None
        self.encoder_fine = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(RGBA * 4, fine, 3, padding=1),
            ConvBlock(fine),
            nn.PixelUnshuffle(2),
            nn.Conv2d(fine * 4, middle, 1),
            ConvBlock(middle),
            ConvBlock(middle),
        )
        self.encoder_coarse = nn.Sequential(
            norm(middle), nn.PixelUnshuffle(2), nn.Conv2d(middle * 4, channels, 1)
        )
        self.source_pos = nn.Parameter(0.02 * torch.randn(self.side**2, channels))
        self.target_pos = nn.Parameter(0.02 * torch.randn(self.side**2, channels))
        # One each for tokens of sources, of targets, and of targets with noise.
        self.kind_embedding = nn.Parameter(0.02 * torch.randn(3, channels))
        self.camera = mlp((CAMERA_FEATURES - 1) * waves + 1, channels)
        self.points = mlp(3 * POINTS_PER_TOKEN * waves, channels)

        self.features_to_volume = nn.Conv2d(middle, cell * self.slices, 1)
        self.tokens_to_volume = nn.Linear(channels, 4 * cell * self.slices)
        self.volume_to_tokens = nn.Linear(4 * cell * self.slices, channels)
        self.volume_to_features = nn.Linear(cell * self.slices, middle)
        self.pair = nn.Sequential(
            nn.Linear(PAIR_FEATURES, 32), nn.SiLU(), nn.Linear(32, self.slices + depth * heads)
        )
        self.modulation = nn.Linear(channels, 6 * channels)
        self.blocks = nn.ModuleList(
            ModulatedBlock(channels, heads, expansion) for _ in range(depth)
        )
        self.noise_in = nn.Linear(noise_channels, channels)
        self.noise_blocks = nn.ModuleList(
            ModulatedBlock(channels, heads, expansion) for _ in range(noise_depth)
        )
        self.out_norm = nn.LayerNorm(channels)
        self.decoder_coarse = nn.Sequential(nn.Conv2d(channels, middle * 4, 1), nn.PixelShuffle(2))
        self.decoder_fine = nn.Sequential(
            ConvBlock(middle),
            ConvBlock(middle),
            ConvBlock(middle),
            nn.Conv2d(middle, fine * 4, 1),
            nn.PixelShuffle(2),
            ConvBlock(fine),
            ConvBlock(fine),
            norm(fine),
            nn.SiLU(),
            nn.Conv2d(fine, VIEW_CHANNELS * 4, 3, padding=1),
            nn.PixelShuffle(2),
        )
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        nn.init.zeros_(self.pair[-1].weight)
        nn.init.zeros_(self.pair[-1].bias)

    def forward(
        self,
        images: Tensor,
        source_rotations: Tensor,
        source_rho: Tensor,
        valid: Tensor,
        heading_known: Tensor,
        target_rotations: Tensor,
        target_rho: Tensor,
        noise: Tensor,
    ) -> Views:
        """Imagine K targets of B objects, S samples of each: Views with (B, K, S, ...).

        images: (B, n, 7, size, size) RGB on white, alpha, and RGB of the surroundings, -1 to 1.
        source_rotations: (B, n, 3, 3) R_object_source; source_rho: (B, n) object radii; valid:
        (B, n) bool, False for padding; heading_known: (B,) bool. target_rotations: (B, K, 3, 3)
        R_object_target; target_rho: (B, K). noise: (B, K, S, noise_channels, size / 8, size / 8),
        unit Gaussian.
        """
        frame = shared_frame(source_rotations, valid, heading_known)[:, None]
        sources = (frame @ source_rotations, source_rho)
        targets = (frame @ target_rotations, target_rho)
        known = heading_known[:, None]
        keys, values, volume = self.encode_sources(images, *sources, known)
        tokens, condition, features = self.look(
            keys, values, volume, valid, *sources, *targets, known
        )
        return self.imagine(tokens, condition, features, noise)

    def encode_sources(
        self, images: Tensor, rotations: Tensor, rho: Tensor, known: Tensor
    ) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """Return keys and values of each block, (B, n, heads, side^2, channels / heads), and the
        sources' volumes, (B, n, cell, slices, slices, slices)."""
        lead = images.shape[:2]
        images = images.flatten(0, 1)
        images = images[:, :RGBA] if self.repair is None else self.repair(images)
        features = self.encoder_fine(images)
        h = self.encoder_coarse(features).flatten(2).transpose(1, 2).unflatten(0, lead)
        points, condition = self._condition(rotations, rho, known)
        h = h + self.source_pos + points
        modulation = self._modulation(condition, kind=0)
        keys, values = [], []
        for block in self.blocks:
            h, k, v = block(h.flatten(0, 1), modulation.flatten(0, 1))
            h = h.unflatten(0, lead)
            keys.append(k.unflatten(0, lead))
            values.append(v.unflatten(0, lead))
        cells = self.tokens_to_volume(F.layer_norm(h, h.shape[-1:])).flatten(0, 1)
        cells = cells.transpose(1, 2).unflatten(2, (self.side, self.side))
        cells = F.pixel_shuffle(cells, 2) + self.features_to_volume(features)
        return keys, values, cells.unflatten(1, (-1, self.slices)).unflatten(0, lead)

    def look(
        self,
        keys: list[Tensor],
        values: list[Tensor],
        volume: Tensor,
        valid: Tensor,
        source_rotations: Tensor,
        source_rho: Tensor,
        rotations: Tensor,
        rho: Tensor,
        known: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the targets' tokens and their condition, (B K, side^2, channels) each, and
        features at a quarter of the size, (B K, middle, 2 side, 2 side)."""
        lead, slices = rotations.shape[:2], self.slices
        pair = self.pair(
            pair_features(rotations, rho, source_rotations, source_rho)
        )  # (B, K, n, .)
        absent = ~valid[:, None, :, None]
        by_slice, by_head = pair.float().split([slices, pair.shape[-1] - slices], dim=-1)

        cells = resample(volume.float(), source_rotations, source_rho, rotations, rho)
        cells, confidence = cells[..., :-1], cells[..., -1]  # (B, K, n, cells, channels)
        logits = confidence + by_slice.repeat_interleave(slices**2, dim=-1)
        logits = logits.masked_fill(absent, -1e4)
        merged = (torch.softmax(logits, dim=2)[..., None] * cells).sum(dim=2)
        evidence = torch.logsumexp(logits, dim=2)[..., None]
        merged = torch.cat([merged, evidence], dim=-1).flatten(0, 1)  # (B K, cells, cell)
        merged = merged.unflatten(1, (slices, slices, slices)).permute(0, 2, 3, 1, 4).flatten(3)
        features = self.volume_to_features(merged).permute(0, 3, 1, 2)
        blocks = merged.unflatten(1, (self.side, 2)).unflatten(3, (self.side, 2))
        seen = self.volume_to_tokens(blocks.transpose(2, 3).flatten(3).flatten(1, 2))

        points, condition = self._condition(rotations, rho, known)
        condition = condition.flatten(0, 1)
        h = points.flatten(0, 1) + self.target_pos + seen
        modulation = self._modulation(condition, kind=1)
        bias = by_head.masked_fill(absent, -1e4).unflatten(-1, (len(self.blocks), -1))
        bias = bias.permute(3, 0, 1, 4, 2).flatten(1, 2)  # (depth, B K, heads, n)
        tokens = self.side**2
        for block, k, v, own_bias in zip(self.blocks, keys, values, bias, strict=True):
            k, v = (
                x.transpose(1, 2)
                .flatten(2, 3)[:, None]
                .expand(-1, lead[1], -1, -1, -1)
                .flatten(0, 1)
                for x in (k, v)
            )
            mask = F.pad(own_bias.repeat_interleave(tokens, dim=-1), (0, tokens))[:, :, None]
            h, _, _ = block(h, modulation, (k, v), mask)
        return h, condition, features

    def imagine(self, tokens: Tensor, condition: Tensor, features: Tensor, noise: Tensor) -> Views:
        """Return Views of (B, K, S, ...) from noise (B, K, S, noise_channels, side, side)."""
        lead, samples = noise.shape[:3], noise.shape[2]
        noise = noise.flatten(4).transpose(3, 4).flatten(0, 1)  # (B K, S, side^2, channels)
        h = tokens[:, None] + self.noise_in(noise)
        modulation = self._modulation(condition, kind=2)[:, None].expand(-1, samples, -1, -1)
        h, modulation = h.flatten(0, 1), modulation.flatten(0, 1)
        for block in self.noise_blocks:
            h, _, _ = block(h, modulation)
        h = self.out_norm(h).transpose(1, 2).unflatten(2, (self.side, self.side))
        h = self.decoder_coarse(h).unflatten(0, (-1, samples)) + features[:, None]
        h = self.decoder_fine(h.flatten(0, 1)).float().unflatten(0, lead)
        color, alpha, depth = h.split([3, 1, 1], dim=-3)
        return Views((color + 1) / 2, torch.sigmoid(4 * alpha), depth)

    def _condition(self, rotations: Tensor, rho: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        """Return embeddings of where the tokens look and, added to it, of the camera:
        (B, views, side^2, channels) each."""
        points = self.points(fourier_features(token_points(rotations, rho, self.side)))
        camera = self.camera(camera_features(rotations, rho, known))
        return points, points + camera[:, :, None]

    def _modulation(self, condition: Tensor, kind: int) -> Tensor:
        return self.modulation(F.silu(condition + self.kind_embedding[kind]))
