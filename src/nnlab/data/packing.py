"""Pack pictures once into an image set: shorter side resized, JPEG, damaged and double ones left out and listed."""

import csv
import hashlib
import io
import json
import os
import re
import tarfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from PIL import Image

from nnlab.data.containers import Picture
from nnlab.data.decoding import decode
from nnlab.data.images import flatten, resize_shorter
from nnlab.data.imageset import MANIFEST, Entry
from nnlab.errors import UserError
from nnlab.files import atomic_dir
from nnlab.training.progress import Progress

LEFT_OUT = "left_out.csv"  # name and reason of every picture that is not in the set
SUMMARY = "summary.json"
PER_SHARD = 1024  # pictures: about 100 MB at 512 pixels
SMALLEST_SIDE = 64  # pixels; nothing can be learnt from a smaller picture
LONGEST = 8.0  # longer side over shorter side; resized, such a strip would be huge


def pack(
    pictures: Iterable[Picture], out: Path, short_side: int, quality: int = 92, least: int = 1, **about: Any
) -> dict[str, Any]:
    """Write the usable pictures into the folder `out` and return the summary that lies there as summary.json.

    The shorter side becomes at most `short_side` pixels (smaller pictures stay as they are). Pictures that are damaged,
    tiny or extremely long are left out and listed, as are those whose JPEG equals an earlier one's. The result depends
    on the pictures and their order alone. A thread per core works (Pillow does so outside Python's lock); memory is
    bounded by two pictures per thread and a line per picture. `about` is added to the summary. Fewer than `least`
    usable pictures are a `UserError`.
    """
    convert = partial(_convert, short_side=short_side, quality=quality)
    left_out: list[tuple[str, str]] = []
    with atomic_dir(out) as folder:
        entries = list(_write_shards(folder, _usable(_in_order(convert, pictures), left_out)))
        kinds = dict(sorted(Counter(re.split(r"[:(]", problem)[0].strip() for _, problem in left_out).items()))
        if len(entries) < least:
            found = f"{len(entries)} usable pictures, at least {least} are needed"
            first = f", first {': '.join(left_out[0])}" if left_out else ""
            raise UserError(f"adain.data.{out.name}: {found} (adain.data.least); left out: {kinds or 'none'}{first}")
        about = {"images": len(entries), "left_out": kinds, "short_side": short_side, "quality": quality, **about}
        (folder / SUMMARY).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        _write_table(folder / MANIFEST, Entry._fields, entries)
        _write_table(folder / LEFT_OUT, ("name", "reason"), left_out)
    return about


def _in_order(function: Callable[[Picture], Picture], items: Iterable[Picture]) -> Iterator[Picture]:
    """`map` over threads that keeps the order and never holds more than two items per thread."""
    waiting: deque = deque()
    # A job of a cluster may use a few of the machine's cores; macOS knows no such thing.
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as executor:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) >= 2 * threads:
                yield waiting.popleft().result()
        yield from (future.result() for future in waiting)


def _convert(picture: Picture, short_side: int, quality: int) -> Picture:
    """Decode a picture, check it, resize its shorter side to at most `short_side` pixels, encode it as JPEG."""
    if picture.problem:
        return picture
    try:
        image = flatten(decode(picture.data, short_side)[0])
    except UserError as reason:
        return Picture(picture.name, problem=str(reason))
    shorter, longer = sorted(image.size)
    if shorter < SMALLEST_SIDE:
        return Picture(picture.name, problem=f"too small: {image.width}x{image.height} pixels")
    if longer / shorter > LONGEST:
        return Picture(picture.name, problem=f"too long: {image.width}x{image.height} pixels")
    buffer = io.BytesIO()
    resize_shorter(image, min(short_side, shorter)).save(buffer, "JPEG", quality=quality)
    return Picture(picture.name, buffer.getvalue())


def _usable(converted: Iterable[Picture], left_out: list[tuple[str, str]]) -> Iterator[Picture]:
    """The pictures that go into the set; name and reason of the others go to `left_out`."""
    seen: set[bytes] = set()
    with Progress(0, "packing", "pictures") as bar:
        for picture in converted:
            bar.update(1)
            digest = hashlib.sha256(picture.data).digest()
            if picture.problem or digest in seen:
                left_out.append((picture.name, picture.problem or "duplicate: same picture as an earlier one"))
            else:
                seen.add(digest)
                yield picture


def _write_shards(folder: Path, usable: Iterable[Picture]) -> Iterator[Entry]:
    """Write JPEGs into tar files; the same pictures give the same bytes on every machine."""
    for number, group in groupby(enumerate(usable), lambda item: item[0] // PER_SHARD):
        shard = f"shard-{number:05d}.tar"
        with tarfile.open(folder / shard, "w", format=tarfile.USTAR_FORMAT) as archive:
            for index, picture in group:
                header = tarfile.TarInfo(f"{index:08d}.jpg")
                header.size = len(picture.data)  # times and owners stay 0
                offset = archive.offset + tarfile.BLOCKSIZE
                archive.addfile(header, io.BytesIO(picture.data))
                width, height = Image.open(io.BytesIO(picture.data)).size
                yield Entry(shard, offset, header.size, width, height, picture.name)


def _write_table(path: Path, columns: tuple[str, ...], rows: Iterable[tuple]) -> None:
    """A CSV file; names that are not valid Unicode are escaped."""
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])
