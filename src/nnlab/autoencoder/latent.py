"""The plane of two-number codes: where the codes lie, and what the decoder draws there."""

import numpy as np
import torch
from torch import Tensor

from nnlab.autoencoder.model import Autoencoder
from nnlab.autoencoder.train import CHUNK

OUTLIERS = 0.01  # part of the codes left out at each end of each axis when the region is chosen
POINTS = 20  # of the grid, per axis


def encode(model: Autoencoder, images: Tensor) -> np.ndarray:
    """Codes (N, 2) float32 of images (N, 784)."""
    model.eval()
    with torch.inference_mode():
        return torch.cat([model.encode(chunk) for chunk in images.split(CHUNK)]).numpy()


def grid_axes(codes: np.ndarray, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Evenly spaced x (left to right) and y (bottom to top) over the region that the codes (N, 2) fill."""
    low, high = np.quantile(codes, [OUTLIERS, 1 - OUTLIERS], axis=0)
    return np.linspace(low[0], high[0], points), np.linspace(low[1], high[1], points)


def decode_grid(model: Autoencoder, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Pictures (len(ys), len(xs), 28, 28) uint8 decoded at every grid point; row 0 is the highest y."""
    plane = np.stack(np.meshgrid(xs, ys[::-1]), axis=-1).reshape(-1, 2)
    model.eval()
    with torch.inference_mode():
        pixels = model.decode(torch.from_numpy(plane).float()).sigmoid()
    return pixels.mul(255).round().byte().numpy().reshape(len(ys), len(xs), 28, 28)
