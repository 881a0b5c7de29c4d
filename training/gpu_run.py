"""Train the multi-view network on a machine with nothing but one file of meshes.

    python -m training.gpu_run pack --meshes MESHES --out pack.xz     # on a machine with the meshes
    python -m training.train_multiview --pack pack.xz --seconds 500 --out runs/objects

The other commands are processes of train_multiview.
"""

import argparse
import sys
from pathlib import Path

from training.cli import exit_on_error
from training.data.disguise import is_colourless
from training.data.test_sets import refuse_test_sets
from training.multiview.training_set import MeshPack


def pack(options: argparse.Namespace) -> None:
    """Pack mesh files into one file; those without colours of their own are marked as such."""
    from training.data.load_meshes import find_mesh_files, load_meshes

    refuse_test_sets(*options.meshes)
    meshes, kinds = {}, {}
    found, unsupported = find_mesh_files(options.meshes)
    for reason in unsupported:
        print(f"skipped: {reason}", file=sys.stderr)
    for name, file in found.items():
        parts = load_meshes(file, "z")
        if len(parts) != 1 or parts[0].texture is not None:
            raise ValueError(f"{file}: only meshes of one part with colours can be packed")
        meshes[name] = parts[0]
        kinds[name] = "colourless" if is_colourless(parts) else "scan"
    MeshPack(meshes, kinds).write(options.out)
    print(f"{len(meshes)} meshes, {options.out.stat().st_size / 1e6:.1f} MB, "
          f"{sum(kind == 'colourless' for kind in kinds.values())} without colours")  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.gpu_run", description=__doc__.partition("\n")[0]
    )
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("pack", help="pack mesh files into one file")
    command.set_defaults(run=pack)
    command.add_argument("--meshes", type=Path, nargs="+", required=True)
    command.add_argument("--out", type=Path, required=True)
    command = commands.add_parser("compile", help="a process of train_multiview")
    command.set_defaults(run=compile_loss)
    command.add_argument("--batch-size", type=int, required=True)
    command.add_argument("--device", required=True)
    command = commands.add_parser("render", help="a process of train_multiview")
    command.set_defaults(run=render_shards)
    command.add_argument("--pack", type=Path, required=True)
    command.add_argument("--out", type=Path, required=True)
    command.add_argument("--objects", type=int, required=True)
    command.add_argument("--views", type=int, required=True, help="of each object")
    command.add_argument("--seed", type=int, required=True)
    command.add_argument("--rank", type=int, required=True)
    command.add_argument("--of", type=int, required=True)
    command.add_argument("--held-out", action="store_true")
    options = parser.parse_args(arguments)
    with exit_on_error(parser):
        options.run(options)


def compile_loss(options: argparse.Namespace) -> None:
    from training.multiview.compiled import compile_loss

    compile_loss(options)


def render_shards(options: argparse.Namespace) -> None:
    from training.multiview.shards import render_shards

    render_shards(options)


if __name__ == "__main__":
    main()
