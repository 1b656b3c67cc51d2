"""L-BFGS for pixels that a caller keeps within bounds; all that it remembers are tensors that a file can hold."""

import torch
from torch import Tensor
from torch.optim import Optimizer

MINIMUM_CURVATURE = 1e-8  # a pair counts if s.y > this * |s| |y|: below, rounding has eaten the curvature


class Lbfgs(Optimizer):
    """Limited-memory BFGS without line search (Nocedal & Wright 2006, algorithm 7.4) of one contiguous tensor x.

    It keeps the last `history` steps s = x' - x and changes of gradient y = g' - g, both as seen from one call to the
    next: whoever moves x in between (into its bounds, say) is part of the step. The first step is scaled to length
    1 (sum of absolute values) at most; later ones by `lr`, as in torch.optim.LBFGS, and to a root mean square of
    `longest` at most: the first few pairs may promise far too much, and no line search takes that back. torch's class
    stops by absolute tolerances, which depend on the scale of the loss, knows only its own steps, keeps its state in
    lists, and waits for the device twice per pair: hence this one, which waits once per step.
    """

    def __init__(self, x: Tensor, lr: float, history: int, longest: float) -> None:
        super().__init__([x], {"lr": lr, "history": history, "longest": longest})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """One update of x, given the gradient in `x.grad`."""
        (group,) = self.param_groups
        (x,) = group["params"]
        state, flat, gradient = self.state[x], x.view(-1), x.grad.reshape(-1)
        if not state:
            state["step"] = torch.tensor(0)  # pairs kept so far; pair k lies in row k % history
            state["curvature"] = x.new_zeros(group["history"])  # s.y
            state["s"], state["y"] = (x.new_zeros(group["history"], x.numel()) for _ in range(2))
        else:
            _remember(state, flat - state["last_x"], gradient - state["last_gradient"])
        state["last_x"], state["last_gradient"] = flat.clone(), gradient.clone()
        length = group["lr"] if state["step"] else min(1.0, 1.0 / max(float(gradient.abs().sum()), 1e-30))
        step = _inverse_hessian_times(state, gradient) * -length
        flat.add_(step * (group["longest"] / step.square().mean().sqrt()).clamp(max=1.0))


def _remember(state: dict[str, Tensor], step: Tensor, change: Tensor) -> None:
    curvature = change @ step
    if curvature > MINIMUM_CURVATURE * change.norm() * step.norm():
        row = int(state["step"]) % len(state["s"])
        state["s"][row], state["y"][row], state["curvature"][row] = step, change, curvature
        state["step"] += 1


def _inverse_hessian_times(state: dict[str, Tensor], gradient: Tensor) -> Tensor:
    """The two-loop recursion; the first approximation is the identity times s.y / y.y of the newest pair."""
    s, y, curvature, kept = state["s"], state["y"], state["curvature"], int(state["step"])
    q, alphas = gradient.clone(), {}
    rows = [k % len(s) for k in range(max(0, kept - len(s)), kept)]  # oldest first
    for row in reversed(rows):
        alphas[row] = s[row] @ q / curvature[row]
        q.addcmul_(y[row], alphas[row], value=-1)
    if rows:
        q.mul_(curvature[rows[-1]] / (y[rows[-1]] @ y[rows[-1]]))
    for row in rows:
        q.addcmul_(s[row], alphas[row] - y[row] @ q / curvature[row])
    return q
