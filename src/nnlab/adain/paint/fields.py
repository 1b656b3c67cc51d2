"""Scalar and direction fields that all manners share: noise, flow, brush texture, relief, paper, canvas.

Pictures are float32 arrays (H, W, 3) in [0, 1]; fields are (H, W). Lengths are in pixels.
"""

import numpy as np
from numpy.random import Generator
from scipy import ndimage
from scipy.special import expit

from nnlab.adain.paint.colour import Array

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def luma(rgb: Array) -> Array:
    """Brightness (H, W) in [0, 1]."""
    return rgb @ LUMA


def sigmoid(x: Array) -> Array:
    """Soft step from 0 to 1 around x = 0."""
    return expit(x)


def blur(field: Array, sigma: float) -> Array:
    """Gaussian blur over height and width, reflecting at the border."""
    sigmas = (sigma, sigma, 0) if field.ndim == 3 else sigma
    return ndimage.gaussian_filter(field, sigmas, mode="reflect")


def noise(shape: tuple[int, int], wavelength: float, rng: Generator, octaves: int = 1) -> Array:
    """Smooth noise with zero mean and unit deviation; each octave halves wavelength and amplitude."""
    total = np.zeros(shape, dtype=np.float32)
    for octave in range(octaves):
        cell = max(wavelength / 2**octave, 1.0)
        coarse = rng.normal(size=(int(shape[0] / cell) + 5, int(shape[1] / cell) + 5)).astype(np.float32)
        y = np.arange(shape[0], dtype=np.float32) / cell + rng.uniform(0, 1)
        x = np.arange(shape[1], dtype=np.float32) / cell + rng.uniform(0, 1)
        total += _bicubic(coarse, y, x) * 0.5**octave
    return (total - total.mean()) / max(float(total.std()), 1e-6)


def _bicubic(coarse: Array, y: Array, x: Array) -> Array:
    """Separable Catmull-Rom interpolation of a grid at rows y and columns x (from 0 on; the grid has a margin of 4)."""

    def along(grid: Array, at: Array) -> Array:
        cell = at.astype(np.intp)
        t = (at - cell)[:, None]
        p0, p1, p2, p3 = (grid[cell + shift] for shift in range(4))
        return p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))

    return along(along(coarse, y).T, x).T


def flow(rgb: Array, sigma: float) -> Array:
    """Direction (H, W) in radians along which brightness changes least: the smoothed structure tensor's minor axis."""
    bright = blur(luma(rgb), 1.0)
    gy, gx = ndimage.sobel(bright, axis=0), ndimage.sobel(bright, axis=1)
    xx, yy, xy = (blur(product, sigma) for product in (gx * gx, gy * gy, gx * gy))
    return 0.5 * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)


def swirl(shape: tuple[int, int], wavelength: float, rng: Generator) -> Array:
    """Direction (H, W) of eddies: the contour lines of smooth noise."""
    height = noise(shape, wavelength, rng)
    gy, gx = np.gradient(height)
    return np.arctan2(gx, -gy).astype(np.float32)


def mix_directions(first: Array, second: Array, weight: Array | float) -> Array:
    """Blend two fields of directions (period pi); `weight` 0 gives the first, 1 the second."""
    x = (1 - weight) * np.cos(2 * first) + weight * np.cos(2 * second)
    y = (1 - weight) * np.sin(2 * first) + weight * np.sin(2 * second)
    return (0.5 * np.arctan2(y, x)).astype(np.float32)


def brush_texture(direction: Array, length: int, rng: Generator, grain: float = 0.8) -> Array:
    """White noise smeared along `direction` (line integral convolution, Cabral & Leedom 1993); unit deviation."""
    shape = direction.shape
    source = blur(rng.normal(size=shape).astype(np.float32), grain)
    dx, dy = np.cos(direction), np.sin(direction)
    total = source.copy()
    for sign in (1, -1):
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        u, v = sign * dx, sign * dy
        for _ in range(length // 2):
            x, y = np.clip(x + u, 0, shape[1] - 1), np.clip(y + v, 0, shape[0] - 1)
            row, column = (y + 0.5).astype(np.intp), (x + 0.5).astype(np.intp)
            total += source[row, column]
            nu, nv = dx[row, column], dy[row, column]
            along = np.sign(nu * u + nv * v)  # directions have no head: go on forwards
            along[along == 0] = 1
            u, v = nu * along, nv * along
    return (total - total.mean()) / max(float(total.std()), 1e-6)


def relief(rgb: Array, height: Array, strength: float, angle: float = 2.4) -> Array:
    """Light the paint's surface `height` from the direction `angle`; `strength` is about the change of brightness."""
    gy, gx = np.gradient(height)
    shade = gx * np.cos(angle) + gy * np.sin(angle)
    shade = np.tanh(shade / max(2 * float(shade.std()), 1e-6)) * strength
    return np.clip(rgb * (1 + shade[..., None]) + np.maximum(shade, 0)[..., None] * 0.15, 0, 1)


def canvas(shape: tuple[int, int], rng: Generator, pitch: float = 2.6) -> Array:
    """Woven threads, about -1 to 1."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    wobble = noise(shape, 30, rng) * 0.6
    warp = np.sin(2 * np.pi * (x + wobble) / pitch)
    weft = np.sin(2 * np.pi * (y + wobble) / pitch)
    over = np.sin(np.pi * (x + y) / pitch) > 0
    return np.where(over, warp, weft).astype(np.float32) * 0.6 + noise(shape, 2, rng) * 0.4


def paper(shape: tuple[int, int], rng: Generator, tooth: float = 2.0) -> Array:
    """Grain of rough paper, zero mean and unit deviation."""
    return noise(shape, 4 * tooth, rng, octaves=3)


def warp(picture: Array, dy: Array, dx: Array) -> Array:
    """Sample a picture or field at positions moved by (dy, dx) pixels, reflecting at the border."""
    shape = picture.shape[:2]
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    where = [y + dy, x + dx]
    if picture.ndim == 2:
        return ndimage.map_coordinates(picture, where, order=1, mode="reflect")
    channels = [ndimage.map_coordinates(picture[..., c], where, order=1, mode="reflect") for c in range(3)]
    return np.stack(channels, axis=-1)
