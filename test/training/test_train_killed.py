"""Training processes that are killed with SIGKILL, at any moment and while they save."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

pytest.importorskip("tensorboard")
pytest.importorskip("tqdm")

from tiny_nvs_ros.geometry import orbit
from tiny_nvs_ros.model import NovelViewModel
from tiny_nvs_ros.srn_data import Intrinsics, write_instance
from training.train import main

# Its processes are forks of one that has imported torch, which takes seconds, but nothing more.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["training.train"])


def target(arguments: list[str], fsync: int | None) -> None:
    """Train; with `fsync`, the process dies before that call of os.fsync has an effect."""
    torch.set_num_threads(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # tqdm
    calls, real = [], os.fsync

    def counted(handle: int) -> None:
        calls.append(handle)
        if len(calls) == fsync:
            os.kill(os.getpid(), signal.SIGKILL)
        real(handle)

    os.fsync = counted
    main(arguments)


def start(stage: str, folder: Path, out: str, iterations: int, fsync: int | None = None):
    words = f"{stage} --data {folder}/data --out {folder / out} --device cpu --batch-size 2"
    words += f" --iterations {iterations} --checkpoint-seconds 0 --resume"
    process = PROCESSES.Process(target=target, args=(words.split(), fsync))
    process.start()
    return process


def finish(process) -> int:
    process.join(timeout=120)
    process.kill()
    process.join()
    return process.exitcode


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With data/, two instances of two noisy views."""
    folder = tmp_path_factory.mktemp("killed")
    rng = np.random.default_rng(0)
    for k in range(2):
        images = rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
        write_instance(folder / f"data/{k}", images, orbit(2), Intrinsics.centred(32.8, 32))
    return folder


def assert_all_files_load(out: Path) -> None:
    for file in out.glob("*.safetensors"):
        load_file(file)
    if (out / "config.json").exists():
        NovelViewModel.from_pretrained(out)


def assert_same(out: Path, other: Path) -> None:
    """Checkpoints and weights hold the same bits; their files may order them differently."""
    for file in out.glob("*.safetensors"):
        ours, theirs = load_file(file), load_file(other / file.name)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(value, theirs[name]) for name, value in ours.items()), file
    assert (out / "config.json").read_bytes() == (other / "config.json").read_bytes()


def test_run_killed_at_random_moments_ends_with_the_bits_of_an_uninterrupted_one(folder):
    rng = np.random.default_rng(0)
    kills = 0
    for stage in ("autoencoder", "denoiser"):
        assert finish(start(stage, folder, "whole", iterations=5)) == 0
        checkpoint = folder / f"random/{stage}.checkpoint.safetensors"
        for _ in range(2):
            process = start(stage, folder, "random", iterations=5)
            for _ in range(rng.integers(1, 3)):  # saves later
                before = checkpoint.stat().st_ino if checkpoint.exists() else None
                while process.is_alive() and (
                    not checkpoint.exists() or checkpoint.stat().st_ino == before
                ):
                    time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.2))
            process.kill()
            kills += finish(process) == -signal.SIGKILL
            assert_all_files_load(folder / "random")
        assert finish(start(stage, folder, "random", iterations=5)) == 0
        assert_same(folder / "random", folder / "whole")
    assert kills >= 2  # a slow parent may come after the end


def test_run_killed_while_it_saves_loses_nothing(folder):
    """It is killed before each of the files of its two saves takes its place."""
    assert finish(start("autoencoder", folder, "saved", iterations=2)) == 0
    for fsync in range(1, 7):
        out = folder / f"killed_{fsync}"
        process = start("autoencoder", folder, out.name, iterations=2, fsync=fsync)
        assert finish(process) == -signal.SIGKILL
        assert_all_files_load(out)
        assert finish(start("autoencoder", folder, out.name, iterations=2)) == 0
        assert_same(out, folder / "saved")
