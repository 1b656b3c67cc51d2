import importlib.util
import json

import pytest

from nnlab.data import samples
from nnlab.data.images import read_image
from nnlab.errors import UserError
from nnlab.files import sha256


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("raw") / "samples"
    samples.fetch_samples(out)
    return out


def test_every_photo_is_there_and_readable(folder):
    files = sorted((folder / samples.PHOTOS).iterdir())
    assert [path.name for path in files] == sorted(sample.file for sample in samples.SAMPLES.values())
    assert len(files) >= 15
    for path in files:
        assert min(read_image(path).size) >= 256


def test_provenance_names_source_and_terms(folder):
    record = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    assert record["stand_in"] is False
    assert record["files"]["photos/china.jpg"] == sha256(folder / "photos" / "china.jpg")
    assert record["photos"]["china.jpg"]["source"].startswith("scikit-learn ")
    assert record["photos"]["china.jpg"]["licence"].startswith("CC BY 2.0")


def test_a_photo_that_its_package_lacks():
    with pytest.raises(UserError, match=r"absent\.png: not in an installed scikit-image; .*requirements\.txt"):
        samples.locate(samples.Sample("skimage", "data/absent.png", "", ""))


def test_a_package_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install scikit-learn"):
        samples.locate(samples.SAMPLES["china"])
