"""Training of the multi-view network on data sets in the SRN layout."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file

pytest.importorskip("moderngl")

from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.multiview.network import MultiviewNetwork
from tiny_nvs_ros.srn_data import Intrinsics, write_instance
from training import train_multiview
from training.data import cameras
from training.history import segments
from training.multiview import srn_views
from training.multiview.fit import Fit, Schedule
from training.multiview.srn_views import DataSets, with_estimated_alpha
from training.multiview.stage import MultiviewSettings, MultiviewStage

ROOT = Path(__file__).parents[2]
SIZE = 16


def write(folder, views, rendered=True, seed=0):
    """Write an instance: a disc in random colours, with alpha and depth, or as RGB on white."""
    rng = np.random.default_rng(seed)
    poses = cameras.random_views(views, rng)
    x, y = np.meshgrid(*2 * (np.arange(SIZE) - SIZE / 2 + 0.5,))
    disc = np.tile(np.hypot(x, y) < SIZE / 3, (views, 1, 1))
    rgb = rng.integers(0, 200, (views, SIZE, SIZE, 3)).astype(np.uint8)
    images = np.where(disc[..., None], rgb, 255).astype(np.uint8)
    if rendered:
        images = np.concatenate([images, 255 * disc[..., None].astype(np.uint8)], axis=-1)
    depths = np.where(disc, 1.1, 0) if rendered else None
    folder.parent.mkdir(exist_ok=True)
    write_instance(folder, images, poses, Intrinsics.centred(SIZE * 131.25 / 128, SIZE), depths)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Splits: rendered (a: 8, b: 20 views), and recorded, RGB without depth (c: 9 views)."""
    folder = tmp_path_factory.mktemp("data")
    write(folder / "rendered/a", 8, seed=1)
    write(folder / "rendered/b", 20, seed=2)
    write(folder / "recorded/c", 9, rendered=False, seed=3)
    return folder


def read(data, general=(), own=(), validation=(), held_out=0.0):
    paths = [[data / name for name in names] for names in (general, own, validation)]
    return DataSets.read(*paths, held_out, least=8)


def train(out, *words):
    train_multiview.main(
        [*map(str, words), "--out", str(out), "--device", "cpu", "--batch-size", "2"]
    )


def test_instance_with_more_views_becomes_several_objects_that_have_them_all(data):
    views = read(data, ["rendered"]).training_views(0.5, "cpu")
    assert views.rotations.shape[:2] == (1 + 3, 8)
    of_b = views.rotations[1:].flatten(0, 1)
    assert len(of_b.flatten(1).unique(dim=0)) == 20


def test_images_depth_and_distance_are_those_of_the_files(data):
    views = read(data, ["rendered"]).training_views(0.5, "cpu")
    torch.testing.assert_close(views.rho, torch.full_like(views.rho, 2.6))
    inside = views.rgba[0, :, 24:40, 24:40, 3]
    assert (inside == 255).all() and (views.rgba[0, :, 0, 0, 3] == 0).all()
    centre = views.depth[0, :, 14:18, 14:18].float()  # (1.1 - 1.3) / 0.5
    torch.testing.assert_close(centre, torch.full_like(centre, -0.4), rtol=0, atol=2e-3)


def test_white_inside_an_object_belongs_to_its_silhouette():
    image = np.full((1, 8, 8, 3), 255, np.uint8)
    image[0, 2:6, 2:6] = 0
    image[0, 3:5, 3:5] = 255
    alpha = with_estimated_alpha(image)[0, ..., 3]
    assert (alpha[2:6, 2:6] == 255).all() and (alpha == 255).sum() == 16


def test_set_without_depth_teaches_none(data):
    views = read(data, ["recorded"]).training_views(0.5, "cpu")
    network = MultiviewNetwork()
    stage = MultiviewStage(network, views, MultiviewSettings(batch_size=2))
    scalars = stage.loss(*stage.batch(0))
    assert torch.isfinite(scalars["loss"])
    gradients = torch.autograd.grad(scalars["depth"], list(network.parameters()), allow_unused=True)
    assert all(each is None or (each == 0).all() for each in gradients)


def test_weights_of_before_masks_were_repaired_get_an_untrained_repair(tmp_path):
    old = NovelViewModel.from_preset("objects")
    del old.config.denoiser["repair_channels"]
    NovelViewModel.from_config(old.config).save_pretrained(tmp_path)
    before = NovelViewModel.from_pretrained(tmp_path).network
    after = train_multiview.initial(tmp_path).network
    assert before.repair is None and after.repair is not None
    for name, value in before.state_dict().items():
        assert torch.equal(value, after.state_dict()[name])


def test_own_objects_are_their_share_of_the_batches_and_never_mirrored(data):
    views = read(data, ["rendered"], ["recorded"]).training_views(0.75, "cpu")
    settings = MultiviewSettings(batch_size=400, mirrored=1.0, permuted=0.0)
    stage = MultiviewStage(MultiviewNetwork(), views, settings)
    targets = stage.batch(0)[-3][:, 0].flatten(1)
    own = views.rotations[views.own].flatten(0, 1).flatten(1)
    others = views.rotations[~views.own].flatten(0, 1).flatten(1)
    as_they_are = (targets[:, None] == own).all(dim=-1).any(dim=1)
    assert 0.68 < as_they_are.float().mean() < 0.82
    assert not (targets[:, None] == others).all(dim=-1).any()


def test_held_out_objects_are_not_trained_on(data):
    sets = read(data, ["rendered"], held_out=0.5)
    assert len(sets.general) == len(sets.held_out) == 1
    assert sets.general[0].name != sets.held_out[0].name
    assert read(data, ["rendered"], ["recorded"], ["recorded"], 0.5).general[1].name == "b"


def test_held_out_share_that_takes_all_objects_is_refused(data):
    with pytest.raises(ValueError, match=r"recorded: --held-out 0\.9 takes all its objects"):
        read(data, own=["recorded"], held_out=0.9)


def test_run_that_was_stopped_and_resumed_has_the_weights_of_one_that_was_not(
    data, tmp_path, monkeypatch
):
    words = ["--data", data / "rendered", "--iterations", 3, "--held-out", 0]
    train(tmp_path / "whole", *words)
    step = Fit.step

    def stopping(fit, *arguments):
        if fit.iteration == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return step(fit, *arguments)

    with monkeypatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr(Fit, "step", stopping)
        train(tmp_path / "parts", *words, "--resume")
    assert stop.value.code == 130
    train(tmp_path / "parts", *words, "--resume")
    for line in (tmp_path / "parts/log.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)
    whole, parts = (load_file(tmp_path / f"{run}/model.safetensors") for run in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    (segment,) = segments(NovelViewModel.from_pretrained(tmp_path / "parts").config.training)
    assert (segment["from"], segment["to"]) == (0, 3)
    assert segment["data"]["sets"] == [str(data / "rendered")]
    with pytest.raises(SystemExit) as stop:
        train(tmp_path / "parts", *words, "--resume", "--seed", 1)
    assert stop.value.code == 2


def test_run_that_is_stopped_is_saved_without_validation(data, tmp_path, monkeypatch):
    step = Fit.step

    def stopping(fit, *arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        return step(fit, *arguments)

    monkeypatch.setattr(Fit, "step", stopping)
    monkeypatch.setattr(train_multiview, "validate", lambda *_: pytest.fail("validated"))
    words = ["--data", data / "rendered", "--iterations", 3, "--held-out", 0.5]
    with pytest.raises(SystemExit) as stop:
        train(tmp_path, *words)
    assert stop.value.code == 130 and (tmp_path / train_multiview.CHECKPOINT).exists()


@pytest.mark.parametrize("change", ["processes 1, not 2", "objects 4, not 7"])
def test_run_is_not_resumed_with_other_processes_or_data(
    data, tmp_path, capsys, monkeypatch, change
):
    words = ["--data", data / "rendered", "--iterations", 1, "--held-out", 0]
    train(tmp_path, *words)
    if "processes" in change:
        monkeypatch.setattr(train_multiview.distributed, "count", lambda: 2)
    else:
        monkeypatch.setattr(srn_views, "VIEWS", 4)
    with pytest.raises(SystemExit):
        train(tmp_path, *words, "--resume")
    assert f"was made with {change}" in capsys.readouterr().err


def test_full_disk_for_the_images_is_reported_before_they_are_read(
    data, tmp_path, capsys, monkeypatch
):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(SystemExit) as stop:
        train(tmp_path / "run", "--data", data / "rendered")
    error = capsys.readouterr().err
    assert stop.value.code == 2 and error.count("\n") == 1 and "No space left" in error


def step_as(rank, processes, store, data, out):
    dist.init_process_group("gloo", f"file://{store}", rank=rank, world_size=processes)
    torch.manual_seed(0)
    views = read(data, ["rendered"]).training_views(0.5, "cpu")
    fit = Fit(
        MultiviewStage(MultiviewNetwork(), views, MultiviewSettings(batch_size=4)), Schedule()
    )
    losses = [fit.step(1.0)["loss"] for _ in range(2)]
    torch.save((losses, fit.tensors()), f"{out}{rank}")


def test_processes_draw_different_batches_and_stay_alike(data, tmp_path):
    torch.multiprocessing.spawn(step_as, (2, tmp_path / "store", data, tmp_path / "out"), nprocs=2)
    (losses, tensors), (other_losses, others) = (torch.load(tmp_path / f"out{r}") for r in range(2))
    assert losses != other_losses
    assert all(torch.equal(tensors[name], others[name]) for name in tensors)


def test_processes_of_torchrun_end_together_and_write_one_weights_folder(data, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--standalone", "-m", "training.train_multiview", "--data", data / "rendered"]
    command += ["--out", tmp_path / "run", "--device", "cpu", "--batch-size", "4", "--seconds", "5"]
    process = subprocess.Popen([str(word) for word in command], cwd=ROOT, start_new_session=True)
    try:
        assert process.wait(timeout=300) == 0
    finally:
        if process.poll() is None:  # torchrun ends its workers, which have sessions of their own
            process.terminate()
            try:
                process.wait(timeout=40)
            finally:
                process.kill()
    (segment,) = segments(NovelViewModel.from_pretrained(tmp_path / "run").config.training)
    assert segment["processes"] == 2 and segment["settings"]["batch_size"] == 4
    lines = (tmp_path / "run/log.jsonl").read_text().splitlines()
    assert sum('"begins"' in line for line in lines) == 1


@pytest.mark.parametrize(
    "words, reason",
    [
        ("", "no data"),
        ("--data nowhere", "nowhere: no such folder"),
        ("--data {data}/few", "few/d: has 7 views; sources and targets need 8"),
        ("--data {data}/cars_test", "cars_test: is a test set"),
        ("--data {data}/rendered --val {data}/cars_test", "cars_test: is a test set"),
        ("--data {data}/rendered --pack x.xz", "--pack brings its own data"),
        ("--data {data}/rendered --iterations 0", "--iterations must be at least 1"),
        ("--data {data}/rendered --learning-rate nan", "--learning-rate must be above 0"),
        ("--data {data}/rendered --init {root}/weights/cars", "has the architecture flow"),
        ("--data {data}/rendered --only-masks", "name them by --init"),
        ("--data {data}/coloured", "coloured/e: has no alpha and no white background"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_in_one_line(data, tmp_path, capsys, words, reason):
    if not (data / "few").exists():
        write(data / "few/d", 7)
        write(data / "cars_test/d", 8)
        (data / "coloured").mkdir()
        rng = np.random.default_rng(0)
        images = rng.integers(0, 200, (8, SIZE, SIZE, 3)).astype(np.uint8)
        lens = Intrinsics.centred(SIZE * 131.25 / 128, SIZE)
        write_instance(data / "coloured/e", images, cameras.random_views(8, rng), lens)
    with pytest.raises(SystemExit) as stop:
        train(tmp_path / "run", *words.format(data=data, root=ROOT).split())
    error = capsys.readouterr().err
    assert stop.value.code == 2 and error.count("\n") == 1
    assert re.search(re.escape(reason), error)
