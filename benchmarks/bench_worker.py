"""The process that runs one row of benchmarks.bench, without the libraries of other rows.

Loads a runtime, imagines some views, and reports when they were ready and the memory used; then
answers requests. One JSON object per line: the row as the argument, requests on stdin, answers on
stdout. Imports little more than the runtime does.
"""

import json
import sys
import time
from collections.abc import Callable

import numpy as np

from tiny_nvs_ros.geometry import orbit
from tiny_nvs_ros.model import ViewRequest

SECONDS = 0.2  # duration of one measurement


def load(runtime: str, weights: str, device: str, threads: int):
    """Return a renderer of a runtime with a number of threads."""
    if runtime != "diffusers":
        from tiny_nvs_ros import runtime as runtimes

        return runtimes.load(weights, device, runtime, threads)
    import torch

    from benchmarks.diffusers_renderer import DiffusersRenderer

    torch.set_num_threads(threads)
    return DiffusersRenderer(device)


def imagine_function(renderer, views: int, steps: int, sources: int = 1) -> Callable[[], object]:
    """Return a function that runs the whole path: crops to `views` images, one sample each."""
    crops = np.random.default_rng(0).integers(0, 256, (sources, 128, 128, 3), np.uint8)
    given = list(zip(crops, orbit(sources, start=0.3), strict=True))
    targets = orbit(views)

    def imagine() -> None:
        renderer.render(ViewRequest.create(renderer.config, given, targets, seed=0, steps=steps))

    return imagine


def latencies(call: Callable[[], object]) -> list[float]:
    """Return the duration (s) of each call that fits into SECONDS, at least one.

    The first call, in which caches fill and clocks rise, is left out if there are more.
    """
    times, start = [], time.perf_counter()
    while not times or time.perf_counter() - start < SECONDS:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return times[1:] or times


def count_flops(renderer, views: int, steps: int, sources: int = 1) -> int:
    """Count floating-point operations of matrix products and convolutions, 2 per multiply-add."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    def count(steps: int) -> int:
        # The counter does not know the CPU's attention kernel.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            imagine_function(renderer, views, steps, sources)()
        return counter.get_total_flops()

    one = count(1)  # counting is slow, and all steps have the same operations
    return one if steps == 1 else one + (steps - 1) * (count(2) - one)


def peak_memory(device: str) -> dict[str, int]:
    """Return this process's peak resident memory, and torch's peak on a GPU, bytes."""
    # Not getrusage, whose peak includes the parent's.
    with open("/proc/self/status") as status:
        resident = next(line for line in status if line.startswith("VmHWM:"))
    torch = sys.modules.get("torch") if device != "cpu" else None
    gpu = torch.cuda.max_memory_allocated(device) if torch else 0
    return {"memory": 1024 * int(resident.split()[1]), "gpu_memory": gpu}


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr

    def answer(what: dict) -> None:
        print(json.dumps(what), file=answers, flush=True)

    row = json.loads(sys.argv[1])
    try:
        renderer = load(row["runtime"], row["weights"], row["device"], row["threads"])
        imagine_function(renderer, row["views"], row["steps"], row["sources"])()
    except (ImportError, OSError, ValueError, MemoryError) as error:
        answer({"left_out": str(error)})
        return
    ready = time.monotonic()
    parameters, memory = getattr(renderer, "parameters", 0), peak_memory(row["device"])
    answer({"ready": ready, "parameters": parameters, **memory})
    warm = set()
    for line in sys.stdin:
        request = json.loads(line)
        views = request["views"]
        if request["measure"] == "flops":
            answer({"flops": count_flops(renderer, views, row["steps"], row["sources"])})
            continue
        if views not in warm:
            renderer.warm_up(views)
            warm.add(views)
        call = imagine_function(renderer, views, row["steps"], row["sources"])
        answer({"latencies": latencies(call)})


if __name__ == "__main__":
    main()
