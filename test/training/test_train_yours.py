import json
import shutil

import numpy as np
import pytest
from rendering import render_relative

pytest.importorskip("moderngl")
pytest.importorskip("skimage")
pytest.importorskip("trimesh")

import cv2
import trimesh

from tiny_nvs_ros import runtime
from tiny_nvs_ros.geometry import relative_pose
from tiny_nvs_ros.resources import find_weights
from tiny_nvs_ros.srn_data import Intrinsics, SrnSplit, write_instance
from training import train_yours
from training.data import cameras
from training.history import segments


def run(folder, *more, meshes="part.stl"):
    words = ["--meshes", str(folder / meshes)] if meshes else []
    words += ["--out", str(folder / "mine"), "--work", str(folder / "work"), "--iterations", "1"]
    train_yours.main([*words, "--device", "cpu", *map(str, more)])


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder with part.stl, and mine/ and work/ made of it."""
    folder = tmp_path_factory.mktemp("yours")
    trimesh.creation.box((3, 2, 1)).export(folder / "part.stl")
    run(folder, "--views", 8)
    return folder


def test_weights_load_and_imagine_from_several_sources(done):
    renderer = runtime.load(done / "mine", device="cpu")
    assert renderer.name == "onnx"
    test = SrnSplit(done / "work/data/test", keep_distance=True).instances[0]
    views = render_relative(
        renderer,
        test.image(0),
        relative_pose(test.poses[0], test.poses[1:9]),
        samples=2,
        seed=0,
        source_pose=test.poses[0],
    )
    assert views.rgb.shape == (8, 2, 32, 32, 3)
    *_, last = segments(renderer.config.training)
    assert last["to"] - last["from"] == 1 and last["init"].endswith("weights/objects")
    assert last["data"]["own_share"] == 0.5


def test_meshes_are_rendered_in_many_lights_and_distances_beside_other_objects(done):
    data = done / "work/data"
    own = [SrnSplit(path, keep_distance=True).instances[0] for path in data.glob("train*")]
    assert len(own) == 24 and all(len(each) == 8 and each.has_depth for each in own)
    radii = np.concatenate([np.linalg.norm(each.poses[:, :3, 3], axis=-1) for each in own]) / 0.5
    assert 2.2 <= radii.min() < 3 and 14 < radii.max() <= 20
    assert len(SrnSplit(data / "general")) == 12


def test_model_is_evaluated_on_other_views_beside_the_weights_it_began_with(done):
    train, test = (SrnSplit(done / "work/data" / name).instances[0] for name in ("train", "test"))
    assert not np.isclose(train.poses[:, None], test.poses).all(axis=(2, 3)).any()
    report = json.loads((done / "work/evaluation.json").read_text())
    assert report["counts"]["targets"] == 8 and set(report["by_sources"]) == {"1", "2", "4"}
    assert report["by_sources"]["4"]["compared"]["psnr"] > 15
    assert cv2.imread(str(done / "work/evaluation.png")).shape[1] > 96


def test_same_command_trains_nothing_and_prints_the_launch_command(done, capsys):
    before = (done / "work/run/model.safetensors").read_bytes()
    run(done, "--views", 8)
    assert (done / "work/run/model.safetensors").read_bytes() == before
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"ros2 launch tiny_nvs_ros nvs.launch.py weights:={done / 'mine'}"


@pytest.mark.parametrize(
    "more, words",
    [
        (["--seed", "1"], "work was made with"),
        (["--views", "0"], "--views must be at least 1"),
        (["--iterations", "0"], "--iterations must be at least 1"),
        (["--meshes", "nowhere.stl"], "nowhere.stl"),
        (["--init", "cars"], "cars has the architecture flow, not multiview"),
        (["--init", "nothing"], "no weights 'nothing'"),
        (["--test", "nowhere"], "nowhere"),
    ],
)
def test_impossible_request_is_refused(done, capsys, more, words):
    with pytest.raises(SystemExit) as stop:
        run(done, *more)
    assert stop.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("out, words", [("begun", "to begin with"), ("other", "were not made in")])
def test_weights_that_the_work_folder_did_not_make_are_kept(tmp_path, capsys, out, words):
    for name in ("begun", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").touch()
    shutil.copy(find_weights("objects") / "config.json", tmp_path / "begun")
    (tmp_path / "part.stl").touch()
    with pytest.raises(SystemExit) as stop:
        run(tmp_path, "--init", tmp_path / "begun", "--out", tmp_path / out)
    assert stop.value.code == 2 and words in capsys.readouterr().err


def test_request_without_objects_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(tmp_path, meshes=None)
    assert "no objects: name mesh files by --meshes, or data sets" in capsys.readouterr().err


def record(folder, seed):
    """A recording of a grey disc with its mask, from 10 places."""
    x, y = np.meshgrid(*2 * (np.arange(32) - 15.5,))
    alpha = np.where(np.hypot(x, y) < 10, 255, 0).astype(np.uint8)
    image = np.dstack([np.full((32, 32, 3), 120, np.uint8), alpha])
    poses = cameras.random_views(10, np.random.default_rng(seed))
    folder.parent.mkdir()
    write_instance(folder, np.tile(image, (10, 1, 1, 1)), poses, Intrinsics.centred(32.8, 32))


def test_recording_is_trained_on_and_evaluated_on_another_one(tmp_path, capsys):
    record(tmp_path / "disc/a", 0)
    record(tmp_path / "disc_test/a", 1)
    run(tmp_path, "--data", tmp_path / "disc", "--test", tmp_path / "disc_test", meshes=None)
    report = json.loads((tmp_path / "work/evaluation.json").read_text())
    assert report["counts"]["targets"] == 6
    *_, last = segments(json.loads((tmp_path / "mine/config.json").read_text())["training"])
    assert last["data"]["own"] == [str(tmp_path / "disc")]
    assert (tmp_path / "mine/model.onnx").exists()


def test_recording_of_other_cameras_is_refused_before_anything_is_rendered(tmp_path, capsys):
    poses = cameras.random_views(8, np.random.default_rng(0)) @ np.diag([1, -1, -1, 1.0])  # OpenGL
    images = np.full((8, 32, 32, 3), 255, np.uint8)
    write_instance(tmp_path / "train/part", images, poses, Intrinsics.centred(32.8, 32))
    with pytest.raises(SystemExit):
        run(tmp_path, "--data", tmp_path / "train", meshes=None)
    assert "OpenGL" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_fewer_objects_are_rendered_more_often(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        train_yours, "train_yours", lambda *given: asked.append(given[2].renderings)
    )
    for k in range(20):
        (tmp_path / f"{k}.stl").touch()
    for meshes in ([tmp_path / "0.stl"], [tmp_path / f"{k}.stl" for k in range(5)], [tmp_path]):
        train_yours.main(["--meshes", *map(str, meshes), "--out", str(tmp_path / "mine")])
    assert asked == [24, 5, 2]


def test_skipped_mesh_is_named_once(tmp_path, monkeypatch, capsys):
    (tmp_path / "parts").mkdir()
    trimesh.creation.box((3, 2, 1)).export(tmp_path / "parts/a.stl")
    (tmp_path / "parts/b.stl").write_bytes(b"broken")
    monkeypatch.setattr(train_yours, "RENDERINGS", 2)

    def stop(words):
        raise SystemExit

    monkeypatch.setattr(train_yours.train_multiview, "main", stop)
    monkeypatch.setattr(train_yours.render_objects, "main", lambda words: None)
    with pytest.raises(SystemExit):
        run(tmp_path, "--views", 8, meshes="parts")
    output = capsys.readouterr()
    assert output.err.count("skipped: ") == 1
    assert "1 objects in" in output.out and "1 mesh files skipped" in output.out


def test_deleted_mesh_is_left_out_and_refused_after_training(tmp_path, monkeypatch, capsys):
    """A folder of three meshes; one is deleted before and one more after the training."""
    (tmp_path / "parts").mkdir()
    for name in ("a", "b", "c"):
        trimesh.creation.box((3, 2, 1)).export(tmp_path / f"parts/{name}.stl")
    trained = []

    def stop(words):
        own = next(word for word in words if word.endswith("train_1"))
        trained.append(sorted(instance.name for instance in SrnSplit(own).instances))
        raise SystemExit

    monkeypatch.setattr(train_yours.train_multiview, "main", stop)
    monkeypatch.setattr(train_yours.render_objects, "main", lambda words: None)
    for name in ("a.stl", None):
        with pytest.raises(SystemExit):
            run(tmp_path, "--views", 8, meshes="parts")
        if name:
            (tmp_path / "parts" / name).unlink()
    assert trained == [["a.stl", "b.stl", "c.stl"], ["b.stl", "c.stl"]]
    (tmp_path / "work/run").mkdir()
    (tmp_path / "work/run" / train_yours.train_multiview.CHECKPOINT).touch()
    (tmp_path / "parts/b.stl").unlink()
    with pytest.raises(SystemExit):
        run(tmp_path, "--views", 8, meshes="parts")
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
            run(tmp_path, "--views", 8)
        assert stop.value.code == 2
        assert "was trained before these meshes changed: part.stl" in capsys.readouterr().err
