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
from nnlab.vgg.weights import Weights

RIDGE = 1e-3  # of the mean of the diagonal: keeps directions that the pictures hardly excite from blowing up
PATCHES = 800  # of 3x3 positions, of every picture and layer
PAD = 16  # columns
BLOCK = 512  # rows


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
    """Some positions of a batch of pictures: 3x3 patches of the input, (P, 9 C + PAD), and the targets, (P, D).

    After the patch comes a 1, for the bias, and zeros: products of odd numbers of columns take a third longer.
    """
    for x, y in zip(inputs, targets):
        width, seen, values = y.shape[3], x.permute(0, 2, 3, 1), y.flatten(2).mT
        chosen = torch.stack([torch.randperm(values.shape[1], generator=draws)[:PATCHES] for _ in x])  # (B, P)
        picture, top, left = torch.arange(len(x))[:, None], chosen // width, chosen % width
        taps = [seen[picture, top + down, left + right] for down in range(3) for right in range(3)]
        patches = F.pad(F.pad(torch.cat(taps, 2), (0, 1), value=1.0), (0, PAD - 1))
        yield patches.flatten(0, 1), values[picture, chosen].flatten(0, 1)


def _fit(layer: nn.Conv2d, patches: Iterator[tuple[Tensor, Tensor]]) -> None:
    """Ridge regression of the layer's weight and bias on its patches: (X^T X + lambda) w = X^T Y."""
    size = 9 * layer.in_channels + PAD
    gram, cross = torch.zeros(size, size), torch.zeros(size, layer.out_channels)
    for x, y in patches:
        for start in range(0, size, BLOCK):  # of rows, from the diagonal on: the matrix is symmetric
            gram[start : start + BLOCK, start:].addmm_(x[:, start : start + BLOCK].T, x[:, start:])
        cross.addmm_(x.T, y)
    gram = gram.triu() + gram.triu(1).T
    gram.diagonal().add_(RIDGE * gram.diagonal().mean())
    solution = torch.linalg.solve(gram, cross)
    layer.weight.copy_(solution[:-PAD].view(3, 3, layer.in_channels, -1).permute(3, 2, 0, 1))
    layer.bias.copy_(solution[-PAD])  # type: ignore[union-attr]
