"""Pictures in folders, zip archives and parquet files, read one at a time; nothing is ever unpacked to disk.

Names inside an archive are only labels, so `../` or an absolute path leads nowhere; links are not followed.
"""

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from nnlab.data.catalog import PROVENANCE
from nnlab.data.images import SUFFIXES, list_files
from nnlab.errors import UserError

try:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile
except ImportError:  # the extra "wikiart"
    ParquetFile = None

MAX_BYTES = 128 << 20  # of one encoded picture
_ARCHIVES = {".zip", ".parquet"}
_COLUMNS = ("image", "jpg", "png", "img")
_GROUP_BYTES = 2 << 30  # of a row group, which may be unpacked at once; WikiArt's whole files have about half a GB
_BUFFER_BYTES = 1 << 20  # read at once; pyarrow would otherwise hold the packed bytes of a whole row group, too


class Picture(NamedTuple):
    """An encoded picture, or why it is left out: the kind of reason, a colon, more."""

    name: str
    data: bytes = b""
    problem: str = ""


def pictures(path: Path) -> Iterator[Picture]:
    """All pictures of a folder (nested or flat) or of a zip or parquet file, in a fixed order.

    Archives in a folder are read too, after its pictures; what is hidden, or behind a link to a folder, is not. Raises
    `UserError` where `path` is missing or of no known kind, or where an archive is damaged, and `OSError` where the
    system refuses to read more than a single file.
    """
    if path.is_dir():
        files = [file for file in list_files(path) if file.name != PROVENANCE]
        for file in files:
            if file.suffix.lower() not in _ARCHIVES:
                yield _from_file(file, file.relative_to(path).as_posix())
        for file in files:
            if file.suffix.lower() in _ARCHIVES:
                yield from _from_archive(file)
    elif path.exists():
        yield from _from_archive(path)
    else:
        raise UserError(f"{path}: not found; give a folder, zip or parquet file of pictures (an absolute path)")


def check_archive(path: Path) -> None:
    """UserError if a file is no archive of pictures, by its content."""
    if not _is_parquet(path) and not zipfile.is_zipfile(path):
        raise UserError(f"{path}: not a zip or parquet file, or a damaged one; unpack another kind into a folder")


def _from_file(path: Path, name: str) -> Picture:
    if problem := _of_name(name):
        return Picture(name, problem=problem)
    if not path.is_file():  # opening a pipe would wait for ever
        return Picture(name, problem="link: leads nowhere" if path.is_symlink() else "special: not a plain file")
    if problem := _of_size(path.stat().st_size):
        return Picture(name, problem=problem)
    try:
        return Picture(name, path.read_bytes())
    except PermissionError:
        return Picture(name, problem="locked: no permission to read it")


def _of_name(name: str) -> str:
    """What is wrong with the ending of a name."""
    suffix = PurePosixPath(name).suffix.lower()
    return "" if suffix in SUFFIXES else f"no picture: files ending in {suffix or 'nothing'} are not read"


def _of_size(size: int) -> str:
    return f"too large: {size} bytes, at most {MAX_BYTES}" if size > MAX_BYTES else ""


def _from_archive(path: Path) -> Iterator[Picture]:
    check_archive(path)
    yield from (_from_parquet if _is_parquet(path) else _from_zip)(path)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _from_zip(path: Path) -> Iterator[Picture]:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                parts = entry.filename.replace("\\", "/").split("/")
                hidden = any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in parts)
                if not entry.is_dir() and not hidden:
                    yield _from_entry(archive, entry)
    except zipfile.BadZipFile as error:
        raise UserError(f"{path}: damaged zip file ({error}); get it again") from None


def _from_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Picture:
    """No more is read than the size that the directory claims; then the checksum is compared."""
    name = entry.filename
    if stat.S_ISLNK(entry.external_attr >> 16):
        return Picture(name, problem="link: not followed")
    if problem := _of_name(name) or _of_size(entry.file_size):
        return Picture(name, problem=problem)
    try:
        return Picture(name, archive.read(entry))
    except Exception as error:  # of the decompressors; RuntimeError: a password is needed
        if isinstance(error, MemoryError) or getattr(error, "errno", None) not in (None, 22):  # 22: a place before 0
            raise
        return Picture(name, problem=f"damaged: {' '.join(str(error).split())[:120]}")


def _from_parquet(path: Path) -> Iterator[Picture]:
    """A picture per row of Hugging Face's image layout: a column `image` of {bytes, path}, or of plain bytes."""
    if ParquetFile is None:
        raise UserError(f"{path}: reading parquet files needs pyarrow; install it with `pip install pyarrow`")
    number = 0
    try:  # no memory map: where the disk fails, that would end the process without a word
        with ParquetFile(path, memory_map=False, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:
            column = next((name for name in _COLUMNS if name in file.schema_arrow.names), None)
            if column is None:
                raise UserError(f"{path}: no column `image`; found {', '.join(file.schema_arrow.names[:10])}")
            groups = [file.metadata.row_group(number).total_byte_size for number in range(file.num_row_groups)]
            if max(groups, default=0) > _GROUP_BYTES:
                raise UserError(f"{path}: a row group of {max(groups)} bytes, at most {_GROUP_BYTES} are read")
            for row in file.iter_batches(batch_size=1, columns=[column], use_threads=False):
                name, data = _cell(row.column(0)[0].as_py())
                yield Picture(name or f"{path.name}#{number}", data, _of_size(len(data)))
                number += 1
    except (ArrowException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = " ".join(str(error).split())[:120]  # pyarrow's have several lines
        raise UserError(f"{path}: damaged parquet file ({reason}); get it again") from None


def _cell(value: Any) -> tuple[str, bytes]:
    """Name and bytes of one cell."""
    if isinstance(value, dict):
        return str(value.get("path") or ""), value.get("bytes") or b""
    return "", value if isinstance(value, bytes) else b""
