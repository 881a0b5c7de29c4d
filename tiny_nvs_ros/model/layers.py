"""Layers shared by the networks. Maps are (B, C, H, W); tokens are (B, N, C)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 8
FREQUENCIES = (1.0, 2.0, 4.0)  # of Fourier features, in half turns per unit


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


class ConvBlock(nn.Module):
    """GroupNorm, 3x3 convolution, SiLU and 1x1 convolution around a residual."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = norm(channels)
        self.inner = nn.Conv2d(channels, channels, 3, padding=1)
        self.outer = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.outer(F.silu(self.inner(self.norm(x))))


class ModulatedBlock(nn.Module):
    """Attention and feed-forward with scale, shift and gate from each token's condition (DiT).

    One linear layer makes these six for all blocks; a block adds its own offsets (PixArt).
    """

    def __init__(self, channels: int, heads: int, expansion: int):
        super().__init__()
        self.heads = heads
        self.offsets = nn.Parameter(torch.tensor([0.0, 1, 0, 0, 1, 0]).repeat_interleave(channels))
        self.norm = nn.LayerNorm(channels, elementwise_affine=False)
        # Three matrices, because the optimiser Muon orthogonalises each as a whole.
        self.query, self.key, self.value = (nn.Linear(channels, channels) for _ in range(3))
        # Without these, attention grows ever sharper and training fails (Dehghani et al. 2023).
        self.query_norm = nn.LayerNorm(channels // heads)
        self.key_norm = nn.LayerNorm(channels // heads)
        self.out = nn.Linear(channels, channels)
        self.inner = nn.Linear(channels, expansion * channels)
        self.outer = nn.Linear(expansion * channels, channels)

    def forward(
        self,
        x: Tensor,
        modulation: Tensor,
        context_kv: tuple[Tensor, Tensor] | None = None,
        mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return x (..., n, C) after the block, and its keys and values (B, heads, n, C / heads).

        B: product of the leading dimensions. modulation: (..., n, 6 C). context_kv: keys and values
        to attend to before x's own. mask: added to the attention logits, broadcast to (B, heads, n,
        all keys).
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
        if context_kv is not None:
            keys, values = (torch.cat(pair, dim=2) for pair in zip(context_kv, (k, v), strict=True))
        h = F.scaled_dot_product_attention(q, keys, values, mask)
        x = x + gate1 * self.out(h.transpose(1, 2).reshape(x.shape))
        h = self.inner(self.norm(x) * scale2 + shift2)
        return x + gate2 * self.outer(F.silu(h)), k, v


def mlp(inputs: int, channels: int) -> nn.Sequential:
    """Return two linear layers with a SiLU between them."""
    return nn.Sequential(nn.Linear(inputs, channels), nn.SiLU(), nn.Linear(channels, channels))


def centres(n: int, like: Tensor) -> Tensor:
    """Return the centres of n equal parts of -1 to 1.

    Made on the device of `like`: nothing may come from the host in a CUDA graph.
    """
    return (2 * torch.arange(n, device=like.device) + 1) / n - 1


def fourier_features(numbers: Tensor) -> Tensor:
    """Return the numbers (..., n) with sines and cosines: (..., n (1 + 2 len(FREQUENCIES)))."""
    angles = torch.stack([numbers * (torch.pi * f) for f in FREQUENCIES], dim=-1).flatten(-2)
    return torch.cat([numbers, angles.sin(), angles.cos()], dim=-1)
