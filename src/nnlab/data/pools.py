"""For AdaIN's training, until it asks `ImageSet` itself: an image set at one size; goes with its last caller."""

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from nnlab.data.imageset import ImageSet


class Pictures(Protocol):
    """What the makers of batches need: a pool, or a part of one."""

    def __len__(self) -> int: ...

    def pixels(self, index: int) -> np.ndarray:
        """Picture `index` as (H, W, 3) uint8."""

    @property
    def names(self) -> list[str]:
        """The original names, by index."""

    @property
    def fits(self) -> bool:
        """Whether all decoded pictures stay in memory."""

    def release(self) -> None:
        """Give the memory of decoded pictures back; from now on none is kept."""


class Pool:
    """The pictures of an `ImageSet`, the shorter side resized to `resize` pixels (0: as stored)."""

    def __init__(self, path: Path, resize: int = 0, cache_bytes: int = 0) -> None:
        self._set, self._resize = ImageSet(path, cache_bytes), resize

    def __len__(self) -> int:
        return len(self._set)

    def __getitem__(self, index: int) -> Tensor:
        """Picture `index` as (3, H, W) uint8, a view in channels-last order: do not write into it."""
        return torch.from_numpy(self.pixels(index)).permute(2, 0, 1)

    def pixels(self, index: int) -> np.ndarray:
        """Picture `index` as (H, W, 3) uint8; do not write into it."""
        return self._set.pixels(index, self._resize)

    @property
    def names(self) -> list[str]:
        """The original names, by index."""
        return self._set.names

    @property
    def fits(self) -> bool:
        """Whether all decoded pictures stay in memory."""
        return self._set.fits(self._resize)

    def release(self) -> None:
        """Give the memory of decoded pictures back; from now on none is kept."""
        self._set = ImageSet(self._set.folder)
