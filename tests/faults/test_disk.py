"""Disks that are full or may not be written to: one line, nothing half-written, and all is well afterwards."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness import FULL, Workplace, assert_one_line
from tests.tools import lacking

pytestmark = [pytest.mark.faults, pytest.mark.slow]
Make = Callable[..., Workplace]

BOUNDED = ("fashion_evaluate", "adain_export")


def stage_names() -> list[str]:
    from tests.test_pipeline import stages

    return sorted(name.rsplit(":", 1)[-1] for name in stages())


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """`disk(bytes)` mounts a small file system, or gives it another size."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False

    def mount(size: int, *options: str) -> Path:
        nonlocal mounted
        settings = ",".join([f"size={size}", *(["remount"] if mounted else []), *options])
        result = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", settings, "tmpfs", str(folder)], capture_output=True, text=True
        )
        if result.returncode:
            lacking(f"needs the right to mount a small file system: {result.stderr.strip()}")
        mounted = True
        return folder

    if shutil.which("mount") is None or os.geteuid() != 0:
        lacking("needs root, to mount a small file system")
    yield mount
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def size_of(place: Workplace) -> int:
    """Bytes of the stage's results in the finished run."""
    files = [f for name in place.job.outputs for f in [place.tree / name, *(place.tree / name).rglob("*")]]
    return sum(file.stat().st_size for file in files if file.is_file())


@pytest.mark.parametrize("name", stage_names() if FULL else BOUNDED)
def test_a_full_disk_is_named_and_after_it_is_freed_all_is_right(
    name: str, workplace: Make, disk: Callable[[int], Path], tmp_path: Path
) -> None:
    needed = size_of(workplace(name, tmp_path / "sizes"))
    page = os.sysconf("SC_PAGE_SIZE")
    # Links and folders take pages too, outside our count: fill the disk until the stage's results cannot fit.
    place = workplace(name, disk(512 << 20))
    free = shutil.disk_usage(place.root).free
    room = max(needed // 2 // page * page, 0)
    ballast = place.root / "ballast"
    with ballast.open("wb") as file:
        for _ in range((free - room) // (1 << 20)):
            file.write(bytes(1 << 20))
        file.write(bytes((free - room) % (1 << 20)))
    code, said = place.run()
    if code == 0:
        pytest.fail(f"{name} wrote {needed} bytes where {room} were free")
    assert_one_line(code, said, os.strerror(errno.ENOSPC), "free some space")
    place.assert_nothing_half_written()
    ballast.unlink()
    code, said = place.run()
    assert code == 0, said
    place.assert_right()


@pytest.mark.parametrize("name", stage_names() if FULL else BOUNDED[:1])
def test_a_read_only_disk_is_named(name: str, workplace: Make, disk: Callable[..., Path]) -> None:
    folder = disk(16 << 20)
    place = workplace(name, folder)
    disk(16 << 20, "ro")
    code, said = place.run()
    assert_one_line(code, said, os.strerror(errno.EROFS))
    disk(512 << 20, "rw")
    code, said = place.run()
    assert code == 0, said
    place.assert_right()


@pytest.mark.parametrize("name", stage_names() if FULL else BOUNDED[:1])
def test_a_folder_of_somebody_else_is_named(name: str, workplace: Make) -> None:
    """No right to write where the results go. Root, who may write everywhere, does without that power here."""
    place = workplace(name)
    folders = [place.root, *(path for path in place.root.rglob("*") if path.is_dir() and not path.is_symlink())]
    for folder in folders:
        folder.chmod(0o555)
    code, said = place.run(without_root_powers())
    assert_one_line(code, said, os.strerror(errno.EACCES))
    for folder in folders:
        folder.chmod(0o755)
    code, said = place.run()
    assert code == 0, said
    place.assert_right()


def without_root_powers() -> list[str]:
    """The beginning of a command that root's right to write everywhere does not reach; nothing for other users."""
    if os.geteuid():
        return []
    if shutil.which("setpriv") is None:
        lacking("needs setpriv, or another user than root")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
