"""Stylise pictures of any size with any number of styles: the library behind the stages and `nnlab stylize`.

    stylizer = Stylizer(load_encoder(...), load_decoder(...))
    result = stylizer.stylize(content, [style])                     # Pillow pictures in, Pillow picture out

The output has exactly the size of the content, and its transparency. AdaIN needs the mean and deviation of the features
of the *whole* content, so a picture is read twice: once for the statistics, once to be decoded.

Both are done in tiles, within bounded memory. A tile is computed with a border as wide as the network's receptive field
reaches, and the border is cut off again, so that what remains does not depend on the tiling. Only float rounding
differs, because convolutions block their sums by the tile's size.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nnlab.adain.colors import CELL, Pixels, palette_projection, to_pixels
from nnlab.adain.model import MIN_SIDE, Decoder, Encoder
from nnlab.adain.statistics import EPS
from nnlab.data.images import read_image, resize_shorter, to_pil
from nnlab.errors import UserError

KEEP_BYTES = 512 << 20  # features of a content up to this size stay in memory; larger ones are computed again
LARGEST = 2 * (Image.MAX_IMAGE_PIXELS or sys.maxsize)  # pixels of an enlarged picture: no larger one is read, either
LONGEST_STYLE = 8192  # pixels on the longer side of a resized style: a strip of paper would have millions
FLAT = 0.01  # deviation of all features together: bfloat16's rounding leaves 0.005, noise of a single grey level 0.04
TILE = 96  # cells a side at most (768 pixels): 0.6 GB at the widest layers in float32

# Reach of the receptive fields, in cells, rounded up. Encoder: 2 convolutions at 1 px, 2 at 2 px, 4 at 4 px and 1 at
# 8 px are 2 + 4 + 16 + 8 = 30 px. Decoder: 1 at 8 px, 4 at 4 px, 2 at 2 px, 2 at 1 px are 8 + 16 + 4 + 2 = 30 px.
REACH = 4

Box = tuple[slice, slice]  # rows and columns of cells


class Moments(NamedTuple):
    """Mean and standard deviation of relu4_1 over the positions of one picture: (1, 512, 1, 1) float32, on the CPU.

    And the second moment of its colours c, RGB in [0, 1]: the mean of c c^T, (3, 3).
    """

    mean: Tensor
    std: Tensor
    colours: np.ndarray


class Content(NamedTuple):
    """A content picture, its pixels, statistics, and features (1, 512, h, w) unless they are too many."""

    picture: Image.Image
    pixels: Pixels
    statistics: Moments
    features: Tensor | None


def open_picture(path: Path, size: int, longest: int = sys.maxsize) -> Image.Image:
    """Read a picture, RGB or RGBA, with its shorter side resized to `size` pixels; 0 keeps the original size.

    A resized one has `longest` pixels at most on its longer side, unless its shorter one would be too small for the
    encoder then. UserError that names the file if it cannot be read, is that small itself, or would be enlarged beyond
    Pillow's limit (a strip of paper has few pixels, but not at a shorter side of hundreds).
    """
    whole = read_image(path, alpha=True)
    shorter, longer = min(whole.size), max(whole.size)
    size = min(size, max(MIN_SIDE, longest * shorter // longer))
    if size > shorter and size * size * longer / shorter > LARGEST:
        found = f"{whole.width}x{whole.height} pixels; with a shorter side of {size:,} too large"
        raise UserError(f"{path}: {found} (at most {round(LARGEST / 1e6)} megapixels); take a smaller size")
    picture = resize_shorter(whole, size)
    if min(picture.size) < MIN_SIDE:
        raise UserError(f"{path}: {picture.width}x{picture.height} pixels; at least {MIN_SIDE} a side are needed")
    return picture


def open_style(path: Path, size: int) -> Image.Image:
    """The same for a style."""
    return open_picture(path, size, LONGEST_STYLE)


class Stylizer:
    """An encoder and a decoder, converted once, in place, to `precision` and channels-last on `device`."""

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        device: torch.device | str = "cpu",
        precision: torch.dtype = torch.float32,
    ) -> None:
        self.encoder, self.decoder, self.device, self.precision = encoder, decoder, device, precision
        for network in (encoder, decoder):
            network.to(device, precision).to(memory_format=torch.channels_last).requires_grad_(False).eval()
        self.progress: Callable[[list[Box]], Iterable[Box]] = list  # goes over tiles, and may show how far it is

    def stylize(self, content: Image.Image, styles: Sequence[Image.Image], alpha: float = 1.0) -> Image.Image:
        """Draw `content` in equal parts of `styles`, `alpha` as for `paint`; UserError for a side under 9 pixels."""
        return self.paint(self.content(content), [self.statistics(style) for style in styles], alpha=alpha)

    def statistics(self, style: Image.Image, colours_of: Content | None = None) -> Moments:
        """Encode a style picture, RGB or RGBA; with `colours_of` it takes that content's colours first."""
        own = to_pixels(style)
        return self._moments(own.in_colours_of(colours_of.pixels) if colours_of else own)

    def content(self, picture: Image.Image) -> Content:
        """Encode a content picture, RGB or RGBA, for any number of calls of `paint`."""
        own = to_pixels(picture)
        shape, features = (1, 512, *own.opacity.shape), None
        if np.prod(shape) * self.precision.itemsize <= KEEP_BYTES:
            features = torch.empty(shape, dtype=self.precision, device=self.device, memory_format=torch.channels_last)
        return Content(picture, own, self._moments(own, features), features)

    @torch.inference_mode()
    def _moments(self, own: Pixels, features: Tensor | None = None) -> Moments:
        """Encode all tiles, into `features` if given; statistics as `mean_std` has them, each cell by its opacity."""
        sums = torch.zeros(2, 512, dtype=torch.float64)  # on the CPU: not every GPU knows float64
        for box in self.progress(split(own.opacity.shape)):
            tile = self._encode(own.rgb, box)
            if features is not None:
                features[..., box[0], box[1]] = tile
            values, shares = tile[0].flatten(1).cpu().double(), own.opacity[box].flatten()
            sums += torch.stack([values @ shares, values.square() @ shares])
        mean, square = (sums / own.opacity.sum())[:, None, :, None, None]
        count = own.opacity.numel()
        variance = (square - mean**2).clamp(min=0) * count / (count - 1)
        colours = own.colours / 255
        return Moments(mean.float(), (variance + EPS).sqrt().float(), colours.T @ colours / len(colours))

    def _encode(self, rgb: np.ndarray, box: Box) -> Tensor:
        """relu4_1 (1, 512, h, w) of the cells in `box`, exact, of pixels (8H, 8W, 3) in 0-255."""
        area = grown(box, (rgb.shape[0] // CELL, rgb.shape[1] // CELL))
        images = torch.from_numpy(rgb[pixels(area)]).to(self.device).permute(2, 0, 1)[None]
        features = self.encoder.encode(images.to(self.precision, memory_format=torch.channels_last) / 255)
        rows, columns = inside(box, area)
        return features[..., rows, columns]

    @torch.inference_mode()
    def paint(
        self, content: Content, styles: Sequence[Moments], weights: Sequence[float] | None = None, alpha: float = 1.0
    ) -> Image.Image:
        """Decode an encoded content in a blend of `styles` with `weights` (equal if None; only their ratio counts).

        `alpha` from 0 (the content, rebuilt) to 1 (all style) mixes content and stylised features (paper, eq. 14). What
        comes out has no colours that the styles do not have at all (see `palette_projection`). UserError for values out
        of range.
        """
        rgb, shape = content.pixels.rgb, content.pixels.opacity.shape
        scale, shift = (part.to(self.device) for part in blend(content.statistics, styles, weights, alpha))
        palette = palette_projection(np.average([style.colours for style in styles], axis=0, weights=weights))
        painted = np.empty_like(rgb)
        for box in self.progress(split(shape)):
            area = grown(box, shape)
            known = content.features
            features = self._encode(rgb, area) if known is None else known[..., area[0], area[1]]
            wanted = torch.addcmul(shift, features.float(), scale)
            drawn = self.decoder(wanted.to(self.precision, memory_format=torch.channels_last))
            rows, columns = inside(box, area, CELL)
            tile = np.asarray(to_pil(drawn[..., rows, columns]))
            if palette is not None:
                kept = tile @ (alpha * palette + (1 - alpha) * np.eye(3))
                tile = kept.clip(0, 255).round()
            painted[pixels(box)] = tile
        width, height = content.picture.size
        top, left = (rgb.shape[0] - height) // 2, (rgb.shape[1] - width) // 2
        picture = Image.fromarray(painted[top : top + height, left : left + width])
        if content.picture.mode == "RGBA":
            picture.putalpha(content.picture.getchannel("A"))
        return picture


def blend(
    content: Moments, styles: Sequence[Moments], weights: Sequence[float] | None = None, alpha: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Return scale and shift (1, 512, 1, 1) with which content features f become t = f * scale + shift.

    AdaIN towards each style, their weighted mean (paper, eq. 15) and the mixture by alpha (eq. 14) are all linear in f,
    so they are one map. A content of one colour has no deviation that could be a style's: it becomes the style's mean.
    UserError for an alpha outside [0, 1], and for weights that do not fit.
    """
    scale, shift = torch.full_like(content.std, 1 - alpha), torch.zeros_like(content.mean)
    flat = bool(content.std.square().mean().sqrt() < FLAT)
    for share, style in zip(shares(len(styles), weights, alpha), styles):
        ratio = torch.zeros_like(style.std) if flat else style.std / content.std
        scale += share * ratio
        shift += share * (style.mean - content.mean * ratio)
    return scale, shift


def shares(styles: int, weights: Sequence[float] | None = None, alpha: float = 1.0) -> list[float]:
    """The share of each of so many styles in a result, together `alpha`; the content has the rest.

    UserError for an alpha outside [0, 1], and for weights that do not fit.
    """
    weights = weights or [1.0] * styles
    if not 0 <= alpha <= 1:
        raise UserError(f"alpha = {alpha:g}: must lie between 0 and 1")
    if len(weights) != styles:
        raise UserError(f"{len(weights)} style weights for {styles} styles; give one for each")
    if not (all(0 <= weight < float("inf") for weight in weights) and sum(weights) > 0):
        raise UserError(f"style weights {', '.join(map(str, weights))}: must be 0 or more, and not all 0")
    return [alpha * weight / sum(weights) for weight in weights]


def split(shape: Sequence[int]) -> list[Box]:
    """Cut (h, w) cells into boxes of about equal size with at most `TILE` cells a side."""
    rows, columns = (
        [slice(*ends) for ends in pairwise(cells * part // parts for part in range(parts + 1))]
        for cells, parts in ((cells, -(-cells // TILE)) for cells in shape)
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
