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

from nnlab.adain.model import MIN_SIDE
from nnlab.errors import UserError

MOST_PIXELS = 4_000_000  # of a larger picture, every second, third ... pixel tells the colours
FAINT = 1e-4  # of the strongest direction's energy: below it, a style does not have a direction of colour (1 % in RGB)


class Pixels(NamedTuple):
    """What a picture shows: RGB (H, W, 3) uint8, opacity (H, W) uint8 or None if it has no transparency."""

    rgb: np.ndarray
    opacity: np.ndarray | None = None

    def visible(self) -> np.ndarray:
        """The colours (N, 3) of the pixels that are not wholly transparent, or of all if none is to be seen."""
        if self.opacity is None or not self.opacity.any():
            return self.rgb.reshape(-1, 3)
        return self.rgb[self.opacity > 0]


def check_size(picture: Image.Image) -> None:
    """UserError for a picture that is too small for the encoder."""
    if min(picture.size) < MIN_SIDE:
        raise UserError(f"{picture.width}x{picture.height} pixels; at least {MIN_SIDE} a side are needed")


def to_pixels(picture: Image.Image) -> Pixels:
    """The pixels of a picture, which `check_size` checks; what is transparent takes the mean colour of what is not."""
    check_size(picture)
    if not picture.has_transparency_data:
        return Pixels(np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB")))
    picture = picture.convert("RGBA")
    opacity = picture.getchannel("A")
    mean = ImageStat.Stat(picture.convert("RGB"), opacity).mean if opacity.getextrema()[1] else (255, 255, 255)
    ground = Image.new("RGBA", picture.size, (round(mean[0]), round(mean[1]), round(mean[2])))
    return Pixels(np.asarray(Image.alpha_composite(ground, picture).convert("RGB")), np.asarray(opacity))


def over_white(picture: Image.Image) -> Image.Image:
    """The picture as RGB, white where it is transparent."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def coral_map(source: np.ndarray, target: np.ndarray) -> Tensor:
    """Return (3, 4) float64: the matrix and offset that give colours `source` the moments of `target`.

    Both are RGB uint8 (N, 3). Equal to pytorch-AdaIN's `coral` for pictures with the same number of pixels; that one
    forgets to divide by the number, so that a larger target exaggerates the contrast by the root of the ratio.
    """
    source_mean, source_std, source_corr = _moments(source)
    target_mean, target_std, target_corr = _moments(target)
    whiten = torch.linalg.inv(_root(source_corr)) / source_std
    matrix = target_std[:, None] * (_root(target_corr) @ whiten)
    return torch.cat([matrix, (target_mean - matrix @ source_mean)[:, None]], dim=1)


def second_moment(colours: np.ndarray, mapped: Tensor | None = None) -> Tensor:
    """Mean of c c^T over colours c, RGB uint8 (N, 3) taken as [0, 1] and by the map of `coral_map`: (3, 3) float64."""
    sample = torch.from_numpy(colours[:: 1 + len(colours) // MOST_PIXELS] / 255)
    if mapped is not None:
        sample = sample @ mapped[:, :3].T + mapped[:, 3]
    return sample.T @ sample / len(sample)


def palette_projection(moment: Tensor) -> Tensor | None:
    """Return the projection (3, 3) onto the colours that a style has by its `second_moment`; None where it has all.

    A grey style has the line of greys alone, a style of one colour the line from black through it. Features cannot tell
    them apart reliably: where a style has no deviation, AdaIN leaves a constant map, and the decoder has to guess.
    """
    values, vectors = torch.linalg.eigh(moment)
    kept = vectors[:, values > FAINT * values[-1]]
    return None if kept.shape[1] in (0, 3) else kept @ kept.T


def _moments(colours: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (3,), deviation (3,) and correlation (3, 3) of RGB in [0, 1]; the regularisation is the reference's."""
    sample = torch.from_numpy(colours[:: 1 + len(colours) // MOST_PIXELS] / 255)
    covariance = torch.cov(sample.T)
    std = covariance.diagonal().clamp(min=1e-8).sqrt()  # a flat colour has no deviation to divide by
    correlation = covariance / torch.outer(std, std) + torch.eye(3, dtype=torch.float64) / (len(sample) - 1)
    return sample.mean(0), std, correlation


def _root(matrix: Tensor) -> Tensor:
    """Square root of a symmetric positive matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T
