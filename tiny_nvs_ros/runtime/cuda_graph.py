"""The model's forward as a captured CUDA graph: one launch for all of it."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.runtime.renderer import WholeModelRenderer

MAX_GRAPHS = 8  # kept at once; one for each number of steps and shapes of the inputs


class CudaGraphRenderer(WholeModelRenderer):
    """Renders views on a GPU, in half precision, by a graph for each shape of a request.

    Raises ValueError for another device, and for an architecture that only runs in eager.
    """

    name = "cuda_graph"

    def __init__(self, weights: str | Path, device: str):
        if not device.startswith("cuda"):
            raise ValueError(f"the runtime cuda_graph is for a GPU, not {device!r}; take another")
        self._model = NovelViewModel.from_pretrained(weights, device)
        self.device, self.config = device, self._model.config
        if not self.config.exportable:
            raise ValueError(
                f"the architecture {self.config.architecture} runs in torch only (runtime eager)"
            )
        self._graphs: OrderedDict[tuple, Graph] = OrderedDict()

    def steps(self, requested: int | None) -> int:
        steps, known = super().steps(requested), self.config.module.STEPS
        if steps not in known:
            raise ValueError(
                f"steps is {steps}; for the architecture {self.config.architecture} the runtime "
                f"cuda_graph takes {', '.join(map(str, known))}"
            )
        return steps

    def run(self, inputs: dict[str, np.ndarray], steps: int) -> list[np.ndarray]:
        try:
            return self._graph(inputs, steps)(inputs)
        except torch.cuda.OutOfMemoryError as error:
            self._graphs.clear()
            raise MemoryError(f"{self.device} is out of memory: {error}") from error

    def _graph(self, values: dict[str, np.ndarray], steps: int) -> "Graph":
        shape = steps, *(value.shape for value in values.values())
        if shape not in self._graphs:
            if len(self._graphs) == MAX_GRAPHS:
                self._graphs.popitem(last=False)
            self._graphs[shape] = Graph(partial(self._model, steps=steps), values, self.device)
        self._graphs.move_to_end(shape)
        return self._graphs[shape]


class Graph:
    """A function of tensors, captured with inputs of some shapes."""

    def __init__(
        self,
        forward: Callable[..., torch.Tensor | tuple],
        values: dict[str, np.ndarray],
        device: str,
    ):
        self._inputs = {k: torch.from_numpy(v).to(device) for k, v in values.items()}
        self._graph = torch.cuda.CUDAGraph()
        # Cached casts of the weights would be freed before the graph is replayed.
        half = torch.autocast("cuda", torch.float16, cache_enabled=False)
        with torch.cuda.device(device), torch.inference_mode(), half:
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(3):  # libraries choose kernels and allocate before the capture
                    forward(**self._inputs)
            torch.cuda.current_stream().wait_stream(stream)
            with torch.cuda.graph(self._graph):
                outputs = forward(**self._inputs)
        self._outputs = outputs if isinstance(outputs, tuple) else (outputs,)

    def __call__(self, values: dict[str, np.ndarray]) -> list[np.ndarray]:
        for name, value in values.items():
            self._inputs[name].copy_(torch.from_numpy(value))
        self._graph.replay()
        return [output.cpu().numpy() for output in self._outputs]
