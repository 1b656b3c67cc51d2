"""VGG19, frozen: images in [0, 1] -> {layer name: features after the ReLU}. Normalisation is inside."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnlab.errors import UserError
from nnlab.vgg_layers import LAYERS, block_of, canonical, channels_of, minimum_side, up_to
from nnlab.vgg_weights import Weights, read_weights

POOLINGS = ("max", "average")


class VGG19(nn.Module):
    """The convolutions by name (`vgg.convs["block4_conv1"].weight`), frozen, as deep as `weights` go.

    Padding is zero, as in the original network; pooling is "max" or "average" (Gatys et al. 2016, section 2).
    The convolutions run in the type of their weights, `cast(torch.bfloat16)` included; `mean` stays in float32.
    """

    mean: Tensor

    def __init__(self, weights: Weights, pooling: str = "max") -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise UserError(f"pooling = {pooling!r}: must be one of {', '.join(POOLINGS)}")
        self.pooling = pooling
        self.register_buffer("mean", weights.mean.reshape(1, 3, 1, 1).clone())
        self.convs = nn.ModuleDict()
        for layer, (weight, bias) in weights.convs.items():
            conv = nn.utils.skip_init(nn.Conv2d, weight.shape[1], channels_of(layer), 3, padding=1)
            conv.weight, conv.bias = nn.Parameter(weight), nn.Parameter(bias)
            self.convs[layer] = conv
        self.requires_grad_(False).eval()

    def cast(self, dtype: torch.dtype) -> "VGG19":
        """Convert the convolutions (not the mean) to `dtype` and channels-last; returns self."""
        for conv in self.convs.values():
            conv.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return self

    @property
    def dtype(self) -> torch.dtype:
        """Type that the convolutions compute in."""
        return next(self.convs.parameters()).dtype

    def forward(self, images: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Features of `images` (B, 3, H, W), RGB in [0, 1], for each of `layers`, under the names that were asked for.

        Features are (B, C, H / 2^(block-1), W / 2^(block-1)) after the ReLU, in the type of the convolutions; nothing
        behind the deepest layer asked for is computed. UserError for an unknown layer, one that the weights lack, or
        images too small for it.
        """
        wanted = {canonical(name) for name in layers}
        if not wanted:
            return {}
        deepest = max(wanted, key=LAYERS.index)
        self._check(images, deepest)
        x = (images - self.mean).to(self.dtype, memory_format=torch.channels_last)
        features, block = {}, 1
        for layer in up_to(deepest):
            if block_of(layer) != block:
                block, x = block_of(layer), self._pool(x)
            x = functional.relu_(self.convs[layer](x))  # in place: the convolution does not need its output again
            if layer in wanted:
                features[layer] = x
        return {name: features[canonical(name)] for name in layers}

    def _pool(self, x: Tensor) -> Tensor:
        return functional.max_pool2d(x, 2) if self.pooling == "max" else functional.avg_pool2d(x, 2)

    def _check(self, images: Tensor, deepest: str) -> None:
        if deepest not in self.convs:
            raise UserError(f"layer {deepest}: these weights end at {list(self.convs)[-1]}")
        if images.ndim != 4 or images.shape[1] != 3:
            raise UserError(f"images of shape {tuple(images.shape)}: expected (B, 3, H, W)")
        smallest = minimum_side(deepest, "zero", False)
        if min(images.shape[2:]) < smallest:
            height, width = images.shape[2:]
            raise UserError(f"image of {width}x{height} pixels: {deepest} needs at least {smallest} on both sides")


def load_vgg(
    path: Path,
    source: str | None = None,
    pooling: str = "max",
    deepest: str = LAYERS[-1],
    dtype: torch.dtype = torch.float32,
) -> VGG19:
    """VGG19, channels-last and in `dtype`, from a weights file or fetch_vgg's folder; kinds: `vgg_weights.FORMATS`.

    `source` names the kind that the file must be (None: any). Layers behind `deepest` are left out to save memory.
    UserError for a damaged, malicious or foreign file.
    """
    weights = read_weights(Path(path), source)
    kept = {layer: weights.convs[layer] for layer in up_to(deepest) if layer in weights.convs}
    return VGG19(Weights(weights.kind, weights.mean, kept), pooling).cast(dtype)
