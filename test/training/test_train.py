import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

pytest.importorskip("tensorboard")
pytest.importorskip("tqdm")

from tiny_nvs_ros.geometry import eye_at, look_at, orbit
from tiny_nvs_ros.image import on_white
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.base import to_tensor
from tiny_nvs_ros.model.flow.transformer import TargetTokens
from tiny_nvs_ros.srn_data import Intrinsics, Views, write_instance
from training import history
from training.initialize import init_model, load_for_finetuning
from training.stages import stages_of
from training.stages.base import augment
from training.stages.denoiser import DenoiserLoss, DenoiserStage
from training.stages.finetune import energy_score
from training.stages.flow import FlowLoss, mirror
from training.stages.settings import (
    DenoiserSettings,
    FlowSettings,
)
from training.train import main
from training.trainer import Trainer, train

ROOT = Path(__file__).parents[2]
COMMON = dict(iterations=6, batch_size=4, learning_rate=1e-3, warmup=2, ema=0.9)
SETTINGS = DenoiserSettings(**COMMON)
FLOW_SETTINGS = FlowSettings(**COMMON)
STAGE_NAMES = [*stages_of("paper"), *(f"fast {name}" for name in stages_of("flow"))]
SMALL = {
    "autoencoder": {"widths": [8, 16, 32], "latent_channels": 4},
    "denoiser": {"channels": 32, "depth": 1, "heads": 2, "expansion": 2},
}


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny batches do not gain from more, and the bits must not depend on the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def coloured_views(instances=2, views=3):
    """Flat pictures, one colour an instance."""
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (instances, 1, 1, 1, 3), dtype=np.uint8)
    images = np.broadcast_to(colours, (instances, views, 32, 32, 3)).reshape(-1, 32, 32, 3)
    poses = np.tile(orbit(views), (instances, 1, 1)).astype(np.float32)
    return Views(images.copy(), poses, np.arange(instances + 1) * views)


def make_stage(name, **changes):
    torch.manual_seed(0)
    if name.startswith("fast "):
        model, stage = NovelViewModel.from_preset("fast", **SMALL), stages_of("flow")[name[5:]]
        if name == "fast autoencoder":
            defaults = dict(augment=True)
        else:
            defaults = dict(targets=3, shortcuts=1, variants=3, matrix_learning_rate=1e-2)
    else:
        model, stage = NovelViewModel.from_preset("paper"), stages_of("paper")[name]
        defaults = {}
    settings = stage.Settings(**{**COMMON, **defaults, **changes})
    return stage(model, coloured_views(), settings)


@pytest.fixture
def data(tmp_path):
    views = coloured_views()
    for k in range(2):
        images = views.images[3 * k : 3 * k + 3]
        write_instance(tmp_path / f"data/{k}", images, orbit(3), Intrinsics.centred(32.8, 32))
    return tmp_path / "data"


def command(stage, data, out, *more):
    return [stage, "--data", str(data), "--out", str(out), "--device", "cpu", "--batch-size", "4",
            *more]  # fmt: skip


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_resumed_run_gives_the_bits_of_an_uninterrupted_one(name, tmp_path):
    whole = Trainer(make_stage(name), tmp_path / "whole")
    losses = [float(whole.step()["loss"]) for _ in range(6)]
    first = Trainer(make_stage(name), tmp_path / "broken")
    for _ in range(3):
        first.step()
    first.save(tmp_path)
    second = Trainer(make_stage(name), tmp_path / "broken")
    second.load()
    assert [float(second.step()["loss"]) for _ in range(3)] == losses[3:]
    for key, value in whole.tensors().items():
        assert torch.equal(value, second.tensors()[key]), key


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_loss_falls_over_40_iterations(name, tmp_path):
    training = Trainer(make_stage(name, iterations=40, batch_size=8), tmp_path / "run")
    losses = [float(training.step()["loss"]) for _ in range(40)]
    assert np.mean(losses[-8:]) < 0.95 * np.mean(losses[:8])


def test_finished_run_continues_if_more_iterations_are_given(tmp_path):
    train(make_stage("denoiser"), tmp_path)
    further = make_stage("denoiser", iterations=9)
    train(further, tmp_path, resume=True)
    assert (further.settings.begin, further.settings.iterations) == (6, 9)
    assert further.settings.rate_at(6) == pytest.approx(1 / 2)  # warms up
    training = Trainer(make_stage("denoiser", iterations=9),
                        tmp_path / "denoiser.checkpoint.safetensors")  # fmt: skip
    training.load()
    assert training.iteration == 9 and training.stage.settings.begin == 6


def test_init_continues_trained_weights_without_their_checkpoint(data, tmp_path):
    first, out = tmp_path / "first", tmp_path / "out"
    main(command("autoencoder", data, first, "--iterations", "1"))
    main(command("denoiser", data, first, "--iterations", "2"))
    weights = NovelViewModel.from_pretrained(first).denoiser.state_dict()
    model, settings = load_for_finetuning(
        first, "denoiser", replace(SETTINGS, iterations=5), "paper", out
    )
    training = Trainer(DenoiserStage(model, coloured_views(), settings), tmp_path / "run")
    assert (training.iteration, settings.begin) == (2, 2)
    for key, value in training.stage.module.state_dict().items():
        assert torch.equal(value, weights[key]), key
    further = ("--init", str(first), "--iterations", "5", "--learning-rate-scale", "0.5")
    main(command("denoiser", data, out, *further))
    _, before, after = history.segments(NovelViewModel.from_pretrained(out).config.training)
    assert [(s["from"], s["to"]) for s in (before, after)] == [(0, 2), (2, 5)]
    assert after["settings"]["learning_rate"] == before["settings"]["learning_rate"] / 2
    assert after["init"] == str(first) and after["data"]["path"] == str(data)


def test_regressor_starts_from_the_weights_of_a_denoiser(tmp_path):
    train(make_stage("denoiser", iterations=2), tmp_path)
    model, settings = load_for_finetuning(
        tmp_path, "regressor", SETTINGS, "paper", tmp_path / "further"
    )
    assert settings.begin == 0
    weights = NovelViewModel.from_pretrained(tmp_path).denoiser.state_dict()
    for key, value in model.denoiser.state_dict().items():
        assert torch.equal(value, weights[key]), key


@pytest.mark.parametrize(
    "stage, changes, message",
    [
        ("denoiser", {"iterations": 2}, "was trained for 2 iterations; .* to more --iterations"),
        ("denoiser", {"preset": "fast"}, "is of the preset paper"),
        ("denoiser", {"first": "regressor"}, "holds no trained denoiser"),
        ("autoencoder", {}, "--init is for later stages"),
        ("denoiser", {"out": "."}, "--init .* would be overwritten; choose another --out"),
    ],
)
def test_weights_that_cannot_be_continued_are_refused(stage, changes, message, tmp_path):
    train(make_stage(changes.get("first", "denoiser"), iterations=2), tmp_path)
    settings = replace(SETTINGS, iterations=changes.get("iterations", 6))
    preset, out = changes.get("preset", "paper"), tmp_path / changes.get("out", "further")
    with pytest.raises(ValueError, match=message):
        load_for_finetuning(tmp_path, stage, settings, preset, out)


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_averaged_weights_have_no_gradient_history(name, tmp_path):
    training = Trainer(make_stage(name), tmp_path / "run")
    training.step()
    assert all(parameter.grad_fn is None for parameter in training.ema.parameters())


def test_resume_with_a_changed_setting_is_refused_by_name(tmp_path):
    training = Trainer(make_stage("denoiser"), tmp_path / "run")
    training.step()
    training.save(tmp_path)
    other = Trainer(make_stage("denoiser", ema=0.5), tmp_path / "run")
    with pytest.raises(ValueError, match=r"made with ema 0\.9, not 0\.5"):
        other.load()


def test_checkpoint_without_precision_is_read_as_float32(tmp_path):
    training = Trainer(make_stage("denoiser"), tmp_path / "run")
    training.step()
    training.save(tmp_path)
    with safe_open(tmp_path / "run", framework="pt") as checkpoint:
        tensors = {name: checkpoint.get_tensor(name) for name in checkpoint.keys()}  # noqa: SIM118
        metadata = checkpoint.metadata()
    settings = json.loads(metadata["settings"])
    assert settings.pop("precision") == "float32"
    save_file(tensors, tmp_path / "run", metadata | {"settings": json.dumps(settings)})
    Trainer(make_stage("denoiser"), tmp_path / "run").load()
    other = make_stage("denoiser", precision="bfloat16")
    with pytest.raises(ValueError, match="made with precision float32, not bfloat16"):
        Trainer(other, tmp_path / "run").load()


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_bfloat16_leaves_losses_and_weights_in_float32(name, tmp_path):
    exact = Trainer(make_stage(name), tmp_path / "exact")
    mixed = Trainer(make_stage(name, precision="bfloat16"), tmp_path / "mixed")
    for _ in range(2):
        expected, scalars = exact.step(), mixed.step()
        for key, value in scalars.items():
            assert value.dtype == torch.float32
            torch.testing.assert_close(value, expected[key], rtol=0.05, atol=0.05)
    assert scalars["loss"] != expected["loss"]
    assert all(value.dtype == torch.float32 for value in mixed.tensors().values())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_weight_of_a_flow_gets_a_gradient(precision, tmp_path):
    training = Trainer(make_stage("fast denoiser", precision=precision), tmp_path / "run")
    for _ in range(3):
        training.step()
    averages = {
        parameter: state.get("exp_avg", state.get("momentum"))
        for optimizer, _ in training.optimizers
        for parameter, state in optimizer.state.items()
    }
    for name, parameter in training.stage.module.named_parameters():
        assert averages[parameter].any(), name


@pytest.mark.parametrize("name", ["autoencoder", "denoiser", "fast denoiser"])
def test_compiled_steps_use_one_graph_and_give_the_same_losses(name, tmp_path):
    """CUDA graphs need this; a backend that changes nothing must give the same losses."""
    graphs = []

    def backend(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    eager = Trainer(make_stage(name), tmp_path / "eager")
    traced = Trainer(make_stage(name), tmp_path / "traced")
    traced.loss = torch.compile(traced.loss, backend=backend, fullgraph=True)
    for _ in range(3):
        assert traced.step()["loss"] == eager.step()["loss"]
    assert len(graphs) == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("name", STAGE_NAMES)
def test_cuda_graphs_give_the_losses_of_eager_mode(name, tmp_path):
    runs = []
    for compiled in (False, True):
        stage = make_stage(name)
        stage.model.to("cuda")
        stage = type(stage)(stage.model, stage.views, stage.settings)  # its latents are there too
        training = Trainer(stage, tmp_path / "run", compiled)
        runs.append([float(training.step()["loss"]) for _ in range(5)])
    np.testing.assert_allclose(*runs, rtol=1e-3)


def test_finished_run_is_not_overwritten_without_resume(tmp_path):
    train(make_stage("denoiser"), tmp_path)
    with pytest.raises(FileExistsError, match="--resume"):
        train(make_stage("denoiser"), tmp_path)


def test_autoencoder_below_a_trained_denoiser_is_not_trained_further(tmp_path):
    train(make_stage("autoencoder"), tmp_path)
    train(make_stage("denoiser"), tmp_path)
    weights = (tmp_path / "model.safetensors").read_bytes()
    train(make_stage("autoencoder"), tmp_path, resume=True)  # finished: there is nothing to do
    with pytest.raises(FileExistsError, match=r"denoiser\.checkpoint.*another --out"):
        train(make_stage("autoencoder", iterations=9), tmp_path, resume=True)
    assert (tmp_path / "model.safetensors").read_bytes() == weights


@pytest.mark.parametrize(
    "there, stage",
    [("denoiser", "regressor"), ("regressor", "denoiser"), ("finetune", "autoencoder")]
    + [(there, "finetune") for there in ("autoencoder", "denoiser", "regressor")],
)
def test_run_does_not_replace_the_weights_of_another_stage(there, stage, tmp_path):
    train(make_stage(f"fast {there}"), tmp_path)
    weights = (tmp_path / "model.safetensors").read_bytes()
    with pytest.raises(
        FileExistsError, match=rf"{there}\.checkpoint.*{stage} would.*another --out"
    ):
        train(make_stage(f"fast {stage}"), tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == weights


def test_training_resets_metrics_and_noise_scale(tmp_path):
    stage = make_stage("denoiser")
    stage.model.config.metrics, stage.model.config.noise_scale = {"instances": 100}, 1.1
    train(stage, tmp_path)
    config = NovelViewModel.from_pretrained(tmp_path).config
    assert (config.metrics, config.noise_scale) == ({}, 1.0)


def test_new_denoiser_keeps_the_history_of_its_autoencoder_alone(tmp_path):
    stage = make_stage("denoiser")
    stage.model.config.training = {"autoencoder": {"iteration": 7}, "finetune": {"iteration": 8}}
    train(stage, tmp_path)
    training = init_model("denoiser", 0, "cpu", tmp_path).config.training
    assert [s["stage"] for s in history.segments(training)] == ["autoencoder"]
    assert history.trained_iterations(training, "autoencoder") == 7
    model, _ = load_for_finetuning(
        tmp_path, "denoiser", replace(SETTINGS, iterations=9), "paper", tmp_path / "o"
    )
    kept = {s["stage"] for s in history.segments(model.config.training)}
    assert kept == {"autoencoder", "denoiser"}


@pytest.mark.parametrize("name", ["denoiser", "fast denoiser"])
def test_latents_are_scaled_to_unit_deviation(name):
    stage = make_stage(name)
    latents = stage.latents[0].float() if name.startswith("fast") else stage.latents
    scale = stage.model.config.latent_scale if name.startswith("fast") else 1.0
    assert scale * latents.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", ["denoiser", "fast denoiser", "fast finetune"])
def test_trained_denoiser_keeps_the_scale_of_its_latents(name):
    model = NovelViewModel.from_preset("fast" if name.startswith("fast") else "paper")
    model.config.training, model.config.latent_scale = {"denoiser": {}}, 3.0
    stage = stages_of(model.config.architecture)[name.split()[-1]]
    stage(model, coloured_views(), stage.Settings(**COMMON))
    assert model.config.latent_scale == 3.0


def test_paper_stages_make_a_weights_folder_that_imagines(data, tmp_path, capsys):
    out = tmp_path / "run"
    main(command("autoencoder", data, out, "--iterations", "2"))
    autoencoder = NovelViewModel.from_pretrained(out).autoencoder.state_dict()
    main(command("denoiser", data, out, "--iterations", "2"))
    model = NovelViewModel.from_pretrained(out)
    for name, value in model.autoencoder.state_dict().items():
        assert torch.equal(value, autoencoder[name]), name
    first, second = history.segments(model.config.training)
    assert (first["stage"], first["to"]) == ("autoencoder", 2)
    assert (second["stage"], second["data"]["views"]) == ("denoiser", 6)
    image = np.zeros((32, 32, 3), np.uint8)
    assert model.generate_relative(image, np.eye(4)[None], seed=0).rgb.shape == (1, 1, 32, 32, 3)


def test_fast_stages_make_a_weights_folder_of_that_preset(data, tmp_path, capsys):
    def fast(stage):
        return [*command(stage, data, tmp_path), "--preset", "fast", "--iterations", "1"]

    main(fast("autoencoder"))
    main(fast("denoiser"))
    model = NovelViewModel.from_pretrained(tmp_path)
    assert model.config.preset == "fast" and model.config.latent_scale != 1
    stages = [s["stage"] for s in history.segments(model.config.training)]
    assert stages == ["autoencoder", "denoiser"]
    with pytest.raises(SystemExit):
        main(command("denoiser", data, tmp_path))
    assert "is of the preset fast: say --preset" in capsys.readouterr().err
    main([*fast("regressor"), "--out", str(tmp_path / "more"), "--autoencoder", str(tmp_path)])
    training = NovelViewModel.from_pretrained(tmp_path / "more").config.training
    assert history.has_trained(training, "regressor")


def test_finetune_changes_all_parts_of_the_model(data, tmp_path):
    first, out = tmp_path / "first", tmp_path / "out"

    def fast(stage, folder, *more):
        main([*command(stage, data, folder, "--preset", "fast", "--iterations", "1"), *more])

    fast("autoencoder", first)
    fast("denoiser", first)
    fast("finetune", out, "--init", str(first))
    before, after = (NovelViewModel.from_pretrained(f).state_dict() for f in (first, out))
    assert before.keys() == after.keys()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    parts = ("denoiser.", "autoencoder.encoder.", "autoencoder.moments.", "autoencoder.decoder.")
    assert all(any(name.startswith(part) for name in changed) for part in parts)


def test_posterior_term_is_the_kl_divergence_from_the_original_posterior():
    stage = make_stage("fast finetune")
    batch = stage.batch(0, slice(None))
    autoencoder, source = stage.model.autoencoder, batch[1]
    before = autoencoder.encode(source)
    assert stage.loss(*batch)["posterior"].abs() < 1e-6
    with torch.no_grad():
        autoencoder.moments[-1].bias += 0.5
    p, q = (
        torch.distributions.Normal(posterior.mean, (posterior.log_variance / 2).exp())
        for posterior in (before, autoencoder.encode(source))
    )
    expected = torch.distributions.kl_divergence(p, q).mean()
    after = stage.loss(*batch)["posterior"]
    torch.testing.assert_close(after, expected, rtol=1e-3, atol=0)  # kept in half precision
    assert after > 0.01


def test_finetune_batch_has_source_and_targets_of_one_variant():
    """Each instance has one colour: a source must have the colour of its targets."""
    images, source, _before, noise, *_ = make_stage("fast finetune").batch(3, slice(None))
    assert images.shape[:2] == noise.shape[:2] == (4, 3) and source.shape == (4, 3, 32, 32)
    assert torch.equal(images, source[:, None].expand_as(images))
    assert len(source.flatten(1).unique(dim=0)) > 1


@pytest.mark.parametrize(
    "preset, message",
    [
        ("fast", "finetune starts from trained weights: say --init WEIGHTS"),
        ("paper", "the preset paper has no stage 'finetune'; it has autoencoder, denoiser"),
    ],
)
def test_finetune_without_init_or_of_the_paper_preset_is_refused(
    preset, message, data, tmp_path, capsys
):
    with pytest.raises(SystemExit):
        main(command("finetune", data, tmp_path / "run", "--preset", preset))
    assert message in capsys.readouterr().err


def test_energy_score_is_best_if_brightness_is_spread_nearly_as_the_truth():
    generator = torch.Generator().manual_seed(0)
    grey = torch.randn(3, 64, 1, 32, 32, generator=generator).expand(-1, -1, 3, -1, -1)
    truth, samples = grey[0], grey[1:].transpose(0, 1)
    scores = {
        s: float(energy_score(s * samples, truth, 0.99).mean()) for s in (0, 0.5, 0.9, 1.2, 1.5)
    }
    assert min(scores, key=scores.get) == 0.9
    assert float(energy_score(samples + 1, truth, 0.99).mean()) > scores[1.2]  # beside the truth


def test_energy_score_is_best_if_samples_agree_on_colour():
    generator = torch.Generator().manual_seed(0)
    colours = torch.randn(3, 64, 3, 32, 32, generator=generator)
    colours = colours - colours.mean(dim=2, keepdim=True)
    truth, samples = colours[0], colours[1:].transpose(0, 1)
    scores = [float(energy_score(s * samples, truth, 0.99).mean()) for s in (0, 0.2, 0.5, 1.0)]
    assert scores == sorted(scores)
    assert float(energy_score(0 * samples + 1, truth + 1, 0.99).mean()) == pytest.approx(scores[0])


def project(rotation, points):
    """Image coordinates, in focal lengths, of points seen from the distance 1.3."""
    seen = (points + 1.3 * rotation[:, 2]) @ rotation
    return seen[:, :2] / seen[:, 2:]


def test_mirrored_camera_sees_the_mirrored_image_of_the_mirrored_object():
    rng = np.random.default_rng(0)
    points, pose = rng.uniform(-0.4, 0.4, (20, 3)), orbit(5, start=0.3)[1]
    image = project(pose[:3, :3], points)
    mirrored = mirror(torch.from_numpy(pose[:3, :3])).numpy()
    np.testing.assert_allclose(project(mirrored, points * [-1, 1, 1]), image * [-1, 1], atol=1e-9)
    np.testing.assert_allclose(mirrored @ mirrored.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(mirrored) > 0 and abs(mirrored[2, 0]) < 1e-9  # a camera, upright


def test_mirrored_camera_of_a_symmetric_car_sees_its_flipped_image():
    pytest.importorskip("moderngl")
    from training.data.cars import car
    from training.data.renderer import Renderer

    poses = look_at(eye_at([0.6, np.pi - 0.6], 0.4), np.zeros(3))
    renderer = Renderer(32)
    images = np.stack([on_white(image) for image in renderer.render(car(0, 0), poses)])
    renderer.close()
    flipped = augment(images[:1], np.array([True]), np.array([[0, 1, 2]]))[0]
    mirrored = mirror(torch.from_numpy(poses[:, :3, :3])).numpy()
    np.testing.assert_allclose(mirrored[0], poses[1, :3, :3], atol=1e-6)
    error = np.abs(flipped.astype(int) - images[1]).mean()
    assert error < 0.25 * np.abs(images[0].astype(int) - images[1]).mean()


@pytest.mark.parametrize("mirrored", [False, True])
def test_augment_mirrors_and_permutes_each_image_by_itself(mirrored):
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), np.uint8)
    orders = np.array([[0, 1, 2], [2, 0, 1]])
    result = augment(images, np.array([False, mirrored]), orders)
    np.testing.assert_array_equal(result[0], images[0])
    expected = images[1][:, ::-1] if mirrored else images[1]
    np.testing.assert_array_equal(result[1], expected[..., [2, 0, 1]])


def test_flow_batch_has_source_and_targets_of_one_variant():
    """Each instance has one colour: a source must have the colour of its targets."""
    stage = make_stage("fast denoiser")
    whole = stage.batch(3, slice(None))
    z, t, interval, _, rotation, features, source_rotation, known = whole
    assert z.shape[:2] == t.shape == rotation.shape[:2] == (4, 3) and interval.shape == (4, 1)
    assert len(features) == len(source_rotation) == len(known) == 4
    assert (z - z[:, :1]).abs().max() < 1e-6
    for k in range(4):
        found = [
            (stage.latents[v, i].float() * stage.model.config.latent_scale - z[k, 0]).abs().max()
            for v, i in (stage.sources == features[k]).flatten(2).all(-1).nonzero()
        ]
        assert found and max(found) < 1e-6
    for part, all_ in zip(stage.batch(3, slice(1, None, 2)), whole, strict=True):
        assert torch.equal(part, all_[1::2])


@pytest.mark.parametrize(
    "l1, l2, loss",
    [
        (1.0, 0.0, 2.0),  # the mean of |-1| and |3|
        (0.0, 1.0, 5.0),  # the mean of their squares
    ],
)
def test_paper_loss_weighs_absolute_and_squared_error(l1, l2, loss):
    settings = replace(SETTINGS, l1_weight=l1, l2_weight=l2)
    noisy, eps = torch.tensor([-1.0, 3.0]), torch.zeros(2)
    denoiser_loss = DenoiserLoss(lambda noisy, t, context: noisy, settings)
    assert denoiser_loss(noisy, eps, eps, eps)["loss"].item() == loss


class Field(torch.nn.Module):
    """Velocity 2 t, whose mean from t back to t - d is 2 t - d."""

    mean = torch.zeros(6, 4, 2, 2)

    def source(self):
        return None

    def target(self, rotation, source):
        return TargetTokens(self.mean, self.mean, self.mean)

    def forward(self, x, t, interval, target):
        return (2 * t - interval)[..., None, None, None].expand_as(x)


@pytest.mark.parametrize("interval", [1, 0.5, 0.25, 0.125])
def test_two_half_steps_give_the_mean_velocity_of_the_interval(interval):
    x, t, d = torch.randn(2, 3, 4, 2, 2), torch.full((2, 3), 1.0), torch.full((2, 3), interval)
    loss = FlowLoss(Field(), torch.ones(()))
    found = loss.two_steps(x, t, d, None)
    torch.testing.assert_close(found, torch.full_like(x, 2 - interval))


def test_velocity_error_is_weighted_by_time():
    z, t, no_shortcuts = torch.randn(2, 3, 4, 2, 2), torch.full((2, 3), 0.25), torch.zeros(2, 0)
    loss = FlowLoss(Field(), torch.ones(()))(z, t, no_shortcuts, z, torch.eye(3).expand(2, 3, 3, 3))
    assert loss["flow"] == pytest.approx(0.25 * 0.5**2)


def test_flow_loss_adds_the_error_of_the_mean_latent():
    z, t, no_shortcuts = torch.randn(2, 3, 4, 2, 2), torch.full((2, 3), 0.25), torch.zeros(2, 0)
    loss = FlowLoss(Field(), torch.ones(()))(z, t, no_shortcuts, z, torch.eye(3).expand(2, 3, 3, 3))
    torch.testing.assert_close(loss["mean"], z.square().mean())
    torch.testing.assert_close(loss["loss"], loss["flow"] + loss["mean"])


def test_error_is_weighted_by_the_precision_of_the_posterior():
    stage = make_stage("fast denoiser")
    weight = stage.loss.weight
    assert weight.shape == stage.model.config.latent_shape
    assert weight.mean() == pytest.approx(1) and weight.min() > 0
    images = [
        augment(
            stage.views.images, np.full(6, flipped), stage.permutations[variant].repeat(3, axis=0)
        )
        for variant, flipped in enumerate(stage.mirrored)
    ]
    with torch.inference_mode():
        posterior = stage.model.autoencoder.encode(to_tensor(np.concatenate(images)))
    ratio = weight * (-posterior.log_variance).exp().mean(dim=0).reciprocal()
    torch.testing.assert_close(ratio, ratio.mean().expand_as(ratio))


def test_shortcuts_begin_at_shortcuts_from():
    stage = make_stage("fast denoiser")
    stage.settings = replace(stage.settings, shortcuts_from=0.5)
    assert [stage.batch(i, slice(None))[2].shape[1] for i in (0, 2, 3, 5)] == [0, 0, 1, 1]


def test_continued_run_trains_shortcuts_from_its_start():
    assert replace(FLOW_SETTINGS, shortcuts=1, shortcuts_from=0.7, begin=2).shortcuts_at(2) == 1


def test_shortcut_intervals_divide_their_time():
    _, t, interval, *_ = make_stage("fast denoiser", batch_size=64).batch(0, slice(None))
    last = t[:, -1:]
    assert (interval <= last).all() and (last <= 1).all()
    assert (last / interval == (last / interval).round()).all()


@pytest.mark.parametrize(
    "changes, message",
    [
        (["--preset", "huge"], "no preset 'huge'; there is fast, paper"),
        (["--iterations", "0"], "at least 1"),
        (["--learning-rate-scale", "0"], "--learning-rate-scale must be above 0"),
        (["--data", "nowhere"], "nowhere: no such folder"),
        (["--data", "{empty}"], "no instances; an instance is a folder with"),
        (["--device", "tpu"], "no device 'tpu'; there is cpu and cuda"),
        (["--device", "cuda:99"], "device 'cuda:99' was asked for, but torch .* sees . CUDA GPUs"),
    ],
)
def test_invalid_input_ends_with_one_line_that_names_it(changes, message, data, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    changes = [word.format(empty=tmp_path / "empty") for word in changes]
    with pytest.raises(SystemExit) as error:
        main([*command("autoencoder", data, tmp_path / "run"), *changes])
    assert error.value.code == 2
    assert re.search(f"^error: .*{message}[^\n]*\n$", capsys.readouterr().err)


def test_denoiser_refuses_an_instance_with_one_view(data, tmp_path, capsys):
    for file in ("rgb/000001.png", "pose/000001.txt", "rgb/000002.png", "pose/000002.txt"):
        (data / "1" / file).unlink()
    main(command("autoencoder", data, tmp_path / "run", "--iterations", "1"))
    with pytest.raises(SystemExit) as error:
        main(command("denoiser", data, tmp_path / "run"))
    assert error.value.code == 2
    assert "1: has one view only; the denoiser learns from pairs" in capsys.readouterr().err


def test_denoiser_without_an_autoencoder_is_refused(data, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(command("denoiser", data, tmp_path / "run"))
    assert "config.json is missing" in capsys.readouterr().err


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def test_sigterm_saves_a_checkpoint_and_exits_with_130(data, tmp_path):
    arguments = [sys.executable, "-m", "training.train",
                 *command("denoiser", data, tmp_path)]  # fmt: skip
    main(command("autoencoder", data, tmp_path, "--iterations", "1"))
    with subprocess.Popen(arguments, cwd=ROOT, env=ENVIRONMENT) as process:
        while not list(tmp_path.glob("tensorboard/denoiser/*")):  # written before the first step
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 130
    training = NovelViewModel.from_pretrained(tmp_path).config.training
    iteration = history.trained_iterations(training, "denoiser")
    assert 0 <= iteration < 20_000
    training = Trainer(make_stage("denoiser"), tmp_path / "denoiser.checkpoint.safetensors")
    with pytest.raises(ValueError, match="iterations 20000, not 6"):  # whole, and ours
        training.load()


def test_two_processes_give_the_weights_of_one(data, tmp_path):
    main(command("autoencoder", data, tmp_path / "one", "--iterations", "3"))
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         "-m", "training.train",
         *command("autoencoder", data, tmp_path / "two", "--iterations", "3")],
        cwd=ROOT, env=ENVIRONMENT, check=True, timeout=240, capture_output=True,
    )  # fmt: skip
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-3, atol=1e-5)


def test_config_records_settings_of_the_command_line_in_each_segment(data, tmp_path):
    first, out = tmp_path / "first", tmp_path / "out"
    fast = ("--preset", "fast", "--iterations", "1")
    main(command("autoencoder", data, first, *fast))
    main(command("denoiser", data, first, *fast))
    main(command("tuning", data, out, *fast, "--init", str(first), "--set", "score_spread=0.9"))
    *_, last = history.segments(NovelViewModel.from_pretrained(out).config.training)
    assert (last["stage"], last["from"], last["to"]) == ("finetune", 0, 1)
    assert last["settings"]["score_spread"] == 0.9 and last["settings"]["score_weight"] == 20.0
    resume = command("finetune", data, out, *fast[:2], "--init", str(first), "--resume",
                     "--iterations", "3", "--set", "score_spread=0.9")  # fmt: skip
    main(resume)
    stages = history.segments(NovelViewModel.from_pretrained(out).config.training)
    assert [(s["stage"], s["from"], s["to"]) for s in stages] == [
        ("autoencoder", 0, 1),
        ("denoiser", 0, 1),
        ("finetune", 0, 1),
        ("finetune", 1, 3),
    ]


@pytest.mark.parametrize(
    "word, message",
    [
        ("spread=1.0", "the finetune has no setting 'spread'; it has .*score_spread"),
        ("score_spread", "--set score_spread: must be NAME=VALUE"),
        ("score_spread=wide", "where the value is a float"),
    ],
)
def test_invalid_settings_of_the_command_line_are_refused(word, message, data, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(command("finetune", data, tmp_path, "--preset", "fast", "--set", word))
    assert re.search(message, capsys.readouterr().err)
