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

    def grown(self, within: "Box") -> "Box":
        """This box with a border of `REACH` cells on every side, cut at the edges of `within`."""
        top, left = max(self.top - REACH, within.top), max(self.left - REACH, within.left)
        return Box(top, min(self.bottom + REACH, within.bottom), left, min(self.right + REACH, within.right))

    def slices(self, within: "Box | None" = None, side: int = 1) -> tuple[slice, slice]:
        """Rows and columns of this box in an array that begins where `within` does, `side` of them to a cell."""
        top, left = (within.top, within.left) if within else (0, 0)
        rows = slice(side * (self.top - top), side * (self.bottom - top))
        return rows, slice(side * (self.left - left), side * (self.right - left))


def whole(pixels: np.ndarray) -> Box:
    """All cells of a picture (H, W, 3); the last ones may be partly filled."""
    return Box(0, -(-pixels.shape[0] // CELL), 0, -(-pixels.shape[1] // CELL))


def split(area: Box, tile: int = TILE) -> Iterator[Box]:
    """Cut `area` into boxes of about equal size with at most `tile` cells a side."""
    for top, bottom in pairwise(_cuts(area.top, area.bottom, tile)):
        for left, right in pairwise(_cuts(area.left, area.right, tile)):
            yield Box(top, bottom, left, right)


def _cuts(start: int, stop: int, tile: int) -> list[int]:
    pieces = -(-(stop - start) // tile)
    return [start + (stop - start) * piece // pieces for piece in range(pieces + 1)]


def encode(encoder: Encoder, pixels: np.ndarray, box: Box, colours: Tensor | None = None) -> Tensor:
    """Return relu4_1 (1, 512, h, w) of the cells in `box`, exact, in the type and on the device of the encoder.

    `pixels` is (H, W, 3) uint8, at least MIN_SIDE a side; its last cells are filled by reflection, as the network's own
    border is. `colours` (3, 4) maps RGB in [0, 1] first: matrix and offset.
    """
    weight = encoder.block1_conv1.weight
    area = box.grown(whole(pixels))
    piece = pixels[area.slices(side=CELL)]
    missing = [CELL * (area.bottom - area.top) - piece.shape[0], CELL * (area.right - area.left) - piece.shape[1]]
    piece = np.pad(piece, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
    images = torch.from_numpy(piece).to(weight.device).permute(2, 0, 1)[None].float().div_(255)
    if colours is not None:
        images = torch.einsum("rc,bchw->brhw", colours[:, :3].to(images), images) + colours[:, 3, None, None].to(images)
    images = images.to(weight.dtype, memory_format=torch.channels_last)
    rows, columns = box.slices(area)
    return encoder.encode(images)[..., rows, columns]


def decode(decoder: Decoder, features: Tensor, area: Box, box: Box) -> np.ndarray:
    """Return uint8 pixels (8h, 8w, 3) of the cells in `box`, decoded from `features` (1, 512, ...) of `area`.

    `area` is `box` grown by REACH; values outside [0, 1] are clipped.
    """
    weight = decoder.block4_conv1.weight
    images = decoder(features.to(weight.dtype, memory_format=torch.channels_last))
    rows, columns = box.slices(area, CELL)
    return images[0, :, rows, columns].float().clamp_(0, 1).mul_(255).round_().byte().permute(1, 2, 0).cpu().numpy()
