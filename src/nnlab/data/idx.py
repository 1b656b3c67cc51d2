"""IDX files (MNIST, Fashion-MNIST) -> tensors."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def load_split(folder: Path, split: str) -> tuple[Tensor, Tensor]:
    """Return images (N, 28, 28) uint8 and labels (N,) int64 of "train" (60,000) or "test" (10,000).

    The files are uncompressed; they were verified when they were fetched, and DVC knows when they change. torchvision,
    which reads them too, takes two seconds to import.
    """
    start = folder / {"train": "train", "test": "t10k"}[split]
    images = np.fromfile(f"{start}-images-idx3-ubyte", np.uint8, offset=16).reshape(-1, 28, 28)  # behind the header
    labels = np.fromfile(f"{start}-labels-idx1-ubyte", np.uint8, offset=8)
    return torch.from_numpy(images), torch.from_numpy(labels).long()


def unit(images: Tensor) -> Tensor:
    """Images (N, ...) uint8 in 0..255 -> (N, ...) float32 in [0, 1]."""
    return images.to(torch.float32, copy=True).div_(255.0)
