"""Colour preservation: give the style picture the content's colours before its statistics are taken (CORAL).

Means, deviations and correlations of R, G and B are matched by one linear map of the colours (Sun et al. 2016,
arXiv:1511.05547; used so by pytorch-AdaIN's `--preserve_color`; Gatys et al. 2016, arXiv:1606.05897, section 3.1).
"""

import numpy as np
import torch
from torch import Tensor

ROWS = 256  # rows of pixels per block: bounds the memory for large pictures


def coral_map(source: np.ndarray, target: np.ndarray) -> Tensor:
    """Return (3, 4) float64: the matrix and offset that give `source` the colour moments of `target`.

    Both are RGB uint8 (H, W, 3). Equal to pytorch-AdaIN's `coral` for pictures with the same number of pixels; that
    one forgets to divide by the number, so that a larger target exaggerates the contrast by the root of the ratio.
    """
    source_mean, source_std, source_corr = _moments(source)
    target_mean, target_std, target_corr = _moments(target)
    whiten = torch.linalg.inv(_root(source_corr)) / source_std
    matrix = target_std[:, None] * (_root(target_corr) @ whiten)
    return torch.cat([matrix, (target_mean - matrix @ source_mean)[:, None]], dim=1)


def _moments(pixels: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (3,), deviation (3,) and correlation (3, 3) of RGB in [0, 1]; the regularisation is the reference's."""
    count = pixels.shape[0] * pixels.shape[1]
    total, products = torch.zeros(3, dtype=torch.float64), torch.zeros(3, 3, dtype=torch.float64)
    for top in range(0, pixels.shape[0], ROWS):
        block = torch.from_numpy(pixels[top : top + ROWS].reshape(-1, 3).astype(np.float64) / 255)
        total += block.sum(0)
        products += block.T @ block
    mean = total / count
    covariance = (products - count * torch.outer(mean, mean)) / (count - 1)
    std = covariance.diagonal().clamp(min=1e-8).sqrt()  # a flat colour has no deviation to divide by
    return mean, std, covariance / torch.outer(std, std) + torch.eye(3, dtype=torch.float64) / (count - 1)


def _root(matrix: Tensor) -> Tensor:
    """Square root of a symmetric positive matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T
