"""Mean and deviation of features over positions: what AdaIN aligns and what the style loss compares."""

from typing import Any

import torch
from torch import Tensor

STRIP = 8192  # positions
EPS = 1e-5  # added to the variance under the root, as the reference does


def mean_std(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation over positions, both (B, C, 1, 1) float32 or wider, of features (B, C, h, w).

    The variance is the unbiased one, and EPS is added to it (the reference's ``calc_mean_std``). Differentiable.
    """
    mean, std = _MeanStd.apply(features)
    return mean[:, :, None, None], std[:, :, None, None]


class _MeanStd(torch.autograd.Function):
    """The same as ``var_mean``, with a backward pass of one sweep.

    d mean / dx = 1/N and d std / dx = (x - mean) / ((N - 1) std): the gradient is an affine map of x per channel.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> tuple[Tensor, Tensor]:
        moments = _moments_on_cpu if features.device.type == "cpu" else _moments
        mean, squares = moments(features, torch.promote_types(features.dtype, torch.float32))
        std = squares.div_(features.shape[2] * features.shape[3] - 1).add_(EPS).sqrt_()
        ctx.save_for_backward(features, mean, std)
        return mean, std

    @staticmethod
    def backward(ctx: Any, mean_grad: Tensor, std_grad: Tensor) -> Tensor:  # type: ignore[override]
        features, mean, std = ctx.saved_tensors
        count = features.shape[2] * features.shape[3]
        terms = mean, std_grad / ((count - 1) * std), mean_grad / count
        return rescaled(features, *(term[:, :, None, None] for term in terms))


def rescaled(features: Tensor, mean: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """slope * (features - mean) + offset, in the type of ``features`` (B, C, h, w); the others: (B, C, 1, 1) float32.

    The centre is rounded to that type before the subtraction; what rounding takes away goes into the offset.
    """
    dtype, centre = features.dtype, mean.to(features.dtype)
    offset = offset + slope * (centre.to(mean.dtype) - mean)
    return torch.addcmul(offset.to(dtype), features - centre, slope.to(dtype))


def _moments(features: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Mean, and sum of the squared distances from it, (B, C) of ``dtype`` each, of features (B, C, h, w)."""
    flat = features.permute(0, 2, 3, 1).flatten(1, 2).to(dtype)  # (B, N, C); no copy for channels-last float32
    mean = flat.mean(1)
    return mean, (flat - mean[:, None]).square_().sum(1)


def _moments_on_cpu(features: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The same by batch normalisation's own sums, which need no float32 copies: up to seven times as fast.

    They add one position after the other, so a large map goes in strips of few rows, which lose no digits.
    """
    height, width = features.shape[2:]
    means, squares = [], []
    unused = torch.zeros(features.shape[1], dtype=dtype)  # running averages, whose type is that of the sums
    for image in features.split(1):
        strips = image.split(max(1, STRIP // width), dim=2)
        counts = torch.tensor([[strip.shape[2] * width] for strip in strips], dtype=dtype)  # (S, 1)
        found = [torch.batch_norm_update_stats(strip, unused, unused, 0.0) for strip in strips]
        mean, variance = (torch.stack(values) for values in zip(*found))  # (S, C) each, the biased variance
        means.append((counts * mean).sum(0) / (height * width))
        squares.append((counts * (variance + (mean - means[-1]).square())).sum(0))
    return torch.stack(means), torch.stack(squares)
