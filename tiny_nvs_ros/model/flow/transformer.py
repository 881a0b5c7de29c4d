"""The flow transformer: velocity of target views' latents, given a source view and the cameras.

The source's tokens know neither target nor time, so they are computed once for all targets. They
fill a volume in the source camera's view, which is resampled into each target camera's view. The
target's tokens attend to the source's and predict the mean latent before they see any noise: that
is computed once for all samples and steps. Only the last blocks see the noise and predict what it
adds to the mean (as Mardani et al. 2023).
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tiny_nvs_ros.geometry import SRN_CAMERA, ModelCamera
from tiny_nvs_ros.model.flow.camera_encoding import (
    CAMERA_FEATURES,
    POINTS_PER_TOKEN,
    camera_features,
    token_points,
)
from tiny_nvs_ros.model.flow.preconditioning import velocity_skip
from tiny_nvs_ros.model.flow.volume import cell_centres, reproject, sample_volume
from tiny_nvs_ros.model.layers import (
    FREQUENCIES,
    ModulatedBlock,
    fourier_features,
    mlp,
    timestep_embedding,
)


class SourceTokens(NamedTuple):
    """A source view as target views see it.

    keys, values: of each block, (B, heads, n, channels / heads); rotation: (B, 3, 3)
    R_object_source; heading_known: (B,) bool; volume: (B, channels, slices, rows, columns),
    features of the cells of its view, or None.
    """

    keys: list[Tensor]
    values: list[Tensor]
    rotation: Tensor
    heading_known: Tensor
    volume: Tensor | None


class TargetTokens(NamedTuple):
    """Target views before any noise, (B, ...).

    mean: (B, C, side, side), the expected latent; tokens, condition: (B, n, channels).
    """

    mean: Tensor
    tokens: Tensor
    condition: Tensor


class TimeEmbedding(NamedTuple):
    """Times and step sizes as the network sees them.

    embedding: (..., channels); signal: (...) share of the clean latent in x_t; skip: (...)
    coefficient of preconditioning.velocity_skip.
    """

    embedding: Tensor
    signal: Tensor
    skip: Tensor


class FlowTransformer(nn.Module):
    """Velocity of target views' latents, given the source view and the cameras.

    latent_channels, side: of the latent map; source_channels: of the source's feature map, which
    has the same side. depth, denoising_depth: blocks before and after the noise. volume_channels:
    of the cells of the source's volume, 0 for no volume. camera: that the model is trained with.
    """

    def __init__(
        self,
        latent_channels: int = 16,
        side: int = 4,
        source_channels: int = 128,
        channels: int = 128,
        depth: int = 4,
        denoising_depth: int = 1,
        heads: int = 4,
        expansion: int = 3,
        volume_channels: int = 16,
        time_channels: int = 64,
        camera: ModelCamera = SRN_CAMERA,
    ):
        super().__init__()
        self.time_channels, self.side = time_channels, side
        self.volume_channels, self.model_camera = volume_channels, camera
        self.volume_shape = (2 * side,) * 3  # slices, rows, columns
        self.latent_in = nn.Linear(latent_channels, channels)
        self.source_in = nn.Sequential(
            nn.LayerNorm(source_channels), nn.Linear(source_channels, channels)
        )
        self.pos_embed = nn.Parameter(0.02 * torch.randn(side**2, channels))
        self.source_pos_embed = nn.Parameter(0.02 * torch.randn(side**2, channels))
        waves = 1 + 2 * len(FREQUENCIES)
        self.camera = mlp((CAMERA_FEATURES - 1) * waves + 1, channels)
        self.points = mlp(3 * POINTS_PER_TOKEN * waves, channels)
        if volume_channels:
            cells = volume_channels * math.prod(self.volume_shape) // side**2  # values per token
            self.tokens_to_volume = nn.Linear(channels, cells)
            self.volume_to_tokens = nn.Linear(cells, channels)
        self.time = mlp(2 * time_channels, channels)
        # Instead of a time, for tokens without noise: the source's, and the targets' before noise.
        self.null_time_embed = nn.Parameter(0.02 * torch.randn(2, channels))
        self.modulation = nn.Linear(channels, 6 * channels)
        self.blocks, self.denoising_blocks = (
            nn.ModuleList(ModulatedBlock(channels, heads, expansion) for _ in range(count))
            for count in (depth, denoising_depth)
        )
        self.out_offsets = nn.Parameter(torch.tensor([0.0, 1]).repeat_interleave(channels))
        self.norm = nn.LayerNorm(channels, elementwise_affine=False)
        self.mean_out = nn.Linear(channels, latent_channels)
        self.out = nn.Linear(channels, latent_channels)
        # At first blocks change nothing, the velocity is that of velocity_skip, and the step size
        # has no influence on the rest.
        for layer in (self.modulation, self.mean_out, self.out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.time[0].weight[:, time_channels:] = 0

    def source(self, features: Tensor, rotation: Tensor, heading_known: Tensor) -> SourceTokens:
        """Return the source view's tokens, for any targets.

        features: (B, source_channels, side, side); rotation: (B, 3, 3) R_object_source;
        heading_known: (B,) bool.
        """
        points, condition = self._condition(rotation, rotation, heading_known)
        h = self.source_in(features.flatten(2).transpose(1, 2)) + self.source_pos_embed + points
        modulation = self.modulation(F.silu(condition + self.null_time_embed[0]))
        keys, values = [], []
        for block in self.blocks:
            h, k, v = block(h, modulation)
            keys.append(k)
            values.append(v)
        volume = None
        if self.volume_channels:
            volume = self._volume(self.tokens_to_volume(self.norm(h)))
        return SourceTokens(keys, values, rotation, heading_known, volume)

    def target(self, rotation: Tensor, source: SourceTokens) -> TargetTokens:
        """Return K target views for each of B sources, (B K, ...).

        rotation: (B, K, 3, 3) R_object_target.
        """
        cameras = rotation, source.rotation[:, None], source.heading_known[:, None]
        points, condition = self._condition(*cameras)
        if source.volume is not None:
            points = points + self._resampled(rotation, source)

        def for_each(tokens: Tensor) -> Tensor:
            return tokens[:, None].expand(-1, rotation.shape[1], -1, -1, -1).flatten(0, 1)

        h, condition = (points + self.pos_embed).flatten(0, 1), condition.flatten(0, 1)
        modulation = self.modulation(F.silu(condition + self.null_time_embed[1]))
        for block, *context_kv in zip(self.blocks, source.keys, source.values, strict=True):
            h, _, _ = block(h, modulation, [for_each(tokens) for tokens in context_kv])
        return TargetTokens(self._latent(self.mean_out(self.norm(h))), h, condition)

    def forward(self, x: Tensor, t: Tensor, step_size: Tensor, target: TargetTokens) -> Tensor:
        """Return the velocity of latents x (B, ..., C, side, side), one for each target.

        t: (B, ...) in [0, 1], 1 is noise. step_size: (B, ...), how far back the velocity is
        averaged, 0 for the velocity at t.
        """
        time = self.time_embedding(t.flatten(), step_size.flatten())
        return self.velocity(x.flatten(0, -4)[:, None], time, target).view_as(x)

    def velocity(self, x: Tensor, time: TimeEmbedding, target: TargetTokens) -> Tensor:
        """Return the velocity of latents x (B, S, C, side, side), S for each target.

        time: of B times, or of one.
        """
        h = target.tokens[:, None] + self.latent_in(x.flatten(3).transpose(2, 3))
        modulation = self.modulation(F.silu(target.condition + time.embedding[:, None]))[:, None]
        for block in self.denoising_blocks:
            h, _, _ = block(h, modulation)
        modulation = modulation[..., : len(self.out_offsets)] + self.out_offsets
        shift, scale = modulation.chunk(2, dim=-1)
        h = self._latent(self.out(self.norm(h) * scale + shift))
        signal, skip = (n[:, None, None, None, None] for n in (time.signal, time.skip))
        mean = target.mean[:, None]
        return skip * (x - signal * mean) - mean + h

    def _latent(self, tokens: Tensor) -> Tensor:
        """Reshape tokens (..., n, C) to latents (..., C, side, side)."""
        return tokens.transpose(-1, -2).unflatten(-1, (self.side, self.side))

    def time_embedding(self, t: Tensor, step_size: Tensor) -> TimeEmbedding:
        """Return the embedding of times and step sizes, (...) each."""
        now, step = (timestep_embedding(1000 * x, self.time_channels) for x in (t, step_size))
        half = self.time_channels // 2
        step = torch.cat([1 - step[..., :half], step[..., half:]], dim=-1)  # 0 for step size 0
        embedding = self.time(torch.cat([now, step], dim=-1))
        return TimeEmbedding(embedding, 1 - t, velocity_skip(t, step_size))

    def _volume(self, tokens: Tensor) -> Tensor:
        """Reshape tokens (B, n, values of their cells) to (B, channels, slices, rows, columns)."""
        depth, rows, columns = self.volume_shape
        cells = tokens.unflatten(1, (self.side, self.side))
        cells = cells.unflatten(3, (rows // self.side, columns // self.side, depth, -1))
        return cells.permute(0, 6, 5, 1, 3, 2, 4).flatten(5).flatten(3, 4)

    def _resampled(self, rotation: Tensor, source: SourceTokens) -> Tensor:
        """Source volume resampled on each target camera's grid, one vector per token:
        (B, K, n, channels)."""
        R_source_target = source.rotation[:, None].transpose(-1, -2) @ rotation
        cells = cell_centres(self.volume_shape, rotation)
        points = reproject(cells, R_source_target, self.model_camera)
        cells = sample_volume(source.volume, points.flatten(1, 2))
        cells = cells.unflatten(1, (-1, *self.volume_shape))
        cells = cells.unflatten(4, (self.side, -1)).unflatten(3, (self.side, -1))
        return self.volume_to_tokens(cells.permute(0, 1, 3, 5, 4, 6, 2, 7).flatten(4).flatten(2, 3))

    def _condition(
        self, rotation: Tensor, source_rotation: Tensor, heading_known: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return embeddings of where the tokens look, and of that plus the camera:
        (..., n, channels) each."""
        cameras = rotation, source_rotation, heading_known
        points = self.points(fourier_features(token_points(*cameras, self.side)))
        numbers, known = camera_features(*cameras).split([CAMERA_FEATURES - 1, 1], dim=-1)
        camera = self.camera(torch.cat([fourier_features(numbers), known], dim=-1))
        return points, points + camera[..., None, :]
