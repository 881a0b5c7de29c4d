"""The model's forward as one ONNX graph on the CPU, by ONNX Runtime. Needs no torch.

The weights folder holds the graph, which `python -m training.export` writes.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from tiny_nvs_ros.model.config import read_config
from tiny_nvs_ros.resources import check_not_lfs_pointer, fingerprint
from tiny_nvs_ros.runtime.renderer import WholeModelRenderer, core_count, half_of_cores

FILE = "model.onnx"


class OnnxRenderer(WholeModelRenderer):
    """Renders views in the number of steps that the graph was exported for.

    Raises ImportError without onnxruntime, FileNotFoundError without the graph, and ValueError for
    a device other than the CPU and for a graph that was not exported from the weights beside it.
    """

    name = "onnx"

    def __init__(self, weights: str | Path, device: str, threads: int | None = None):
        import onnxruntime

        if device != "cpu":
            raise ValueError(f"the runtime onnx is for the cpu, not {device!r}; take another")
        self.device, self.config = device, read_config(weights)
        file = Path(weights) / FILE
        again = f"python -m training.export --weights {weights} writes it (or take runtime eager)"
        self._again = again
        if not file.is_file():
            raise FileNotFoundError(f"{file} is missing; {again}")
        check_not_lfs_pointer(file)
        options = onnxruntime.SessionOptions()
        # Each thread renders some of the views by itself. If threads shared every operation, they
        # would wait for each other after each: long, if other processes keep cores busy.
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._threads = threads or max(half_of_cores(), min(2, core_count()))
        self._pool = ThreadPoolExecutor(max(1, self._threads - 1), "onnx")
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
            metadata = self._session.get_modelmeta().custom_metadata_map
            self._exported_steps, exported_from = int(metadata["steps"]), metadata["weights"]
        except Exception as error:  # onnxruntime's have no class of their own
            raise ValueError(f"{file} is not the graph of a model: {error}; {again}") from error
        if exported_from != fingerprint(weights):
            raise ValueError(f"{file} was not exported from the weights beside it; {again}")

    def steps(self, requested: int | None) -> int:
        if requested not in (None, self._exported_steps):
            raise ValueError(
                f"steps is {requested}, but the graph of the runtime onnx takes "
                f"{self._exported_steps}; use 0 (the graph's own number), or the runtime eager"
            )
        return self._exported_steps

    def run(self, inputs: dict[str, np.ndarray], steps: int) -> list[np.ndarray]:
        # Each thread encodes the source again, which costs as much as two more views.
        shares = max(1, min(self._threads, len(inputs["noise"]) // 2))
        if shares == 1:
            return self._run(inputs)
        per_view = self.config.module.PER_VIEW
        split = {name: np.array_split(inputs[name], shares) for name in per_view}
        parts = [{**inputs, **{n: each[i] for n, each in split.items()}} for i in range(shares)]
        others = [self._pool.submit(self._run, part) for part in parts[1:]]
        outputs = [self._run(parts[0]), *(other.result() for other in others)]
        return [np.concatenate(each) for each in zip(*outputs, strict=True)]

    def _run(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        try:
            return self._session.run(None, inputs)
        except ValueError as error:  # of the inputs' names
            raise ValueError(
                f"{FILE} does not fit the model of config.json (architecture "
                f"{self.config.architecture}): {error}"
            ) from error
        except Exception as error:  # onnxruntime's, as above
            if "invalid dimensions" in str(error):
                raise ValueError(
                    f"{FILE} was exported by another version: {error}; {self._again}"
                ) from error
            if not isinstance(error, MemoryError) and "alloc" not in str(error):
                raise
            raise MemoryError(f"{self.device} is out of memory: {error}") from error
