"""The optimiser Muon, for matrices of weights (Jordan et al. 2024, Liu et al. 2025).

Matrices of one shape are orthogonalised together, in float32. torch.optim.Muon takes one matrix at
a time, in bfloat16, which is several times slower on a CPU.
"""

from collections.abc import Iterable

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

MOMENTUM = 0.95
DECAY = 0.1  # weight decay, times the learning rate
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the Newton-Schulz iteration (Jordan et al. 2024)
ITERATIONS = 5
RMS = 0.2  # root mean square of a step at learning rate 1, about AdamW's (Liu et al. 2025)


class Muon(torch.optim.Optimizer):
    """Moves each matrix along the orthogonal matrix that is nearest to its momentum.

    Under torchrun every process has the same gradients and computes its share of the steps.
    """

    def __init__(self, matrices: Iterable[Tensor], lr: float):
        super().__init__(matrices, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            rate = group["lr"]
            for shape, matrices in _group_by_shape(group["params"]).items():
                momenta = torch.stack([self._nesterov_momentum(matrix) for matrix in matrices])
                steps = _orthogonal_in_shares(momenta)
                for matrix, step in zip(matrices, steps, strict=True):
                    matrix.mul_(1 - rate * DECAY)
                    _wide(matrix).add_(step, alpha=-rate * RMS * max(shape) ** 0.5)

    def _nesterov_momentum(self, matrix: Tensor) -> Tensor:
        """Return the Nesterov momentum of a matrix, made wide."""
        state = self.state[matrix]
        if not state:
            state["momentum"] = torch.zeros_like(matrix)
        average = state["momentum"].lerp_(matrix.grad, 1 - MOMENTUM)
        return _wide(matrix.grad.lerp(average, MOMENTUM))


def orthogonal(matrices: Tensor) -> Tensor:
    """Return approximately U V^T for each U S V^T, by the Newton-Schulz iteration.

    matrices: (B, m, n), m <= n. Singular values of the result are between 0.7 and 1.2.
    """
    a, b, c = COEFFICIENTS
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x


def _orthogonal_in_shares(matrices: Tensor) -> Tensor:
    """Return orthogonal(matrices); each process of torchrun computes its share."""
    if not dist.is_initialized():
        return orthogonal(matrices)
    processes = dist.get_world_size()
    own = matrices[dist.get_rank() :: processes]
    most = -(-len(matrices) // processes)
    own = F.pad(orthogonal(own), (0, 0, 0, 0, 0, most - len(own)))
    all_of_them = [torch.empty_like(own) for _ in range(processes)]
    dist.all_gather(all_of_them, own)
    return torch.stack(all_of_them, dim=1).flatten(0, 1)[: len(matrices)]


def _group_by_shape(matrices: Iterable[Tensor]) -> dict[tuple[int, ...], list[Tensor]]:
    """Group matrices by their shape (rows, columns) after `_wide`."""
    groups: dict[tuple[int, ...], list[Tensor]] = {}
    for matrix in matrices:
        groups.setdefault(tuple(sorted(matrix.shape)), []).append(matrix)
    return groups


def _wide(matrix: Tensor) -> Tensor:
    """Return a matrix, transposed if it has more rows than columns."""
    return matrix.mT if matrix.shape[0] > matrix.shape[1] else matrix
