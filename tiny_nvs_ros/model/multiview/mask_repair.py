"""Correct the mask of a source by what its image shows around it.

Where a mask is right, colours change at its edge. The network is given the colours of what is
surely object and surely background near each pixel, and where between them its own colour is, as in
matting (Smith and Blinn 1996); it learns how far to trust that.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tiny_nvs_ros.model.layers import ConvBlock, norm
from tiny_nvs_ros.model.multiview import SURROUNDINGS

# Red, green, blue on white, alpha, and the same colours of what is around it; each -1 to 1.
SOURCE_CHANNELS = 7
CUE_CHANNELS = 10
SURE = 2  # pixels from the mask's edge at which it is right
WHITE = 0.99  # from -1 to 1: of 1, rounding makes a little less
DOUBT = 0.02  # of the given alpha, where it is 0 or 1
KEEP = 0.1  # changes of alpha that are doubt rather than a fault of the mask; whole from twice that
GAIN = 4.0  # of the network's output, so that its small numbers can turn alpha over


class MaskRepair(nn.Module):
    """A small network that adds to the logit of alpha; its layers have half of the resolution.

    channels: of the convolutions.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.network = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * CUE_CHANNELS, channels, 3, padding=1),
            ConvBlock(channels),
            ConvBlock(channels),
            Overview(channels),
            ConvBlock(channels),
            Overview(channels),
            ConvBlock(channels),
            norm(channels),
            nn.SiLU(),
            nn.Conv2d(channels, 4, 3, padding=1),
            nn.PixelShuffle(2),
        )
        nn.init.normal_(self.network[-2].weight, std=1e-3)
        nn.init.zeros_(self.network[-2].bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return (M, 4, h, w) RGB on white and alpha, -1 to 1, of (M, 7, h, w).

        Where nothing is known of the surroundings, images stay as they are.
        """
        logits, where = self.logits(images)
        given = (images[:, 3:4] + 1) / 2
        change = torch.sigmoid(logits) * where - given
        alpha = given + change * ((change.abs() - KEEP) / KEEP).clamp(0, 1)
        color = 1 - alpha + alpha * scene_of(images)
        repaired = 2 * torch.cat([color, alpha], dim=1) - 1
        return torch.where(_known(images), repaired, images[:, :4])

    def logits(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of alpha, (M, 1, h, w), and 1 where they count, else 0: near the mask,
        if the surroundings are known."""
        alpha = (images[:, 3:4] + 1) / 2
        residual = GAIN * self.network(cues(scene_of(images), alpha)).float()
        near = greatest((alpha > 0).float(), SURROUNDINGS)
        return torch.logit(alpha.float(), DOUBT) + residual, near * _known(images)


class Overview(nn.Module):
    """Add to each pixel what the whole image shows: masks are often wrong alike all around."""

    def __init__(self, channels: int):
        super().__init__()
        self.mix = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        whole = [x.mean(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)]
        return x + self.mix(F.silu(torch.cat(whole, dim=1)))


def scene_of(images: Tensor) -> Tensor:
    """Return what the image shows, (M, 3, h, w), 0 to 1, of (M, 7, h, w); white far around."""
    return (images[:, :3] + images[:, 4:]) / 2


def cues(scene: Tensor, alpha: Tensor) -> Tensor:
    """Return what the network is given, (M, 10, h, w).

    The scene, alpha, where a pixel's colour lies between those of the background and the object,
    its distances from both, theirs from each other, and what is surely background and object.
    scene: (M, 3, h, w), alpha: (M, 1, h, w), 0 to 1.
    """
    near = greatest((alpha > 0).to(alpha), SURROUNDINGS)
    outside, inside = near * (1 - greatest(alpha, SURE)), 1 - greatest(1 - alpha, SURE)
    background, object_ = (local_mean(scene, where) for where in (outside, inside))
    span = object_ - background
    square = span.square().sum(dim=1, keepdim=True)
    share = ((scene - background) * span).sum(dim=1, keepdim=True) / (square + 0.01)
    distances = [
        (each.square().sum(dim=1, keepdim=True) + 1e-6).sqrt()
        for each in (scene - background, scene - object_, span)
    ]
    share = 2 * share.clamp(-1, 2) - 1
    return torch.cat([2 * scene - 1, 2 * alpha - 1, share, *distances, outside, inside], dim=1)


def local_mean(images: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean around each pixel; where no weight is near, of the whole image.

    images: (M, 3, h, w); weights: (M, 1, h, w), at least 0.
    """
    whole = weights.mean(dim=(2, 3), keepdim=True) + 1e-6
    color = (images * weights).mean(dim=(2, 3), keepdim=True) / whole
    near, weight = (smooth(x, SURROUNDINGS) for x in (images * weights, weights))
    return (near + 1e-3 * color) / (weight + 1e-3)


def greatest(images: Tensor, reach: int) -> Tensor:
    """Return the greatest value in a square around each pixel."""
    return F.max_pool2d(images, 2 * reach + 1, 1, reach)


def smooth(images: Tensor, reach: int) -> Tensor:
    """Return the mean of a square around each pixel, as far as it is in the image."""
    pixels = torch.arange(images.shape[-1], device=images.device)
    near = ((pixels[:, None] - pixels).abs() <= reach).to(images)
    # As matrices, because pooling takes several times as long on a CPU.
    mean = near / near.sum(dim=1, keepdim=True)
    return mean @ images @ mean.T


def _known(images: Tensor) -> Tensor:
    """Return whether the surroundings are more than white, (M, 1, 1, 1)."""
    return images[:, 4:].amin(dim=(1, 2, 3), keepdim=True) < WHITE
