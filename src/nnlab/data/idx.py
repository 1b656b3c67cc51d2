"""IDX files (MNIST, Fashion-MNIST) -> tensors."""

import struct
from pathlib import Path

import torch
from torch import Tensor

SPLITS = {"train": "train", "test": "t10k"}


def load_split(folder: Path, split: str) -> tuple[Tensor, Tensor]:
    """Return images (N, 28, 28) uint8 and labels (N,) int64 of "train" (60,000) or "test" (10,000).

    The files are uncompressed; they were verified when they were fetched, and DVC knows when they change.
    """
    start = Path(folder) / SPLITS[split]
    return _read(Path(f"{start}-images-idx3-ubyte")), _read(Path(f"{start}-labels-idx1-ubyte")).long()


def _read(path: Path) -> Tensor:
    """The bytes of an IDX file, in its shape. torchvision, which has this too, takes two seconds to import."""
    with path.open("rb") as file:
        *_, dimensions = file.read(4)
        shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
        return torch.frombuffer(bytearray(file.read()), dtype=torch.uint8).view(shape)


def unit(images: Tensor) -> Tensor:
    """Images (N, ...) uint8 in 0..255 -> (N, ...) float32 in [0, 1]."""
    return images.to(torch.float32, copy=True).div_(255.0)
