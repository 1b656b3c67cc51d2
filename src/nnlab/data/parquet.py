"""Pictures in parquet files of Hugging Face's image layout, read one at a time. Only these files need pyarrow."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nnlab.data.limits import MAX_ENTRIES, check_growth
from nnlab.data.pictures import Picture, at_hand
from nnlab.errors import UserError

MAGIC = b"PAR1"
_COLUMNS = ("image", "jpg", "png", "img")
_GROUP_BYTES = 2 << 30  # of an unpacked row group; WikiArt's whole files have about half a GB
_BUFFER_BYTES = 1 << 20  # read at once; pyarrow would otherwise hold the packed bytes of a whole row group, too


def rows(path: Path) -> int:
    """The number of rows."""
    with _open(path) as file:
        return file.metadata.num_rows


def from_parquet(path: Path) -> Iterator[Picture]:
    """A picture per row: a column `image` of {bytes, path}, or of plain bytes.

    Raises `UserError` if the file is damaged or claims too much.
    """
    with _open(path) as file:
        column = next((name for name in _COLUMNS if name in file.schema_arrow.names), None)
        if column is None:
            found = ", ".join(file.schema_arrow.names[:10])
            raise UserError(f"{path}: no column `image`; found {found}")
        _check_claims(path, file.metadata)
        number = 0
        for row in file.iter_batches(batch_size=1, columns=[column], use_threads=False):
            name, data = _cell(row.column(0)[0].as_py())
            yield at_hand(name or f"{path.name}#{number}", data, "" if data else "empty: no bytes")
            number += 1
        if number != file.metadata.num_rows:
            raise ValueError(f"{number} of {file.metadata.num_rows} rows")


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    """A `ParquetFile`; whatever is wrong with the file, also while it is read, becomes a `UserError`."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise UserError(f"{path}: reading parquet files needs pyarrow; install it with `pip install pyarrow`") from None
    try:  # no memory map: where the disk fails, that would end the process without a word
        with ParquetFile(path, memory_map=False, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:
            yield file
    except (ArrowException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = " ".join(str(error).split())[:120]  # pyarrow's have several lines
        raise UserError(f"{path}: damaged parquet file ({reason}); get it again") from None


def _check_claims(path: Path, claimed: Any) -> None:
    """Refuse too many rows, a bomb, and what cannot be read in bounded memory: a row group may be unpacked at once.

    The sizes of single columns are not looked at: in a damaged file pyarrow ends the process there.
    """
    if claimed.num_rows > MAX_ENTRIES:
        raise UserError(f"{path}: {claimed.num_rows} rows, at most {MAX_ENTRIES} are read; split it")
    sizes = [claimed.row_group(number).total_byte_size for number in range(claimed.num_row_groups)]
    check_growth(path, sum(sizes))
    if max(sizes, default=0) > _GROUP_BYTES:
        raise UserError(f"{path}: a row group of {max(sizes)} bytes, at most {_GROUP_BYTES} are read; use smaller ones")


def _cell(value: Any) -> tuple[str, bytes]:
    """Name and bytes of one cell."""
    if isinstance(value, dict):
        return str(value.get("path") or ""), value.get("bytes") or b""
    return "", value if isinstance(value, bytes) else b""
