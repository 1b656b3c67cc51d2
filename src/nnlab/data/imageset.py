"""An image set on disk: a few tar files of JPEG pictures and a manifest that says where in them each picture lies.

The shards follow the WebDataset convention (https://github.com/webdataset/webdataset): uncompressed tar, one sample per
key, so that `tar`, `webdataset` and any other reader of that format can use them. The manifest adds random access.
`data.packing` writes them.
"""

import csv
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nnlab.data.decoding import decode
from nnlab.data.images import resize_shorter
from nnlab.errors import UserError, made_anew

MANIFEST = "manifest.csv"


class Entry(NamedTuple):
    """One picture of a set: `size` bytes of JPEG at `offset` of the file `shard`, `width` x `height` pixels."""

    shard: str
    offset: int
    size: int
    width: int
    height: int
    name: str  # of the original picture


class ImageSet:
    """Random access to the pictures of a folder that `data.packing.pack` wrote.

    Decoded pictures are kept in memory for a `side` if all of the set fit into what is left of `cache_bytes` when that
    side is first asked for; else none is: a part would cost the memory and spare little work. The content of a picture
    never depends on what is kept. Usable from worker processes, forked or pickled (then without decoded pictures).
    """

    def __init__(self, folder: Path, cache_bytes: int = 0) -> None:
        self.folder, self._cache_bytes = Path(folder), cache_bytes
        self._entries = read_manifest(self.folder)
        self._sides: dict[int, int] = {}  # bytes set aside for each side; 0: not kept
        self._kept: dict[tuple[int, int], np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": {}}

    def fits(self, side: int = 0) -> bool:
        """Whether all pictures stay in memory at `side`."""
        if side not in self._sides:
            needed = 0
            for entry in self._entries:
                scale = side / min(entry.width, entry.height) if side else 1.0
                needed += 3 * round(scale * entry.width) * round(scale * entry.height)
            self._sides[side] = needed if needed + sum(self._sides.values()) <= self._cache_bytes else 0
        return self._sides[side] > 0

    def pixels(self, index: int, side: int = 0) -> np.ndarray:
        """Picture `index` as (H, W, 3) uint8, the shorter side resized to `side` pixels (0: as stored), by Lanczos.

        Do not write into it. Raises `UserError` if the shard is damaged.
        """
        pixels = self._kept.get((index, side))
        if pixels is None:
            pixels = self._decode(self._entries[index], side)
            if self.fits(side) and parent_process() is None:  # helpers would each keep pictures of their own
                self._kept[index, side] = pixels
        return pixels

    def _decode(self, entry: Entry, side: int) -> np.ndarray:
        """No file stays open, so that forked workers and threads cannot disturb each other."""
        shard = self.folder / entry.shard
        try:
            with shard.open("rb", buffering=0) as file:
                file.seek(entry.offset)
                return np.array(resize_shorter(decode(file.read(entry.size), side)[0], side))
        except OSError as error:
            raise UserError(f"{shard}: {error.strerror or error}") from None
        except UserError as error:
            raise UserError(f"{shard} at byte {entry.offset}: {error}; {made_anew(self.folder)}") from None


def read_manifest(folder: Path) -> list[Entry]:
    """The pictures of an image set, by index."""
    with (folder / MANIFEST).open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return [Entry._make([shard, *map(int, numbers), name]) for shard, *numbers, name in rows]
