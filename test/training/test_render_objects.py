import cv2
import numpy as np
import pytest

pytest.importorskip("moderngl")

from tiny_nvs_ros.srn_data import SrnSplit
from training.data import render_objects
from training.data.objects import family_of, preview


def render(out, *arguments):
    render_objects.main(["--out", str(out), "--size", "16", "--workers", "1", *arguments])
    return out / "objects_train"


def content(split):
    return {p.relative_to(split): p.read_bytes() for p in split.rglob("*") if p.is_file()}


def test_output_is_a_split_with_an_object_in_each_image(tmp_path):
    split = SrnSplit(render(tmp_path, "--instances", "4", "--views", "2"))
    assert [len(instance) for instance in split.instances] == [2] * 4
    for instance in split.instances:
        assert (np.asarray(instance.images()) < 250).any(axis=(1, 2, 3)).all()


def test_object_does_not_depend_on_the_number_of_objects_or_processes(tmp_path):
    many = render(tmp_path / "many", "--instances", "3", "--views", "2", "--workers", "2")
    one = render(tmp_path / "one", "--pick", "2", "--views", "2")
    assert content(one).items() <= content(many).items()


def test_only_objects_of_the_given_families_are_rendered(tmp_path):
    family = family_of(0, 3)
    split = render(tmp_path, "--instances", "5", "--views", "1", "--families", family)
    numbers = [int(folder.name.split("_")[-1]) for folder in split.glob("object_*")]
    assert sorted(numbers) == [i for i in range(5) if family_of(0, i) == family]


def test_unknown_family_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        render(tmp_path, "--instances", "1", "--families", "teapots")
    assert "teapots" in capsys.readouterr().err


def test_preview_draws_a_contact_sheet(tmp_path):
    out = tmp_path / "sheet.png"
    preview.main(
        ["--out", str(out), "--families", "mug", "can", "--count", "2", "--size", "16",
         "--columns", "2"]
    )  # fmt: skip
    sheet = cv2.imread(str(out))
    assert sheet.shape == (32, 32, 3)
    assert all((tile < 250).any() for row in np.split(sheet, 2) for tile in np.split(row, 2, 1))
