"""Pictures in folders and archives: read in a fixed order, nothing unpacked, nothing escapes, nothing explodes."""

import os
import random
import zipfile
from pathlib import Path

import pytest

from nnlab.data.containers import pictures
from nnlab.data.packing import pack
from nnlab.errors import UserError
from tests.data.test_imageset import encoded
from tests.datasets import write_files
from tests.tools import measured

pytestmark = pytest.mark.faults

FILES = {"b/2.jpg": encoded(2), "a.png": encoded(1, kind="PNG"), "b/c/3.JPEG": encoded(3), "b/notes.txt": b"hello"}
EXPECTED = {name: data for name, data in FILES.items() if name != "b/notes.txt"}


def in_folder(path: Path) -> Path:
    return write_files(path, FILES)


def in_zip(path: Path, files: dict[str, bytes] = FILES) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def in_parquet(path: Path, cells: list | None = None, column: str = "image", **options: object) -> Path:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    cells = cells or [{"bytes": data, "path": name} for name, data in EXPECTED.items()]
    parquet.write_table(pa.table({"style": ["x"] * len(cells), column: cells}), path, **options)
    return path


def read(path: Path) -> dict[str, bytes]:
    return {picture.name: picture.data for picture in pictures(path) if not picture.problem}


def problems(path: Path) -> dict[str, str]:
    return {picture.name: picture.problem for picture in pictures(path) if picture.problem}


MAKERS = {"folder": in_folder, "s.zip": in_zip, "s.parquet": in_parquet}


@pytest.mark.parametrize("name", MAKERS)
def test_every_kind_of_container_gives_the_same_pictures(tmp_path: Path, name: str) -> None:
    path = MAKERS[name](tmp_path / name)
    assert read(path) == EXPECTED
    assert os.listdir(tmp_path) == [name]
    if name != "s.parquet":
        assert problems(path) == {"b/notes.txt": "no picture: files ending in .txt are not read"}


def test_a_folder_of_archives_is_read_too_without_what_is_hidden_links_to_folders_and_pipes(tmp_path: Path) -> None:
    in_folder(tmp_path)
    in_zip(tmp_path / "b/more.zip", {"x.jpg": encoded(8)})
    write_files(tmp_path, {".hidden.zip": b"no zip", "b/.trash/old.zip": b"no zip", "provenance.json": b"{}"})
    (tmp_path / "b/loop").symlink_to(tmp_path)
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert list(read(tmp_path)) == ["a.png", "b/2.jpg", "b/c/3.JPEG", "x.jpg"]
    kinds = {name: problem.partition(":")[0] for name, problem in problems(tmp_path).items()}
    assert kinds == {"gone.jpg": "no file", "self.jpg": "no file", "pipe.jpg": "no file", "b/notes.txt": "no picture"}


def test_parquet_of_plain_bytes_gets_numbered_names(tmp_path: Path) -> None:
    path = in_parquet(tmp_path / "p.parquet", list(EXPECTED.values()))
    assert read(path) == dict(zip(("p.parquet#0", "p.parquet#1", "p.parquet#2"), EXPECTED.values()))


def test_nothing_escapes_whatever_the_names_are(tmp_path: Path) -> None:
    names = ["../up.jpg", "/etc/absolute.jpg", "C:\\..\\windows.jpg", "a/../../b.jpg", "x" * 400 + ".jpg"]
    files = {name: encoded(n) for n, name in enumerate(names)}
    files |= dict.fromkeys(["__MACOSX/._a.jpg", ".dot.jpg", ".trash/old.jpg"], b"hidden")
    (tmp_path / "inside").mkdir()
    summary = pack(pictures(in_zip(tmp_path / "inside/set.zip", files)), tmp_path / "inside/packed", 64)
    assert (summary["images"], summary["left_out"]) == (len(names), {})
    assert os.listdir(tmp_path) == ["inside"]
    assert set(os.listdir(tmp_path / "inside")) == {"set.zip", "packed"}


def test_what_claims_to_be_huge_is_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.jpg", bytes(200 << 20))
    assert problems(tmp_path / "bomb.zip") == {"0.jpg": "too large: 209715200 bytes, at most 134217728"}
    assert measured("from nnlab.data import containers", "list(containers.pictures(folder))", tmp_path) < 8


def test_a_parquet_file_is_read_in_the_memory_of_one_row_group(tmp_path: Path) -> None:
    noise = random.Random(1)
    cells = [{"bytes": noise.randbytes(1 << 20), "path": f"{n}.jpg"} for n in range(64)]
    in_parquet(tmp_path / "large.parquet", cells, compression="snappy", row_group_size=8)
    code = "assert [len(one.data) for one in containers.pictures(folder)] == [1 << 20] * 64"
    assert measured("from nnlab.data import containers", code, tmp_path) < 36  # of 64; pyarrow needs a group of 8 twice


@pytest.mark.parametrize("name", ["s.zip", "s.parquet"])
@pytest.mark.parametrize("share", [0.0, 0.7, 0.99])
def test_a_cut_archive_is_an_error_with_its_name(tmp_path: Path, name: str, share: float) -> None:
    path = MAKERS[name](tmp_path / name)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UserError, match=f"{path}: cannot be read .*get it again, or unpack it"):
        read(path)


def test_another_kind_of_file_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"s\.tar: not a folder, \.zip or \.parquet file; unpack another kind"):
        read(tmp_path / "s.tar")
    with pytest.raises(UserError, match=r"no column `image`; found style, painting"):
        read(in_parquet(tmp_path / "p.parquet", [b"x"], column="painting"))
