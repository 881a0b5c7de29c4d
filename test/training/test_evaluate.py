import json

import cv2
import numpy as np
import pytest
import torch

pytest.importorskip("skimage")

from tiny_nvs_ros.geometry import SRN_CAMERA, eye_at, look_at
from tiny_nvs_ros.model import NovelViewModel, ViewSamples
from tiny_nvs_ros.srn_data import Intrinsics, SrnSplit, Views, write_instance
from training import evaluate
from training.data import cameras
from training.data.cameras import at_distances
from training.eval import baselines
from training.eval.maps import Maps, alpha_iou, map_scores
from training.eval.methods import Methods, MethodViews, Protocol, model_poses
from training.eval.scores import score

QUICK = ["--input-view", "1", "--samples", "3", "--steps", "2"]


def write_split(path, seed, instances, views=5):
    """Objects that are a coloured disc wherever one looks from."""
    rng = np.random.default_rng(seed)
    path.mkdir()
    for k in range(instances):
        images = np.full((views, 32, 32, 3), 255, np.uint8)
        for image in images:
            centre = tuple(int(v) for v in rng.integers(12, 20, 2))
            cv2.circle(image, centre, 9, tuple(int(v) for v in rng.integers(0, 200, 3)), -1)
        poses = cameras.random_views(views, rng)
        write_instance(
            path / f"disc_{k}", images, poses, Intrinsics.centred(SRN_CAMERA.focal * 32, 32)
        )
    return path


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder with the splits test and train, and an untrained model and regressor."""
    folder = tmp_path_factory.mktemp("world")
    write_split(folder / "test", 0, 3)
    write_split(folder / "train", 1, 4)
    write_split(folder / "lonely", 2, 1, views=1)
    torch.manual_seed(0)
    model = NovelViewModel.from_preset("paper")
    model.save_pretrained(folder / "weights")
    model.config.training["regressor"] = {"iterations": 0}
    model.save_pretrained(folder / "regressor")
    return folder


@pytest.fixture(scope="module")
def objects(world):
    """The world with an untrained multi-view model, and discs with alpha and depth.

    The discs are half transparent and stand at the object's centre; cameras are 5 radii away.
    """
    poses, focal = at_distances(cameras.random_views(6, np.random.default_rng(0)), np.full(6, 5.0))
    lenses = [Intrinsics.centred(f * 32, 32) for f in focal]
    images, depths = np.zeros((6, 32, 32, 4), np.uint8), np.zeros((6, 32, 32))
    for k, (image, depth) in enumerate(zip(images, depths, strict=True)):
        cv2.circle(image, (16, 16), 6 + k, (40 * k, 80, 200, 128), -1)
        depth[image[..., 3] > 0] = 2.5
    write_instance(world / "rgba" / "disc", images, poses, lenses, depths)
    torch.manual_seed(0)
    NovelViewModel.from_preset("objects").save_pretrained(world / "objects")
    return world


def run_objects(objects, out, *arguments):
    files = "--weights", objects / "objects", "--data", objects / "rgba", "--steps", 1
    return run(objects, out, *files, *arguments)


def run(world, out, *arguments):
    files = {"--weights": world / "weights", "--data": world / "test", "--json": out}
    words = [str(word) for pair in files.items() for word in pair]
    evaluate.main([*words, *QUICK, *map(str, arguments)])
    return json.loads(out.read_text())


@pytest.fixture(scope="module")
def whole(world, tmp_path_factory):
    """The report of everything, and its picture."""
    folder = tmp_path_factory.mktemp("whole")
    extras = ["--train-data", world / "train", "--regressor", world / "regressor"]
    report = run(world, folder / "report.json", *extras, "--picture", folder / "picture.png")
    return report, cv2.imread(str(folder / "picture.png"))


def test_report_has_every_metric_of_every_method(whole):
    report, _ = whole
    for method in (
        "model",
        "copy_input",
        "mean_view",
        "nearest_neighbour",
        "regressor",
        "autoencoder",
    ):
        assert {"psnr", "ssim", "delta_e", "iou"} <= report[method].keys()
    of_samples = {"psnr_mean3", "psnr_best3", "spread_skill", "spread_skill_colour"}
    assert of_samples <= report["model"].keys()
    assert report["counts"] == {"instances": 3, "targets": 12, "samples": 3}
    assert report["seconds"] > 0 and "cpu" in report["device"] and "torch" in report["versions"]


@pytest.mark.parametrize("noise, share", [((1, 1, 1), 0), ((1, 0, -1), 1), ((2, -1, -1), 1)])
def test_colour_variance_is_the_share_of_the_variance_off_grey(noise, share):
    rng = np.random.default_rng(0)
    truths = rng.integers(100, 150, (2, 32, 32, 3), np.uint8)
    noise = rng.integers(-20, 20, (2, 4, 32, 32, 1)) * noise
    noise[:, 2:] = -noise[:, :2]
    views = ViewSamples((truths[:, None] + noise + [12, 7, 2]).astype(np.uint8))
    scores = score(MethodViews(truths[0], truths, {"model": views}, {}))["model"]
    assert np.allclose(scores["colour_variance"], share * scores["variance"], atol=1e-9)
    assert np.allclose(scores["colour_squared_error"], 50 / 3 / 255**2)


def test_best_is_the_nearest_sample_and_mean_is_of_the_mean_image():
    truths = np.full((1, 32, 32, 3), 100, np.uint8)
    samples = np.stack([truths + 20, truths + 5, truths - 10], axis=1)
    scores = score(MethodViews(truths[0], truths, {"model": ViewSamples(samples)}, {}))["model"]
    for name, error in (("psnr", 20), ("psnr_best3", 5), ("psnr_mean3", 5)):
        assert scores[name] == pytest.approx(20 * np.log10(255 / error), abs=1e-3)


def test_flow_is_evaluated_without_and_with_the_heading(world, tmp_path, capsys):
    torch.manual_seed(0)
    model = NovelViewModel.from_preset(
        "fast",
        autoencoder={"widths": [8, 16, 32], "latent_channels": 4},
        denoiser={"channels": 32, "depth": 1, "heads": 2},
    )
    with torch.no_grad():
        for parameter in model.denoiser.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(tmp_path / "weights")
    model.config.training["regressor"] = {}
    model.save_pretrained(tmp_path / "regressor")
    files = ["--weights", tmp_path / "weights", "--regressor", tmp_path / "regressor"]
    picture = ["--picture", tmp_path / "picture.png"]
    report = run(world, tmp_path / "report.json", *files, *picture)
    assert report["model_heading"].keys() == report["model"].keys()
    assert report["model_heading"] != report["model"]
    assert report["regressor_heading"] != report["regressor"]
    printed = capsys.readouterr().out
    assert "model with heading, mean of 3 samples" in printed
    assert "model with heading: spread/skill" in printed


def test_compared_model_is_evaluated_with_its_own_steps(world, tmp_path, capsys):
    report = run(world, tmp_path / "report.json", "--beside", world / "weights")
    assert "| compared model, mean of 3 samples" in capsys.readouterr().out
    alone = run(world, tmp_path / "alone.json", "--steps", "20")
    assert report["compared"] == alone["model"] != report["model"]
    assert report["compared_sampler"] == alone["sampler"] == {"name": "ddim", "steps": 20}
    assert report["autoencoder_compared"] == alone["autoencoder"]


def test_report_leaves_out_baselines_and_sample_metrics_that_are_not_given(world, tmp_path):
    report = run(world, tmp_path / "report.json", "--samples", "1")
    assert not {"mean_view", "nearest_neighbour", "regressor"} & report.keys()
    assert report["model"].keys() == {"psnr", "ssim", "delta_e", "iou"}


def test_same_seed_gives_the_same_numbers(world, whole, tmp_path):
    again, other = (run(world, tmp_path / f"{seed}.json", "--seed", seed) for seed in (0, 1))
    assert again["model"] == whole[0]["model"]
    assert other["model"] != whole[0]["model"]
    assert other["copy_input"] == whole[0]["copy_input"]


def test_psnr_of_the_copied_input_is_that_of_the_input(world, whole):
    scores = []
    for instance in SrnSplit(world / "test").instances:
        images = instance.images() / 255
        errors = [((images[i] - images[1]) ** 2).mean() for i in (0, 2, 3, 4)]
        scores.append(-10 * np.log10(errors))
    assert whole[0]["copy_input"]["psnr"] == pytest.approx(np.mean(scores), rel=1e-5)


def test_views_do_not_depend_on_the_other_targets(world):
    model = NovelViewModel.from_pretrained(world / "weights")
    instance = SrnSplit(world / "test").instances[1]
    methods = Methods(model, Protocol((1,), samples=2, steps=2))
    all_views = methods.show(instance, np.array([0, 2, 3])).views["model"].rgb
    one_view = methods.show(instance, np.array([3])).views["model"].rgb
    assert np.abs(all_views[2:].astype(int) - one_view).max() <= 1


def test_targets_are_all_other_views_or_some_at_even_spacing(world):
    instance = SrnSplit(world / "test").instances[0]
    assert Protocol((1,)).targets(instance).tolist() == [0, 2, 3, 4]
    assert Protocol((1,), views=2).targets(instance).tolist() == [0, 4]


def test_picture_has_rows_for_instances_and_extremes(whole):
    picture = whole[1]
    rows = (picture[:, :130] < 128).any(axis=(1, 2))  # the headings at the left
    assert picture.shape[0] > 5 * 96 and rows.any()
    assert picture.shape[1] > 9 * 96


def test_table_is_printed_with_aligned_rows(world, tmp_path, capsys):
    run(world, tmp_path / "report.json")
    printed = capsys.readouterr().out
    assert "| model, mean of 3 samples" in printed and "spread/skill" in printed
    assert len({len(line) for line in printed.splitlines() if line.startswith("|")}) == 1


def test_card_option_writes_the_report_into_config_json(world, tmp_path):
    model = NovelViewModel.from_pretrained(world / "weights")
    model.save_pretrained(tmp_path / "weights")
    report = run(world, tmp_path / "r.json", "--weights", tmp_path / "weights", "--card")
    assert NovelViewModel.from_pretrained(tmp_path / "weights").config.metrics == report


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--input-view", "64"], "has the views 0 to 4, not 64"),
        (["--weights", "nowhere"], "config.json is missing"),
        (["--data", "nowhere"], "no such folder"),
        (["--data", "{weights}"], "no instances; an instance is a folder with"),
        (["--data", "{lonely}", "--input-view", "0"], "has one view only, which leaves no target"),
        (["--regressor", "{weights}"], "it is no regressor"),
        (["--weights", "{regressor}"], "it is a regressor"),
        (["--picture", "no/where.png"], "there is no folder"),
        (["--sources", "2"], "--sources 2 needs as many source views"),
        (["--sources", "2", "--input-views", "0", "1"], "the architecture paper takes one source"),
        (["--input-views", "0", "0"], "names a view twice"),
        (["--sources", "0"], "--sources must be at least 1"),
        (["--samples", "0"], "--samples must be at least 1"),
        (["--steps", "2000"], "steps is 2000"),
        (["--device", "cuda:99"], "device 'cuda:99' was asked for"),
    ],
)
def test_invalid_input_ends_with_one_line_that_names_it(world, tmp_path, capsys, arguments, words):
    folders = {name: world / name for name in ("weights", "regressor", "lonely")}
    with pytest.raises(SystemExit) as stop:
        run(world, tmp_path / "report.json", *(text.format(**folders) for text in arguments))
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert words in error and "Traceback" not in error


def test_ctrl_c_ends_without_a_traceback(world, tmp_path, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "evaluate", interrupt)
    with pytest.raises(SystemExit) as stop:
        run(world, tmp_path / "report.json")
    assert stop.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_several_numbers_of_sources_are_evaluated_on_the_same_targets(objects, tmp_path, capsys):
    words = "--input-views", 4, 0, 2, "--sources", 1, 3
    report = run_objects(objects, tmp_path / "report.json", *words)
    assert report["counts"]["targets"] == 3
    by_sources = report["by_sources"]
    assert by_sources.keys() == {"1", "3"} and by_sources["1"]["model"] == report["model"]
    assert by_sources["3"]["model"] != report["model"]
    rows = [line.split("|")[1:3] for line in capsys.readouterr().out.splitlines()]
    models = [sources.strip() for sources, method in rows if method.strip() == "model"]
    assert models == ["1", "3"]
    alone = run_objects(objects, tmp_path / "alone.json", *words[:-2], 3)
    assert alone["model"] == by_sources["3"]["model"] and "by_sources" not in alone


def test_compared_model_is_left_out_for_numbers_of_sources_that_it_does_not_take(objects, tmp_path):
    words = "--input-views", 4, 0, "--sources", 1, 2, "--compare", objects / "weights"
    by_sources = run_objects(objects, tmp_path / "report.json", *words)["by_sources"]
    assert "compared" in by_sources["1"] and "compared" not in by_sources["2"]


def test_copied_source_is_the_one_that_looks_most_nearly_from_the_target(objects):
    instance = SrnSplit(objects / "rgba", keep_distance=True).instances[0]
    model = NovelViewModel.from_pretrained(objects / "objects")
    shown = Methods(model, Protocol((4, 0, 2), 3, samples=1)).show(instance, np.array([1, 3, 5]))
    axes = instance.poses[:, :3, 2]
    for target, copy in zip((1, 3, 5), shown.others["copy_input"], strict=True):
        nearest = max((4, 0, 2), key=lambda i: axes[i] @ axes[target])
        np.testing.assert_array_equal(copy, instance.image(nearest))


def test_alpha_and_depth_of_a_model_are_scored_if_the_data_has_them(objects, tmp_path, capsys):
    report = run_objects(objects, tmp_path / "report.json")
    names = {"alpha_iou", "alpha_iou_mean3", "depth_error_mean3", "depth_relative_error_mean3"}
    assert names | {"spread_skill_alpha", "spread_skill_depth"} <= report["model"].keys()
    assert report["copy_input"]["depth_error"] == pytest.approx(0, abs=1e-3)
    assert "autoencoder" not in report
    assert "depth, radii" in capsys.readouterr().out
    without = run_objects(objects, tmp_path / "report.json", "--data", objects / "test")
    assert not {"alpha_iou", "depth_error", "spread_skill_alpha"} & without["model"].keys()


def test_no_alpha_gives_sources_on_white(objects, tmp_path):
    with_alpha = run_objects(objects, tmp_path / "with.json")
    without = run_objects(objects, tmp_path / "without.json", "--no-alpha")
    assert without["model"]["psnr"] != with_alpha["model"]["psnr"]
    assert without["copy_input"] == with_alpha["copy_input"]


def test_models_of_one_distance_get_cameras_at_it_and_others_their_own(objects):
    (instance,) = SrnSplit(objects / "rgba", keep_distance=True).instances
    for name, radii in (("objects", 5), ("weights", 2.6)):
        poses = model_poses(NovelViewModel.from_pretrained(objects / name), instance.poses)
        np.testing.assert_allclose(np.linalg.norm(poses[:, :3, 3], axis=-1), radii / 2)


def test_depth_is_scored_inside_the_silhouette_relative_to_the_distance():
    alpha = np.zeros((1, 1, 4, 4), np.float32)
    alpha[..., :2] = 1
    depth = np.where(alpha > 0, 0.3, 99).astype(np.float32)
    views = ViewSamples(np.zeros((1, 1, 4, 4, 3), np.uint8), alpha, depth)
    truth = Maps(alpha[0], np.where(alpha[0] > 0, 0.5, np.nan), np.array([3.5]))
    scores = map_scores(views, truth)
    assert scores["depth_error"] == pytest.approx(0.2)
    assert scores["depth_relative_error"] == pytest.approx(0.2 / 4)


def test_mean_depth_is_weighted_by_alpha():
    alpha = np.array([0.9, 0.1], np.float32).reshape(1, 2, 1, 1)
    depth = np.array([0.0, 1.0], np.float32).reshape(1, 2, 1, 1)
    views = ViewSamples(np.zeros((1, 2, 1, 1, 3), np.uint8), alpha, depth)
    scores = map_scores(views, Maps(np.ones((1, 1, 1)), np.zeros((1, 1, 1)), np.array([3.0])))
    assert scores["depth_error_mean2"] == pytest.approx(0.1)
    assert scores["depth_variance"] == pytest.approx(0.09)


def test_alpha_iou_is_of_the_pixels_above_one_half():
    ours = np.array([[[0.9, 0.6, 0.4, 0.0]]])
    theirs = np.array([[[1.0, 0.0, 0.8, 0.0]]])
    assert alpha_iou(ours, theirs) == pytest.approx(1 / 3)


@pytest.fixture
def training():
    """Three instances with views at azimuth 0, 1, 2, 3 rad, at elevation 0.3, of random grey."""
    poses = look_at(eye_at(np.tile(np.arange(4.0), 3), 0.3, SRN_CAMERA.distance), np.zeros(3))
    grey = np.random.default_rng(0).integers(0, 255, (12, 1, 1, 1), np.uint8)
    images = np.broadcast_to(grey, (12, 32, 32, 3)).copy()
    return Views(images, poses.astype(np.float32), np.array([0, 4, 8, 12]))


def test_nearest_instance_of_a_training_image_is_its_own(training, monkeypatch):
    monkeypatch.setattr(baselines, "MIN_NEIGHBOURS", 3)
    views = baselines.TrainingViews(training)
    for instance in range(3):
        image, pose = training.images[4 * instance + 1], training.poses[4 * instance + 1]
        assert views.nearest_instance(image, pose) == instance
        np.testing.assert_array_equal(views.view_of(instance, pose), image)


def test_mean_view_averages_the_nearest_views(training, monkeypatch):
    monkeypatch.setattr(baselines, "MIN_NEIGHBOURS", 3)
    mean = baselines.TrainingViews(training).mean_view(training.poses[2])
    np.testing.assert_allclose(mean, training.images[2::4].mean(axis=0) / 255, atol=1e-6)
    monkeypatch.setattr(baselines, "MIN_NEIGHBOURS", 16)  # more than there are
    mean = baselines.TrainingViews(training).mean_view(training.poses[2])
    np.testing.assert_allclose(mean, training.images.mean(axis=0) / 255, atol=1e-6)


def test_view_from_above_is_rotated_to_the_roll_of_the_target():
    """Above the object cameras in one direction differ in roll; the view has the target's."""
    cameras_above = look_at(eye_at([0.0, 1.2], 1.55, SRN_CAMERA.distance), np.zeros(3))
    K = np.array([[SRN_CAMERA.focal * 32, 0, 16], [0, SRN_CAMERA.focal * 32, 16], [0, 0, 1.0]])
    point = np.array([0.4, 0.1, 0.0, 1.0])
    (x, y), expected = (
        (K @ p[:3] / p[2])[:2] - 0.5 for p in (np.linalg.inv(T) @ point for T in cameras_above)
    )
    image = np.full((32, 32, 3), 255, np.uint8)
    cv2.circle(image, (round(x), round(y)), 2, (0, 0, 0), -1)
    poses = cameras_above[:1].astype(np.float32)
    views = baselines.TrainingViews(Views(image[None], poses, np.array([0, 1])))
    shown = 255.0 - views.view_of(0, cameras_above[1])[..., 0]
    rows, columns = np.mgrid[:32, :32]
    centre = [(shown * columns).sum() / shown.sum(), (shown * rows).sum() / shown.sum()]
    np.testing.assert_allclose(centre, expected, atol=1.0)
