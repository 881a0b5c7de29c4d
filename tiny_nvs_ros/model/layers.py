"""Layers shared by the networks. Maps are (B, C, H, W); tokens are (B, N, C)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 8


def norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(GROUPS, channels, eps=1e-6)


class ResnetBlock(nn.Module):
    """GroupNorm-SiLU-conv twice around a residual, with time as scale and shift (if any)."""

    def __init__(self, in_channels: int, out_channels: int, time_channels: int | None = None):
        super().__init__()
        self.norm1 = norm(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.time = nn.Linear(time_channels, 2 * out_channels) if time_channels else None
        self.norm2 = norm(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        same = in_channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.norm2(h)
        if self.time is not None:
            scale, shift = self.time(F.silu(time))[:, :, None, None].chunk(2, dim=1)
            h = h * (1 + scale) + shift
        return self.shortcut(x) + self.conv2(F.silu(h))


class AttentionBlock(nn.Module):
    """Self-attention over the places of a map, one head, 1x1 convolutions (LDM)."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = norm(channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, dim=-1)  # (B, HW, C)
        h = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(h.transpose(1, 2).unflatten(2, x.shape[2:]))


class Attention(nn.Module):
    """Multi-head attention of tokens to a context (to themselves without one)."""

    def __init__(self, channels: int, context_channels: int | None = None, heads: int = 4):
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(channels, channels, bias=False)
        self.k = nn.Linear(context_channels or channels, channels, bias=False)
        self.v = nn.Linear(context_channels or channels, channels, bias=False)
        self.out = nn.Linear(channels, channels)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        context = x if context is None else context
        q, k, v = (
            t.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, N, C / heads)
            for t in (self.q(x), self.k(context), self.v(context))
        )
        h = F.scaled_dot_product_attention(q, k, v)
        return self.out(h.transpose(1, 2).flatten(2))


class GEGLU(nn.Module):
    """Feed-forward with a gated GELU (Shazeer 2020)."""

    def __init__(self, channels: int, expansion: int = 4):
        super().__init__()
        self.inner = nn.Linear(channels, 2 * expansion * channels)
        self.outer = nn.Linear(expansion * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        h, gate = self.inner(x).chunk(2, dim=-1)
        return self.outer(h * F.gelu(gate))


class SpatialTransformer(nn.Module):
    """Self-attention, cross-attention to the context and feed-forward over a map's places (LDM)."""

    def __init__(self, channels: int, context_channels: int):
        super().__init__()
        self.norm = norm(channels)
        self.inner = nn.Linear(channels, channels)
        self.norm1 = nn.LayerNorm(channels)
        self.self_attention = Attention(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.cross_attention = Attention(channels, context_channels)
        self.norm3 = nn.LayerNorm(channels)
        self.feed_forward = GEGLU(channels)
        self.outer = nn.Linear(channels, channels)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        h = self.inner(self.norm(x).flatten(2).transpose(1, 2))  # (B, HW, C)
        h = h + self.self_attention(self.norm1(h))
        h = h + self.cross_attention(self.norm2(h), context)
        h = h + self.feed_forward(self.norm3(h))
        return x + self.outer(h).transpose(1, 2).unflatten(2, x.shape[2:])


class Downsample(nn.Conv2d):
    """Half the size by a strided 3x3 convolution."""

    def __init__(self, channels: int):
        super().__init__(channels, channels, 3, stride=2, padding=1)


class Upsample(nn.Module):
    """Twice the size: nearest neighbour, then a 3x3 convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def timestep_embedding(t: Tensor, channels: int) -> Tensor:
    """Sines and cosines of t (...) at geometric frequencies 1 to 1/10,000: (..., channels)."""
    half = channels // 2
    frequency = torch.exp(-math.log(10_000) / half * torch.arange(half, device=t.device))
    angle = t[..., None].float() * frequency
    return torch.cat([angle.cos(), angle.sin()], dim=-1)


class Posterior:
    """Diagonal Gaussian q(z | x): mean and log variance, (B, C, h, w) each."""

    def __init__(self, moments: Tensor):
        self.mean, log_variance = moments.chunk(2, dim=1)
        self.log_variance = log_variance.clamp(-30, 20)

    def sample(self, eps: Tensor) -> Tensor:
        """Return mean + eps * sigma; eps: of the mean's shape, from the unit Gaussian."""
        return self.mean + eps * (0.5 * self.log_variance).exp()

    def kl(self) -> Tensor:
        """Return the KL divergence from the unit Gaussian in nats, summed over an image: (B,)."""
        divergence = self.mean**2 + self.log_variance.exp() - 1 - self.log_variance
        return 0.5 * divergence.sum(dim=(1, 2, 3))
