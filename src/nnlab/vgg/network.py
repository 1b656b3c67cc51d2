"""VGG19, frozen: images in [0, 1] -> {layer name: features after the ReLU}. Normalisation is inside."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnlab.errors import UserError
from nnlab.vgg.layers import CHANNELS, LAYERS, block_of, up_to
from nnlab.vgg.weights import Weights
from nnlab.vgg.winograd import FrozenConv


class VGG19(nn.Module):
    """The convolutions by name (`vgg.block4_conv1.weight`), frozen, channels-last, as deep as `layers` need.

    `pooling` is "max", or "average" as in Gatys et al. 2016, section 2. `reflect` makes it AdaIN's encoder, as its
    reference code has it: borders are reflected in the place of zeros, and a pooling rounds odd sizes up. The features
    have the type of the weights: `dtype`, or what `.to()` makes of them later (with zero padding rather `dtype`, which
    leaves the mean colour in float32). UserError for a layer that the weights lack, ValueError for a name that is none
    of `LAYERS`.
    """

    block1_conv1: nn.Conv2d  # and the others, made from the weights
    mean: Tensor

    def __init__(
        self,
        weights: Weights,
        layers: Sequence[str],
        *,
        pooling: Literal["max", "average"] = "max",
        reflect: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.layers, self.reflect = layers, reflect
        self.pool = functional.max_pool2d if pooling == "max" else functional.avg_pool2d
        self.convs = up_to(max(layers, key=LAYERS.index))
        self.register_buffer("mean", weights.mean.reshape(1, 3, 1, 1).clone(), persistent=False)
        for layer in self.convs:
            if layer not in weights.convs:
                raise UserError(f"layer {self.convs[-1]}: these weights end before {layer}")
            weight, bias = weights.convs[layer]
            if reflect and layer == LAYERS[0]:  # reflection commutes with the shift of the colours
                bias = (bias.double() - torch.einsum("oihw,i->o", weight.double(), weights.mean.double())).to(bias)
            mode: Literal["reflect", "zeros"] = "reflect" if reflect else "zeros"
            conv = FrozenConv(*CHANNELS[layer], 3, padding=1, padding_mode=mode, device="meta")
            conv.rough = reflect  # AdaIN's steps are noisier by far; Gatys' optimiser would not get as low
            conv.weight, conv.bias = nn.Parameter(weight), nn.Parameter(bias)
            self.add_module(layer, conv.to(dtype).to(memory_format=torch.channels_last))
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Features of `images` (B, 3, H, W), RGB in [0, 1], for each of the layers that were asked for.

        Features are (B, C, H / 2^(block-1), W / 2^(block-1)), rounded down, or up with `reflect`, after the ReLU.
        UserError for images that leave no position of the last layer, or only one where it is reflected.
        """
        (height, width), deepest = images.shape[2:], self.convs[-1]
        smallest = 2 ** (block_of(deepest) - 1) + self.reflect
        if min(height, width) < smallest:
            raise UserError(f"image of {width}x{height} pixels: {deepest} needs at least {smallest} on both sides")
        x = images if self.reflect else images - self.mean
        x = x.to(self.block1_conv1.weight.dtype, memory_format=torch.channels_last)
        features = {}
        for layer in self.convs:
            if block_of(layer) > 1 and layer.endswith("conv1"):
                x = self.pool(x, 2, ceil_mode=self.reflect)
            x = functional.relu_(getattr(self, layer)(x))  # in place: the convolution does not need its output again
            if layer in self.layers:
                features[layer] = x
        return features
