import json
import shutil
import sys

import numpy as np
import pytest
from rendering import render_relative

pytest.importorskip("moderngl")
pytest.importorskip("skimage")
pytest.importorskip("tensorboard")
pytest.importorskip("trimesh")

import cv2
import trimesh

from tiny_nvs_ros import runtime
from tiny_nvs_ros.geometry import relative_pose
from tiny_nvs_ros.srn_data import SrnSplit
from training import train_from_meshes
from training.history import segments


def run(folder, *more):
    words = ["--meshes", str(folder / "part.stl"), "--out", str(folder / "mine"),
             "--work", str(folder / "work"), "--iterations-autoencoder", "1",
             "--iterations-denoiser", "1", "--views", "3", "--device", "cpu", *more]  # fmt: skip
    train_from_meshes.main(words)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder with part.stl, and mine/ and work/ made of it."""
    folder = tmp_path_factory.mktemp("yours")
    trimesh.creation.box((3, 2, 1)).export(folder / "part.stl")
    run(folder)
    return folder


def test_weights_load_and_imagine(done):
    renderer = runtime.load(done / "mine", device="cpu")
    assert renderer.name == "onnx"
    test = SrnSplit(done / "work/data/test").instances[0]
    poses = relative_pose(test.poses[0], test.poses[1:])
    views = render_relative(
        renderer, test.image(0), poses, samples=2, seed=0, source_pose=test.poses[0]
    )
    assert views.rgb.shape == (8, 2, 32, 32, 3)
    autoencoder, denoiser = segments(renderer.config.training)
    assert [autoencoder["stage"], denoiser["stage"]] == ["autoencoder", "denoiser"]
    assert denoiser["data"]["views"] == 3


def test_model_is_evaluated_on_other_views(done):
    splits = [SrnSplit(done / "work/data" / name).instances[0] for name in ("train", "test")]
    assert len(splits[1]) == 9
    assert not np.isclose(splits[0].poses[:, None], splits[1].poses).all(axis=(2, 3)).any()
    assert runtime.load(done / "mine", device="cpu").config.metrics["counts"]["targets"] == 8
    assert cv2.imread(str(done / "work/evaluation.png")).shape[1] > 96


def test_same_command_trains_nothing_and_prints_the_launch_command(done, capsys):
    before = (done / "work/denoiser.checkpoint.safetensors").stat().st_mtime_ns
    run(done)
    assert (done / "work/denoiser.checkpoint.safetensors").stat().st_mtime_ns == before
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"ros2 launch tiny_nvs_ros nvs.launch.py weights:={done / 'mine'}"


@pytest.mark.parametrize(
    "more, words",
    [
        (["--seed", "1"], "work was made with"),
        (["--views", "1"], "--views must be at least 2"),
        (["--meshes", "nowhere.stl"], "nowhere.stl"),
    ],
)
def test_impossible_request_is_refused(done, capsys, more, words):
    with pytest.raises(SystemExit) as stop:
        run(done, *more)
    assert stop.value.code == 2
    assert words in capsys.readouterr().err


def test_fewer_objects_get_more_views_each(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        train_from_meshes, "train_from_meshes", lambda *given: asked.append(given[2].views)
    )
    for k in range(20):
        (tmp_path / f"{k}.stl").touch()
    for meshes in ([tmp_path / "0.stl"], [tmp_path / f"{k}.stl" for k in range(3)], [tmp_path]):
        train_from_meshes.main(["--meshes", *map(str, meshes), "--out", str(tmp_path / "mine")])
    assert asked == [500, 167, 50]


def test_deleted_mesh_is_left_out_and_refused_after_training(tmp_path, monkeypatch, capsys):
    """A folder of two meshes; one is deleted before and one more after the training."""
    (tmp_path / "parts").mkdir()
    for name in ("a", "b", "c"):
        trimesh.creation.box((3, 2, 1)).export(tmp_path / f"parts/{name}.stl")
    trained = []
    monkeypatch.setattr(train_from_meshes, "load_views", lambda path, *_: trained.append(
        sorted(instance.name for instance in SrnSplit(path).instances)))  # fmt: skip
    monkeypatch.setattr(train_from_meshes, "init_model", lambda *_, **__: sys.exit(0))
    arguments = ("--meshes", str(tmp_path / "parts"))
    with pytest.raises(SystemExit):
        run(tmp_path, *arguments)
    (tmp_path / "parts/a.stl").unlink()
    with pytest.raises(SystemExit):
        run(tmp_path, *arguments)
    assert trained == [["a.stl", "b.stl", "c.stl"], ["b.stl", "c.stl"]]
    (tmp_path / "work/autoencoder.checkpoint.safetensors").touch()
    (tmp_path / "parts/b.stl").unlink()
    with pytest.raises(SystemExit):
        run(tmp_path, *arguments)
    assert "trained before these meshes changed: b.stl" in capsys.readouterr().err


def test_changed_mesh_is_refused_by_name(done, tmp_path, capsys):
    """The mesh is exported again: the weights in the work folder are of the old one."""
    shutil.copytree(done, tmp_path, dirs_exist_ok=True)
    settings = json.loads((tmp_path / "work/settings.json").read_text())
    settings["meshes"] = [str(tmp_path / "part.stl")]
    (tmp_path / "work/settings.json").write_text(json.dumps(settings))
    trimesh.creation.icosphere().export(tmp_path / "part.stl")
    for _ in range(2):  # the second time the views are of the new mesh already
        with pytest.raises(SystemExit) as stop:
            run(tmp_path)
        assert stop.value.code == 2
        assert "was trained before these meshes changed: part.stl" in capsys.readouterr().err
