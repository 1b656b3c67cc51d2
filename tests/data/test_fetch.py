"""Assets: verified whatever the source, used if put there by hand, refused in one line if no source serves them."""

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from nnlab.data import download as download_module
from nnlab.data.catalog import MIRROR_VARIABLE, Asset, fetch, read_provenance
from nnlab.data.download import TRIES_BEGUN, DownloadError, Source, url_source
from nnlab.errors import UserError
from tests.servers import Fault, Server, serve

pytestmark = pytest.mark.faults
FILES = {"images": b"pictures" * 50_000, "labels": b"names" * 100}
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
SERVED = {f"/base/{name}.gz": gzip.compress(content, mtime=0) for name, content in FILES.items()}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "WAIT_SECONDS", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def asset(*sources: Source) -> Asset:
    return Asset("things", DIGESTS, sources, note="test files")


def at(server: Server, path: str = "/base") -> Source:
    return replace(url_source(server.url + path, ".gz"), name="official")


def failing(name: str = "broken", reason: str = "out of order") -> Source:
    def get(_file: str, _path: Path) -> None:
        raise DownloadError(reason)

    return Source(name, get)


def assert_right(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {*FILES, "provenance.json"}
    for name, content in FILES.items():
        assert (folder / name).read_bytes() == content


def test_files_arrive_with_their_provenance(tmp_path: Path) -> None:
    with serve(SERVED) as server:
        fetch(asset(at(server)), tmp_path)
    assert_right(tmp_path)
    provenance = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    assert provenance == {"name": "things", "note": "test files", "stand_in": False, "files": DIGESTS}


def test_whichever_source_answers_the_folder_is_the_same(tmp_path: Path) -> None:
    other = {f"/other/{name}.gz": gzip.compress(content, 1, mtime=5) for name, content in FILES.items()}
    with serve({**SERVED, **other}) as server:
        fetch(asset(at(server)), tmp_path / "a")
        fetch(asset(failing(), at(server, "/other")), tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_file_that_is_right_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "labels").write_bytes(FILES["labels"])
    with serve(SERVED) as server:
        fetch(asset(at(server)), tmp_path)
        assert [path for path, _ in server.requests] == ["/base/images.gz"]
        fetch(asset(at(server)), tmp_path)
        assert len(server.requests) == 1
    assert_right(tmp_path)


def test_a_cut_download_goes_on_in_the_next_run(tmp_path: Path) -> None:
    packed = SERVED["/base/images.gz"]
    cut = len(packed) // 2
    with serve(SERVED, {"/base/images.gz": [Fault(cut=cut)] + [Fault(status=500)] * TRIES_BEGUN}) as server:
        with pytest.raises(UserError, match="images"):
            fetch(asset(at(server)), tmp_path)
        assert not (tmp_path / "images").exists()
        fetch(asset(at(server)), tmp_path)
        assert f"bytes={cut}-" in server.asked("/base/images.gz")
        assert len(server.asked("/base/images.gz")) == TRIES_BEGUN + 2
    assert_right(tmp_path)


@pytest.mark.parametrize("beginning", [b"from another server", b"\0" * 100])
def test_a_wrong_beginning_on_disk_costs_one_restart(tmp_path: Path, beginning: bytes) -> None:
    (tmp_path / "images.new.gz.part").write_bytes(beginning)
    with serve(SERVED) as server:
        fetch(asset(at(server)), tmp_path)
        assert server.asked("/base/images.gz") == [f"bytes={len(beginning)}-", ""]
    assert_right(tmp_path)


def test_a_page_from_one_source_costs_nothing_of_what_is_there(tmp_path: Path) -> None:
    packed = SERVED["/base/images.gz"]
    (tmp_path / "images.new.gz.part").write_bytes(packed[:-100])
    page = Fault(body=b"<html>Please log in</html>", ignore_range=True)
    with serve(SERVED, {"/bad/images.gz": [page]}) as server:
        fetch(asset(at(server, "/bad"), at(server)), tmp_path)
        assert server.asked("/base/images.gz") == [f"bytes={len(packed) - 100}-"]
    assert_right(tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"other content"),
        SERVED["/base/images.gz"][:-9],
        SERVED["/base/images.gz"][:200] + b"\xff" * 50 + SERVED["/base/images.gz"][250:],
        b"<html>Please log in</html>",
        b"",
    ],
    ids=["other", "truncated", "damaged", "html", "empty"],
)
def test_wrong_bytes_are_refused_and_the_next_source_is_asked(tmp_path: Path, body: bytes) -> None:
    with serve(SERVED, {"/bad/images.gz": [Fault(body=body)]}) as server:
        fetch(asset(at(server, "/bad"), at(server)), tmp_path)
    assert_right(tmp_path)


def test_wrong_bytes_from_the_only_source_leave_nothing(tmp_path: Path) -> None:
    with (
        serve(SERVED, {"/base/images.gz": [Fault(body=gzip.compress(b"x"))] * 2}) as server,
        pytest.raises(UserError) as caught,
    ):
        fetch(asset(at(server)), tmp_path)
    assert not (tmp_path / "images").exists()
    assert not (tmp_path / "images.new").exists()
    assert "official: images has SHA-256" in str(caught.value)
    assert not (tmp_path / "provenance.json").exists()


def test_a_wrong_file_by_hand_is_removed_and_replaced(tmp_path: Path) -> None:
    (tmp_path / "labels").write_bytes(b"names" * 99)
    with serve(SERVED) as server:
        fetch(asset(at(server)), tmp_path)
    assert_right(tmp_path)


def test_a_wrong_file_by_hand_is_named_when_nothing_else_works(tmp_path: Path) -> None:
    (tmp_path / "labels").write_bytes(b"wrong")
    with pytest.raises(UserError, match=r"labels: has SHA-256 \w+… instead of \w+…, removed"):
        fetch(asset(failing()), tmp_path)
    assert not (tmp_path / "labels").exists()


@pytest.mark.parametrize("packed", [False, True])
def test_files_put_there_by_hand_are_used(tmp_path: Path, packed: bool) -> None:
    for name, content in FILES.items():
        (tmp_path / (name + ".gz" * packed)).write_bytes(gzip.compress(content) if packed else content)
    fetch(asset(failing()), tmp_path)
    assert_right(tmp_path)


def test_a_right_packed_file_beside_a_wrong_plain_one_is_used(tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(b"wrong")
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
    fetch(asset(failing()), tmp_path)
    assert_right(tmp_path)


def test_a_damaged_packed_file_by_hand_is_named(tmp_path: Path) -> None:
    (tmp_path / "images.gz").write_bytes(SERVED["/base/images.gz"][:100])
    with pytest.raises(UserError, match=r"images\.gz is damaged"):
        fetch(asset(failing()), tmp_path)


@pytest.mark.parametrize("layout", ["{mirror}/things/{name}", "{mirror}/{name}", "{mirror}/things/{name}.gz"])
def test_a_mirror_folder_is_asked_first(tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = tmp_path / "mir ror"
    for name, content in FILES.items():
        path = Path(layout.format(mirror=mirror, name=name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    before = sorted(mirror.rglob("*"))
    fetch(asset(failing()), tmp_path / "one", str(mirror))
    monkeypatch.setenv(MIRROR_VARIABLE, str(mirror))
    fetch(asset(failing()), tmp_path / "two")
    assert_right(tmp_path / "one")
    assert_right(tmp_path / "two")
    assert sorted(mirror.rglob("*")) == before


def test_a_mirror_url_is_asked_first(tmp_path: Path) -> None:
    with serve({f"/m/things/{name}": content for name, content in FILES.items()}) as server:
        fetch(asset(failing()), tmp_path, f"{server.url}/m/")
    assert_right(tmp_path)


@pytest.mark.parametrize("place", ["/m/things/labels.gz", "/m/labels", "/m/labels.gz"])
def test_of_the_places_in_a_mirror_the_one_that_failed_otherwise_than_by_absence_is_named(
    tmp_path: Path, place: str
) -> None:
    with serve({"/m/images": FILES["images"]}, {place: [Fault(status=403)]}) as server:
        with pytest.raises(UserError, match=rf"mirror http\S+: http\S+{place}: HTTP 403"):
            fetch(asset(), tmp_path / "out", f"{server.url}/m")
        with pytest.raises(UserError, match=r"mirror http\S+: http\S+/m/things/labels: HTTP 404"):
            fetch(asset(), tmp_path / "out", f"{server.url}/m")


def test_a_damaged_file_in_a_mirror_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/labels").write_bytes(FILES["labels"])
    (tmp_path / "mirror/images.gz").write_bytes(SERVED["/base/images.gz"][:100])
    with pytest.raises(UserError, match=r"images\.gz is damaged"):
        fetch(asset(), tmp_path / "out", str(tmp_path / "mirror"))


def test_a_mirror_in_the_home_of_nobody_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"mirror ~nosuchuser/x: labels is not in ~nosuchuser/x"):
        fetch(asset(), tmp_path / "out", "~nosuchuser/x")


def test_a_wrong_file_in_the_mirror_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/images").write_bytes(b"wrong")
    with serve(SERVED) as server:
        fetch(asset(at(server)), tmp_path / "out", str(tmp_path / "mirror"))
    assert_right(tmp_path / "out")


def test_when_no_source_works_one_line_says_why_and_what_to_do(tmp_path: Path) -> None:
    with serve({}) as server, pytest.raises(UserError) as caught:
        fetch(asset(at(server), failing("second", "out of order")), tmp_path / "out", str(tmp_path / "nowhere"))
    line = str(caught.value)
    assert "\n" not in line
    for words in (
        "things: cannot get images, labels",
        "mirror",
        "nowhere",
        "official",
        "HTTP 404",
        "second: out of order",
        f"Put the files into {tmp_path / 'out'}/",
        "sources.mirror",
        MIRROR_VARIABLE,
    ):
        assert words in line


def test_a_source_that_failed_is_asked_last_for_the_next_file(tmp_path: Path) -> None:
    asked: list[str] = []

    def get(file: str, _path: Path) -> None:
        asked.append(file)
        raise DownloadError("down")

    with serve(SERVED) as server:
        fetch(asset(Source("down", get), at(server)), tmp_path)
    assert asked == ["images"]
    assert_right(tmp_path)


def test_what_interrupted_fetches_left_is_removed(tmp_path: Path) -> None:
    for name in ("images.new", "labels.new.gz.part", ".images-abc12345"):
        (tmp_path / name).write_bytes(b"left over")
    with serve(SERVED) as server:
        fetch(asset(at(server)), tmp_path)
    assert_right(tmp_path)


@pytest.mark.parametrize("damage", [None, b"", b"{", b"[]", b'"text"', b"[[1]]", b'{"name": "things"}', b"\xff"])
def test_a_damaged_provenance_is_named_with_what_to_do(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "provenance.json"
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(UserError, match=r"provenance\.json: missing or damaged; delete it and run `dvc repro`$"):
        read_provenance(path)
