"""Time and memory as the work grows: picture size, batch size, number of pictures -> a table and growth.png beside it.

    python benchmarks/growth.py [--largest 4096]

Every point is a process of its own: its peak memory is the whole process's, libraries included. Pictures are noise.
"""

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

FIGURE = Path(__file__).with_name("growth.png")
ROUNDS = 5


def noise(side: int, seed: int = 0) -> Image.Image:
    """A smooth random picture."""
    values = np.random.default_rng(seed).integers(0, 255, (16, 16, 3), np.uint8)
    return Image.fromarray(values).resize((side, side), Image.Resampling.BICUBIC)


def stylise(side: int) -> float:
    """Seconds to stylise one picture of side x side pixels."""
    import torch

    from nnlab.adain.shipped import shipped_decoder, shipped_encoder
    from nnlab.adain.stylize import Stylizer
    from nnlab.training import pick_precision

    stylizer = Stylizer(shipped_encoder(), shipped_decoder(), precision=pick_precision("auto", torch.device("cpu")))
    return median(lambda: stylizer.stylize(noise(side), [noise(256, 1)]), 1 if side > 2000 else 3)


def step(batch: int) -> float:
    """Seconds of one training step on new crops of 64 pixels."""
    import torch

    from nnlab.adain.processes import Processes
    from nnlab.adain.shipped import shipped_encoder
    from nnlab.adain.train import Setting, new_state, step_functions
    from nnlab.schema import load_params
    from nnlab.training import pick_precision

    device, params = torch.device("cpu"), load_params(Path("params.yaml")).adain.train
    setting = Setting(Processes(0, 1, device), pick_precision("auto", device), 0, 1000)
    encode, once = step_functions(shipped_encoder(), new_state(params, device), params, setting)
    crops = torch.randint(0, 255, (batch, 3, 64, 64), dtype=torch.uint8)
    return median(lambda: once(*encode(crops, crops.flip(0))))


def pool(count: int) -> float:
    """Seconds to pack `count` pictures of 256 x 256 pixels and to read all of them once."""
    from nnlab.packing import pack
    from nnlab.pictures import Picture
    from nnlab.pools import Pool

    def file(number: int) -> bytes:
        buffer = io.BytesIO()
        noise(256, number).save(buffer, "JPEG")
        return buffer.getvalue()

    with tempfile.TemporaryDirectory() as name:
        begin = time.perf_counter()
        pack((Picture(f"{i}.jpg", lambda i=i: file(i)) for i in range(count)), Path(name) / "pool", 256, total=count)
        packed = Pool(Path(name) / "pool", 128, cache_bytes=8 << 20)
        for index in range(count):
            packed.pixels(index)
        return time.perf_counter() - begin


def median(job: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median seconds of a job after a first, uncounted one."""
    job()
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        job()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


SERIES: dict[str, tuple[Callable[[int], float], list[int], str, str]] = {
    "stylising a picture": (stylise, [256, 512, 1024, 2048, 4096], "side of the picture / pixels", "s per picture"),
    "AdaIN training step, crops of 64 pixels": (step, [1, 2, 4, 8, 16], "pairs per step", "s per step"),
    "packing and reading a set, one run": (pool, [100, 400, 1600, 6400], "pictures in the set", "s for the set"),
}


def measure(name: str, value: int) -> tuple[float, float]:
    """Seconds and peak memory (MiB) of one point."""
    command = [sys.executable, __file__, "--one", name, str(value)]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    seconds, peak = json.loads(result.stdout.splitlines()[-1])
    return seconds, peak


def draw(points: dict[str, list[tuple[int, float, float]]]) -> None:
    """One column per series: time above, memory below."""
    import matplotlib.pyplot as plt

    from nnlab.reports import BLUE, RED, save_figure, style

    with style():
        figure, axes = plt.subplots(2, len(points), figsize=(11, 6), sharex="col")
        for column, (name, rows) in zip(axes.T, points.items()):
            values, seconds, peaks = zip(*rows)
            column[0].plot(values, seconds, "o-", color=BLUE)
            column[0].set(title=name, ylabel=SERIES[name][3], xscale="log", yscale="log")
            column[0].yaxis.set_major_formatter("{x:g}")
            column[0].yaxis.set_minor_formatter("")
            column[1].plot(values, peaks, "s-", color=RED)
            column[1].set(xlabel=SERIES[name][2], ylabel="peak memory / MiB", ylim=(0, 1.1 * max(peaks)))
            column[1].set_xticks(values, [f"{value:,}" for value in values])
            column[1].minorticks_off()
        figure.suptitle(f"Cost as the work grows ({os.cpu_count()} cores)")
        save_figure(figure, FIGURE)


def main() -> None:
    """Measure all points, print them, draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=int, default=4096, help="side of the largest picture")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        seconds = SERIES[options.one[0]][0](int(options.one[1]))
        print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
        return
    points: dict[str, list[tuple[int, float, float]]] = {}
    print("| what | size | time | peak memory |\n|---|---|---|---|")
    for name, (_, values, unit, per) in SERIES.items():
        for value in values:
            if name == next(iter(SERIES)) and value > options.largest:
                continue
            seconds, peak = measure(name, value)
            points.setdefault(name, []).append((value, seconds, peak))
            print(f"| {name} | {value:,} ({unit}) | {seconds:.3g} {per} | {peak:,.0f} MiB |", flush=True)
    draw(points)
    print("\n![Time and memory over picture size, batch size and number of pictures](growth.png)")


if __name__ == "__main__":
    main()
