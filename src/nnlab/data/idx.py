"""IDX files (MNIST, Fashion-MNIST) -> tensors, and the order in which training reads them."""

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nnlab.errors import UserError
from nnlab.training.seeds import generator

SPLITS = {"train": "train", "test": "t10k"}
_UINT8 = 8  # the IDX type code of unsigned bytes, the only one that both data sets use


def load_idx(path: Path) -> Tensor:
    """Read one uncompressed IDX file of unsigned bytes.

    Format: http://yann.lecun.com/exdb/mnist/ (two zero bytes, type code, number of dimensions, big-endian sizes, data).
    Raises `UserError` if the file is missing, of another type, or of another length than its header says.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: not found; run `dvc repro` to fetch it")
    data = np.fromfile(path, np.uint8)
    if len(data) < 4 or tuple(data[:3]) != (0, 0, _UINT8) or len(data) < 4 + 4 * int(data[3]):
        raise UserError(f"{path}: not an IDX file of unsigned bytes; delete it and run `dvc repro`")
    start = 4 + 4 * int(data[3])
    shape = tuple(int(size) for size in data[4:start].view(">u4"))
    expected, found = math.prod(shape), len(data) - start
    if found != expected:
        raise UserError(
            f"{path}: {found} bytes of data where its header says {expected}; delete it and run `dvc repro`"
        )
    return torch.from_numpy(data[start:].reshape(shape))


def load_split(folder: Path, split: str) -> tuple[Tensor, Tensor]:
    """Return images (N, 28, 28) uint8 and labels (N,) int64 of "train" (60,000) or "test" (10,000)."""
    prefix = SPLITS[split]
    images = load_idx(Path(folder) / f"{prefix}-images-idx3-ubyte")
    labels = load_idx(Path(folder) / f"{prefix}-labels-idx1-ubyte")
    if len(images) != len(labels):
        raise UserError(
            f"{folder}: {len(images)} {split} images but {len(labels)} labels; delete it and run `dvc repro`"
        )
    return images, labels.long()


def unit(images: Tensor) -> Tensor:
    """Images (N, ...) uint8 in 0..255 -> (N, ...) float32 in [0, 1]."""
    return images.to(torch.float32, copy=True).div_(255.0)


def epoch_batches(count: int, batch_size: int, seed: int, epoch: int) -> tuple[Tensor, ...]:
    """Indices (int64) of every batch of one epoch: a seeded permutation, cut; the last batch may be shorter."""
    return torch.randperm(count, generator=generator(seed, "epoch", epoch)).split(batch_size)
