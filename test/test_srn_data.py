import re

import cv2
import numpy as np
import pytest

from tiny_nvs_ros.geometry import check_pose
from training import cameras
from training.srn import Intrinsics, SrnError, SrnInstance, SrnSplit, write_instance


def pictures(count, size=16, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)


def poses(count, seed=0):
    return cameras.random_views(count, np.random.default_rng(seed))


@pytest.fixture
def split(tmp_path):
    """cars_train with the instances a (3 views) and b (5 views)."""
    for name, views in (("a", 3), ("b", 5)):
        write_instance(
            tmp_path / "cars_train" / name,
            pictures(views),
            poses(views),
            Intrinsics.centred(16.4, 16),
        )
    return tmp_path / "cars_train"


def refuses(message, call):
    with pytest.raises(SrnError, match=re.escape(message)):
        call()


def test_what_is_written_reads_back(split):
    instance = SrnSplit(split).instances[1]
    assert instance.name == "b" and len(instance) == 5
    np.testing.assert_array_equal(instance.images(), pictures(5))
    np.testing.assert_allclose(instance.poses, poses(5), atol=1e-8)
    assert instance.intrinsics == Intrinsics(16.4, 8, 8, 16, 16)


def test_the_layout_is_srns(split):
    assert (split / "a/intrinsics.txt").read_text() == (
        "16.400000 8.000000 8.000000 0.\n0. 0. 0.\n1.\n16 16\n"
    )
    assert len((split / "a/pose/000002.txt").read_text().split()) == 16
    assert (split / "a/rgb/000002.png").is_file()


def test_the_official_archives_load(tmp_path):
    """128x128 RGBA, transparent around the car; poses in one line or in four; extra files."""
    instance = tmp_path / "cars_test" / "1a2b"
    for folder in ("rgb", "pose", "params"):
        (instance / folder).mkdir(parents=True)
    (tmp_path / "cars_test" / "viz.txt").write_text("not an instance")
    (instance / "intrinsics.txt").write_text(
        "131.250000 64.000000 64.000000 0.\n0. 0. 0.\n1.\n128 128\n"
    )
    image = np.zeros((128, 128, 4), np.uint8)
    image[64:, :, 2], image[64:, :, 3] = 255, 255  # BGRA: the lower half is red
    for i, pose in enumerate(poses(2)):
        cv2.imwrite(str(instance / "rgb" / f"{i:06d}.png"), image)
        lines = [" ".join(map(str, row)) for row in pose]
        (instance / "pose" / f"{i:06d}.txt").write_text((" " if i else "\n").join(lines) + "\n")
    loaded = SrnSplit(tmp_path / "cars_test").instances[0]
    assert loaded.intrinsics == Intrinsics(131.25, 64, 64, 128, 128)
    np.testing.assert_allclose(loaded.poses, poses(2))
    view = loaded.image(0, size=32)
    assert view.shape == (32, 32, 3)
    assert view[4, 4].tolist() == [255, 255, 255] and view[28, 4].tolist() == [255, 0, 0]


def test_images_are_reduced_by_area(split):
    instance = SrnInstance(split / "a")
    blocks = pictures(3)[1].reshape(8, 2, 8, 2, 3).mean(axis=(1, 3))
    assert np.abs(instance.image(1, size=8) - blocks).max() <= 1


def test_load_gives_flat_arrays_of_ragged_instances(split):
    views = SrnSplit(split).load(size=8)
    assert views.images.shape == (8, 8, 8, 3) and views.images.dtype == np.uint8
    assert views.offsets.tolist() == [0, 3, 8]
    assert len(views) == 8
    check_pose(views.poses)
    second = SrnInstance(split / "b")
    np.testing.assert_array_equal(views.images[3:], second.images(8))
    np.testing.assert_allclose(views.poses[3:], second.poses, atol=1e-6)


def test_intrinsics_matrix():
    np.testing.assert_array_equal(
        Intrinsics(131.25, 64, 63, 128, 128).matrix, [[131.25, 0, 64], [0, 131.25, 63], [0, 0, 1]]
    )


def test_a_missing_pose_is_named(split):
    (split / "a/pose/000001.txt").unlink()
    refuses("pose/000001.txt: missing (3 images in rgb, 2 poses", lambda: SrnSplit(split))


def test_a_missing_image_is_named(split):
    (split / "b/rgb/000004.png").unlink()
    refuses("rgb/000004.png: missing (4 images in rgb, 5 poses", lambda: SrnSplit(split))


def test_a_missing_pose_folder_is_named(split):
    for path in (split / "a/pose").iterdir():
        path.unlink()
    (split / "a/pose").rmdir()
    refuses("a/pose: missing", lambda: SrnSplit(split))


def test_an_instance_without_images_is_named(split):
    for path in [*(split / "a/rgb").iterdir(), *(split / "a/pose").iterdir()]:
        path.unlink()
    refuses("a/rgb: no .png files", lambda: SrnSplit(split))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 0 0 0 1 0 0 0 1", "000000.txt: has 9 numbers; a pose is 4x4"),
        ("one two", "000000.txt: holds something that is not a number"),
        (" ".join(["nan"] * 16), "000000.txt has values that are not finite"),
        ("2 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "000000.txt is not a rigid transform"),
        ("1 0 0 0 0 1 0 0 0 0 -1 0 0 0 0 1", "000000.txt is not a rigid transform"),
    ],
)
def test_a_bad_pose_is_named_with_the_reason(split, text, message):
    (split / "a/pose/000000.txt").write_text(text)
    refuses(message, lambda: SrnInstance(split / "a").poses)


def test_an_unreadable_image_is_named(split):
    (split / "a/rgb/000002.png").write_bytes(b"\x89PNG truncated")
    refuses("000002.png: not a readable", lambda: SrnSplit(split).load(8))


@pytest.mark.parametrize("text", ["", "131.25 64", "a b c d\n1 1", "1 2 3 0.\n5\n"])
def test_bad_intrinsics_are_named(split, text):
    (split / "a/intrinsics.txt").write_text(text)
    refuses("intrinsics.txt: the first line must be", lambda: SrnInstance(split / "a").intrinsics)


def test_missing_intrinsics_are_named(split):
    (split / "a/intrinsics.txt").unlink()
    refuses("intrinsics.txt: cannot be read", lambda: SrnInstance(split / "a").intrinsics)


def test_a_folder_that_is_not_there(tmp_path):
    refuses("nowhere: no such folder", lambda: SrnSplit(tmp_path / "nowhere"))


def test_an_empty_split(tmp_path):
    refuses("no instances", lambda: SrnSplit(tmp_path))


def test_the_folder_above_the_splits(split):
    refuses("holds splits; give one of them, such as", lambda: SrnSplit(split.parent))


def test_an_instance_in_place_of_a_split(split):
    refuses("is one instance; give the folder above it", lambda: SrnSplit(split / "a"))


def test_an_instance_half_written_is_no_instance(split, tmp_path, monkeypatch):
    monkeypatch.setattr(Intrinsics, "write", lambda self, path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_instance(split / "c", pictures(1), poses(1), Intrinsics.centred(16.4, 16))
    assert [i.name for i in SrnSplit(split).instances] == ["a", "b"]


def test_images_and_poses_of_different_number_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="2 images but 3 poses"):
        write_instance(tmp_path / "x", pictures(2), poses(3), Intrinsics.centred(16.4, 16))
