"""Pictures in folders and archives: read in a fixed order, nothing unpacked, nothing escapes, nothing explodes."""

import gzip
import io
import os
import random
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nnlab.data.archives import count, is_archive, pictures
from nnlab.data.packing import pack
from nnlab.data.pictures import LeftOut
from nnlab.errors import UserError
from tests.data.test_pools import encoded
from tests.memory import measured

pytestmark = pytest.mark.faults
FLIPS = 600 if os.environ.get("NNLAB_FAULTS") == "full" else 60

FILES = {"b/2.jpg": encoded(2), "a.png": encoded(1, kind="PNG"), "b/c/3.JPEG": encoded(3), "b/notes.txt": b"hello"}


def in_folder(path: Path) -> Path:
    for name, data in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def in_zip(path: Path, files: dict[str, bytes] = FILES) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def in_tar(path: Path, mode: str = "w", files: dict[str, bytes] = FILES) -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return path


def in_parquet(path: Path, plain: bool = False) -> Path:
    cells = [data if plain else {"bytes": data, "path": name} for name, data in FILES.items() if name != "b/notes.txt"]
    return write_parquet(path, cells)


def write_parquet(path: Path, cells: list, **options: Any) -> Path:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table({"style": ["x"] * len(cells), "image": cells}), path, **options)
    return path


READY = "import pyarrow.parquet"  # so that only the reading is measured


def read(path: Path) -> dict[str, bytes]:
    return {picture.name: picture.read() for picture in pictures(path)}


EXPECTED = {name: data for name, data in FILES.items() if name != "b/notes.txt"}
MAKERS: dict[str, Callable[[Path], Path]] = {
    "folder": in_folder,
    "s.zip": in_zip,
    "s.tar": in_tar,
    "s.tar.gz": lambda path: in_tar(path, "w:gz"),
    "s.tgz": lambda path: in_tar(path, "w:gz"),
    "s.tar.bz2": lambda path: in_tar(path, "w:bz2"),
    "s.tar.xz": lambda path: in_tar(path, "w:xz"),
    "no-ending": in_zip,
    "s.parquet": in_parquet,
}


@pytest.mark.parametrize("name", MAKERS)
def test_every_kind_of_container_gives_the_same_pictures(tmp_path: Path, name: str) -> None:
    before = set(os.listdir(tmp_path))
    path = MAKERS[name](tmp_path / name)
    assert read(path) == EXPECTED
    assert count(path) in (0, 3, 4)
    assert set(os.listdir(tmp_path)) - before == {name}


def test_a_folder_of_archives_is_read_too(tmp_path: Path) -> None:
    in_folder(tmp_path)
    in_zip(tmp_path / "b/more.zip", {"x.jpg": encoded(8)})
    in_tar(tmp_path / "again.tar", files={"y.jpg": encoded(9)})
    (tmp_path / ".hidden.zip").write_bytes(b"no zip")
    (tmp_path / "b/.trash").mkdir()
    (tmp_path / "b/.trash/old.zip").write_bytes(b"no zip")
    (tmp_path / "labels.gz").write_bytes(gzip.compress(b"labels"))
    assert list(read(tmp_path)) == ["a.png", "b/2.jpg", "b/c/3.JPEG", "y.jpg", "x.jpg"]


def test_parquet_of_plain_bytes_gets_numbered_names(tmp_path: Path) -> None:
    assert list(read(in_parquet(tmp_path / "p.parquet", plain=True))) == ["p.parquet#0", "p.parquet#1", "p.parquet#2"]


@pytest.mark.parametrize("maker", [in_zip, in_tar])
def test_nothing_escapes_whatever_the_names_are(tmp_path: Path, maker: Callable[..., Path]) -> None:
    names = ["../up.jpg", "/etc/absolute.jpg", "..\\windows.jpg", "C:\\drive.jpg", "a/../../b.jpg", "x" * 400 + ".jpg"]
    files = {name: encoded(n) for n, name in enumerate(names)} | {"__MACOSX/._a.jpg": b"attributes", ".dot.jpg": b"x"}
    path = maker(tmp_path / "inside" / "set", files=files) if (tmp_path / "inside").mkdir() is None else None
    assert path
    summary = pack(pictures(path), tmp_path / "inside" / "pool", 64)
    assert summary["images"] == len(names)
    assert {p.name for p in tmp_path.iterdir()} == {"inside"}
    assert {p.name for p in (tmp_path / "inside").iterdir()} == {"set", "pool"}
    assert not Path("/etc/absolute.jpg").exists()


def test_links_and_devices_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(encoded(1))
    with tarfile.open(tmp_path / "set.tar", "w") as archive:
        for name, kind in (("s.jpg", tarfile.SYMTYPE), ("h.jpg", tarfile.LNKTYPE), ("f.jpg", tarfile.FIFOTYPE)):
            header = tarfile.TarInfo(name)
            header.type, header.linkname = kind, str(tmp_path / "secret.jpg")
            archive.addfile(header)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        link = zipfile.ZipInfo("l.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, str(tmp_path / "secret.jpg"))
    for path, reasons in (("set.tar", ["link", "link", "special"]), ("set.zip", ["link"])):
        found = []
        for picture in pictures(tmp_path / path):
            with pytest.raises(LeftOut) as caught:
                picture.read()
            found.append(str(caught.value).partition(":")[0])
        assert found == reasons


def test_a_loop_of_links_in_a_folder_ends(tmp_path: Path) -> None:
    in_folder(tmp_path / "set")
    (tmp_path / "set/b/loop").symlink_to(tmp_path / "set")
    (tmp_path / "set/gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert {p.name for p in pictures(tmp_path / "set")} == {*EXPECTED, "gone.jpg"}
    (tmp_path / "set/self.jpg").symlink_to("self.jpg")
    os.mkfifo(tmp_path / "set/pipe.jpg")
    assert pack(pictures(tmp_path / "set"), tmp_path / "pool", 64)["left_out"] == {"link": 2, "special": 1}


def test_a_zip_entry_that_begins_nowhere_is_left_out(tmp_path: Path) -> None:
    path = in_zip(tmp_path / "s.zip")
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.find(b"PK\x01\x02") + 42, 0xFFFFFF00)
    path.write_bytes(data)
    assert pack(pictures(path), tmp_path / "pool", 64)["left_out"] == {"damaged": 1}


def refused(path: Path, message: str, *, megabytes: float = 16.0, setup: str = "") -> None:
    """Reading everything ends in one line, in little time and memory."""
    setup = f"from pathlib import Path; from nnlab.data import archives, limits, pictures, parquet\n{setup}"
    code = "for picture in archives.pictures(Path(sys.argv[1])): picture.read()"
    mib, seconds, said = measured(setup, code, path)
    assert said.startswith("UserError: ")
    assert message in said
    assert "\n" not in said
    assert mib < megabytes
    assert seconds < 30


def test_a_zip_bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(8):
            archive.writestr(f"{n}.jpg", bytes(4 << 20))
    refused(tmp_path / "bomb.zip", "decompression bomb", setup="limits.GROWTH_ALLOWED = 1 << 20")


def test_a_zip_entry_that_lies_about_its_size_is_left_out(tmp_path: Path) -> None:
    path = in_zip(tmp_path / "lie.zip", {"0.jpg": encoded(0)})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 10)  # the directory claims 10 bytes
    path.write_bytes(data)
    assert pack(pictures(path), tmp_path / "pool", 64, least=0)["left_out"] == {"damaged": 1}


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_a_tar_bomb_is_stopped_while_it_is_read(tmp_path: Path, kind: str) -> None:
    in_tar(tmp_path / "bomb.tar", f"w:{kind}", {f"{n}.jpg": bytes(1 << 20) for n in range(64)})
    refused(tmp_path / "bomb.tar", "decompression bomb", setup="limits.GROWTH_ALLOWED = 4 << 20")


def test_a_parquet_bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    cells = [{"bytes": bytes(8 << 20), "path": f"{n}.jpg"} for n in range(16)]
    write_parquet(tmp_path / "bomb.parquet", cells, compression="zstd", use_dictionary=False)
    refused(tmp_path / "bomb.parquet", "decompression bomb", setup="limits.GROWTH_ALLOWED = 64 << 20; " + READY)
    setup = "parquet._GROUP_BYTES = 64 << 20; " + READY
    refused(tmp_path / "bomb.parquet", "a row group of 134218", setup=setup)
    refused(tmp_path / "bomb.parquet", "16 rows, at most 15 are read", setup="parquet.MAX_ENTRIES = 15; " + READY)


def test_a_parquet_file_is_read_in_the_memory_of_one_page(tmp_path: Path) -> None:
    noise = random.Random(1)
    cells = [{"bytes": noise.randbytes(1 << 20), "path": f"{n}.jpg"} for n in range(64)]
    write_parquet(tmp_path / "large.parquet", cells, compression="snappy", row_group_size=8)
    setup = "from pathlib import Path; from nnlab.data import archives; " + READY
    code = "assert [len(one.read()) for one in archives.pictures(Path(sys.argv[1]))] == [1 << 20] * 64"
    mib, _, said = measured(setup, code, tmp_path / "large.parquet")
    assert said == ""
    assert mib < 36  # of 64; a row group has 8, and pyarrow needs it twice


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_with_a_huge_header_is_refused(tmp_path: Path, kind: bytes) -> None:
    header = tarfile.TarInfo("x.jpg")
    header.type, header.size = kind, 8 << 30
    (tmp_path / "huge.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20))
    refused(tmp_path / "huge.tar", "header of 8589934592 bytes")
    in_tar(tmp_path / "first.tar", files={"a.jpg": encoded(1)})
    with (tmp_path / "first.tar").open("r+b") as file:  # the same as the second header
        file.seek(1024 + len(encoded(1)) // 512 * 512)
        file.write(header.tobuf(tarfile.GNU_FORMAT))
    refused(tmp_path / "first.tar", "header of 8589934592 bytes")


def test_a_sparse_giant_in_a_tar_is_left_out(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x.jpg")
    header.size = 1 << 40
    (tmp_path / "giant.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 16))
    with pytest.raises(UserError, match="damaged"):
        list(pictures(tmp_path / "giant.tar"))


def test_a_million_entries_in_a_zip_are_refused_by_the_directory(tmp_path: Path) -> None:
    directory = 46 * (1 << 20)  # claimed by the zip64 record, of entries that are not even there
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1 << 20, 1 << 20, directory, 0)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, 30, 1)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    (tmp_path / "many.zip").write_bytes(bytes(30) + record + locator + end)
    refused(tmp_path / "many.zip", "1048576 entries")


@pytest.mark.parametrize("entries", [3000, 60_000])
def test_memory_does_not_grow_with_the_entries_of_a_tar(tmp_path: Path, entries: int) -> None:
    header = tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT)
    with gzip.open(tmp_path / "many.tar.gz", "wb", compresslevel=1) as file:
        for _ in range(entries // 1000):
            file.write(header * 1000)
        file.write(bytes(1024))
    if entries > 5_000:
        setup = "archives.MAX_ENTRIES = 50_000; limits.GROWTH_ALLOWED = 1 << 40"
        refused(tmp_path / "many.tar.gz", "more than 50000 entries", setup=setup, megabytes=8)
    else:
        assert list(pictures(tmp_path / "many.tar.gz")) == []


@pytest.mark.parametrize("name", ["s.zip", "s.tar", "s.tar.gz", "s.tar.bz2", "s.tar.xz", "s.parquet"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_cut_archive_is_an_error_in_one_line_or_has_its_whole_pictures(
    tmp_path: Path, name: str, share: float
) -> None:
    path = MAKERS[name](tmp_path / name)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    found, line = None, ""
    try:
        found = read(path)
    except UserError as error:
        line = str(error)
    assert found == EXPECTED or (str(path) in line and "\n" not in line)  # of a tar only zeros may be cut


@pytest.mark.parametrize("name", ["s.zip", "s.tar", "s.tar.gz", "s.tar.bz2", "s.tar.xz", "s.parquet"])
def test_after_a_flipped_bit_no_picture_is_missing_without_a_word(tmp_path: Path, name: str) -> None:
    """A picture may come damaged; of a tar, it may even come changed: only its headers have a checksum."""
    path, draw = MAKERS[name](tmp_path / name), random.Random(name)
    sound = path.read_bytes()
    spared = set()
    if name == "s.zip":  # the names in a zip's directory have no checksum: one may lose its ending
        spared = {sound.rfind(label.encode()) + n for label in FILES for n in range(len(label))}
    for at in draw.sample([at for at in range(len(sound)) if at not in spared], FLIPS):
        damaged = bytearray(sound)
        damaged[at] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        found, line = 0, ""
        try:
            is_archive(path)
            count(path)
            found = sum(1 for _ in pictures(path))
        except UserError as error:
            line = str(error)
        assert found == len(EXPECTED) or (str(path) in line and "\n" not in line), f"bit flipped in byte {at}"


def test_a_zip_that_lists_fewer_entries_than_it_counts_is_damaged(tmp_path: Path) -> None:
    path = in_zip(tmp_path / "s.zip")
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, data.find(b"PK\x01\x02") + 32, 5000)  # a comment that covers what follows
    path.write_bytes(data)
    with pytest.raises(UserError, match="1 of 4 entries"):
        read(path)


@pytest.mark.parametrize("damage", ["bit", "zeros", "cut"])
@pytest.mark.parametrize("member", [1, 5, 11])
def test_a_damaged_header_in_a_tar_is_not_its_end(tmp_path: Path, damage: str, member: int) -> None:
    path = in_tar(tmp_path / "s.tar", files={f"{n}.jpg": encoded(n) for n in range(12)})
    with tarfile.open(path) as archive:
        at = archive.getmembers()[member].offset
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[at:]
    else:
        data[at : at + 512] = bytes(512) if damage == "zeros" else bytes([data[at] ^ 1]) + data[at + 1 : at + 512]
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"s\.tar: no zip, tar or parquet file, or a damaged one \(.*\); get it again"):
        read(path)


def test_the_checksum_at_the_end_of_a_packed_tar_is_looked_at(tmp_path: Path) -> None:
    path = in_tar(tmp_path / "s.tar.gz", "w:gz")
    data = bytearray(path.read_bytes())
    data[-8] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="CRC check failed"):
        read(path)


def test_a_tar_whose_last_member_is_a_zip_is_a_tar(tmp_path: Path) -> None:
    inner = in_zip(tmp_path / "inner.zip", {"inner.jpg": encoded(7)}).read_bytes()
    path = in_tar(tmp_path / "s.tar", files={"a.jpg": encoded(1), "inner.zip": inner})
    path.write_bytes(path.read_bytes().rstrip(b"\0") + bytes(1024))
    assert is_archive(path)
    assert list(read(path)) == ["a.jpg"]


def test_what_is_no_archive_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"hello" * 1000)
    with pytest.raises(UserError, match="no zip, tar or parquet file"):
        list(pictures(tmp_path / "text"))
    with pytest.raises(UserError, match="not found"):
        list(pictures(tmp_path / "nowhere"))


def test_without_pyarrow_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and more")
    with pytest.raises(UserError, match="pip install pyarrow"):
        list(pictures(tmp_path / "x.parquet"))
