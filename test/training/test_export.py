import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

pytest.importorskip("onnxscript")

import onnx

from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.runtime.onnx import OnnxRenderer
from training import export


def test_the_command_writes_a_graph_for_the_steps_that_are_asked(flow, tmp_path, capsys):
    folder = shutil.copytree(flow, tmp_path / "flow")
    (folder / "model.onnx").unlink()
    export.main(["--weights", str(folder), "--steps", "1"])
    assert "model.onnx: within " in capsys.readouterr().out
    views = OnnxRenderer(folder, "cpu").generate(
        np.zeros((32, 32, 3), np.uint8), np.eye(4)[None], steps=1, source_pose=np.eye(4)
    )
    assert views.images.shape == (1, 1, 32, 32, 3)


def test_a_graph_that_differs_from_torch_is_not_kept(flow, tmp_path, monkeypatch):
    folder = shutil.copytree(flow, tmp_path / "flow")
    graph = SimpleNamespace(model_proto=onnx.load(folder / "model.onnx"))
    monkeypatch.setattr(torch.onnx, "export", lambda *_, **__: graph)
    monkeypatch.setattr(NovelViewModel, "decode", lambda *_: np.zeros((1, 1, 32, 32, 3), int))
    with pytest.raises(ValueError, match="differs from torch by"):
        export.export(folder)
    assert not (folder / "model.onnx").exists()


def test_a_model_that_is_no_flow_is_named(tmp_path, capsys):
    NovelViewModel.from_preset("paper").save_pretrained(tmp_path)
    with pytest.raises(SystemExit):
        export.main(["--weights", str(tmp_path)])
    assert "the preset paper runs in torch alone" in capsys.readouterr().err
