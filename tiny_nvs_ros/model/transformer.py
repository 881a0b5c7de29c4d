"""The flow transformer: tokens of a target view's latent, and of the source view.

The source's tokens know neither the target nor the time, so that they are computed once for all
targets. What they have found out fills a volume, into which each target camera looks: what a turn
of the camera does to a picture is geometry, and need not be learnt (a transformable bottleneck:
Olszewski et al. 2019). The target's tokens attend to the source's, and give the mean latent, before
they are shown any noise: that is computed once for all samples and steps. Only the last blocks
are about the noise, and what it adds to the mean (as Mardani et al. 2023).
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tiny_nvs_ros import geometry
from tiny_nvs_ros.model.layers import timestep_embedding

CAMERA = 10  # numbers that tell of a camera
SPREAD = 0.5  # of a latent whose source and cameras are known, about; all have 1
FREQUENCIES = (1.0, 2.0, 4.0)  # of Fourier features, in half turns a unit
POINTS = 3  # of a token, on its line of sight
DEPTH = 0.5  # between them, where 1 is half of the picture's width
VOLUME = (8, 8, 8)  # cells of a camera's view: in depth, downwards, and to the right


def camera_numbers(rotation: Tensor, source_rotation: Tensor, heading_known: Tensor) -> Tensor:
    """What the network is told of an upright camera that looks at the object's centre.

    rotation: (..., 3, 3) R_object_camera; source_rotation: the source camera's; heading_known:
    (...) bool; all broadcast. Returns (..., CAMERA): the direction from the object to the camera,
    cosine and sine of its azimuth (which the direction lacks at the poles) and of its azimuth from
    the source's, the source's elevation likewise, and whether the heading is known. Where it is
    not, azimuths count from the source's, and turning the object about z changes nothing.
    """
    rotation, source_rotation = torch.broadcast_tensors(rotation, source_rotation)

    def elevation(r: Tensor, cosine: Tensor, sine: Tensor) -> tuple[Tensor, Tensor]:
        return -(r[..., 0, 2] * cosine + r[..., 1, 2] * sine), -r[..., 2, 2]

    cosine, sine = _azimuth(rotation)
    source_cosine, source_sine = _azimuth(source_rotation)
    ring, height = elevation(rotation, cosine, sine)
    source_ring, source_height = elevation(source_rotation, source_cosine, source_sine)
    from_source = (
        cosine * source_cosine + sine * source_sine,
        sine * source_cosine - cosine * source_sine,
    )
    known = heading_known.expand(cosine.shape)
    cosine = torch.where(known, cosine, from_source[0])
    sine = torch.where(known, sine, from_source[1])
    numbers = [ring * cosine, ring * sine, height, cosine, sine, *from_source]
    return torch.stack([*numbers, source_ring, source_height, known.to(ring)], dim=-1)


def token_points(
    rotation: Tensor, source_rotation: Tensor, heading_known: Tensor, side: int
) -> Tensor:
    """Where the tokens of an upright camera look: of each, some points along its line of sight.

    Arguments as of camera_numbers. Returns (..., side^2, 3 POINTS): the points' coordinates in
    the object's frame, or where the heading is not known in one that is turned about z to the
    source's azimuth. Half of the picture's width is 1, and the lines of sight are parallel.
    """
    rotation, source_rotation = torch.broadcast_tensors(rotation, source_rotation)
    cosine, sine = _azimuth(source_rotation)
    cosine = torch.where(heading_known, 1.0, cosine)
    sine = torch.where(heading_known, 0.0, sine)
    x, y, z = rotation.unbind(dim=-2)
    cosine, sine = cosine[..., None], sine[..., None]
    frame = torch.stack([cosine * x + sine * y, cosine * y - sine * x, z], dim=-2)
    ticks = _centres(side, frame)
    depths = DEPTH * (torch.arange(POINTS, device=frame.device) - (POINTS - 1) / 2)
    v, u, w = torch.meshgrid(ticks, ticks, depths, indexing="ij")
    points = torch.stack([u, v, w], dim=-1).flatten(0, 2)
    return (points @ frame.transpose(-1, -2)).unflatten(-2, (side**2, -1)).flatten(-2)


def view_cells(like: Tensor) -> Tensor:
    """The centres of the cells of a camera's view, (prod(VOLUME), 3), on the device of `like`.

    Numbers of each go from -1 to 1: to the right and down across the picture, and away from the
    camera through the object, from its RADIUS before its centre to as far behind.
    """
    w, v, u = torch.meshgrid(*(_centres(n, like) for n in VOLUME), indexing="ij")
    return torch.stack([u, v, w], dim=-1).flatten(0, 2)


def _centres(n: int, like: Tensor) -> Tensor:
    """Of n even parts of -1 to 1. Made on the device: nothing may come from the host in a graph."""
    return (2 * torch.arange(n, device=like.device) + 1) / n - 1


def reprojected(points: Tensor, rotation: Tensor) -> Tensor:
    """Where another camera sees points of a camera's view; both look at the object's centre.

    points: (n, 3), numbers as of view_cells; rotation: (..., 3, 3) R_other_camera. Returns
    (..., n, 3), numbers likewise.
    """
    focal = 2 * geometry.FOCAL  # in halves of the picture's width
    u, v, w = points.unbind(dim=-1)
    w = geometry.RADIUS * w
    across = (geometry.DISTANCE + w) / focal
    about_centre = torch.stack([u * across, v * across, w], dim=-1)
    x, y, w = (about_centre @ rotation.transpose(-1, -2)).unbind(dim=-1)
    across = (geometry.DISTANCE + w) / focal
    return torch.stack([x / across, y / across, w / geometry.RADIUS], dim=-1)


def sampled(volume: Tensor, points: Tensor) -> Tensor:
    """What is at points among the cells of volumes, by trilinear interpolation; 0 outside.

    volume: (B, channels, *VOLUME); points: (B, n, 3), numbers as of view_cells. Returns
    (B, n, channels).
    """
    grid = points[:, :, None, None]
    return F.grid_sample(volume, grid, align_corners=False).flatten(2).transpose(1, 2)


def _azimuth(rotation: Tensor) -> tuple[Tensor, Tensor]:
    """Its cosine and sine: the camera's x axis is (-sine, cosine, 0)."""
    return rotation[..., 1, 0], -rotation[..., 0, 0]


class Source(NamedTuple):
    """The source view as target views see it.

    keys, values: of each block, (B, heads, n, channels / heads); rotation: (B, 3, 3)
    R_object_source; heading_known: (B,) bool; volume: (B, channels, *VOLUME), what is in each cell
    of its view, or None.
    """

    keys: list[Tensor]
    values: list[Tensor]
    rotation: Tensor
    heading_known: Tensor
    volume: Tensor | None


class Target(NamedTuple):
    """Target views before any noise, (B, ...).

    mean: (B, C, side, side), the latent to expect; tokens, condition: of its places, (B, n,
    channels).
    """

    mean: Tensor
    tokens: Tensor
    condition: Tensor


class Moment(NamedTuple):
    """What times and intervals are to the network: (..., channels), and (...) of the others.

    clean: the share of the latent in what is there at that time; still: what still() gives.
    """

    embedding: Tensor
    clean: Tensor
    still: Tensor


def still(t: Tensor, interval: Tensor) -> Tensor:
    """By what to multiply x for the exact velocity there if the data were N(0, SPREAD^2).

    (...) like t; over an interval > 0 for the exact mean velocity. x counts from the mean latent.
    The network learns only what this leaves, so that the noise need not pass through it (as by the
    skip of Karras et al. 2022).
    """

    def width(t: Tensor) -> Tensor:
        return (t**2 + (SPREAD * (1 - t)) ** 2).sqrt()

    now = (t - SPREAD**2 * (1 - t)) / width(t) ** 2
    mean = (1 - width(t - interval) / width(t)) / interval.clamp(min=1e-6)
    return torch.where(interval > 0, mean, now)


class Block(nn.Module):
    """Attention and feed-forward with scale, shift and gate from each token's condition (DiT).

    One network makes these six for all blocks; a block adds its own offsets (PixArt).
    """

    def __init__(self, channels: int, heads: int, expansion: int):
        super().__init__()
        self.heads = heads
        self.offsets = nn.Parameter(torch.tensor([0.0, 1, 0, 0, 1, 0]).repeat_interleave(channels))
        self.norm = nn.LayerNorm(channels, elementwise_affine=False)
        # Three matrices, since Muon makes each as a whole orthogonal.
        self.query, self.key, self.value = (nn.Linear(channels, channels) for _ in range(3))
        # Without these attention grows ever sharper, and training fails (Dehghani et al. 2023).
        self.query_norm = nn.LayerNorm(channels // heads)
        self.key_norm = nn.LayerNorm(channels // heads)
        self.out = nn.Linear(channels, channels)
        self.inner = nn.Linear(channels, expansion * channels)
        self.outer = nn.Linear(expansion * channels, channels)

    def forward(
        self,
        x: Tensor,
        modulation: Tensor,
        besides: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x (..., n, C) onwards, and its keys and values (B, heads, n, C / heads), B in all.

        modulation: (..., n, 6 C). besides: keys and values to attend to beside x's own.
        """
        modulation = modulation + self.offsets
        shift1, scale1, gate1, shift2, scale2, gate2 = modulation.chunk(6, dim=-1)
        h = self.norm(x) * scale1 + shift1
        layers = self.query, self.key, self.value
        weight, bias = (torch.cat([getattr(m, p) for m in layers]) for p in ("weight", "bias"))
        h = F.linear(h, weight, bias).unflatten(-1, (3, self.heads, -1))
        q, k, v = h.flatten(0, -5).transpose(1, 3).unbind(dim=2)
        q, k = self.query_norm(q), self.key_norm(k)
        keys, values = k, v
        if besides is not None:
            keys, values = (torch.cat(pair, dim=2) for pair in zip(besides, (k, v), strict=True))
        h = F.scaled_dot_product_attention(q, keys, values)
        x = x + gate1 * self.out(h.transpose(1, 2).reshape(x.shape))
        h = self.inner(self.norm(x) * scale2 + shift2)
        return x + gate2 * self.outer(F.silu(h)), k, v


class FlowTransformer(nn.Module):
    """The velocity of a target view's latent, given the source view and both cameras.

    latent_channels, side: of the latent map; source_channels: of the source's feature map, which
    has the same side. depth, denoising_depth: blocks that do without the noise, and that see it.
    volume_channels: of the cells of the source's volume, 0 for no volume.
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
    ):
        super().__init__()
        self.time_channels, self.side = time_channels, side
        self.volume_channels = volume_channels
        self.latent_in = nn.Linear(latent_channels, channels)
        self.source_in = nn.Sequential(
            nn.LayerNorm(source_channels), nn.Linear(source_channels, channels)
        )
        self.place = nn.Parameter(0.02 * torch.randn(side**2, channels))
        self.source_place = nn.Parameter(0.02 * torch.randn(side**2, channels))
        waves = 1 + 2 * len(FREQUENCIES)
        self.camera = _perceptron((CAMERA - 1) * waves + 1, channels)
        self.points = _perceptron(3 * POINTS * waves, channels)
        if volume_channels:
            cells = volume_channels * math.prod(VOLUME) // side**2  # of a token, all their channels
            self.lift = nn.Linear(channels, cells)
            self.land = nn.Linear(cells, channels)
        self.time = _perceptron(2 * time_channels, channels)
        # In place of the time, for tokens that have none: of the source, and of targets' means.
        self.timeless = nn.Parameter(0.02 * torch.randn(2, channels))
        self.modulation = nn.Linear(channels, 6 * channels)
        self.blocks, self.denoising_blocks = (
            nn.ModuleList(Block(channels, heads, expansion) for _ in range(count))
            for count in (depth, denoising_depth)
        )
        self.out_offsets = nn.Parameter(torch.tensor([0.0, 1]).repeat_interleave(channels))
        self.norm = nn.LayerNorm(channels, elementwise_affine=False)
        self.mean_out = nn.Linear(channels, latent_channels)
        self.out = nn.Linear(channels, latent_channels)
        # At first a block changes nothing, the velocity is that of `still`, and the interval has no
        # influence on the rest.
        for layer in (self.modulation, self.mean_out, self.out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.time[0].weight[:, time_channels:] = 0

    def source(self, features: Tensor, rotation: Tensor, heading_known: Tensor) -> Source:
        """The source view, ready for any targets.

        features: (B, source_channels, side, side); rotation: (B, 3, 3) R_object_source;
        heading_known: (B,) bool.
        """
        points, condition = self._condition(rotation, rotation, heading_known)
        h = self.source_in(features.flatten(2).transpose(1, 2)) + self.source_place + points
        modulation = self.modulation(F.silu(condition + self.timeless[0]))
        keys, values = [], []
        for block in self.blocks:
            h, k, v = block(h, modulation)
            keys.append(k)
            values.append(v)
        volume = self._volume(self.lift(self.norm(h))) if self.volume_channels else None
        return Source(keys, values, rotation, heading_known, volume)

    def target(self, rotation: Tensor, source: Source) -> Target:
        """K target views for each of B sources, as B K; rotation: (B, K, 3, 3) R_object_target."""
        cameras = rotation, source.rotation[:, None], source.heading_known[:, None]
        known, condition = self._condition(*cameras)
        if source.volume is not None:
            known = known + self._seen(rotation, source)

        def for_each(tokens: Tensor) -> Tensor:
            return tokens[:, None].expand(-1, rotation.shape[1], -1, -1, -1).flatten(0, 1)

        h, condition = (known + self.place).flatten(0, 1), condition.flatten(0, 1)
        modulation = self.modulation(F.silu(condition + self.timeless[1]))
        for block, *besides in zip(self.blocks, source.keys, source.values, strict=True):
            h, _, _ = block(h, modulation, [for_each(tokens) for tokens in besides])
        return Target(self._latent(self.mean_out(self.norm(h))), h, condition)

    def forward(self, x: Tensor, t: Tensor, interval: Tensor, target: Target) -> Tensor:
        """Velocity (B, ..., C, side, side) of latents x of that shape, of as many targets.

        t: (B, ...) in [0, 1], 1 is noise. interval: (B, ...), how far back the velocity is
        averaged, 0 for that of the moment.
        """
        moment = self.moment(t.flatten(), interval.flatten())
        return self.velocity(x.flatten(0, -4)[:, None], moment, target).view_as(x)

    def velocity(self, x: Tensor, moment: Moment, target: Target) -> Tensor:
        """Of latents x (B, S, C, side, side), S of each target, like x; at B moments or one."""
        h = target.tokens[:, None] + self.latent_in(x.flatten(3).transpose(2, 3))
        modulation = self.modulation(F.silu(target.condition + moment.embedding[:, None]))[:, None]
        for block in self.denoising_blocks:
            h, _, _ = block(h, modulation)
        modulation = modulation[..., : len(self.out_offsets)] + self.out_offsets
        shift, scale = modulation.chunk(2, dim=-1)
        h = self._latent(self.out(self.norm(h) * scale + shift))
        clean, still = (n[:, None, None, None, None] for n in (moment.clean, moment.still))
        mean = target.mean[:, None]
        return still * (x - clean * mean) - mean + h

    def _latent(self, tokens: Tensor) -> Tensor:
        """(..., n, C) to (..., C, side, side)."""
        return tokens.transpose(-1, -2).unflatten(-1, (self.side, self.side))

    def moment(self, t: Tensor, interval: Tensor) -> Moment:
        """Of times and intervals (...)."""
        now, since = (timestep_embedding(1000 * x, self.time_channels) for x in (t, interval))
        half = self.time_channels // 2
        since = torch.cat([1 - since[..., :half], since[..., half:]], dim=-1)  # 0 at no interval
        return Moment(self.time(torch.cat([now, since], dim=-1)), 1 - t, still(t, interval))

    def _volume(self, tokens: Tensor) -> Tensor:
        """Tokens that tell of the cells behind them (B, n, ...), as (B, channels, *VOLUME)."""
        depth, rows, columns = VOLUME
        cells = tokens.unflatten(1, (self.side, self.side))
        cells = cells.unflatten(3, (rows // self.side, columns // self.side, depth, -1))
        return cells.permute(0, 6, 5, 1, 3, 2, 4).flatten(5).flatten(3, 4)

    def _seen(self, rotation: Tensor, source: Source) -> Tensor:
        """Of target cameras' tokens: what is in their cells by the source, (B, K, n, channels)."""
        R_source_target = source.rotation[:, None].transpose(-1, -2) @ rotation
        points = reprojected(view_cells(rotation), R_source_target)
        cells = sampled(source.volume, points.flatten(1, 2)).unflatten(1, (-1, *VOLUME))
        cells = cells.unflatten(4, (self.side, -1)).unflatten(3, (self.side, -1))
        return self.land(cells.permute(0, 1, 3, 5, 4, 6, 2, 7).flatten(4).flatten(2, 3))

    def _condition(
        self, rotation: Tensor, source_rotation: Tensor, heading_known: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Of a camera's tokens: where they look, and that with the camera; (..., n, channels)."""
        cameras = rotation, source_rotation, heading_known
        points = self.points(fourier_features(token_points(*cameras, self.side)))
        numbers, known = camera_numbers(*cameras).split([CAMERA - 1, 1], dim=-1)
        camera = self.camera(torch.cat([fourier_features(numbers), known], dim=-1))
        return points, points + camera[..., None, :]


def fourier_features(numbers: Tensor) -> Tensor:
    """The numbers (..., n), sines and cosines of them: (..., n (1 + 2 FREQUENCIES))."""
    angles = torch.stack([numbers * (torch.pi * f) for f in FREQUENCIES], dim=-1).flatten(-2)
    return torch.cat([numbers, angles.sin(), angles.cos()], dim=-1)


def _perceptron(inputs: int, channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, channels), nn.SiLU(), nn.Linear(channels, channels))
