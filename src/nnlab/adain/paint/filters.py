"""Filters that several manners use: edge-keeping smoothing, contours, regions."""

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from nnlab.adain.paint.colour import Array
from nnlab.adain.paint.fields import blur, luma


def kuwahara(rgb: Array, radius: int, sectors: int = 6) -> Array:
    """Smooth within areas, keep edges: the mean of the calmest of `sectors` neighbourhoods (Kuwahara et al. 1976).

    Generalised with Gaussian windows and soft choice (Papari et al. 2007): weights fall with the fourth power of the
    deviation.
    """
    mean = blur(rgb, radius * 0.5)
    variance = np.maximum(blur(rgb * rgb, radius * 0.5) - mean * mean, 0).sum(axis=2)
    total, weights = np.zeros_like(rgb), np.zeros(rgb.shape[:2], dtype=np.float32)
    for angle in 2 * np.pi * np.arange(sectors) / sectors:
        dy, dx = round(radius * np.sin(angle)), round(radius * np.cos(angle))
        weight = 1 / (1e-4 + _shifted(variance, dy, dx)) ** 2
        total += _shifted(mean, dy, dx) * weight[..., None]
        weights += weight
    return total / weights[..., None]


def _shifted(field: Array, dy: int, dx: int) -> Array:
    """The field moved by whole pixels; border values repeat."""
    rows = np.clip(np.arange(field.shape[0]) + dy, 0, field.shape[0] - 1)
    columns = np.clip(np.arange(field.shape[1]) + dx, 0, field.shape[1] - 1)
    return field[rows][:, columns]


def contours(rgb: Array, sigma: float, sharpness: float) -> Array:
    """Dark lines (H, W), 0 to 1, where brightness dips: difference of Gaussians (XDoG, Winnemöller et al. 2012)."""
    bright = luma(rgb)
    dip = blur(bright, sigma) - 0.98 * blur(bright, 1.6 * sigma)
    return np.clip(-np.tanh(sharpness * 4 * (dip - 0.005)), 0, 1)


def regions(shape: tuple[int, int], seeds: Array) -> tuple[np.ndarray, Array]:
    """Voronoi cells of the seeds (N, 2) of (y, x): the cell's number (H, W), and the distance (H, W) to its border."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    distance, nearest = cKDTree(seeds).query(np.stack([y.ravel(), x.ravel()], axis=1), k=2)
    border = ((distance[:, 1] - distance[:, 0]) / 2).astype(np.float32)
    return nearest[:, 0].reshape(shape), border.reshape(shape)


def region_means(rgb: Array, labels: np.ndarray) -> Array:
    """Mean colour (N, 3) of each region."""
    count = np.maximum(np.bincount(labels.ravel()), 1)
    sums = [np.bincount(labels.ravel(), weights=rgb[..., c].ravel()) for c in range(3)]
    return (np.stack(sums, axis=1) / count[:, None]).astype(np.float32)


def edge_strength(rgb: Array, sigma: float) -> Array:
    """Magnitude of the brightness gradient (H, W), 1 at strong edges."""
    magnitude = ndimage.gaussian_gradient_magnitude(luma(rgb), sigma, mode="reflect")
    return np.clip(magnitude / max(float(np.quantile(magnitude, 0.97)), 1e-4), 0, 1)
