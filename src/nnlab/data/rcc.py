"""Qt resource files (`.rcc`, magic `qres`): a tree of folders and files in one file, all numbers big-endian.

Header: magic, version, offsets of tree, data and names (u32 each). A tree entry is u32 offset of the name, u16 flags,
then for a folder u32 number and u32 index of its children, for a file four bytes of locale and u32 offset of its data.
Data: u32 length and the bytes. Names: u16 length, u32 hash, UTF-16. Source: Qt, `qtbase/src/tools/rcc/rcc.cpp`.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from nnlab.errors import UserError

MAX_BYTES = 1 << 26  # of one file inside, unpacked
MAX_ENTRIES = 1 << 16
_PACKED, _FOLDER, _ZSTD = 1, 2, 4  # flags


def read_rcc(path: Path) -> dict[str, bytes]:
    """The files inside by their paths ("folder/name"), which are labels only: nothing is written anywhere.

    Raises `UserError` where the file is damaged, packed with Zstandard, or unpacks to too much.
    """
    content = path.read_bytes()
    try:
        magic, version, tree, data, names = struct.unpack_from(">4s4I", content)
        if magic != b"qres" or version not in (1, 2, 3):
            raise ValueError(f"begins with {magic!r}, version {version}, not with b'qres', version 1 to 3")
        entries = _walk(content, tree, names, 14 if version == 1 else 22)
        return {name: _unpacked(content, data + offset, flags) for name, flags, offset in entries}
    except (struct.error, UnicodeDecodeError, zlib.error, ValueError) as error:
        raise UserError(f"{path}: no Qt resource file that can be read ({error}); get it again") from None


def _walk(content: bytes, tree: int, names: int, size: int) -> Iterator[tuple[str, int, int]]:
    """Path, flags and data offset of every file; the limit also ends a tree that loops."""
    queue = [(0, "")]
    for entry, folder in queue:
        name, flags, first, second = struct.unpack_from(">IHII", content, tree + entry * size)
        path = f"{folder}{_name(content, names + name)}" if entry else ""  # the root's name is no name
        if not flags & _FOLDER:
            yield path, flags, second
        elif len(queue) + first > MAX_ENTRIES:
            raise ValueError(f"more than {MAX_ENTRIES} entries")
        else:
            queue.extend((child, f"{path}/" if path else "") for child in range(second, second + first))


def _name(content: bytes, offset: int) -> str:
    (length,) = struct.unpack_from(">H", content, offset)
    return _slice(content, offset + 6, 2 * length).decode("utf-16-be")


def _unpacked(content: bytes, offset: int, flags: int) -> bytes:
    (length,) = struct.unpack_from(">I", content, offset)
    data = _slice(content, offset + 4, length)
    if flags & _ZSTD:
        raise ValueError("packed with Zstandard, which is not supported")
    if not flags & _PACKED:
        return data
    unpacker = zlib.decompressobj()
    plain = unpacker.decompress(data[4:], MAX_BYTES)  # the first four bytes claim a length
    if not unpacker.eof:
        raise ValueError(f"cut, or unpacks to more than {MAX_BYTES >> 20} MiB")
    return plain


def _slice(content: bytes, offset: int, length: int) -> bytes:
    if offset + length > len(content):
        raise ValueError("cut short")
    return content[offset : offset + length]
