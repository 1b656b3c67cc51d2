"""Image sets: what is packed, what is left out, and that reading does not depend on what is kept."""

import csv
import io
import json
import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnlab.data import packing
from nnlab.data.containers import Picture
from nnlab.data.imageset import ImageSet, read_manifest
from nnlab.data.packing import pack
from nnlab.errors import UserError
from tests.tools import measured


def encoded(seed: int, size: tuple[int, int] = (200, 150), kind: str = "JPEG") -> bytes:
    """A smooth random picture: neighbours differ little, so that JPEG changes it little."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"quality": 95} if kind == "JPEG" else {}))
    return buffer.getvalue()


def some(count: int) -> list[Picture]:
    return [Picture(f"{n}.jpg", encoded(n)) for n in range(count)]


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PER_SHARD", 5)


def test_the_shards_are_plain_tar_files_and_the_manifest_points_into_them(tmp_path: Path) -> None:
    summary = pack(some(12), tmp_path / "set", 100, source="test")
    assert summary == {"images": 12, "left_out": {}, "short_side": 100, "quality": 92, "source": "test"}
    assert json.loads((tmp_path / "set/summary.json").read_text()) == summary
    in_tars = {}
    for shard in sorted((tmp_path / "set").glob("*.tar")):
        with tarfile.open(shard) as archive:
            in_tars |= {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    assert list(in_tars) == [f"{n:08d}.jpg" for n in range(12)]
    entries = read_manifest(tmp_path / "set")
    assert [entry.name for entry in entries] == [f"{n}.jpg" for n in range(12)]
    assert [entry.shard for entry in entries] == [f"shard-{n // 5:05d}.tar" for n in range(12)]
    for entry, jpeg in zip(entries, in_tars.values(), strict=True):
        assert (tmp_path / "set" / entry.shard).read_bytes()[entry.offset :][: entry.size] == jpeg
        assert (entry.width, entry.height) == (133, 100)


def test_what_cannot_be_used_is_left_out_and_listed_with_the_reason(tmp_path: Path) -> None:
    good = encoded(1)
    pictures = [
        *(Picture(name, good) for name in ("good.jpg", "again.jpg")),
        Picture("cut.jpg", good[: len(good) // 2]),
        Picture("empty.jpg", b""),
        Picture("text.jpg", b"hello"),
        Picture("dot.png", encoded(2, (1, 1), "PNG")),
        Picture("strip.png", encoded(3, (2000, 70), "PNG")),
        Picture("link.jpg", problem="link: not followed"),
        Picture("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(90)),
        Picture("caf\udce9,\n.png", encoded(7, kind="PNG")),  # a name that is not UTF-8
    ]
    summary = pack(pictures, tmp_path / "set", 128)
    assert summary["images"] == 2
    with (tmp_path / "set/left_out.csv").open(newline="", encoding="utf-8") as file:
        reasons = {row["name"]: row["reason"] for row in csv.DictReader(file)}
    told = {"dot.png": "too small: 1x1 pixels", "strip.png": "too long: 2000x70 pixels"}
    assert reasons.items() >= (told | {"link.jpg": "link: not followed"}).items()
    assert reasons["again.jpg"].startswith("duplicate: ")
    assert set(reasons) == {picture.name for picture in pictures[1:9]}
    assert sum(summary["left_out"].values()) == 8
    assert {"damaged image", "duplicate", "link", "too long", "too small"} <= summary["left_out"].keys()
    assert read_manifest(tmp_path / "set")[-1].name == "caf\\udce9,\n.png"


def test_too_few_pictures_are_an_error_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"set: 3 usable pictures, at least 4 .*left out: .*not an image"):
        pack([*some(3), Picture("bad.jpg", b"no")], tmp_path / "set", 64, least=4)
    assert list(tmp_path.iterdir()) == []


def test_the_result_does_not_depend_on_the_number_of_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = some(23) + some(3) + [Picture("bad", b"x")]
    results = []
    for threads in (1, 2, 7):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, threads=threads: range(threads), raising=False)
        pack(pictures, tmp_path / str(threads), 64)
        results.append({path.name: path.read_bytes() for path in (tmp_path / str(threads)).iterdir()})
    assert results[0] == results[1] == results[2]


def test_memory_stays_flat(tmp_path: Path) -> None:
    """2,000 pictures of 100 kB, all different to the eye of SHA-256: 200 MB pass through."""
    setup = (
        "import random; from nnlab.data.containers import Picture\n"
        "from nnlab.data import packing; from tests.data.test_imageset import encoded; import PIL.ImageCms\n"
        "jpeg = encoded(1, (64, 64)); noise = random.Random(1)\n"
        "many = lambda n: (Picture(f'{i}.jpg', jpeg + noise.randbytes(100_000)) for i in range(n))\n"
        "packing.os.sched_getaffinity = lambda _: range(2)\n"
        "packing.pack(many(20), folder / 'first', 64)\n"
    )
    assert measured(setup, "packing.pack(many(2000), folder / 'second', 64)", tmp_path) < 12


def test_pictures_have_the_shorter_side_asked_for(tmp_path: Path) -> None:
    given = [encoded(1, (200, 100)), encoded(2, (80, 120))]
    pack([Picture("wide", given[0]), Picture("tall", given[1])], tmp_path / "set", 512)
    found = ImageSet(tmp_path / "set")
    assert len(found) == 2
    assert [found.pixels(n, 64).shape for n in range(2)] == [(64, 128, 3), (96, 64, 3)]
    assert found.pixels(0, 150).shape == (150, 300, 3)
    assert found.pixels(0).dtype == np.uint8
    original = Image.open(io.BytesIO(given[0])).resize((128, 64), Image.Resampling.LANCZOS)
    assert np.abs(found.pixels(0, 64).astype(int) - np.asarray(original).astype(int)).mean() < 3


def test_a_side_that_fits_is_kept_and_of_a_larger_one_nothing(tmp_path: Path) -> None:
    pack(some(6), tmp_path / "set", 512)
    small, large = 6 * 3 * 64 * 85, 6 * 3 * 96 * 128  # bytes at shorter sides of 64 and 96
    plain = ImageSet(tmp_path / "set")
    for budget, kept in ((small - 1, set()), (small, {64}), (small + large - 1, {64}), (small + large, {64, 96})):
        cached = ImageSet(tmp_path / "set", budget)
        for side in (64, 96):
            assert all(np.array_equal(plain.pixels(n, side), cached.pixels(n, side)) for n in range(6))
            assert cached.fits(side) == (side in kept)
            assert (cached.pixels(0, side) is cached.pixels(0, side)) == (side in kept)
    copy = pickle.loads(pickle.dumps(cached))
    assert len(pickle.dumps(cached)) < 10_000
    assert np.array_equal(copy.pixels(5, 64), plain.pixels(5, 64))
    assert not plain.fits()


@pytest.mark.parametrize("damage", [lambda data: data[:3000], lambda data: bytes(len(data))])
def test_a_damaged_shard_is_an_error_in_one_line(tmp_path: Path, damage) -> None:
    pack(some(4), tmp_path / "set", 512)
    path = tmp_path / "set/shard-00000.tar"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=f"{path} at byte 512: .*delete {tmp_path / 'set'}, then `chmod"):
        ImageSet(tmp_path / "set").pixels(0)
