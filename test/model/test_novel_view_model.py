import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tiny_nvs_ros.geometry import orbit, relative_pose
from tiny_nvs_ros.model import NovelViewModel, NovelViews

POSES = relative_pose(orbit(3)[0], orbit(3))
IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return NovelViewModel.from_preset("paper", latent_scale=2.0).eval()


@pytest.fixture
def weights(model, tmp_path):
    model.save_pretrained(tmp_path)
    return tmp_path


def generate(model, **arguments):
    return model.generate(IMAGE, POSES, **{"samples": 2, "seed": 0, "steps": 3, **arguments}).images


def test_generate_gives_views_by_samples(model):
    views = model.generate(IMAGE, POSES, samples=2, seed=0, steps=2)
    assert views.images.shape == (3, 2, 32, 32, 3) and views.images.dtype == np.uint8
    assert views.mean.shape == (3, 32, 32, 3) and views.std.shape == (3, 32, 32)


@pytest.mark.parametrize("sampler", ["ddim", "ddpm"])
def test_the_same_seed_gives_the_same_bits(model, sampler):
    first = generate(model, sampler=sampler)
    np.testing.assert_array_equal(first, generate(model, sampler=sampler))
    assert (first != generate(model, sampler=sampler, seed=1)).any()


def test_generate_leaves_the_global_random_state_alone(model):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    generate(model, sampler="ddpm")
    generate(model, seed=None)
    assert torch.equal(before, torch.get_rng_state())


def test_poses_matter(model):
    images = generate(model, samples=1)
    moved = model.generate(IMAGE, POSES[::-1], samples=1, seed=0, steps=3).images
    assert (images != moved).any()


def test_no_poses_give_no_views(model):
    assert model.generate(IMAGE, POSES[:0]).images.shape == (0, 1, 32, 32, 3)


@pytest.mark.parametrize(
    "arguments, reason",
    [
        ({"poses": np.eye(4)}, "must be"),
        ({"poses": np.full((1, 4, 4), np.nan)}, "finite"),
        ({"samples": 0}, "samples"),
        ({"steps": -1}, "steps"),
        ({"steps": 0}, "steps"),
        ({"image": np.zeros((32, 32, 3))}, "uint8"),
        ({"image": np.zeros((32, 32), np.uint8)}, "shape"),
    ],
)
def test_generate_names_a_bad_argument(model, arguments, reason):
    with pytest.raises(ValueError, match=reason):
        model.generate(**{"image": IMAGE, "poses": POSES, "steps": 2, **arguments})


def test_mean_and_std_are_over_samples():
    images = np.zeros((1, 2, 32, 32, 3), np.uint8)
    images[0, 1] = 255
    views = NovelViews(images)
    np.testing.assert_allclose(views.mean, 0.5)
    np.testing.assert_allclose(views.std, np.sqrt(0.5), rtol=1e-6)  # unbiased


def test_std_of_one_sample_is_not_a_number():
    assert np.isnan(NovelViews(np.zeros((1, 1, 32, 32, 3), np.uint8)).std).all()


def test_encode_and_decode_keep_leading_dimensions(model):
    latents = model.encode(np.stack([[IMAGE, IMAGE]] * 3))
    assert latents.shape == (3, 2, 1, 4, 4)
    assert model.decode(latents).shape == (3, 2, 32, 32, 3)
    assert model.decode(model.encode(IMAGE)).shape == (32, 32, 3)


def test_decode_undoes_the_latent_scale(model):
    z = model.encode(IMAGE)
    with torch.inference_mode():
        expected = model.autoencoder.decode(z[None] / 2.0)
    got = torch.from_numpy(model.decode(z)).permute(2, 0, 1) / 127.5 - 1
    assert (got - expected[0].clamp(-1, 1)).abs().max() < 0.01


def test_alpha_is_white_to_the_model(model):
    rgba = np.concatenate([IMAGE, np.zeros((40, 50, 1), np.uint8)], axis=-1)
    white = np.full_like(IMAGE, 255)
    torch.testing.assert_close(model.encode(rgba), model.encode(white))


def test_save_and_load_round_trip(model, weights):
    loaded = NovelViewModel.from_pretrained(weights)
    assert loaded.config == model.config
    np.testing.assert_array_equal(generate(loaded), generate(model))


def test_everybody_may_read_the_weights(weights):
    assert all(file.stat().st_mode & 0o044 == 0o044 for file in weights.iterdir())


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(weights, name):
    (weights / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        NovelViewModel.from_pretrained(weights)


def truncate(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def corrupt_header(file):
    file.write_bytes(b"\xff" * 64 + file.read_bytes()[64:])


def pickle_instead(file):
    file.write_bytes(pickle.dumps({"weights": [1.0]}))


def empty(file):
    file.write_bytes(b"")


@pytest.mark.parametrize("spoil", [truncate, corrupt_header, pickle_instead, empty])
def test_a_spoilt_weights_file_is_refused_by_name(weights, spoil):
    spoil(weights / "model.safetensors")
    with pytest.raises(ValueError, match=r"model\.safetensors is not a whole safetensors file"):
        NovelViewModel.from_pretrained(weights)


def rewrite(weights, **changes):
    file = weights / "model.safetensors"
    save_file({**load_file(file), **changes}, file)


def test_weights_of_another_model_are_refused(weights):
    rewrite(weights, **{"denoiser.conv_in.weight": torch.zeros(16, 4, 3, 3)})
    with pytest.raises(ValueError, match=r"denoiser\.conv_in\.weight"):
        NovelViewModel.from_pretrained(weights)


def test_weights_that_are_not_finite_are_refused(weights):
    rewrite(weights, **{"denoiser.conv_in.bias": torch.full((16,), float("nan"))})
    with pytest.raises(ValueError, match="not finite"):
        NovelViewModel.from_pretrained(weights)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"preset": "huge"}', '{"preset": "paper", "colour": 1}', "\udcff"]
)
def test_a_bad_config_is_refused_by_name(weights, text):
    (weights / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=r"config\.json"):
        NovelViewModel.from_pretrained(weights)


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="huge"):
        NovelViewModel.from_preset("huge")


def test_config_is_plain_json(weights):
    config = json.loads((weights / "config.json").read_text())
    assert config["preset"] == "paper"
    assert config["geometry"] == {"size": 32, "distance": 1.3, "focal": 131.25 / 128}
