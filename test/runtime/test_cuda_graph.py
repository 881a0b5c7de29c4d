import numpy as np
import pytest
import torch

from tiny_nvs_ros import runtime
from tiny_nvs_ros.geometry import orbit, relative_pose

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
CAMERAS = orbit(5)
IMAGE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)


def generate(renderer, views=5, **told):
    poses = relative_pose(CAMERAS[0], CAMERAS[:views])
    return renderer.generate(IMAGE, poses, seed=1, source_pose=CAMERAS[0], **told).images.astype(
        int
    )


@gpu
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_a_graph_renders_nearly_what_torch_does(flow, steps):
    graph, eager = (
        generate(runtime.load(flow, device, name), steps=steps, samples=3)
        for device, name in (("cuda", "cuda_graph"), ("cpu", "eager"))
    )
    assert np.abs(graph - eager).max() <= 8 and np.abs(graph - eager).mean() < 1


@gpu
def test_shapes_may_change_and_come_back(flow):
    renderer = runtime.load(flow, "cuda")
    assert renderer.name == "cuda_graph"
    first = generate(renderer)
    for views in range(1, 5):
        for samples in (1, 2, 3):
            generate(renderer, views, samples=samples)
    np.testing.assert_array_equal(generate(renderer), first)


@gpu
def test_other_numbers_of_steps_are_refused(flow):
    with pytest.raises(ValueError, match="takes 1, 2, 4, 8"):
        generate(runtime.load(flow, "cuda", "cuda_graph"), steps=3)


def test_it_is_for_a_gpu(flow):
    with pytest.raises(ValueError, match="cuda_graph is for a GPU, not 'cpu'"):
        runtime.load(flow, "cpu", "cuda_graph")
