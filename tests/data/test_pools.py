"""Pools: what is packed, what is left out, and that reading depends on neither threads, caches nor interruptions."""

import csv
import errno
import io
import json
import pickle
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nnlab.data import packing
from nnlab.data.packing import pack
from nnlab.data.pictures import LeftOut, Picture
from nnlab.data.pools import Pool
from nnlab.data.shards import read_bytes, read_manifest
from nnlab.errors import UserError


def encoded(seed: int, size: tuple[int, int] = (200, 150), kind: str = "JPEG", mode: str = "RGB") -> bytes:
    """A smooth random picture: neighbours differ little, so that JPEG changes it little."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"quality": 95} if kind == "JPEG" else {}))
    return buffer.getvalue()


def picture(name: str, data: bytes) -> Picture:
    return Picture(name, lambda: data)


def some(count: int, size: tuple[int, int] = (200, 150)) -> list[Picture]:
    return [picture(f"{n}.jpg", encoded(n, size)) for n in range(count)]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def left_out(folder: Path) -> dict[str, str]:
    with (folder / "left_out.csv").open(newline="", encoding="utf-8") as file:
        return {row["name"]: row["reason"] for row in csv.DictReader(file)}


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PER_SHARD", 5)


def test_the_shards_are_plain_tar_files_and_the_manifest_points_into_them(tmp_path: Path, small_shards: None) -> None:
    summary = pack(some(12), tmp_path / "pool", 100, about={"source": "test"})
    assert summary == {"images": 12, "left_out": {}, "short_side": 100, "quality": 92, "source": "test"}
    assert json.loads((tmp_path / "pool/summary.json").read_text()) == summary
    in_tars = {}
    for shard in sorted((tmp_path / "pool").glob("*.tar")):
        with tarfile.open(shard) as archive:
            in_tars |= {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    assert list(in_tars) == [f"{n:08d}.jpg" for n in range(12)]
    entries = read_manifest(tmp_path / "pool")
    assert [entry.name for entry in entries] == [f"{n}.jpg" for n in range(12)]
    assert [read_bytes(tmp_path / "pool", entry) for entry in entries] == list(in_tars.values())
    assert {(entry.width, entry.height) for entry in entries} == {(133, 100)}


def test_a_smaller_picture_keeps_its_size(tmp_path: Path) -> None:
    pack(some(2), tmp_path / "pool", 512)
    assert {(entry.width, entry.height) for entry in read_manifest(tmp_path / "pool")} == {(200, 150)}


def test_what_cannot_be_used_is_left_out_and_listed_with_the_reason(tmp_path: Path) -> None:
    good = encoded(1)

    def refused() -> bytes:
        raise LeftOut("link: not followed")

    def unreadable() -> bytes:
        raise PermissionError(13, "Permission denied")

    pictures = [
        picture("good.jpg", good),
        picture("again.jpg", good),
        picture("cut.jpg", good[: len(good) // 2]),
        picture("empty.jpg", b""),
        picture("text.jpg", b"hello"),
        picture("dot.png", encoded(2, (1, 1), "PNG")),
        picture("strip.png", encoded(3, (2000, 70), "PNG")),
        Picture("link.jpg", refused),
        Picture("locked.jpg", unreadable),
        picture("grey.png", encoded(4, kind="PNG", mode="L")),
        picture("palette.gif", encoded(5, kind="GIF", mode="P")),
        picture("cmyk.jpg", encoded(6, mode="CMYK")),
        picture("caf\udce9,\n.png", encoded(7, kind="PNG")),  # a name that is not UTF-8
    ]
    summary = pack(pictures, tmp_path / "pool", 128)
    assert summary["images"] == 5
    assert summary["left_out"] == {"damaged": 4, "duplicate": 1, "link": 1, "too long": 1, "too small": 1}
    reasons = left_out(tmp_path / "pool")
    assert reasons["dot.png"] == "too small: 1x1 pixels"
    assert reasons["strip.png"] == "too long: 2000x70 pixels"
    assert set(reasons) == {
        "again.jpg",
        "cut.jpg",
        "empty.jpg",
        "text.jpg",
        "dot.png",
        "strip.png",
        "link.jpg",
        "locked.jpg",
    }
    assert Pool(tmp_path / "pool").names[-1] == "caf\\udce9,\n.png"


@pytest.mark.faults
@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "x"), OSError(errno.ESTALE, "x"), FileNotFoundError(errno.ENOENT, "x"), MemoryError()]
)
def test_what_is_not_the_fault_of_a_picture_stops_the_packing(tmp_path: Path, error: Exception) -> None:
    def unreadable() -> bytes:
        raise error

    with pytest.raises(type(error)) as caught:
        pack([*some(2), Picture("third.jpg", unreadable), *some(9)], tmp_path / "pool", 64, work=tmp_path / "work")
    assert getattr(caught.value, "filename", "third.jpg") == "third.jpg"
    assert not (tmp_path / "pool").exists()
    assert pack(some(11), tmp_path / "pool", 64, work=tmp_path / "work")["images"] == 11


def test_a_bomb_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 200 * 150)
    pictures = [picture("bomb.png", encoded(1, (400, 300), "PNG")), *some(1)]
    assert pack(pictures, tmp_path / "pool", 64)["left_out"] == {"too large": 1}


@pytest.mark.parametrize("count", [0, 3])
def test_too_few_pictures_are_an_error_and_leave_nothing(tmp_path: Path, count: int) -> None:
    pictures = [*some(count), picture("bad.jpg", b"no")]
    with pytest.raises(UserError, match=rf"pool: {count} usable pictures, at least 4 are needed; left out: .*bad.jpg"):
        pack(pictures, tmp_path / "pool", 64, least=4)
    assert list(tmp_path.iterdir()) == []


def test_the_result_does_not_depend_on_the_number_of_threads(tmp_path: Path, small_shards: None) -> None:
    pictures = some(23) + some(3) + [picture("bad", b"x")]
    results = []
    for threads in (1, 2, 7):
        pack(pictures, tmp_path / str(threads), 64, threads=threads)
        results.append(content(tmp_path / str(threads)))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("stop", [0, 1, 5, 11, 17, 22])
def test_a_run_that_ends_early_goes_on_and_gives_the_same(tmp_path: Path, small_shards: None, stop: int) -> None:
    pictures = some(23) + some(3)
    pack(pictures, tmp_path / "whole", 64)
    read: list[str] = []

    def until(limit: int) -> Iterator[Picture]:
        for number, one in enumerate(pictures):
            if number == limit:
                raise KeyboardInterrupt
            yield Picture(one.name, lambda one=one: read.append(one.name) or one.read())  # type: ignore[misc, func-returns-value]

    with pytest.raises(KeyboardInterrupt):
        pack(until(stop), tmp_path / "pool", 64, work=tmp_path / "work", threads=1)
    assert not (tmp_path / "pool").exists()
    read.clear()
    pack(until(99), tmp_path / "pool", 64, work=tmp_path / "work", threads=1)
    assert content(tmp_path / "pool") == content(tmp_path / "whole")
    assert len(read) <= len(pictures) - 5 * max(0, (stop - 2) // 5)  # finished shards are not read again


@pytest.mark.parametrize("damage", ["cut shard", "cut table", "no shard"])
def test_a_damaged_unfinished_shard_is_packed_again(tmp_path: Path, small_shards: None, damage: str) -> None:
    pack(some(20), tmp_path / "whole", 64)

    def stopping() -> Iterator[Picture]:
        yield from some(20)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(stopping(), tmp_path / "pool", 64, work=tmp_path / "work")
    shard, table = tmp_path / "work/shard-00001.tar", tmp_path / "work/part-00001.json"
    if damage == "no shard":
        shard.unlink()
    else:
        path = shard if damage == "cut shard" else table
        path.write_bytes(path.read_bytes()[:300])
    pack(some(20), tmp_path / "pool", 64, work=tmp_path / "work")
    assert content(tmp_path / "pool") == content(tmp_path / "whole")


KILLED = """
import os, signal, sys
from pathlib import Path
from nnlab.data.packing import pack
from nnlab.data.pictures import Picture
pack([Picture("a.jpg", lambda: os.kill(os.getpid(), signal.SIGKILL))], Path(sys.argv[1]), 64)
"""


@pytest.mark.faults
def test_what_a_killed_packing_without_a_work_folder_left_is_removed(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "pool")], check=False)
    assert [path.name for path in tmp_path.glob("*")] != []
    pack(some(1), tmp_path / "pool", 64)
    assert [path.name for path in tmp_path.iterdir()] == ["pool"]


def test_pictures_are_uint8_with_the_shorter_side_asked_for(tmp_path: Path) -> None:
    pack([picture("wide", encoded(1, (200, 100))), picture("tall", encoded(2, (80, 120)))], tmp_path / "pool", 512)
    pool = Pool(tmp_path / "pool", 64)
    assert len(pool) == 2
    assert [tuple(pool[n].shape) for n in range(2)] == [(3, 64, 128), (3, 96, 64)]
    assert pool[0].dtype == torch.uint8
    assert [pool.shape(n) for n in range(2)] == [(64, 128), (96, 64)]
    assert tuple(Pool(tmp_path / "pool", 0)[1].shape) == (3, 120, 80)
    original = Image.open(io.BytesIO(encoded(1, (200, 100)))).resize((128, 64), Image.Resampling.LANCZOS)
    assert np.abs(pool.pixels(0).astype(int) - np.asarray(original).astype(int)).mean() < 3


@pytest.mark.parametrize("budget", [0, 6 * 3 * 64 * 85 - 1, 6 * 3 * 64 * 85])
def test_a_set_that_fits_is_kept_and_of_a_larger_one_nothing(tmp_path: Path, budget: int) -> None:
    pack(some(6), tmp_path / "pool", 512)
    plain, cached = Pool(tmp_path / "pool", 64), Pool(tmp_path / "pool", 64, budget)
    assert cached.fits == (budget == 6 * 3 * 64 * 85)
    for _ in range(2):
        assert all(torch.equal(plain[n], cached[n]) for n in range(6))
    assert {cached.pixels(n) is cached.pixels(n) for n in range(6)} == {cached.fits}
    copy = pickle.loads(pickle.dumps(cached))
    assert len(pickle.dumps(cached)) < 10_000
    assert torch.equal(copy[5], plain[5])
    cached.release()
    assert not cached.fits
    assert cached.pixels(0) is not cached.pixels(0)


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("manifest.csv", lambda data: data[:100], "damaged"),
        ("manifest.csv", lambda data: b"", "damaged"),
        ("manifest.csv", lambda data: b"\xff\xfe" + data, "damaged"),
        ("manifest.csv", None, "not found"),
        ("shard-00000.tar", lambda data: data[:5000], "cut short"),
        ("shard-00000.tar", None, "missing"),
        ("shard-00000.tar", lambda data: bytes(len(data)), "damaged picture"),
    ],
)
def test_a_damaged_pool_is_an_error_in_one_line(tmp_path: Path, file: str, damage, message: str) -> None:
    pack(some(4), tmp_path / "pool", 512)
    path = tmp_path / "pool" / file
    if damage:
        path.write_bytes(damage(path.read_bytes()))
    else:
        path.unlink()
    with pytest.raises(UserError, match=message) as caught:
        Pool(tmp_path / "pool", 64)[0]
    assert "\n" not in str(caught.value)
    assert "dvc repro" in str(caught.value)
