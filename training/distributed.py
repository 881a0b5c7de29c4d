"""Training in several processes, which torchrun starts: on several GPUs, or on a CPU's cores."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.utils import parameters_to_vector, vector_to_parameters


@contextmanager
def processes(device: str) -> Iterator[None]:
    """Join the processes of torchrun, if it started this one.

    Raises ValueError if they do not have a GPU each, which is for device "cuda".
    """
    if "WORLD_SIZE" not in os.environ:
        yield
        return
    if device.startswith("cuda"):
        here, gpus = int(os.environ["LOCAL_WORLD_SIZE"]), torch.cuda.device_count()
        if device != "cuda":
            raise ValueError(
                f"--device {device}: processes of torchrun have a GPU each; use --device cuda, and "
                "CUDA_VISIBLE_DEVICES to choose GPUs"
            )
        if here > gpus:
            raise ValueError(
                f"{here} processes need a GPU each, and there are {gpus}; use torchrun "
                f"--nproc-per-node {gpus}, or --device cpu"
            )
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("cpu:gloo,cuda:nccl")
    else:
        dist.init_process_group("gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def rank() -> int:
    """Return the number of this process, 0 if there is but one."""
    return dist.get_rank() if dist.is_initialized() else 0


def count() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def check_batch(size: int) -> None:
    """Raise ValueError if the processes cannot share a batch of `size` evenly."""
    if size % count():
        raise ValueError(
            f"a batch of {size} cannot be shared by {count()} processes evenly; choose another "
            "--batch-size"
        )


def greatest(*values: float) -> list[float]:
    """Return the greatest of the processes' values, so that all decide alike."""
    if not dist.is_initialized():
        return list(values)
    shared = torch.tensor(values, dtype=torch.float64)
    dist.all_reduce(shared, dist.ReduceOp.MAX)
    return shared.tolist()


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Give each process the mean of the processes' gradients."""
    if dist.is_initialized():
        gradients = [parameter.grad for parameter in parameters]
        vector = parameters_to_vector(gradients)
        dist.all_reduce(vector)
        vector_to_parameters(vector / count(), gradients)
