"""Random access to a packed image set: `pool[i]` reads bytes at an offset, decodes them, and may keep the result."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PIL import Image

from nnlab.data.images import decode
from nnlab.data.shards import read_bytes, read_manifest
from nnlab.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


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
    """Pictures of a folder that `data.packing.pack` wrote, the shorter side resized to `resize` pixels (0: as stored).

    Decoded pictures are kept in memory if all of them fit into `cache_bytes`, so that a small set is decoded once; of a
    large one none is: a part would cost the memory and spare little work. The content of a picture never depends on
    what is kept. Usable from threads, and from worker processes (forked or pickled).
    """

    def __init__(self, path: Path, resize: int = 0, cache_bytes: int = 0) -> None:
        self._folder, self._resize = Path(path), resize
        self._entries = read_manifest(self._folder)
        if not self._entries:
            raise UserError(f"{path}: holds no pictures; delete it and run `dvc repro`")
        self._keeps = sum(3 * height * width for height, width in map(self.shape, range(len(self)))) <= cache_bytes
        self._kept: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> "Tensor":
        """Picture `index` as (3, H, W) uint8, a view in channels-last order: do not write into it."""
        import torch

        return torch.from_numpy(self.pixels(index)).permute(2, 0, 1)

    def __getstate__(self) -> dict:
        """A pickled copy starts without decoded pictures."""
        return {**self.__dict__, "_kept": {}}

    @property
    def names(self) -> list[str]:
        """The original names, by index."""
        return [entry.name for entry in self._entries]

    @property
    def fits(self) -> bool:
        """Whether all decoded pictures stay in memory."""
        return self._keeps

    def release(self) -> None:
        """Give the memory of decoded pictures back; from now on none is kept."""
        self._keeps = False
        self._kept.clear()

    def shape(self, index: int) -> tuple[int, int]:
        """Height and width of picture `index`, without reading it."""
        entry = self._entries[index]
        scale = self._resize / min(entry.width, entry.height) if self._resize else 1.0
        return max(1, round(entry.height * scale)), max(1, round(entry.width * scale))

    def pixels(self, index: int) -> np.ndarray:
        """Picture `index` as (H, W, 3) uint8; do not write into it."""
        pixels = self._kept.get(index)
        if pixels is None:
            pixels = self._decode(index)
            if self._keeps:
                self._kept[index] = pixels
        return pixels

    def _decode(self, index: int) -> np.ndarray:
        entry = self._entries[index]
        height, width = self.shape(index)
        try:
            image = decode(io.BytesIO(read_bytes(self._folder, entry)), min(height, width))
        except (OSError, SyntaxError, ValueError) as error:
            place = f"{self._folder / entry.shard} at byte {entry.offset}"
            raise UserError(f"{place}: damaged picture ({error}); delete {self._folder} and run `dvc repro`") from None
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.LANCZOS)
        return np.array(image)
