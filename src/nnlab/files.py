"""Files that are whole or absent: temporary name first, then rename."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FULL_DISK_BYTES = 1 << 16  # what a full disk may still report as free


@contextmanager
def atomic(path: Path, suffix: str = "") -> Iterator[Path]:
    """Give a temporary path beside `path` that replaces it on success and vanishes on failure.

    `suffix` is for writers that choose the format by the name's end; it defaults to that of `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[:40]}-", suffix=suffix or path.suffix)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes private files; results are for everybody
        with temporary.open("rb") as file:
            os.fsync(file.fileno())  # a power cut after the rename must not leave an empty file
        temporary.replace(path)
    except OSError as error:
        raise _named(error, temporary, path) from None
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_dir(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that replaces it on success and vanishes on failure.

    `path` is at every moment the whole old folder, nothing, or the whole new one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:40]}-"))
    try:
        yield temporary
        temporary.chmod(0o755)
        old = temporary.with_name(temporary.name + "-old")
        if path.exists():
            path.replace(old)
        temporary.replace(path)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise _named(error, temporary, path) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _named(error: OSError, temporary: Path, path: Path) -> OSError:
    """The error with `path` as its file where it names none or the temporary one, and a full disk called that.

    Writers in C (NumPy's among them) tell only that fewer bytes were written than asked.
    """
    number = error.errno
    if number is None and shutil.disk_usage(path.parent).free < _FULL_DISK_BYTES:
        number = errno.ENOSPC
    if number is None or error.filename not in (None, str(temporary)):
        return error
    return OSError(number, os.strerror(number), str(path))


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with Path(path).open("rb") as file:
        return _digest(file, hashlib.sha256())


def md5(path: Path) -> str:
    """Return the MD5 of a file in hexadecimal: for data sets whose publishers give nothing else."""
    with Path(path).open("rb") as file:
        return _digest(file, hashlib.md5(usedforsecurity=False))


def _digest(file, state) -> str:  # noqa: ANN001 (hashlib has no public type for a running hash)
    while block := file.read(1 << 20):
        state.update(block)
    return state.hexdigest()
