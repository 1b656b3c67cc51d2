"""An image set on disk: a few tar files of JPEG pictures and a manifest that says where in them each picture lies.

The shards follow the WebDataset convention (https://github.com/webdataset/webdataset): uncompressed tar, one sample per
key, so that `tar`, `webdataset` and any other reader of that format can use them. The manifest adds random access.
"""

import csv
import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from nnlab.errors import UserError
from nnlab.files import atomic

MANIFEST = "manifest.csv"
LEFT_OUT = "left_out.csv"  # name and reason of every picture that is not in the set
SUMMARY = "summary.json"
_TAR_BLOCK = 512


class Entry(NamedTuple):
    """One picture of a set: `size` bytes of JPEG at `offset` of the file `shard`, `width` x `height` pixels."""

    shard: str
    offset: int
    size: int
    width: int
    height: int
    sha256: str  # of the JPEG
    name: str  # of the original picture


class ShardWriter:
    """Writes pictures into one tar file; the same pictures give the same bytes on every machine."""

    def __init__(self, file: BinaryIO, shard: str) -> None:
        self._tar = tarfile.TarFile(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT)
        self._shard = shard

    def add(self, key: str, jpeg: bytes, size: tuple[int, int], sha256: str, name: str) -> Entry:
        """Append a picture of `size` (width, height) as `<key>.jpg`."""
        header = tarfile.TarInfo(f"{key}.jpg")
        header.size, header.mode = len(jpeg), 0o644  # times and owners stay 0
        offset = self._tar.offset + _TAR_BLOCK
        self._tar.addfile(header, io.BytesIO(jpeg))
        self._tar.members.clear()  # type: ignore[attr-defined]  # tarfile would keep every header
        return Entry(self._shard, offset, len(jpeg), *size, sha256, name)

    def close(self) -> None:
        """Write the end of the tar file."""
        self._tar.close()


def write_table(path: Path, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write rows as CSV, whole or not at all; names that are not valid Unicode are escaped."""
    with (
        atomic(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def read_manifest(folder: Path) -> list[Entry]:
    """Read the manifest of an image set and check it against the shards' lengths; a damaged set is a `UserError`."""
    try:
        with (folder / MANIFEST).open(newline="", encoding="utf-8") as file:
            entries = list(_entries(file))
    except FileNotFoundError:
        raise UserError(f"{folder / MANIFEST}: not found; run `dvc repro adain_prepare` to pack the pictures") from None
    except (ValueError, TypeError, csv.Error) as error:
        raise UserError(f"{folder / MANIFEST}: damaged ({error}); delete {folder} and run `dvc repro`") from None
    ends: dict[str, int] = {}
    for entry in entries:
        ends[entry.shard] = max(ends.get(entry.shard, 0), entry.offset + entry.size)
    for shard, end in ends.items():
        path = folder / shard
        if not path.is_file() or path.stat().st_size < end:
            raise UserError(f"{path}: missing or cut short; delete {folder} and run `dvc repro`")
    return entries


def _entries(file: Iterable[str]) -> Iterator[Entry]:
    rows = csv.reader(file)
    if (header := tuple(next(rows, ()))) != Entry._fields:
        raise ValueError(f"columns {','.join(header)[:80]} instead of {','.join(Entry._fields)}")
    for shard, offset, size, width, height, sha256, name in rows:
        yield Entry(shard, int(offset), int(size), int(width), int(height), sha256, name)


def read_bytes(folder: Path, entry: Entry) -> bytes:
    """Read one picture's JPEG. No file stays open, so forked workers and threads cannot disturb each other."""
    with (folder / entry.shard).open("rb", buffering=0) as file:
        file.seek(entry.offset)
        return file.read(entry.size)
