"""Pictures in folders, zip archives and parquet files, read one at a time; nothing is ever unpacked to disk.

Names inside an archive are only labels, so `../` or an absolute path leads nowhere; links are not followed.
"""

import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from nnlab.data.catalog import PROVENANCE
from nnlab.data.images import SUFFIXES, list_files
from nnlab.errors import UserError

try:
    from pyarrow.parquet import ParquetFile
except ImportError:  # the extra "wikiart"
    ParquetFile = None

MAX_BYTES = 128 << 20  # of one encoded picture in a zip file


class Picture(NamedTuple):
    """An encoded picture, or why it is left out: the kind of reason, a colon, more."""

    name: str
    data: bytes = b""
    problem: str = ""


def pictures(path: Path) -> Iterator[Picture]:
    """All pictures of a folder (nested or flat) or of a zip or parquet file, in a fixed order.

    Archives in a folder are read too, after its pictures; what is hidden, or behind a link to a folder, is not. Raises
    `UserError` where an archive is of another kind or cannot be read, and `OSError` where the system refuses a file.
    """
    if not path.is_dir():
        yield from _from_archive(path)
        return
    files = [file for file in list_files(path) if file.name != PROVENANCE]
    for file in files:
        if file.suffix.lower() not in READERS:  # opening a pipe would wait for ever
            problem = "" if file.is_file() else "no file: a link that leads nowhere, or a special file"
            yield _picture(file.relative_to(path).as_posix(), file.read_bytes, problem)
    for file in files:
        if file.suffix.lower() in READERS:
            yield from _from_archive(file)


def _picture(name: str, read: Callable[[], bytes], problem: str) -> Picture:
    """What `read` gives, unless there is a problem, as a name whose ending is not a picture's."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in SUFFIXES:
        problem = f"no picture: files ending in {suffix or 'nothing'} are not read"
    return Picture(name, problem=problem) if problem else Picture(name, read())


def _from_archive(path: Path) -> Iterator[Picture]:
    if not (reader := READERS.get(path.suffix.lower())):
        raise UserError(f"{path}: not a folder, .zip or .parquet file; unpack another kind into a folder")
    try:
        yield from reader(path)
    except (UserError, MemoryError):
        raise
    except Exception as error:  # those of zipfile, its decompressors, pyarrow and the system
        raise UserError(f"{path}: cannot be read ({error}); get it again, or unpack it into a folder") from None


def _from_zip(path: Path) -> Iterator[Picture]:
    """No more of an entry is read than the size that the directory claims."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            parts = PurePosixPath(entry.filename).parts
            hidden = any(part[0] == "." != part[-1] for part in parts)  # also macOS's `__MACOSX/._<name>`, not `..`
            if not entry.is_dir() and not hidden:
                size = entry.file_size
                problem = f"too large: {size} bytes, at most {MAX_BYTES}" if size > MAX_BYTES else ""
                yield _picture(entry.filename, partial(archive.read, entry), problem)


def _from_parquet(path: Path) -> Iterator[Picture]:
    """A picture per row of Hugging Face's image layout: a column `image` of {bytes, path}, or of plain bytes."""
    if ParquetFile is None:
        raise UserError(f"{path}: reading parquet files needs pyarrow; install it with `pip install pyarrow`")
    # read in small pieces: pyarrow would otherwise hold the packed bytes of a whole row group, too
    with ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
        if "image" not in file.schema_arrow.names:
            raise UserError(f"{path}: no column `image`; found {', '.join(file.schema_arrow.names[:10])}")
        rows = file.iter_batches(batch_size=1, columns=["image"], use_threads=False)
        for number, row in enumerate(rows):
            cell = row.column(0)[0].as_py() or {}
            image = cell if isinstance(cell, dict) else {"bytes": cell}
            yield Picture(image.get("path") or f"{path.name}#{number}", image.get("bytes") or b"")


READERS = {".zip": _from_zip, ".parquet": _from_parquet}
