"""The loss that the autoencoders are trained with."""

import torch.nn.functional as F
from torch import Tensor


def bce(scores: Tensor, target: Tensor) -> Tensor:
    """Mean binary cross-entropy in nats per pixel between sigmoid(scores) and target, any equal shapes.

    The target in [0, 1] is taken as the probability of a white pixel; its own entropy is the least possible value.
    """
    return F.binary_cross_entropy_with_logits(scores.float(), target)
