import json
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "demo"


def run(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, DEMO / "latency.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def measured(flow: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, str]:
    """The report of a short run, and its output."""
    file = tmp_path_factory.mktemp("latency") / "latency.json"
    done = run(
        *("--weights", flow, "--json", file, "--heading", "known"),
        *("--rate", 15, "--seconds", 2, "--views", 2, "--samples", 3),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(file.read_text()), done.stdout


def test_measured_numbers_are_consistent(measured):
    report, _ = measured
    frames, calls = report["frames"], report["render_pose"]
    assert frames["published"] == pytest.approx(15 * frames["seconds"], rel=0.2)  # the camera's
    assert 0 < frames["answered"] <= frames["published"]
    assert 0 < frames["rate"] < 1.2 * 15
    assert 0 < calls["rate"] < 1 / calls["node_p50"]  # one call after the other
    for phase in (frames, calls):
        assert 0 < phase["node_p50"] < phase["p50"] <= phase["p90"] <= phase["p99"]
        assert phase["seconds"] >= 2
        assert phase["cpu"] > 0
        assert phase["memory"] > 1e7


def test_report_names_the_options_of_the_node(measured, flow):
    report, _ = measured
    assert report["node"]["weights"].startswith(flow.name)
    assert report["node"]["runtime"] == "onnx"
    assert (report["views"], report["samples"], report["heading"]) == (2, 3, "known")


def test_printed_table_shows_the_numbers_of_the_json(measured, monkeypatch):
    report, printed = measured
    monkeypatch.syspath_prepend(DEMO)
    from latency import table

    assert printed == table(report) + "\n"
    assert f"{1e3 * report['frames']['p50']:.1f}" in printed


@pytest.mark.parametrize("goal, verdict", [(1e-9, "not met"), (1e9, "met")])
def test_goals_are_reported_as_met_or_not(measured, monkeypatch, goal, verdict):
    report, _ = measured
    monkeypatch.syspath_prepend(DEMO)
    from latency import table

    printed = table({**report, "goals": {"p99": goal}})
    assert printed.count(f": {verdict}") == 2


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--weights", "/proc/nowhere"], "/proc/nowhere does not exist"),
        (["--json", "/proc/nowhere/latency.json"], "no folder /proc/nowhere"),
    ],
)
def test_failing_measurement_prints_the_reason(arguments, said):
    done = run(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
