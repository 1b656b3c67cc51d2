"""Image sets by name or path, against a loopback server that serves small archives and misbehaves on purpose."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nnlab.adain import prepare as prepare_module
from nnlab.adain.prepare import prepare
from nnlab.data import download as download_module
from nnlab.data import fetch as fetch_module
from nnlab.data import imagesets
from nnlab.data.archives import pictures
from nnlab.data.catalog import Asset
from nnlab.data.imagesets import NAMED, fetch_set, locate
from nnlab.data.pictures import Picture
from nnlab.data.pools import Pool
from nnlab.errors import UserError
from nnlab.params import AdainPrepareParams
from tests.data.test_archives import in_parquet, in_tar, in_zip
from tests.data.test_pools import encoded
from tests.servers import Fault, Server, serve

pytestmark = pytest.mark.faults
PHOTOS = {f"val2017/{n:012d}.jpg": encoded(n) for n in range(9)}
COMMIT, LATER = "a1" * 20, "b2" * 20
API = "/api/datasets/Artificio/WikiArt"
SETTINGS = AdainPrepareParams(short_side=64, quality=90, least=3)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(download_module, "WAIT_SECONDS", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def coco(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """val2017.zip in small, with its own MD5 in place of the real one's, and no official host."""
    content = in_zip(tmp_path / "made.zip", PHOTOS).read_bytes()
    (tmp_path / "made.zip").unlink()
    real = NAMED["content"]["coco_val2017"]
    assert isinstance(real, Asset)
    digest = hashlib.md5(content).hexdigest()
    small = replace(real, files={"val2017.zip": f"md5:{digest}"}, sources=(), size=len(content), needs=0)
    monkeypatch.setitem(NAMED["content"], "coco_val2017", small)
    return content


def get_coco(server: Server, folder: Path) -> None:
    fetch_set("content", "coco_val2017", folder, server.url)


def packed(fetched: Path, pool: Path) -> list[str]:
    prepare(fetched, Path("samples"), pool, SETTINGS)
    return Pool(pool).names


def test_the_real_sets_are_those_of_the_publishers() -> None:
    val, train = (NAMED["content"][name] for name in ("coco_val2017", "coco_train2017"))
    assert isinstance(val, Asset)
    assert isinstance(train, Asset)
    assert val.files == {"val2017.zip": "md5:442b8da7639aecaf257c1dceb8ba8c80"}
    assert train.files == {"train2017.zip": "md5:cced6f7f71b7629ddf16f17bbcfab6b2"}
    assert val.sources[0].name == "http://images.cocodataset.org/zips"


def test_coco_is_fetched_verified_and_packed(tmp_path: Path, coco: bytes) -> None:
    with serve({"/coco_val2017/val2017.zip": coco}) as server:
        get_coco(server, tmp_path / "content")
    assert {path.name for path in (tmp_path / "content").iterdir()} == {"val2017.zip", "provenance.json"}
    assert packed(tmp_path / "content", tmp_path / "pool") == sorted(PHOTOS)
    assert not list(Path(".resume").glob("pack-*"))


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(cut=1000), Fault(cut=5000)],
        [Fault(cut=1000), Fault(ignore_range=True)],
        [Fault(status=500), Fault(status=503)],
        [Fault(pause=0.3)],
        [Fault(delay=0.3, no_length=True)],
    ],
    ids=["cut twice", "cut, then no ranges", "server errors", "slow", "late and of unknown length"],
)
def test_faults_that_pass_are_survived(tmp_path: Path, coco: bytes, faults: list[Fault]) -> None:
    with serve({"/coco_val2017/val2017.zip": coco}, {"/coco_val2017/val2017.zip": faults}) as server:
        get_coco(server, tmp_path / "content")
    assert (tmp_path / "content/val2017.zip").read_bytes() == coco


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(status=404), "HTTP 404"),
        (Fault(status=500), "HTTP 500"),
        (Fault(cut=0, body=b"x" * 90), "cut"),
        (Fault(body=b"<html>log in</html>"), "has MD5"),
    ],
)
def test_faults_that_stay_end_in_one_line_and_no_result(tmp_path: Path, coco: bytes, fault: Fault, reason: str) -> None:
    folder = tmp_path / "content"
    with serve({}, {"*": [fault]}) as server, pytest.raises(UserError, match=reason) as caught:
        get_coco(server, folder)
    assert not (folder / "val2017.zip").exists()
    assert not (folder / "provenance.json").exists()
    line = str(caught.value)
    assert "\n" not in line
    for words in ("coco_val2017", "by hand", "sources.mirror", "adain.train.content"):
        assert words in line


def test_a_large_download_keeps_what_it_has_over_several_failing_runs(tmp_path: Path, coco: bytes) -> None:
    path, cut = "/coco_val2017/val2017.zip", len(coco) // 3
    with serve({path: coco}, {path: [Fault(cut=cut)] + [Fault(status=500)] * 60}) as server:
        for _ in range(2):
            with pytest.raises(UserError):
                get_coco(server, tmp_path / "content")
        server.faults[path].clear()
        get_coco(server, tmp_path / "content")
        assert server.asked(path)[-1] == f"bytes={cut}-"
    assert (tmp_path / "content/val2017.zip").read_bytes() == coco


def test_the_disk_is_looked_at_before_a_download(tmp_path: Path, coco: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(fetch_module.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with serve({}) as server:
        with pytest.raises(UserError, match=r"coco_val2017: needs 0\.0 GiB on the disk .* free some space"):
            get_coco(server, tmp_path / "content")
        assert not server.requests


@pytest.mark.parametrize(
    ("there", "enough"), [("train2017.zip", False), ("old/val2017.zip", False), ("val2017.zip.new.part", True)]
)
def test_of_what_lies_there_only_the_beginning_of_the_set_itself_spares_room(
    tmp_path: Path, coco: bytes, monkeypatch: pytest.MonkeyPatch, there: str, enough: bool
) -> None:
    (tmp_path / "content" / there).parent.mkdir(parents=True)
    (tmp_path / "content" / there).write_bytes(coco[:-500])
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(fetch_module.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with serve({"/coco_val2017/val2017.zip": coco}) as server:
        if enough:
            get_coco(server, tmp_path / "content")
        else:
            with pytest.raises(UserError, match=r"coco_val2017: needs 0\.0 GiB on the disk"):
                get_coco(server, tmp_path / "content")


def test_another_choice_removes_what_the_earlier_one_left(tmp_path: Path, coco: bytes) -> None:
    with serve({"/coco_val2017/val2017.zip": coco}) as server:
        get_coco(server, tmp_path / "content")
    fetch_set("content", "sample", tmp_path / "content")
    assert [path.name for path in (tmp_path / "content").iterdir()] == ["provenance.json"]


def hub(revision: str, files: dict[str, bytes]) -> dict[str, bytes]:
    """What the hub answers for Artificio/WikiArt with these files."""
    tree: list[dict[str, Any]] = [{"type": "file", "path": "README.md", "size": 3, "oid": "x"}]
    for path, data in files.items():
        lfs = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}
        tree.append({"type": "file", "path": path, "size": len(data), "oid": "x", "lfs": lfs})
    return {
        f"{API}/revision/main": json.dumps({"sha": revision}).encode(),
        f"{API}/tree/{revision}": json.dumps(tree).encode(),
        **{f"/datasets/Artificio/WikiArt/resolve/{revision}/{path}": data for path, data in files.items()},
    }


@pytest.fixture
def rows(tmp_path: Path) -> bytes:
    return in_parquet(tmp_path / "made.parquet").read_bytes()


def resolved(commit: str, path: str) -> str:
    return f"/datasets/Artificio/WikiArt/resolve/{commit}/{path}"


def get_wikiart(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch, choice: str = "wikiart") -> dict:
    monkeypatch.setenv("HF_ENDPOINT", server.url + "/")
    fetch_set("style", choice, folder)
    return json.loads((folder / "provenance.json").read_text(encoding="utf-8"))


def test_wikiart_comes_from_the_hub_that_hf_endpoint_names(
    tmp_path: Path, rows: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = resolved(COMMIT, "data/train-0.parquet")
    with serve(hub(COMMIT, {"data/train-0.parquet": rows}), {path: [Fault(cut=100)]}) as server:
        provenance = get_wikiart(server, tmp_path / "style", monkeypatch)
        assert server.asked(path) == ["", "bytes=100-"]
    assert (provenance["repository"], provenance["revision"]) == ("Artificio/WikiArt", COMMIT)
    assert provenance["files"] == {"data_train-0.parquet": hashlib.sha256(rows).hexdigest()}
    assert provenance["sizes"] == {"data/train-0.parquet": len(rows)}
    assert {p.name for p in (tmp_path / "style").iterdir()} == {"data_train-0.parquet", "provenance.json"}
    assert packed(tmp_path / "style", tmp_path / "pool") == ["b/2.jpg", "a.png", "b/c/3.JPEG"]


def test_an_interrupted_fetch_goes_on_at_its_commit(
    tmp_path: Path, rows: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, folder = hub(COMMIT, {"a.parquet": rows, "b.parquet": rows[::-1]}), tmp_path / "style"
    missing = begun.pop(resolved(COMMIT, "b.parquet"))
    with serve(begun) as server, pytest.raises(UserError, match=r"cannot get b\.parquet"):
        get_wikiart(server, folder, monkeypatch)
    assert not (folder / "provenance.json").exists()
    later = {**begun, **hub(LATER, {"a.parquet": b"newer"}), resolved(COMMIT, "b.parquet"): missing}
    with serve(later) as server:
        assert get_wikiart(server, folder, monkeypatch)["revision"] == COMMIT
        assert [path for path, _ in server.requests] == [resolved(COMMIT, "b.parquet")]
    assert {p.name for p in folder.iterdir()} == {"a.parquet", "b.parquet", "provenance.json"}


def test_files_at_hand_are_enough_without_the_hub(
    tmp_path: Path, rows: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    folder = tmp_path / "style"
    with serve(hub(COMMIT, {"a.parquet": rows})) as server:
        first = get_wikiart(server, folder, monkeypatch)
    capsys.readouterr()
    assert get_wikiart(server, folder, monkeypatch) == first  # its server is down
    line = capsys.readouterr().err
    assert line.startswith(f"wikiart: commit {COMMIT[:12]}, its files checked against the SHA-256 in {folder}")
    assert line.count("\n") == 1
    (folder / "a.parquet").write_bytes(rows[:-1])
    with pytest.raises(UserError, match=r"cannot get a\.parquet.*has SHA-256 .* removed"):
        get_wikiart(server, folder, monkeypatch)


@pytest.mark.parametrize(
    "change",
    [
        {"files": {}},
        {"files": {"b.parquet": "0" * 64}},
        {"files": {"a.parquet": "no digest"}},
        {"files": 3},
        {"sizes": {}},
        {"sizes": [[3, 4]]},
        {"revision": "main"},
        {"repository": "huggan/wikiart"},
    ],
)
def test_a_provenance_that_does_not_cover_the_files_is_not_enough(
    tmp_path: Path, rows: bytes, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    folder = tmp_path / "style"
    with serve(hub(COMMIT, {"a.parquet": rows})) as server:
        provenance = get_wikiart(server, folder, monkeypatch)
    (folder / "provenance.json").write_text(json.dumps({**provenance, **change}))
    with pytest.raises(UserError, match=r"gives no list of files .* even files at hand .* HF_ENDPOINT"):
        get_wikiart(server, folder, monkeypatch)


def test_a_commit_in_the_name_is_fetched_whatever_is_newest_or_at_hand(
    tmp_path: Path, rows: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, newest = tmp_path / "style", hub(LATER, {"a.parquet": rows[::-1]})
    with serve({**hub(COMMIT, {"a.parquet": rows}), **newest}) as server:
        assert get_wikiart(server, folder, monkeypatch)["revision"] == LATER
        pinned = get_wikiart(server, folder, monkeypatch, f"wikiart@{COMMIT}")
        assert (pinned["name"], pinned["revision"]) == ("wikiart", COMMIT)
        assert server.asked(f"{API}/revision/main") == [""]
    assert (folder / "a.parquet").read_bytes() == rows


def test_a_hub_that_names_no_commit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = r"revision/main names no commit \(sha: 'main'\).*HF_ENDPOINT"
    with serve(hub("main", {"a.parquet": b"rows"})) as server, pytest.raises(UserError, match=message):
        get_wikiart(server, tmp_path / "style", monkeypatch)


@pytest.mark.parametrize(
    "fault", [Fault(status=404), Fault(status=500), Fault(body=b"<html>"), Fault(body=b"[]"), Fault(body=b"{}")]
)
def test_a_hub_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    with serve({}, {"*": [fault]}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        with pytest.raises(UserError, match=r"wikiart: http.*HF_ENDPOINT.*adain\.train\.style"):
            fetch_set("style", "wikiart", tmp_path / "style")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_hub_that_is_busy_for_a_moment_is_asked_again(
    tmp_path: Path, rows: bytes, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    busy = [Fault(status=status)] * 2
    faults = {f"{API}/revision/main": busy, f"{API}/tree/{COMMIT}": list(busy)}
    with serve(hub(COMMIT, {"a.parquet": rows}), faults) as server:
        assert get_wikiart(server, tmp_path / "style", monkeypatch)["revision"] == COMMIT
        assert len(server.asked(f"{API}/revision/main")) == 3


def test_a_list_without_checksums_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = hub(COMMIT, {})
    odd = [3, {"path": "a.parquet"}, {"path": "b.parquet", "lfs": None}, {"path": "c.parquet", "lfs": {"oid": "x"}}]
    files[f"{API}/tree/{COMMIT}"] = json.dumps(odd).encode()
    with serve(files) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        with pytest.raises(UserError, match="lists no parquet files with checksums"):
            fetch_set("style", "wikiart", tmp_path / "style")


def test_the_summary_of_own_pictures_does_not_hold_their_place(tmp_path: Path) -> None:
    path = in_zip(tmp_path / "mine")
    fetch_set("style", str(path), tmp_path / "style")
    packed(tmp_path / "style", tmp_path / "pool")
    assert str(tmp_path) not in (tmp_path / "pool/summary.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("maker", [in_zip, in_tar, in_parquet])
def test_a_path_is_packed_from_where_it_is(tmp_path: Path, maker: Any) -> None:
    path = maker(tmp_path / "mine")
    fetch_set("style", str(path), tmp_path / "style")
    assert [p.name for p in (tmp_path / "style").iterdir()] == ["provenance.json"]
    assert len(packed(tmp_path / "style", tmp_path / "pool")) == 3


def test_a_changed_folder_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, data in PHOTOS.items():
        (folder / Path(name).name).write_bytes(data)
    fetch_set("content", str(folder), tmp_path / "content")
    before = (tmp_path / "content/provenance.json").read_bytes()
    assert locate(tmp_path / "content", Path("samples"))[0] == folder
    (folder / "new.jpg").write_bytes(encoded(99))
    with pytest.raises(
        UserError, match=r"changed since fetch_content noted its files; run `dvc repro -s -f fetch_content"
    ):
        locate(tmp_path / "content", Path("samples"))
    fetch_set("content", str(folder), tmp_path / "content")
    assert (tmp_path / "content/provenance.json").read_bytes() != before
    assert len(packed(tmp_path / "content", tmp_path / "pool")) == 10


def test_a_touched_file_is_a_change_and_an_equal_folder_is_not(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a.jpg").write_bytes(encoded(1))
    first = imagesets.fingerprint(tmp_path / "mine")
    assert imagesets.fingerprint(tmp_path / "mine") == first
    os.utime(tmp_path / "mine/a.jpg", (1, 1))
    assert imagesets.fingerprint(tmp_path / "mine") != first


@pytest.mark.parametrize("linked", [False, True])
def test_a_folder_that_goes_away_while_it_is_packed_is_no_set_of_damaged_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: bool
) -> None:
    drive, folder = tmp_path / "drive", tmp_path / "links" if linked else tmp_path / "drive"
    for place in {drive, folder}:
        place.mkdir()
    for n in range(20):
        (drive / f"{n}.jpg").write_bytes(encoded(n))
        if linked:
            (folder / f"{n}.jpg").symlink_to(drive / f"{n}.jpg")
    fetch_set("content", str(folder), tmp_path / "content")

    def until_it_goes(path: Path) -> Iterator[Picture]:
        for number, picture in enumerate(pictures(path)):
            if number == 10:
                drive.rename(tmp_path / "gone")
            yield picture

    # a link that leads nowhere is left out, and noticed at the end; a file that goes between two looks is noticed then
    error, message = ((UserError, OSError), "changed since|links") if linked else (FileNotFoundError, "drive")
    with monkeypatch.context() as patch:
        patch.setattr(prepare_module, "pictures", until_it_goes)
        with pytest.raises(error, match=message):
            packed(tmp_path / "content", tmp_path / "pool")
    (tmp_path / "gone").rename(drive)
    assert len(packed(tmp_path / "content", tmp_path / "pool")) == 20


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (
            "coco",
            r"adain.train.content = 'coco': no such folder or file; allowed: sample, coco_val2017, coco_train2017, or",
        ),
        ("wikiart", "adain.train.content = 'wikiart': no such folder"),
        (f"coco_val2017@{COMMIT}", "no such folder"),
        ("notes.txt", "not a zip, tar or parquet file"),
        ("~nosuchuser/x", "adain.train.content = '~nosuchuser/x': no such folder or file"),
    ],
)
def test_an_unknown_choice_is_refused_with_what_is_allowed(tmp_path: Path, choice: str, message: str) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UserError, match=message):
        fetch_set("content", choice, tmp_path / "content")


@pytest.mark.parametrize("choice", ["wikiart@main", f"wikiart@{COMMIT[1:]}", f"monet@{COMMIT}"])
def test_a_name_with_no_commit_behind_it_is_refused(tmp_path: Path, choice: str) -> None:
    with pytest.raises(UserError, match=r"allowed: sample, wikiart\[@<commit of 40 digits>\], wikiart_full\[@"):
        fetch_set("style", choice, tmp_path / "style")


def test_the_sample_is_packed_from_the_samples(tmp_path: Path) -> None:
    samples = tmp_path / "samples/photos"
    samples.mkdir(parents=True)
    for n in range(4):
        (samples / f"{n}.jpg").write_bytes(encoded(n))
    fetch_set("content", "sample", tmp_path / "content")
    assert packed(tmp_path / "content", tmp_path / "pool") == [f"photos/{n}.jpg" for n in range(4)]
    assert not (tmp_path / ".resume").exists()


def test_too_few_usable_pictures_are_an_error(tmp_path: Path) -> None:
    fetch_set("content", str(in_zip(tmp_path / "few.zip", {"a.jpg": encoded(1), "b.jpg": b"no"})), tmp_path / "content")
    with pytest.raises(UserError, match=r"1 usable pictures, at least 3 are needed; left out: .*'damaged': 1.* b\.jpg"):
        packed(tmp_path / "content", tmp_path / "pool")
    assert not (tmp_path / "pool").exists()
