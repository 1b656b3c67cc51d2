"""Paintings and photos out of GCompris's files: small ones made here, and the real ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnlab.data import gallery
from nnlab.data.catalog import check, fetch
from nnlab.data.gallery import (
    HELD_OUT_PAINTINGS,
    HELD_OUT_PHOTOS,
    STAND_IN_PAINTING,
    STAND_IN_PHOTO,
    assemble,
    build_gallery,
    caption,
    find_picture,
    read_entries,
)
from nnlab.data.gcompris import gcompris_asset
from nnlab.data.images import list_images
from nnlab.data.works import Piece, read_rights
from nnlab.errors import UserError
from nnlab.files import sha256
from tests.tools import needs

JIGSAW = """
   property string instruction: qsTr("Katsushika Hokusa, Kazusa sea Route - 1830.")
      { "pixmapfile" : "image/bg.svg", "type" : "SHAPE_BACKGROUND_IMAGE" },
      { "pixmapfile" : "image/left.webp", "x" : "0.25", "y" : "0.5" },
      { "pixmapfile" : "image/right.webp",
         "x" : "0.7", "y" : "0.5" }
"""
WHOLE = """
   property string instruction: qsTr("Vincent van Gogh, Portrait of Pere Tanguy 1887-8")
      { "pixmapfile" : "image/Tanguy_background.webp", "type" : "SHAPE_BACKGROUND_IMAGE" },
      { "pixmapfile" : "image/Tanguy_0.webp", "x" : "0.1", "y" : "0.2" }
"""
MONUMENTS = """
    { "title": qsTr("Schwerin Palace"),
      "image2": "qrc:/gcompris/src/activities/explore_monuments/resource/germany/schwerinPalace.webp",
      "text2": qsTr("A palace"), "x": "0.2" },
    { "title": qsTr("Not taken"), "image2": "qrc:/gcompris/src/activities/explore_monuments/resource/no.webp" }
"""
READMES = {
    "paintings/resource/image": "Copyright:\n  Copyright 1994 A\n  Copyright 2008 B\nLicense: GPLv3 or later\n"
    "Comment:\n  All the paintings are from the WebMuseum.\nFiles:\n  left.webp\n  right.webp\n",
    "details/resource/image": "Copyright: 2008 B\nLicense: Public domain\nTanguy_0.webp\nTanguy_background.webp\n"
    "Comment: based on an original painting by Van Gogh\n",
    "explore_monuments/resource": "Copyright: C\nLicense: CC0-1.0\nSource: https://x.org/a.jpg\n"
    "Files:\ngermany/schwerinPalace.webp\n\nCopyright: D\nLicense: other\nFiles:\nno.webp\n",
    "erase/resource": "Files: red_panda.webp\nSource: https://x.org/b.jpg\nLicense: CC0\nCopyright: E\nComments: cut\n",
}


@pytest.fixture
def resources(tmp_path: Path) -> Path:
    """A painting in two tiles, a whole one, a monument with a title and an animal without."""
    root = tmp_path / "gcompris"
    for folder, text in READMES.items():
        (root / folder).mkdir(parents=True)
        (root / folder / "README").write_text(text, encoding="utf-8")
    for activity, text in (("paintings", JIGSAW), ("details", WHOLE), ("explore_monuments", MONUMENTS)):
        (root / activity / "resource/board").mkdir()
        (root / activity / "resource/board/board1.qml").write_text(text, encoding="utf-8")
    for number, name in enumerate(
        ("paintings/resource/image/left", "paintings/resource/image/right", "details/resource/image/Tanguy_background",
         "explore_monuments/resource/germany/schwerinPalace", "erase/resource/red_panda")
    ):  # fmt: skip
        (root / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (40, 30), (50 * number, 0, 0)).save(root / f"{name}.webp", lossless=True)
    return root


def test_a_gallery_has_the_pictures_by_kind_and_part(resources: Path, tmp_path: Path) -> None:
    build_gallery(resources, tmp_path / "pictures")
    entries = {entry.file: entry for entry in read_entries(tmp_path / "pictures")}
    assert list(entries) == [
        "paintings/held_out/portrait_of_pere_tanguy.png",
        "paintings/train/kazusa_sea_route.png",
        "photos/held_out/erase_red_panda.webp",
        "photos/held_out/germany_schwerinPalace.webp",
    ]
    files = [path.relative_to(tmp_path / "pictures").as_posix() for path in list_images(tmp_path / "pictures")]
    assert sorted(files) == list(entries)
    assert [entry.held_out for entry in entries.values()] == ["yes", "no", "yes", "yes"]
    palace = "photos/held_out/germany_schwerinPalace.webp"
    copied = resources / entries[palace].source
    assert (tmp_path / "pictures" / palace).read_bytes() == copied.read_bytes()


def test_the_table_has_titles_and_licences(resources: Path, tmp_path: Path) -> None:
    build_gallery(resources, tmp_path / "pictures")
    portrait, kazusa, panda, palace = read_entries(tmp_path / "pictures")
    assert (portrait.artist, portrait.title, portrait.year) == ("Vincent van Gogh", "Portrait of Père Tanguy", "1887-8")
    assert kazusa.caption == "Katsushika Hokusai: Kazusa Sea Route (1830)"
    assert (kazusa.copyright, kazusa.licence) == ("Copyright 1994 A; Copyright 2008 B", "GPLv3 or later")
    assert (panda.caption, panda.copyright, panda.licence) == ("Red panda", "E", "CC0")
    assert panda.origin == "https://x.org/b.jpg; cut"
    assert (palace.caption, palace.source) == (
        "Schwerin Palace",
        "explore_monuments/resource/germany/schwerinPalace.webp",
    )
    assert caption(tmp_path / "pictures" / palace.file) == "Schwerin Palace"
    assert caption(resources / palace.source) == "schwerinPalace.webp"


def test_pictures_are_found_by_name(tmp_path: Path, resources: Path) -> None:
    build_gallery(resources, tmp_path / "pictures")
    assert find_picture(tmp_path / "pictures", "erase_red_panda").parent.name == "held_out"
    with pytest.raises(UserError, match="pictures: has no picture mona_lisa; run"):
        find_picture(tmp_path / "pictures", "mona_lisa")
    (tmp_path / "pictures/provenance.csv").write_text("file,title\n")
    with pytest.raises(UserError, match=r"provenance\.csv: missing or damaged"):
        read_entries(tmp_path / "pictures")


def tile(path: Path, pixels: list[list[tuple[int, int, int, int]]]) -> Path:
    Image.fromarray(np.array(pixels, dtype=np.uint8)).save(path)
    return path


def test_tiles_are_put_together_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field of 8 x 4; a gap in the left tile's second row; half of the right tile's corner shows the left one."""
    monkeypatch.setattr(gallery, "FIELD", (8, 4))
    monkeypatch.setattr(gallery, "MARGIN", 0)
    red, none, half, green = (200, 0, 0, 255), (0, 0, 0, 0), (0, 100, 0, 128), (0, 100, 0, 255)
    left = tile(tmp_path / "left.png", [[red, red, red], [none, red, red]])  # at x 1 to 3, y 1 to 2
    right = tile(tmp_path / "right.png", [[half, green], [green, green]])  # at x 3 to 4, y 1 to 2
    made = assemble([Piece(left, (2.5 / 8, 0.5)), Piece(right, (0.5, 0.5))])
    assert made.mode == "RGB"
    assert np.asarray(made).tolist() == [
        [[200, 0, 0], [200, 0, 0], [100, 50, 0], [0, 100, 0]],
        [[200, 0, 0], [200, 0, 0], [0, 100, 0], [0, 100, 0]],
    ]


def test_the_margin_is_cut_off(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "whole.png")
    assert assemble([Piece(tmp_path / "whole.png")]).size == (24, 14)


def test_a_readme_without_a_licence_for_a_picture_gives_none() -> None:
    found = dict(read_rights("Copyright: A\nLicense: B\nFiles:\na.webp\nb.svg\n\nCopyright: C\nc.webp\n"))
    assert {name: (rights.copyright, rights.licence) for name, rights in found.items()} == {
        "a.webp": ("A", "B"),
        "c.webp": ("C", ""),
    }


@pytest.mark.registry
def test_the_pictures_come_through_the_debian_package(tmp_path: Path) -> None:
    needs("apt-get")
    asset = gcompris_asset()
    fetch(replace(asset, sources=asset.sources[:1]), tmp_path / "gcompris")
    build_gallery(tmp_path / "gcompris", tmp_path / "pictures")
    entries = read_entries(tmp_path / "pictures")
    parts = [Path(entry.file).parent.as_posix() for entry in entries]
    assert {part: parts.count(part) for part in parts} == {
        "paintings/held_out": 6,
        "paintings/train": 23,
        "photos/held_out": 16,
        "photos/train": 174,
    }
    stems = {Path(entry.file).stem for entry in entries if entry.held_out == "yes"}
    assert stems == HELD_OUT_PAINTINGS | HELD_OUT_PHOTOS
    assert {STAND_IN_PAINTING, STAND_IN_PHOTO} <= stems
    assert len({sha256(tmp_path / "pictures" / entry.file) for entry in entries}) == len(entries)
    assert all(entry.copyright and entry.licence and entry.origin for entry in entries)
    assert all(entry.artist for entry in entries if entry.file.startswith("paintings"))
    (tmp_path / "gcompris" / entries[0].source).write_bytes(b"junk")
    with pytest.raises(UserError, match="missing or damaged; delete it and run `dvc repro -f -s fetch_gcompris`"):
        check(asset, tmp_path / "gcompris")
