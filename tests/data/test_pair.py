import json
from dataclasses import replace

import pytest
from PIL import Image

from nnlab.data import pair
from nnlab.data.download import DownloadError, Source
from nnlab.data.gallery import find_picture
from nnlab.errors import UserError
from nnlab.files import sha256
from tests.pictures import make_gallery


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A gallery, an asset of two small pictures, and no network."""
    make_gallery(tmp_path / "pictures")
    (tmp_path / "originals").mkdir()
    for colour, name in (("blue", "cornell.jpg"), ("white", "woman_with_hat_matisse.jpg")):
        Image.new("RGB", (8, 8), colour).save(tmp_path / "originals" / name)

    def unreachable(name, target):
        raise DownloadError("cannot be reached")

    digests = {name: sha256(tmp_path / "originals" / original) for name, original in pair.ORIGINALS.items()}
    monkeypatch.setattr(pair, "PAIR", replace(pair.PAIR, files=digests, sources=(Source("nowhere", unreachable),)))
    monkeypatch.delenv("NNLAB_MIRROR", raising=False)
    return tmp_path


def fetch(world, mirror=""):
    return pair.fetch_pair(world / "pictures", world / "pair", mirror)


def record(world):
    return json.loads((world / "pair" / "provenance.json").read_text(encoding="utf-8"))


def names(world):
    return sorted(path.name for path in (world / "pair").iterdir())


def test_stand_ins_are_named_loudly(world, capsys):
    assert not fetch(world)
    assert names(world) == ["content.jpg", "provenance.json", "style.jpg"]
    assert record(world)["stand_in"] is True
    for text in (record(world)["note"], capsys.readouterr().err):
        assert "Title of germany_schwerinPalace in the place of cornell.jpg" in text
        assert "Artist: Title of portrait_of_pere_tanguy (1887) in the place of woman_with_hat_matisse.jpg" in text
        assert "STAND-IN" in text


def test_stand_ins_are_the_same_every_time(world):
    fetch(world)
    before = record(world)["files"]
    fetch(world)
    assert record(world)["files"] == before


def test_only_what_is_missing_is_replaced(world):
    (world / "pair").mkdir()
    (world / "originals" / "cornell.jpg").rename(
        world / "pair" / "cornell.jpg"
    )  # put there by hand, under its own name
    assert not fetch(world)
    assert sha256(world / "pair" / "content.jpg") == pair.PAIR.files["content.jpg"]
    assert "cornell" not in record(world)["note"]


@pytest.mark.parametrize("by_hand", [True, False])
def test_originals_by_hand_or_from_a_mirror(world, by_hand):
    if by_hand:
        (world / "originals").rename(world / "pair")
    assert fetch(world, "" if by_hand else str(world / "originals"))
    assert names(world) == ["content.jpg", "provenance.json", "style.jpg"]
    assert record(world)["stand_in"] is False


def test_originals_replace_stand_ins(world):
    fetch(world)
    assert fetch(world, str(world / "originals"))
    assert record(world)["stand_in"] is False


def test_no_painting_to_stand_in(world):
    find_picture(world / "pictures", "portrait_of_pere_tanguy").unlink()
    with pytest.raises(UserError, match="has no picture portrait_of_pere_tanguy; run `dvc repro -f -s fetch_pictures`"):
        fetch(world)
