"""The whole path as one captured CUDA graph: nothing is launched but the graph."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.diffusion import SHORTCUTS
from tiny_nvs_ros.model.whole_path import WholePath
from tiny_nvs_ros.runtime.renderer import WholePathRenderer

GRAPHS = 8  # kept at once; one for each number of views, samples and steps


class CudaGraphRenderer(WholePathRenderer):
    """Renders novel views of a flow on a GPU, in half precision, by a graph for each shape.

    Raises ValueError for another device, and for a model that is not a flow.
    """

    name = "cuda_graph"

    def __init__(self, weights: str | Path, device: str):
        if not device.startswith("cuda"):
            raise ValueError(f"the runtime cuda_graph is for a GPU, not {device!r}; take another")
        self._model = NovelViewModel.from_pretrained(weights, device)
        WholePath(self._model, 1)  # raises where the model is none for it
        self.device, self.config = device, self._model.config
        self._graphs: OrderedDict[tuple[int, int, int], Graph] = OrderedDict()

    def steps(self, asked: int | None) -> int:
        steps = super().steps(asked)
        if steps not in SHORTCUTS:
            raise ValueError(
                f"steps is {steps}; the runtime cuda_graph takes "
                f"{', '.join(map(str, SHORTCUTS))} (the runtime eager any number)"
            )
        return steps

    def run(self, arrays: dict[str, np.ndarray], steps: int) -> np.ndarray:
        try:
            return self._graph(arrays, steps)(arrays)
        except torch.cuda.OutOfMemoryError as error:
            self._graphs.clear()
            raise MemoryError(f"{self.device} has no memory left: {error}") from error

    def _graph(self, values: dict[str, np.ndarray], steps: int) -> "Graph":
        shape = (*values["noise"].shape[:2], steps)
        if shape not in self._graphs:
            if len(self._graphs) == GRAPHS:
                self._graphs.popitem(last=False)
            self._graphs[shape] = Graph(WholePath(self._model, steps), values, self.device)
        self._graphs.move_to_end(shape)
        return self._graphs[shape]


class Graph:
    """A network captured with inputs of some shapes."""

    def __init__(self, path: WholePath, values: dict[str, np.ndarray], device: str):
        self._inputs = {k: torch.from_numpy(v).to(device) for k, v in values.items()}
        self._graph = torch.cuda.CUDAGraph()
        # Cached casts of the weights would be gone when the graph is replayed.
        half = torch.autocast("cuda", torch.float16, cache_enabled=False)
        with torch.cuda.device(device), torch.inference_mode(), half:
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(3):  # libraries choose and allocate before the capture
                    path(**self._inputs)
            torch.cuda.current_stream().wait_stream(stream)
            with torch.cuda.graph(self._graph):
                self._images = path(**self._inputs)

    def __call__(self, values: dict[str, np.ndarray]) -> np.ndarray:
        for name, value in values.items():
            self._inputs[name].copy_(torch.from_numpy(value))
        self._graph.replay()
        return self._images.cpu().numpy()
