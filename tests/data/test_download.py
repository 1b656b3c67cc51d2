"""Sources: a server that cuts, refuses and lies; packages through their clients."""

import gzip
import os
import shutil
import socket

import pytest

from nnlab.data import download as module
from nnlab.data.download import TRIES, DownloadError, debian_source, download, npm_source, url_source
from tests.datasets import write_files
from tests.servers import Fault, serve

CONTENT = bytes(range(256)) * 2000  # 512,000 bytes, eight blocks
LOGIN = Fault(body=b"<html>", ignore_range=True, headers={"Content-Type": "text/html; charset=utf-8"})


@pytest.mark.parametrize(
    ("part", "faults", "asked"),
    [
        (b"", [], [0]),
        (b"", [Fault(cut=0), Fault(cut=300_000)], [0, 0, 300_000]),
        (CONTENT[:123_456], [], [123_456]),
        (CONTENT, [], [len(CONTENT), 0]),  # whole: fetched again
        (CONTENT + b"more", [], [len(CONTENT) + 4, 0]),  # not of this file
        (b"other bytes", [Fault(ignore_range=True)], [11]),  # the server sends all of it
    ],
)
def test_a_download_goes_on_where_it_broke_also_in_an_earlier_call(tmp_path, part, faults, asked):
    (tmp_path / "f.part").write_bytes(part)
    with serve({"/f": CONTENT}, {"/f": faults}) as server:
        download(f"{server.url}/f", tmp_path / "f")
        assert server.asked("/f") == [f"bytes={start}-" if start else "" for start in asked]
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_an_empty_file_arrives_over_a_redirect_and_a_packed_one_stays_packed(tmp_path):
    packed = gzip.compress(CONTENT)
    moved, labelled = Fault(status=302, headers={"Location": "/b"}), Fault(headers={"Content-Encoding": "gzip"})
    with serve({"/b": b"", "/p": packed}, {"/a": [moved], "/p": [labelled]}) as server:
        for name, content in (("a", b""), ("p", packed)):
            download(f"{server.url}/{name}", tmp_path / name)
            assert (tmp_path / name).read_bytes() == content


def test_an_outage_of_a_minute_is_sat_out_and_again_after_the_next_bytes(tmp_path, waits):
    outage = [Fault(cut=100_000), *[Fault(status=502)] * (TRIES - 1)]
    with serve({"/f": CONTENT}, {"/f": outage * 2}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert sum(waits) / 2 > 60


@pytest.mark.parametrize(("then", "why"), [(Fault(cut=0), r"connection cut \(8 tries\)"), (LOGIN, "a web page")])
def test_a_connection_that_is_always_cut_or_led_elsewhere_is_given_up_and_keeps_the_part(tmp_path, then, why):
    with serve({"/f": CONTENT}, {"/f": [Fault(cut=1000)], "*": [then]}) as server:
        with pytest.raises(DownloadError, match=why):
            download(f"{server.url}/f", tmp_path / "f")
        assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("f.part", CONTENT[:1000])]


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (429, TRIES), (503, TRIES)])
def test_a_refusal_is_named_and_only_a_passing_one_is_tried_again(tmp_path, status, asked):
    with serve({"/f": CONTENT}, {"*": [Fault(status=status)]}) as server:
        with pytest.raises(DownloadError, match=f"HTTP {status}"):
            download(f"{server.url}/f", tmp_path / "f")
        assert len(server.requests) == asked
    assert not list(tmp_path.iterdir())


def test_a_server_that_is_silent_out_of_reach_or_none_is_named(tmp_path, waits, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", (2.0, 0.3))
    with serve({"/f": CONTENT}, {"*": [Fault(delay=0.5)]}) as slow:
        with pytest.raises(DownloadError, match="no answer in time"):
            download(f"{slow.url}/f", tmp_path / "f")
        assert len(slow.requests) == 2  # it may have been one slow answer
        waits.clear()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match=r"cannot be reached$"):
        download(f"http://127.0.0.1:{port}/f", tmp_path / "f")
    for url in ("http://", "http://[::1/f", "no address"):
        with pytest.raises(DownloadError, match="not a valid address"):
            download(url, tmp_path / "f")
    assert waits == []  # the next source is asked at once
    with serve({"/f": CONTENT}) as server:
        (source := url_source(server.url)).get("f", tmp_path / "f")
    with pytest.raises(DownloadError, match=r"cannot be reached \(8 tries\)"):
        source.get("g", tmp_path / "g")
    assert sum(waits) > 60  # it has served a file: an outage


# ---- packages ----


@pytest.fixture
def client(tmp_path, monkeypatch):
    """`client(name, script)` makes a package client, which is found before the system's; its calls are in `calls`."""
    folder = tmp_path / "clients"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")

    def make(name, script):
        (folder / name).write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n{script}\n', encoding="utf-8")
        (folder / name).chmod(0o755)

    return make


def test_an_npm_package_is_fetched_once_for_all_files(tmp_path, client):
    write_files(tmp_path / "made", {"package/data/a": b"a", "package/data/b": b"b"})
    shutil.make_archive(str(tmp_path / "p"), "gztar", tmp_path / "made")
    client("npm", f"cp {tmp_path}/p.tar.gz p.tgz")
    source = npm_source("some-data@1.0.0", "package/data")
    for name in "ab":
        source.get(name, tmp_path / name)
        assert (tmp_path / name).read_text() == name
    with pytest.raises(DownloadError, match="c is not in"):
        source.get("c", tmp_path / "c")
    assert (tmp_path / "calls").read_text(encoding="utf-8") == "pack some-data@1.0.0 --silent\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo first >&2; echo 'network is down' >&2; exit 1", "npm failed: network is down"),
        ("exec sleep 9", "npm failed: .*timed out after 0.1 seconds"),
        ("", "npm is not installed"),
    ],
)
def test_a_failing_client_gives_its_reason(tmp_path, client, monkeypatch, script, reason):
    client("npm", script) if script else monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(module, "COMMAND_SECONDS", 0.1 if "sleep" in script else 60)
    with pytest.raises(DownloadError, match=reason):
        npm_source("some-data@1.0.0", "package/data").get("a", tmp_path / "a")


def test_a_debian_package_is_unpacked_without_installing_and_lists_are_fetched_privately(tmp_path, client):
    client("apt-get", 'case "$*" in "download p") echo "E: Unable to locate package p" >&2; exit 100;;'
                      " *update) ;; *download*) touch p.deb;; esac")  # fmt: skip
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"the file"))
    client("dpkg-deb", f'mkdir -p "$3/usr/share/x"; cp {tmp_path}/a.gz "$3/usr/share/x"')
    debian_source("p", "usr/share/x", ".gz").get("a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"the file"
    assert "update" in (tmp_path / "calls").read_text(encoding="utf-8")
