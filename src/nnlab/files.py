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

_FULL_DISK_BYTES = 1 << 16  # what a full disk may still report as free


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, of the same ending, that replaces it on success and vanishes on failure."""
    path = Path(path)
    with scratch_dir(path) as folder:
        temporary = folder / f"new{path.suffix}"
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # some writers (safetensors') make private files; results are for everybody
        _flush(temporary)
        temporary.replace(path)


@contextmanager
def atomic_dir(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that replaces it on success and vanishes on failure.

    `path` is at every moment the whole old folder, nothing, or the whole new one.
    """
    path = Path(path)
    with scratch_dir(path) as folder:
        temporary = folder / "new"
        temporary.mkdir()
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _flush(file)
        if path.exists():
            path.replace(folder / "old")
        temporary.replace(path)


@contextmanager
def scratch_dir(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that vanishes at the end, for the work on `path`, which errors name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    start = f".{path.name[:40]}-"
    for left in path.parent.iterdir():
        found = re.fullmatch(rf"{re.escape(start)}(\d+)-\w{{8}}", left.name)
        if found and not _runs(int(found[1])):
            shutil.rmtree(left, ignore_errors=True)
    prefix = f"{start}{os.getpid()}-"
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=prefix, ignore_cleanup_errors=True) as temporary:
            yield Path(temporary)
    except OSError as error:
        raise _named(error, path) from None


def _runs(process: int) -> bool:
    """Whether a process of this number runs on this machine."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def _flush(file: Path) -> None:
    """Have the file's content on the disk: a power cut after the rename must not leave an empty file."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _named(error: OSError, path: Path) -> OSError:
    """The error with `path` as its file where it names none or one of the temporary ones, and a full disk called that.

    Writers in C (NumPy's among them) tell only that fewer bytes were written than asked.
    """
    number = error.errno
    if number is None and shutil.disk_usage(path.parent).free < _FULL_DISK_BYTES:
        number = errno.ENOSPC
    temporary = str(path.parent / f".{path.name[:40]}-")
    if number is None or not (error.filename is None or str(error.filename).startswith(temporary)):
        return error
    return OSError(number, os.strerror(number), str(path))


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return _digest(path, hashlib.sha256())


def md5(path: Path) -> str:
    """Return the MD5 of a file in hexadecimal: for data sets whose publishers give nothing else."""
    return _digest(path, hashlib.md5(usedforsecurity=False))


def _digest(path: Path, state: "hashlib._Hash") -> str:
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()
