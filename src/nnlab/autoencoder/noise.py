"""The noise that the denoiser takes away."""

import torch
from torch import Tensor


def add_noise(images: Tensor, factor: float, generator: torch.Generator) -> Tensor:
    """Return images (N, 784) plus `factor` times normal noise, on the same device; values leave [0, 1]."""
    if factor == 0:
        return images
    return images + factor * torch.randn(images.shape, generator=generator).to(images.device)
