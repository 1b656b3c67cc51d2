"""Encoding and decoding a picture in tiles: the result of one pass over all of it, within bounded memory.

Pixels are (8h, 8w, 3) in 0-255; a *cell* is one position of relu4_1, which stands for 8 x 8 of them. A tile is computed
with a border as wide as the network's receptive field reaches, and the border is cut off again, so that what remains
does not depend on the tiling. Only float rounding differs, because convolutions block their sums by the tile's size.
"""

from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np
import torch
from torch import Tensor

from nnlab.adain.model import Decoder, Encoder

CELL = 8  # pixels a side: three poolings by two
TILE = 96  # cells a side at most (768 pixels): 0.6 GB at the widest layers in float32

# Reach of the receptive fields, in cells, rounded up. Encoder: 2 convolutions at 1 px, 2 at 2 px, 4 at 4 px and 1 at
# 8 px are 2 + 4 + 16 + 8 = 30 px. Decoder: 1 at 8 px, 4 at 4 px, 2 at 2 px, 2 at 1 px are 8 + 16 + 4 + 2 = 30 px.
REACH = 4

Box = tuple[slice, slice]  # rows and columns of cells


def split(shape: Sequence[int], tile: int = TILE) -> list[Box]:
    """Cut (h, w) cells into boxes of about equal size with at most `tile` cells a side."""
    rows, columns = (
        [slice(*ends) for ends in pairwise(cells * part // parts for part in range(parts + 1))]
        for cells, parts in ((cells, -(-cells // tile)) for cells in shape)
    )
    return list(product(rows, columns))


def grown(box: Box, shape: Sequence[int]) -> Box:
    """The box with a border of `REACH` cells on every side, cut at the edges of (h, w) cells."""
    rows, columns = (slice(max(s.start - REACH, 0), min(s.stop + REACH, cells)) for s, cells in zip(box, shape))
    return rows, columns


def inside(box: Box, outer: Box, side: int = 1) -> Box:
    """Where the box lies in an array that begins where `outer` does, `side` of its rows and columns to a cell."""
    rows, columns = (slice(side * (s.start - o.start), side * (s.stop - o.start)) for s, o in zip(box, outer))
    return rows, columns


def pixels(box: Box) -> Box:
    """Rows and columns of pixels of the box."""
    return inside(box, (slice(0, 0), slice(0, 0)), CELL)


def encode(encoder: Encoder, rgb: np.ndarray, box: Box) -> Tensor:
    """Return relu4_1 (1, 512, h, w) of the cells in `box`, exact, in the type and on the device of the encoder."""
    area = grown(box, (rgb.shape[0] // CELL, rgb.shape[1] // CELL))
    weight = encoder.block1_conv1.weight
    images = torch.from_numpy(rgb[pixels(area)]).to(weight.device).permute(2, 0, 1)[None]
    features = encoder.encode(images.to(weight.dtype, memory_format=torch.channels_last) / 255)
    rows, columns = inside(box, area)
    return features[..., rows, columns]


def decode(decoder: Decoder, features: Tensor, box: Box, area: Box) -> np.ndarray:
    """Return uint8 pixels (8h, 8w, 3) of the cells in `box`, decoded from `features` (1, 512, ...) of `area`.

    `area` is `box` grown by REACH; values outside [0, 1] are clipped.
    """
    weight = decoder.block4_conv1.weight
    images = decoder(features.to(weight.dtype, memory_format=torch.channels_last))
    rows, columns = inside(box, area, CELL)
    return images[0, :, rows, columns].float().clamp_(0, 1).mul_(255).round_().byte().permute(1, 2, 0).cpu().numpy()
