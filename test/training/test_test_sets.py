"""Training commands refuse test sets."""

import pytest
from srn_inputs import write_split

pytest.importorskip("moderngl")

from training import gpu_run, train, train_multiview, train_yours
from training.data import render_dataset
from training.data.mesh_builder import MeshBuilder
from training.data.test_sets import refuse_test_sets


def of_training(folder):
    """The commands that read training data from a folder, by name."""
    return {
        "train": (train.main, ["autoencoder", "--data", folder]),
        "train_yours --meshes": (train_yours.main, ["--meshes", folder]),
        "train_yours --data": (train_yours.main, ["--data", folder]),
        "train_multiview": (train_multiview.main, ["--data", folder]),
        "gpu_run": (gpu_run.main, ["pack", "--meshes", folder]),
    }


@pytest.mark.parametrize("name", ["ycb_5", "kenney_car_kit", "photos", "cars_test"])
@pytest.mark.parametrize("command", of_training(""))
def test_training_commands_refuse_test_sets(tmp_path, capsys, command, name):
    write_split(tmp_path / name)
    main, words = of_training(tmp_path / name)[command]
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in (*words, "--out", tmp_path / "out")])
    error = capsys.readouterr().err
    assert stop.value.code == 2 and error.count("\n") == 1
    assert f"{tmp_path / name}: is a test set" in error


def test_folder_that_holds_a_test_set_is_refused(tmp_path):
    (tmp_path / "meshes/ycb/mug").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"meshes/ycb: is a test set"):
        refuse_test_sets(tmp_path / "meshes")


def test_file_of_a_test_set_is_refused(tmp_path):
    (tmp_path / "ycb").mkdir()
    (tmp_path / "ycb/mug.ply").touch()
    with pytest.raises(ValueError, match="ycb: is a test set"):
        refuse_test_sets(tmp_path / "ycb/mug.ply")


@pytest.mark.parametrize("path", ["ycb/mug", "ycb/002_can/google_16k", "mine/a/b/c"])
def test_folder_inside_a_test_set_is_refused(tmp_path, path):
    (tmp_path / path).mkdir(parents=True)
    if path.startswith("mine"):
        refuse_test_sets(tmp_path / path)
        (tmp_path / "mine/test_only").touch()
    (tmp_path / path / "textured.obj").touch()
    for inside in (tmp_path / path, tmp_path / path / "textured.obj"):
        with pytest.raises(ValueError, match=r"(ycb|mine): is a test set"):
            refuse_test_sets(inside)


def test_rendered_test_set_is_refused_under_another_name_too(tmp_path):
    def load():
        builder = MeshBuilder()
        builder.box((0, 0, 0), (0.6, 0.5, 0.4), (0.8, 0.1, 0.1))
        return [builder.build()]

    settings = render_dataset.Settings(seed=0, views=1, size=8, trajectory="random")
    items = [render_dataset.RenderItem("box", 0, load)]
    for name in ("mine_test", "mine"):
        render_dataset.render_dataset(tmp_path / name, items, settings, 1)
    refuse_test_sets(tmp_path / "mine")
    (tmp_path / "mine_test").rename(tmp_path / "other")
    with pytest.raises(ValueError, match="other: is a test set"):
        refuse_test_sets(tmp_path / "other")
