"""Random access to a packed image set: `pool[i]` reads bytes at an offset, decodes them, and may keep the result."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PIL import Image

from nnlab.errors import UserError
from nnlab.images import decode
from nnlab.shards import read_bytes, read_manifest

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


class Pool:
    """Pictures of a folder that `nnlab.packing.pack` wrote, the shorter side resized to `resize` pixels (0: as stored).

    Decoded pictures are kept in memory until `cache_bytes` are used; a small set is then decoded once. The content of a
    picture never depends on what is kept. Usable from threads, and from worker processes (forked or pickled).
    """

    def __init__(self, path: Path, resize: int = 0, cache_bytes: int = 0) -> None:
        self._folder, self._resize, self._cache_bytes = Path(path), resize, cache_bytes
        self._entries = read_manifest(self._folder)
        if not self._entries:
            raise UserError(f"{path}: holds no pictures; delete it and run `dvc repro`")
        self._kept: dict[int, np.ndarray] = {}
        self._kept_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> "Tensor":
        """Picture `index` as (3, H, W) uint8, a view in channels-last order: do not write into it."""
        import torch

        return torch.from_numpy(self.pixels(index)).permute(2, 0, 1)

    def __getstate__(self) -> dict:
        """A pickled copy starts without decoded pictures."""
        return {**self.__dict__, "_kept": {}, "_kept_bytes": 0}

    @property
    def names(self) -> list[str]:
        """The original names, by index."""
        return [entry.name for entry in self._entries]

    @property
    def decoded_bytes(self) -> int:
        """Memory that all pictures need when they are decoded."""
        return sum(3 * height * width for height, width in map(self.shape, range(len(self))))

    @property
    def fits(self) -> bool:
        """Whether the cache can hold the whole set."""
        return self.decoded_bytes <= self._cache_bytes

    def shape(self, index: int) -> tuple[int, int]:
        """Height and width of picture `index`, without reading it."""
        entry = self._entries[index]
        scale = self._resize / min(entry.width, entry.height) if self._resize else 1.0
        return max(1, round(entry.height * scale)), max(1, round(entry.width * scale))

    def pixels(self, index: int) -> np.ndarray:
        """Picture `index` as (H, W, 3) uint8; do not write into it."""
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        pixels = self._decode(index)
        if self._kept_bytes + pixels.nbytes <= self._cache_bytes:
            self._kept_bytes += pixels.nbytes
            self._kept[index] = pixels
        return pixels

    def warm(self, threads: int = 0) -> None:
        """Decode what the cache can hold now, in parallel (0: a thread per core), instead of at first use."""
        room, indices = self._cache_bytes, []
        for index in range(len(self)):
            height, width = self.shape(index)
            room -= 3 * height * width
            if room < 0:
                break
            indices.append(index)
        with ThreadPoolExecutor(threads or os.cpu_count() or 1) as workers:
            for _ in workers.map(self.pixels, indices):
                pass

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
