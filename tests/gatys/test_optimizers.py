"""Optimisers against torch's own, and their state."""

import pytest
import torch
from torch import Tensor

from nnlab.gatys.optimizers import Adam, Lbfgs, Optimizer


def rosenbrock(x: Tensor) -> Tensor:
    """A curved valley in twelve dimensions, scaled down so that unit steps stay in it."""
    return 0.01 * (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def gradient(x: Tensor) -> Tensor:
    leaf = x.detach().clone().requires_grad_()
    return torch.autograd.grad(rosenbrock(leaf), leaf)[0]


def start() -> Tensor:
    return torch.linspace(-0.5, 0.7, 12, dtype=torch.float64)


def run(optimizer: Optimizer, x: Tensor, steps: int) -> list[Tensor]:
    path = []
    for _ in range(steps):
        optimizer.step(x, gradient(x))
        path.append(x.clone())
    return path


def torch_path(make, steps: int) -> list[Tensor]:
    x = start().requires_grad_()
    optimizer, path = make([x]), []

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = rosenbrock(x)
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
        path.append(x.detach().clone())
    return path


def test_lbfgs_equals_torch() -> None:
    x = start()
    found = run(Lbfgs(x, 1.0, 5), x, 40)
    options = {"max_iter": 1, "lr": 1.0, "history_size": 5, "tolerance_grad": 0, "tolerance_change": 0}
    expected = torch_path(lambda parameters: torch.optim.LBFGS(parameters, **options), 40)
    for a, b in zip(found, expected):
        assert torch.allclose(a, b, rtol=1e-6, atol=1e-9)
    assert rosenbrock(found[-1]) < 0.05 * rosenbrock(start())


def test_lbfgs_learns_from_the_step_that_bounds_left() -> None:
    """min (x - 2)^2 + (y - 1/2)^2 with x <= 1: a caller that clamps gets to the corner of the bounds."""
    x, goal, scale = torch.zeros(2), torch.tensor([2.0, 0.5]), torch.tensor([1.0, 30.0])
    optimizer = Lbfgs(x, 1.0, 5)
    for _ in range(20):
        optimizer.step(x, 2 * scale * (x - goal))
        x.clamp_(0, 1)
    assert torch.allclose(x, torch.tensor([1.0, 0.5]), atol=1e-3)


def test_adam_equals_torch() -> None:
    x = start()
    found = run(Adam(x, 0.02), x, 40)
    for a, b in zip(found, torch_path(lambda parameters: torch.optim.Adam(parameters, lr=0.02), 40)):
        assert torch.allclose(a, b, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("make", [lambda x: Lbfgs(x, 1.0, 3), lambda x: Adam(x, 0.02)])
@pytest.mark.parametrize("stop", [1, 2, 7])
def test_a_loaded_state_goes_on_with_the_same_bits(make, stop: int) -> None:
    x = start()
    expected = run(make(x), x, 12)
    x = start()
    first = make(x)
    run(first, x, stop)
    second = make(x)
    second.load(first.state())
    assert all(torch.equal(a, b) for a, b in zip(run(second, x, 12 - stop), expected[stop:]))


def test_lbfgs_survives_a_flat_and_a_concave_place() -> None:
    x = torch.zeros(4)
    optimizer = Lbfgs(x, 1.0, 3)
    for _ in range(3):
        optimizer.step(x, torch.zeros(4))
    assert torch.equal(x, torch.zeros(4))
    for _ in range(5):
        optimizer.step(x, -x - 1)  # the gradient of -x^2 / 2 - x: s.y < 0, no pair may be kept
    assert optimizer.kept == 0
    assert x.isfinite().all()
