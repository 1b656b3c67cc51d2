"""Pack pictures once: shorter side resized, JPEG, damaged and double ones left out, into shards with a manifest."""

import errno
import json
import os
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from nnlab.data.pictures import Packed, Picture, convert
from nnlab.data.shards import LEFT_OUT, MANIFEST, SUMMARY, Entry, ShardWriter, write_table
from nnlab.errors import UserError
from nnlab.files import atomic, atomic_dir, scratch_dir
from nnlab.training.progress import Progress

PER_SHARD = 1024  # pictures of the source per shard: about 100 MB at 512 pixels

In = TypeVar("In")
Out = TypeVar("Out")


def pack(
    pictures: Iterable[Picture],
    out: Path,
    short_side: int,
    *,
    quality: int = 92,
    least: int = 1,
    work: Path | None = None,
    threads: int = 0,
    total: int = 0,
    about: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write the usable pictures into the folder `out` and return the summary that lies there as summary.json.

    The shorter side becomes at most `short_side` pixels (smaller pictures stay as they are). Pictures that are damaged,
    tiny or extremely long are left out and listed, as are those whose JPEG equals an earlier one's. The result depends
    on the pictures and their order alone, not on `threads` (0: one per core; Pillow works outside Python's lock).
    `work` is a folder for these pictures and settings alone, best on the same disk: finished shards stay there when the
    run ends early, and the next run goes on after them. Memory is bounded by two pictures per thread. `about` is added
    to the summary, `total` is for the progress. Fewer than `least` usable pictures are a `UserError`.
    """
    about = {"short_side": short_side, "quality": quality, **(about or {})}
    with ExitStack() as stack:
        if work is None:
            work = stack.enter_context(scratch_dir(out))
        work.mkdir(parents=True, exist_ok=True)
        shards = _write_shards(pictures, work, partial(convert, short_side=short_side, quality=quality), threads, total)
        summary = _join(work, shards, out.name, least, about)
        _publish(work, out, shards)
        return summary


def _write_shards(
    pictures: Iterable[Picture], work: Path, function: Callable[[Picture], Packed], threads: int, total: int
) -> int:
    """Write all shards that are not there yet; return their number."""
    shards, taken, kept, seen = _finished(work)
    threads = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as executor, Progress(total, "packing", "pictures", taken) as bar:
        packed = in_order(executor, function, islice(pictures, taken, None), 2 * threads)
        while first := next(packed, None):
            kept += _write_shard(_chain(first, packed, bar), work, shards, kept, seen)
            shards += 1
    return shards


def in_order(
    executor: ThreadPoolExecutor, function: Callable[[In], Out], items: Iterable[In], depth: int
) -> Iterator[Out]:
    """`map` over threads that keeps the order and never holds more than `depth` items."""
    waiting: deque = deque()
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) >= depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _chain(first: Packed, rest: Iterator[Packed], bar: Progress) -> Iterator[Packed]:
    """One shard's pictures, counted."""
    bar.update(1)
    yield first
    for picture in islice(rest, PER_SHARD - 1):
        bar.update(1)
        yield picture


def _write_shard(pictures: Iterator[Packed], work: Path, number: int, first: int, seen: set[str]) -> int:
    """Write a shard and its part of the tables; return the number of pictures in it."""
    shard, taken = f"shard-{number:05d}.tar", 0
    entries: list[Entry] = []
    left_out: list[tuple[str, str]] = []
    with atomic(work / shard) as temporary, temporary.open("wb") as file:
        writer = ShardWriter(file, shard)
        for picture in pictures:
            taken += 1
            if picture.problem or picture.sha256 in seen:
                left_out.append((picture.name, picture.problem or "duplicate: same picture as an earlier one"))
                continue
            seen.add(picture.sha256)
            key = f"{first + len(entries):08d}"
            entries.append(writer.add(key, picture.jpeg, picture.size, picture.sha256, picture.name))
        writer.close()
    with atomic(work / _part_name(number)) as temporary:  # ASCII, so that names that are not Unicode survive
        temporary.write_text(json.dumps({"taken": taken, "entries": entries, "left_out": left_out}), encoding="ascii")
    return len(entries)


def _part_name(number: int) -> str:
    return f"part-{number:05d}.json"


def _part(work: Path, number: int) -> dict | None:
    """What is known of a finished shard; None if it is not there or not whole."""
    try:
        part = json.loads((work / _part_name(number)).read_text(encoding="ascii"))
        end = max((offset + size for _, offset, size, *_ in part["entries"]), default=0)
        return part if (work / f"shard-{number:05d}.tar").stat().st_size >= end else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _finished(work: Path) -> tuple[int, int, int, set[str]]:
    """What an earlier run finished: shards, pictures taken from the source and kept, and the hashes of those kept."""
    shards, taken = 0, 0
    seen: set[str] = set()
    while part := _part(work, shards):
        shards, taken = shards + 1, taken + part["taken"]
        seen.update(Entry(*entry).sha256 for entry in part["entries"])
    return shards, taken, len(seen), seen


def _join(work: Path, shards: int, name: str, least: int, about: dict[str, Any]) -> dict[str, Any]:
    """Write the tables of the whole set from those of its shards; return the summary."""

    def rows(table: str) -> Iterator[list]:
        for number in range(shards):
            part = _part(work, number)
            if part is None:
                raise UserError(f"{work}: changed while it was written; run the same command again, once at a time")
            yield from part[table]

    kinds = dict(sorted(Counter(reason.partition(":")[0] for _, reason in rows("left_out")).items()))
    images = sum(1 for _ in rows("entries"))
    if images < least:
        first = next((f", first {name}: {reason}" for name, reason in rows("left_out")), "")
        raise UserError(
            f"{name}: {images} usable pictures, at least {least} are needed; left out: {kinds or 'none'}{first}"
        )
    write_table(work / MANIFEST, Entry._fields, rows("entries"))
    write_table(work / LEFT_OUT, ("name", "reason"), rows("left_out"))
    summary = {"images": images, "left_out": kinds, **about}
    with atomic(work / SUMMARY) as temporary:
        temporary.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return summary


def _publish(work: Path, out: Path, shards: int) -> None:
    """Move the finished set to `out`; a run that is killed meanwhile finds its shards gone and packs them again."""
    with atomic_dir(out) as folder:
        names = [MANIFEST, LEFT_OUT, SUMMARY, *(f"shard-{number:05d}.tar" for number in range(shards))]
        for name in names:
            _move(work / name, folder / name)
    for number in range(shards):
        (work / _part_name(number)).unlink()


def _move(source: Path, target: Path) -> None:
    """Rename; to another disk copy, and leave the source: until all is there, the next run can still use it."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copyfile(source, target)
