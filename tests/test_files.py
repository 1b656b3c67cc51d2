"""Files that are whole or absent."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nnlab.files import atomic, atomic_dir, sha256


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes: what a full disk is to a writer."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / ("实" * 80 + ".json")
    old = os.umask(0o027)
    try:
        with atomic(path) as temporary:
            assert temporary.suffix == ".json"
            temporary.write_text("whole", encoding="utf-8")
            assert not path.exists()
    finally:
        os.umask(old)
    assert path.read_text(encoding="utf-8") == "whole"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(path.parent) == [path.name]
    monkeypatch.setattr(Path, "chmod", lambda *_: (_ for _ in ()).throw(PermissionError(1, "of a disk without rights")))
    with atomic(path) as temporary:
        temporary.write_text("again", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "again"


@pytest.mark.parametrize("writer", [atomic, atomic_dir])
def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path, writer) -> None:
    with writer(tmp_path / "out") as temporary:
        (temporary / "old" if temporary.is_dir() else temporary).write_bytes(b"old")
    before = sha256(next(path for path in tmp_path.rglob("o*") if path.is_file()))
    with pytest.raises(UnicodeEncodeError), writer(tmp_path / "out") as temporary:
        (temporary / "new" if temporary.is_dir() else temporary).write_text("half of the n" + "\ud800", "utf-8")
    assert os.listdir(tmp_path) == ["out"]
    assert sha256(next(path for path in tmp_path.rglob("o*") if path.is_file())) == before


def test_a_directory_is_replaced_as_a_whole_and_a_link_without_its_target(tmp_path: Path) -> None:
    path, link = tmp_path / "out", tmp_path / "link"
    path.mkdir()
    (path / "old").write_bytes(b"cached")
    link.symlink_to(path / "old")
    with atomic(link) as temporary:
        temporary.write_bytes(b"new")
    assert ((path / "old").read_bytes(), link.read_bytes(), link.is_symlink()) == (b"cached", b"new", False)
    with atomic_dir(path) as temporary:
        (temporary / "new").write_bytes(b"")
        assert os.listdir(path) == ["old"]
    assert (os.listdir(path), sorted(os.listdir(tmp_path))) == (["new"], ["link", "out"])


def test_what_the_system_refuses_names_the_file_not_the_temporary_one(tmp_path: Path) -> None:
    with largest_file(1000), pytest.raises(OSError, match="File too large") as caught, atomic(tmp_path / "a") as new:
        new.write_bytes(b"x" * 5000)
    assert caught.value.filename == str(tmp_path / "a")
    with pytest.raises(FileNotFoundError) as missing, atomic(tmp_path / "a"):
        (tmp_path / "input").read_bytes()
    assert missing.value.filename == str(tmp_path / "input")
    assert os.listdir(tmp_path) == []


DIES = """
import os, signal, sys
from pathlib import Path
from nnlab.files import atomic
with atomic(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_left_goes_and_what_a_living_one_needs_stays(tmp_path: Path) -> None:
    path = tmp_path / "out.v1"
    for _ in range(2):
        ended = subprocess.run([sys.executable, "-c", DIES, str(path)], check=False)
        assert ended.returncode == -signal.SIGKILL
    assert len(os.listdir(tmp_path)) == 1, "the second process removed what the first one had left"
    with atomic(path) as living, atomic(path) as other:  # as two processes would
        assert len(os.listdir(tmp_path)) == 2
        living.write_bytes(b"1")
        other.write_bytes(b"2")
    assert os.listdir(tmp_path) == ["out.v1"]
