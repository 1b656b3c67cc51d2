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
from contextlib import contextmanager, suppress
from pathlib import Path

_FULL_DISK_BYTES = 1 << 16  # what a full disk may still report as free
_OLD = "-old"  # ends the name of a folder that is on its way out


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, of the same ending, that replaces it on success and vanishes on failure."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent, path.stem)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path.stem), suffix=path.suffix)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes private files; results are for everybody
        _flush(temporary)
        temporary.replace(path)
        _flush_names(path.parent)
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
    with scratch_dir(path) as temporary:
        try:
            yield temporary
            temporary.chmod(0o755)
            for folder, _, names in os.walk(temporary):
                for file in (Path(folder, name) for name in names):
                    if file.is_file() and not file.is_symlink():
                        _flush(file)
                _flush_names(Path(folder))
            old = temporary.with_name(temporary.name + _OLD)
            if path.exists():
                path.replace(old)
            temporary.replace(path)
            _flush_names(path.parent)
            shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            raise _named(error, temporary, path) from None


@contextmanager
def scratch_dir(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that vanishes at the end, for the work on `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent, path.name)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=_prefix(path.name)))
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _prefix(name: str) -> str:
    """The beginning of this process's temporary names for the file or folder `name`."""
    return f".{name[:40]}-{os.getpid()}-"


def _sweep(folder: Path, name: str) -> None:
    """Remove what writers of `name` left in `folder` when they were killed."""
    form = re.compile(rf"\.{re.escape(name[:40])}-([1-9]\d*)-\w{{8}}(\..*|{_OLD})?", re.ASCII)
    try:
        paths = list(folder.iterdir())
    except OSError:  # what cannot be listed stays
        return
    for path in paths:
        if (found := form.fullmatch(path.name)) and not _runs(int(found[1])):
            with suppress(OSError):  # what cannot be removed, too
                _remove(path)


def _remove(path: Path) -> None:
    """Remove a file or a folder; a folder by another name, by which workers of a dead process do not write into it."""
    if not path.is_dir():
        path.unlink()
        return
    if not path.name.endswith(_OLD):
        path = path.replace(path.with_name(path.name + _OLD))
    shutil.rmtree(path)


def _runs(process: int) -> bool:
    """Whether a process of this number runs on this machine; a dead one that nobody has waited for does not."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    try:
        return Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:  # no Linux
        return True


def _flush(file: Path) -> None:
    """Have the file's content on the disk: a power cut after the rename must not leave an empty file."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _flush_names(folder: Path) -> None:
    """Have the folder's list of names on the disk, where the file system knows how."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


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
