"""The weights that are shipped."""

from pathlib import Path

import numpy as np
import pytest
from rendering import rgb_of

pytest.importorskip("torch")

from tiny_nvs_ros import runtime
from tiny_nvs_ros.geometry import orbit, relative_pose
from tiny_nvs_ros.model import NovelViewModel

FOLDERS = sorted(file.parent for file in Path(__file__).parents[1].glob("weights/*/config.json"))
TOLERANCE = 2  # of 255


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_they_have_the_parameters_that_their_card_says(folder):
    model = NovelViewModel.from_pretrained(folder)
    counts = [sum(p.numel() for p in network.parameters()) for network in model.children()]
    assert sum(counts) <= 1_700_000
    assert " + ".join(f"{count:,}" for count in counts) in (folder / "README.md").read_text()


@pytest.mark.parametrize("heading_known", [True, False])
@pytest.mark.parametrize(
    "folder", [f for f in FOLDERS if (f / "model.onnx").is_file()], ids=lambda folder: folder.name
)
def test_the_graph_beside_them_is_theirs(folder, heading_known):
    pytest.importorskip("onnxruntime")
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    cameras = orbit(4)
    told = dict(samples=2, seed=0, source_pose=cameras[0], heading_known=heading_known)
    onnx, eager = (
        rgb_of(runtime.load(folder, "cpu", name), image, relative_pose(cameras[0], cameras), **told)
        for name in ("onnx", "eager")
    )
    assert np.abs(onnx - eager).max() <= TOLERANCE
