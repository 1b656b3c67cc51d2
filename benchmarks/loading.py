"""How fast pictures are loaded: `python benchmarks/loading.py CONTENT STYLE` (folders or archives of pictures).

Prints a Markdown table: packing, decoding per thread, batches from memory and through loader processes. The pool is
made in a temporary folder. Medians of five.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image, features

from nnlab.adain.batches import Batches, Feed, batch
from nnlab.data.containers import pictures
from nnlab.data.packing import pack
from nnlab.data.pools import Pool

REPEATS = 5
KINDS = ("content", "style")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("content", type=Path)
    parser.add_argument("style", type=Path)
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--resize", type=int, default=512)
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(options, Path(folder))
    cores = os.cpu_count()
    print(
        f"\n{platform.processor() or platform.machine()}, {cores} cores, Python {platform.python_version()},", end=" "
    )
    print(f"Pillow {Image.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}, {time.strftime('%Y-%m-%d')}")
    print(f"\n| crop {options.crop}, shorter side {options.resize}, batch {options.batch} | rate |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value} |")


def measure(options: argparse.Namespace, folder: Path) -> dict[str, str]:
    """All rows of the table."""
    rows, images = {}, 0
    began = time.perf_counter()
    for kind in KINDS:
        images += pack(pictures(getattr(options, kind)), folder / kind, 512)["images"]
    rows[f"packing, {os.cpu_count()} threads"] = f"{images / (time.perf_counter() - began):.0f} pictures/s"
    sample = 200
    for threads in sorted({1, os.cpu_count() or 1}):
        pool = Pool(folder / "content", options.resize)
        rate = median(lambda n=threads, p=pool: p_map(p, n, sample), sample)
        rows[f"decoding, {threads} thread{'s' * (threads > 1)}"] = f"{rate:.0f} pictures/s"
    pools = [Pool(folder / kind, options.resize, 8 << 30) for kind in KINDS]
    for pool in pools:
        p_map(pool, os.cpu_count() or 1, len(pool))
    steps = 200
    seconds = steps / median(lambda: [batch(*pools, 1, t, options.batch, options.crop) for t in range(steps)], steps)
    rows["batch of content and style from memory"] = f"{seconds / steps * 1e3:.2f} ms"
    pools = [Pool(folder / kind, options.resize) for kind in KINDS]
    for workers in sorted({0, 1, os.cpu_count() or 1}):
        rate = through_feed(pools, options, workers)
        name = f"{workers} loader process{'es' * (workers > 1)}" if workers else "one thread, nothing in memory"
        rows[name] = f"{rate:.1f} batches/s, {rate * 2 * options.batch:.0f} pictures/s"
    return rows


def p_map(pool: Pool, threads: int, count: int) -> None:
    """Decode `count` pictures in threads, those of a small pool several times."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as executor:
        for index in range(count):
            executor.submit(pool.pixels, index % len(pool))


def median(job: Callable[[], object], count: int) -> float:
    """Things per second: `count` over the median of the job's times."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        job()
        times.append(time.perf_counter() - began)
    return count / statistics.median(times)


def through_feed(pools: list[Pool], options: argparse.Namespace, workers: int) -> float:
    """Batches per second, after the first ten."""
    with Feed(Batches(*pools, 1, options.batch, options.crop), 0, 60, workers) as feed:
        for _ in range(10):
            next(feed)
        began = time.perf_counter()
        done = sum(1 for _ in feed)
        return done / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
