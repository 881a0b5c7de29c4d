"""The whole path as one ONNX graph on the CPU, by ONNX Runtime: needs no torch.

The weights folder holds the graph, which `python -m training.export` writes.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from tiny_nvs_ros.model.config import read_config
from tiny_nvs_ros.runtime.renderer import WholePathRenderer, cores, free_cores

FILE = "model.onnx"


class OnnxRenderer(WholePathRenderer):
    """Renders novel views of a flow, in the number of steps that its graph was made for.

    Raises ImportError without onnxruntime, FileNotFoundError without the graph, and ValueError for
    a device other than the CPU and a graph that was not made of the weights beside it.
    """

    name = "onnx"

    def __init__(self, weights: str | Path, device: str, threads: int | None = None):
        import onnxruntime

        if device != "cpu":
            raise ValueError(f"the runtime onnx is for the cpu, not {device!r}; take another")
        self.device, self.config = device, read_config(weights)
        file = Path(weights) / FILE
        again = f"python -m training.export --weights {weights} writes it (or take runtime eager)"
        if not file.is_file():
            raise FileNotFoundError(f"{file} is missing; {again}")
        options = onnxruntime.SessionOptions()
        # Each thread renders some of the views by itself. If they shared every operation instead,
        # they would wait for each other after each, for long where other processes are busy.
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._threads = threads or max(free_cores(), min(2, cores()))
        self._others = ThreadPoolExecutor(max(1, self._threads - 1), "onnx")
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
            said = self._session.get_modelmeta().custom_metadata_map
            self._exported, made_of = int(said["steps"]), said["weights"]
        except Exception as error:  # onnxruntime's have no class of their own
            raise ValueError(f"{file} is not a graph of a model: {error}; {again}") from error
        if made_of != fingerprint(weights):
            raise ValueError(f"{file} was not made of the weights beside it; {again}")

    def steps(self, asked: int | None) -> int:
        if asked not in (None, self._exported):
            raise ValueError(
                f"steps is {asked}, but the graph of the runtime onnx takes {self._exported}; "
                "take 0 (the graph's own number), or the runtime eager"
            )
        return self._exported

    def run(self, arrays: dict[str, np.ndarray], steps: int) -> np.ndarray:
        # What is done with the source view, as much as for two more views, each thread does again.
        shares = max(1, min(self._threads, len(arrays["rotations"]) // 2))
        each = {name: np.array_split(arrays[name], shares) for name in ("rotations", "noise")}
        parts = [{**arrays, **{n: split[i] for n, split in each.items()}} for i in range(shares)]
        others = [self._others.submit(self._run, part) for part in parts[1:]]
        return np.concatenate([self._run(parts[0]), *(other.result() for other in others)])

    def _run(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        try:
            return self._session.run(None, arrays)[0]
        except Exception as error:  # as above
            if not isinstance(error, MemoryError) and "alloc" not in str(error):
                raise
            raise MemoryError(f"{self.device} has no memory left: {error}") from error


def fingerprint(weights: str | Path) -> str:
    """Of the weights that a graph is made of: a digest of model.safetensors."""
    file = Path(weights) / "model.safetensors"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing; a weights folder holds it")
    return hashlib.sha256(file.read_bytes()).hexdigest()
