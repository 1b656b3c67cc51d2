"""Time and memory as the work grows: picture size, batch size, number of pictures -> a table, and a figure beside it.

    python benchmarks/growth.py [--largest 4096]

Every point is a process of its own: its peak memory is the whole process's, libraries included. Pictures are noise.
Times are medians of five runs after a first one, or one more run where that took longer than `PATIENCE`. Each machine
has a figure of its own, growth-<machine>.png.
"""

import argparse
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from run import machine

FOLDER = Path(__file__).parent  # of the figure
ROUNDS = 5
PATIENCE = 20.0  # seconds


class Time(NamedTuple):
    """Median seconds, and of how many runs."""

    seconds: float
    runs: int


def noise(side: int, seed: int = 0) -> Image.Image:
    """A smooth random picture."""
    values = np.random.default_rng(seed).integers(0, 255, (16, 16, 3), np.uint8)
    return Image.fromarray(values).resize((side, side), Image.Resampling.BICUBIC)


def stylise(side: int) -> Time:
    """Seconds to stylise one picture of side x side pixels."""
    import torch

    from nnlab.adain.shipped import shipped_decoder, shipped_encoder
    from nnlab.adain.stylize import Stylizer
    from nnlab.training.device import pick_precision

    stylizer = Stylizer(shipped_encoder(), shipped_decoder(), precision=pick_precision("auto", torch.device("cpu")))
    content, painting = noise(side), noise(256, 1)
    return median(lambda: stylizer.stylize(content, [painting]))


def step(batch: int) -> Time:
    """Seconds of one training step on new crops of 64 pixels."""
    import torch

    from nnlab.adain.processes import Processes
    from nnlab.adain.shipped import shipped_encoder
    from nnlab.adain.train import Setting, new_state, step_functions
    from nnlab.params import load_params
    from nnlab.training.device import pick_precision

    device, params = torch.device("cpu"), load_params(Path("params.yaml")).adain.train
    setting = Setting(Processes(0, 1, device), pick_precision("auto", device), 0, 1000)
    encode, once = step_functions(shipped_encoder(), new_state(params, device), params, setting)
    crops = torch.randint(0, 255, (batch, 3, 64, 64), dtype=torch.uint8)
    return median(lambda: once(*encode(crops, crops.flip(0))))


def pool(count: int) -> Time:
    """Seconds to pack `count` pictures of 256 x 256 pixels and to read all of them once."""
    from nnlab.data.containers import pictures
    from nnlab.data.imageset import ImageSet
    from nnlab.data.packing import pack

    with tempfile.TemporaryDirectory() as name:
        given, packed = Path(name) / "given", Path(name) / "pool"
        given.mkdir()
        for number in range(count):
            noise(256, number).save(given / f"{number}.jpg")

        def once() -> None:
            pack(pictures(given), packed, 256)
            made = ImageSet(packed, cache_bytes=8 << 20)
            for index in range(count):
                made.pixels(index, 128)

        return median(once)


def median(job: Callable[[], object]) -> Time:
    """Median seconds of a job after a first, uncounted run; where that takes long, one run counts."""
    first = clock(job)
    runs = ROUNDS if first < PATIENCE else 1
    return Time(statistics.median(clock(job) for _ in range(runs)), runs)


def clock(job: Callable[[], object]) -> float:
    """Seconds of one run."""
    begin = time.perf_counter()
    job()
    return time.perf_counter() - begin


SERIES: dict[str, tuple[Callable[[int], Time], list[int], str, str]] = {
    "stylising a picture": (stylise, [256, 512, 1024, 2048, 4096], "side of the picture / pixels", "s per picture"),
    "AdaIN training step, crops of 64 pixels": (step, [1, 2, 4, 8, 16], "pairs per step", "s per step"),
    "packing and reading a set": (pool, [100, 400, 1600, 6400], "pictures in the set", "s for the set"),
}


def measure(name: str, value: int) -> tuple[Time, float]:
    """Time and peak memory (MiB) of one point."""
    command = [sys.executable, __file__, "--one", name, str(value)]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    seconds, runs, peak = json.loads(result.stdout.splitlines()[-1])
    return Time(seconds, runs), peak


def draw(points: dict[str, list[tuple[int, float, float]]], figure_file: Path) -> None:
    """One column per series: time above, memory below."""
    import matplotlib.pyplot as plt

    from nnlab.figures import BLUE, RED, save_figure, style

    with style():
        figure, axes = plt.subplots(2, len(points), figsize=(11, 6), sharex="col", squeeze=False)
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
        figure.suptitle(f"Cost as the work grows: {machine()}")
        save_figure(figure, figure_file)


def main() -> None:
    """Measure all points, print them, draw them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=4096, help="side of the largest picture")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        taken = SERIES[options.one[0]][0](int(options.one[1]))
        print(json.dumps([*taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
        return
    points: dict[str, list[tuple[int, float, float]]] = {}
    print("| what | size | time | median of | peak memory |\n|---|---|---|---|---|")
    for name, (_, values, unit, per) in SERIES.items():
        for value in values:
            if name == next(iter(SERIES)) and value > options.largest:
                continue
            (seconds, runs), peak = measure(name, value)
            points.setdefault(name, []).append((value, seconds, peak))
            print(f"| {name} | {value:,} ({unit}) | {seconds:.3g} {per} | {runs} | {peak:,.0f} MiB |", flush=True)
    figure = FOLDER / f"growth-{re.sub(r'[^a-z0-9_]+', '-', machine().lower()).strip('-')}.png"
    draw(points, figure)
    print(f"\n![Time and memory over picture size, batch size and number of pictures]({figure.name})")


if __name__ == "__main__":
    main()
