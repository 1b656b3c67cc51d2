"""Files that are whole or absent."""

import hashlib
import os
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nnlab.files import atomic, atomic_dir, sha256


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "out.json"
    with atomic(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".json"
        temporary.write_text("whole", encoding="utf-8")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "whole"
    assert names(path.parent) == {"out.json"}


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError), atomic(path) as temporary:
        temporary.write_text("half of the n" + "\ud800", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == {"out.txt"}


def test_results_are_readable_for_everybody_who_may(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        with atomic(tmp_path / "a") as temporary:
            temporary.write_bytes(b"x")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_long_chinese_name_works(tmp_path: Path) -> None:
    path = tmp_path / ("实" * 80 + ".csv")
    with atomic(path) as temporary:
        temporary.write_bytes(b"x")
    assert path.read_bytes() == b"x"


def test_a_link_is_replaced_and_its_target_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"cached")
    (tmp_path / "out").symlink_to(tmp_path / "cache")
    with atomic(tmp_path / "out") as temporary:
        temporary.write_bytes(b"new")
    assert (tmp_path / "cache").read_bytes() == b"cached"
    assert (tmp_path / "out").read_bytes() == b"new"
    assert not (tmp_path / "out").is_symlink()


def test_a_writer_that_changes_its_mind_about_the_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "a") as temporary:
        temporary.unlink()
    assert names(tmp_path) == set()


def test_what_the_system_refuses_names_the_file_not_the_temporary_one(tmp_path: Path) -> None:
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, old[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught, atomic(tmp_path / "a") as temporary:
            temporary.write_bytes(b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert caught.value.filename == str(tmp_path / "a")
    assert names(tmp_path) == set()


def test_an_error_about_another_file_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, atomic(tmp_path / "a"):
        (tmp_path / "input").read_bytes()
    assert caught.value.filename == str(tmp_path / "input")


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "plots").write_bytes(b"")
    with pytest.raises(FileExistsError), atomic(tmp_path / "plots" / "a"):
        pass


def test_a_directory_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.mkdir()
    (path / "old").write_bytes(b"")
    with atomic_dir(path) as temporary:
        (temporary / "new").write_bytes(b"")
        assert names(path) == {"old"}
    assert names(path) == {"new"}
    assert names(tmp_path) == {"out"}
    assert path.stat().st_mode & 0o777 == 0o755


def test_a_failed_directory_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.mkdir()
    (path / "old").write_bytes(b"")
    with pytest.raises(FileNotFoundError), atomic_dir(path) as temporary:
        (temporary / "new" / "deeper").write_bytes(b"")
    assert names(path) == {"old"}
    assert names(tmp_path) == {"out"}


DIES = """
import os, signal, sys
from pathlib import Path
from nnlab.files import atomic, atomic_dir
with (atomic_dir if sys.argv[2] == "dir" else atomic)(Path(sys.argv[1])) as temporary:
    (temporary / "half" if sys.argv[2] == "dir" else temporary).write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("kind", ["file", "dir"])
def test_what_a_killed_writer_left_goes_and_what_a_living_one_needs_stays(tmp_path: Path, kind: str) -> None:
    path, writer = tmp_path / "out.v1", atomic_dir if kind == "dir" else atomic
    for _ in range(2):
        subprocess.run([sys.executable, "-c", DIES, str(path), kind], check=False)
    left = names(tmp_path)
    assert len(left) == 1, "the second process removed what the first one had left"
    stem = "out.v1" if kind == "dir" else "out"
    others = {f".{stem}-2-abc", f".{stem}-{os.getpid()}-abcdefgh", ".other-999999999-abcdefgh", ".out", f".{stem}.v2"}
    for name in others:
        (tmp_path / name).write_bytes(b"")
    with writer(path) as living:
        if kind == "dir":
            (living / "a").write_bytes(b"1")
        with writer(path):  # another one of the same file, as a second process would be
            assert living.exists()
            assert not left & names(tmp_path)
    assert names(tmp_path) == {"out.v1", *others}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="another system's zombies cannot be told")
def test_a_killed_writer_that_nobody_has_waited_for_is_dead(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", DIES, str(tmp_path / "out"), "file"]) as writer:
        os.waitid(os.P_PID, writer.pid, os.WEXITED | os.WNOWAIT)
        assert len(names(tmp_path)) == 1
        with atomic(tmp_path / "out"):
            pass
        assert names(tmp_path) == {"out"}


def test_a_folder_goes_that_a_worker_of_a_killed_process_still_writes_into(tmp_path: Path) -> None:
    left = tmp_path / ".out-999999999-abcdefgh"
    left.mkdir()
    begun = threading.Event()

    def work() -> None:
        for number in range(200_000):
            (left / str(number)).touch()  # ends with FileNotFoundError, as a worker does
            begun.set()

    with ThreadPoolExecutor(1) as executor:
        worker = executor.submit(work)
        begun.wait()
        with atomic_dir(tmp_path / "out"):
            pass
        assert isinstance(worker.exception(), FileNotFoundError)
    assert names(tmp_path) == {"out"}


def test_a_folder_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed, path = [], tmp_path / "out"
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append((os.fstat(handle).st_ino, path.exists())))
    with atomic_dir(path) as temporary:
        (temporary / "deep").mkdir()
        (temporary / "deep/a").write_bytes(b"a")
        (temporary / "deep/link").symlink_to("a")
    inside = [path / "deep/a", path / "deep", path]
    assert {(item.stat().st_ino, False) for item in inside} | {(tmp_path.stat().st_ino, True)} == set(flushed)


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    big = b"0123456789" * 300_000  # more than one block
    (tmp_path / "b").write_bytes(big)
    assert sha256(tmp_path / "b") == hashlib.sha256(big).hexdigest()
