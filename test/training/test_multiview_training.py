import argparse
import os
import re
import signal
import subprocess
import threading
import time
from contextlib import ExitStack
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

pytest.importorskip("moderngl")

from tiny_nvs_ros.geometry import inverse
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.multiview import SURROUNDINGS
from tiny_nvs_ros.model.multiview.network import MultiviewNetwork
from training import distributed, train_multiview
from training.cli import exit_on_error
from training.data.mesh import Mesh
from training.data.mesh_builder import MeshBuilder
from training.data.random_views import render_instance
from training.history import segments
from training.multiview import fit as fit_module
from training.multiview import shards
from training.multiview.data import ObjectViews, half_size_depth
from training.multiview.dirty_sources import (
    Disturbances,
    Draw,
    background,
    disturb,
    undisturbed,
)
from training.multiview.fit import Fit, Schedule, check_finite
from training.multiview.losses import energy_score
from training.multiview.stage import MultiviewSettings, MultiviewStage, look_at_origin
from training.multiview.training_set import MeshPack
from training.multiview.validate import validate

OFF = Disturbances(**{field.name: 0.0 for field in fields(Disturbances)})


def box(color=(0.8, 0.1, 0.1)):
    builder = MeshBuilder()
    builder.box((0, 0, 0), (0.6, 0.5, 0.4), color)
    return builder.build()


@pytest.fixture(scope="module")
def views():
    return render_instance([box()], np.random.default_rng(3), 12, 64)


def test_same_generator_gives_the_same_views(views):
    again = render_instance([box()], np.random.default_rng(3), 12, 64)
    for first, second in zip(views, again, strict=True):
        np.testing.assert_array_equal(first, second)


def test_depth_is_where_alpha_is_and_its_points_lie_on_the_object(views):
    rgba, depth, poses, focal = views
    assert ((depth > 0) == (rgba[..., 3] > 0)).all()
    points = []
    for image, pose, f in zip(depth, poses, focal, strict=True):
        rows, columns = np.nonzero(image)
        rays = np.stack(
            [(columns + 0.5) / 64 - 0.5, (rows + 0.5) / 64 - 0.5, np.full(len(rows), f)]
        )
        camera = rays.T / f * image[rows, columns, None]
        points.append(camera @ pose[:3, :3].T + pose[:3, 3])
    points = np.concatenate(points)
    # The displaced box: its corners' extents, up to a pixel.
    size = np.ptp(points, axis=0)
    np.testing.assert_allclose(size / size[0], np.array([0.6, 0.5, 0.4]) / 0.6, atol=0.06)


def test_object_keeps_its_size_at_every_distance(views):
    _, _, poses, focal = views
    distance = np.linalg.norm(poses[:, :3, 3], axis=-1)
    assert distance.min() >= 1.1 and distance.max() <= 10
    np.testing.assert_allclose(focal / distance, focal[0] / distance[0])
    assert (inverse(poses)[:, 2, 3] > 0).all()


def test_half_size_depth_counts_from_the_centre_in_radii():
    depth = np.zeros((1, 4, 4), np.float32)
    depth[0, :2, :2] = [[1.5, 1.5], [0, 1.5]]
    found = half_size_depth(depth, np.array([1.25]), depth)
    np.testing.assert_allclose(found[0], [[0.5, 0], [0, 0]])


def test_half_size_depth_is_unknown_where_a_sensor_saw_none_of_the_object():
    alpha = np.zeros((1, 4, 4), np.uint8)
    alpha[0, 0, :3] = 255
    depth = np.zeros((1, 4, 4), np.float32)
    depth[0, 0, 0] = 1.5
    found = half_size_depth(depth, np.array([1.25]), alpha)
    np.testing.assert_allclose(found[0], [[0.5, np.nan], [0, 0]])


def sources(seed=0):
    rgba = torch.rand(3, 4, 64, 64, generator=torch.Generator().manual_seed(seed))
    alpha = (rgba[:, 3:] > 0.5).float()
    return torch.cat([rgba[:, :3] * alpha, alpha], dim=1)[None]


NOT_CLEAN = torch.tensor([False])


def clean(rgba):
    return undisturbed(rgba.flatten(0, 1)).unflatten(0, rgba.shape[:2])


def test_clean_objects_are_not_disturbed_beside_others_that_are():
    how = replace(Disturbances(), estimated_alpha=0.0, cut_out=1.0)
    rgba = sources().expand(2, -1, -1, -1, -1)
    found, _ = disturb(rgba, torch.tensor([False, True]), torch.Generator().manual_seed(0), how)
    changed = [not torch.allclose(one, clean(sources())[0], atol=1e-6) for one in found]
    assert changed == [True, False]


def test_no_disturbance_leaves_the_sources_as_they_are():
    found, right = disturb(sources(), NOT_CLEAN, torch.Generator().manual_seed(0), OFF)
    torch.testing.assert_close(found[:, :, :4], clean(sources())[:, :, :4], rtol=0, atol=2e-2)
    torch.testing.assert_close(right, (found[:, :, 3:4] + 1) / 2)


def test_what_a_source_shows_around_its_mask_is_the_background():
    """An object that fills the left half, before one colour."""
    rgba = torch.zeros(1, 1, 4, 64, 64)
    rgba[..., :32] = torch.tensor([0.2, 0.4, 0.6, 1])[:, None, None]
    (found,), _ = disturb(rgba, NOT_CLEAN, torch.Generator().manual_seed(1), OFF)
    around = (found[0, 4:] + 1) / 2
    beside = around[:, 1:-1, 16 : 16 + SURROUNDINGS]
    torch.testing.assert_close(beside, beside[:, :1, :1].expand_as(beside), rtol=0, atol=1e-3)
    assert beside.max() < 0.99
    around[:, :, 16 : 16 + SURROUNDINGS] = 1
    torch.testing.assert_close(around, torch.ones_like(around), rtol=0, atol=1e-3)


@pytest.mark.parametrize("texture, clutter, bleeding", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_backgrounds_have_textures_other_objects_or_the_objects_colours(texture, clutter, bleeding):
    rgba = torch.zeros(2, 1, 4, 64, 64)
    rgba[..., 20:44, 20:44] = torch.tensor([0.9, 0.1, 0.5, 1])[:, None, None]
    how = replace(OFF, texture=texture, clutter=clutter, bleeding=bleeding)
    (behind, _) = background(
        rgba.flatten(0, 1), 1, *(Draw(rgba[:, 0], torch.Generator().manual_seed(2)),) * 2, how
    )
    beside, corner = behind[:, 32, 45], behind[:, 0, 0]
    object_color = torch.tensor([0.9, 0.1, 0.5])
    assert torch.allclose(beside, object_color, atol=0.01) == bool(bleeding)
    assert torch.allclose(behind[:, 32, 0], object_color) == bool(clutter)
    assert (behind[:, 32, 10] - corner).abs().max() > 0.01 or not texture


def test_repair_of_masks_learns_alone_and_leaves_the_rest_as_it_is(data):
    torch.manual_seed(0)
    network = MultiviewNetwork(repair_channels=8)
    how = replace(OFF, mask=1.0, texture=1.0)
    settings = MultiviewSettings(batch_size=4, clean=0.0, only_masks=True, disturbances=how)
    fit = Fit(MultiviewStage(network, data, settings), Schedule(5e-3, warmup=1))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first = fit.step(1.0)
    for _ in range(40):
        last = fit.step(1.0)
    assert last["mask_error"] < 0.8 * last["given_mask_error"] < first["mask_error"]
    changed = {n for n, v in network.state_dict().items() if not torch.equal(v, before[n])}
    assert changed and all(name.startswith("repair.") for name in changed)


@pytest.mark.parametrize("together", [0.0, 1.0])
def test_sources_of_an_object_have_the_same_faults_when_together(together):
    alike = sources()[:, :1].expand(20, 4, -1, -1, -1)
    how = replace(Disturbances(), together=together, pose=0.0, noise=0.0, texture=0.0)
    found, _ = disturb(alike, NOT_CLEAN.expand(20), torch.Generator().manual_seed(0), how)
    assert torch.equal(found, found[:, :1].expand_as(found)) == bool(together)
    assert not torch.equal(found[0], found[1])


@pytest.mark.parametrize(
    "name", ["pose", "low_resolution", "mask", "photometric", "blur", "noise", "jpeg"]
)
def test_each_disturbance_changes_the_sources_and_keeps_their_range(name):
    how = Disturbances(**{**OFF.__dict__, **_strengths(), name: 1.0, "cut_out": 1.0})
    found, _ = disturb(sources(), NOT_CLEAN, torch.Generator().manual_seed(0), how)
    assert (found - clean(sources())).abs().max() > 0.05
    assert found.min() >= -1.001 and found.max() <= 1.001


def _strengths():
    names = "shift", "roll", "scale", "exposure", "white_balance", "noise_level"
    return {name: getattr(Disturbances(), name) for name in names}


@pytest.mark.parametrize("spread", [0.0, 0.5, 2.0])
def test_energy_score_is_best_for_samples_of_the_truths_distribution(spread):
    generator = torch.Generator().manual_seed(0)
    truth = torch.randn(1, 400, 1, 16, 16, generator=generator)
    samples = torch.randn(1, 400, 2, 1, 16, 16, generator=generator)
    assert energy_score(samples, truth) < energy_score(spread * samples, truth)


def test_cameras_look_at_the_origin_upright():
    eye = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    R = look_at_origin(eye, torch.eye(3)[0].expand(50, 3))
    torch.testing.assert_close(R @ R.mT, torch.eye(3).expand(50, 3, 3), rtol=0, atol=1e-5)
    torch.testing.assert_close(-R[..., 2], eye / eye.norm(dim=-1, keepdim=True))
    assert R[..., 2, 0].abs().max() < 1e-5


@pytest.fixture
def data():
    rgba, depth, poses, _ = render_instance([box()], np.random.default_rng(0), 12, 64)
    distance = np.linalg.norm(poses[:, :3, 3], axis=-1)
    views = ObjectViews.empty(2, 12, 32, "cpu")
    half = half_size_depth(depth, distance, rgba[..., 3])
    arrays = rgba, half, poses[:, :3, :3], 2 * distance
    views.append(*(np.stack([array] * 3).astype(array.dtype) for array in arrays))
    return views


def test_objects_beyond_the_capacity_are_left_out(data):
    assert data.available == 2


def test_depth_error_is_of_the_pixels_whose_depth_is_known(data):
    network = MultiviewNetwork()
    data.depth[:, :, 16:] = torch.nan
    some = validate(network, data, sources=(1,), samples=2)
    data.depth[:, :, 16:] = 9
    all_wrong = validate(network, data, sources=(1,), samples=2)
    assert some["depth_1"] < 2 < all_wrong["depth_1"] and some["psnr_1"] == all_wrong["psnr_1"]
    data.depth[:] = torch.nan
    assert "depth_1" not in validate(network, data, sources=(1,), samples=2)


@pytest.mark.parametrize("where", ["loss", "weights", "another process"])
def test_what_is_not_finite_is_not_saved(data, monkeypatch, where):
    fit = Fit(MultiviewStage(MultiviewNetwork(), data, MultiviewSettings()), Schedule())
    loss = torch.tensor(torch.nan if where == "loss" else 1.0)
    check_finite(fit, {"loss": torch.tensor(1.0)})
    if where == "weights":
        next(fit.ema.parameters()).view(-1)[0] = torch.nan
    if where == "another process":
        monkeypatch.setattr(fit_module, "greatest", lambda *ours: [1.0] * len(ours))
    with pytest.raises(FloatingPointError, match="not finite at iteration 0"):
        check_finite(fit, {"loss": loss})


def test_batch_depends_on_seed_and_iteration_alone(data):
    settings = MultiviewSettings(batch_size=3, targets=2)
    first, second = (MultiviewStage(MultiviewNetwork(), data, settings) for _ in range(2))
    second.batch(7)
    for one, two in zip(first.batch(3), second.batch(3), strict=True):
        assert torch.equal(one, two)
    assert not torch.equal(first.batch(4)[0], first.batch(3)[0])


def test_half_of_the_contradictions_are_the_object_turned_about_z(data):
    settings = MultiviewSettings(batch_size=200, contradicting=1.0, mirrored=0.0, pose_noise=0.0)
    rotations = MultiviewStage(MultiviewNetwork(), data, settings).batch(0)[5]
    torch.testing.assert_close(rotations @ rotations.mT, torch.eye(3).expand_as(rotations))

    def known(rows):
        """Return whether rows (B, k, ...) are of one of the data's cameras, (B, k)."""
        cameras = data.rotations[0][:, -rows.shape[2] :]
        return (rows[:, :, None] - cameras).abs().amax(dim=(3, 4)).amin(dim=2) < 1e-4

    assert known(rotations)[:, [0, 2, 3]].all()
    assert 0.4 < known(rotations)[:, 1].float().mean() < 0.6
    assert known(rotations[..., 2:, :])[:, 1].all()  # the elevation and roll stay


def test_run_on_a_machine_without_gpu_writes_weights_and_what_made_them(tmp_path):
    meshes = {f"{k}.ply": box((k / 6, 0.5, 0.2)) for k in range(6)}
    kinds = {name: "scan" if k % 2 else "colourless" for k, name in enumerate(meshes)}
    MeshPack(meshes, kinds).write(tmp_path / "pack.xz")
    words = "--objects 16 --first 8 --views 8 --renderers 1 --batch-size 2 --seconds 6 --device cpu"
    words += f" --pack {tmp_path}/pack.xz --out {tmp_path}/run"
    train_multiview.main(["--no-compile", *words.split()])
    first = segments(NovelViewModel.from_pretrained(tmp_path / "run").config.training)
    assert first[0]["from"] == 0 < first[0]["to"] and first[0]["data"]["objects"] == 16
    words = words.replace("/run", "/more") + f" --init {tmp_path}/run"
    train_multiview.main(["--no-compile", *words.split()])
    both = segments(NovelViewModel.from_pretrained(tmp_path / "more").config.training)
    assert both[0] == first[0] and both[1]["from"] == first[0]["to"] < both[1]["to"]


@pytest.mark.parametrize("objects, processes, renderers", [(512, 2, 13), (40, 2, 1), (50, 3, 2)])
def test_renderers_of_a_process_render_its_share_of_the_objects(
    monkeypatch, tmp_path, objects, processes, renderers
):
    monkeypatch.setattr(shards.distributed, "count", lambda: processes)
    monkeypatch.setattr(shards.subprocess, "Popen", lambda words, env: int(words[-1]))
    options = argparse.Namespace(
        objects=objects, renderers=renderers, views=8, pack="pack.xz", seed=0
    )
    numbers = []
    for rank in range(processes):
        monkeypatch.setattr(shards.distributed, "rank", lambda rank=rank: rank)
        mine = [
            number
            for start in shards.start_renderers(options, tmp_path, None)
            for shard in range(start, -(-objects // shards.SHARD), processes * renderers)
            for number in range(shard * shards.SHARD, (shard + 1) * shards.SHARD)
            if number < objects
        ]
        assert len(mine) == shards.share_of(objects, rank, processes)
        numbers += mine
    assert sorted(numbers) == list(range(objects))


def test_fewer_objects_than_the_processes_can_share_are_refused():
    with pytest.raises(ValueError, match="--objects 32 are too few for 3 processes"):
        shards.share_of(32, 0, 3)


def test_renderer_ends_when_its_trainer_was_killed(monkeypatch, tmp_path):
    MeshPack({"a.ply": box()}, {"a.ply": "scan"}).write(tmp_path / "pack.xz")
    parents = iter([100, 100])
    monkeypatch.setattr(shards.os, "getppid", lambda: next(parents, 1))
    monkeypatch.setattr(shards, "render_object", lambda *_: render_instance_of_one())
    (tmp_path / "out").mkdir()
    shards.render_shards(
        argparse.Namespace(
            pack=tmp_path / "pack.xz", out=tmp_path / "out", seed=0, held_out=False, rank=0, of=1,
            objects=16, views=2,
        )
    )  # fmt: skip
    assert not list((tmp_path / "out").iterdir())


def render_instance_of_one():
    return np.zeros((2, 64, 64, 4), np.uint8), np.zeros((2, 64, 64)), np.stack([np.eye(4)] * 2)


def packed(tmp_path, **more):
    """Return options of train_multiview as render_in_background takes them."""
    values = dict(objects=16, first=16, views=2, device="cpu", shards=tmp_path, renderers=1)
    return argparse.Namespace(**values | more)


def test_objects_that_were_rendered_before_the_renderers_ended_are_loaded(monkeypatch, tmp_path):
    def rendered(options, folder, validation):
        sizes = {"rgba": (64, 64, 4), "depth": (32, 32), "rotations": (3, 3), "rho": ()}
        views = 2 if validation is None else shards.VALIDATION_VIEWS
        arrays = {name: np.zeros((16, views, *size), np.uint8) for name, size in sizes.items()}
        np.savez(folder / "000000.npz", **arrays)
        process = subprocess.Popen(["true"])
        process.wait()
        return [process]

    load = np.load

    def slow(file):
        time.sleep(0.3)
        return load(file)

    monkeypatch.setattr(shards, "start_renderers", rendered)
    monkeypatch.setattr(shards.np, "load", slow)
    with ExitStack() as resources:
        views, _ = shards.render_in_background(packed(tmp_path), 16, resources)
    assert views.available == 16
    with ExitStack() as resources, pytest.raises(ValueError, match="renderers ended early"):
        shards.render_in_background(packed(tmp_path, objects=32, first=32), 16, resources)


def test_sigterm_before_the_first_object_ends_the_renderers_and_removes_their_files(
    monkeypatch, tmp_path
):
    started = []

    def sleeping(*_):
        started.append(subprocess.Popen(["sleep", "60"]))
        return started[-1:]

    monkeypatch.setattr(shards, "start_renderers", sleeping)
    (tmp_path / "pack.xz").touch()
    (tmp_path / "shards").mkdir()
    words = f"--pack {tmp_path}/pack.xz --out {tmp_path}/run --shards {tmp_path}/shards"
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    with pytest.raises(SystemExit) as stop:
        train_multiview.main([*words.split(), "--device", "cpu"])
    timer.join()
    assert stop.value.code == 130 and len(started) == 2
    assert all(each.poll() is not None for each in started)
    assert not list((tmp_path / "shards").iterdir())


@pytest.mark.parametrize(
    "words, reason",
    [
        ("--views 7", "--views is 7; sources and targets need 8"),
        ("--renderers 0", "--renderers must be at least 1"),
        ("--pack nowhere.xz", "nowhere.xz: no such file"),
        ("--device cuda:9", "no device|was asked for"),
    ],
)
def test_options_that_cannot_be_used_are_named_in_one_line(tmp_path, capsys, words, reason):
    (tmp_path / "pack.xz").touch()
    with pytest.raises(SystemExit) as stop:
        train_multiview.main(
            f"--pack {tmp_path}/pack.xz --out {tmp_path}/run --device cpu {words}".split()
        )
    message = capsys.readouterr().err
    assert stop.value.code == 2 and message.count("\n") == 1
    assert re.search(reason, message)


def test_weights_of_an_earlier_run_are_not_overwritten(tmp_path, capsys):
    (tmp_path / "pack.xz").touch()
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(SystemExit):
        train_multiview.main(f"--pack {tmp_path}/pack.xz --out {tmp_path} --device cpu".split())
    assert "holds weights, which would be overwritten" in capsys.readouterr().err


@pytest.mark.parametrize("log, begins", [("", True), ('{"iteration": 50, "its": 3.1}\n', False)])
def test_run_that_was_cut_before_its_first_checkpoint_begins_anew(tmp_path, capsys, log, begins):
    (tmp_path / "model.safetensors").touch()
    (tmp_path / "log.jsonl").write_text('{"event": "begins", "iteration": 0}\n' + log)
    words = f"--data {tmp_path}/nowhere --out {tmp_path} --device cpu --resume"
    with pytest.raises(SystemExit):
        train_multiview.main(words.split())
    reason = "nowhere: no such folder" if begins else "holds weights, which would be overwritten"
    assert reason in capsys.readouterr().err


def test_weights_that_cannot_be_written_are_reported_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop, exit_on_error(argparse.ArgumentParser()):
        save_file({"a": torch.zeros(3)}, tmp_path / "missing/a.safetensors")
    assert stop.value.code == 2 and capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "device, gpus, reason",
    [
        ("cuda:0", 2, "use --device cuda,"),
        ("cuda", 1, "2 processes need a GPU each"),
    ],
)
def test_processes_without_a_gpu_each_are_refused(monkeypatch, device, gpus, reason):
    for name, value in {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    with pytest.raises(ValueError, match=reason), distributed.processes(device):
        pass


def test_mesh_with_too_many_vertices_for_the_pack_is_refused_by_name(tmp_path):
    mesh = Mesh(np.zeros((70_000, 3)), np.array([[0, 1, 2]]), np.zeros((70_000, 3), np.uint8))
    with pytest.raises(ValueError, match="big: 70000 vertices"):
        MeshPack({"big": mesh}, {"big": "scan"}).write(tmp_path / "pack.xz")
