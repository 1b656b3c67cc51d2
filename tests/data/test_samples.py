import json
from pathlib import Path

import pytest

from nnlab.data import samples
from nnlab.data.images import read_image
from nnlab.errors import UserError
from nnlab.files import sha256


def test_every_photo_is_readable_and_its_source_and_terms_are_noted(tmp_path: Path) -> None:
    samples.fetch_samples(tmp_path / "samples")
    record = json.loads((tmp_path / "samples/provenance.json").read_text(encoding="utf-8"))
    files = sorted((tmp_path / "samples" / samples.PHOTOS).iterdir())
    assert [path.name for path in files] == sorted(record["photos"])
    assert len(files) == 17
    for path in files:
        assert min(read_image(path).size) >= 256
        assert record["files"][f"photos/{path.name}"] == sha256(path)
    assert record["stand_in"] is False
    assert record["photos"]["china.jpg"]["source"].startswith("scikit-learn ")
    assert record["photos"]["china.jpg"]["licence"].startswith("CC BY 2.0")


@pytest.mark.parametrize("path", ["skimage/data/absent.png", "absent/china.jpg"])
def test_a_photo_or_package_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    (tmp_path / "table.csv").write_text(f"package,path,subject,licence\nscikit-image,{path},x,x\n")
    monkeypatch.setattr(samples, "TABLE", tmp_path / "table.csv")
    with pytest.raises(UserError, match=r"(absent\.png|china\.jpg): not in an installed scikit-image; `pip install"):
        samples.fetch_samples(tmp_path / "samples")
    assert not (tmp_path / "samples").exists()
