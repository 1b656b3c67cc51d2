"""The losses of AdaIN training as pure functions: the paper's two, and the three that are added to them."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nnlab.adain.model import FEATURES, Encoder, adain_statistics
from nnlab.adain.statistics import mean_std

PIXELS = "pixels"
SQUARE = 4  # pixels a side, of what `color_loss` compares

Features = Mapping[str, Tensor]
"""Layer name -> (B, C, h, w), the four layers of `FEATURES`; and `PIXELS` -> the image, where its colours count."""
Statistics = Mapping[str, tuple[Tensor, Tensor]]
"""Layer name -> mean and standard deviation, (B, C, 1, 1) each, of the same layers."""


class _MeanSquare(torch.autograd.Function):
    """F.mse_loss towards a constant, in two sweeps in the features' own type; the sum is float32 or wider.

    F.mse_loss on float32 copies of bfloat16 features took a fifth of a training step on a CPU.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, target: Tensor) -> Tensor:
        difference = features - target.to(features.dtype)
        ctx.save_for_backward(difference)
        wide = torch.promote_types(features.dtype, torch.float32)
        return torch.linalg.vector_norm(difference, dtype=wide).square() / difference.numel()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        (difference,) = ctx.saved_tensors
        return difference * (gradient * (2 / difference.numel())), None


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of features and a constant target, both (B, C, h, w), a float32 scalar (equation 12).

    Of pixels as well, in identity steps (Park & Lee 2019, SANet, equation 9).
    """
    return _MeanSquare.apply(features, target)


def style_loss(features: Features, target: Statistics) -> Tensor:
    """Sum over the layers of the squared differences of means and of deviations (Huang & Belongie 2017, equation 13).

    Each term is the mean over images and channels, as the reference computes it; a float32 scalar.
    """
    terms = []
    for layer, found in features.items():
        (mean, std), (target_mean, target_std) = mean_std(found), target[layer]
        terms += [(mean - target_mean).square().mean(), (std - target_std).square().mean()]
    return torch.stack(terms).sum()


def structure_loss(features: Features, content: Features, own: Statistics, target: Statistics) -> Tensor:
    """The content loss at the layers below relu4_1, each towards its own AdaIN of the content; a float32 scalar.

    `own` are the content's statistics. relu4_1 alone leaves a shape free by several pixels, which the eye sees as
    doubled contours and halos. Where the style is the content itself, the targets are the content's features, as in the
    identity loss of SANet.
    """
    wanted = {layer: adain_statistics(content[layer], own[layer], target[layer]) for layer in FEATURES[:-1]}
    return torch.stack([content_loss(features[layer], goal) for layer, goal in wanted.items()]).sum()


def color_loss(images: Tensor, content: Features, own: Statistics, target: Statistics) -> Tensor:
    """The content loss of `images` (B, 3, H, W) in [0, 1], towards the AdaIN of the photo's own pixels; a scalar.

    Means over squares are compared, so that strokes are free. The colours of the goal are moved, the same everywhere
    (Reinhard et al. 2001 move them so): the features leave room for light and dark rims around a shape.
    """
    goal = adain_statistics(content[PIXELS], own[PIXELS], target[PIXELS]).clamp(0, 1)
    return content_loss(F.avg_pool2d(images, SQUARE), F.avg_pool2d(goal, SQUARE))


def seen(encoder: Encoder, images: Tensor) -> Features:
    """What the losses see of images (B, 3, H, W) in [0, 1]: their features, and their pixels."""
    return {**encoder(images), PIXELS: images}


def statistics(features: Features) -> dict[str, tuple[Tensor, Tensor]]:
    """Mean and deviation of every layer: what a style is to the losses."""
    return {layer: mean_std(found) for layer, found in features.items()}


def mixed(content: Statistics, style: Statistics, alpha: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Statistics on the way from the content's (alpha 0) to the style's (alpha 1, exactly)."""
    return {
        layer: (torch.lerp(own[0], other[0], alpha), torch.lerp(own[1], other[1], alpha))
        for (layer, own), other in zip(content.items(), style.values())
    }
