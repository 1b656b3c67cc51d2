"""The learning rate over a training run."""

from torch.optim import Optimizer

RISE = 0.2  # part of the run over which the rate rises


def one_cycle(step: int, steps: int) -> float:
    """Factor of the highest learning rate at `step` of `steps`: a straight line up, then one down to (almost) 0.

    Smith & Topin 2017, "Super-Convergence". Never 0: the first and the last step count.
    """
    position = (step + 0.5) / steps
    return position / RISE if position < RISE else (1 - position) / (1 - RISE)


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Set the rate of every parameter group."""
    for group in optimizer.param_groups:
        group["lr"] = rate
