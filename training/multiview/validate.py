"""Measure the multi-view network on views that it never saw."""

import math

import torch
from torch import Tensor

from tiny_nvs_ros.model.multiview.network import MultiviewNetwork
from training.multiview.data import ObjectViews, premultiplied, targets_of
from training.multiview.dirty_sources import undisturbed

TARGETS = 6  # of an object, if it has as many besides its sources


@torch.no_grad()
def validate(
    network: MultiviewNetwork,
    views: ObjectViews,
    sources: tuple[int, ...] = (1, 2, 4),
    samples: int = 8,
) -> dict[str, float]:
    """Return PSNR of the samples' mean, spread/skill, IoU and depth errors by number of sources.

    The first views of each object are sources, others targets; nothing is disturbed. The depth
    error is of pixels whose depth is known, and left out if there are none.
    """
    targets = min(TARGETS, views.rgba.shape[1] - max(sources))
    generator = torch.Generator(device=views.rgba.device).manual_seed(0)
    result = {}
    for count in sources:
        sums: dict[str, list[Tensor]] = {}
        for rows in torch.arange(views.available, device=views.rgba.device).split(32):
            for name, value in _scores(network, views, rows, count, targets, samples, generator):
                sums.setdefault(name, []).append(value)
        mean = {name: torch.cat(values).mean().item() for name, values in sums.items()}
        spread = mean.pop("variance") / mean.pop("error")
        result |= {f"{n}_{count}": value for n, value in mean.items() if math.isfinite(value)}
        result[f"spread_skill_{count}"] = spread**0.5
    return result


def _scores(
    network: MultiviewNetwork,
    views: ObjectViews,
    rows: Tensor,
    count: int,
    targets: int,
    samples: int,
    generator: torch.Generator,
) -> list[tuple[str, Tensor]]:
    size = len(rows)
    rgba = premultiplied(views.rgba[rows, :count].flatten(0, 1))
    truth = premultiplied(views.rgba[rows, -targets:].flatten(0, 1))
    color, alpha = (x.unflatten(0, (size, targets)) for x in targets_of(truth))
    depth = views.depth[rows, -targets:].float()
    shape = (size, targets, samples, network.noise_channels, network.side, network.side)
    noise = torch.randn(shape, device=rows.device, generator=generator)
    noise = (noise - noise.mean(dim=2, keepdim=True)) * (samples / (samples - 1)) ** 0.5
    heading_known = torch.zeros(size, dtype=torch.bool, device=rows.device)
    imagined = network(
        undisturbed(rgba).unflatten(0, (size, count)),
        views.rotations[rows, :count],
        views.rho[rows, :count],
        torch.ones(size, count, dtype=torch.bool, device=rows.device),
        heading_known,
        views.rotations[rows, -targets:],
        views.rho[rows, -targets:],
        noise,
    )
    images = imagined.on_white().clamp(0, 1)
    mean = images.mean(dim=2)
    error = (mean - color).square().mean(dim=(2, 3, 4))
    likely = imagined.alpha.mean(dim=2)[:, :, 0] > 0.5
    true = alpha[:, :, 0] > 0.5
    union = (likely | true).sum(dim=(2, 3)).clamp(min=1)
    known = true & depth.isfinite()
    depth_error = (imagined.depth.mean(dim=2)[:, :, 0] - depth).abs().where(known, 0.0)
    pixels = known.sum(dim=(2, 3))
    return [
        ("psnr", (-10 * error.clamp(min=1e-10).log10()).flatten()),
        ("iou", ((likely & true).sum(dim=(2, 3)) / union).flatten()),
        ("depth", (depth_error.sum(dim=(2, 3)) / pixels)[pixels > 0]),
        ("variance", images.var(dim=2, unbiased=False).mean(dim=(2, 3, 4)).flatten()),
        ("error", error.flatten()),
    ]
