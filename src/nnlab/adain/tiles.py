"""Encoding and decoding a picture in tiles: the result of one pass over all of it, within bounded memory.

Pixels are uint8 (H, W, 3); a *cell* is one position of relu4_1, which stands for 8 x 8 pixels. A tile is computed with
a border as wide as the network's receptive field reaches, and the border is cut off again, so that what remains does
not depend on the tiling. Only float rounding differs, because convolutions block their sums by the tile's size.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nnlab.adain.model import Decoder, Encoder

CELL = 8  # pixels a side: three poolings by two
TILE = 96  # cells a side at most (768 pixels): 0.6 GB at the widest layers in float32

# Reach of the receptive fields, in cells, rounded up. Encoder: 2 convolutions at 1 px, 2 at 2 px, 4 at 4 px and 1 at
# 8 px are 2 + 4 + 16 + 8 = 30 px. Decoder: 1 at 8 px, 4 at 4 px, 2 at 2 px, 2 at 1 px are 8 + 16 + 4 + 2 = 30 px.
REACH = 4


class Box(NamedTuple):
    """A rectangle of cells: top and left included, bottom and right not."""

    top: int
    bottom: int
    left: int
    right: int

    def grown(self, cells: int, within: "Box") -> "Box":
        """This box with a border of `cells` on every side, cut at the edges of `within`."""
        return Box(
            max(self.top - cells, within.top),
            min(self.bottom + cells, within.bottom),
            max(self.left - cells, within.left),
            min(self.right + cells, within.right),
        )

    def seen_from(self, other: "Box") -> tuple[slice, slice]:
        """Rows and columns of this box in an array that holds `other`."""
        rows = slice(self.top - other.top, self.bottom - other.top)
        return rows, slice(self.left - other.left, self.right - other.left)

    def pixels(self) -> tuple[slice, slice]:
        """Rows and columns of pixels; those past the picture's edge, in its last cells, vanish in slicing."""
        return slice(CELL * self.top, CELL * self.bottom), slice(CELL * self.left, CELL * self.right)


def whole(pixels: np.ndarray) -> Box:
    """All cells of a picture (H, W, 3); the last ones may be partly filled, as pooling rounds up."""
    return Box(0, -(-pixels.shape[0] // CELL), 0, -(-pixels.shape[1] // CELL))


def split(area: Box, tile: int = TILE) -> Iterator[Box]:
    """Cut `area` into boxes of about equal size with at most `tile` cells a side."""
    rows, columns = _cuts(area.top, area.bottom, tile), _cuts(area.left, area.right, tile)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            yield Box(top, bottom, left, right)


def _cuts(start: int, stop: int, tile: int) -> list[int]:
    pieces = -(-(stop - start) // tile)
    return [start + (stop - start) * piece // pieces for piece in range(pieces + 1)]


def encode(encoder: Encoder, pixels: np.ndarray, box: Box, colours: Tensor | None = None) -> Tensor:
    """Return relu4_1 (1, 512, h, w) of the cells in `box`, exact, in the type and on the device of the encoder.

    `pixels` is (H, W, 3) uint8, at least MIN_SIDE a side. `colours` (3, 4) maps RGB in [0, 1] first: matrix and offset.
    """
    weight = encoder.block1_conv1.weight
    area = box.grown(REACH, whole(pixels))
    piece = torch.from_numpy(np.array(pixels[area.pixels()])).to(weight.device)
    images = piece.permute(2, 0, 1)[None].float().div_(255.0)
    if colours is not None:
        images = torch.einsum("rc,bchw->brhw", colours[:, :3].to(images), images) + colours[:, 3, None, None].to(images)
    images = images.to(weight.dtype, memory_format=torch.channels_last)
    rows, columns = box.seen_from(area)
    return encoder.encode(images)[:, :, rows, columns]


def decode(decoder: Decoder, features: Tensor, area: Box, box: Box) -> np.ndarray:
    """Return uint8 pixels (8h, 8w, 3) of the cells in `box`, decoded from `features` (1, 512, ...) of `area`.

    `area` is `box` grown by REACH; values outside [0, 1] are clipped.
    """
    weight = decoder.block4_conv1.weight
    images = decoder(features.to(weight.dtype, memory_format=torch.channels_last))
    rows, columns = box.seen_from(area)
    inner = images[0, :, CELL * rows.start : CELL * rows.stop, CELL * columns.start : CELL * columns.stop]
    return inner.float().clamp_(0, 1).mul_(255).round_().byte().permute(1, 2, 0).cpu().numpy()
