"""Growth with the data set: pictures are made up, packed by the stage, read by the training; then all is deleted.

    python benchmarks/scale.py [--counts 1000 4000 16000] [--cache-mib 0] [--folder TMP]

The pictures (256 x 256 to 256 x 448 pixels, smooth noise, JPEG) lie in zip archives, as COCO's do. For every count:
pictures packed per second (the stage's start included), seconds from an unread set to the first batch, training steps
per second by params.yaml (photos and paintings are the same set), and peak memory of each process. A set that fits into
`adain.run.cache_mib`, or into `--cache-mib`, is kept in memory once decoded, and has been for the steps that count;
else `adain.run.workers` processes decode it: see docs/full-size.md.
"""

import argparse
import io
import json
import sys
import time
import zipfile
from collections.abc import Iterator
from itertools import pairwise, product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from measure import arguments, here, process, row, show, wait
from our_adain import training
from PIL import Image
from run import ROOT

from nnlab.adain.data import Crops, feed
from nnlab.adain.model import initial_decoder
from nnlab.adain.weights import load_encoder
from nnlab.data.imageset import ImageSet
from nnlab.data.sets import fetch_set
from nnlab.params import load_params


def main() -> None:
    """Make, pack and read larger and larger sets; print a row per figure."""
    parser = arguments(__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 4_000, 16_000])
    mib = load_params(ROOT / "params.yaml").adain.run.cache_mib
    parser.add_argument("--cache-mib", type=int, default=mib, help="0: a small set is read from the disk, too")
    parser.add_argument("--folder", type=Path, help="where the pictures lie meanwhile: 70 kB each")
    parser.add_argument("--encoder", type=Path, default=ROOT / "data/models/encoder.safetensors")
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        print(json.dumps(train(options.train, options.encoder, options.cache_mib)))
        return
    rows, precision = [], here()[1]
    with TemporaryDirectory(dir=options.folder) as folder:
        given, fetched, pool = (Path(folder) / part for part in ("given", "fetched", "pool"))
        given.mkdir()
        for before, count in pairwise([0, *sorted(options.counts)]):
            make(given / f"{count:07d}.zip", range(before, count))
            fetch_set("adain.data.content", str(given), fetched)
            _, taken, peak = process([sys.executable, "stages/adain_prepare.py", fetched, folder, pool])
            given_on = ["--train", pool, "--encoder", options.encoder, "--cache-mib", str(options.cache_mib)]
            said, _, held = process([sys.executable, __file__, *given_on])
            first, rate, kept = json.loads(said)
            found = [
                row("packing, pictures/s", [count / taken]),
                row("packing, peak MiB", [peak]),
                row("seconds to the first batch", [first]),
                row(f"training steps/s, {'set in memory' if kept else 'set on disk'}", [rate], precision=precision),
                row("training, peak MiB", [held], precision=precision),
            ]
            rows += [[f"{count:,} pictures: {line[0]}", *line[1:]] for line in found]
            print(*rows[-len(found) :], sep="\n", file=sys.stderr, flush=True)
    show(rows)


def make(archive: Path, numbers: range) -> None:
    """Write a picture for each number; no two are the same."""
    with zipfile.ZipFile(archive, "w") as file:
        for number, picture in zip(numbers, pictures(numbers)):
            file.writestr(f"{number:012d}.jpg", picture)


def pictures(numbers: range) -> Iterator[bytes]:
    """JPEG files, upright and lying: parts of one picture of noise, each at a place of its own."""
    noise = np.random.default_rng(1).integers(0, 255, (320, 320, 3), np.uint8)
    whole = Image.fromarray(noise).resize((2560, 2560), Image.Resampling.BICUBIC)
    for number in numbers:
        x, y = number % 2048, number // 2048
        longer = 256 + 64 * (number % 4)
        width, height = (longer, 256) if number % 3 else (256, longer)
        file = io.BytesIO()
        whole.crop((x, y, x + width, y + height)).save(file, "JPEG", quality=85)
        yield file.getvalue()


def train(pool: Path, weights: Path, cache_mib: int, uncounted: int = 10, steps: int = 60) -> tuple[float, float, bool]:
    """Seconds to the first batch, training steps per second after some, whether the set stays in memory."""
    adain, (device, precision) = load_params(ROOT / "params.yaml").adain, here()
    _, move = training(load_encoder(weights), initial_decoder(1), adain.train, precision)
    begin = time.perf_counter()
    photos, paintings = (ImageSet(pool, cache_mib << 20) for _ in range(2))
    batches = feed(Crops(photos, paintings, adain.train), range(uncounted + steps), adain.run.workers, device)
    batch = next(batches)
    first, sides = time.perf_counter() - begin, adain.train.sides
    if kept := photos.fits(max(sides)):
        for pictures, number, side in product((photos, paintings), range(len(photos)), sides):
            pictures.pixels(number, side)
    for number, batch in enumerate(batches, 1):
        move(batch)
        if number == uncounted:
            wait()
            begin = time.perf_counter()
    wait()
    return first, (number - uncounted) / (time.perf_counter() - begin), kept


if __name__ == "__main__":
    main()
