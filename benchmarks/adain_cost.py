"""What AdaIN costs, and how that grows: time and peak memory of a picture and of a training step, beside the peers'.

    python benchmarks/adain_cost.py [--rounds 2] [--largest 4096]

Every figure comes from processes of their own, which take turns; their peak memory is the whole process's. Pictures go
from file to file: read, encoded, drawn, written as JPEG. Ours and pytorch-AdaIN's (`pytorch_adain.py`) have the same
networks. A step gets crops that are there already; the peer's is its own, ours once by params.yaml (structure loss,
Muon, identity steps are cheaper and are left out) and once with the peer's losses and Adam.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch
from measure import arguments, here, process, row, seconds, show
from our_adain import random_batch, settings, training
from PIL import Image
from pytorch_adain import RECIPE, Plain
from pytorch_adain import step as plain_step
from run import ROOT
from styletransfer_lite import FOLDER, timed
from torchvision.transforms.functional import to_tensor
from torchvision.utils import save_image as save_tensor

from nnlab.adain.model import initial_decoder
from nnlab.adain.shipped import DECODER
from nnlab.adain.stylize import Stylizer
from nnlab.adain.weights import load_decoder, load_encoder
from nnlab.data.gallery import HELD_OUT, PAINTINGS, PHOTOS
from nnlab.data.images import list_images, read_image, save_image
from nnlab.training.device import autocast, pick_device

PATIENCE = 5.0  # seconds of a process's measured runs: one at least, five at most
STYLISED = (256, 512, 1024, 2048, 4096)  # pixels a side
STEPS = ((128, 1), (128, 2), (128, 4), (128, 8), (256, 8))  # crop, batch
COMPARED = (512, 2048, (128, 1), (256, 8))  # where the peers run, too
Job = Callable[[], object]
Command = tuple[str, ...]


class Point(NamedTuple):
    """A figure: what, its precision, our command, and the peers' by name."""

    what: str
    dtype: str
    ours: Command
    peers: dict[str, Command]


def stylise(encoder: str, dtype: torch.dtype, photo: str, painting: str) -> Job:
    """This project's way from files to a file."""
    stylizer = Stylizer(load_encoder(Path(encoder)), load_decoder(DECODER), pick_device("auto"), dtype)

    def run() -> None:
        drawn = stylizer.stylize(read_image(Path(photo)), [read_image(Path(painting))])
        save_image(drawn, _result(photo, "ours"))

    return run


def _result(photo: str, side: str) -> Path:
    return Path(photo).with_name(f"{side}-{Path(photo).name}")


def plain_stylise(encoder: str, dtype: torch.dtype, photo: str, painting: str) -> Job:
    """The same as pytorch-AdaIN does it; bfloat16 by autocast, which it has not."""
    device = pick_device("auto")
    network = Plain(load_encoder(Path(encoder)), load_decoder(DECODER)).to(device).eval()

    def run() -> None:
        content, style = (to_tensor(Image.open(path).convert("RGB"))[None].to(device) for path in (photo, painting))
        with torch.no_grad(), autocast(device, dtype):
            drawn = network.draw(content, style)
        save_tensor(drawn.float(), _result(photo, "plain"))

    return run


def step(
    encoder: str, dtype: torch.dtype, crop: str, batch: str, changes: dict | None = None, compiled: bool = False
) -> Job:
    """Our training step, by params.yaml with some changes."""
    params, given = settings((changes or {}) | {"max_iter": 1000}), random_batch(int(batch), int(crop))
    _, move = training(load_encoder(Path(encoder)), initial_decoder(1), params, dtype, compiled)
    return lambda: move(given)


def recipe_step(encoder: str, dtype: torch.dtype, crop: str, batch: str) -> Job:
    """Our training step with pytorch-AdaIN's losses and optimiser."""
    return step(encoder, dtype, crop, batch, RECIPE)


def compiled_step(encoder: str, dtype: torch.dtype, crop: str, batch: str) -> Job:
    """The same with `adain.run.compile: true`; the first step, which compiles, is taken before it is measured."""
    job = step(encoder, dtype, crop, batch, RECIPE, compiled=True)
    job()
    return job


def peers_step(encoder: str, dtype: torch.dtype, crop: str, batch: str) -> Job:
    """pytorch-AdaIN's training step."""
    network = Plain(load_encoder(Path(encoder)), initial_decoder(1)).to(pick_device("auto"))
    return plain_step(network, random_batch(int(batch), int(crop))[:2], dtype)


JOBS = {job.__name__: job for job in (stylise, plain_stylise, step, recipe_step, compiled_step, peers_step)}


def measured(job: Job) -> list[float]:
    """Seconds of up to five runs after a first one; of the first alone where it took longer than `PATIENCE`."""
    times = [seconds(job)]
    while times[0] < PATIENCE and len(times) < 6 and sum(times) < 2 * PATIENCE:
        times.append(seconds(job))
    return times[1:] or times


def points(options: argparse.Namespace, folder: Path) -> list[Point]:
    """All that is measured; the pictures are made in `folder`."""
    best = str(here()[1]).removeprefix("torch.")
    found = []

    def add(what: str, key: object, ours: str, plain: str, given: list[str]) -> None:
        for dtype in dict.fromkeys(["float32", best] if key in COMPARED else [best]):
            program = sys.executable, __file__, "--encoder", str(options.encoder), "--one"
            peers = {"pytorch-AdaIN": (*program, plain, dtype, *given)} if key in COMPARED else {}
            if plain == "plain_stylise" and peers and dtype == best:
                peers["styletransfer-lite, at 384"] = tuple(timed(*map(Path, given), key, options.lite))
            found.append(Point(what, dtype, (*program, ours, dtype, *given), peers))

    pictures = [list_images(options.pictures / kind / HELD_OUT)[0] for kind in (PHOTOS, PAINTINGS)]
    for side in [side for side in STYLISED if side <= options.largest]:
        files = [str(folder / f"{kind}-{side}.jpg") for kind in (PHOTOS, PAINTINGS)]
        for picture, file, large in zip(pictures, files, (side, 512)):
            save_image(read_image(picture).resize((large, large), Image.Resampling.LANCZOS), Path(file))
        add(f"a picture of {side:,} pixels", side, "stylise", "plain_stylise", files)
    for crop, batch in STEPS:
        what, key, given = f"a step, crop {crop}, batch {batch}", (crop, batch), [str(crop), str(batch)]
        add(what, key, "step", "peers_step", given)
        if key in COMPARED:
            add(f"{what}, the peer's losses", key, "recipe_step", "peers_step", given)
            if pick_device("auto").type == "cuda":  # on a CPU compiling takes longer than it spares here
                add(f"{what}, the peer's losses, compiled", key, "compiled_step", "peers_step", given)
    return found


def main() -> None:
    """Measure in turns, print."""
    parser = arguments(__doc__)
    parser.add_argument("--encoder", type=Path, default=ROOT / "data/models/encoder.safetensors")
    parser.add_argument("--pictures", type=Path, default=ROOT / "data/raw/pictures")
    parser.add_argument("--lite", type=Path, default=FOLDER, help="folder of styletransfer-lite's environment")
    parser.add_argument("--largest", type=int, default=STYLISED[-1], help="side of the largest picture")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        job, dtype, *given = options.one
        print(json.dumps(measured(JOBS[job](options.encoder, getattr(torch, dtype), *given))))
        return
    with TemporaryDirectory() as folder:
        wanted = points(options, Path(folder))
        commands = {command for point in wanted for command in (point.ours, *point.peers.values())}
        times: dict[Command, list[float]] = {command: [] for command in commands}
        peaks: dict[Command, list[float]] = {command: [] for command in commands}
        for number in range(options.rounds):
            for command in commands:
                said, _, peak = process(command)
                times[command] += json.loads(said)
                peaks[command].append(peak)
                print(f"round {number + 1}: {' '.join(command[-4:])}", file=sys.stderr, flush=True)
    show([line for point in wanted for line in rows(point, times, peaks)])


def rows(point: Point, times: dict[Command, list[float]], peaks: dict[Command, list[float]]) -> list[list[str]]:
    """Seconds and memory of a point beside each peer's, or alone."""
    return [
        row(f"{point.what}, {unit}", values[point.ours], values.get(command, ()), who, point.dtype)
        for who, command in (point.peers or {"": ()}).items()
        for unit, values in (("s", times), ("peak MiB", peaks))
    ]


if __name__ == "__main__":
    main()
