"""Muon against the singular value decomposition and against torch.optim.Muon."""

import pytest
import torch

from nnlab.adain.muon import TURNS, Muon, orthogonalised


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(8, 8), (12, 40), (64, 27 * 9)])
def test_a_matrix_becomes_its_nearest_orthogonal_one_with_singular_values_around_1(shape):
    matrix = draw(0, *shape)
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    found = u.T @ orthogonalised(matrix) @ v.T  # diagonal where the singular vectors are the same
    singular = found.diagonal()
    assert torch.allclose(found, torch.diag(singular), atol=1e-3)
    large = torch.linalg.svdvals(matrix) > 0.1 * torch.linalg.matrix_norm(matrix, 2)
    assert ((singular > 0.65) & (singular < 1.25))[large].all()
    torch.testing.assert_close(orthogonalised(1e-4 * matrix), orthogonalised(matrix), rtol=1e-3, atol=1e-4)
    assert torch.equal(orthogonalised(0 * matrix), 0 * matrix)


def test_a_step_is_that_of_torchs_muon_but_matrices_take_turns_and_go_the_farther():
    """The oracle iterates in bfloat16; it sees the same gradients, and moves every matrix in every step."""
    rate, start = 0.01, [draw(n, 12, 30) for n in range(3)]
    ours, theirs = ([matrix.clone() for matrix in start] for _ in range(2))
    muon = Muon(ours, rate)
    oracle = torch.optim.Muon(theirs, rate, weight_decay=0, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    for step in range(4):
        for index in range(3):
            ours[index].grad = theirs[index].grad = draw(10 * step + index, 12, 30)
        before = [[matrix.clone() for matrix in matrices] for matrices in (ours, theirs)]
        muon.step()
        oracle.step()
        for index in range(3):
            change, expected = (now[index] - old[index] for now, old in zip((ours, theirs), before))
            if step % TURNS == index % TURNS:
                assert (change - TURNS * expected).norm() < 0.03 * (TURNS * expected).norm()
                assert change.square().mean().sqrt() == pytest.approx(TURNS * 0.2 * rate, rel=0.15)
            else:
                assert not change.any()
