import json
import shutil

import cv2
import numpy as np
import pytest
from srn_inputs import random_images, random_poses, refuses, write_split

from tiny_nvs_ros.geometry import check_pose
from tiny_nvs_ros.image import resize
from tiny_nvs_ros.srn_data import (
    Intrinsics,
    SrnInstance,
    SrnSplit,
    find_instance,
    write_instance,
)


@pytest.fixture
def split(tmp_path):
    """cars_train with the instances a (3 views) and b (5 views)."""
    return write_split(tmp_path / "cars_train")


def test_written_instance_is_read_back(split):
    instance = SrnSplit(split).instances[1]
    assert instance.name == "b" and len(instance) == 5
    np.testing.assert_array_equal(instance.images(), random_images(5))
    np.testing.assert_allclose(instance.poses, random_poses(5), atol=1e-8)
    assert instance.intrinsics == Intrinsics(16.4, 8, 8, 16, 16)


def test_written_files_follow_the_srn_layout(split):
    assert (split / "a/intrinsics.txt").read_text() == (
        "16.400000 8.000000 8.000000 0.\n0. 0. 0.\n1.\n16 16\n"
    )
    assert len((split / "a/pose/000002.txt").read_text().split()) == 16
    assert (split / "a/rgb/000002.png").is_file()


def test_official_archives_are_read(tmp_path):
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
    for i, pose in enumerate(random_poses(2)):
        cv2.imwrite(str(instance / "rgb" / f"{i:06d}.png"), image)
        lines = [" ".join(map(str, row)) for row in pose]
        (instance / "pose" / f"{i:06d}.txt").write_text((" " if i else "\n").join(lines) + "\n")
    loaded = SrnSplit(tmp_path / "cars_test").instances[0]
    assert loaded.intrinsics == Intrinsics(131.25, 64, 64, 128, 128)
    np.testing.assert_allclose(loaded.poses, random_poses(2))
    view = loaded.image(0, size=32)
    assert view.shape == (32, 32, 3)
    assert view[4, 4].tolist() == [255, 255, 255] and view[28, 4].tolist() == [255, 0, 0]


def test_images_are_reduced_by_area(split):
    instance = SrnInstance(split / "a")
    blocks = random_images(3)[1].reshape(8, 2, 8, 2, 3).mean(axis=(1, 3))
    assert np.abs(instance.image(1, size=8) - blocks).max() <= 1


def test_load_returns_flat_arrays_of_ragged_instances(split):
    views = SrnSplit(split).load(size=8)
    assert views.images.shape == (8, 8, 8, 3) and views.images.dtype == np.uint8
    assert views.offsets.tolist() == [0, 3, 8]
    assert len(views) == 8
    check_pose(views.poses)
    second = SrnInstance(split / "b")
    np.testing.assert_array_equal(views.images[3:], second.images(8))
    np.testing.assert_allclose(views.poses[3:], second.poses, atol=1e-6)


def test_missing_pose_is_named(split):
    (split / "a/pose/000001.txt").unlink()
    refuses("pose/000001.txt: missing (3 images in rgb, 2 files in pose", lambda: SrnSplit(split))


def test_missing_image_is_named(split):
    (split / "b/rgb/000004.png").unlink()
    refuses("rgb/000004.png: missing (4 images in rgb, 5 files in pose", lambda: SrnSplit(split))


def test_missing_pose_folder_is_named(split):
    for path in (split / "a/pose").iterdir():
        path.unlink()
    (split / "a/pose").rmdir()
    refuses("a/pose: missing", lambda: SrnSplit(split))


def test_images_of_another_format_are_named_with_a_remedy(split):
    for path in (split / "b/rgb").iterdir():
        path.rename(path.with_suffix(".jpg"))
    refuses("no .png files (there: .jpg; convert them)", SrnSplit, split)


def test_instance_without_images_is_named(split):
    for path in [*(split / "a/rgb").iterdir(), *(split / "a/pose").iterdir()]:
        path.unlink()
    refuses("a/rgb: no .png files", lambda: SrnSplit(split))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 0 0 0 1 0 0 0 1", "000000.txt: has 9 numbers; a pose is 4x4"),
        ("one two", "000000.txt: holds something that is not a number"),
        (
            "1 0 0 0\n0 1 0 0\n0 0 1 2\n",
            "has 12 numbers; a pose is 4x4, 16 numbers: append the row",
        ),
        (" ".join(["nan"] * 16), "000000.txt has values that are not finite"),
        ("2 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "000000.txt is not a rigid transform"),
        ("1 0 0 0 0 1 0 0 0 0 -1 0 0 0 0 1", "000000.txt is not a rigid transform"),
    ],
)
def test_invalid_pose_is_named_with_the_reason(split, text, message):
    (split / "a/pose/000000.txt").write_text(text)
    refuses(message, lambda: SrnInstance(split / "a").poses)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG truncated", "000002.png: not a readable"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
            "000002.png: is a git-lfs pointer, not the image",
        ),
        (
            cv2.imencode(".png", np.zeros((16, 16, 3), np.uint16))[1].tobytes(),
            "000002.png: has 16 bits a channel",
        ),
    ],
)
def test_unreadable_image_is_named(split, content, message):
    (split / "a/rgb/000002.png").write_bytes(content)
    refuses(message, lambda: SrnSplit(split).load(8))


def test_names_of_images_may_end_in_capitals(split):
    for path in (split / "a/rgb").iterdir():
        path.rename(path.with_suffix(".PNG"))
    assert len(SrnInstance(split / "a").images(8)) == 3
    shutil.copy(split / "a/rgb/000000.PNG", split / "a/rgb/000000.png")
    refuses("a/rgb: some names differ in upper and lower case", SrnSplit, split)


def test_text_files_may_start_with_a_byte_order_mark(split):
    for path in (split / "a/pose/000000.txt", split / "a/intrinsics.txt"):
        path.write_text(path.read_text(), encoding="utf-8-sig")
    assert len(SrnInstance(split / "a").poses) == 3


@pytest.mark.parametrize("text", ["", "131.25 64", "a b c d\n1 1", "1 2 3 0.\n5\n"])
def test_invalid_intrinsics_are_named(split, text):
    (split / "a/intrinsics.txt").write_text(text)
    refuses("intrinsics.txt: the first line must be", lambda: SrnInstance(split / "a").intrinsics)


def test_missing_intrinsics_are_named(split):
    (split / "a/intrinsics.txt").unlink()
    refuses("intrinsics.txt: cannot be read", lambda: SrnInstance(split / "a").intrinsics)


def test_missing_folder_is_refused(tmp_path):
    refuses("nowhere: no such folder", lambda: SrnSplit(tmp_path / "nowhere"))


def test_empty_split_is_refused(tmp_path):
    refuses("no instances", lambda: SrnSplit(tmp_path))


def test_folder_above_the_splits_is_refused_with_a_hint(split):
    refuses("holds splits; give one of them, such as", lambda: SrnSplit(split.parent))


def test_instance_instead_of_a_split_is_refused_with_a_hint(split):
    refuses("is one instance; give the folder above it", lambda: SrnSplit(split / "a"))


def test_partially_written_instance_is_ignored(split, tmp_path, monkeypatch):
    monkeypatch.setattr(Intrinsics, "write", lambda self, path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_instance(split / "c", random_images(1), random_poses(1), Intrinsics.centred(16.4, 16))
    assert [i.name for i in SrnSplit(split).instances] == ["a", "b"]


def test_images_and_poses_of_different_number_are_refused(tmp_path):
    with pytest.raises(ValueError, match="2 images but 3 poses"):
        write_instance(
            tmp_path / "x", random_images(2), random_poses(3), Intrinsics.centred(16.4, 16)
        )


# Alpha and depth


def test_alpha_is_kept_on_request(tmp_path):
    rgba = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 4), np.uint8)
    rgba[0, :8] = 0
    write_instance(tmp_path / "s/x", rgba, random_poses(2), Intrinsics.centred(16.4, 16))
    instance = SrnInstance(tmp_path / "s/x")
    np.testing.assert_array_equal(instance.images(alpha=True), rgba)
    np.testing.assert_array_equal(instance.image(0)[:8], 255)
    assert instance.image(0).shape == (16, 16, 3)
    assert SrnSplit(tmp_path / "s").load(8, alpha=True).images.shape == (2, 8, 8, 4)


def test_image_without_alpha_is_named_if_alpha_is_asked_for(split):
    refuses("000000.png: has no alpha", SrnSplit(split).load, 8, alpha=True)


def test_colours_of_a_resized_rgba_image_are_weighted_by_alpha():
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[:, :1] = (200, 100, 0, 255)  # a quarter of the pixels; the rest is transparent black
    np.testing.assert_array_equal(resize(rgba, 1), [[[200, 100, 0, 64]]])
    assert (resize(rgba[:2], 4)[[0, 3], :, 3] == 0).all()  # padding is transparent


def test_depth_is_read_back_to_its_unit(tmp_path):
    depths = np.random.default_rng(0).uniform(0.8, 1.8, (2, 16, 16))
    depths[0, :8], depths[1, 0, 0] = np.nan, np.inf
    lens = Intrinsics.centred(16.4, 16)
    write_instance(tmp_path / "s/x", random_images(2), random_poses(2), lens, depths=depths)
    instance = SrnInstance(tmp_path / "s/x")
    assert instance.has_depth
    expected = np.where(np.isfinite(depths), depths, np.nan)
    np.testing.assert_allclose(instance.depths(), expected, atol=1.1e-4)
    views = SrnSplit(tmp_path / "s").load(8, depth=True)
    assert views.depths.shape == (2, 8, 8) and np.isnan(views.depths[0, :4]).all()
    blocks = depths[1].reshape(8, 2, 8, 2).mean(axis=(1, 3))[1:]
    np.testing.assert_allclose(views.depths[1, 1:], blocks, atol=2e-4)


def test_reduced_depth_averages_the_object_alone(tmp_path):
    depths = np.full((1, 16, 16), np.nan)
    depths[0, :, :3] = 1.2  # of the second pair of columns half is the object
    depths[0, 0, 4] = 1.2  # of this block a quarter
    lens = Intrinsics.centred(16.4, 16)
    write_instance(tmp_path / "x", random_images(1), random_poses(1), lens, depths)
    reduced = SrnInstance(tmp_path / "x").depth(0, 8)
    np.testing.assert_allclose(reduced[:, :2], 1.2, atol=2e-4)
    assert np.isnan(reduced[:, 2:]).all()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda x: (x / "depth.json").unlink(), "depth.json: must be"),
        (lambda x: (x / "depth.json").write_text('{"unit": 0}'), "depth.json: must be"),
        (lambda x: (x / "depth/000000.png").unlink(), "depth/000000.png: not a readable 16-bit"),
        (
            lambda x: cv2.imwrite(str(x / "depth/000000.png"), np.zeros((16, 16), np.uint8)),
            "depth/000000.png: not a readable 16-bit",
        ),
    ],
)
def test_invalid_depth_is_named(tmp_path, spoil, words):
    lens = Intrinsics.centred(16.4, 16)
    write_instance(tmp_path / "x", random_images(1), random_poses(1), lens, np.ones((1, 16, 16)))
    spoil(tmp_path / "x")
    refuses(words, lambda: SrnInstance(tmp_path / "x").depth(0))


def test_depth_in_another_unit_than_the_poses_is_refused(tmp_path):
    lens = Intrinsics.centred(16.4, 16)
    path, depths = tmp_path / "x", np.full((1, 16, 16), 1.3)
    write_instance(path, random_images(1), random_poses(1), lens, depths)
    assert (SrnInstance(path).depth(0) > 1).all()
    unit = json.loads((path / "depth.json").read_text())["unit"]
    for factor in (1000, 0.001):
        (path / "depth.json").write_text(json.dumps({"unit": factor * unit}))
        refuses("check the unit in x/depth.json", lambda: SrnInstance(path).depth(0))
        assert SrnInstance(path, camera=None).depth(0).shape == (16, 16)


def test_depth_that_does_not_fit_is_refused(tmp_path):
    lens = Intrinsics.centred(16.4, 16)
    with pytest.raises(ValueError, match=r"must be 0 to 13.107"):
        write_instance(
            tmp_path / "x", random_images(1), random_poses(1), lens, np.full((1, 16, 16), 14.0)
        )


# Finding an instance


def test_instance_is_found_up_to_two_levels_below_a_folder(split):
    for folder in (split / "b", split, split.parent):
        assert find_instance(folder, "b") == split / "b"
    assert find_instance(split).name == "a"


def test_unknown_instance_is_refused_with_the_names(split, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no instance 'c' in .*: there is a, b"):
        find_instance(split, "c")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="holds no object"):
        find_instance(tmp_path / "empty")
