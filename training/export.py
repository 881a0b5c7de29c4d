"""Export a model's forward as an ONNX graph into its weights folder, for the runtime `onnx`.

    python -m training.export --weights weights/cars

The graph has the steps of the model's own sampler, or --steps. It is kept only if its images agree
with torch's.
"""

import argparse
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import Tensor

from tiny_nvs_ros.geometry import orbit
from tiny_nvs_ros.model import NovelViewModel, ViewRequest
from tiny_nvs_ros.model.base import replace_file
from tiny_nvs_ros.resources import fingerprint
from tiny_nvs_ros.runtime.onnx import FILE, OnnxRenderer
from training.cli import exit_on_error

TOLERANCE = 2  # of 255: rounding may fall to the other side


def export(weights: Path, steps: int | None = None) -> int:
    """Write the graph. Returns the largest difference to torch, of 255.

    Raises ValueError for a model that cannot be exported, for steps that it cannot take, and if the
    graph's images differ; then no graph is written and an older one stays.
    """
    model = NovelViewModel.from_pretrained(weights)
    if not model.config.exportable:
        raise ValueError(f"the architecture {model.config.architecture} runs in torch only")
    steps = model.config.sampler["steps"] if steps is None else steps
    if steps not in model.config.module.STEPS:
        known = ", ".join(map(str, model.config.module.STEPS))
        raise ValueError(f"steps is {steps}; it must be one of {known}")
    model.config.sampler = {**model.config.sampler, "steps": steps}
    views, samples = (torch.export.Dim(name, min=1, max=4096) for name in ("views", "samples"))
    architecture = model.config.module
    values = architecture.inputs(example(model, 3, 2, min(2, architecture.MAX_SOURCES)))
    shapes: dict[str, dict | None] = {name: None for name in values}
    if architecture.PER_SOURCE:
        sources = torch.export.Dim("sources", min=1, max=architecture.MAX_SOURCES)
        shapes |= {name: {0: sources} for name in architecture.PER_SOURCE}
    shapes |= {name: {0: views} for name in architecture.PER_VIEW}
    shapes["noise"] = {0: views, 1: samples}
    traced = torch.export.export(
        model,
        (),
        {name: torch.from_numpy(value) for name, value in values.items()},
        dynamic_shapes=shapes,
    ).run_decompositions(
        {
            torch.ops.aten.grid_sampler.default: sampled_by_gather,
            torch.ops.aten.pixel_unshuffle.default: pixel_unshuffle,
        }
    )
    program = torch.onnx.export(
        traced,
        input_names=list(values),
        output_names=list(architecture.OUTPUTS),
        dynamic_shapes=shapes,
        dynamo=True,
        verbose=False,
    )
    graph = strip(program.model_proto)
    onnx.helper.set_model_props(graph, {"steps": str(steps), "weights": fingerprint(weights)})
    with TemporaryDirectory() as folder:
        for name in ("config.json", "model.safetensors"):
            shutil.copy(weights / name, folder)
        onnx.save(graph, Path(folder) / FILE)
        difference = compare(Path(folder), model)
    if difference > TOLERANCE:
        raise ValueError(f"the graph of {weights} differs from torch by {difference} of 255")
    replace_file(weights / FILE, lambda aside: onnx.save(graph, aside))
    return difference


def sampled_by_gather(volume: Tensor, grid: Tensor, mode: int, padding: int, align: bool) -> Tensor:
    """grid_sample of volumes, linear between cells and 0 outside, as operations ONNX Runtime is
    quick at: its own GridSample takes a seventh of the time of the whole graph.

    volume: (B, C, depth, height, width); grid: (B, n, 1, 1, 3), as of F.grid_sample. Returns
    (B, C, n, 1, 1). Of each point one row is fetched that holds all eight cells around it.
    """
    if (mode, padding, align) != (0, 0, False):
        raise NotImplementedError("linear, between zeros, without align_corners only")
    rows, shares, stride = 0, [], 1
    for place, count in zip(grid[:, :, 0, 0].unbind(-1), volume.shape[:1:-1], strict=True):
        # Between the middles of the cells from 0 on; beyond the rim of zeros there is no more.
        place = (((place + 1) * count - 1) / 2).clamp(-1, count)
        low = place.floor().clamp(max=count - 1)
        rows, stride = rows + stride * (low.long() + 1), stride * (count + 1)
        shares.append((place - low)[..., None])
    rows = rows + stride * torch.arange(volume.shape[0])[:, None]
    cells = F.pad(volume, 6 * [1]).permute(0, 2, 3, 4, 1)
    for axis in (3, 2, 1):  # beside each cell the next one in this direction
        count = cells.shape[axis] - 1
        cells = torch.cat([cells.narrow(axis, 0, count), cells.narrow(axis, 1, count)], dim=-1)
    seen = F.embedding(rows, cells.flatten(0, 3))
    for share in reversed(shares):
        near, far = seen.chunk(2, dim=-1)
        seen = near + share * (far - near)
    return seen.transpose(1, 2)[..., None, None]


def pixel_unshuffle(x: Tensor, factor: int) -> Tensor:
    """F.pixel_unshuffle of (B, C, H, W) for any B: torch's decomposition fixes it."""
    height, width = (side // factor for side in x.shape[-2:])
    cells = x.reshape(-1, x.shape[1], height, factor, width, factor)
    return cells.permute(0, 1, 3, 5, 2, 4).reshape(-1, x.shape[1] * factor**2, height, width)


def strip(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph without the exporter's notes, which are a fifth of the file."""
    for node in graph.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in (*graph.graph.value_info, *graph.graph.initializer):
        value.doc_string = ""
        del value.metadata_props[:]
    return graph


def example(model: NovelViewModel, views: int, samples: int, sources: int = 1) -> ViewRequest:
    rng = np.random.default_rng(0)
    size = model.config.size
    images = rng.integers(0, 256, (sources, size, size, 3), np.uint8)
    pairs = list(zip(images, orbit(sources), strict=True))
    return ViewRequest.create(model.config, pairs, orbit(views), samples=samples, seed=0)


def compare(weights: Path, model: NovelViewModel) -> int:
    """Return the largest difference of the graph's outputs to torch's, at other shapes, of 255.

    Alpha and depth count as colours do: 1, and one object radius, are 255.
    """
    renderer = OnnxRenderer(weights, "cpu")
    differences = []
    for views, samples, sources in ((1, 1, 1), (5, 3, model.config.max_sources)):
        request = example(model, views, samples, sources)
        ours, theirs = renderer.render(request), model.render(request)
        for name in model.config.module.OUTPUTS:
            scale = 1 if name == "rgb" else 255
            difference = getattr(ours, name).astype(float) - getattr(theirs, name)
            differences.append(np.abs(scale * difference).max())
    return int(np.ceil(max(differences)))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.export", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--weights", type=Path, required=True, help="weights folder of a flow")
    parser.add_argument("--steps", type=int, help="of the sampler, instead of the model's own")
    options = parser.parse_args(arguments)
    with exit_on_error(parser):
        difference = export(options.weights, options.steps)
    print(f"{options.weights / FILE}: within {difference} of 255 of torch")


if __name__ == "__main__":
    main()
