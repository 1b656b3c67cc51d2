"""The pixels of a picture, their opacity, and colour preservation.

To preserve colours, the style picture gets the content's before its statistics are taken (CORAL): means, deviations and
correlations of R, G and B are matched by one linear map of the colours (Sun et al. 2016, arXiv:1511.05547; used so by
pytorch-AdaIN's `--preserve_color`; Gatys et al. 2016, arXiv:1606.05897, section 3.1).
"""

from math import isqrt
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageStat
from torch import Tensor

CELL = 8  # pixels a side that one position of relu4_1 stands for: three poolings by two
MOST_PIXELS = 4_000_000  # of a larger picture, every second, third ... row and column tells the colours
FAINT = 1e-4  # of the strongest direction's energy: below it, a style does not have a direction of colour (1 % in RGB)


class Pixels(NamedTuple):
    """A picture for the network: continued by reflection to whole cells (see `CELL`), all sides at least 9.

    What is added, a cell more than is needed, lies on both sides alike: at its own border, where it reflects features,
    the network draws less well. A side of whole cells stays as it is, so that the result is pytorch-AdaIN's.
    """

    rgb: np.ndarray  # (8h, 8w, 3) in 0-255; what is transparent has the mean colour of what is not
    opacity: Tensor  # (h, w) float64 in 0-255, of each cell; a picture that is nowhere opaque counts as if it were
    colours: np.ndarray  # (N, 3) in 0-255: pixels of what is to be seen, of a large picture a part of them

    def in_colours_of(self, other: "Pixels") -> "Pixels":
        """The picture with the mean, deviations and correlations of another one's colours.

        Equal to pytorch-AdaIN's `coral` for pictures with the same number of pixels; that one forgets to divide by the
        number, so that a larger target exaggerates the contrast by the root of the ratio.
        """
        (mean, root), (other_mean, other_root) = _moments(self.colours), _moments(other.colours)
        parts = (other_root @ np.linalg.inv(root)).T, mean, other_mean
        matrix, before, after = (part.astype(np.float32) for part in parts)
        # around the mean: a style of nearly one colour has a huge matrix, and large sums would cancel
        rgb, colours = ((pixels - before) @ matrix + after for pixels in (self.rgb, self.colours))
        return Pixels(rgb, self.opacity, colours)


def to_pixels(picture: Image.Image) -> Pixels:
    """The pixels of an RGB or RGBA picture."""
    layer: np.ndarray = np.full((picture.height, picture.width), 255, np.uint8)
    if picture.mode == "RGBA":
        if (opacity := picture.getchannel("A")).getbbox():
            layer = np.asarray(opacity)
            mean = ImageStat.Stat(picture.convert("RGB"), opacity).mean
            ground = Image.new("RGBA", picture.size, tuple(round(level) for level in mean))
            picture = Image.alpha_composite(ground, picture)
        picture = picture.convert("RGB")
    rgb, step = np.asarray(picture), isqrt(layer.size // MOST_PIXELS) + 1
    seen = layer[::step, ::step] > 0
    colours = rgb[::step, ::step][seen] if seen.sum() > 1 else rgb[layer > 0].repeat(2, axis=0)  # two have a covariance
    added = [-side % CELL + CELL if side % CELL else 0 for side in layer.shape]
    border = [(pixels // 2, pixels - pixels // 2) for pixels in added]
    rgb, layer = np.pad(rgb, (*border, (0, 0)), mode="symmetric"), np.pad(layer, border, mode="symmetric")
    cells = layer.reshape(layer.shape[0] // CELL, CELL, -1, CELL).mean((1, 3))
    return Pixels(rgb, torch.from_numpy(cells), colours)


def _moments(colours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (3,) of RGB (N, 3), and deviations times the root of the correlations (3, 3), with the reference's ridge."""
    covariance = np.cov(colours.T)
    std = np.sqrt(covariance.diagonal().clip(6.5e-4))  # a flat colour has no deviation to divide by
    values, vectors = np.linalg.eigh(covariance / np.outer(std, std) + np.eye(3) / (len(colours) - 1))
    return colours.mean(0), std[:, None] * (vectors * np.sqrt(values.clip(0)) @ vectors.T)


def palette_projection(moment: np.ndarray) -> np.ndarray | None:
    """Return the projection (3, 3) onto the colours that a style has by their second moment; None where it has all.

    A grey style has the line of greys alone, and so has a black one; a style of one colour the line from black through
    it. Features cannot tell them apart reliably: where a style has no deviation, AdaIN leaves a constant map, and the
    decoder has to guess.
    """
    values, vectors = np.linalg.eigh(moment if moment.any() else np.ones((3, 3)))
    kept = vectors[:, values > FAINT * values[-1]]
    return None if kept.shape[1] == 3 else kept @ kept.T
