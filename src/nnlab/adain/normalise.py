"""The normalised encoder: every filter of VGG19 rescaled to a mean activation of 1 (Huang & Belongie 2017, section 6).

ReLU, max pooling and reflection are homogeneous, so dividing a filter by its mean activation and multiplying the next
layer's weights for that channel by it leaves the network's function unchanged up to the scale of each channel.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from nnlab.adain.model import FEATURES
from nnlab.vgg import VGG19
from nnlab.vgg_layers import up_to
from nnlab.vgg_weights import Weights

LAYERS = up_to(FEATURES[-1])


@torch.no_grad()
def filter_means(weights: Weights, images: Iterable[Tensor]) -> dict[str, Tensor]:
    """Return the mean activation of every filter, by layer, float64 (C,), over all positions of all images.

    ``images`` are (1, 3, H, W) in [0, 1] and may differ in size; all positions count alike.
    """
    network = VGG19(weights, LAYERS, padding="reflect", ceil=True)
    sums, counts = dict.fromkeys(LAYERS, torch.zeros((), dtype=torch.float64)), dict.fromkeys(LAYERS, 0)
    for image in images:
        for layer, x in network(image).items():
            sums[layer] = sums[layer] + x.sum(dim=(0, 2, 3), dtype=torch.float64)
            counts[layer] += x[0, 0].numel()
    return {layer: sums[layer] / counts[layer] for layer in LAYERS}


def normalised(weights: Weights, means: dict[str, Tensor]) -> Weights:
    """Return weights up to relu4_1 whose filters' activations are divided by ``means``.

    A filter that no image excites (mean 0) keeps its scale.
    """
    convs = {}
    incoming = torch.ones(3, dtype=torch.float64)
    for layer in LAYERS:
        weight, bias = weights.convs[layer]
        scale = torch.where(means[layer] > 0, means[layer].double(), 1.0)
        scaled = weight.double() * incoming[None, :, None, None] / scale[:, None, None, None]
        convs[layer] = (scaled.float(), (bias.double() / scale).float())
        incoming = scale
    return Weights("nnlab", weights.mean, convs)
