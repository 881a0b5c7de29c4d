"""The optimiser Muon, for a network's matrices (Jordan et al. 2024, Liu et al. 2025).

torch.optim.Muon does the same for one matrix after the other, in bfloat16, which takes several
times as long on a CPU.
"""

from collections.abc import Iterable

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

MOMENTUM = 0.95
DECAY = 0.1  # of the weights, times the learning rate
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the Newton-Schulz iteration (Jordan et al. 2024)
ITERATIONS = 5
RMS = 0.2  # of a step at learning rate 1, about as AdamW's (Liu et al. 2025)


class Muon(torch.optim.Optimizer):
    """Steps along the nearest orthogonal matrix to each matrix's averaged gradient.

    Under torchrun, where every process has the same gradients, each does its share of the work.
    """

    def __init__(self, matrices: Iterable[Tensor], lr: float):
        super().__init__(matrices, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            rate = group["lr"]
            for shape, matrices in _of_one_shape(group["params"]).items():
                steps = _shared(torch.stack([self._averaged(m) for m in matrices]))
                for matrix, step in zip(matrices, steps, strict=True):
                    matrix.mul_(1 - rate * DECAY)
                    _lying(matrix).add_(step, alpha=-rate * RMS * max(shape) ** 0.5)

    def _averaged(self, matrix: Tensor) -> Tensor:
        """The gradient averaged over the steps (Nesterov), lying."""
        state = self.state[matrix]
        if not state:
            state["momentum"] = torch.zeros_like(matrix)
        average = state["momentum"].lerp_(matrix.grad, 1 - MOMENTUM)
        return _lying(matrix.grad.lerp(average, MOMENTUM))


def orthogonal(matrices: Tensor) -> Tensor:
    """About U V^T of U S V^T: (B, m, n), m <= n, singular values between 0.7 and 1.2."""
    a, b, c = COEFFICIENTS
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x


def _shared(matrices: Tensor) -> Tensor:
    """orthogonal(matrices), of which each process finds its share."""
    if not dist.is_initialized():
        return orthogonal(matrices)
    processes = dist.get_world_size()
    own = matrices[dist.get_rank() :: processes]
    most = -(-len(matrices) // processes)
    own = F.pad(orthogonal(own), (0, 0, 0, 0, 0, most - len(own)))
    all_of_them = [torch.empty_like(own) for _ in range(processes)]
    dist.all_gather(all_of_them, own)
    return torch.stack(all_of_them, dim=1).flatten(0, 1)[: len(matrices)]


def _of_one_shape(matrices: Iterable[Tensor]) -> dict[tuple[int, ...], list[Tensor]]:
    """By shape, lying: with at least as many columns as rows."""
    groups: dict[tuple[int, ...], list[Tensor]] = {}
    for matrix in matrices:
        groups.setdefault(tuple(sorted(matrix.shape)), []).append(matrix)
    return groups


def _lying(matrix: Tensor) -> Tensor:
    return matrix.mT if matrix.shape[0] > matrix.shape[1] else matrix
