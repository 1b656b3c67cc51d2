"""Learning rates, crop sizes and checkpoints by step, as plain functions of the parameters."""

import math

from nnlab.adain.partners import block_start
from nnlab.params import AdainTrainParams

REFERENCE_DECAY = 5e-5  # pytorch-AdaIN, train.py, --lr_decay
FLOOR = 0.01  # a cosine ends at this part of the learning rate


def learning_rate(params: AdainTrainParams, step: int) -> float:
    """Learning rate of ``step`` (0-based).

    "reference": learning_rate / (1 + 5e-5 step), as pytorch-AdaIN does. "cosine": half a cosine down to a hundredth.
    Both rise linearly over the first ``warmup`` steps (0: none, as in the reference).
    """
    rise = min(1.0, (step + 1) / (params.warmup + 1))
    if params.schedule == "reference":
        return rise * params.learning_rate / (1 + REFERENCE_DECAY * step)
    done = max(0, step - params.warmup) / max(1, params.max_iter - params.warmup)
    return rise * params.learning_rate * (FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * min(1.0, done))) / 2)


def milestones(params: AdainTrainParams) -> dict[int, int]:
    """Percentage -> number of steps after which that checkpoint is kept, rounded up, for ``checkpoint_fractions``."""
    return {round(100 * part): math.ceil(part * params.max_iter - 1e-9) for part in params.checkpoint_fractions}


def finish_start(params: AdainTrainParams) -> int:
    """The first step (0-based) of the last part, whose crops have another size; ``max_iter`` if there is none.

    No crop of the first part meets one of the last: it begins where new crops are taken.
    """
    steps = math.floor(params.finish.share * params.max_iter + 1e-9)
    return block_start(params.max_iter - steps, params.partners) if steps else params.max_iter
