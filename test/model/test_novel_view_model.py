import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tiny_nvs_ros.geometry import eye_at, look_at, orbit, relative_pose
from tiny_nvs_ros.model import NovelViewModel, ViewRequest, ViewSamples
from tiny_nvs_ros.model.request import antithetic_noise

POSES = relative_pose(orbit(3)[0], orbit(3))
IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return NovelViewModel.from_preset("paper", latent_scale=2.0).eval()


@pytest.fixture(scope="module")
def fast():
    """The preset `fast` with small networks, and with no weight at the zero it begins at."""
    torch.manual_seed(0)
    model = NovelViewModel.from_preset(
        "fast",
        autoencoder={"widths": [8, 16, 32], "latent_channels": 4},
        denoiser={"channels": 32, "depth": 2, "heads": 2, "expansion": 2},
    ).eval()
    with torch.no_grad():
        for parameter in model.denoiser.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


@pytest.fixture
def weights(model, tmp_path):
    model.save_pretrained(tmp_path)
    return tmp_path


def generate(model, **arguments):
    arguments = {"samples": 2, "seed": 0, "steps": 3, **arguments}
    return model.generate_relative(IMAGE, POSES, **arguments).rgb


def test_generate_gives_views_by_samples(model):
    views = model.generate_relative(IMAGE, POSES, samples=2, seed=0, steps=2)
    assert views.rgb.shape == (3, 2, 32, 32, 3) and views.rgb.dtype == np.uint8
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
    moved = model.generate_relative(IMAGE, POSES[::-1], samples=1, seed=0, steps=3).rgb
    assert (images != moved).any()


SOURCE = look_at(eye_at(0.4, 0.3), np.zeros(3))
TARGETS = relative_pose(SOURCE, look_at(eye_at([0.9, 2.0], [0.2, -0.7]), np.zeros(3)))


def imagine(model, source_pose=None, poses=TARGETS, **arguments):
    arguments = {"samples": 2, "seed": 0, "steps": 3, **arguments}
    views = model.generate_relative(IMAGE, poses, source_pose=source_pose, **arguments)
    return views.rgb.astype(int)


@pytest.mark.parametrize("sampler", [None, "euler"])
def test_a_flow_gives_views_by_samples(fast, sampler):
    images = imagine(fast, SOURCE, sampler=sampler)
    assert images.shape == (2, 2, 32, 32, 3)
    assert (images[:, 0] != images[:, 1]).any() and (images[0] != images[1]).any()
    np.testing.assert_array_equal(images, imagine(fast, SOURCE, sampler=sampler))


def test_samples_are_drawn_from_as_much_noise_as_the_configuration_says(fast):
    def noise(scale):
        config = replace(fast.config, noise_scale=scale)
        return ViewRequest.create(config, (IMAGE, SOURCE), TARGETS, samples=3, seed=0).noise

    np.testing.assert_array_equal(noise(1.5), np.float32(1.5) * noise(1.0))


@pytest.mark.parametrize("steps, name", [(1, "shortcut"), (8, "shortcut"), (50, "euler")])
def test_a_flow_takes_the_steps_that_it_has_not_learnt_by_euler(fast, steps, name):
    by_name = imagine(fast, SOURCE, steps=steps, sampler=name)
    np.testing.assert_array_equal(imagine(fast, SOURCE, steps=steps), by_name)


def test_a_flow_makes_use_of_the_heading(fast):
    elsewhere = look_at(eye_at(2.0, 0.3), np.zeros(3))
    assert (imagine(fast, SOURCE) != imagine(fast, elsewhere)).any()
    unknown = imagine(fast, SOURCE, heading_known=False)
    assert (unknown != imagine(fast, SOURCE)).any()
    assert abs(unknown - imagine(fast, elsewhere, heading_known=False)).max() <= 1


def test_without_a_source_pose_a_flow_finds_its_elevation(fast):
    assert abs(imagine(fast) - imagine(fast, SOURCE, heading_known=False)).max() <= 1
    with pytest.raises(ValueError, match="give the source camera's pose"):
        imagine(fast, poses=np.eye(4)[None])


def test_views_do_not_depend_on_their_company(fast):
    both = ViewRequest.create(  # more than are rendered at once
        fast.config, (IMAGE, SOURCE), SOURCE @ TARGETS, samples=200, seed=0, steps=2
    )
    one = replace(both, T_object_targets=both.T_object_targets[1:], noise=both.noise[1:, -1:])
    together, alone = fast.sample_request(both), fast.sample_request(one)
    torch.testing.assert_close(together[1:, -1:], alone, rtol=1e-4, atol=1e-4)


def test_paper_does_not_look_at_the_source_pose(model):
    np.testing.assert_array_equal(imagine(model, SOURCE), imagine(model))


def test_a_flow_survives_a_round_trip(fast, tmp_path):
    fast.save_pretrained(tmp_path)
    loaded = NovelViewModel.from_pretrained(tmp_path)
    assert loaded.config == fast.config and loaded.config.architecture == "flow"
    np.testing.assert_array_equal(imagine(loaded, SOURCE), imagine(fast, SOURCE))


def test_no_poses_give_no_views(model):
    assert model.generate_relative(IMAGE, POSES[:0]).rgb.shape == (0, 1, 32, 32, 3)


@pytest.mark.parametrize(
    "arguments, reason",
    [
        ({"T_source_targets": np.eye(4)}, "must be"),
        ({"T_source_targets": np.full((1, 4, 4), np.nan)}, "finite"),
        ({"samples": 0}, "samples"),
        ({"steps": -1}, "steps"),
        ({"steps": 0}, "steps"),
        ({"image": np.zeros((32, 32, 3))}, "uint8"),
        ({"image": np.zeros((32, 32), np.uint8)}, "shape"),
        ({"source_pose": np.eye(3)}, "source_pose"),
        ({"source_pose": np.eye(4)[None]}, r"must be \(4, 4\)"),
    ],
)
def test_generate_names_a_bad_argument(model, arguments, reason):
    with pytest.raises(ValueError, match=reason):
        model.generate_relative(
            **{"image": IMAGE, "T_source_targets": POSES, "steps": 2, **arguments}
        )


def test_mean_and_std_are_over_samples():
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32, 3), np.uint8)
    views, scaled = ViewSamples(images), images / 255
    np.testing.assert_allclose(views.mean, scaled.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(views.std, scaled.var(axis=1).mean(axis=-1) ** 0.5, rtol=1e-5)


@pytest.mark.parametrize("samples", [1, 2, 5])
def test_antithetic_noise_is_normal_and_its_samples_lie_round_nothing(samples):
    noise = antithetic_noise(np.random.default_rng(0), (20_000, samples, 2))
    assert noise.dtype == np.float32
    np.testing.assert_allclose(noise[:, 0].mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(noise[:, 0].std(axis=0), 1, atol=0.03)
    if samples > 1:
        np.testing.assert_allclose(noise.mean(axis=1), 0, atol=1e-6)


def test_std_of_one_sample_is_not_a_number():
    assert np.isnan(ViewSamples(np.zeros((1, 1, 32, 32, 3), np.uint8)).std).all()


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
    "text",
    [
        "",
        "[]",
        "{",
        '{"preset": "huge"}',
        '{"preset": "paper", "colour": 1}',
        "\udcff",
        '{"preset": "paper", "geometry": {"size": 32, "distance": 0.2}}',
        '{"preset": "paper", "geometry": {"size": 32, "length": 1}}',
        '{"preset": "paper", "geometry": {"size": "32"}}',
        '{"preset": "paper", "autoencoder": [16]}',
        '{"preset": "paper", "latent_scale": "1"}',
        '{"preset": "paper", "latent_scale": 0}',
        '{"preset": "paper", "noise_scale": NaN}',
        '{"preset": "paper", "sampler": {"name": "ddim", "steps": 0}}',
        '{"preset": "paper", "sampler": {"steps": 20}}',
        '{"architecture": "unknown", "preset": "paper"}',
    ],
)
def test_a_bad_config_is_refused_by_name(weights, text):
    (weights / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=r"config\.json"):
        NovelViewModel.from_pretrained(weights)


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("denoiser", None, "denoiser is None"),
        ("autoencoder", 0, "autoencoder is 0"),
        ("autoencoder.width", -1, "autoencoder.width is -1"),
        ("autoencoder.width", True, "autoencoder.width is True"),
        ("autoencoder.multipliers", [], r"autoencoder.multipliers is \[\]"),
        ("autoencoder.latent_channels", "x", "autoencoder.latent_channels is 'x'"),
        ("autoencoder.latent_channels", 0, r"the latents' shape is \(0, 4, 4\)"),
        ("denoiser.widths", [16, "a"], "denoiser.widths is"),
        ("schedule.timesteps", 2.5, "schedule.timesteps is 2.5"),
        ("schedule.timesteps", 10, "steps is 20; it must be 1 to 10"),
        ("schedule.beta_start", float("nan"), "schedule.beta_start is nan"),
        ("schedule.beta_end", 2.5, "beta_end is 2.5"),
        ("sampler.name", "heun", "sampler is 'heun'"),
    ],
)
def test_invalid_value_in_config_is_one_line_with_file_and_value(weights, name, value, named):
    config = json.loads((weights / "config.json").read_text())
    *section, key = name.split(".")
    (config[section[0]] if section else config)[key] = value
    (weights / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=rf"config\.json.*({named})") as caught:
        NovelViewModel.from_pretrained(weights)
    assert "\n" not in str(caught.value)


def test_network_that_torch_cannot_build_is_refused_in_one_line(fast, tmp_path):
    fast.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["denoiser"]["heads"] = 0
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json is not a model's configuration: .*zero"):
        NovelViewModel.from_pretrained(tmp_path)


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="huge"):
        NovelViewModel.from_preset("huge")


def test_config_is_plain_json(weights):
    config = json.loads((weights / "config.json").read_text())
    assert config["architecture"] == config["preset"] == "paper"
    assert config["geometry"] == {"size": 32, "distance": 1.3, "focal": 131.25 / 128}


def test_config_without_architecture_has_that_of_its_preset(fast, tmp_path):
    fast.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["architecture"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert NovelViewModel.from_pretrained(tmp_path).config == fast.config


@pytest.mark.parametrize("count", [0, 2])
def test_model_of_one_source_refuses_another_number(model, count):
    with pytest.raises(ValueError, match=f"{count} source views are given; .* takes one"):
        model.generate([(IMAGE, np.eye(4))] * count, np.eye(4)[None])


def test_pair_and_list_of_one_pair_give_the_same_views(fast):
    targets = SOURCE @ TARGETS
    alone = fast.generate((IMAGE, SOURCE), targets, seed=0).rgb
    np.testing.assert_array_equal(fast.generate([(IMAGE, SOURCE)], targets, seed=0).rgb, alone)


def test_git_lfs_pointer_instead_of_weights_is_named_with_the_remedy(weights):
    (weights / "model.safetensors").write_bytes(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    )
    with pytest.raises(ValueError, match=r"model\.safetensors is a git-lfs pointer.*git lfs pull"):
        NovelViewModel.from_pretrained(weights)


def test_forward_gives_what_generate_gives(fast):
    request = ViewRequest.create(
        fast.config, (IMAGE, SOURCE), SOURCE @ TARGETS, samples=2, seed=0, steps=2
    )
    inputs = {k: torch.from_numpy(v) for k, v in fast.config.module.inputs(request).items()}
    with torch.inference_mode():
        whole = fast(**inputs, steps=2)
    np.testing.assert_array_equal(whole.numpy(), fast.render(request).rgb)
