"""How good reconstructions and codes are."""

import numpy as np
import torch
from torch import Tensor

NEIGHBOURS = 10


def psnr_db(images: Tensor, clean: Tensor) -> float:
    """Mean over images of the peak signal-to-noise ratio in dB; both (N, 784) in [0, 1].

    10 log10(1 / MSE) per image; equal images count as 100 dB.
    """
    error = (images.double() - clean.double()).square().mean(1).clamp(min=1e-10)
    return (-10 * torch.log10(error)).mean().item()


def knn_accuracy(
    train_codes: np.ndarray, train_labels: np.ndarray, test_codes: np.ndarray, test_labels: np.ndarray
) -> float:
    """Fraction of test codes (M, d) whose ten nearest train codes (N, d) vote for the right label."""
    from sklearn.neighbors import KNeighborsClassifier

    neighbours = KNeighborsClassifier(min(NEIGHBOURS, len(train_codes))).fit(train_codes, train_labels)
    return float(neighbours.score(test_codes, test_labels))
