"""Paintings and photos out of GCompris's files: small ones made here, and the real ones."""

import hashlib
import struct
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnlab.data import gcompris
from nnlab.data.catalog import fetch
from nnlab.data.download import DownloadError, Source
from nnlab.data.gallery import ENTRIES, caption, find_picture
from nnlab.data.gcompris import FILES, GCOMPRIS, PIECES, Piece, build_gallery, rcc_source
from nnlab.data.pair import STAND_INS
from nnlab.errors import UserError
from nnlab.files import sha256
from tests.tools import needs, online

PORTRAIT = "paintings/held_out/portrait_of_pere_tanguy.png"


def test_the_tables_have_every_picture_once_with_its_rights() -> None:
    found = Counter(str(Path(entry.file).parent) for entry in ENTRIES)
    assert found == {"paintings/held_out": 6, "paintings/train": 23, "photos/held_out": 16, "photos/train": 174}
    assert all(entry.title and entry.copyright and entry.licence and entry.origin for entry in ENTRIES)
    assert all(bool(entry.artist) == entry.file.startswith("paintings/") for entry in ENTRIES)
    assert all((entry.held_out == "yes") == ("/held_out/" in entry.file) for entry in ENTRIES)
    first = {piece.picture: piece.source for piece in reversed(PIECES)}
    assert first == {Path(entry.file).stem: entry.source for entry in ENTRIES}
    assert len(first) == len(ENTRIES)
    assert set(STAND_INS.values()) < {Path(e.file).stem for e in ENTRIES if e.held_out == "yes"}


def test_a_gallery_has_paintings_without_margin_and_photos_as_they_are_by_name(tmp_path: Path, monkeypatch) -> None:
    """A gallery of one painting and one photo, whose files are of one colour."""
    gallery, names = tmp_path / "pictures", ("portrait_of_pere_tanguy", "erase_red_panda")
    chosen = [entry for entry in ENTRIES if Path(entry.file).stem in names]
    monkeypatch.setattr(gcompris, "ENTRIES", chosen)
    for entry in chosen:
        (tmp_path / "gcompris" / entry.source).parent.mkdir(parents=True)
        Image.new("RGB", (40, 30), "red").save(tmp_path / "gcompris" / entry.source)
    build_gallery(tmp_path / "gcompris", gallery)
    with Image.open(gallery / PORTRAIT) as painting:
        assert painting.size == (24, 14)
    photo = tmp_path / "gcompris/erase/resource/red_panda.webp"
    assert (gallery / "photos/held_out/erase_red_panda.webp").read_bytes() == photo.read_bytes()
    assert find_picture(gallery, "portrait_of_pere_tanguy") == gallery / PORTRAIT
    assert caption(gallery / PORTRAIT) == "Vincent van Gogh: Portrait of Père Tanguy (1887-8)"
    assert caption(find_picture(gallery, "erase_red_panda")) == "Red panda"
    assert caption(photo) == "red_panda.webp"
    with pytest.raises(UserError, match="pictures: has no picture mona_lisa; run"):
        find_picture(gallery, "mona_lisa")


def test_a_jigsaw_is_put_together_by_its_transparency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand, in a field of 8 x 4 pixels: a gap shows the pixel above it, a half transparent edge mixes."""
    monkeypatch.setattr(gcompris, "FIELD", (8, 4))
    monkeypatch.setattr(gcompris, "MARGIN", 0)
    red, none, half, green = (200, 0, 0, 255), (0, 0, 0, 0), (0, 100, 0, 128), (0, 100, 0, 255)
    for name, rows in {
        "left.png": [[red, red, red], [none, red, red]],  # at x 1 to 3, y 1 to 2
        "right.png": [[half, green], [green, green]],  # at x 3 to 4, y 1 to 2
    }.items():
        Image.fromarray(np.array(rows, np.uint8)).save(tmp_path / name)
    tiles = [Piece("", "left.png", str(2.5 / 8), "0.5", ""), Piece("", "right.png", "0.5", "0.5", "")]
    made = gcompris.assemble(tmp_path, tiles)
    assert made.mode == "RGB"
    assert np.asarray(made).tolist() == [
        [[200, 0, 0], [200, 0, 0], [100, 50, 0], [0, 100, 0]],
        [[200, 0, 0], [200, 0, 0], [0, 100, 0], [0, 100, 0]],
    ]


def test_a_file_of_the_package_is_known_by_its_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files between a header of 24 bytes and the names; the package has one that is asked for."""
    files = (b"drawing", b"photo")
    data = b"".join(struct.pack(">I", len(content)) + content for content in files)
    packed = struct.pack(">4s5I", b"qres", 3, 999, 24, 24 + len(data), 0) + data + b"\0\5names"
    source = rcc_source(Source("package", lambda name, path: path.write_bytes(packed) and None))
    for name, content in (("erase/photo.webp", b"photo"), ("erase/other.webp", b"other")):
        monkeypatch.setitem(FILES, name, hashlib.sha256(content).hexdigest())
    source.get("erase/photo.webp", tmp_path / "photo")
    assert (tmp_path / "photo").read_bytes() == b"photo"
    with pytest.raises(DownloadError, match=r"erase\.rcc has no such erase/other\.webp"):
        source.get("erase/other.webp", tmp_path / "other")


@pytest.mark.registry
def test_the_pictures_come_through_the_debian_package(tmp_path: Path) -> None:
    needs("apt-get")
    with online():
        fetch(replace(GCOMPRIS, sources=GCOMPRIS.sources[:1]), tmp_path / "gcompris")
    build_gallery(tmp_path / "gcompris", tmp_path / "pictures")
    assert len({sha256(tmp_path / "pictures" / entry.file) for entry in ENTRIES}) == len(ENTRIES)
