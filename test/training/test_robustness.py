import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

pytest.importorskip("skimage")
pytest.importorskip("moderngl")

from tiny_nvs_ros.image import on_white, resize
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.srn_data import Intrinsics, SrnSplit, write_instance
from training import evaluate, robustness
from training.data.cameras import at_distances, random_views
from training.data.mesh_builder import MeshBuilder
from training.data.renderer import Renderer
from training.data.scene import Scene
from training.eval.disturbances import (
    Disturbance,
    DisturbedViews,
    disturb,
    moved_cameras,
    rows,
    stripes,
)

AMBIENT = Scene(lights=(), sky=(1.0, 1.0, 1.0), ground=(1.0, 1.0, 1.0), contact=0.0, specular=0.0)


def box(offset=(0, 0, 0), scale=1.0):
    builder = MeshBuilder()
    builder.box((0, 0, 0), (0.6, 0.5, 0.4), (0.8, 0.1, 0.1))
    builder.box((0.2, 0.1, 0.25), (0.1, 0.1, 0.1), (0.1, 0.6, 0.2))
    mesh = builder.build()
    return replace(mesh, vertices=(mesh.vertices - offset) / scale)


def write_split(folder, radii, views=4, names=("one", "two"), seed=0):
    for k, name in enumerate(names):
        poses = random_views(views, np.random.default_rng([seed, k]))
        poses, focal = at_distances(poses, np.full(views, radii))
        images, depths = Renderer(64).render_with_depth([box()], poses, AMBIENT, focal * 64)
        lenses = [Intrinsics.centred(64 * f, 64) for f in focal]
        write_instance(folder / name, images, poses, lenses, depths)
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Splits with cameras at 2.6 and 5 radii, and untrained models."""
    folder = tmp_path_factory.mktemp("world")
    write_split(folder / "near", 2.6)
    write_split(folder / "far", 5.0)
    torch.manual_seed(0)
    NovelViewModel.from_preset("objects").save_pretrained(folder / "objects")
    NovelViewModel.from_preset("paper").save_pretrained(folder / "paper")
    return folder


def run(world, out, *arguments, weights="objects"):
    words = ["--weights", world / weights, "--data", world / "near", "--json", out]
    robustness.main([str(word) for word in (*words, "--samples", 2, *arguments)])
    return json.loads(out.read_text())["cases"]


def views_of(world, disturbance, split="near"):
    instance = SrnSplit(world / split, keep_distance=True).instances[0]
    return DisturbedViews(instance, disturbance, 32, [0, 1])


@pytest.mark.parametrize("how", [Disturbance(offset=0.08), Disturbance(radius=1.25)])
@pytest.mark.parametrize("split, radii", [("near", 2.6), ("far", 5.0)])
def test_warped_truth_is_what_a_camera_on_the_wrong_frame_renders(world, how, split, radii):
    views = views_of(world, how, split)
    eye = views.instance.poses[:, :3, 3]
    offset = eye[0] - how.radius * views.poses[0, :3, 3]
    poses, lens = views.poses, 1.025390625 / 1.3 * np.linalg.norm(views.poses[:, :3, 3], axis=-1)
    meshes = [box(offset, how.radius)]
    rendered = Renderer(128).render(meshes, poses, AMBIENT, lens * 128)
    for index, image in enumerate(rendered):
        truth = resize(on_white(image), 32).astype(float)
        assert np.square(views.truth(index) - truth).mean() < 0.02**2 * 255**2
        still = views.instance.image(index, 32)
        assert np.square(still - truth).mean() > 0.08**2 * 255**2


def test_offset_is_in_diagonals_of_the_bounding_box(world):
    before = SrnSplit(world / "near", keep_distance=True).instances[0].poses
    after = views_of(world, Disturbance(offset=0.08)).poses
    distances = np.linalg.norm(before[:, :3, 3] - after[:, :3, 3], axis=-1)
    np.testing.assert_allclose(distances, 0.08)


def test_moved_camera_is_nearer_if_the_radius_is_too_large(world):
    poses = SrnSplit(world / "near", keep_distance=True).instances[0].poses
    moved = moved_cameras(poses, np.zeros(3), 1.25)
    np.testing.assert_allclose(moved[:, :3, 3], poses[:, :3, 3] / 1.25)
    np.testing.assert_allclose(moved[:, :3, :3], poses[:, :3, :3], atol=1e-6)


def premultiplied():
    rgba = np.zeros((64, 64, 4), np.float32)
    rgba[16:48, 16:48] = 0.5, 0.3, 0.1, 1.0
    return rgba


def test_no_disturbance_leaves_the_source_as_it_is():
    image = disturb(premultiplied(), Disturbance(), np.random.default_rng(0), 2)
    white = premultiplied()[..., :3] + 1 - premultiplied()[..., 3:]
    np.testing.assert_allclose(on_white(image), 255 * white, atol=1)


@pytest.mark.parametrize("title, how", list(rows([]).items()))
def test_each_disturbance_of_sources_changes_them_and_no_truth(world, title, how):
    views, clean = views_of(world, how), views_of(world, Disturbance())
    if title == "undisturbed":
        np.testing.assert_array_equal(views.source(0, True), clean.source(0, True))
    else:
        assert np.abs(views.source(0, True).astype(int) - clean.source(0, True)).max() > 5
    if not how.moves_frame:
        np.testing.assert_array_equal(views.truth(1), clean.truth(1))


@pytest.mark.parametrize("pixels", [-2, 1])
def test_mask_is_dilated_or_eroded_by_pixels_of_the_model(pixels):
    image = disturb(premultiplied(), Disturbance(mask=pixels), np.random.default_rng(0), 2)
    width = (image[32, :, 3] > 127).sum()
    assert width == 32 + 2 * 2 * pixels


def test_pixels_of_hardly_any_object_show_the_background():
    """Resampling leaves such pixels beside silhouettes; they have no colour of their own."""
    rgba = premultiplied()
    rgba[10] = 1e-5
    image = disturb(rgba, Disturbance(noise=1e-6), np.random.default_rng(0), 2)
    np.testing.assert_allclose(image[10], image[0], atol=1)


def test_stripes_are_of_two_colours():
    first = np.array([0.1, 0.5, 0.9])
    image = stripes(first, 64, 2.0, np.random.default_rng(0))
    colors, counts = np.unique(image.reshape(-1, 3), axis=0, return_counts=True)
    assert len(colors) == 2 and (colors == first).all(axis=1).any() and min(counts) > 0.25 * 64**2


def test_robot_has_every_disturbance_at_its_first_level():
    robot = rows([5.0, 8.0])["robot"]
    assert robot == Disturbance(
        offset=0.04,
        radius=0.9,
        farther=1,
        mask=-1,
        exposure=0.7,
        white_balance=0.1,
        blur=0.8,
        noise=0.03,
        jpeg=50,
        resolution=16,
    )


def test_undisturbed_row_has_the_numbers_of_evaluate(world, tmp_path):
    words = "--input-views", 0, 2, "--sources", 2
    (case,) = run(world, tmp_path / "robust.json", *words)
    report = case["disturbances"]["undisturbed"]
    words = ["--weights", world / "objects", "--data", world / "near", "--samples", 2, *words]
    evaluate.main([str(word) for word in (*words, "--json", tmp_path / "evaluation.json")])
    expected = json.loads((tmp_path / "evaluation.json").read_text())
    assert report["psnr"] == pytest.approx(expected["model"]["psnr_mean2"])
    assert report["spread_skill"] == pytest.approx(expected["model"]["spread_skill"])
    assert report["copy_psnr"] == pytest.approx(expected["copy_input"]["psnr"])
    assert report["lost"] == 0


def test_same_command_gives_the_same_numbers_and_a_picture(world, tmp_path, capsys):
    words = "--farther", world / "far", "--instances", 1, "--picture", tmp_path / "picture.png"
    first, second = (run(world, tmp_path / f"{k}.json", *words) for k in range(2))
    assert first == second
    disturbances = first[0]["disturbances"]
    assert "cameras at 5 object radii" in disturbances
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len({len(line) for line in printed}) == 1
    picture = cv2.imread(str(tmp_path / "picture.png"))
    assert picture.shape[0] > 96 * len(disturbances)


def test_model_of_one_source_and_one_distance_is_evaluated(world, tmp_path):
    words = "--steps", 1, "--instances", 1, "--views", 1, "--farther", world / "far"
    (case,) = run(world, tmp_path / "report.json", *words, weights="paper")
    assert case["disturbances"].keys() == rows([5.0]).keys()


def test_numbers_of_sources_and_a_compared_model_stand_in_one_table(world, tmp_path, capsys):
    words = "--input-views", 0, 1, 2, "--sources", 1, 3, "--compare", world / "other"
    NovelViewModel.from_pretrained(world / "objects").save_pretrained(world / "other")
    one, three, other = run(world, tmp_path / "report.json", *words, "--instances", 1)
    assert [case["sources"] for case in (one, three, other)] == [1, 3, 1]
    assert other["disturbances"] == one["disturbances"] != three["disturbances"]
    header = capsys.readouterr().out.splitlines()[0]
    titles = [f"{name}: PSNR, dB" for name in ("objects, 1", "objects, 3", "other, 1")]
    assert [word.strip() for word in header.split("|")][2:10:3] == titles


@pytest.mark.parametrize(
    "words, reason",
    [
        (["--samples", "1"], "--samples must be at least 2"),
        (["--sources", "2", "--input-views", "0", "1"], "the architecture paper takes one source"),
        (["--farther", "{lonely}"], "lonely: does not hold two"),
        (["--farther", "{others}"], "one: does not have the views of"),
        (["--picture", "no/where.png"], "there is no folder"),
    ],
)
def test_invalid_input_ends_with_one_line_that_names_it(world, tmp_path, capsys, words, reason):
    write_split(tmp_path / "lonely", 5.0, names=("one",))
    write_split(tmp_path / "others", 5.0, seed=1)
    folders = {name: tmp_path / name for name in ("lonely", "others")}
    given = (word.format(**folders) for word in words)
    with pytest.raises(SystemExit) as stop:
        run(world, tmp_path / "r.json", "--steps", 1, "--views", 1, *given, weights="paper")
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert reason in error and "Traceback" not in error
