"""The shipped weights give the images that they gave when the files here were made."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tiny_nvs_ros import runtime
from tiny_nvs_ros.geometry import relative_pose
from tiny_nvs_ros.model import NovelViewModel, ViewRequest

GOLDEN = np.load(Path(__file__).with_name("golden.npz"))
WEIGHTS = Path(__file__).parents[2] / "weights"
SOURCE = GOLDEN["image"], GOLDEN["source"]
TARGETS = GOLDEN["targets"]
RELATIVE = relative_pose(GOLDEN["source"], TARGETS)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def cars():
    return NovelViewModel.from_pretrained(WEIGHTS / "cars")


@pytest.fixture(scope="module")
def paper():
    return NovelViewModel.from_pretrained(WEIGHTS / "cars_paper")


def assert_same(images: np.ndarray, name: str) -> None:
    """Bit for bit on the processor of the files; elsewhere rounding may differ."""
    difference = np.abs(images.astype(int) - GOLDEN[name].astype(int))
    assert difference.max() <= 2 and difference.mean() < 0.01


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("steps", [1, 4])
def test_flow_gives_the_golden_images(cars, known, samples, steps):
    views = cars.generate(
        SOURCE, TARGETS, samples=samples, seed=7, steps=steps, heading_known=known
    )
    assert_same(views.rgb, f"cars/known{int(known)}/samples{samples}/steps{steps}")


def test_flow_gives_the_golden_images_from_relative_poses(cars):
    views = cars.generate_relative(SOURCE[0], RELATIVE, samples=2, seed=7)
    assert_same(views.rgb, "cars/relative")


def test_flow_gives_the_golden_images_by_eulers_steps(cars):
    assert_same(cars.generate(SOURCE, TARGETS, seed=7, steps=3).rgb, "cars/steps3")


@pytest.mark.parametrize("name", ["eager", "onnx"])
def test_runtime_gives_the_golden_images(name):
    if name == "onnx":
        pytest.importorskip("onnxruntime")
    renderer = runtime.load(WEIGHTS / "cars", "cpu", name, threads=1)
    request = ViewRequest.create(
        renderer.config, SOURCE, TARGETS, samples=4, seed=7, heading_known=False
    )
    assert_same(renderer.render(request).rgb, f"cars/{name}")


@pytest.mark.parametrize("sampler", ["ddim", "ddpm"])
def test_paper_gives_the_golden_images(paper, sampler):
    views = paper.generate_relative(
        SOURCE[0], RELATIVE, samples=2, seed=7, steps=10, sampler=sampler
    )
    assert_same(views.rgb, f"paper/{sampler}")


def test_paper_gives_the_golden_images_from_poses_in_the_objects_frame(paper):
    assert_same(paper.generate(SOURCE, TARGETS, seed=7).rgb, "paper/default")


@pytest.mark.parametrize("name", ["cars", "cars_paper"])
def test_autoencoder_gives_the_golden_latents_and_images(request, name):
    model = request.getfixturevalue("cars" if name == "cars" else "paper")
    z = model.encode(GOLDEN["image"][None])
    assert np.allclose(z.numpy(), GOLDEN[f"{name}/encoded"], atol=1e-4)
    assert_same(model.decode(z), f"{name}/decoded")
