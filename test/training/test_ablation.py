import json

import cv2
import numpy as np
import pytest

pytest.importorskip("skimage")
pytest.importorskip("tensorboard")

from tiny_nvs_ros.geometry import SRN_CAMERA
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.srn_data import Intrinsics, write_instance
from training import ablation
from training.data import cameras
from training.presets import read_preset, stage_settings
from training.stages import stages_of
from training.trainer import Stopped

SOME = {name: ablation.STUDIES["latent"][name] for name in ("2x4x4", "1x8x8")}


def write_split(path, seed):
    """Two instances of three noisy views."""
    rng = np.random.default_rng(seed)
    path.mkdir()
    for k in range(2):
        images = rng.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
        camera = Intrinsics.centred(SRN_CAMERA.focal * 32, 32)
        write_instance(path / f"noise_{k}", images, cameras.random_views(3, rng), camera)


def run(folder):
    words = ["--iterations-autoencoder", "1", "--iterations-denoiser", "1", "--instances", "1",
             "--views", "1", "--samples", "2", "--input-view", "0", "--device", "cpu"]  # fmt: skip
    folders = {"--data": "train", "--test": "test", "--out": "out"}
    ablation.main([*words, *(w for k, v in folders.items() for w in (k, str(folder / v)))])


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder with train/, test/, and out/ as the ablation made it, cut off after one latent."""
    folder = tmp_path_factory.mktemp("ablation")
    write_split(folder / "train", 0)
    write_split(folder / "test", 1)
    train, trained = ablation.train, []

    def interrupted(stage, *arguments, **options):
        if len(trained) == 2:
            raise Stopped("stopped")
        trained.append(stage.model.config.latent_shape)
        train(stage, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ablation.STUDIES, "latent", SOME)
        patch.setattr(ablation, "train", interrupted)
        with pytest.raises(SystemExit) as stop:
            run(folder)
        assert stop.value.code == 130
        patch.setattr(ablation, "train", lambda *a, **k: (trained.append(0), train(*a, **k)))
        run(folder)
    assert trained == [(2, 4, 4), (2, 4, 4), 0, 0]  # the first latent is not trained again
    return folder


@pytest.mark.parametrize("latent, shape", [("2x4x4", (2, 4, 4)), ("1x8x8", (1, 8, 8))])
def test_each_latent_gets_a_weights_folder(done, latent, shape):
    model = NovelViewModel.from_pretrained(done / "out" / latent)
    assert model.config.latent_shape == shape
    image = np.zeros((32, 32, 3), np.uint8)
    assert model.generate_relative(image, np.eye(4)[None], seed=0).rgb.shape == (1, 1, 32, 32, 3)


def test_all_latents_have_about_as_many_parameters():
    for case in ablation.STUDIES["latent"].values():
        model = NovelViewModel.from_preset(case.preset, **case.model)
        assert sum(p.numel() for p in model.parameters()) == pytest.approx(1_678_030, rel=0.05)


@pytest.mark.parametrize("study", ablation.STUDIES)
def test_every_change_is_one_of_the_preset(study):
    for case in ablation.STUDIES[study].values():
        NovelViewModel.from_preset(case.preset, **case.model)  # takes the changes
        assert case.stages.keys() <= stages_of(read_preset(case.preset)["architecture"]).keys()
        for stage, changes in case.stages.items():
            assert changes.items().isdisjoint(vars(stage_settings(stage, case.preset)).items())


def test_the_results_are_a_table_a_picture_and_json(done):
    report = json.loads((done / "out/ablation.json").read_text())
    assert list(report["cases"]) == ["2x4x4", "1x8x8"]
    assert report["settings"]["iterations_denoiser"] == 1
    for numbers in report["cases"].values():
        assert {"psnr", "psnr_mean2"} <= numbers["model"].keys() and numbers["autoencoder"]["psnr"]
        assert numbers["parameters"].keys() == {"autoencoder", "denoiser"}
    lines = (done / "out/ablation.md").read_text().splitlines()
    assert len({line.count("|") for line in lines}) == 1
    spreads = [line.split("|")[-2] for line in lines[2:4]]
    assert all(0 < float(spread) < 10 for spread in spreads)
    assert [line.split()[1] for line in lines[2:4]] == ["2x4x4", "1x8x8"]
    assert "nearest training instance" in lines[4]
    picture = cv2.imread(str(done / "out/ablation.png"))
    assert picture.shape[1] > 6 * 96  # input, truth, and two of each latent


def test_other_settings_are_refused(done, capsys):
    with pytest.raises(SystemExit) as stop:
        ablation.main(["--data", str(done / "train"), "--test", str(done / "test"),
                       "--out", str(done / "out"), "--seed", "1"])  # fmt: skip
    assert stop.value.code == 2
    assert "out was made with" in capsys.readouterr().err
