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
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from measure import seconds
from PIL import Image
from pytorch_adain import settings
from run import machine

from nnlab.adain.data import Batch
from nnlab.adain.model import initial_decoder
from nnlab.adain.stylize import Stylizer
from nnlab.adain.train import new_state, step_function
from nnlab.adain.weights import load_encoder
from nnlab.data.containers import pictures
from nnlab.data.imageset import ImageSet
from nnlab.data.packing import pack
from nnlab.figures import BLUE, RED, save_figure, style
from nnlab.training.device import pick_precision
from nnlab.training.processes import Processes

FOLDER = Path(__file__).parent  # of the figure
ENCODER = FOLDER.parent / "data/models/adain/encoder.safetensors"
CPU = torch.device("cpu")
PATIENCE = 20.0  # seconds


def noise(side: int, seed: int = 0) -> Image.Image:
    """A smooth random picture."""
    values = np.random.default_rng(seed).integers(0, 255, (16, 16, 3), np.uint8)
    return Image.fromarray(values).resize((side, side), Image.Resampling.BICUBIC)


def stylise(side: int) -> float:
    """Seconds to stylise one picture of side x side pixels."""
    stylizer = Stylizer(load_encoder(ENCODER), initial_decoder(1), precision=pick_precision("auto", CPU))
    content, painting = noise(side), noise(256, 1)
    return median(lambda: stylizer.stylize(content, [painting]))


def step(batch: int) -> float:
    """Seconds of one training step on crops of 96 pixels."""
    params = settings({"max_iter": 100})
    encoder, state = load_encoder(ENCODER), new_state(initial_decoder(1), params, CPU)
    move = step_function(encoder, state, params, Processes(0, 1, CPU), pick_precision("auto", CPU))
    crops = torch.randint(0, 255, (batch, 3, 96, 96), dtype=torch.uint8)
    return median(lambda: move(Batch(crops, crops.flip(3))))


def pool(count: int) -> float:
    """Seconds to pack `count` pictures of 256 x 256 pixels and to read all of them once."""
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


def median(job: Callable[[], object]) -> float:
    """Median seconds of a job after a first, uncounted run; where that takes long, one run counts."""
    runs = 5 if seconds(job) < PATIENCE else 1
    return statistics.median(seconds(job) for _ in range(runs))


SERIES: dict[str, tuple[Callable[[int], float], list[int], str, str]] = {
    "stylising a picture": (stylise, [256, 512, 1024, 2048, 4096], "side of the picture / pixels", "s per picture"),
    "AdaIN training step, crops of 96 pixels": (step, [1, 2, 4, 8, 16], "pairs per step", "s per step"),
    "packing and reading a set": (pool, [100, 400, 1600, 6400], "pictures in the set", "s for the set"),
}


def measure(name: str, value: int) -> tuple[float, float]:
    """Seconds and peak memory (MiB) of one point."""
    command = [sys.executable, __file__, "--one", name, str(value)]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return tuple(json.loads(result.stdout.splitlines()[-1]))


def draw(points: dict[str, list[tuple[int, float, float]]], figure_file: Path) -> None:
    """One column per series: time above, memory below."""
    with style():
        figure, axes = plt.subplots(2, len(points), figsize=(11, 6), sharex="col", squeeze=False)
        for column, (name, rows) in zip(axes.T, points.items()):
            values, times, peaks = zip(*rows)
            column[0].plot(values, times, "o-", color=BLUE)
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
        print(json.dumps([taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
        return
    points: dict[str, list[tuple[int, float, float]]] = {}
    print("| what | size | time | peak memory |\n|---|---|---|---|")
    for name, (_, values, unit, per) in SERIES.items():
        for value in values:
            if name == next(iter(SERIES)) and value > options.largest:
                continue
            taken, peak = measure(name, value)
            points.setdefault(name, []).append((value, taken, peak))
            print(f"| {name} | {value:,} ({unit}) | {taken:.3g} {per} | {peak:,.0f} MiB |", flush=True)
    figure = FOLDER / f"growth-{re.sub(r'[^a-z0-9_]+', '-', machine().lower()).strip('-')}.png"
    draw(points, figure)
    print(f"\n![Time and memory over picture size, batch size and number of pictures]({figure.name})")


if __name__ == "__main__":
    main()
