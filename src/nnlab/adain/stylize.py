"""Stylise pictures of any size with any number of styles: the library behind the stages and `nnlab stylize`.

    stylizer = Stylizer(load_encoder(...), load_decoder(...))
    result = stylizer.stylize(content, [style])                     # Pillow pictures in, Pillow picture out

The output has exactly the size of the content, and its transparency. AdaIN needs the mean and deviation of the features
of the *whole* content, so a picture is read twice: once for the statistics, once to be decoded.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nnlab.adain.colors import Pixels, check_size, coral_map, palette_projection, second_moment, to_pixels
from nnlab.adain.model import Decoder, Encoder
from nnlab.adain.statistics import EPS
from nnlab.adain.tiles import CELL, TILE, Box, decode, encode, split, whole
from nnlab.data.images import read_image, resize_shorter
from nnlab.errors import UserError

KEEP_BYTES = 512 << 20  # features of a content up to this size stay in memory; larger ones are computed again


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of relu4_1 over the positions of one picture: (1, 512, 1, 1) float32, on the CPU.

    And the second moment of its colours (3, 3), see `second_moment`; of all colours alike if it is not given.
    """

    mean: Tensor
    std: Tensor
    colours: Tensor = field(default_factory=lambda: torch.eye(3, dtype=torch.float64))


@dataclass(frozen=True)
class Content:
    """A content picture: its pixels, statistics, features (1, 512, h, w) unless they are too many."""

    pixels: Pixels
    statistics: Moments
    features: Tensor | None


def open_picture(path: Path, size: int) -> Image.Image:
    """Read a picture, RGB or RGBA, with its shorter side resized to `size` pixels; 0 keeps the original size.

    UserError that names the file if it cannot be read, enlarged so far, or is too small for the encoder.
    """
    picture = read_image(path, alpha=True)
    try:
        picture = resize_shorter(picture, size)
        check_size(picture)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return picture


class Stylizer:
    """An encoder and a decoder, converted once, in place, to `precision` and channels-last on `device`."""

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        device: torch.device | str = "cpu",
        precision: torch.dtype = torch.float32,
        tile: int = TILE,
    ) -> None:
        self.encoder = encoder.to(device, precision).to(memory_format=torch.channels_last).requires_grad_(False).eval()
        self.decoder = decoder.to(device, precision).to(memory_format=torch.channels_last).requires_grad_(False).eval()
        self.tile = tile  # cells of 8 pixels a side
        self.progress: Callable[[list[Box]], Iterable[Box]] = list  # goes over tiles, and may show how far it is

    def stylize(
        self,
        content: Image.Image,
        styles: Sequence[Image.Image],
        weights: Sequence[float] | None = None,
        alpha: float = 1.0,
        preserve_color: bool = False,
    ) -> Image.Image:
        """Draw `content` in a blend of `styles` with `weights` (equal if None; only their ratio counts).

        `alpha` from 0 (the content, rebuilt) to 1 (all style) mixes content and stylised features (paper, eq. 14).
        `preserve_color` gives each style the content's colours first.
        UserError for pictures under 9 pixels a side and for values out of range.
        """
        shown = self.content(content)
        colours = shown.pixels if preserve_color else None
        return self.paint(shown, [self.statistics(style, colours) for style in styles], weights, alpha)

    def statistics(self, style: Image.Image, colours_of: Pixels | None = None) -> Moments:
        """Encode a style picture; with `colours_of` it takes those pixels' colours first."""
        pixels = to_pixels(style)
        return self._moments(pixels, coral_map(pixels.visible(), colours_of.visible()) if colours_of else None)

    def content(self, picture: Image.Image) -> Content:
        """Encode a content picture for any number of calls of `paint`."""
        pixels = to_pixels(picture)
        area, weight = whole(pixels.rgb), self.encoder.block1_conv1.weight
        shape = (1, 512, area.bottom, area.right)
        features = None
        if np.prod(shape) * weight.element_size() <= KEEP_BYTES:
            features = torch.empty(shape, dtype=weight.dtype, device=weight.device, memory_format=torch.channels_last)
        return Content(pixels, self._moments(pixels, None, features), features)

    @torch.inference_mode()
    def _moments(self, pixels: Pixels, colours: Tensor | None, features: Tensor | None = None) -> Moments:
        """Encode all tiles, into `features` if given; statistics as `mean_std` has them, each cell by its opacity."""
        area = whole(pixels.rgb)
        opacity = torch.ones(area.bottom, area.right, dtype=torch.float64)
        if pixels.opacity is not None:
            cells = np.array(Image.fromarray(pixels.opacity).reduce(CELL))  # of the last ones, what the picture has
            opacity = torch.from_numpy(cells).double() if cells.any() else opacity
        sums = torch.zeros(2, 512, dtype=torch.float64)  # on the CPU: not every GPU knows float64
        for box in self.progress(list(split(area, self.tile))):
            tile = encode(self.encoder, pixels.rgb, box, colours)
            rows, columns = box.slices()
            if features is not None:
                features[..., rows, columns] = tile
            values, shares = tile[0].flatten(1).cpu().double(), opacity[rows, columns].flatten()
            sums += torch.stack([values @ shares, values.square() @ shares])
        mean, square = (sums / opacity.sum())[:, None, :, None, None]
        variance = (square - mean**2).clamp(min=0) * opacity.numel() / (opacity.numel() - 1)
        seen = second_moment(pixels.visible(), colours)
        return Moments(mean.float(), (variance + EPS).sqrt().float(), seen)

    @torch.inference_mode()
    def paint(
        self, content: Content, styles: Sequence[Moments], weights: Sequence[float] | None = None, alpha: float = 1.0
    ) -> Image.Image:
        """Decode an encoded content in the given styles; the arguments are those of `stylize`.

        What comes out has no colours that the styles do not have at all (see `palette_projection`).
        """
        scale, shift = blend(content.statistics, styles, weights, alpha)
        parts = zip(shares(weights, styles), styles)
        palette = palette_projection(torch.stack([share * style.colours for share, style in parts]).sum(0))
        rgb, opacity = content.pixels.rgb, content.pixels.opacity
        area, painted = whole(rgb), np.empty_like(rgb)
        for box in self.progress(list(split(area, self.tile))):
            around = box.grown(area)
            rows, columns = around.slices()
            known = content.features
            features = encode(self.encoder, rgb, around) if known is None else known[..., rows, columns]
            styled = torch.addcmul(shift.to(features.device), features.float(), scale.to(features.device))
            target = painted[box.slices(side=CELL)]  # ends at the picture's edge, in the last cells
            target[:] = decode(self.decoder, styled, around, box)[: target.shape[0], : target.shape[1]]
            if palette is not None:
                kept = target @ (alpha * palette + (1 - alpha) * torch.eye(3, dtype=torch.float64)).numpy()
                target[:] = kept.clip(0, 255).round()
        picture = Image.fromarray(painted)
        if opacity is not None:
            picture.putalpha(Image.fromarray(opacity))
        return picture


def blend(
    content: Moments, styles: Sequence[Moments], weights: Sequence[float] | None = None, alpha: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Return scale and shift (1, 512, 1, 1) with which content features f become t = f * scale + shift.

    AdaIN towards each style, their weighted mean (paper, eq. 15) and the mixture by alpha (eq. 14) are all linear in f,
    so they are one map. UserError for an alpha outside [0, 1], and for weights that do not fit.
    """
    check(alpha, weights, len(styles))
    scale, shift = torch.zeros_like(content.std), torch.zeros_like(content.mean)
    for share, style in zip(shares(weights, styles), styles):
        ratio = style.std / content.std
        scale += share * ratio
        shift += share * (style.mean - content.mean * ratio)
    return alpha * scale + (1 - alpha), alpha * shift


def shares(weights: Sequence[float] | None, styles: Sequence[Moments]) -> list[float]:
    """The part of each style in a blend: `weights` made to add up to 1, equal ones if None."""
    return [weight / sum(weights) for weight in weights] if weights else [1 / len(styles)] * len(styles)


def check(alpha: float, weights: Sequence[float] | None, styles: int) -> None:
    """Raise UserError for an alpha outside [0, 1], and for weights that do not fit so many styles."""
    if not 0 <= alpha <= 1:
        raise UserError(f"alpha = {alpha:g}: must lie between 0 and 1")
    if styles < 1:
        raise UserError("no style was given; give at least one")
    if weights is None:
        return
    if len(weights) != styles:
        raise UserError(f"{len(weights)} style weights for {styles} styles; give one for each")
    if not (all(0 <= weight < float("inf") for weight in weights) and sum(weights) > 0):
        raise UserError(f"style weights {', '.join(map(str, weights))}: must be 0 or more, and not all 0")
