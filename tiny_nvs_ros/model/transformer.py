"""The flow transformer: tokens of a target view's latent that attend to those of the source view.

The source's tokens know neither the target nor the time, so that their keys and values are
computed once for all targets, samples and steps. Both go through the same blocks.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tiny_nvs_ros.model.layers import timestep_embedding

CAMERA = 10  # numbers that tell of a camera
SPREAD = 0.5  # of a latent whose source and cameras are known, about; all have 1
FREQUENCIES = (1.0, 2.0, 4.0)  # of their Fourier features, in half turns a unit


def camera_numbers(rotation: Tensor, source_rotation: Tensor, heading_known: Tensor) -> Tensor:
    """What the network is told of an upright camera that looks at the object's centre.

    rotation: (..., 3, 3) R_object_camera; source_rotation: the source camera's; heading_known:
    (...) bool; all broadcast. Returns (..., CAMERA): the direction from the object to the camera,
    cosine and sine of its azimuth (which the direction lacks at the poles) and of its azimuth from
    the source's, the source's elevation likewise, and whether the heading is known. Where it is
    not, azimuths count from the source's, and turning the object about z changes nothing.
    """
    rotation, source_rotation = torch.broadcast_tensors(rotation, source_rotation)

    def azimuth(r: Tensor) -> tuple[Tensor, Tensor]:
        return r[..., 1, 0], -r[..., 0, 0]  # the camera's x axis is (-sin, cos, 0)

    def elevation(r: Tensor, cosine: Tensor, sine: Tensor) -> tuple[Tensor, Tensor]:
        return -(r[..., 0, 2] * cosine + r[..., 1, 2] * sine), -r[..., 2, 2]

    cosine, sine = azimuth(rotation)
    source_cosine, source_sine = azimuth(source_rotation)
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


class Source(NamedTuple):
    """The source view as the blocks see it.

    keys, values: of each block, (B, heads, n, channels / heads); rotation: (B, 3, 3)
    R_object_source; heading_known: (B,) bool.
    """

    keys: list[Tensor]
    values: list[Tensor]
    rotation: Tensor
    heading_known: Tensor


class Target(NamedTuple):
    """What target cameras make of a source, whatever the time: K cameras for each of B sources.

    camera: (B K, channels); keys, values: of each block, (B K, heads, n, channels / heads).
    """

    camera: Tensor
    keys: list[Tensor]
    values: list[Tensor]

    def repeated(self, samples: int) -> "Target":
        """For so many samples of each, one after the other."""

        def repeat(each: Tensor) -> Tensor:  # ONNX Runtime has its troubles with repeat_interleave
            return each[:, None].expand(-1, samples, *each.shape[1:]).flatten(0, 1)

        return Target(
            repeat(self.camera), [repeat(k) for k in self.keys], [repeat(v) for v in self.values]
        )


class Moment(NamedTuple):
    """What times and intervals are to the network: (..., channels), and (...) of `still`."""

    embedding: Tensor
    still: Tensor


def still(t: Tensor, interval: Tensor) -> Tensor:
    """The velocity of a flow to N(0, SPREAD^2), as a multiple of where it is: (...) like t.

    The network adds to it what makes the view another one than an empty latent; the noise need not
    go through it (as the skip of Karras et al. 2022).
    """

    def width(t: Tensor) -> Tensor:
        return (t**2 + (SPREAD * (1 - t)) ** 2).sqrt()

    now = (t - SPREAD**2 * (1 - t)) / width(t) ** 2
    mean = (1 - width(t - interval) / width(t)) / interval.clamp(min=1e-6)
    return torch.where(interval > 0, mean, now)


class Block(nn.Module):
    """Attention and feed-forward with scale, shift and gate from the condition (DiT).

    One network makes these six for all blocks; a block adds its own offsets (PixArt).
    """

    def __init__(self, channels: int, heads: int, expansion: int):
        super().__init__()
        self.heads = heads
        self.vectors = channels // heads // 4  # of a head, which turn with the camera
        self.offsets = nn.Parameter(torch.zeros(6, channels))
        self.norm = nn.LayerNorm(channels, elementwise_affine=False)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.inner = nn.Linear(channels, expansion * channels)
        self.outer = nn.Linear(expansion * channels, channels)

    def forward(
        self,
        x: Tensor,
        modulation: Tensor,
        besides: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x (B, n, C) onwards, and its keys and values (B, heads, n, C / heads).

        modulation: (B, 6, C). besides: keys and values to attend to beside x's own.
        """
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation + self.offsets)[
            :, :, None
        ].unbind(dim=1)  # (B, 1, C) each
        h = self.qkv(self.norm(x) * (1 + scale1) + shift1)
        q, k, v = h.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        keys, values = k, v
        if besides is not None:
            keys, values = (torch.cat(pair, dim=2) for pair in zip(besides, (k, v), strict=True))
        h = F.scaled_dot_product_attention(q, keys, values)
        x = x + gate1 * self.out(h.transpose(1, 2).flatten(2))
        h = self.inner(self.norm(x) * (1 + scale2) + shift2)
        return x + gate2 * self.outer(F.silu(h)), k, v

    def turned(self, tokens: Tensor, turn: Tensor) -> Tensor:
        """The source's tokens as each target camera sees them: (B K, heads, m, C / heads).

        tokens: (B, heads, m, C / heads); turn: (B, K, 3, 3) R_target_source. The first three
        quarters of a head are 3-vectors in the camera's frame, the rest scalars (as in the
        geometric transform attention of Miyato et al. 2024).
        """
        B, K = turn.shape[:2]
        vectors, scalars = tokens.split([3 * self.vectors, tokens.shape[-1] - 3 * self.vectors], -1)
        turns = turn.permute(0, 3, 1, 2).flatten(2)  # (B, 3, 3 K): one product for all targets
        turned = (vectors.reshape(B, -1, 3) @ turns).view(*vectors.shape[:3], -1, K, 3)
        turned = turned.permute(0, 4, 1, 2, 3, 5).flatten(4)  # (B, K, heads, m, vectors 3)
        scalars = scalars[:, None].expand(B, K, *scalars.shape[1:])
        return torch.cat([turned, scalars], dim=-1).flatten(0, 1)


class FlowTransformer(nn.Module):
    """The velocity of a target view's latent, given the source view and both cameras.

    latent_channels, side: of the latent map; source_channels: of the source's feature map, which
    has the same side.
    """

    def __init__(
        self,
        latent_channels: int = 16,
        side: int = 4,
        source_channels: int = 128,
        channels: int = 128,
        depth: int = 6,
        heads: int = 4,
        expansion: int = 3,
        time_channels: int = 64,
    ):
        super().__init__()
        self.time_channels = time_channels
        self.latent_in = nn.Linear(latent_channels, channels)
        self.source_in = nn.Sequential(
            nn.LayerNorm(source_channels), nn.Linear(source_channels, channels)
        )
        self.place = nn.Parameter(0.02 * torch.randn(side**2, channels))
        self.source_place = nn.Parameter(0.02 * torch.randn(side**2, channels))
        self.camera = _perceptron((CAMERA - 1) * (1 + 2 * len(FREQUENCIES)) + 1, channels)
        self.time = _perceptron(2 * time_channels, channels)
        self.clean = nn.Parameter(0.02 * torch.randn(channels))  # the source's, in place of time
        self.modulation = nn.Linear(channels, 6 * channels)
        self.blocks = nn.ModuleList(Block(channels, heads, expansion) for _ in range(depth))
        self.out_offsets = nn.Parameter(torch.zeros(2, channels))
        self.norm = nn.LayerNorm(channels, elementwise_affine=False)
        self.out = nn.Linear(channels, latent_channels)
        # Blocks begin as nothing, and the velocity as `still`; what the interval adds as nothing.
        for layer in (self.modulation, self.out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.time[0].weight[:, time_channels:] = 0

    def source(self, features: Tensor, rotation: Tensor, heading_known: Tensor) -> Source:
        """The source view, ready for any targets.

        features: (B, source_channels, side, side); rotation: (B, 3, 3) R_object_source;
        heading_known: (B,) bool.
        """
        h = self.source_in(features.flatten(2).transpose(1, 2)) + self.source_place
        camera = self._camera(rotation, rotation, heading_known)
        modulation = self._modulation(camera + self.clean)
        keys, values = [], []
        for block in self.blocks:
            h, k, v = block(h, modulation)
            keys.append(k)
            values.append(v)
        return Source(keys, values, rotation, heading_known)

    def forward(
        self, x: Tensor, t: Tensor, interval: Tensor, rotation: Tensor, source: Source
    ) -> Tensor:
        """Velocity (B, K, C, side, side) of K latents x of that shape for each of B sources.

        t: (B, K) in [0, 1], 1 is noise. interval: (B, K), how far back the velocity is averaged, 0
        for that of the moment. rotation: (B, K, 3, 3) R_object_target.
        """
        moment = self.moment(t.flatten(), interval.flatten())
        return self.velocity(x.flatten(0, 1), moment, self.target(rotation, source)).view_as(x)

    def target(self, rotation: Tensor, source: Source) -> Target:
        """Target cameras, ready for any time; rotation: (B, K, 3, 3) R_object_target."""
        camera = self._camera(rotation, source.rotation[:, None], source.heading_known[:, None])
        turn = rotation.transpose(-1, -2) @ source.rotation[:, None]
        keys, values = (
            [block.turned(each, turn) for block, each in zip(self.blocks, tokens, strict=True)]
            for tokens in (source.keys, source.values)
        )
        return Target(camera.flatten(0, 1), keys, values)

    def velocity(self, x: Tensor, moment: Moment, target: Target) -> Tensor:
        """Of latents x (B, C, side, side), like x, at B moments or one."""
        h = self.latent_in(x.flatten(2).transpose(1, 2)) + self.place
        modulation = self._modulation(target.camera + moment.embedding)
        for block, *besides in zip(self.blocks, target.keys, target.values, strict=True):
            h, _, _ = block(h, modulation, besides)
        shift, scale = (modulation[:, :2] + self.out_offsets)[:, :, None].unbind(dim=1)
        h = self.out(self.norm(h) * (1 + scale) + shift)
        return moment.still[:, None, None, None] * x + h.transpose(1, 2).reshape(x.shape)

    def moment(self, t: Tensor, interval: Tensor) -> Moment:
        """Of times and intervals (...)."""
        now, since = (timestep_embedding(1000 * x, self.time_channels) for x in (t, interval))
        half = self.time_channels // 2
        since = torch.cat([1 - since[..., :half], since[..., half:]], dim=-1)  # 0 at no interval
        return Moment(self.time(torch.cat([now, since], dim=-1)), still(t, interval))

    def _camera(self, rotation: Tensor, source_rotation: Tensor, heading_known: Tensor) -> Tensor:
        numbers = camera_numbers(rotation, source_rotation, heading_known)
        angles = numbers[..., :-1, None] * torch.pi * numbers.new_tensor(FREQUENCIES)
        waves = torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(-2)
        return self.camera(torch.cat([numbers, waves], dim=-1))

    def _modulation(self, condition: Tensor) -> Tensor:
        return self.modulation(F.silu(condition)).unflatten(-1, (6, -1))


def _perceptron(inputs: int, channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, channels), nn.SiLU(), nn.Linear(channels, channels))
