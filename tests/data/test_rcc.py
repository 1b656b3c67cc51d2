"""Qt resource files, made here byte by byte."""

import struct
import zlib
from pathlib import Path

import pytest

from nnlab.data import rcc
from nnlab.data.rcc import read_rcc
from nnlab.errors import UserError

FOLDER, PACKED, ZSTD = 2, 1, 4


def resource_file(path: Path, version: int = 3, flags: int = 0, content: bytes = b"hello", children: int = 2) -> Path:
    """A root with the folder "dir", which has "a.txt" of `content` (as it is stored, with `flags`) and "ü" of b"x"."""
    names, offsets = b"", []
    for name in ("dir", "a.txt", "ü"):
        offsets.append(len(names))
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    data = struct.pack(">I", len(content)) + content
    second, data = len(data), data + struct.pack(">I", 1) + b"x"
    rest = bytes(8 if version >= 2 else 0)
    tree = struct.pack(">IHII", 0, FOLDER, 1, 1) + rest  # the root: one child, entry 1
    tree += struct.pack(">IHII", offsets[0], FOLDER, children, 2) + rest
    tree += struct.pack(">IHII", offsets[1], flags, 0, 0) + rest
    tree += struct.pack(">IHII", offsets[2], 0, 0, second) + rest
    header = struct.pack(">4s4I", b"qres", version, 20, 20 + len(tree), 20 + len(tree) + len(data))
    path.write_bytes(header + tree + data + names)
    return path


@pytest.mark.parametrize("version", [1, 2, 3])
def test_files_by_their_paths(tmp_path: Path, version: int) -> None:
    assert read_rcc(resource_file(tmp_path / "a.rcc", version)) == {"dir/a.txt": b"hello", "dir/ü": b"x"}


def test_a_packed_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = struct.pack(">I", 1000) + zlib.compress(bytes(1000))
    path = resource_file(tmp_path / "a.rcc", flags=PACKED, content=packed)
    assert read_rcc(path)["dir/a.txt"] == bytes(1000)
    monkeypatch.setattr(rcc, "MAX_BYTES", 999)
    with pytest.raises(UserError, match="unpacks to more than"):
        read_rcc(path)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"flags": ZSTD}, "packed with Zstandard"),
        ({"flags": PACKED, "content": b"0000junk"}, "incorrect header"),
        ({"flags": PACKED, "content": b"0000" + zlib.compress(b"whole")[:-1]}, "cut, or unpacks"),
        ({"version": 9}, "version 9"),
        ({"children": 1 << 30}, "more than 65536 entries"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path: Path, options: dict, reason: str) -> None:
    with pytest.raises(UserError, match=rf"a\.rcc: no Qt resource file that can be read \(.*{reason}.*get it again"):
        read_rcc(resource_file(tmp_path / "a.rcc", **options))


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = resource_file(tmp_path / "a.rcc").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.rcc").write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"cut\.rcc"):
            read_rcc(tmp_path / "cut.rcc")
