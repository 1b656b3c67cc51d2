"""The pixels of a picture, their opacity, and colour preservation.

To preserve colours, the style picture gets the content's before its statistics are taken (CORAL): means, deviations and
correlations of R, G and B are matched by one linear map of the colours (Sun et al. 2016, arXiv:1511.05547; used so by
pytorch-AdaIN's `--preserve_color`; Gatys et al. 2016, arXiv:1606.05897, section 3.1).
"""

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageStat
from torch import Tensor

from nnlab.adain.tiles import CELL

MOST_PIXELS = 4_000_000  # of a larger picture, every second, third ... pixel tells the colours
FAINT = 1e-4  # of the strongest direction's energy: below it, a style does not have a direction of colour (1 % in RGB)


class Pixels(NamedTuple):
    """A picture for the network: continued by reflection to whole cells of 8 x 8 pixels, all sides at least 9."""

    rgb: np.ndarray  # (8h, 8w, 3) in 0-255; what is transparent has the mean colour of what is not
    opacity: Tensor  # (h, w) float64 in 0-255, of each cell; a picture that is nowhere opaque counts as if it were
    colours: np.ndarray  # (N, 3) in 0-255: pixels of what is to be seen, of a large picture a part of them

    def in_colours_of(self, other: "Pixels") -> "Pixels":
        """The picture with the moments of another one's colours."""
        matrix, offset = (part.astype(np.float32) for part in coral_map(self.colours, other.colours))
        rgb, colours = (part @ matrix.T + offset for part in (self.rgb, self.colours))
        return Pixels(rgb, self.opacity, colours)


def to_pixels(picture: Image.Image) -> Pixels:
    """The pixels of an RGB or RGBA picture."""
    opacity = Image.new("L", picture.size, 255)
    if picture.mode == "RGBA":
        if picture.getchannel("A").getbbox():
            opacity = picture.getchannel("A")
            mean = ImageStat.Stat(picture.convert("RGB"), opacity).mean
            ground = Image.new("RGBA", picture.size, tuple(round(level) for level in mean))
            picture = Image.alpha_composite(ground, picture)
        picture = picture.convert("RGB")
    rgb, layer = np.asarray(picture), np.asarray(opacity)
    colours = rgb[layer > 0]
    border = (0, -picture.height % CELL), (0, -picture.width % CELL)
    rgb, layer = np.pad(rgb, (*border, (0, 0)), mode="symmetric"), np.pad(layer, border, mode="symmetric")
    cells = layer.reshape(layer.shape[0] // CELL, CELL, -1, CELL).mean((1, 3))
    return Pixels(rgb, torch.from_numpy(cells), colours[:: 1 + len(colours) // MOST_PIXELS].copy())


def coral_map(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return matrix (3, 3) and offset (3,) that give colours `source` the moments of `target`, all in 0-255.

    Both are RGB (N, 3). Equal to pytorch-AdaIN's `coral` for pictures with the same number of pixels; that one forgets
    to divide by the number, so that a larger target exaggerates the contrast by the root of the ratio.
    """
    (source_mean, source_root), (target_mean, target_root) = _moments(source), _moments(target)
    matrix = target_root @ np.linalg.inv(source_root)
    return matrix, 255 * (target_mean - matrix @ source_mean)


def _moments(colours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (3,) of RGB (N, 3), and deviations times the root of the correlations (3, 3), with the reference's ridge."""
    sample = colours / 255
    covariance = np.cov(sample.T)
    std = np.sqrt(covariance.diagonal().clip(1e-8))  # a flat colour has no deviation to divide by
    values, vectors = np.linalg.eigh(covariance / np.outer(std, std) + np.eye(3) / (len(sample) - 1))
    return sample.mean(0), std[:, None] * (vectors * np.sqrt(values.clip(0)) @ vectors.T)


def second_moment(colours: np.ndarray) -> np.ndarray:
    """Mean of c c^T over colours c, RGB (N, 3) in 0-255 taken as [0, 1]: (3, 3)."""
    return (colours / 255).T @ (colours / 255) / len(colours)


def palette_projection(moment: np.ndarray) -> np.ndarray | None:
    """Return the projection (3, 3) onto the colours that a style has by its `second_moment`; None where it has all.

    A grey style has the line of greys alone, a style of one colour the line from black through it. Features cannot tell
    them apart reliably: where a style has no deviation, AdaIN leaves a constant map, and the decoder has to guess.
    """
    values, vectors = np.linalg.eigh(moment)
    kept = vectors[:, values > FAINT * values[-1]]
    return None if kept.shape[1] in (0, 3) else kept @ kept.T
