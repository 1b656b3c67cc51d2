"""IDX files (MNIST, Fashion-MNIST) -> tensors. Not by torchvision, whose import takes as long as torch's own."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

SPLITS = {"train": "train", "test": "t10k"}


def load_split(folder: Path, split: str) -> tuple[Tensor, Tensor]:
    """Return images (N, 28, 28) uint8 and labels (N,) int64 of "train" (60,000) or "test" (10,000).

    The files are uncompressed; they were verified when they were fetched, and DVC knows when they change.
    """
    start = Path(folder) / SPLITS[split]
    return _bytes(Path(f"{start}-images-idx3-ubyte")), _bytes(Path(f"{start}-labels-idx1-ubyte")).long()


def _bytes(path: Path) -> Tensor:
    """A file of unsigned bytes: 0, 0, 8, number of dimensions, the dimensions as big-endian uint32, the values."""
    data = bytearray(path.read_bytes())
    dimensions = data[3]
    shape = np.frombuffer(data, ">u4", dimensions, offset=4)
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape))


def unit(images: Tensor) -> Tensor:
    """Images (N, ...) uint8 in 0..255 -> (N, ...) float32 in [0, 1]."""
    return images.to(torch.float32, copy=True).div_(255.0)
