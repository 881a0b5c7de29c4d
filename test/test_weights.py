"""The weights that are shipped."""

from pathlib import Path

import cv2
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


@pytest.mark.parametrize("pixels", [-3, 3])
def test_image_around_a_wrong_mask_makes_its_views_better(pixels):
    """Masks that are off by 3 of 64 pixels, before a coarse texture."""
    pytest.importorskip("moderngl")
    model = NovelViewModel.from_pretrained(FOLDERS[0].with_name("objects"))
    errors = np.array([[*_errors_of_dirty_mask(model, number, pixels)] for number in range(8)])
    cut_out, in_scene = errors.mean(axis=0)
    assert in_scene < 0.95 * cut_out


def _errors_of_dirty_mask(model, number, pixels):
    """Return mean square errors of the views from an image that is cut out, and one that is not."""
    from training.data.objects.build import build_object
    from training.data.random_views import render_instance

    rng = np.random.default_rng(number)
    rgba, _, poses, _ = render_instance(build_object(5, number), rng, 6, 64)
    alpha = rgba[..., 3:] / 255
    truth = cv2.resize((rgba[..., :3] * alpha + 255 * (1 - alpha))[1], (32, 32),
                       interpolation=cv2.INTER_AREA)  # fmt: skip
    texture = cv2.resize(rng.uniform(0, 255, (6, 6, 3)), (64, 64), interpolation=cv2.INTER_CUBIC)
    scene = (rgba[..., :3] * alpha)[0] + (1 - alpha[0]) * texture.clip(0, 255)
    change = cv2.dilate if pixels > 0 else cv2.erode
    mask = change(rgba[0, ..., 3], np.ones((2 * abs(pixels) + 1,) * 2, np.uint8))
    cut_out = np.where(mask[..., None] > 0, scene, 255)
    for color in (cut_out, scene):
        image = np.dstack([color, mask]).round().astype(np.uint8)
        samples = model.generate((image, poses[0]), poses[1:2], samples=8, seed=0)
        yield np.square(samples.rgb[0].mean(axis=0) - truth).mean()
