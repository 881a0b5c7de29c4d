import numpy as np
import pytest
import torch
from rendering import rgb_of
from torch.overrides import TorchFunctionMode

from tiny_nvs_ros import runtime
from tiny_nvs_ros.geometry import orbit, relative_pose
from tiny_nvs_ros.model import NovelViewModel

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
CAMERAS = orbit(5)
IMAGE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)


def generate(renderer, views=5, **told):
    poses = relative_pose(CAMERAS[0], CAMERAS[:views])
    return rgb_of(renderer, IMAGE, poses, seed=1, source_pose=CAMERAS[0], **told)


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


class DeviceOnly(TorchFunctionMode):
    """Collects what would wait for the host, which a capture does not allow."""

    def __init__(self):
        super().__init__()
        self.from_host = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        made_of_numbers = function in (torch.tensor, torch.as_tensor, torch.Tensor.new_tensor)
        on_cpu = isinstance(result, torch.Tensor) and result.device.type == "cpu"
        if made_of_numbers or on_cpu:
            self.from_host.append(function)
        return result


def test_forward_takes_nothing_from_the_host():
    """Checked on the device `meta`, which computes nothing: there need not be a GPU."""
    with torch.device("meta"):
        model = NovelViewModel.from_preset("fast").eval()
        inputs = {
            "image": torch.zeros(32, 32, 3, dtype=torch.uint8),
            "source_rotation": torch.eye(3),
            "heading_known": torch.ones((), dtype=torch.bool),
            "rotations": torch.eye(3).expand(4, 3, 3),
            "noise": torch.zeros(4, 2, 16, 4, 4),
        }
    with torch.inference_mode(), DeviceOnly() as mode:
        images = model(**inputs, steps=2)
    assert images.shape == (4, 2, 32, 32, 3)
    assert mode.from_host == []
