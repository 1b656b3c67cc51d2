"""Image sets by name or path, against loopback servers: COCO's host, the Hugging Face hub, both sometimes failing."""

import hashlib
import importlib.util
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from nnlab.data import download, sets, wikiart
from nnlab.data.containers import pictures
from nnlab.data.imageset import ImageSet
from nnlab.data.sets import COCO, coco, fetch_set, fingerprint, locate
from nnlab.errors import UserError
from tests import quick
from tests.data.test_containers import EXPECTED, in_folder, in_parquet, in_zip
from tests.data.test_imageset import encoded
from tests.servers import Fault, serve

pytestmark = pytest.mark.faults
PHOTOS = {f"val2017/{n:012d}.jpg": encoded(n) for n in range(9)}
ZIP = "/coco_val2017/val2017.zip"
COMMIT, LATER = "a1" * 20, "b2" * 20
FILE = "data/train-0.parquet"
KEY = "adain.data.style"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(download, "sleep", lambda seconds: None)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.chdir(tmp_path)


def packed(fetched: Path, out: Path, least: int = 3) -> list[str]:
    """The names in the set that the stage adain_prepare makes."""
    spec = importlib.util.spec_from_file_location("adain_prepare", quick.ROOT / "stages" / "adain_prepare.py")
    assert spec is not None
    assert spec.loader is not None
    stage = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stage)
    Path("params.yaml").write_text((quick.ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    quick.override(Path("params.yaml"), {"adain.data.short_side": 64, "adain.data.least": least})
    stage.main(fetched, Path("sample"), out)
    return ImageSet(out).names


# ---- COCO ----


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """val2017.zip in small, with its own MD5 in place of the real one's, and no official host."""
    content = in_zip(tmp_path / "made.zip", PHOTOS).read_bytes()
    (tmp_path / "made.zip").unlink()
    digest = f"md5:{hashlib.md5(content).hexdigest()}"
    small = replace(COCO[0], files={"val2017.zip": digest}, sources=(), size=len(content), needs=0)
    monkeypatch.setattr(sets, "COCO", (small, COCO[1]))
    return content


def test_the_real_sets_are_those_of_the_publishers() -> None:
    val, train = COCO
    assert val.files == {"val2017.zip": "md5:442b8da7639aecaf257c1dceb8ba8c80"}
    assert train.files == {"train2017.zip": "md5:cced6f7f71b7629ddf16f17bbcfab6b2"}
    assert val.sources[0].name == "http://images.cocodataset.org/zips"
    assert {name: repository for name, (repository, _) in wikiart.SETS.items()} == {
        "wikiart": "Artificio/WikiArt",
        "wikiart_full": "huggan/wikiart",
    }


def test_coco_is_fetched_over_cuts_verified_and_packed(tmp_path: Path, archive: bytes) -> None:
    with serve({ZIP: archive}, {ZIP: [Fault(cut=1000), Fault(status=503)]}) as server:
        fetch_set("adain.data.content", "coco_val2017", tmp_path / "content", coco(server.url))
        assert server.asked(ZIP) == ["", "bytes=1000-", "bytes=1000-"]
    assert {path.name for path in (tmp_path / "content").iterdir()} == {"val2017.zip", "provenance.json"}
    assert packed(tmp_path / "content", tmp_path / "set") == sorted(PHOTOS)
    assert json.loads((tmp_path / "set/summary.json").read_text())["source"] == "coco_val2017"
    fetch_set("adain.data.content", "sample", tmp_path / "content", coco())
    assert [path.name for path in (tmp_path / "content").iterdir()] == ["provenance.json"]


@pytest.mark.parametrize(
    ("fault", "reason"), [(Fault(status=404), "HTTP 404"), (Fault(body=b"<html>log in</html>"), "has MD5")]
)
def test_a_download_that_fails_is_one_line_with_the_ways_out(
    tmp_path: Path, archive: bytes, fault: Fault, reason: str
) -> None:
    with serve({}, {"*": [fault]}) as server, pytest.raises(UserError, match=reason) as caught:
        fetch_set("adain.data.content", "coco_val2017", tmp_path / "content", coco(server.url))
    assert not list((tmp_path / "content").glob("*.zip")) + list((tmp_path / "content").glob("*.json"))
    line = str(caught.value)
    assert "\n" not in line
    for words in ("coco_val2017", "by hand", "sources.mirror", "adain.data.content"):
        assert words in line


# ---- WikiArt ----


@dataclass
class Hub:
    """Serves `files` of one data set at each commit, as the hub does, and notes the requests."""

    url: str
    newest: str
    files: dict[str, dict[str, bytes]]  # by commit, by path
    asked: list[str] = field(default_factory=list)
    checksums: bool = True

    def answer(self, path: str) -> tuple[bytes, dict[str, str]] | None:
        """Body and headers."""
        self.asked.append(path)
        parts = path.split("?")[0].strip("/").split("/")
        if parts[:2] == ["api", "datasets"]:
            kind, commit = parts[4:6] if parts[4:] else ("revision", "main")
            listed = self._listed(self.newest if commit == "main" else commit)
            return json.dumps(listed["tree"] if kind == "tree" else listed).encode(), {
                "Content-Type": "application/json"
            }
        commit, name = parts[4], "/".join(parts[5:])
        if (data := self.files.get(commit, {}).get(name)) is None:
            return None
        return data, {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": commit}

    def _listed(self, commit: str) -> dict[str, Any]:
        siblings: list[dict[str, Any]] = [{"rfilename": "README.md", "size": 3, "blobId": "x"}]
        tree: list[dict[str, Any]] = []
        for name, data in self.files[commit].items():
            digest, size = hashlib.sha256(data).hexdigest(), len(data)
            lfs = {"lfs": {"sha256": digest, "oid": digest, "size": size, "pointerSize": 9}} if self.checksums else {}
            siblings.append({"rfilename": name, "size": size, "blobId": "x", **lfs})
            tree.append({"type": "file", "path": name, "size": size, "oid": "x", **lfs})
        about = {"id": "Artificio/WikiArt", "private": False, "tags": [], "downloads": 0}
        return {**about, "sha": commit, "siblings": siblings, "tree": tree}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    pytest.importorskip("huggingface_hub")
    rows = in_parquet(tmp_path / "made.parquet").read_bytes()
    (tmp_path / "made.parquet").unlink()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self, body: bool = True) -> None:
            found = state.answer(self.path)
            self.send_response(200 if found else 404)
            data, headers = found or (b"", {"X-Error-Code": "EntryNotFound"})
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(data)

        def do_HEAD(self) -> None:
            self.do_GET(body=False)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Hub(f"http://127.0.0.1:{server.server_address[1]}", COMMIT, {COMMIT: {FILE: rows}})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", state.url + "/")
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def get(folder: Path, choice: str = "wikiart") -> dict[str, Any]:
    fetch_set(KEY, choice, folder, wikiart.wikiart(choice))
    return json.loads((folder / "provenance.json").read_text(encoding="utf-8"))


def test_wikiart_comes_from_the_hub_that_hf_endpoint_names(tmp_path: Path, hub: Hub) -> None:
    provenance = get(tmp_path / "style")
    rows = hub.files[COMMIT][FILE]
    assert (provenance["name"], provenance["repository"], provenance["revision"]) == (
        "wikiart",
        "Artificio/WikiArt",
        COMMIT,
    )
    assert provenance["files"] == {FILE: hashlib.sha256(rows).hexdigest()}
    found = [path.relative_to(tmp_path / "style").as_posix() for path in (tmp_path / "style").rglob("*")]
    assert sorted(found) == ["data", FILE, "provenance.json"]
    assert packed(tmp_path / "style", tmp_path / "set") == list(EXPECTED)


def test_it_stays_at_its_commit_and_files_at_hand_need_no_hub(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = get(tmp_path / "style")
    hub.newest, hub.files[LATER] = LATER, {FILE: in_parquet(tmp_path / "p", plain=True).read_bytes()}
    hub.asked.clear()
    with monkeypatch.context() as patch:
        patch.setattr(wikiart, "huggingface_hub", None)
        assert get(tmp_path / "style") == first
    assert hub.asked == []
    assert f"wikiart: commit {COMMIT[:12]}, as " in capsys.readouterr().err
    (tmp_path / "style" / FILE).write_bytes(b"damaged since")
    assert get(tmp_path / "style") == first
    assert get(tmp_path / "style", f"wikiart@{LATER}")["revision"] == LATER
    (tmp_path / "style/provenance.json").unlink()
    assert get(tmp_path / "style", f"wikiart@{COMMIT}") == first


def test_what_the_hub_does_not_give_is_one_line(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.checksums = False
    with pytest.raises(UserError, match=r"does not list the files of Artificio/WikiArt \(no parquet files with check"):
        get(tmp_path / "style")
    hub.checksums = True
    rows, served = hub.files[COMMIT], hub.answer
    monkeypatch.setattr(hub, "answer", lambda path: None if "/resolve/" in path else served(path))
    with pytest.raises(UserError, match=r"wikiart: cannot get data/train-0\.parquet.*adain\.data\.style") as caught:
        get(tmp_path / "style")
    assert "\n" not in str(caught.value)
    assert rows
    monkeypatch.setattr(hub, "answer", lambda path: None)
    with pytest.raises(UserError, match=r"does not list .*; name another host in HF_ENDPOINT; or get the pictures"):
        get(tmp_path / "style")
    monkeypatch.setattr(wikiart, "huggingface_hub", None)
    with pytest.raises(UserError, match="wikiart: needs huggingface_hub and pyarrow; `pip install"):
        get(tmp_path / "style")


# ---- a path, the sample ----


@pytest.mark.parametrize("maker", [in_folder, in_zip, in_parquet])
def test_a_path_is_packed_from_where_it_is(tmp_path: Path, maker: Any) -> None:
    fetch_set(KEY, str(maker(tmp_path / "mine")), tmp_path / "style", {})
    assert [p.name for p in (tmp_path / "style").iterdir()] == ["provenance.json"]
    assert sorted(packed(tmp_path / "style", tmp_path / "set")) == sorted(EXPECTED)
    assert str(tmp_path) not in (tmp_path / "set/summary.json").read_text(encoding="utf-8")


def test_a_changed_folder_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = in_folder(tmp_path / "mine")
    fetch_set(KEY, str(folder), tmp_path / "style", {})
    before = fingerprint(folder)
    assert locate(tmp_path / "style", Path("sample")) == (folder, "own pictures")
    os.utime(folder / "a.png", (1, 1))
    assert fingerprint(folder) != before
    with pytest.raises(
        UserError, match=r"changed since fetch_set noted its files; run `dvc repro -s -f fetch_set@style"
    ):
        packed(tmp_path / "style", tmp_path / "set")
    fetch_set(KEY, str(folder), tmp_path / "style", {})
    (folder / "b").rename(tmp_path / "gone")
    folder.rename(tmp_path / "drive")  # a network drive that went away
    with pytest.raises(UserError, match="changed since"):
        locate(tmp_path / "style", Path("sample"))


def test_the_sample_is_packed_from_its_folder(tmp_path: Path) -> None:
    in_folder(tmp_path / "sample")
    fetch_set(KEY, "sample", tmp_path / "style", {})
    assert packed(tmp_path / "style", tmp_path / "set") == sorted(EXPECTED)
    with pytest.raises(UserError, match=r"set: 3 usable pictures, at least 4 are needed"):
        packed(tmp_path / "style", tmp_path / "set", least=4)


@pytest.mark.parametrize("choice", ["coco", "coco_val2017@main", "wikiart", "~nosuchuser/x"])
def test_an_unknown_choice_is_refused_with_what_is_allowed(tmp_path: Path, choice: str) -> None:
    allowed = "allowed: sample, coco_val2017, coco_train2017, or a folder, zip or parquet file"
    with pytest.raises(UserError, match=f"adain.data.content = '{choice}': no such folder or file; {allowed}"):
        fetch_set("adain.data.content", choice, tmp_path / "content", coco())
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UserError, match="not a zip or parquet file"):
        fetch_set("adain.data.content", "notes.txt", tmp_path / "content", coco())


def test_pictures_of_a_fetched_set_are_read_without_its_provenance(tmp_path: Path) -> None:
    in_folder(tmp_path / "style")
    (tmp_path / "style/provenance.json").write_text("{}")
    assert [picture.name for picture in pictures(tmp_path / "style")] == [
        "a.png",
        "b/2.jpg",
        "b/c/3.JPEG",
        "b/notes.txt",
    ]
