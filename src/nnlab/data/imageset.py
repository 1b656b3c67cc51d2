"""Stand-in until the room of image sets is rebuilt."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from nnlab.data.images import decode
from nnlab.data.shards import read_bytes, read_manifest
from nnlab.errors import UserError


class ImageSet:
    """Pictures of a packed set; decoded ones are kept while they fit into `cache_bytes`."""

    def __init__(self, folder: Path, cache_bytes: int = 0) -> None:
        self._folder, self._left = Path(folder), cache_bytes
        self._entries = read_manifest(self._folder)
        if not self._entries:
            raise UserError(f"{folder}: holds no pictures; delete it and run `dvc repro`")
        self._kept: dict[tuple[int, int], np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_kept": {}}

    def pixels(self, index: int, side: int = 0) -> np.ndarray:
        """Picture `index` as (H, W, 3) uint8, its shorter side `side` pixels (0: as stored); do not write into it."""
        found = self._kept.get((index, side))
        if found is None:
            entry = self._entries[index]
            image = decode(io.BytesIO(read_bytes(self._folder, entry)), side)
            if side:
                scale = side / min(entry.width, entry.height)
                size = (max(side, round(entry.width * scale)), max(side, round(entry.height * scale)))
                image = image.resize(size, Image.Resampling.LANCZOS)
            found = np.array(image)
            if found.nbytes <= self._left:
                self._left -= found.nbytes
                self._kept[index, side] = found
        return found
