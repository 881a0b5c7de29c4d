import json

import numpy as np
import pytest

pytest.importorskip("pyvista")

from training import cameras, render_cars
from training.render_split import DEFAULT_VIEWS, Settings
from training.srn import SrnSplit


def render(out, *arguments):
    render_cars.main(["--out", str(out), "--size", "16", "--workers", "1", *arguments])
    return out / "cars_train"


def content(split):
    return {p.relative_to(split): p.read_bytes() for p in split.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def three_cars(tmp_path_factory):
    """Cars 0 to 2 of seed 4, two views each, by one process."""
    return render(tmp_path_factory.mktemp("one"), "--instances", "3", "--views", "2", "--seed", "4")


def test_the_output_is_a_split_with_a_car_in_each_picture(three_cars):
    split = SrnSplit(three_cars)
    assert [len(instance) for instance in split.instances] == [2, 2, 2]
    for instance in split.instances:
        assert instance.intrinsics.focal == pytest.approx(131.25 / 8)
        covered = (instance.images() < 250).any(axis=-1).mean(axis=(1, 2))
        assert (covered > 0.03).all() and (covered < 0.6).all()


def test_more_processes_give_the_same_files(three_cars, tmp_path):
    split = render(
        tmp_path, "--instances", "3", "--views", "2", "--seed", "4", "--workers", "2"
    )  # fmt: skip
    assert content(split) == content(three_cars)


def test_a_car_does_not_depend_on_how_many_are_made(three_cars, tmp_path):
    split = render(tmp_path, "--pick", "2", "--views", "2", "--seed", "4")
    assert content(split).items() <= content(three_cars).items()


def test_a_broken_run_goes_on_where_it_stopped(tmp_path):
    split = render(tmp_path, "--instances", "1", "--views", "1")
    before = (split / "car_0_00000/rgb/000000.png").stat().st_mtime_ns
    (split / ".car_0_00001.partial").mkdir()  # left by a killed run
    render(tmp_path, "--instances", "2", "--views", "1")
    assert (split / "car_0_00000/rgb/000000.png").stat().st_mtime_ns == before
    assert len(SrnSplit(split)) == 2
    assert not list(split.glob(".*"))


def test_other_settings_are_refused_and_both_are_named(tmp_path, capsys):
    render(tmp_path, "--instances", "1", "--views", "1")
    with pytest.raises(SystemExit) as stop:
        render(tmp_path, "--instances", "1", "--views", "1", "--seed", "7")
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert "was made with seed 0" in error and "asked for: seed 7" in error


def test_a_folder_of_other_origin_is_refused(tmp_path, capsys):
    (tmp_path / "cars_train" / "1a2b").mkdir(parents=True)
    with pytest.raises(SystemExit):
        render(tmp_path, "--instances", "1", "--views", "1")
    assert "cars_train is not empty" in capsys.readouterr().err


@pytest.mark.parametrize("trajectory", ["spiral", "orbit"])
def test_trajectories_are_the_cameras_modules(trajectory):
    settings = Settings(0, DEFAULT_VIEWS[trajectory], 16, trajectory)
    expected = cameras.spiral() if trajectory == "spiral" else cameras.ring(48)
    np.testing.assert_array_equal(settings.poses(0), expected)


def test_each_car_gets_its_own_random_views():
    settings = Settings(0, 4, 16, "random")
    assert not np.allclose(settings.poses(0), settings.poses(1))
    np.testing.assert_array_equal(settings.poses(1), settings.poses(1))


def test_the_settings_lie_beside_the_instances(three_cars):
    settings = json.loads((three_cars / "render.json").read_text())
    assert settings["seed"] == 4 and settings["trajectory"] == "random"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--instances", "0"],
        ["--instances", "1", "--views", "0"],
        ["--instances", "1", "--trajectory", "spiral", "--views", "9"],
        ["--pick", "-1"],
        [],
    ],
)
def test_arguments_that_make_no_sense_are_refused(tmp_path, arguments):
    with pytest.raises(SystemExit) as stop:
        render(tmp_path, *arguments)
    assert stop.value.code == 2
    assert not list(tmp_path.iterdir())
