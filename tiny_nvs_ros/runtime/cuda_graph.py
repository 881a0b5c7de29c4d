"""The whole path as one captured CUDA graph: nothing is launched but the graph."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike

from tiny_nvs_ros.model import NovelViewModel, NovelViews, Request
from tiny_nvs_ros.model.diffusion import SHORTCUTS
from tiny_nvs_ros.model.whole_path import WholePath
from tiny_nvs_ros.runtime.renderer import Renderer

GRAPHS = 8  # kept at once; one for each number of views, samples and steps


class CudaGraphRenderer(Renderer):
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

    def generate(
        self,
        image: np.ndarray,
        poses: ArrayLike,
        samples: int = 1,
        seed: int | None = None,
        steps: int | None = None,
        source_pose: ArrayLike | None = None,
        heading_known: bool = True,
        on_step: Callable[[], None] = lambda: None,
    ) -> NovelViews:
        steps = self.config.sampler["steps"] if steps is None else steps
        if steps not in SHORTCUTS:
            raise ValueError(
                f"steps is {steps}; the runtime cuda_graph takes "
                f"{', '.join(map(str, SHORTCUTS))} (the runtime eager any number)"
            )
        rng = np.random.default_rng(seed)
        request = Request.of(self.config, image, poses, samples, rng, source_pose, heading_known)
        if not len(request.poses):
            return NovelViews(np.zeros((0, samples, *request.image.shape), np.uint8))
        images = []
        for part in request.parts():
            on_step()
            values = part.arrays()
            try:
                images.append(self._graph(values, steps)(values))
            except torch.cuda.OutOfMemoryError as error:
                self._graphs.clear()
                raise MemoryError(f"{self.device} has no memory left: {error}") from error
        return NovelViews(np.concatenate(images))

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
        stream = torch.cuda.Stream(device)
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.inference_mode(), torch.autocast("cuda", torch.float16):
            with torch.cuda.stream(stream):
                for _ in range(3):  # libraries choose and allocate before the capture
                    path(**self._inputs)
            torch.cuda.current_stream(device).wait_stream(stream)
            with torch.cuda.graph(self._graph):
                self._images = path(**self._inputs)

    def __call__(self, values: dict[str, np.ndarray]) -> np.ndarray:
        for name, value in values.items():
            self._inputs[name].copy_(torch.from_numpy(value))
        self._graph.replay()
        return self._images.cpu().numpy()
