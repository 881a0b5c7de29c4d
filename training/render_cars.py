"""Render procedural cars in the SRN layout: python -m training.render_cars --help"""

import argparse
from dataclasses import dataclass
from functools import partial

from training.data import render_dataset
from training.data.cars import VERSION, car


@dataclass(frozen=True)
class CarSettings(render_dataset.Settings):
    """version: of the generator, since the same number is another car in another version."""

    version: int = VERSION


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.render_cars",
        description="Render procedural cars in the SRN layout, "
        "OUT/SPLIT/<instance>/{rgb,pose,depth}. A car depends on its seed and number alone; an "
        "interrupted run continues where it stopped.",
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--instances", type=int, metavar="N", help="cars number 0 to N - 1")
    which.add_argument("--pick", type=int, nargs="+", metavar="I", help="the cars of these numbers")
    render_dataset.add_arguments(parser, split="cars_train")
    options = parser.parse_args(arguments)
    settings = CarSettings(**render_dataset.read_settings(parser, options))
    numbers = options.pick or list(range(options.instances or 0))
    if not numbers or min(numbers) < 0:
        parser.error("--instances must be at least 1, --pick not negative")
    items = [
        render_dataset.RenderItem(f"car_{options.seed}_{i:05d}", i, partial(car, options.seed, i))
        for i in numbers
    ]
    render_dataset.run(parser, options, items, settings)


if __name__ == "__main__":
    main()
