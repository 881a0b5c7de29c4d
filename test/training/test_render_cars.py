import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("moderngl")

from tiny_nvs_ros.srn_data import SrnSplit
from training import render_cars
from training.data import cameras
from training.data.render_dataset import DEFAULT_VIEWS, Settings


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


def test_images_have_alpha_and_depth(three_cars):
    for instance in SrnSplit(three_cars).instances:
        covered = instance.images(alpha=True)[..., 3] > 0
        assert (np.isfinite(instance.depths()) == covered).all()
        assert (np.abs(instance.depths()[covered] - 1.3) < 0.5).all()


def test_distances_are_drawn_and_cars_keep_their_size(tmp_path, capsys):
    arguments = ["--instances", "1", "--views", "40", "--distance", "2.2", "20"]
    split = render(tmp_path / "1", *arguments)
    instance = SrnSplit(split, keep_distance=True).instances[0]
    radii = np.linalg.norm(instance.poses[:, :3, 3], axis=-1) / 0.5
    assert radii.min() < 3.5 and radii.max() > 14
    assert 0.3 < (radii < np.sqrt(2.2 * 20)).mean() < 0.7  # log-uniform
    focals = np.array([lens.focal for lens in instance.view_intrinsics])
    np.testing.assert_allclose(focals / radii, 131.25 / 8 / 2.6, rtol=1e-5)
    near = SrnSplit(render(tmp_path / "2", "--instances", "1", "--views", "40")).instances[0]
    np.testing.assert_allclose(instance.poses[:, :3, :3], near.poses[:, :3, :3], atol=1e-6)
    covered = [(i.images(alpha=True)[..., 3] > 0).mean(axis=(1, 2)) for i in (instance, near)]
    assert 0.7 < (covered[0] / covered[1]).mean() < 1.4
    far = np.nanmean(instance.depths(), axis=(1, 2))
    np.testing.assert_allclose(far, radii * 0.5, atol=0.5)
    with pytest.raises(SystemExit):
        render(tmp_path / "3", "--instances", "1", "--distance", "1", "20")
    assert "from 2.2 to 20 object radii" in capsys.readouterr().err


def test_randomised_cars_have_lights_and_a_place_of_their_own(three_cars, tmp_path):
    arguments = ["--instances", "2", "--views", "2", "--seed", "4", "--randomise"]
    split = render(tmp_path / "1", *arguments)
    assert content(split) == content(render(tmp_path / "2", *arguments, "--workers", "2"))
    for instance, plain in zip(
        SrnSplit(split).instances, SrnSplit(three_cars).instances, strict=False
    ):
        np.testing.assert_array_equal(instance.poses, plain.poses)
        assert (instance.images()[:, 0, 0] == 255).all()  # on white
        both = (instance.images(alpha=True)[..., 3] == 255) & (
            plain.images(alpha=True)[..., 3] == 255
        )
        assert np.abs(instance.images()[both] - plain.images()[both].astype(int)).mean() > 3


def test_folder_of_older_random_scenes_is_refused(tmp_path, capsys):
    arguments = ["--instances", "1", "--views", "1", "--randomise"]
    split = render(tmp_path, *arguments)
    settings = json.loads((split / "render.json").read_text())
    del settings["scene_version"]
    (split / "render.json").write_text(json.dumps(settings))
    with pytest.raises(SystemExit):
        render(tmp_path, *arguments)
    assert "scene_version 1" in capsys.readouterr().err


def test_folder_of_before_there_was_randomisation_or_distance_is_continued(tmp_path):
    split = render(tmp_path, "--instances", "1", "--views", "1")
    settings = json.loads((split / "render.json").read_text())
    assert settings.pop("randomise") is False and settings.pop("distance") is None
    del settings["scene_version"]
    (split / "render.json").write_text(json.dumps(settings))
    assert len(SrnSplit(render(tmp_path, "--instances", "2", "--views", "1"))) == 2


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


def test_killed_rendering_process_ends_the_command_and_the_same_command_continues(tmp_path):
    arguments = ["--out", str(tmp_path), "--instances", "6", "--views", "300", "--size", "32"]
    command = [sys.executable, "-m", "training.render_cars", *arguments, "--workers", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    split = tmp_path / "cars_train"
    while process.poll() is None and not list(split.glob("car_0_*")):
        time.sleep(0.05)
    workers = [p for p in children_of(process.pid) if "spawn_main" in p[1]]
    os.kill(workers[0][0], signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.splitlines()[-1].startswith("error: a rendering process died")
    render_cars.main([*arguments, "--workers", "1"])
    assert len(SrnSplit(split)) == 6


def children_of(pid: int) -> list[tuple[int, str]]:
    """Return the process numbers and command lines of the children of a process."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True
    ).stdout.splitlines()
    return [(int(line.split()[0]), line) for line in listed]


def test_display_that_is_not_there_is_ignored(tmp_path, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":99")
    command = [sys.executable, "-m", "training.render_cars", "--out", str(tmp_path)]
    command += ["--instances", "1", "--views", "1", "--size", "16"]
    assert subprocess.run(command, timeout=120).returncode == 0


@pytest.mark.parametrize(
    "environment",
    [
        {"__EGL_VENDOR_LIBRARY_DIRS": "/nowhere"},
        {"GLCONTEXT_LINUX_LIBEGL": "libEGL.so.nowhere"},
        {"LIBGL_DRIVERS_PATH": "/nowhere"},
        {"GLCONTEXT_DEVICE_INDEX": "7"},
    ],
    ids=["no EGL driver", "no EGL", "no Mesa driver", "no such device"],
)
def test_machine_that_cannot_render_is_told_the_remedy_in_one_line(tmp_path, environment):
    done = subprocess.run(
        [sys.executable, "-m", "training.render_cars", "--out", str(tmp_path), "--instances", "1"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "rendering does not work here" in done.stderr and "sudo apt install" in done.stderr
