"""Layers of the multi-view network. Maps are (B, C, H, W); tokens are (B, N, C)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 8


def norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(GROUPS, channels, eps=1e-6)


def mlp(inputs: int, channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, channels), nn.SiLU(), nn.Linear(channels, channels))


class ConvBlock(nn.Module):
    """GroupNorm, 3x3 convolution, SiLU and 1x1 convolution around a residual."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = norm(channels)
        self.inner = nn.Conv2d(channels, channels, 3, padding=1)
        self.outer = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.outer(F.silu(self.inner(self.norm(x))))


class Block(nn.Module):
    """Attention and feed-forward with scale, shift and gate from each token's condition (DiT).

    One linear layer makes these six for all blocks; a block adds its own offsets (PixArt).
    """

    def __init__(self, channels: int, heads: int, expansion: int):
        super().__init__()
        self.heads = heads
        offsets = torch.tensor([0.0, 1, 0, 0, 1, 0])  # at first a block changes nothing
        self.offsets = nn.Parameter(offsets.repeat_interleave(channels))
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
        """Return x (B, N, C) after the block, and its keys and values (B, heads, N, C / heads).

        modulation: (B, N, 6 C). context_kv: keys and values to attend to before x's own. mask:
        added to the attention logits, (B, heads, 1, all keys).
        """
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation + self.offsets).chunk(6, dim=-1)
        h = F.layer_norm(x, x.shape[-1:]) * scale1 + shift1
        layers = self.query, self.key, self.value
        weight, bias = (torch.cat([getattr(m, p) for m in layers]) for p in ("weight", "bias"))
        h = F.linear(h, weight, bias).unflatten(-1, (3, self.heads, -1))
        q, k, v = h.permute(2, 0, 3, 1, 4).unbind(dim=0)
        q, k = self.query_norm(q), self.key_norm(k)
        keys, values = k, v
        if context_kv is not None:
            keys, values = (torch.cat(pair, dim=2) for pair in zip(context_kv, (k, v), strict=True))
        logits = (q * q.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
        if mask is not None:
            logits = logits + mask
        h = torch.softmax(logits.float(), dim=-1).to(values.dtype) @ values
        x = x + gate1 * self.out(h.transpose(1, 2).flatten(2))
        h = self.inner(F.layer_norm(x, x.shape[-1:]) * scale2 + shift2)
        return x + gate2 * self.outer(F.silu(h)), k, v
