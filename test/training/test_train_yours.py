import numpy as np
import pytest

pytest.importorskip("pyvista")
pytest.importorskip("skimage")
pytest.importorskip("tensorboard")
pytest.importorskip("trimesh")

import cv2
import trimesh

from tiny_nvs_ros import runtime
from tiny_nvs_ros.geometry import relative_pose
from training import train_yours
from training.srn import SrnSplit


def run(folder, *more):
    words = ["--meshes", str(folder / "part.stl"), "--out", str(folder / "mine"),
             "--work", str(folder / "work"), "--iterations-autoencoder", "1",
             "--iterations-denoiser", "1", "--views", "3", "--device", "cpu", *more]  # fmt: skip
    train_yours.main(words)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder with part.stl, and mine/ and work/ made of it."""
    folder = tmp_path_factory.mktemp("yours")
    trimesh.creation.box((3, 2, 1)).export(folder / "part.stl")
    run(folder)
    return folder


def test_the_node_can_load_the_weights_and_imagine(done):
    renderer = runtime.load(done / "mine", device="cpu")
    assert renderer.name == "onnx"
    test = SrnSplit(done / "work/data/test").instances[0]
    poses = relative_pose(test.poses[0], test.poses[1:])
    views = renderer.generate(test.image(0), poses, samples=2, seed=0, source_pose=test.poses[0])
    assert views.images.shape == (8, 2, 32, 32, 3)
    assert {"autoencoder", "denoiser"} == renderer.config.training.keys()
    assert renderer.config.training["denoiser"]["views"] == 3


def test_the_model_is_measured_on_other_views_of_the_object(done):
    splits = [SrnSplit(done / "work/data" / name).instances[0] for name in ("train", "test")]
    assert len(splits[1]) == 9
    assert not np.isclose(splits[0].poses[:, None], splits[1].poses).all(axis=(2, 3)).any()
    assert runtime.load(done / "mine", device="cpu").config.metrics["counts"]["targets"] == 8
    assert cv2.imread(str(done / "work/evaluation.png")).shape[1] > 96


def test_the_same_command_does_nothing_again_but_says_how_to_start_the_node(done, capsys):
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
def test_what_cannot_be_done_is_said(done, capsys, more, words):
    with pytest.raises(SystemExit) as stop:
        run(done, *more)
    assert stop.value.code == 2
    assert words in capsys.readouterr().err


def test_few_objects_get_more_views_each(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(train_yours, "train_yours", lambda *given: asked.append(given[2].views))
    for k in range(20):
        (tmp_path / f"{k}.stl").touch()
    for meshes in ([tmp_path / "0.stl"], [tmp_path / f"{k}.stl" for k in range(3)], [tmp_path]):
        train_yours.main(["--meshes", *map(str, meshes), "--out", str(tmp_path / "mine")])
    assert asked == [500, 167, 50]
