"""Files that are whole or absent: temporary name first, then rename.

A process that is killed cannot remove its temporary: the names hold the process's number, and the next writer of the
same file removes those whose process is gone.
"""

import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_FULL_DISK_BYTES = 1 << 16  # what a full disk may still report as free


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, of the same ending, that replaces it on success and vanishes on failure."""
    with _scratch(path) as folder:
        temporary = folder / f"new{path.suffix}"
        yield temporary
        _flush(temporary)
        temporary.replace(path)


@contextmanager
def atomic_dir(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that replaces it on success and vanishes on failure.

    `path` is at every moment the whole old folder, nothing, or the whole new one.
    """
    with _scratch(path) as folder:
        temporary = folder / "new"
        temporary.mkdir()
        yield temporary
        for file in filter(Path.is_file, temporary.rglob("*")):
            _flush(file)
        if path.exists():
            path.replace(folder / "old")
        temporary.replace(path)


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that vanishes at the end; what goes wrong in it is told of `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    start = f".{path.name[:40]}-"
    for left in path.parent.iterdir():
        found = re.fullmatch(rf"{re.escape(start)}(\d+)-\w{{8}}", left.name)
        if found and not psutil.pid_exists(int(found[1])):
            shutil.rmtree(left, ignore_errors=True)
    prefix = f"{start}{os.getpid()}-"
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=prefix, ignore_cleanup_errors=True) as temporary:
            yield Path(temporary)
    except OSError as error:
        number = error.errno
        if number is None and shutil.disk_usage(path.parent).free < _FULL_DISK_BYTES:
            number = errno.ENOSPC  # writers in C, NumPy's among them, tell only that too few bytes were written
        # What has no name is of this file where it is about room: a read of another disk has none either.
        full = number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        inside = full if error.filename is None else prefix in str(error.filename)  # absolute from Python 3.12 on
        raise OSError(number, os.strerror(number), str(path)) if number and inside else error from None


def _flush(file: Path) -> None:
    """Have the file's content on the disk: a power cut after the rename must not leave an empty file."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    state = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()
