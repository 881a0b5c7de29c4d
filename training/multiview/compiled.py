"""Compile the loss in a process of its own, while the training goes on without."""

import argparse
import subprocess
import sys
import time

import numpy as np
import torch

from tiny_nvs_ros.geometry import look_at
from tiny_nvs_ros.model.multiview.network import MultiviewNetwork
from training.multiview.data import ObjectViews
from training.multiview.fit import Fit, Schedule
from training.multiview.shards import SIZE
from training.multiview.stage import MultiviewSettings, MultiviewStage


def start_compiler(options: argparse.Namespace) -> subprocess.Popen:
    """Compile the loss in a process of its own, while training goes on without."""
    command = [sys.executable, "-m", "training.gpu_run", "compile"]
    command += ["--batch-size", str(options.batch_size), "--device", options.device]
    return subprocess.Popen(command)


def compile_loss(options: argparse.Namespace) -> None:
    """Compile the loss for one batch of made-up views."""
    views = ObjectViews.empty(2, 20, SIZE, options.device)
    eye = np.random.default_rng(0).normal(size=(2, 20, 3))
    poses = look_at(eye, np.zeros(3)).astype(np.float32)[..., :3, :3]
    views.append(
        np.zeros(views.rgba.shape, np.uint8),
        np.zeros(views.depth.shape, np.float16),
        poses,
        np.full(views.rho.shape, 5, np.float32),
    )
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    settings = MultiviewSettings(batch_size=options.batch_size)
    stage = MultiviewStage(MultiviewNetwork(SIZE).to(options.device), views, settings)
    fit = Fit(stage, Schedule())
    fit.compile()
    began = time.monotonic()
    fit.step(0.0)
    print(f"compiled in {time.monotonic() - began:.0f} s", flush=True)
