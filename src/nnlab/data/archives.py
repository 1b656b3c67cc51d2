"""Pictures in folders, zip and tar archives and parquet files, read one at a time; nothing is ever unpacked to disk.

Names inside an archive are only labels, so `../` or an absolute path leads nowhere; links are not followed. What an
archive may make this program do is limited before it is read, or while it is: entries, bytes, memory.
"""

import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from nnlab.data import parquet
from nnlab.data.images import SUFFIXES, list_files, list_images
from nnlab.data.limits import (
    MAX_ENTRIES,
    Metered,
    PlainHeader,
    check_directory,
    check_growth,
    decompressed,
    is_tar,
    read_to_end,
)
from nnlab.data.pictures import MAX_BYTES, LeftOut, Picture, at_hand, check_size
from nnlab.errors import UserError

_ARCHIVE = re.compile(r"\.(zip|parquet|tgz|tbz2|txz|tar(\.(gz|bz2|xz))?)$", re.IGNORECASE)


def pictures(path: Path) -> Iterator[Picture]:
    """All pictures of a folder (nested or flat) or of a zip, tar or parquet file, in a fixed order.

    Archives in a folder are read too, after its pictures; what is hidden, or behind a link to a folder, is not. Raises
    `UserError` where `path` is missing or of no known kind, or where an archive is damaged or claims to hold an absurd
    amount.
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
    return [path for path in list_files(folder) if _ARCHIVE.search(path.name) and path.is_file()]


def is_archive(path: Path) -> bool:
    """Whether a file can be an archive of pictures, by its content."""
    if _reader(path) is not _from_tar:
        return True
    try:
        with _open_tar(path):
            return True
    except UserError:
        return False


def _count_archive(path: Path) -> int:
    reader = _reader(path)
    if reader is parquet.from_parquet:
        return parquet.rows(path)
    return check_directory(path) if reader is _from_zip else 0


def _reader(path: Path) -> Callable[[Path], Iterator[Picture]]:
    """Tell the kind of archive by its content, not by its name."""
    with path.open("rb") as file:
        begin = file.read(512)
    if begin.startswith(parquet.MAGIC):
        return parquet.from_parquet
    if is_tar(begin):  # before a zip is told by the file's end: the last member of a tar may be one
        return _from_tar
    return _from_zip if zipfile.is_zipfile(path) else _from_tar


def _is_picture(name: str) -> bool:
    """Whether a name in an archive has an image's ending and no hidden part (such as macOS's copies of attributes)."""
    label = PurePosixPath(name.replace("\\", "/"))
    hidden = any(part.startswith(".") and part != ".." for part in label.parts) or "__MACOSX" in label.parts
    return label.suffix.lower() in SUFFIXES and not hidden


def _read_file(path: Path) -> bytes:
    if path.is_symlink() and not path.exists():
        raise LeftOut("link: leads nowhere")
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
        raise LeftOut("special: not a plain file")
    check_size(status.st_size)
    return path.read_bytes()


def _from_zip(path: Path) -> Iterator[Picture]:
    claimed = check_directory(path)
    try:
        archive = zipfile.ZipFile(path)  # closed with the last picture, which may be read after the loop has ended
        if (len(archive.infolist()) - claimed) % (1 << 16):  # some writers count in 16 bits
            raise ValueError(f"{len(archive.infolist())} of {claimed} entries")
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
    with _open_tar(path) as archive:
        for number, member in enumerate(archive):
            archive.members.clear()  # type: ignore[attr-defined]  # tarfile would keep every header
            if number >= MAX_ENTRIES:
                raise UserError(f"{path}: more than {MAX_ENTRIES} entries, refused; split it")
            if _is_picture(member.name) and not member.isdir():
                yield at_hand(member.name, *_read_tar(archive, member))
        read_to_end(archive)


@contextmanager
def _open_tar(path: Path) -> Iterator[tarfile.TarFile]:
    """A tar file, packed or not; whatever is wrong with it, also while it is read, becomes a `UserError`."""
    try:
        with (
            decompressed(path) as stream,
            tarfile.open(fileobj=cast(IO[bytes], Metered(path, stream)), mode="r|", tarinfo=PlainHeader) as archive,
        ):
            yield archive
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
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
