"""Colours and tones of real paintings, as numbers, and the transport of a picture's colours onto them.

`palettes.npz` holds statistics of paintings that benchmarks/palettes.py measured. No picture can be rebuilt from them.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.floating]  # float32 wherever it is large

BAND_SIGMAS = (0.7, 1.4, 2.8, 5.6, 11.2)  # pixels, in a picture whose shorter side has 256
KNOTS = np.linspace(0.0, 1.0, 33)
GRID = 17  # corners per axis of the colour cube in which a transport is tabulated
SAMPLED = 4096  # pixels from which a transport is estimated


@dataclass(frozen=True)
class Palette:
    """Statistics of one painting. Colours are CIE Lab (D65).

    colours (16, 3) and weights (16,): k-means clusters and their shares; spreads (16,): standard deviation within each;
    bands (2, 5): standard deviation of lightness and of chroma in the differences of Gaussians of `BAND_SIGMAS`.
    """

    colours: Array
    weights: Array
    spreads: Array
    bands: Array

    def sample(self, count: int, rng: Generator) -> Array:
        """Draw `count` colours (count, 3) from the mixture."""
        chosen = rng.choice(len(self.weights), size=count, p=self.weights)
        noise = rng.normal(size=(count, 3)) * self.spreads[chosen, None]
        return (self.colours[chosen] + noise).astype(np.float32)

    def sample_rgb(self, rng: Generator) -> Array:
        """One of the colours as RGB (3,), likelier the more of the painting it covers."""
        return to_rgb(self.colours[rng.choice(len(self.weights), p=self.weights)][None, None])[0, 0]

    def darkest(self) -> Array:
        """The darkest colour as RGB (3,)."""
        return to_rgb(self.colours[self.colours[:, 0].argmin()][None, None])[0, 0]

    def lightest(self) -> Array:
        """The lightest colour as RGB (3,)."""
        return to_rgb(self.colours[self.colours[:, 0].argmax()][None, None])[0, 0]


@cache
def palettes() -> list[Palette]:
    """All palettes that come with the package."""
    with files("nnlab.adain.paint").joinpath("palettes.npz").open("rb") as file, np.load(file) as stored:
        arrays = {name: stored[name].astype(np.float64) for name in stored.files}
    weights = arrays["weights"] / arrays["weights"].sum(axis=1, keepdims=True)
    found = zip(arrays["colours"], weights, arrays["spreads"], arrays["bands"])
    return [Palette(*(item.astype(np.float32 if i != 1 else np.float64) for i, item in enumerate(p))) for p in found]


_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_WHITE = np.array([0.95047, 1.0, 1.08883])
_TO_XYZ_WHITE = (_TO_XYZ / _WHITE[:, None]).T.astype(np.float32)
_TO_LINEAR = np.linalg.inv(_TO_XYZ / _WHITE[:, None]).T.astype(np.float32)
_TO_LAB = np.array([[0, 500, 0], [116, -500, 200], [0, 0, -200]], dtype=np.float32)
_FROM_LAB = np.linalg.inv(_TO_LAB).astype(np.float32)


def to_lab(rgb: Array) -> Array:
    """sRGB (..., 3) in [0, 1] -> CIE Lab (..., 3), D65; in float32, several times as fast as scikit-image's."""
    linear = np.where(
        rgb > 0.04045, ((rgb + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4), rgb / np.float32(12.92)
    )
    xyz = linear.astype(np.float32) @ _TO_XYZ_WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), np.float32(7.787) * xyz + np.float32(16 / 116))
    lab = f @ _TO_LAB
    lab[..., 0] -= 16
    return lab


def to_rgb(lab: Array) -> Array:
    """CIE Lab (..., 3) -> sRGB (..., 3), clipped to [0, 1]."""
    f = (lab + np.array([16, 0, 0], dtype=np.float32)) @ _FROM_LAB
    xyz = np.where(f > 0.2068966, f**3, (f - np.float32(16 / 116)) / np.float32(7.787))
    linear = np.clip(xyz @ _TO_LINEAR, 0, 1)
    return np.where(
        linear > 0.0031308,
        np.float32(1.055) * linear ** np.float32(1 / 2.4) - np.float32(0.055),
        linear * np.float32(12.92),
    )


def recolour(rgb: Array, palette: Palette, rng: Generator, iterations: int = 12, strength: float = 1.0) -> Array:
    """Move the colours of `rgb` (H, W, 3) onto the palette's distribution; `strength` 0 leaves, 1 moves them fully.

    Sliced optimal transport (Pitié, Kokaram & Dahyot 2007, iterative distribution transfer): along the axes of random
    rotations, the quantiles of the pixels move to those of colours drawn from the palette. The map is found for some of
    the pixels and for a grid of all colours, between whose corners the other pixels are interpolated.
    """
    axis = np.linspace(0, 1, GRID, dtype=np.float32)
    cube = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    pixels = rgb.reshape(-1, 3)[:: max(1, rgb.size // 3 // SAMPLED)]
    moved = _transport(
        to_lab(np.concatenate([pixels, cube])), len(pixels), palette.sample(SAMPLED, rng), iterations, rng
    )
    before = to_lab(cube)
    table = to_rgb(before + strength * (moved[len(pixels) :] - before)).reshape(GRID, GRID, GRID, 3)
    where = np.moveaxis(rgb, -1, 0) * (GRID - 1)
    return np.stack([ndimage.map_coordinates(table[..., c], where, order=1, mode="nearest") for c in range(3)], axis=-1)


def _transport(lab: Array, count: int, target: Array, iterations: int, rng: Generator) -> Array:
    """Move colours (N, 3) as it takes to turn the first `count` of them into `target` (M, 3)."""
    for step in range(iterations):
        # The first step keeps the axes: light stays light, so that the picture stays readable.
        rotation = np.eye(3) if step == 0 else np.linalg.qr(rng.normal(size=(3, 3)))[0]
        along, wanted = lab @ rotation.astype(np.float32), target @ rotation.astype(np.float32)
        for axis in range(3):
            have = np.quantile(along[:count, axis], KNOTS)
            have += np.arange(len(KNOTS)) * 1e-4  # strictly increasing, or np.interp would jump at flat places
            along[:, axis] = np.interp(along[:, axis], have, np.quantile(wanted[:, axis], KNOTS))
        lab = along @ rotation.T.astype(np.float32)
    return lab


def colourise(rgb: Array, rng: Generator, field: Array) -> Array:
    """Give slowly varying hues to a picture that is nearly grey, so that a palette has something to hold on to.

    `field` (H, W, 2) are two smooth noises with unit deviation.
    """
    lab = to_lab(rgb)
    chroma = float(np.hypot(lab[..., 1], lab[..., 2]).mean())
    lab[..., 1:] += field * max(0.0, 14.0 - chroma) * rng.uniform(0.6, 1.2)
    return to_rgb(lab)


def bands(lab: Array, scale: float = 1.0) -> list[Array]:
    """Differences of Gaussians of a Lab picture, fine to coarse, then the rest: their sum is the picture."""
    levels, before = [lab], 0.0
    for sigma in BAND_SIGMAS:
        further = scale * (sigma**2 - before**2) ** 0.5  # blurring what is blurred needs a smaller kernel
        levels.append(ndimage.gaussian_filter(levels[-1], (further, further, 0), mode="reflect", truncate=3.0))
        before = sigma
    return [fine - coarse for fine, coarse in pairwise(levels)] + [levels[-1]]


def band_energy(parts: list[Array]) -> Array:
    """Standard deviations (2, 5) of lightness and of chroma per band."""
    light = [part[..., 0].std() for part in parts[:-1]]
    chroma = [np.sqrt((part[..., 1:].std(axis=(0, 1)) ** 2).mean()) for part in parts[:-1]]
    return np.array([light, chroma], dtype=np.float32)


def match_bands(rgb: Array, palette: Palette, strength: float, limit: float = 2.0) -> Array:
    """Bring the contrast of each spatial band towards the painting's (Heeger & Bergen 1995, without orientations).

    `strength` is the exponent of the gain (0 none, 1 full); gains stay within 1/limit .. limit.
    """
    parts = bands(to_lab(rgb), min(rgb.shape[:2]) / 256)
    gain = (palette.bands / np.maximum(band_energy(parts), 0.05)) ** strength
    gain = np.clip(gain, 1 / limit, limit)
    lab = parts[-1].copy()
    for index, part in enumerate(parts[:-1]):
        lab += part * np.array([gain[0, index], gain[1, index], gain[1, index]], dtype=np.float32)
    return to_rgb(lab)
