"""L-BFGS against torch's own, and its state."""

import math

import torch
from torch import Tensor
from torch.optim import Optimizer

from nnlab.gatys.optimizer import Lbfgs


def rosenbrock(x: Tensor) -> Tensor:
    """A curved valley in twelve dimensions, scaled down so that unit steps stay in it."""
    return 0.01 * (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def start() -> Tensor:
    return torch.linspace(-0.5, 0.7, 12, dtype=torch.float64).requires_grad_()


def run(optimizer: Optimizer, x: Tensor, steps: int, *closure) -> list[Tensor]:
    path = []
    for _ in range(steps):
        (x.grad,) = torch.autograd.grad(rosenbrock(x), x)
        optimizer.step(*closure)
        path.append(x.detach().clone())
    return path


def test_it_equals_torch() -> None:
    x, y = start(), start()
    options = {"max_iter": 1, "lr": 1.0, "history_size": 5, "tolerance_grad": 0, "tolerance_change": 0}
    expected = run(torch.optim.LBFGS([y], **options), y, 40, lambda: rosenbrock(y))
    for a, b in zip(run(Lbfgs(x, 1.0, 5, math.inf), x, 40), expected, strict=True):
        assert torch.allclose(a, b, rtol=1e-6, atol=1e-9)
    assert rosenbrock(x) < 0.05 * rosenbrock(start())


def test_no_step_is_longer_than_allowed() -> None:
    x, before = start(), start().detach()
    for after in run(Lbfgs(x, 1.0, 5, 0.03), x, 80):
        assert (after - before).square().mean().sqrt() <= 0.03 + 1e-9
        before = after
    assert rosenbrock(x) < 0.05 * rosenbrock(start())


def test_it_learns_from_the_step_that_bounds_left() -> None:
    """min (x - 2)^2 + 30 (y - 1/2)^2 with x <= 1: a caller that clamps gets to the corner of the bounds."""
    x, goal, scale = torch.zeros(2, requires_grad=True), torch.tensor([2.0, 0.5]), torch.tensor([1.0, 30.0])
    optimizer = Lbfgs(x, 1.0, 5, math.inf)
    for _ in range(20):
        x.grad = 2 * scale * (x.detach() - goal)
        optimizer.step()
        x.detach().clamp_(0, 1)
    assert torch.allclose(x, torch.tensor([1.0, 0.5]), atol=1e-3)


def test_it_survives_a_flat_and_a_concave_place() -> None:
    x = torch.zeros(4, requires_grad=True)
    optimizer = Lbfgs(x, 1.0, 3, math.inf)
    x.grad = torch.zeros(4)
    for _ in range(3):
        optimizer.step()
    assert torch.equal(x, torch.zeros(4))
    for _ in range(5):
        x.grad = -x.detach() - 1  # the gradient of -x^2 / 2 - x: s.y < 0, no pair may be kept
        optimizer.step()
    assert optimizer.state[x]["step"] == 0
    assert x.isfinite().all()
