"""The two losses of AdaIN training (Huang & Belongie 2017, equations 11-13), as pure functions of features."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnlab.adain.model import FEATURES, Encoder, adain_statistics
from nnlab.adain.statistics import mean_std

Statistics = Mapping[str, tuple[Tensor, Tensor]]
"""Layer name -> mean and standard deviation, (B, C, 1, 1) each."""


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of features and target, both (B, C, h, w), as a float32 scalar (equation 12)."""
    return F.mse_loss(features.float(), target.float())


def style_loss(features: Mapping[str, Tensor], target: Statistics) -> Tensor:
    """Sum over the layers of ``target`` of the squared differences of means and of deviations (equation 13).

    Each term is the mean over images and channels, as the reference computes it; a float32 scalar.
    """
    terms = []
    for layer, (target_mean, target_std) in target.items():
        mean, std = mean_std(features[layer])
        terms += [F.mse_loss(mean, target_mean), F.mse_loss(std, target_std)]
    return torch.stack(terms).sum()


@torch.no_grad()
def encode(encoder: Encoder, content: Tensor, style: Tensor) -> tuple[Tensor, Statistics]:
    """Return relu4_1 (B, 512, H/8, W/8) of the content and the style's statistics, for images (B, 3, H, W) in [0, 1].

    Both batches of one size go through the encoder together: one large pass is faster than two small ones.
    """
    count = len(content)
    features = encoder(torch.cat([content, style]))
    # cloned: a view would keep the features of the style, too
    return features[FEATURES[-1]][:count].clone(), {layer: mean_std(features[layer][count:]) for layer in FEATURES}


def decoding_losses(encoder: Encoder, decoder: nn.Module, content: Tensor, style: Statistics) -> Tensor:
    """Return the unweighted losses (2,), content and style, of decoding AdaIN of what `encode` returned."""
    target = adain_statistics(content, *style[FEATURES[-1]])
    features = encoder(decoder(target))
    return torch.stack([content_loss(features[FEATURES[-1]], target), style_loss(features, style)])
