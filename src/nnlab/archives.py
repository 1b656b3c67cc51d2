"""Pictures in folders, zip and tar archives and parquet files, read one at a time; nothing is ever unpacked to disk.

Names inside an archive are only labels, so `../` or an absolute path leads nowhere; links are not followed. What an
archive may make this program do is limited before it is read, or while it is: entries, bytes, memory.
"""

import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from nnlab.errors import UserError
from nnlab.images import SUFFIXES, list_images
from nnlab.limits import MAX_ENTRIES, Metered, PlainHeader, check_directory, check_growth, decompressed
from nnlab.pictures import MAX_BYTES, LeftOut, Picture, check_size

_ARCHIVE = re.compile(r"\.(zip|parquet|tgz|tbz2|txz|tar(\.(gz|bz2|xz))?)$", re.IGNORECASE)
_PARQUET_ROWS = 16  # rows in memory at once


def pictures(path: Path) -> Iterator[Picture]:
    """All pictures of an image file's folder (nested or flat), zip, tar or parquet file, in a fixed order.

    Archives in a folder are read too, after its pictures. Raises `UserError` where `path` is missing or of no known
    kind, or where an archive is damaged or claims to hold an absurd amount.
    """
    path = Path(path)
    if path.is_dir():
        for file in list_images(path):
            yield Picture(file.relative_to(path).as_posix(), partial(_read_file, file))
        for archive in find_archives(path):
            yield from _reader(archive)(archive)
    elif path.exists():
        yield from _reader(path)(path)
    else:
        raise UserError(f"{path}: not found; give a folder, zip, tar or parquet file of pictures (an absolute path)")


def count(path: Path) -> int:
    """A quick estimate of the number of pictures, for progress; 0 where only reading everything would tell."""
    path = Path(path)
    if path.is_dir():
        numbers = [_count_archive(archive) for archive in find_archives(path)]
        return 0 if 0 in numbers else len(list_images(path)) + sum(numbers)
    return _count_archive(path)


def find_archives(folder: Path) -> list[Path]:
    """All archives below `folder`, told by their names' endings, in a fixed order."""
    return sorted(p for p in folder.rglob("[!.]*") if _ARCHIVE.search(p.name) and p.is_file())


def is_archive(path: Path) -> bool:
    """Whether a file can be an archive of pictures, by its content."""
    try:
        return _begins(path, b"PAR1") or zipfile.is_zipfile(path) or tarfile.is_tarfile(path)
    except (tarfile.TarError, EOFError, OSError):
        return False


def _count_archive(path: Path) -> int:
    if zipfile.is_zipfile(path):
        return check_directory(path)
    if _begins(path, b"PAR1"):
        return _parquet(path).metadata.num_rows
    return 0


def _begins(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _reader(path: Path) -> Callable[[Path], Iterator[Picture]]:
    """Tell the kind of archive by its content, not by its name."""
    if _begins(path, b"PAR1"):
        return _from_parquet
    return _from_zip if zipfile.is_zipfile(path) else _from_tar


def _is_picture(name: str) -> bool:
    """Whether a name in an archive has an image's ending and no hidden part (such as macOS's copies of attributes)."""
    label = PurePosixPath(name.replace("\\", "/"))
    hidden = any(part.startswith(".") and part != ".." for part in label.parts) or "__MACOSX" in label.parts
    return label.suffix.lower() in SUFFIXES and not hidden


def _read_file(path: Path) -> bytes:
    check_size(path.stat().st_size)
    return path.read_bytes()


def _from_zip(path: Path) -> Iterator[Picture]:
    check_directory(path)
    try:
        archive = zipfile.ZipFile(path)  # closed with the last picture, which may be read after the loop has ended
        entries = [entry for entry in archive.infolist() if _is_picture(entry.filename) and not entry.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UserError(f"{path}: damaged zip file ({error}); get it again") from None
    check_growth(path, sum(entry.file_size for entry in entries))
    for entry in entries:
        yield Picture(entry.filename, partial(_read_zip, archive, entry))


def _read_zip(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.external_attr >> 28 == 0o12:
        raise LeftOut("link: not followed")
    if entry.flag_bits & 1:
        raise LeftOut("encrypted: needs a password")
    check_size(entry.file_size)
    with archive.open(entry) as file:
        data = file.read(MAX_BYTES + 1)  # the size in the directory may be a lie
    check_size(len(data))
    return data


def _from_tar(path: Path) -> Iterator[Picture]:
    try:
        with (
            decompressed(path) as stream,
            tarfile.open(fileobj=cast(IO[bytes], Metered(path, stream)), mode="r|", tarinfo=PlainHeader) as archive,
        ):
            for number, member in enumerate(archive):
                archive.members.clear()  # type: ignore[attr-defined]  # tarfile would keep every header
                if number >= MAX_ENTRIES:
                    raise UserError(f"{path}: more than {MAX_ENTRIES} entries, refused; split it")
                if _is_picture(member.name) and not member.isdir():
                    yield Picture(member.name, partial(_given, *_read_tar(archive, member)))
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UserError(f"{path}: no zip, tar or parquet file, or a damaged one ({error}); get it again") from None


def _read_tar(archive: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[bytes, str]:
    """A tar file is a stream: bytes are read now or never. Returns them, or why they are left out."""
    if not member.isreg() or member.issparse():
        return b"", "link: not followed" if member.issym() or member.islnk() else "special: not a plain file"
    if member.size > MAX_BYTES:
        return b"", f"too large: {member.size} bytes, at most {MAX_BYTES}"
    file = archive.extractfile(member)
    return (file.read() if file else b""), ""


def _given(data: bytes, problem: str) -> bytes:
    if problem:
        raise LeftOut(problem)
    return data


def _parquet(path: Path) -> Any:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise UserError(f"{path}: reading parquet files needs pyarrow; install it with `pip install pyarrow`") from None
    try:
        return ParquetFile(path, memory_map=True, pre_buffer=False)
    except (ArrowException, OSError) as error:
        raise UserError(f"{path}: damaged parquet file ({str(error)[:120]}); get it again") from None


def _from_parquet(path: Path) -> Iterator[Picture]:
    """Rows of Hugging Face's image layout: a column `image` of {bytes, path}, or of plain bytes."""
    file = _parquet(path)
    column = next((name for name in ("image", "jpg", "png", "img") if name in file.schema_arrow.names), None)
    if column is None:
        found = ", ".join(file.schema_arrow.names[:10])
        raise UserError(f"{path}: no column `image`; found {found}")
    number = 0
    try:
        for rows in file.iter_batches(batch_size=_PARQUET_ROWS, columns=[column], use_threads=False):
            for value in rows.column(0):
                name, data = _cell(value.as_py())
                yield Picture(name or f"{path.name}#{number}", partial(_given, data, "" if data else "empty: no bytes"))
                number += 1
    except (OSError, ValueError) as error:  # pyarrow's errors are of these types
        raise UserError(f"{path}: damaged parquet file ({str(error)[:120]}); get it again") from None


def _cell(value: Any) -> tuple[str, bytes]:
    """Name and bytes of one cell."""
    if isinstance(value, dict):
        return str(value.get("path") or ""), value.get("bytes") or b""
    return "", value if isinstance(value, bytes) else b""
