"""How near two pictures are, in numbers that a report can quote about results that the losses do not compare."""

from pathlib import Path

import numpy as np
from PIL import Image

from nnlab.report.inputs import read_picture

_SIDE = 128  # pixels; both pictures are reduced to the same small size before they are compared
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, 2.5.1


def _pixels(path: Path) -> np.ndarray:
    """A picture as (side, side, 3) float64 in [0, 1]."""
    small = read_picture(path).resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64) / 255


def same_shapes(first: Path, second: Path) -> float:
    """Pearson correlation of the two pictures' brightness, -1 to 1: 1 where light and dark lie at the same places."""
    a, b = (_pixels(path) @ np.array(_LUMA) for path in (first, second))
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / scale) if scale > 1e-12 else 0.0


def color_distance(first: Path, second: Path) -> float:
    """Distance between the pictures' colour statistics, 0 or more: 2-Wasserstein distance of the per-channel Gaussians.

    Root of the mean over R, G, B of (difference of means)^2 + (difference of deviations)^2, in units of the full scale.
    """
    a, b = (_pixels(path).reshape(-1, 3) for path in (first, second))
    gap = (a.mean(0) - b.mean(0)) ** 2 + (a.std(0) - b.std(0)) ** 2
    return float(np.sqrt(gap.mean()))
