"""An image set on disk: a few tar files of JPEG pictures and a manifest that says where in them each picture lies.

The shards follow the WebDataset convention (https://github.com/webdataset/webdataset): uncompressed tar, one sample per
key, so that `tar`, `webdataset` and any other reader of that format can use them. The manifest adds random access.
"""

import csv
import hashlib
import io
import json
import os
import re
import tarfile
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from PIL import Image

from nnlab.data.containers import Picture
from nnlab.data.decoding import Unreadable, decode
from nnlab.data.images import flatten, resize_shorter
from nnlab.errors import UserError
from nnlab.files import atomic_dir
from nnlab.training.progress import Progress

MANIFEST = "manifest.csv"
LEFT_OUT = "left_out.csv"  # name and reason of every picture that is not in the set
SUMMARY = "summary.json"
PER_SHARD = 1024  # pictures: about 100 MB at 512 pixels
SMALLEST_SIDE = 64  # pixels; nothing can be learnt from a smaller picture
LONGEST = 8.0  # longer side over shorter side; resized, such a strip would be huge
_TAR_BLOCK = 512

In = TypeVar("In")
Out = TypeVar("Out")


class Entry(NamedTuple):
    """One picture of a set: `size` bytes of JPEG at `offset` of the file `shard`, `width` x `height` pixels."""

    shard: str
    offset: int
    size: int
    width: int
    height: int
    sha256: str  # of the JPEG
    name: str  # of the original picture


# ---- packing ----


def pack(
    pictures: Iterable[Picture],
    out: Path,
    short_side: int,
    *,
    quality: int = 92,
    least: int = 1,
    threads: int = 0,
    **about: Any,
) -> dict[str, Any]:
    """Write the usable pictures into the folder `out` and return the summary that lies there as summary.json.

    The shorter side becomes at most `short_side` pixels (smaller pictures stay as they are). Pictures that are damaged,
    tiny or extremely long are left out and listed, as are those whose JPEG equals an earlier one's. The result depends
    on the pictures and their order alone, not on `threads` (0: one per core; Pillow works outside Python's lock).
    Memory is bounded by two pictures per thread and a digest per picture. `about` is added to the summary. Fewer
    than `least` usable pictures are a `UserError`.
    """
    convert = partial(_convert, short_side=short_side, quality=quality)
    with atomic_dir(out) as folder, closing(_Writer(folder)) as writer, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's of damaged pictures: they are listed
        with Progress(0, "packing", "pictures") as bar:
            for picture in in_order(convert, pictures, threads or os.cpu_count() or 1):
                writer.add(picture)
                bar.update(1)
        kinds = dict(sorted(writer.left_out.items()))
        if writer.images < least:
            raise UserError(
                f"{out.name}: {writer.images} usable pictures, at least {least} are needed; "
                f"left out: {kinds or 'none'}{writer.first}"
            )
        about = {"images": writer.images, "left_out": kinds, "short_side": short_side, "quality": quality, **about}
        (folder / SUMMARY).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return about


def in_order(function: Callable[[In], Out], items: Iterable[In], threads: int) -> Iterator[Out]:
    """`map` over threads that keeps the order and never holds more than two items per thread."""
    waiting: deque = deque()
    with ThreadPoolExecutor(threads) as executor:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) >= 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _convert(picture: Picture, short_side: int, quality: int) -> Picture:
    """Decode a picture, check it, resize its shorter side to at most `short_side` pixels, encode it as JPEG."""
    if picture.problem:
        return picture
    try:
        image = flatten(decode(io.BytesIO(picture.data), short_side)[0])
    except Unreadable as reason:
        return Picture(picture.name, problem=str(reason))
    shorter, longer = sorted(image.size)
    if shorter < SMALLEST_SIDE:
        return Picture(picture.name, problem=f"too small: {image.width}x{image.height} pixels")
    if longer / shorter > LONGEST:
        return Picture(picture.name, problem=f"too long: {image.width}x{image.height} pixels")
    buffer = io.BytesIO()
    resize_shorter(image, min(short_side, shorter)).save(buffer, "JPEG", quality=quality)
    return Picture(picture.name, buffer.getvalue())


class _Writer:
    """The files of a set while it is packed; the same pictures give the same bytes on every machine."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._open = folder, ExitStack()
        self._manifest = self._table(MANIFEST, Entry._fields)
        self._others = self._table(LEFT_OUT, ("name", "reason"))
        self._shard = ExitStack()
        self._seen: set[bytes] = set()
        self.images, self.left_out, self.first = 0, Counter[str](), ""

    def _table(self, name: str, columns: Iterable[str]) -> Any:
        """A CSV file's writer; names that are not valid Unicode are escaped."""
        file = (self._folder / name).open("w", newline="", encoding="utf-8", errors="backslashreplace")
        writer = csv.writer(self._open.enter_context(file), lineterminator="\n")
        writer.writerow(columns)
        return writer

    def add(self, picture: Picture) -> None:
        """Append a JPEG, or list it as left out."""
        digest = hashlib.sha256(picture.data)
        problem = picture.problem
        if not problem and digest.digest() in self._seen:
            problem = "duplicate: same picture as an earlier one"
        if problem:
            self.left_out[re.split(r"[:(]", problem)[0].strip()] += 1
            self.first = self.first or f", first {picture.name}: {problem}"
            self._others.writerow((picture.name, problem))
            return
        self._seen.add(digest.digest())
        self._manifest.writerow((*self._append(picture.data), digest.hexdigest(), picture.name))
        self.images += 1

    def _append(self, jpeg: bytes) -> tuple[str, int, int, int, int]:
        """Shard, offset, size, width and height of a JPEG that is now in the tar file."""
        shard = f"shard-{self.images // PER_SHARD:05d}.tar"
        if self.images % PER_SHARD == 0:
            self._shard.close()
            self._file = self._shard.enter_context((self._folder / shard).open("wb"))
            self._tar = tarfile.TarFile(fileobj=self._file, mode="w", format=tarfile.USTAR_FORMAT)
            self._shard.enter_context(self._tar)
        header = tarfile.TarInfo(f"{self.images:08d}.jpg")
        header.size = len(jpeg)  # times and owners stay 0
        offset = self._file.tell() + _TAR_BLOCK
        self._tar.addfile(header, io.BytesIO(jpeg))
        with Image.open(io.BytesIO(jpeg)) as image:
            return shard, offset, len(jpeg), *image.size

    def close(self) -> None:
        """Finish the files."""
        self._shard.close()
        self._open.close()


# ---- reading ----


class ImageSet:
    """Random access to the pictures of a folder that `pack` wrote.

    Decoded pictures are kept in memory for a `side` if all of the set fit into what is left of `cache_bytes` when that
    side is first asked for; else none is: a part would cost the memory and spare little work. The content of a picture
    never depends on what is kept. Usable from threads, and from worker processes (forked or pickled; a pickled copy
    starts without decoded pictures). Raises `UserError` if the folder is missing or damaged.
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

    @property
    def names(self) -> list[str]:
        """The original names, by index."""
        return [entry.name for entry in self._entries]

    def fits(self, side: int = 0) -> bool:
        """Whether all pictures stay in memory at `side`."""
        if side not in self._sides:
            needed = sum(3 * height * width for height, width in (self.shape(n, side) for n in range(len(self))))
            self._sides[side] = needed if needed + sum(self._sides.values()) <= self._cache_bytes else 0
        return self._sides[side] > 0

    def shape(self, index: int, side: int = 0) -> tuple[int, int]:
        """Height and width of picture `index` at `side`, without reading it."""
        entry = self._entries[index]
        scale = side / min(entry.width, entry.height) if side else 1.0
        return max(1, round(entry.height * scale)), max(1, round(entry.width * scale))

    def pixels(self, index: int, side: int = 0) -> np.ndarray:
        """Picture `index` as (H, W, 3) uint8, the shorter side resized to `side` pixels (0: as stored), by Lanczos.

        Do not write into it. Raises `UserError` if the shard is damaged.
        """
        pixels = self._kept.get((index, side))
        if pixels is None:
            pixels = self._decode(self._entries[index], side)
            if self.fits(side):
                self._kept[index, side] = pixels
        return pixels

    def _decode(self, entry: Entry, side: int) -> np.ndarray:
        """No file stays open, so that forked workers and threads cannot disturb each other."""
        with (self.folder / entry.shard).open("rb", buffering=0) as file:
            file.seek(entry.offset)
            jpeg = file.read(entry.size)
        try:
            return np.array(resize_shorter(decode(io.BytesIO(jpeg), side)[0], side))
        except Unreadable as error:
            place = f"{self.folder / entry.shard} at byte {entry.offset}"
            raise UserError(f"{place}: {error}; delete {self.folder} and run `dvc repro`") from None


def read_manifest(folder: Path) -> list[Entry]:
    """Read the manifest of an image set and check it against the shards' lengths; a damaged set is a `UserError`."""
    again = f"delete {folder} and run `dvc repro`"
    try:
        with (folder / MANIFEST).open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            if (header := tuple(next(rows, ()))) != Entry._fields:
                raise ValueError(f"columns {','.join(header)[:80]} instead of {','.join(Entry._fields)}")
            entries = [
                Entry(shard, int(offset), int(size), int(width), int(height), sha256, name)
                for shard, offset, size, width, height, sha256, name in rows
            ]
    except FileNotFoundError:
        raise UserError(f"{folder / MANIFEST}: not found; run `dvc repro adain_prepare` to pack the pictures") from None
    except (ValueError, csv.Error) as error:
        raise UserError(f"{folder / MANIFEST}: damaged ({error}); {again}") from None
    if not entries:
        raise UserError(f"{folder}: holds no pictures; {again}")
    for shard, end in {entry.shard: entry.offset + entry.size for entry in entries}.items():  # the last of each
        path = folder / shard
        if not path.is_file() or path.stat().st_size < end:
            raise UserError(f"{path}: missing or cut short; {again}")
    return entries
