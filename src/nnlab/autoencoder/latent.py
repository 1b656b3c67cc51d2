"""The plane of two-number codes: where the codes lie, and what the decoder draws there."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nnlab.autoencoder.model import Autoencoder
from nnlab.autoencoder.train import CHUNK

OUTLIERS = 0.005  # part of the codes left out at each end of each axis when the region is chosen
POINTS = 20  # of the grid, per axis
AXES = "figures and grid: asinh((code - median) / scale), uniform on asinh axes; knn_accuracy: codes as they are"


@dataclass(frozen=True)
class Plane:
    """Coordinates in which the codes are drawn: asinh((code - centre) / scale) on each axis.

    Free codes are dense in the middle and have long tails: drawn as they are, most digits are one blot. The map can be
    inverted and its axes do not mix, so that it adds nothing and hides nothing.
    """

    centre: np.ndarray  # (2,)
    scale: np.ndarray  # (2,), above 0

    def coordinates(self, codes: np.ndarray) -> np.ndarray:
        """Codes (..., 2) -> coordinates (..., 2)."""
        return np.arcsinh((codes - self.centre) / self.scale)

    def codes(self, coordinates: np.ndarray) -> np.ndarray:
        """Coordinates (..., 2) -> codes (..., 2)."""
        return self.centre + self.scale * np.sinh(coordinates)


def fit_plane(codes: np.ndarray) -> Plane:
    """Coordinates for codes (N, 2): about their median, in half median absolute deviations."""
    centre = np.median(codes, axis=0)
    deviation = np.median(np.abs(codes - centre), axis=0)
    return Plane(centre, np.maximum(deviation / 2, 1e-6))


def encode(model: Autoencoder, images: Tensor) -> np.ndarray:
    """Codes (N, 2) float64 of images (N, 784)."""
    model.eval()
    with torch.inference_mode():
        return torch.cat([model.encode(chunk) for chunk in images.split(CHUNK)]).double().numpy()


def grid_axes(coordinates: np.ndarray, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """x (left to right) and y (bottom to top) over the region that (N, 2) coordinates fill, evenly spaced in these.

    In codes, then, the grid is fine in the middle and coarse in the tails.
    """
    low, high = np.quantile(coordinates, [OUTLIERS, 1 - OUTLIERS], axis=0)
    return np.linspace(low[0], high[0], points), np.linspace(low[1], high[1], points)


def decode_grid(model: Autoencoder, plane: Plane, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Pictures (len(ys), len(xs), 28, 28) uint8 decoded at every grid point; row 0 is the highest y."""
    points = np.stack(np.meshgrid(xs, ys[::-1]), axis=-1).reshape(-1, 2)
    model.eval()
    with torch.inference_mode():
        pixels = model.decode(torch.from_numpy(plane.codes(points)).float()).sigmoid()
    return pixels.mul(255).round().byte().numpy().reshape(len(ys), len(xs), 28, 28)
