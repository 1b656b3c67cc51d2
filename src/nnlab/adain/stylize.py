"""Stylise pictures of any size with any number of styles: the library behind the stages and `nnlab stylize`.

    stylizer = Stylizer(load_encoder(...), load_decoder(...))
    result = stylizer.stylize(content, [style])                     # Pillow pictures in, Pillow picture out

The output has exactly the size of the content. AdaIN needs the mean and deviation of the features of the *whole*
content, so a picture is read twice: once for the statistics, once to be decoded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nnlab.adain.colors import coral_map
from nnlab.adain.model import MIN_SIDE, Decoder, Encoder
from nnlab.adain.statistics import EPS
from nnlab.adain.tiles import REACH, TILE, Box, decode, encode, split, whole
from nnlab.errors import UserError

OnTile = Callable[[int, int], None]  # hears (tiles done, tiles in all) while a picture is encoded, then decoded
KEEP_BYTES = 512 << 20  # features of a content up to this size stay in memory; larger ones are computed again


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of relu4_1 over the positions of one picture: (1, 512, 1, 1) float32, on the CPU."""

    mean: Tensor
    std: Tensor


@dataclass(frozen=True)
class Content:
    """A content picture: pixels (H, W, 3) uint8, statistics, features (1, 512, h, w) unless they are too many."""

    pixels: np.ndarray
    statistics: Moments
    features: Tensor | None


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

    def stylize(
        self,
        content: Image.Image,
        styles: Sequence[Image.Image],
        weights: Sequence[float] | None = None,
        alpha: float = 1.0,
        preserve_color: bool = False,
        on_tile: OnTile = lambda done, total: None,
    ) -> Image.Image:
        """Draw `content` in a blend of `styles` with `weights` (equal if None; only their ratio counts).

        `alpha` from 0 (the content, rebuilt) to 1 (all style) mixes content and stylised features (paper, eq. 14).
        `preserve_color` gives each style the content's colours first.
        UserError for pictures under 9 pixels a side and for values out of range.
        """
        shown = self.content(content, on_tile)
        colours = shown.pixels if preserve_color else None
        return self.paint(shown, [self.statistics(style, colours) for style in styles], weights, alpha, on_tile)

    @torch.inference_mode()
    def statistics(self, style: Image.Image, colours_of: np.ndarray | None = None) -> Moments:
        """Encode a style picture; with `colours_of` (H, W, 3) uint8 it takes that picture's colours first."""
        pixels = _pixels(style, "style")
        colours = None if colours_of is None else coral_map(pixels, colours_of)
        running = _RunningMoments()
        for box in split(whole(pixels), self.tile):
            running.add(encode(self.encoder, pixels, box, colours))
        return running.moments()

    @torch.inference_mode()
    def content(self, picture: Image.Image, on_tile: OnTile = lambda done, total: None) -> Content:
        """Encode a content picture for any number of calls of `paint`."""
        pixels = _pixels(picture, "content")
        area, weight = whole(pixels), self.encoder.block1_conv1.weight
        shape = (1, 512, area.bottom, area.right)
        features = None
        if np.prod(shape) * weight.element_size() <= KEEP_BYTES:
            features = torch.empty(shape, dtype=weight.dtype, device=weight.device, memory_format=torch.channels_last)
        running, boxes = _RunningMoments(), list(split(area, self.tile))
        for done, box in enumerate(boxes, 1):
            tile = encode(self.encoder, pixels, box)
            running.add(tile)
            on_tile(done, 2 * len(boxes))
            if features is not None:
                features[:, :, box.top : box.bottom, box.left : box.right] = tile
        return Content(pixels, running.moments(), features)

    @torch.inference_mode()
    def paint(
        self,
        content: Content,
        styles: Sequence[Moments],
        weights: Sequence[float] | None = None,
        alpha: float = 1.0,
        on_tile: OnTile = lambda done, total: None,
    ) -> Image.Image:
        """Decode an encoded content in the given styles; the arguments are those of `stylize`."""
        scale, shift = blend(content.statistics, styles, weights, alpha)
        area, boxes = whole(content.pixels), list(split(whole(content.pixels), self.tile))
        painted = np.empty_like(content.pixels)
        for done, box in enumerate(boxes, 1):
            around = box.grown(REACH, area)
            features = self._features(content, around)
            styled = torch.addcmul(shift.to(features.device), features.float(), scale.to(features.device))
            tile = decode(self.decoder, styled, around, box)
            target = painted[box.pixels()]
            target[:] = tile[: target.shape[0], : target.shape[1]]
            on_tile(len(boxes) + done, 2 * len(boxes))
        return Image.fromarray(painted)

    def _features(self, content: Content, box: Box) -> Tensor:
        if content.features is None:
            return encode(self.encoder, content.pixels, box)
        return content.features[:, :, box.top : box.bottom, box.left : box.right]


def blend(
    content: Moments, styles: Sequence[Moments], weights: Sequence[float] | None = None, alpha: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Return scale and shift (1, 512, 1, 1) with which content features f become t = f * scale + shift.

    AdaIN towards each style, their weighted mean (paper, eq. 15) and the mixture by alpha (eq. 14) are all linear in f,
    so they are one map. UserError for an alpha outside [0, 1], and for weights that do not fit.
    """
    check(alpha, weights, len(styles))
    shares = [1 / len(styles)] * len(styles) if weights is None else [weight / sum(weights) for weight in weights]
    scale, shift = torch.zeros_like(content.std), torch.zeros_like(content.mean)
    for share, style in zip(shares, styles):
        ratio = style.std / content.std
        scale += share * ratio
        shift += share * (style.mean - content.mean * ratio)
    return alpha * scale + (1 - alpha), alpha * shift


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


class _RunningMoments:
    """Mean and variance over the positions of several tiles, merged in float64 (Chan et al. 1979)."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, features: Tensor) -> None:
        """Merge the positions of one tile (1, C, h, w)."""
        count = features.shape[2] * features.shape[3]
        variance, mean = torch.var_mean(features.float(), dim=(2, 3), keepdim=True, correction=0)
        mean, spread = mean.cpu().double(), variance.cpu().double() * count  # not every GPU knows float64
        if not self.count:
            self.count, self.mean, self.spread = count, mean, spread
            return
        total, apart = self.count + count, mean - self.mean
        self.spread = self.spread + spread + apart**2 * (self.count * count / total)
        self.mean = self.mean + apart * (count / total)
        self.count = total

    def moments(self) -> Moments:
        """The mean and the deviation as `statistics.mean_std` defines it: unbiased variance, EPS under the root."""
        variance = self.spread / (self.count - 1)
        return Moments(self.mean.float(), (variance + EPS).sqrt().float())


def _pixels(picture: Image.Image, role: str) -> np.ndarray:
    """RGB picture -> (H, W, 3) uint8; UserError if it is too small for the encoder."""
    if min(picture.size) < MIN_SIDE:
        wide, high = picture.size
        raise UserError(f"the {role} picture is {wide}x{high} pixels; at least {MIN_SIDE} a side are needed")
    return np.asarray(picture.convert("RGB"))
