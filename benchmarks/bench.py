"""Measure the latency of every runtime and of the baselines.

    python -m training.bench --json bench.json

Latency is that of the whole path: encode the source, condition, sample, decode to images. Each row
runs in its own process. The rows take turns, round by round, so that a busy machine affects all
alike; each is compared with the first row within a round.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import torch
from tqdm import tqdm

from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.base import replace_file
from tiny_nvs_ros.runtime import RUNTIMES
from training.cli import add_device, check_device, exit_on_error

STEPS = 50  # of DDIM, with the preset paper
SOURCES = 1, 4, 8  # of the preset objects
WEIGHTS = {"paper": "weights/cars_paper", "fast": "weights/cars", "objects": "weights/objects"}
STARTS = 3  # of each row's process, to measure how long that takes


@dataclass(frozen=True)
class Row:
    """A method.

    weights, parameters: "" and 0 if the runtime makes its own weights. flops_of: the row that does
    the same arithmetic in torch, in which it can be counted. sources: number of source views.
    """

    runtime: str
    weights: str
    steps: int
    parameters: int
    flops_of: str
    sources: int = 1


class Worker:
    """The process that runs a row (benchmarks.bench_worker)."""

    def __init__(self, title: str, row: Row, device: str, threads: int, views: int):
        self._title = title
        task = json.dumps(asdict(row) | {"device": device, "threads": threads, "views": views})
        self._start = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.bench_worker", task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=os.setpgrp,  # Ctrl-C is for this process, which closes the others
        )

    def begin(self) -> str | None:
        """Wait until it is ready. Returns the reason if the row cannot run, else None."""
        self.first = self._answer()
        self.startup = self.first.get("ready", self._start) - self._start
        return self.first.get("left_out")

    def ask(self, measure: str, views: int):
        """Return the answer of bench_worker: "flops", or "latencies" in seconds."""
        request = json.dumps({"measure": measure, "views": views})
        print(request, file=self._process.stdin, flush=True)
        return self._answer()[measure]

    def _answer(self) -> dict:
        if line := self._process.stdout.readline():
            return json.loads(line)
        raise ChildProcessError(f"{self._title}: its process ended with {self._process.wait()}")

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def rows(folders: dict[str, Path]) -> dict[str, Row]:
    """Return the rows of the table by title; the others are compared with the first.

    folders: of weights, by preset.
    """
    sizes, steps = {}, {}
    for preset, folder in folders.items():
        model = NovelViewModel.from_pretrained(folder)
        if model.config.preset != preset:
            raise ValueError(f"{folder}: its preset is {model.config.preset}, not {preset}")
        sizes[preset] = sum(p.numel() for p in model.parameters())
        steps[preset] = model.config.sampler["steps"]
    eager, diffusers = f"paper eager {STEPS}", f"diffusers {STEPS}"
    result = {
        eager: Row("eager", str(folders["paper"]), STEPS, sizes["paper"], eager),
        diffusers: Row("diffusers", "", STEPS, 0, diffusers),
    }
    for preset, sources in (("fast", 1), *(("objects", count) for count in SOURCES)):
        suffix = f", {_count(sources, 'source')}" if preset == "objects" else ""
        for name in (name for name in RUNTIMES if name != "auto"):
            result[f"{preset} {name}{suffix}"] = Row(
                name,
                str(folders[preset]),
                steps[preset],
                sizes[preset],
                f"{preset} eager{suffix}",
                sources,
            )
    return result


def matrix_product_rate(device: str) -> float:
    """Return this machine's float32 FLOP/s (no TF32): the best of some large matrix products."""
    torch.set_float32_matmul_precision("highest")
    rates = []
    for size in (1024, 2048) if device == "cpu" else (4096, 8192):
        a = torch.rand(size, size, device=device)
        for _ in range(3):
            start = time.perf_counter()
            (a @ a)[0, 0].item()  # waits for a GPU to finish
            rates.append(2 * size**3 / (time.perf_counter() - start))
    return max(rates)


def measure(options: argparse.Namespace, folders: dict[str, Path]) -> dict:
    """Return the content of --json: seconds, bytes, floating-point operations.

    folders: of weights, by preset.
    """
    device, threads, views = options.device, options.threads, options.views
    reference = 8 if 8 in views else views[-1]  # of start-up, memory and FLOPs
    load = os.getloadavg()[0]
    torch.set_num_threads(threads)
    methods, left_out = rows(folders), {}
    baseline = next(iter(methods))
    workers: dict[str, Worker] = {}
    startups = {title: [] for title in methods}
    rounds = {(title, count): [] for title in methods for count in views}
    rates = []
    with ExitStack() as stack, tqdm(unit="measurement") as progress:
        for title, row in STARTS * list(methods.items()):
            if title in left_out:
                continue
            worker = Worker(title, row, device, threads, reference)
            stack.callback(worker.close)
            if reason := worker.begin():
                left_out[title] = reason
                continue
            if title in workers:
                workers[title].close()
            workers[title] = worker
            startups[title].append(worker.startup)
            progress.update()
        if baseline in left_out:
            raise ValueError(f"{baseline}: {left_out[baseline]}")
        progress.total = progress.n + options.repeat * len(views) * len(workers)
        for _ in range(options.repeat):
            rates.append(matrix_product_rate(device))
            for count in views:
                for title, worker in workers.items():
                    rounds[title, count].append(worker.ask("latencies", count))
                    progress.update()
        flops = {
            title: workers[methods[title].flops_of].ask("flops", reference) for title in workers
        }
    report = {
        "machine": {
            "cpu": _cpu_name(),
            "cores": len(os.sched_getaffinity(0)),
            "gpu": None if device == "cpu" else torch.cuda.get_device_name(device),
            "python": platform.python_version(),
            "torch": version("torch"),
            "load": round(load, 1),
            "flops_per_second": max(rates),
        },
        "device": device,
        "threads": threads,
        "reference_views": reference,
        "rounds": options.repeat,
        "untrained": options.untrained,
        "left_out": left_out,
        "rows": {},
    }
    for title, worker in workers.items():
        latency = {n: _latency(rounds[title, n], rounds[baseline, n]) for n in views}
        report["rows"][title] = {
            **asdict(methods[title]),
            "parameters": methods[title].parameters or worker.first["parameters"],
            "latency": {str(count): numbers for count, numbers in latency.items()},
            "startup": median(startups[title]),
            "startups": startups[title],
            "memory": worker.first["memory"],
            "gpu_memory": worker.first["gpu_memory"],
            "flops": flops[title],
            "share_of_limit": flops[title] / (latency[reference]["p50"] * max(rates)),
        }
    return report


def _latency(rounds: list[list[float]], baseline: list[list[float]]) -> dict:
    own, theirs = [median(times) for times in rounds], [median(times) for times in baseline]
    p50, p99 = np.percentile(np.concatenate(rounds), [50, 99])
    return {
        "p50": p50,
        "p99": p99,
        "calls": sum(map(len, rounds)),
        "round_medians": own,
        "times_as_fast": median(b / a for a, b in zip(own, theirs, strict=True)),
    }


def _cpu_name() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _count(count: int | str, what: str) -> str:
    return f"{count} {what}" if str(count) == "1" else f"{count} {what}s"


def table(report: dict) -> str:
    """Return the report as a Markdown table with a line of facts."""
    machine, count = report["machine"], str(report["reference_views"])
    lines = []
    for title, row in report["rows"].items():
        cells = {
            "method": title,
            "parameters": f"{row['parameters']:,}",
            "steps": f"{row['steps']}",
        }
        for views, latency in row["latency"].items():
            p50, p99 = 1e3 * latency["p50"], 1e3 * latency["p99"]
            cells[f"{_count(views, 'view')}: p50 / p99, ms"] = f"{p50:.2f} / {p99:.2f}"
            cells[f"{_count(views, 'view')}: times as fast"] = f"{latency['times_as_fast']:.1f}"
        cells["start-up, s"] = f"{row['startup']:.1f}"
        cells["memory, MB"] = f"{row['memory'] / 1e6:.0f}"
        if machine["gpu"]:
            cells["GPU memory, MB"] = f"{row['gpu_memory'] / 1e6:.0f}"
        cells[f"{_count(count, 'view')}: MFLOP"] = f"{row['flops'] / 1e6:.0f}"
        cells["of the limit"] = f"{row['share_of_limit']:.1%}"
        lines.append(f"| {' | '.join(cells.values())} |")
    lines = [f"| {' | '.join(cells)} |", f"| --- |{' ---: |' * (len(cells) - 1)}", *lines]
    lines += [f"\nLeft out: {title}: {reason}" for title, reason in report["left_out"].items()]
    facts = [
        machine["cpu"],
        f"{machine['cores']} cores, {report['threads']} threads each",
        f"limit {machine['flops_per_second'] / 1e9:.0f} GFLOP/s (float32 matrix product, no TF32)",
        f"torch {machine['torch']}, python {machine['python']}",
        f"{report['rounds']} rounds, load {machine['load']} before",
    ]
    facts = [machine["gpu"]] * bool(machine["gpu"]) + facts
    facts += ["untrained weights"] * report["untrained"]
    return "\n".join([*lines, "\n" + "; ".join(facts)])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.bench", description=__doc__.partition("\n")[0]
    )
    for preset, folder in WEIGHTS.items():
        text = f"weights folder of the preset {preset} (%(default)s)"
        parser.add_argument(f"--{preset}", type=Path, default=folder, help=text)
    parser.add_argument("--untrained", action="store_true", help="make weights that are as fast")
    parser.add_argument("--views", type=int, nargs="+", default=[1, 8, 32], metavar="N")
    parser.add_argument("--repeat", type=int, default=12, help="rounds (%(default)s)")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--threads", type=int, default=cores, help="of each row (%(default)s)")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    add_device(parser)
    options = parser.parse_args(arguments)
    if min(options.repeat, options.threads, *options.views) < 1:
        parser.error("--repeat, --threads and --views must be at least 1")
    with exit_on_error(parser), tempfile.TemporaryDirectory() as made:
        check_device(options.device)
        if options.json and not options.json.parent.is_dir():
            raise FileNotFoundError(f"{options.json}: there is no folder {options.json.parent}")
        folders = {preset: getattr(options, preset) for preset in WEIGHTS}
        if options.untrained:
            folders = {preset: Path(made, preset) for preset in folders}
            for preset, folder in folders.items():
                NovelViewModel.from_preset(preset).save_pretrained(folder)
            with suppress(ImportError):  # then the row says that there is no graph
                from training.export import export

                for preset in ("fast", "objects"):
                    export(folders[preset])
        report = measure(options, folders)
        print(table(report))
        if options.json:
            text = json.dumps(report, indent=2) + "\n"
            replace_file(options.json, lambda file: file.write_text(text))


if __name__ == "__main__":
    main()
