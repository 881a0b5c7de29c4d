import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

pytest.importorskip("tensorboard")
pytest.importorskip("tqdm")

from tiny_nvs_ros.geometry import orbit
from tiny_nvs_ros.model import NovelViewModel
from training.srn import Intrinsics, Views, write_instance
from training.train import STAGES, Settings, Training, main, train

ROOT = Path(__file__).parents[2]
SETTINGS = Settings(iterations=6, batch_size=4, learning_rate=1e-3, warmup=2, ema=0.9)
STAGE_NAMES = list(STAGES)


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


def make_stage(name, settings=SETTINGS):
    torch.manual_seed(0)
    return STAGES[name](NovelViewModel.from_preset("paper"), coloured_views(), settings)


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
def test_a_resumed_run_gives_the_bits_of_an_unbroken_one(name, tmp_path):
    whole = Training(make_stage(name), tmp_path / "whole")
    losses = [float(whole.step()["loss"]) for _ in range(6)]
    first = Training(make_stage(name), tmp_path / "broken")
    for _ in range(3):
        first.step()
    first.save(tmp_path)
    second = Training(make_stage(name), tmp_path / "broken")
    second.load()
    assert [float(second.step()["loss"]) for _ in range(3)] == losses[3:]
    for key, value in whole._tensors().items():
        assert torch.equal(value, second._tensors()[key]), key


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_the_loss_falls(name, tmp_path):
    settings = replace(SETTINGS, iterations=30, batch_size=8)
    training = Training(make_stage(name, settings), tmp_path / "run")
    losses = [float(training.step()["loss"]) for _ in range(30)]
    assert np.mean(losses[-8:]) < 0.95 * np.mean(losses[:8])


def test_a_finished_run_goes_further_when_asked(tmp_path):
    train(make_stage("denoiser"), tmp_path)
    further = make_stage("denoiser", replace(SETTINGS, iterations=9))
    train(further, tmp_path, resume=True)
    assert (further.settings.begin, further.settings.iterations) == (6, 9)
    assert further.settings.rate_at(6) == pytest.approx(SETTINGS.learning_rate / 2)  # warms up
    training = Training(make_stage("denoiser", replace(SETTINGS, iterations=9)),
                        tmp_path / "denoiser.checkpoint.safetensors")  # fmt: skip
    training.load()
    assert training.iteration == 9 and training.stage.settings.begin == 6


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_the_average_keeps_no_history(name, tmp_path):
    training = Training(make_stage(name), tmp_path / "run")
    training.step()
    assert all(parameter.grad_fn is None for parameter in training.ema.parameters())


def test_settings_that_changed_are_named(tmp_path):
    training = Training(make_stage("denoiser"), tmp_path / "run")
    training.step()
    training.save(tmp_path)
    other = Training(make_stage("denoiser", replace(SETTINGS, ema=0.5)), tmp_path / "run")
    with pytest.raises(ValueError, match=r"made with ema 0\.9, not 0\.5"):
        other.load()


def test_precision_is_a_setting_that_older_checkpoints_have_by_default(tmp_path):
    training = Training(make_stage("denoiser"), tmp_path / "run")
    training.step()
    training.save(tmp_path)
    with safe_open(tmp_path / "run", framework="pt") as checkpoint:
        tensors = {name: checkpoint.get_tensor(name) for name in checkpoint.keys()}  # noqa: SIM118
        metadata = checkpoint.metadata()
    settings = json.loads(metadata["settings"])
    assert settings.pop("precision") == "float32"
    save_file(tensors, tmp_path / "run", metadata | {"settings": json.dumps(settings)})
    Training(make_stage("denoiser"), tmp_path / "run").load()
    other = make_stage("denoiser", replace(SETTINGS, precision="bfloat16"))
    with pytest.raises(ValueError, match="made with precision float32, not bfloat16"):
        Training(other, tmp_path / "run").load()


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_bfloat16_is_for_the_networks_alone(name, tmp_path):
    exact = Training(make_stage(name), tmp_path / "exact")
    mixed = Training(make_stage(name, replace(SETTINGS, precision="bfloat16")), tmp_path / "mixed")
    for _ in range(2):
        expected, scalars = exact.step(), mixed.step()
        for key, value in scalars.items():
            assert value.dtype == torch.float32
            torch.testing.assert_close(value, expected[key], rtol=0.05, atol=0.05)
        assert scalars["loss"] != expected["loss"]
    assert all(value.dtype == torch.float32 for value in mixed._tensors().values())


@pytest.mark.parametrize("name", ["autoencoder", "denoiser"])
def test_a_step_compiles_to_one_graph_once(name, tmp_path):
    """Which CUDA graphs need; a backend that changes nothing must give the same losses."""
    graphs = []

    def backend(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    eager = Training(make_stage(name), tmp_path / "eager")
    traced = Training(make_stage(name), tmp_path / "traced")
    traced.loss = torch.compile(traced.loss, backend=backend, fullgraph=True)
    for _ in range(3):
        assert traced.step()["loss"] == eager.step()["loss"]
    assert len(graphs) == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("name", STAGE_NAMES)
def test_cuda_graphs_train_as_eager_mode_does(name, tmp_path):
    runs = []
    for compiled in (False, True):
        stage = make_stage(name)
        stage.model.to("cuda")
        stage = STAGES[name](stage.model, stage.views, SETTINGS)  # its latents are on the GPU too
        training = Training(stage, tmp_path / "run", compiled)
        runs.append([float(training.step()["loss"]) for _ in range(5)])
    np.testing.assert_allclose(*runs, rtol=1e-3)


def test_a_finished_run_is_not_overwritten(tmp_path):
    train(make_stage("denoiser"), tmp_path)
    with pytest.raises(FileExistsError, match="--resume"):
        train(make_stage("denoiser"), tmp_path)


def test_an_autoencoder_that_a_denoiser_relies_on_is_not_changed(tmp_path):
    train(make_stage("autoencoder"), tmp_path)
    train(make_stage("denoiser"), tmp_path)
    weights = (tmp_path / "model.safetensors").read_bytes()
    train(make_stage("autoencoder"), tmp_path, resume=True)  # finished: there is nothing to do
    with pytest.raises(FileExistsError, match=r"denoiser\.checkpoint.*another --out"):
        train(make_stage("autoencoder", replace(SETTINGS, iterations=9)), tmp_path, resume=True)
    assert (tmp_path / "model.safetensors").read_bytes() == weights


def test_latents_are_scaled_to_unit_deviation():
    stage = make_stage("denoiser")
    assert stage.latents.std() == pytest.approx(1, abs=1e-4)


def test_both_stages_make_a_weights_folder(data, tmp_path, capsys):
    out = tmp_path / "run"
    main(command("autoencoder", data, out, "--iterations", "2"))
    autoencoder = NovelViewModel.from_pretrained(out).autoencoder.state_dict()
    main(command("denoiser", data, out, "--iterations", "2"))
    model = NovelViewModel.from_pretrained(out)
    for name, value in model.autoencoder.state_dict().items():
        assert torch.equal(value, autoencoder[name]), name
    assert model.config.training["autoencoder"]["iteration"] == 2
    assert model.config.training["denoiser"]["views"] == 6
    image = np.zeros((32, 32, 3), np.uint8)
    assert model.generate(image, np.eye(4)[None], seed=0).images.shape == (1, 1, 32, 32, 3)


@pytest.mark.parametrize(
    "changes, message",
    [
        (["--preset", "huge"], "no preset 'huge'; there is paper"),
        (["--iterations", "0"], "at least 1"),
        (["--data", "nowhere"], "nowhere: no such folder"),
        (["--data", "{empty}"], "no instances; an instance is a folder with"),
        (["--device", "tpu"], "no device 'tpu'; there is cpu and cuda"),
        (["--device", "cuda:99"], "device 'cuda:99' was asked for, but torch .* sees . CUDA GPUs"),
    ],
)
def test_bad_input_ends_with_one_clear_line(changes, message, data, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    changes = [word.format(empty=tmp_path / "empty") for word in changes]
    with pytest.raises(SystemExit) as error:
        main([*command("autoencoder", data, tmp_path / "run"), *changes])
    assert error.value.code == 2
    assert re.search(f"^error: .*{message}[^\n]*\n$", capsys.readouterr().err)


def test_the_denoiser_wants_pairs_of_views(data, tmp_path, capsys):
    for file in ("rgb/000001.png", "pose/000001.txt", "rgb/000002.png", "pose/000002.txt"):
        (data / "1" / file).unlink()
    main(command("autoencoder", data, tmp_path / "run", "--iterations", "1"))
    with pytest.raises(SystemExit) as error:
        main(command("denoiser", data, tmp_path / "run"))
    assert error.value.code == 2
    assert "1: has one view only; the denoiser learns from pairs" in capsys.readouterr().err


def test_the_denoiser_wants_an_autoencoder(data, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(command("denoiser", data, tmp_path / "run"))
    assert "config.json is missing" in capsys.readouterr().err


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def test_sigterm_saves_and_resume_goes_on(data, tmp_path):
    arguments = [sys.executable, "-m", "training.train",
                 *command("denoiser", data, tmp_path)]  # fmt: skip
    main(command("autoencoder", data, tmp_path, "--iterations", "1"))
    with subprocess.Popen(
        arguments, cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    ) as process:
        while " 0/20000" not in process.stderr.readline():  # tqdm draws it before the first step
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 130
    iteration = NovelViewModel.from_pretrained(tmp_path).config.training["denoiser"]["iteration"]
    assert 0 <= iteration < 20_000
    training = Training(make_stage("denoiser"), tmp_path / "denoiser.checkpoint.safetensors")
    with pytest.raises(ValueError, match="iterations 20000, not 6"):  # whole, and ours
        training.load()


def test_two_processes_train_as_one(data, tmp_path):
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
