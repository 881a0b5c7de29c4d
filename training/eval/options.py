"""The options that the commands of evaluation have in common."""

import argparse
from pathlib import Path

import numpy as np

from training.cli import add_device
from training.eval.methods import Protocol


def add_arguments(parser: argparse.ArgumentParser, input_views: list[int]) -> None:
    """Add the options; input_views: the default."""
    parser.add_argument("--weights", type=Path, required=True, help="folder of the model")
    parser.add_argument("--data", type=Path, required=True, help="test split in the SRN layout")
    parser.add_argument("--json", type=Path, required=True, help="file for the numbers")
    parser.add_argument(
        "--picture",
        type=Path,
        help="PNG file for a grid of views, with the first number of sources",
    )
    parser.add_argument(
        "--input-views",
        "--input-view",
        type=int,
        nargs="+",
        default=input_views,
        metavar="I",
        help=f"of each instance; no targets ({' '.join(map(str, input_views))})",
    )
    parser.add_argument(
        "--sources",
        type=int,
        nargs="+",
        default=[1],
        metavar="N",
        help="numbers of source views, the first N input views (1)",
    )
    parser.add_argument(
        "--no-alpha", action="store_true", help="give RGBA sources as RGB on white, without alpha"
    )
    parser.add_argument("--instances", type=int, metavar="N", help="the first N only")
    parser.add_argument("--views", type=int, metavar="N", help="N targets of each instance only")
    parser.add_argument("--samples", type=int, default=8, help="of each view (%(default)s)")
    parser.add_argument("--steps", type=int, help="of the sampler, instead of the model's own")
    parser.add_argument("--seed", type=int, default=0)
    add_device(parser)


def check_least(
    parser: argparse.ArgumentParser, options: argparse.Namespace, samples: int = 1
) -> None:
    """End the process if a number is too small; samples: the least of --samples."""
    least_values = dict(input_views=0, sources=1, instances=1, views=1, steps=1, seed=0)
    for name, least in {**least_values, "samples": samples}.items():
        value = getattr(options, name)
        if value is not None and np.min(value) < least:
            parser.error(f"--{name.replace('_', '-')} must be at least {least}")


def check_outputs(options: argparse.Namespace) -> None:
    """Raise FileNotFoundError if the folder of a file to write is missing."""
    for file in (options.json, options.picture):
        if file and not file.parent.is_dir():
            raise FileNotFoundError(f"{file}: there is no folder {file.parent}")


def protocol_of(options: argparse.Namespace) -> Protocol:
    """Return the protocol, with the greatest number of sources."""
    return Protocol(
        tuple(options.input_views),
        max(options.sources),
        options.views,
        options.samples,
        options.steps,
        options.seed,
        not options.no_alpha,
    )
