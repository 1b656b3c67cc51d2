"""VGG19 layer names -> plan of the network. Torch-free, so that parameter files can be checked quickly.

Names are those of Keras (`block4_conv1`); the usual short forms `conv4_1` and `relu4_1` mean the same layer.
Features are always those after the ReLU, as in Gatys et al. 2016 and Huang & Belongie 2017.
Source of the plan: Simonyan & Zisserman 2015, table 1, column E.
"""

import re

from nnlab.errors import UserError

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""(channels, convolutions) of each block; a 2x2 pooling stands between two blocks."""

LAYERS = tuple(f"block{block}_conv{conv}" for block, (_, convs) in enumerate(BLOCKS, 1) for conv in range(1, convs + 1))
"""The sixteen convolutions, in order."""


def block_of(layer: str) -> int:
    """1-based block of a canonical layer name."""
    return int(layer[len("block")])


def channels_of(layer: str) -> int:
    """Number of output channels of a canonical layer name."""
    return BLOCKS[block_of(layer) - 1][0]


def canonical(name: str) -> str:
    """`relu4_1`, `conv4_1` or `block4_conv1` -> `block4_conv1`; anything else is a UserError."""
    found = re.fullmatch(r"(?:conv|relu)(\d)_(\d)", name)
    layer = f"block{found[1]}_conv{found[2]}" if found else name
    if layer not in LAYERS:
        raise UserError(f"no VGG19 layer {name!r}; one of {', '.join(LAYERS)} (or relu4_1, conv4_1 for block4_conv1)")
    return layer


def up_to(layer: str) -> tuple[str, ...]:
    """The canonical layers from the first one to `layer`, both included."""
    return LAYERS[: LAYERS.index(canonical(layer)) + 1]


def minimum_side(layer: str, padding: str, ceil_mode: bool) -> int:
    """Smallest image side, in pixels, for which `layer` is defined (a feature map of 1, or 2 to be reflected)."""
    scale = 2 ** (block_of(layer) - 1)
    needed = 2 if padding == "reflection" else 1
    return (needed - 1) * scale + 1 if ceil_mode else needed * scale
