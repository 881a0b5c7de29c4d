import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from rendering import rgb_of

pytest.importorskip("onnxscript")

import onnx

from tiny_nvs_ros.geometry import orbit
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.model.base import LatentModel
from tiny_nvs_ros.runtime.onnx import OnnxRenderer
from training import export


def test_the_command_writes_a_graph_for_the_steps_that_are_asked(flow, tmp_path, capsys):
    folder = shutil.copytree(flow, tmp_path / "flow")
    (folder / "model.onnx").unlink()
    export.main(["--weights", str(folder), "--steps", "2"])
    assert "model.onnx: within " in capsys.readouterr().out
    image, source = np.full((32, 32, 3), 200, np.uint8), orbit(1)[0]
    told = dict(T_source_targets=np.eye(4)[None], samples=2, seed=0, source_pose=source)
    by_graph = rgb_of(OnnxRenderer(folder, "cpu"), image, steps=2, **told)
    model = NovelViewModel.from_pretrained(folder)
    one, two = (model.generate_relative(image, steps=steps, **told).rgb for steps in (1, 2))
    assert np.abs(by_graph - two).max() <= export.TOLERANCE
    assert np.abs(by_graph - one).max() > export.TOLERANCE


@pytest.mark.parametrize("steps", ["0", "3"])
def test_steps_that_the_flow_has_not_learnt_leave_the_graph_alone(flow, steps, tmp_path, capsys):
    folder = shutil.copytree(flow, tmp_path / "flow")
    with pytest.raises(SystemExit):
        export.main(["--weights", str(folder), "--steps", steps])
    assert f"steps is {steps}; it must be one of 1, 2, 4, 8" in capsys.readouterr().err
    assert (folder / "model.onnx").read_bytes() == (flow / "model.onnx").read_bytes()


def test_a_graph_that_differs_from_torch_leaves_the_old_one(flow, tmp_path, monkeypatch):
    folder = shutil.copytree(flow, tmp_path / "flow")
    graph = SimpleNamespace(model_proto=onnx.load(folder / "model.onnx"))
    monkeypatch.setattr(torch.onnx, "export", lambda *_, **__: graph)
    monkeypatch.setattr(LatentModel, "decode", lambda *_: np.zeros((1, 1, 32, 32, 3), int))
    with pytest.raises(ValueError, match="differs from torch by"):
        export.export(folder)
    assert (folder / "model.onnx").read_bytes() == (flow / "model.onnx").read_bytes()


def test_a_model_that_is_no_flow_is_named(tmp_path, capsys):
    NovelViewModel.from_preset("paper").save_pretrained(tmp_path)
    with pytest.raises(SystemExit):
        export.main(["--weights", str(tmp_path)])
    assert "the architecture paper runs in torch only" in capsys.readouterr().err


def test_the_graphs_sampling_is_torchs():
    generator = torch.Generator().manual_seed(0)
    volume = torch.randn(2, 3, 4, 5, 6, generator=generator)
    grid = 3 * torch.rand(2, 500, 1, 1, 3, generator=generator) - 1.5  # beyond the rim too
    grid[:, 0], grid[:, 1] = 1e6, -1e6
    found = export.sampled_by_gather(volume, grid, 0, 0, False)
    truth = torch.nn.functional.grid_sample(volume, grid, align_corners=False)
    torch.testing.assert_close(found, truth)


def test_the_graph_holds_no_slow_operation(flow):
    operations = {node.op_type for node in onnx.load(flow / "model.onnx").graph.node}
    assert "GridSample" not in operations
