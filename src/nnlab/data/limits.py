"""What an archive from elsewhere may claim and cost: entries, growth, header sizes. Beyond it, one line says so."""

import bz2
import gzip
import lzma
import os
import tarfile
from pathlib import Path
from typing import IO, Any

from nnlab.errors import UserError

MAX_ENTRIES = 500_000  # COCO train2017 has 118,287
MAX_GROWTH = 100  # unpacked over packed bytes; pictures are compressed already, so a real set has about 1
GROWTH_ALLOWED = 1 << 28  # bytes that any archive may unpack to
_ENTRY_BYTES = 46  # of the smallest entry in a zip's central directory
_DIRECTORY_BYTES_PER_ENTRY = 512
_HEADER_BYTES = 1 << 20  # of a tar's extended header, which tarfile reads into memory at once
_OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


def check_directory(path: Path) -> int:
    """Return the number of entries of a zip file, read from its last bytes; too many are a `UserError`.

    Python's zipfile reads the whole directory into memory, so its length is limited before.
    """
    entries, size = _zip_end(path)
    if (
        entries > MAX_ENTRIES
        or size > MAX_ENTRIES * _DIRECTORY_BYTES_PER_ENTRY
        or size // _ENTRY_BYTES > 8 * MAX_ENTRIES
    ):
        raise UserError(f"{path}: a directory of {entries} entries, at most {MAX_ENTRIES} are read; split it")
    return entries


def _zip_end(path: Path) -> tuple[int, int]:
    """Entries and bytes of the central directory (PKWARE's APPNOTE, 4.3.14-4.3.16)."""
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(max(0, length - 65_557))  # the record of 22 bytes, after it a comment of up to 65,535
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        entries, size = (int.from_bytes(tail[at + a : at + b], "little") for a, b in ((10, 12), (12, 16)))
        if at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":  # zip64: a locator, then the longer record
            file.seek(min(length, int.from_bytes(tail[at - 12 : at - 4], "little")))
            record = file.read(56)
            if record[:4] == b"PK\x06\x06":
                entries, size = (int.from_bytes(record[a : a + 8], "little") for a in (32, 40))
    return entries, size


def check_growth(path: Path, unpacked: int) -> None:
    """Refuse an archive that unpacks to absurdly more than its own length: a decompression bomb."""
    packed = path.stat().st_size
    if unpacked > max(GROWTH_ALLOWED, MAX_GROWTH * packed):
        raise UserError(f"{path}: {packed} bytes claim to unpack to {unpacked}: a decompression bomb, refused")


def is_tar(begin: bytes) -> bool:
    """Whether a file that begins with these 512 bytes is a tar archive, packed or not; the oldest kind has no mark."""
    return begin.startswith(tuple(_OPENERS)) or begin[257:262] == b"ustar"


def decompressed(path: Path) -> IO[bytes]:
    """Open a file, through gzip, bzip2 or xz if it begins like one."""
    with path.open("rb") as file:
        begin = file.read(6)
    return next((opener for magic, opener in _OPENERS.items() if begin.startswith(magic)), open)(path, "rb")


class Metered:
    """A stream that counts what it gives and stops at a bomb's growth."""

    def __init__(self, path: Path, stream: IO[bytes]) -> None:
        self._path, self._stream, self._read = path, stream, 0
        self._ends = 0

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes."""
        data = self._stream.read(size)
        self._read += len(data)
        self._ends += not data
        if self._ends > 16:  # tarfile would look 10 kB by 10 kB for all the bytes that a header claims
            raise tarfile.ReadError("it ends too early")
        check_growth(self._path, self._read)
        return data


class PlainHeader(tarfile.TarInfo):
    """A tar header whose extension headers (long names and the like) are of a sane size, and which is whole."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> "PlainHeader":
        """Read the next header; tarfile takes a damaged one for the archive's end, and what follows would be lost."""
        try:
            return super().fromtarfile(archive)
        except tarfile.HeaderError as error:
            if isinstance(error, tarfile.EOFHeaderError):  # type: ignore[attr-defined]  # zeros: the end indeed
                raise
            raise tarfile.ReadError(str(error)) from None

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        """Called for every header that was parsed; some versions of Python call `frombuf` for the first one only."""
        if self.size > _HEADER_BYTES and not self.isreg():
            raise tarfile.ReadError(f"a header of {self.size} bytes, at most {_HEADER_BYTES} are read")
        return super()._proc_member(archive)  # type: ignore[misc]


def read_to_end(archive: tarfile.TarFile) -> None:
    """Read what follows a tar's end mark, down to the checksum of a packed one; anything but zeros is a `ReadError`.

    A header that was overwritten with zeros looks like the end.
    """
    while block := archive.fileobj.read(1 << 16):  # type: ignore[union-attr]
        if block.strip(b"\0"):
            raise tarfile.ReadError("data after its end")
