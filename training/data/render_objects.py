"""Render procedural objects in the SRN layout: python -m training.data.render_objects --help"""

import argparse
from dataclasses import dataclass
from functools import partial

from training.data import render_dataset
from training.data.objects import FAMILIES, VERSION, build_object, family_of


@dataclass(frozen=True)
class ObjectSettings(render_dataset.Settings):
    """version: of the generator, since the same number is another object in another version."""

    version: int = VERSION


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.data.render_objects",
        description="Render procedural objects (household things, food, tools, toys, animals ...) "
        "in the SRN layout, OUT/SPLIT/<instance>/{rgb,pose,depth}. An object depends on its seed "
        "and number alone; an interrupted run continues where it stopped.",
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--instances", type=int, metavar="N", help="objects number 0 to N - 1")
    which.add_argument("--pick", type=int, nargs="+", metavar="I", help="objects by their numbers")
    parser.add_argument(
        "--families",
        nargs="+",
        choices=sorted(FAMILIES),
        metavar="NAME",
        help=f"render only the objects of these families: {', '.join(sorted(FAMILIES))}",
    )
    render_dataset.add_arguments(parser, split="objects_train", randomise=True)
    options = parser.parse_args(arguments)
    settings = ObjectSettings(**render_dataset.read_settings(parser, options))
    numbers = range(options.instances) if options.pick is None else options.pick
    if not numbers or min(numbers) < 0:
        parser.error("--instances must be at least 1, --pick not negative")
    if options.families:
        numbers = [i for i in numbers if family_of(options.seed, i) in options.families]
    items = [
        render_dataset.RenderItem(
            f"object_{options.seed}_{i:05d}", i, partial(build_object, options.seed, i)
        )
        for i in numbers
    ]
    render_dataset.run(parser, options, items, settings)


if __name__ == "__main__":
    main()
