import io
import json
import shutil
import subprocess
import sys
from contextlib import redirect_stdout

import pytest
import torch
import torch.nn.functional as F

from benchmarks import bench, bench_worker
from tiny_nvs_ros.model import ModelConfig, NovelViewModel


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The JSON and the output of a short run, in which one runtime does not load."""
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    words = "--untrained --device cpu --threads 1 --repeat 2 --views 1 2 --json"
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as output:
        patch.setattr(bench, "RUNTIMES", ("auto", "eager", "magic"))
        patch.setattr(bench, "STARTS", 1)
        patch.setattr(bench, "STEPS", 5)
        patch.setattr(bench, "SOURCES", (2,))
        bench.main([*words.split(), str(file)])
    return json.loads(file.read_text()), output.getvalue()


def test_every_method_is_measured_or_left_out_with_the_reason(run):
    report, output = run
    titles = {"paper eager 5", "diffusers 5", "fast eager", "fast magic"}
    titles |= {"objects eager, 2 sources", "objects magic, 2 sources"}
    assert report["rows"].keys() | report["left_out"].keys() == titles
    assert {"paper eager 5", "fast eager"} <= report["rows"].keys()
    assert "no runtime 'magic'" in report["left_out"]["fast magic"]
    for title, reason in report["left_out"].items():
        assert f"\nLeft out: {title}: {reason}\n" in output


def test_diffusers_is_as_large_as_the_paper(run):
    if missing := run[0]["left_out"].get("diffusers 5"):
        pytest.skip(missing)
    sizes = {title: row["parameters"] for title, row in run[0]["rows"].items()}
    assert sizes["paper eager 5"] == 1_678_030
    assert sizes["diffusers 5"] == pytest.approx(1_678_030, rel=0.01)


def test_the_table_says_what_the_json_does(run):
    report, output = run
    head, _, *lines = [line for line in output.splitlines() if line.startswith("|")]
    columns = [cell.strip() for cell in head.strip("|").split("|")]
    assert len(lines) == len(report["rows"])
    for line, (title, row) in zip(lines, report["rows"].items(), strict=True):
        cells = dict(
            zip(columns, (cell.strip() for cell in line.strip("|").split("|")), strict=True)
        )
        assert cells["method"] == title
        assert cells["parameters"] == f"{row['parameters']:,}"
        assert cells["steps"] == str(row["steps"])
        for views, name in (("1", "1 view"), ("2", "2 views")):
            latency = row["latency"][views]
            shown = f"{1e3 * latency['p50']:.2f} / {1e3 * latency['p99']:.2f}"
            assert cells[f"{name}: p50 / p99, ms"] == shown
            assert cells[f"{name}: times as fast"] == f"{latency['times_as_fast']:.1f}"
        assert cells["memory, MB"] == f"{row['memory'] / 1e6:.0f}"
        assert cells["start-up, s"] == f"{row['startup']:.1f}"
        assert cells["2 views: MFLOP"] == f"{row['flops'] / 1e6:.0f}"
        assert cells["of the limit"] == f"{row['share_of_limit']:.1%}"


def test_times_as_fast_is_the_median_ratio_within_rounds():
    """A machine that is three times as slow in one round changes the medians, not the ratio."""
    rounds, baseline = [[1.0, 1.0], [3.0], [1.0]], [[4.0], [12.0, 12.0], [4.0, 5.0, 3.0]]
    latency = bench._latency(rounds, baseline)
    assert latency["times_as_fast"] == 4.0
    assert (latency["p50"], latency["calls"]) == (1.0, 4)
    assert latency["round_medians"] == [1.0, 3.0, 1.0]


def test_every_measurement_is_plausible(run):
    for row in run[0]["rows"].values():
        for latency in row["latency"].values():
            assert latency["calls"] >= 2 and 0 < latency["p50"] <= latency["p99"] < 60
        assert 0 < row["share_of_limit"] < 1.2


def test_fast_needs_less_arithmetic_than_the_paper(tmp_path):
    flops = {}
    folders = {preset: tmp_path / preset for preset in bench.WEIGHTS}
    for preset, folder in folders.items():
        NovelViewModel.from_preset(preset).save_pretrained(folder)
    for title, row in bench.rows(folders).items():
        if row.runtime == "eager":
            renderer = bench_worker.load(row.runtime, row.weights, "cpu", 1)
            flops[title] = bench_worker.count_flops(renderer, 1, row.steps, row.sources)
    assert flops["paper eager 50"] > flops["objects eager, 1 source"] > flops["fast eager"] > 0
    assert flops["objects eager, 8 sources"] > flops["objects eager, 1 source"]


class Known:
    """Ten multiply-adds to begin with, and attention in each step."""

    config = ModelConfig()

    def render(self, request):
        torch.ones(1, 5) @ torch.ones(5, 2)
        for _ in range(request.steps):
            F.scaled_dot_product_attention(*torch.ones(3, 1, 4, 16, 8))


def test_operations_are_counted_also_in_attention():
    products = 2 * (2 * 4 * 16 * 16 * 8)  # queries by keys, weights by values
    assert bench_worker.count_flops(Known(), views=1, steps=7) == 2 * 10 + 7 * products


def test_a_worker_imports_no_torch_of_its_own():
    code = "import sys, benchmarks.bench_worker; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_worker_that_ends_is_named(monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(ChildProcessError, match="fast eager: its process ended with 1"):
        row = bench.Row("eager", "", 2, 0, "fast eager")
        bench.Worker("fast eager", row, "cpu", 1, 1).begin()


def test_a_row_that_cannot_render_is_left_out_with_the_reason(tmp_path):
    NovelViewModel.from_preset("paper").save_pretrained(tmp_path)
    row = bench.Row("eager", str(tmp_path), 1001, 0, "paper eager")
    worker = bench.Worker("paper eager", row, "cpu", 1, 1)
    reason = worker.begin()
    worker.close()
    assert "steps is 1001" in reason


@pytest.mark.parametrize("there", [True, False])
def test_weights_are_not_replaced_by_others(tmp_path, capsys, there):
    if there:
        NovelViewModel.from_preset("fast").save_pretrained(tmp_path)
    with pytest.raises(SystemExit) as stop:
        bench.main(["--paper", str(tmp_path), "--fast", str(tmp_path), "--device", "cpu"])
    assert stop.value.code == 2
    message = "its preset is fast, not paper" if there else "config.json is missing"
    assert message in capsys.readouterr().err
