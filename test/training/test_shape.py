import json

import numpy as np
import pytest

from tiny_nvs_ros.resources import find_weights
from tiny_nvs_ros.shape import SIDE, grid_centres
from training import shape as command
from training.data.mesh import Mesh
from training.eval.fit_shape import logistic_regression
from training.eval.shape import Reliability, scores
from training.eval.shape_baselines import iou, surface_of
from training.eval.subjects import procedural
from training.eval.true_shape import TrueShape, true_shape

VOXEL = 2 / SIDE  # object radii


def box(half: tuple[float, float, float], sides: str = "xXyYzZ") -> Mesh:
    """Return a box in object radii, with only the sides that are named: capitals are the far ones.

    Meshes have half of an object radius as their unit.
    """
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    quads = {
        "x": (0, 1, 3, 2),
        "X": (4, 6, 7, 5),
        "y": (0, 4, 5, 1),
        "Y": (2, 3, 7, 6),
        "z": (0, 2, 6, 4),
        "Z": (1, 5, 7, 3),
    }
    faces = [[a, b, c] for s in sides for a, b, c in (quads[s][:3], (*quads[s][2:], quads[s][0]))]
    colors = np.full((len(corners), 3), 128, np.uint8)
    return Mesh(corners * half / 2, np.array(faces), colors)


def test_closed_box_is_solid_and_its_surface_is_complete():
    half = np.array([0.5, 0.3, 0.7])
    truth = true_shape([box(tuple(half))])
    inside = (np.abs(grid_centres()) < half).all(axis=-1)
    assert iou(truth.occupancy, inside) > 0.93
    outside = (np.abs(truth.points) - half).max(axis=-1)
    assert np.abs(outside).max() < 0.03
    for axis in range(3):
        for side in (-1, 1):
            on_side = np.abs(truth.points[:, axis] - side * half[axis]) < 0.03
            assert on_side.sum() > 100


def test_inner_walls_of_a_closed_box_are_no_surface():
    inner, outer = box((0.2, 0.2, 0.2)), box((0.5, 0.5, 0.5))
    truth, alone = true_shape([inner, outer]), true_shape([outer])
    assert np.array_equal(truth.occupancy, alone.occupancy)
    assert np.abs(truth.points).max(axis=-1).min() > 0.45


def test_open_box_is_empty_inside():
    truth = true_shape([box((0.5, 0.5, 0.5), sides="xXyYz")])
    middle = truth.occupancy[SIDE // 2, SIDE // 2]
    assert not middle[SIDE // 2 :].any()


def test_surface_of_a_grid_has_its_extent():
    inside = (np.abs(grid_centres()) < [0.5, 0.25, 0.75]).all(axis=-1)
    points = surface_of(inside)
    assert np.allclose(np.abs(points).max(axis=0), [0.5, 0.25, 0.75], atol=VOXEL / 2)


def test_scores_of_the_truth_are_perfect_and_of_nothing_the_worst():
    truth = true_shape([box((0.5, 0.3, 0.7))])
    assert scores(truth, truth) == {"iou": 1.0, "chamfer": 0.0, "f_score": 1.0}
    nothing = TrueShape(np.zeros_like(truth.occupancy), np.zeros((0, 3), np.float32))
    assert scores(nothing, truth) == {"iou": 0.0, "chamfer": 1.0, "f_score": 0.0}


def test_chamfer_and_f_score_of_a_shifted_plane():
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, 60), np.linspace(-0.5, 0.5, 60))
    plane = np.stack([x, y, 0 * x], axis=-1).reshape(-1, 3)
    grid = np.zeros((SIDE,) * 3, bool)
    for shift, f_score in ((0.019, 1.0), (0.021, 0.0)):  # 1 % of the diagonal is 0.02 radii
        found = scores(TrueShape(grid, plane + np.array([0, 0, shift])), TrueShape(grid, plane))
        assert found["chamfer"] == pytest.approx(shift / 2)
        assert found["f_score"] == pytest.approx(f_score)


def test_reliability_counts_what_was_said_and_what_held():
    counts = Reliability()
    counts.add(np.array([0.85, 0.85, 0.85, 0.2]), np.array([True, True, False, False]))
    low, high = counts.rows()
    assert (low["from"], low["held"], low["share"]) == (0.0, 0.0, 0.25)
    assert (high["from"], high["share"]) == (0.8, 0.75)
    assert high["held"] == pytest.approx(2 / 3) and high["said"] == pytest.approx(0.85)


def test_logistic_regression_finds_the_weights_of_its_own_model():
    rng = np.random.default_rng(0)
    features = np.stack([rng.normal(size=20000), np.ones(20000)], axis=-1)
    labels = rng.random(20000) < 1 / (1 + np.exp(-(2 * features[:, 0] - 0.5)))
    assert np.allclose(logistic_regression(features, labels), [2, -0.5], atol=0.1)


def test_subjects_depend_on_seed_and_number_alone():
    (first, *_), second = procedural(3, 0, 7, True), procedural(1, 2, 7, True)[0]
    a, b = first.build(), second.build()
    assert np.array_equal(a.meshes[0].vertices, b.meshes[0].vertices)
    assert np.array_equal(a.source_poses(), b.source_poses())
    assert not np.array_equal(a.source_poses(), procedural(2, 0, 7, True)[1].build().source_poses())


def test_command_prints_and_writes_the_same_table_twice(tmp_path, capsys):
    options = ["--weights", str(find_weights("objects")), "--cars", "1"]
    options += ["--train-objects", "3", "--samples", "2", "--displaced"]
    files = ["--json", str(tmp_path / "a.json"), "--picture", str(tmp_path / "a.png")]
    command.main([*options, *files])
    first = capsys.readouterr().out
    command.main(options)
    assert capsys.readouterr().out == first
    report = json.loads((tmp_path / "a.json").read_text())
    rows = {(row["method"], row["sources"]): row for row in report["table"]}
    assert {n for method, n in rows if method == "model"} == {1, 2, 4}
    assert rows["perfect", 0]["f_score"] > rows["model", 1]["f_score"]
    assert (tmp_path / "a.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ([], "no object to measure: give --meshes, --objects or --cars"),
        (["--objects", "1", "--samples", "1"], "--samples must be at least 2"),
        (["--meshes", "/no/such/folder"], "/no/such/folder: no such file or folder"),
    ],
)
def test_invalid_options_end_with_one_line(options, error, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["--weights", str(find_weights("objects")), *options])
    assert stop.value.code == 2
    assert error in capsys.readouterr().err
