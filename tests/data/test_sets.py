"""Image sets by name or path, against loopback servers: COCO's host, the Hugging Face hub, both sometimes failing."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nnlab.data import sets
from nnlab.data.imageset import read_manifest
from nnlab.data.sets import COCO, fetch_set, locate
from nnlab.errors import UserError
from stages import adain_prepare
from tests import quick
from tests.data.test_containers import EXPECTED, in_folder, in_parquet, in_zip
from tests.data.test_imageset import encoded
from tests.servers import Fault, Server, serve

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("workdir")]
PHOTOS = {f"val2017/{n:012d}.jpg": encoded(n) for n in range(9)}
ZIP = "/coco_val2017/val2017.zip"
COMMIT, LATER = "a1" * 20, "b2" * 20
SET, FILE = "datasets/Artificio/WikiArt", "data/train-0.parquet"
KEY = "adain.data.style"


def packed(fetched: Path, out: Path) -> list[str]:
    """The names in the set that the stage adain_prepare makes."""
    quick.write_params(Path(), {"adain.data.short_side": 64, "adain.data.least": 3})
    adain_prepare.main(fetched, Path("sample"), out)
    return [entry.name for entry in read_manifest(out)]


# ---- COCO ----


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """val2017.zip in small, with its own checksum in place of the real one's, and no official host."""
    content = in_zip(tmp_path / "made.zip", PHOTOS).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    small = replace(COCO["coco_val2017"], files={"val2017.zip": digest}, sources=(), size=len(content), needs=0)
    monkeypatch.setitem(COCO, "coco_val2017", small)
    return content


def test_coco_is_fetched_over_cuts_verified_and_packed(tmp_path: Path, archive: bytes) -> None:
    with serve({ZIP: archive}, {ZIP: [Fault(cut=1000), Fault(status=503)]}) as server:
        fetch_set("adain.data.content", "coco_val2017", tmp_path / "content", server.url)
        assert server.asked(ZIP) == ["", "bytes=1000-", "bytes=1000-"]
    assert {path.name for path in (tmp_path / "content").iterdir()} == {"val2017.zip", "provenance.json"}
    assert packed(tmp_path / "content", tmp_path / "set") == sorted(PHOTOS)
    assert json.loads((tmp_path / "set/summary.json").read_text())["source"] == "coco_val2017"
    fetch_set("adain.data.content", "sample", tmp_path / "content")
    assert [path.name for path in (tmp_path / "content").iterdir()] == ["provenance.json"]


def test_a_download_that_fails_is_told_with_the_ways_out(tmp_path: Path, archive: bytes) -> None:
    way_out = r"coco_val2017: cannot get .*HTTP 404.*; or get the pictures .* and give .* as adain\.data\.content"
    with serve({}) as server, pytest.raises(UserError, match=way_out):
        fetch_set("adain.data.content", "coco_val2017", tmp_path / "content", server.url)


# ---- WikiArt ----


def publish(server: Server, commit: str, data: bytes) -> None:
    """Make `data` the hub's `FILE` at `commit`, the newest one."""
    digest, where = hashlib.sha256(data).hexdigest(), f"/{SET}/resolve/{commit}/{FILE}"
    lfs = {"sha256": digest, "size": len(data), "pointerSize": 9}
    files = [{"rfilename": "README.md", "size": 3, "blobId": "x"}]
    files += [{"rfilename": FILE, "size": len(data), "blobId": "x", "lfs": lfs}]
    listed = {"id": "Artificio/WikiArt", "private": False, "tags": [], "downloads": 0, "sha": commit, "siblings": files}
    for path in (f"/api/{SET}", f"/api/{SET}/revision/{commit}"):
        server.files[path] = json.dumps(listed).encode()
    server.files[where] = data


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    huggingface_hub = pytest.importorskip("huggingface_hub")
    rows = in_parquet(tmp_path / "made.parquet").read_bytes()
    with serve({}) as server:
        publish(server, COMMIT, rows)  # the address as HF_ENDPOINT would name it, which is read at the import
        monkeypatch.setattr(huggingface_hub, "HfApi", partial(huggingface_hub.HfApi, server.url))
        yield server


def get(folder: Path, choice: str = "wikiart") -> dict[str, Any]:
    fetch_set(KEY, choice, folder)
    return json.loads((folder / "provenance.json").read_text(encoding="utf-8"))


def test_wikiart_comes_from_the_hub_and_is_packed(tmp_path: Path, hub: Server) -> None:
    provenance = get(tmp_path / "style")
    assert (provenance["name"], provenance["repository"]) == ("wikiart", "Artificio/WikiArt")
    assert provenance["revision"] == COMMIT
    assert provenance["files"] == {FILE: hashlib.sha256(hub.files[f"/{SET}/resolve/{COMMIT}/{FILE}"]).hexdigest()}
    files = [path for path in (tmp_path / "style").rglob("*") if path.is_file()]
    assert sorted(path.relative_to(tmp_path / "style").as_posix() for path in files) == [FILE, "provenance.json"]
    assert packed(tmp_path / "style", tmp_path / "set") == list(EXPECTED)


def test_it_stays_at_its_commit_unless_another_is_named(tmp_path: Path, hub: Server) -> None:
    first = get(tmp_path / "style")
    publish(hub, LATER, in_parquet(tmp_path / "p", list(EXPECTED.values())).read_bytes())
    served = dict(hub.files)
    hub.files.clear()
    get(tmp_path / "style", "sample")  # what it takes the place of is kept
    assert get(tmp_path / "style") == first  # whole, and its list is noted: the hub is not needed
    hub.files.update(served)
    (tmp_path / "style" / FILE).write_bytes(b"damaged since")
    assert get(tmp_path / "style") == first
    assert get(tmp_path / "style", f"wikiart@{LATER}")["revision"] == LATER
    (tmp_path / "style/provenance.json").unlink()
    assert get(tmp_path / "style", f"wikiart@{COMMIT}") == first


def test_what_the_hub_does_not_give_is_told_with_the_ways_out(hub: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    del hub.files[f"/{SET}/resolve/{COMMIT}/{FILE}"]
    with pytest.raises(UserError, match=r"(?s)wikiart: cannot get data/train-0\.parquet.*adain\.data\.style"):
        get(Path("style"))
    hub.files.clear()
    with pytest.raises(UserError, match=r"(?s)does not list .*; name another host in HF_ENDPOINT; or get the pictures"):
        get(Path("style"))
    monkeypatch.setattr(sets, "huggingface_hub", None)
    with pytest.raises(UserError, match="wikiart: needs huggingface_hub and pyarrow; `pip install"):
        get(Path("style"))


# ---- a path, the sample ----

PLACES = [(in_folder, "sample"), (in_folder, "mine"), (in_zip, "my.zip"), (in_parquet, "my.parquet")]


@pytest.mark.parametrize(("maker", "name"), PLACES)
def test_a_path_and_the_sample_are_packed_from_where_they_are(tmp_path: Path, maker: Any, name: str) -> None:
    path = maker(tmp_path / name)
    fetch_set(KEY, "sample" if name == "sample" else str(path), tmp_path / "style")
    assert [p.name for p in (tmp_path / "style").iterdir()] == ["provenance.json"]
    assert sorted(packed(tmp_path / "style", tmp_path / "set")) == sorted(EXPECTED)
    assert str(tmp_path) not in (tmp_path / "set/summary.json").read_text(encoding="utf-8")


def test_a_changed_folder_is_noticed(tmp_path: Path) -> None:
    folder = in_folder(tmp_path / "mine")
    fetch_set(KEY, str(folder), tmp_path / "style")
    assert locate(tmp_path / "style", Path("sample")) == (folder, "own pictures")
    os.utime(folder / "a.png", (1, 1))
    with pytest.raises(UserError, match=r"changed since fetch_set noted its .* run `dvc repro -s -f fetch_set@style"):
        packed(tmp_path / "style", tmp_path / "set")
    fetch_set(KEY, str(folder), tmp_path / "style")
    folder.rename(tmp_path / "drive")  # a network drive that went away
    with pytest.raises(UserError, match=r"mine: not found; name the pictures by an absolute path in adain\.data"):
        locate(tmp_path / "style", Path("sample"))


@pytest.mark.parametrize("choice", ["coco", "coco_val2017@main", "~nosuchuser/x"])
def test_an_unknown_choice_is_refused_with_what_is_allowed(tmp_path: Path, choice: str) -> None:
    allowed = "allowed: sample, coco_val2017, coco_train2017, wikiart, wikiart_full, or a folder, zip or parquet file"
    with pytest.raises(UserError, match=f"adain.data.content = '{choice}': no such folder or file; {allowed}"):
        fetch_set("adain.data.content", choice, tmp_path / "content")
