import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing

from training.muon import DECAY, Muon, orthogonal


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_orthogonal_brings_singular_values_near_one_and_keeps_directions():
    matrices = draw(3, 16, 48)
    result = orthogonal(matrices)
    u, _, vh = torch.linalg.svd(matrices, full_matrices=False)
    along = u.mT @ result @ vh.mT
    values = along.diagonal(dim1=1, dim2=2)
    assert values.min() > 0.6 and values.max() < 1.3
    assert (along - torch.diag_embed(values)).abs().max() < 1e-3


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch before 2.9 has none")
@pytest.mark.parametrize("shape", [(16, 48), (48, 16), (16, 16)])
def test_it_steps_as_torchs_muon(shape):
    """Which calculates in bfloat16."""
    ours, theirs = (torch.nn.Parameter(draw(*shape)) for _ in range(2))
    optimizers = [
        Muon([ours], lr=0.1),
        torch.optim.Muon(
            [theirs], lr=0.1, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw", nesterov=True
        ),
    ]
    for step in range(3):
        for parameter, optimizer in zip((ours, theirs), optimizers, strict=True):
            parameter.grad = draw(*shape, seed=step + 1)
            optimizer.step()
    way = theirs - draw(*shape)
    assert (ours - theirs).norm() < 0.05 * way.norm()


def test_matrices_of_one_shape_do_not_mix():
    matrices = [torch.nn.Parameter(draw(8, 4, seed=k)) for k in range(2)]
    matrices.append(torch.nn.Parameter(draw(4, 8, seed=2)))
    alone = [torch.nn.Parameter(m.detach().clone()) for m in matrices]
    for m in (*matrices, *alone):
        m.grad = draw(*m.shape, seed=int(m.shape[0])) * m.detach()
    Muon(matrices, lr=0.1).step()
    for m in alone:
        Muon([m], lr=0.1).step()
    for together, single in zip(matrices, alone, strict=True):
        torch.testing.assert_close(together, single)


def step_as(rank, processes, store, file):
    dist.init_process_group("gloo", f"file://{store}", rank=rank, world_size=processes)
    torch.save([m.detach() for m in stepped()], f"{file}{rank}")


def stepped():
    matrices = [torch.nn.Parameter(draw(8, 4, seed=k)) for k in range(5)]
    matrices.append(torch.nn.Parameter(draw(6, 6)))
    for k, matrix in enumerate(matrices):
        matrix.grad = draw(*matrix.shape, seed=10 + k)
    Muon(matrices, lr=0.1).step()
    return matrices


def test_processes_share_the_work_and_have_the_same(tmp_path):
    """Five matrices by two, and one by two."""
    torch.multiprocessing.spawn(step_as, (2, tmp_path / "store", tmp_path / "out"), nprocs=2)
    alone = stepped()
    for rank in range(2):
        torch.testing.assert_close(torch.load(tmp_path / f"out{rank}"), [m.data for m in alone])
