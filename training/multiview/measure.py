"""Measure the multi-view network on a data set in the SRN layout, by number of sources.

    python -m training.multiview.measure --weights weights/objects --data data/ycb \\
        --input-views 0 1 2 3

The first n input views are the sources; the targets are all other views than the input views, or
every --every-th of them. Cameras keep their distances. Alpha is what differs from white. The
numbers are means over an object's targets, then over the objects; seeds are fixed.
"""

import argparse
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tiny_nvs_ros.geometry import SRN_CAMERA
from tiny_nvs_ros.model import NovelViewModel, ViewSamples
from tiny_nvs_ros.model.multiview import OBJECT_BELOW
from tiny_nvs_ros.model.multiview.network import MultiviewNetwork
from tiny_nvs_ros.model.request import antithetic_noise
from tiny_nvs_ros.srn_data import SrnSplit
from training.cli import exit_on_error
from training.eval.methods import MethodViews
from training.eval.metrics import METRICS, spread_skill
from training.eval.scores import mean_scores, score
from training.progress import track

SIZE = 32
HEADER = """\
| sources | PSNR, dB |  SSIM | delta E |   IoU | spread/skill | of colour | copy, dB |
| ------: | -------: | ----: | ------: | ----: | -----------: | --------: | -------: |"""


@torch.inference_mode()
def imagine(
    network: MultiviewNetwork,
    images: np.ndarray,
    sources: np.ndarray,
    targets: np.ndarray,
    noise: np.ndarray,
) -> ViewSamples:
    """Imagine an object from target cameras, heading unknown.

    images: (n, size, size, 3) uint8 on white; sources: (n, 4, 4) and targets: (N, 4, 4)
    T_object_camera; noise: (N, S, channels, h, w).
    """
    color = images / np.float32(255)
    alpha = (color.min(axis=-1, keepdims=True) < OBJECT_BELOW).astype(np.float32)
    given = torch.from_numpy(2 * np.concatenate([color, alpha], axis=-1) - 1).permute(0, 3, 1, 2)

    def cameras(poses: np.ndarray) -> tuple[Tensor, Tensor]:
        rho = np.linalg.norm(poses[:, :3, 3], axis=-1) / SRN_CAMERA.radius
        return torch.from_numpy(poses[None, :, :3, :3]).float(), torch.from_numpy(rho[None]).float()

    valid = torch.ones(1, len(images), dtype=torch.bool)
    known = torch.zeros(1, dtype=torch.bool)
    views = network(
        given[None],
        *cameras(sources),
        valid,
        known,
        *cameras(targets),
        torch.from_numpy(noise[None]),
    )
    rgb = (255 * views.on_white()[0]).round().clamp(0, 255).to(torch.uint8)
    return ViewSamples(rgb.permute(0, 1, 3, 4, 2).numpy())


def row(network: MultiviewNetwork, split: SrnSplit, options: argparse.Namespace, count: int) -> str:
    """Return the table's row for the first `count` input views as sources."""
    sources, samples = options.input_views[:count], options.samples
    parts = []
    for instance in track(split.instances, unit="instance"):
        if max(options.input_views) >= len(instance):
            raise ValueError(f"{instance.path}: has the views 0 to {len(instance) - 1}")
        targets = np.setdiff1d(np.arange(len(instance)), options.input_views)[:: options.every]
        if not len(targets):
            raise ValueError(f"{instance.path}: no view is left as a target")
        given = np.stack([instance.image(i, SIZE) for i in sources])
        truths = np.stack([instance.image(i, SIZE) for i in targets])
        rng = np.random.default_rng(zlib.crc32(instance.name.encode()))
        shape = (len(targets), samples, network.noise_channels, network.side, network.side)
        noise = antithetic_noise(rng, shape)
        poses = instance.poses
        views = imagine(network, given, poses[sources], poses[targets], noise)
        copy = {"copy_input": np.broadcast_to(given[0], truths.shape)}
        parts.append(mean_scores([score(MethodViews(given[0], truths, {"model": views}, copy))]))
    result = mean_scores(parts)
    model, copied = result["model"], result["copy_input"]
    psnr, ssim, delta_e, iou = (model[f"{metric}_mean{samples}"] for metric in METRICS)
    spread = spread_skill(model["variance"], model["squared_error"])
    colour = spread_skill(model["colour_variance"], model["colour_squared_error"])
    return (
        f"| {count:7} | {psnr:8.2f} | {ssim:5.3f} | {delta_e:7.1f} | {iou:5.3f} | {spread:12.2f} "
        f"| {colour:9.2f} | {copied['psnr']:8.2f} |"
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.multiview.measure", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--weights", type=Path, required=True, help="folder of the network")
    parser.add_argument("--data", type=Path, required=True, help="test split in the SRN layout")
    parser.add_argument("--input-views", type=int, nargs="+", default=[0], help="source views")
    parser.add_argument("--every", type=int, default=1, help="of the targets (%(default)s: all)")
    parser.add_argument("--samples", type=int, default=8, help="of each view (%(default)s)")
    options = parser.parse_args(arguments)
    with exit_on_error(parser):
        if options.samples < 2 or options.every < 1 or min(options.input_views) < 0:
            raise ValueError("--samples must be at least 2, --every 1, --input-views 0")
        network = NovelViewModel.from_pretrained(options.weights).network
        split = SrnSplit(options.data, keep_distance=True)
        print(HEADER)
        for count in range(1, len(options.input_views) + 1):
            print(row(network, split, options, count), flush=True)


if __name__ == "__main__":
    main()
