"""IDX files (MNIST, Fashion-MNIST) -> tensors."""

from pathlib import Path

import torch
from torch import Tensor
from torchvision.datasets.mnist import read_image_file, read_label_file

SPLITS = {"train": "train", "test": "t10k"}


def load_split(folder: Path, split: str) -> tuple[Tensor, Tensor]:
    """Return images (N, 28, 28) uint8 and labels (N,) int64 of "train" (60,000) or "test" (10,000).

    The files are uncompressed; they were verified when they were fetched, and DVC knows when they change.
    """
    start = Path(folder) / SPLITS[split]
    return read_image_file(f"{start}-images-idx3-ubyte"), read_label_file(f"{start}-labels-idx1-ubyte")


def unit(images: Tensor) -> Tensor:
    """Images (N, ...) uint8 in 0..255 -> (N, ...) float32 in [0, 1]."""
    return images.to(torch.float32, copy=True).div_(255.0)
