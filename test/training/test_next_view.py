import json

import pytest

from tiny_nvs_ros.resources import find_weights
from tiny_nvs_ros.runtime import load
from training import next_view as command
from training.eval.next_view import PER_RING, Search
from training.eval.subjects import procedural


@pytest.fixture(scope="module")
def search() -> Search:
    renderer = load(find_weights("objects"), "cpu")
    return Search(renderer, procedural(1, 0, 5, False)[0].build(), 2)


def test_ring_takes_equal_steps_of_azimuth_on_the_first_ring(search):
    chosen = search.run(PER_RING + 11, search.ring)
    assert [i - PER_RING for i in chosen] == [11, 1, 4, 6, 9]  # steps of 12 / 5, rounded


def test_farthest_takes_the_other_side_first(search):
    assert search.farthest([0]) % PER_RING == 6


def test_oracle_takes_the_candidate_of_the_least_error(search, monkeypatch):
    monkeypatch.setattr(search, "error", lambda chosen: abs(chosen[-1] - 7))
    assert search.oracle([3]) == 7


def test_error_does_not_depend_on_the_order_and_falls_with_more_sources(search):
    assert search.error([2, 9]) == search.error([9, 2])
    assert search.error([0, 3, 6, 9]) < search.error([0])


def test_command_prints_and_writes_its_table(tmp_path, capsys):
    files = ["--json", str(tmp_path / "a.json"), "--picture", str(tmp_path / "a.png")]
    options = ["--weights", str(find_weights("objects")), "--cars", "1", "--samples", "2"]
    command.main([*options, *files])
    out = capsys.readouterr().out
    report = json.loads((tmp_path / "a.json").read_text())
    rows = {row["policy"]: row for row in report["table"]}
    assert list(rows) == ["random", "farthest", "ring", "ours", "oracle"]
    assert len({row["errors"][0] for row in rows.values()}) == 1  # the same first view
    assert rows["oracle"]["errors"][1] <= min(row["errors"][1] for row in rows.values())
    assert rows["random"]["area_to_random"] == 1 and rows["farthest"]["area_to_farthest"] == 1
    assert f"{rows['ours']['area_to_random']:.3f}" in out
    assert (tmp_path / "a.png").stat().st_size > 1000
