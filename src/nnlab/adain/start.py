"""A decoder to start from, in closed form: each layer is fitted by ridge regression to undo one layer of the encoder.

Going down from relu4_1, a layer sees what the layers solved before it make of the pictures, and is to give what the
encoder had at that place. The result draws pictures already, blurred but with every shape in its place; drawn at
random, a decoder needs about a thousand iterations to come so far. (Own method; every step is ordinary least squares.)
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnlab.adain.model import DECODER_LAYERS, ENLARGED, Decoder, Encoder, to_images
from nnlab.training.seeds import generator
from nnlab.vgg_weights import Weights

RIDGE = 1e-3  # of the mean of the diagonal: keeps directions that the pictures hardly excite from blowing up
PATCHES = 800  # of 3x3 positions, of every picture and layer


@torch.no_grad()
def closed_form_decoder(weights: Weights, crops: Tensor, seed: int) -> Decoder:
    """Fit a decoder to an encoder's weights on pictures, `crops` (N, 3, side, side) uint8.

    Computed on the CPU in float32. The same crops and seed give the same decoder.
    """
    encoder, decoder, draws = Encoder(weights), Decoder(), generator(seed, "patches")
    # What a layer of the encoder sees is what the layer of that name in the decoder, its mirror, is to give.
    seen: dict[str, list[Tensor]] = {name: [] for name, _, _ in DECODER_LAYERS}
    for name, found in seen.items():
        getattr(encoder, name).register_forward_pre_hook(lambda _, given, found=found: found.append(given[0]))
    inputs = [encoder.encode(to_images(part, torch.float32)) for part in crops.split(8)]
    for name, targets in seen.items():
        layer = getattr(decoder, name)
        if name in ENLARGED:
            inputs = [F.interpolate(x, scale_factor=2) for x in inputs]
        inputs = [F.pad(x, (1, 1, 1, 1), mode="reflect") for x in inputs]
        _fit(layer, _patches(inputs, targets, draws))
        inputs = [layer(x).relu_() for x in inputs]
    return decoder


def _patches(inputs: list[Tensor], targets: list[Tensor], draws: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Some positions of every picture: 3x3 patches of the input with a 1 for the bias (P, 9 C + 1), targets (P, D)."""
    for batch, wanted in zip(inputs, targets):
        for x, y in zip(batch, wanted):
            patches, values = F.unfold(x[None], 3)[0].T, y.flatten(1).T
            chosen = torch.randperm(len(values), generator=draws)[:PATCHES]
            yield F.pad(patches[chosen], (0, 1), value=1.0), values[chosen]


def _fit(layer: nn.Conv2d, patches: Iterator[tuple[Tensor, Tensor]]) -> None:
    """Ridge regression of the layer's weight and bias on its patches: (X^T X + lambda) w = X^T Y."""
    size = 9 * layer.in_channels + 1
    gram, cross = torch.zeros(size, size), torch.zeros(size, layer.out_channels)
    for x, y in patches:
        gram.addmm_(x.T, x)
        cross.addmm_(x.T, y)
    gram.diagonal().add_(RIDGE * gram.diagonal().mean())
    solution = torch.linalg.solve(gram, cross)
    layer.weight.copy_(solution[:-1].T.reshape(layer.weight.shape))
    layer.bias.copy_(solution[-1])  # type: ignore[union-attr]
