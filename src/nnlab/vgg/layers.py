"""The layers of VGG19 by name: what parameter files are checked against, so this module does not import torch.

Names are those of Keras (`block4_conv1`); the usual short forms `conv4_1` and `relu4_1` mean the same layer.
Features are always those after the ReLU, as in Gatys et al. 2016 and Huang & Belongie 2017.
"""

import re
from itertools import pairwise

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""(channels, convolutions) of each block; a 2x2 pooling stands between two blocks (Simonyan & Zisserman 2015, E)."""

LAYERS = tuple(f"block{block}_conv{conv}" for block, (_, convs) in enumerate(BLOCKS, 1) for conv in range(1, convs + 1))
"""The sixteen convolutions, in order."""


def block_of(layer: str) -> int:
    """1-based block of a layer."""
    return int(layer[len("block")])


CHANNELS = dict(zip(LAYERS, pairwise((3, *(BLOCKS[block_of(layer) - 1][0] for layer in LAYERS)))))
"""layer -> (input channels, output channels)."""


def canonical(name: str) -> str:
    """`relu4_1`, `conv4_1` or `block4_conv1` -> `block4_conv1`; anything else is a ValueError."""
    layer = re.sub(r"^(?:conv|relu)(\d)_(\d)$", r"block\1_conv\2", name)
    if layer not in LAYERS:
        raise ValueError(f"no VGG19 layer {name!r}; one of {', '.join(LAYERS)} (or relu4_1, conv4_1 for block4_conv1)")
    return layer


def up_to(layer: str) -> tuple[str, ...]:
    """The layers from the first one to `layer`, both included."""
    return LAYERS[: LAYERS.index(layer) + 1]
