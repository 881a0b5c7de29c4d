"""A process of benchmarks.bench that runs one of its rows, and no other's libraries and threads.

It loads a runtime, imagines some views, and says when it had them and what memory that took; then
it answers requests. One JSON object a line: the row as its argument, requests on stdin, answers
on stdout. It imports what the runtime imports and little more.
"""

import json
import sys
import time
from collections.abc import Callable

import numpy as np

from tiny_nvs_ros.geometry import orbit
from tiny_nvs_ros.model import ViewRequest

SECONDS = 0.2  # of calls for one measurement


def load(runtime: str, weights: str, device: str, threads: int):
    """A renderer that computes with so many threads."""
    if runtime != "diffusers":
        from tiny_nvs_ros import runtime as runtimes

        return runtimes.load(weights, device, runtime, threads)
    import torch

    from benchmarks.diffusers_renderer import DiffusersRenderer

    torch.set_num_threads(threads)
    return DiffusersRenderer(device)


def imagination(renderer, views: int, steps: int) -> Callable[[], object]:
    """The whole path, from a crop of an image to `views` images, one sample each."""
    crop = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    source = orbit(1, start=0.3)[0]
    targets = orbit(views)

    def imagine() -> None:
        renderer.render(
            ViewRequest.create(renderer.config, (crop, source), targets, seed=0, steps=steps)
        )

    return imagine


def latencies(call: Callable[[], object]) -> list[float]:
    """Seconds of each of the calls that fit into SECONDS, one at least.

    Without the first, in which caches fill and clocks rise, where there are more.
    """
    times, start = [], time.perf_counter()
    while not times or time.perf_counter() - start < SECONDS:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return times[1:] or times


def count_flops(renderer, views: int, steps: int) -> int:
    """Floating-point operations of the matrix products and convolutions, two a multiply-add."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    def count(steps: int) -> int:
        # The CPU's own attention kernel is one that the counter does not know.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            imagination(renderer, views, steps)()
        return counter.get_total_flops()

    one = count(1)  # counting takes long; all steps are alike
    return one + (steps - 1) * (count(2) - one)


def peak_memory(device: str) -> dict[str, int]:
    """Bytes: the most that this process had resident, and that torch had on the device, a GPU."""
    # Not getrusage: its peak begins with the parent's.
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
        imagination(renderer, row["views"], row["steps"])()
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
            answer({"flops": count_flops(renderer, views, row["steps"])})
            continue
        if views not in warm:
            renderer.warm_up(views)
            warm.add(views)
        answer({"latencies": latencies(imagination(renderer, views, row["steps"]))})


if __name__ == "__main__":
    main()
