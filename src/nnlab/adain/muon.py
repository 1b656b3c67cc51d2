"""Muon: every weight matrix moves by the orthogonal matrix nearest to its momentum (Jordan et al. 2024).

torch.optim.Muon takes the same step, but it iterates in bfloat16 on whole matrices: processors without bfloat16 units,
which most laptops are, take seconds for those of the decoder. Here the iteration runs on the small Gram matrices in
float32, which every machine is fast at.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic Newton-Schulz iteration, as torch.optim.Muon has them
MOMENTUM = 0.95
TURNS = 4  # a step orthogonalises every fourth matrix


@torch.no_grad()
def orthogonalised(matrix: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return about U V^T of matrix = U S V^T, (m, n) float32 with m <= n; singular values are 0.7 to 1.2.

    An iteration is X <- (a + b A + c A^2) X with A = X X^T. All these factors are polynomials of the first A, so they
    commute, and their product Q (m, m) is found without X: 4 m^2 n multiplications instead of 20. `dtype` is that of
    the last one, Q X; the Gram matrices would not bear bfloat16.
    """
    a, b, c = COEFFICIENTS
    unit = matrix / (matrix.norm() + 1e-12)
    gram = unit @ unit.T
    product = None
    for number in range(ITERATIONS):
        factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        product = factor if product is None else factor @ product
        if number < ITERATIONS - 1:
            gram = factor @ gram @ factor
    assert product is not None
    return product.to(dtype) @ unit.to(dtype)


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum for matrices (m, n) with m <= n, and convolutions as such: (m, C, 3, 3) -> (m, 9 C).

    A change has the root mean square 0.2 * lr, about Adam's, so that both take the same rates (Liu et al. 2025,
    arXiv:2502.16982, section 2.2). The matrices take turns: a step moves a quarter of them, four times as far. Their
    momentum hears of every gradient, results are the same, and the cost of a step, which no smaller batch or picture
    lowers, is a quarter.
    """

    def __init__(self, matrices: Iterable[Tensor], lr: float, dtype: torch.dtype = torch.float32) -> None:
        """`dtype`: that of the products that bear bfloat16."""
        super().__init__(matrices, {"lr": lr})
        self.dtype = dtype

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Move the matrices by their gradients."""
        for group in self.param_groups:
            for index, weights in enumerate(group["params"]):
                matrix, gradient, state = _as_matrix(weights), _as_matrix(weights.grad), self.state[weights]
                if not state:
                    state.update(momentum=torch.zeros_like(matrix), step=torch.zeros((), dtype=torch.int64))
                state["momentum"].lerp_(gradient, 1 - MOMENTUM)
                if int(state["step"]) % TURNS == index % TURNS:
                    ahead = torch.lerp(gradient, state["momentum"], MOMENTUM)
                    size = 0.2 * TURNS * group["lr"] * max(matrix.shape) ** 0.5
                    matrix.sub_(orthogonalised(ahead, self.dtype), alpha=size)
                state["step"] += 1


def _as_matrix(weights: Tensor) -> Tensor:
    """A channels-last weight (D, C, 3, 3) as a matrix (D, 9 C) in its memory's order, a view; a matrix as it is."""
    return weights.permute(0, 2, 3, 1).flatten(1) if weights.ndim == 4 else weights
