import json
import os
from dataclasses import replace

import pytest
from PIL import Image

from nnlab.data import pair
from nnlab.errors import UserError
from nnlab.files import sha256
from tests.datasets import make_gallery


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A gallery, an asset of two small pictures, and no source."""
    make_gallery(tmp_path / "pictures")
    (tmp_path / "mirror/pair").mkdir(parents=True)
    for colour, name in (("blue", "content.jpg"), ("white", "style.jpg")):
        Image.new("RGB", (8, 8), colour).save(tmp_path / "mirror/pair" / name)
    digests = {name: sha256(tmp_path / "mirror/pair" / name) for name in pair.ORIGINALS}
    monkeypatch.setattr(pair, "PAIR", replace(pair.PAIR, files=digests, sources=()))
    return tmp_path


def fetch(world, mirror=""):
    """Whether the pair is there, without stand-ins."""
    pair.fetch_pair(world / "pictures", world / "pair", mirror)
    return not record(world)["stand_in"]


def record(world):
    return json.loads((world / "pair" / "provenance.json").read_text(encoding="utf-8"))


def test_stand_ins_are_named_loudly_and_are_the_same_every_time(world, capsys):
    assert not fetch(world)
    assert sorted(os.listdir(world / "pair")) == ["content.jpg", "provenance.json", "style.jpg"]
    before = record(world)
    for text in (before["note"], capsys.readouterr().err):
        assert "Schwerin Palace in the place of cornell.jpg" in text
        assert "Vincent van Gogh: Portrait of Père Tanguy (1887-8) in the place of woman_with_hat_matisse.jpg" in text
        assert "STAND-IN" in text
    fetch(world)
    assert record(world) == before


def test_only_what_is_missing_is_replaced(world):
    (world / "pair").mkdir()
    (world / "mirror/pair/content.jpg").rename(world / "pair" / "cornell.jpg")  # put there by hand
    assert not fetch(world)
    assert record(world)["files"]["content.jpg"] == pair.PAIR.files["content.jpg"]
    assert "cornell" not in record(world)["note"]


@pytest.mark.parametrize("by_hand", [True, False])
def test_originals_by_hand_or_from_a_mirror_replace_stand_ins(world, by_hand):
    fetch(world)
    for name in pair.ORIGINALS if by_hand else []:
        (world / "mirror/pair" / name).replace(world / "pair" / name)
    assert fetch(world, "" if by_hand else str(world / "mirror"))
    assert sorted(os.listdir(world / "pair")) == ["content.jpg", "provenance.json", "style.jpg"]
    assert record(world)["files"] == pair.PAIR.files


def test_the_users_own_pictures_are_kept_and_named(world):
    fetch(world)  # stand-ins lie there
    Image.new("RGB", (8, 8), "red").save(world / "pair" / "content.jpg")
    mine = sha256(world / "pair" / "content.jpg")
    for _ in range(2):  # a second run does not take them for stand-ins
        assert not fetch(world)
        assert sha256(world / "pair" / "content.jpg") == mine
        assert "the user's own content.jpg" in record(world)["note"]
        assert "Portrait of Père Tanguy (1887-8)" in record(world)["note"]
    Image.new("RGB", (8, 8), "green").save(world / "pair" / "style.jpg")
    assert fetch(world)
    assert record(world)["note"] == "the user's own content.jpg and style.jpg"


@pytest.mark.parametrize("name", ["content.png", "content.jfif"])
def test_a_picture_that_would_not_be_used_is_named_and_stays(world, name):
    (world / "pair").mkdir()
    Image.new("RGB", (8, 8)).save(world / "pair" / name)
    with pytest.raises(UserError, match=rf"pair: has {name}; the pair is content\.jpg and style\.jpg: convert"):
        fetch(world, str(world / "mirror"))
    assert os.listdir(world / "pair") == [name]
