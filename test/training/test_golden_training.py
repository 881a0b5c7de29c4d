"""Training gives the weights that it always gave: a few iterations of every stage, by its command.

`python -m test.training.test_golden_training` writes the golden file again.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

pytest.importorskip("tensorboard")

from tiny_nvs_ros.geometry import orbit
from tiny_nvs_ros.srn_data import Intrinsics, write_instance
from training.train import main

GOLDEN = Path(__file__).with_name("golden_training.json")
FAST = ["--preset", "fast"]
# stage, folder of the run, options
RUNS = [
    ("autoencoder", "paper", []),
    ("denoiser", "paper", []),
    ("regressor", "paper_regressor", ["--autoencoder", "{folder}/paper"]),
    ("autoencoder", "fast", FAST),
    ("denoiser", "fast", FAST),
    ("finetune", "finetuned", [*FAST, "--init", "{folder}/fast"]),
    ("regressor", "fast_regressor", [*FAST, "--autoencoder", "{folder}/fast"]),
]


def write_data(folder: Path) -> None:
    """Two instances of four noisy views."""
    rng = np.random.default_rng(0)
    for k in range(2):
        images = rng.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8).repeat(4, 1).repeat(4, 2)
        write_instance(folder / f"object_{k}", images, orbit(4), Intrinsics.centred(32.8125, 32))


def train_all(folder: Path) -> dict[str, dict]:
    """Return the digest and the norms of the weights of each run in RUNS."""
    write_data(folder / "data")
    result = {}
    for stage, run, options in RUNS:
        options = [word.format(folder=folder) for word in options]
        main([stage, "--data", str(folder / "data"), "--out", str(folder / run), "--device", "cpu",
              "--batch-size", "4", "--iterations", "4", *options])  # fmt: skip
        tensors = load_file(folder / run / "model.safetensors").values()
        # Without names and order, which may change.
        digests = sorted(hashlib.sha256(t.numpy().tobytes()).hexdigest() for t in tensors)
        result[f"{run} {stage}"] = {
            "digest": hashlib.sha256("".join(digests).encode()).hexdigest(),
            "norms": sorted(round(float(t.double().norm()), 6) for t in tensors),
        }
    return result


def machine() -> list[str]:
    """Return the versions and the processor on which the last bits of a sum depend."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line for line in lines if line.startswith("model name")), "")
    return [torch.__version__, torch.backends.cpu.get_cpu_capability(), cpu.partition(":")[2]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield train_all(tmp_path_factory.mktemp("golden"))
    torch.set_num_threads(threads)


@pytest.mark.parametrize("run", [f"{run} {stage}" for stage, run, _ in RUNS])
def test_a_stage_trains_to_the_same_weights_as_before(run, trained):
    golden = json.loads(GOLDEN.read_text())
    np.testing.assert_allclose(trained[run]["norms"], golden["runs"][run]["norms"], rtol=2e-3)
    if machine() == golden["machine"]:
        assert trained[run]["digest"] == golden["runs"][run]["digest"]


if __name__ == "__main__":
    torch.set_num_threads(1)
    runs = train_all(Path(sys.argv[1]))
    GOLDEN.write_text(json.dumps({"machine": machine(), "runs": runs}) + "\n")
