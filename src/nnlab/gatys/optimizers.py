"""Pixels and gradient -> better pixels: L-BFGS and Adam, whose whole state can be written to a file and read back."""

from typing import Protocol

import torch
from torch import Tensor


class Optimizer(Protocol):
    """`step` changes x (n,) in place, given the gradient (n,) at x; `state`/`load` make a stopped run go on exactly."""

    def step(self, x: Tensor, gradient: Tensor) -> None:
        """One update."""

    def state(self) -> dict[str, Tensor]:
        """Everything that later steps depend on."""

    def load(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave."""


class Lbfgs:
    """Limited-memory BFGS without line search (Nocedal & Wright 2006, algorithm 7.4), in float32.

    It keeps the last `history` steps s = x' - x and changes of gradient y = g' - g, both as seen from one call to the
    next: whoever moves x in between (into its bounds, say) is part of the step. The first step is scaled to length
    1 (sum of absolute values) at most; later ones by `learning_rate` alone, as in torch.optim.LBFGS. That class stops
    by absolute tolerances, which depend on the scale of the loss, and keeps its state in lists: hence this one.
    """

    MINIMUM_CURVATURE = 1e-8  # a pair counts if s.y > this * |s| |y|: below, rounding has eaten the curvature

    def __init__(self, x: Tensor, learning_rate: float, history: int) -> None:
        self.learning_rate = learning_rate
        self.s, self.y = x.new_zeros(history, x.numel()), x.new_zeros(history, x.numel())
        self.last_x, self.last_gradient = torch.zeros_like(x), torch.zeros_like(x)
        self.calls, self.kept = 0, 0  # pair k lies in row k % history

    def step(self, x: Tensor, gradient: Tensor) -> None:
        """See `Optimizer`."""
        if self.calls:
            self._remember(x - self.last_x, gradient - self.last_gradient)
        direction = self._inverse_hessian_times(gradient).neg_()
        length = self.learning_rate if self.kept else min(1.0, 1.0 / max(float(gradient.abs().sum()), 1e-30))
        self.last_x.copy_(x)
        self.last_gradient.copy_(gradient)
        self.calls += 1
        x.add_(direction, alpha=length)

    def _remember(self, step: Tensor, change: Tensor) -> None:
        if float(change @ step) > self.MINIMUM_CURVATURE * float(change.norm() * step.norm()):
            row = self.kept % len(self.s)
            self.s[row], self.y[row] = step, change
            self.kept += 1

    def _inverse_hessian_times(self, gradient: Tensor) -> Tensor:
        """The two-loop recursion; the first approximation is the identity times s.y / y.y of the newest pair."""
        q = gradient.clone()
        rows = [k % len(self.s) for k in range(max(0, self.kept - len(self.s)), self.kept)]  # oldest first
        curvatures, alphas = {row: float(self.s[row] @ self.y[row]) for row in rows}, {}
        for row in reversed(rows):
            alphas[row] = float(self.s[row] @ q) / curvatures[row]
            q.add_(self.y[row], alpha=-alphas[row])
        if rows:
            q.mul_(curvatures[rows[-1]] / float(self.y[rows[-1]] @ self.y[rows[-1]]))
        for row in rows:
            q.add_(self.s[row], alpha=alphas[row] - float(self.y[row] @ q) / curvatures[row])
        return q

    def state(self) -> dict[str, Tensor]:
        """See `Optimizer`."""
        filled = min(self.kept, len(self.s))
        return {
            "s": self.s[:filled].clone(),
            "y": self.y[:filled].clone(),
            "last_x": self.last_x.clone(),
            "last_gradient": self.last_gradient.clone(),
            "counts": torch.tensor([self.calls, self.kept]),
        }

    def load(self, state: dict[str, Tensor]) -> None:
        """See `Optimizer`."""
        self.s[: len(state["s"])], self.y[: len(state["y"])] = state["s"].to(self.s), state["y"].to(self.y)
        self.last_x.copy_(state["last_x"])
        self.last_gradient.copy_(state["last_gradient"])
        self.calls, self.kept = state["counts"].tolist()


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1) with the paper's betas; `learning_rate` is in units of the pixel range."""

    BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, x: Tensor, learning_rate: float) -> None:
        self.learning_rate, self.calls = learning_rate, 0
        self.mean, self.square = torch.zeros_like(x), torch.zeros_like(x)

    def step(self, x: Tensor, gradient: Tensor) -> None:
        """See `Optimizer`."""
        self.calls += 1
        self.mean.lerp_(gradient, 1 - self.BETA1)
        self.square.mul_(self.BETA2).addcmul_(gradient, gradient, value=1 - self.BETA2)
        root = (self.square / (1 - self.BETA2**self.calls)).sqrt_().add_(self.EPSILON)
        x.addcdiv_(self.mean, root, value=-self.learning_rate / (1 - self.BETA1**self.calls))

    def state(self) -> dict[str, Tensor]:
        """See `Optimizer`."""
        return {"mean": self.mean.clone(), "square": self.square.clone(), "counts": torch.tensor([self.calls])}

    def load(self, state: dict[str, Tensor]) -> None:
        """See `Optimizer`."""
        self.mean.copy_(state["mean"])
        self.square.copy_(state["square"])
        self.calls = int(state["counts"])
