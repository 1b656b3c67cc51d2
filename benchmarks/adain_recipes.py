"""Time to quality: recipes of AdaIN train for as many minutes each on the same pictures and are judged on the way.

    python benchmarks/adain_recipes.py [--minutes 10 | --iterations N] [--only NAME ...] [--figure OUT.png]

The recipes are params.yaml's, the same without one of its parts, and pytorch-AdaIN's (batch 8, crop 256 of 512, Adam
1e-4, random start; through our code, in this machine's precision, which is faster than its own). The clock starts
before the first decoder is made, with all pictures decoded; the decoders are judged afterwards (`nnlab.adain.evaluate`,
held-out pairs). As schedules end with the run, it gets as many iterations as fit by the time of some first steps, or
`--iterations`, whatever time they take.
All that is judged goes to standard error; printed is the first recipe beside each of the others. The figure shows a
photo and a painting as drawn without identity steps and with them.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from measure import arguments, here, row, seconds, show, wait
from our_adain import settings, training
from PIL import ImageOps
from pytorch_adain import RECIPE

from nnlab import figures
from nnlab.adain.data import Batch, Crops, feed, held_out_pairs, sample_crops
from nnlab.adain.evaluate import judge
from nnlab.adain.model import Decoder, Encoder, initial_decoder
from nnlab.adain.start import closed_form_decoder
from nnlab.adain.stylize import Stylizer
from nnlab.data.gallery import caption, find_picture
from nnlab.data.images import read_image, resize_shorter
from nnlab.data.imageset import ImageSet
from nnlab.data.pair import STAND_INS
from nnlab.params import AdainTrainParams, load_params
from nnlab.vgg.weights import read_weights

DEFAULT, NO_IDENTITY = "params.yaml", "no identity steps"
RECIPES: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    NO_IDENTITY: {"identity": {"share": 0.0, "pixel_weight": 0.0}},
    "no structure loss": {"structure_weight": 0.0},
    "no color loss": {"color_weight": 0.0},
    "random start": {"start": "random"},
    "Adam": {"optimizer": "adam"},
    "pytorch-AdaIN": RECIPE,
}
ENCODER, PICTURES = "models/encoder.safetensors", "raw/pictures"  # in the folder of data
CONTENT, STYLE = "pools/content", "pools/style"
PARTS = (0.1, 0.2, 0.5, 1.0)  # of the minutes, at which decoders are judged
CACHE = 1 << 30  # bytes, per set
Kept = tuple[float, str, Decoder]  # a decoder on the way: minutes, iterations of how many
Score = tuple[float, float, float]  # minutes, content + 10 · style, edges


def main() -> None:
    """Train each recipe, judge, print, draw."""
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--iterations", type=int, help="of each recipe, in the place of minutes")
    parser.add_argument("--only", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--pairs", type=int, default=16, help="held-out pairs, at most")
    parser.add_argument("--figure", type=Path, help="where the pair of pictures goes")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with pools, encoder and pictures")
    options = parser.parse_args()
    options.minutes = math.inf if options.iterations else options.minutes
    device, precision = here()
    encoder, evaluate = Encoder(read_weights(options.data / ENCODER)), load_params().adain.evaluate
    pairs = list(held_out_pairs(options.data / PICTURES, evaluate))[: options.pairs]
    scores: dict[str, list[Score]] = {recipe: [] for recipe in options.only}
    last = {}
    print("recipe | minutes | iterations | content | style | content + 10 · style | edges | PSNR", file=sys.stderr)
    for recipe in options.only:
        kept = trained(RECIPES[recipe], options, encoder)
        last[recipe] = kept[-1]
        judged = judge(encoder, [decoder for *_, decoder in kept], pairs, device).itertuples(index=False)
        for (minutes, iterations, _), found in zip(kept, judged):
            total = found.content_loss + 10 * found.style_loss
            shown = " | ".join(f"{number:.2f}" for number in (*found[:2], total, *found[2:]))
            print(f"{recipe} | {minutes:.2g} | {iterations} | {shown}", file=sys.stderr, flush=True)
            scores[recipe].append((minutes, total, found.edges))
    show(beside(scores, f"{len(pairs)} held-out pairs", precision))
    if options.figure and {DEFAULT, NO_IDENTITY} <= last.keys():
        draw(options, encoder, last[NO_IDENTITY], last[DEFAULT])


def beside(scores: dict[str, list[Score]], pairs: str, precision: str | torch.dtype) -> list[list[str]]:
    """Rows of the first recipe beside each other one: what both reach in the end, and how soon it reached as much."""
    (_, ours), *others = scores.items()
    rows = []
    for who, found in others:
        end, total, edges = found[-1]
        first = [minutes for minutes, reached, _ in ours if reached <= total][:1]
        after = f"of {pairs}, after {end:.2g} minutes"
        rows.append(row(f"content + 10 · style {after}", [ours[-1][1]], [total], who, precision))
        rows.append(row(f"edges {after}", [ours[-1][2]], [edges], who, precision))
        if first:
            rows.append(row("minutes until that content + 10 · style, at most", first, [end], who, precision))
    return rows


def trained(changes: dict[str, Any], options: argparse.Namespace, encoder: Encoder) -> list[Kept]:
    """Train for so many minutes or iterations; the decoders after the `PARTS` of the minutes, or at the end."""
    params = settings(changes | {"max_iter": 100_000})
    crops = Crops(*(in_memory(path, params) for path in (options.data / CONTENT, options.data / STYLE)), params)
    device, precision = here()
    each = rate(crops, training(encoder, initial_decoder(1), params, precision)[1], device)
    began, due, kept = time.perf_counter(), [60 * options.minutes * part for part in PARTS], []
    decoder = initial_decoder(params.seed)
    if params.start == "closed_form":
        pictures = sample_crops(crops.content, crops.style, params.seed)
        decoder = closed_form_decoder(read_weights(options.data / ENCODER), pictures, params.seed)
    fitting = options.iterations or max(1, int((due[-1] - (time.perf_counter() - began)) / each))
    params = settings(changes | {"max_iter": fitting})
    state, move = training(encoder, decoder, params, precision)
    for batch in feed(replace(crops, params=params), range(fitting), 0, device):
        move(batch)
        wait()
        gone = time.perf_counter() - began
        if gone >= due[0] or state.step == fitting:
            kept.append((gone / 60, f"{state.step:,} of {fitting:,}", deepcopy(state.average)))
            due = [moment for moment in due if moment > gone]
        if not due:
            break
    return kept


def in_memory(folder: Path, params: AdainTrainParams) -> ImageSet:
    """A packed set whose pictures are decoded already in the sizes that the recipe crops from."""
    pictures = ImageSet(folder, CACHE)
    for side in params.sides:
        for number in range(len(pictures)):
            pictures.pixels(number, side)
    return pictures


def rate(crops: Crops, move: Callable[[Batch], None], device: torch.device, steps: int = 12) -> float:
    """Mean seconds of a step, measured on some after as many that warm up."""
    batches = feed(crops, range(2 * steps), 0, device)
    return [seconds(lambda: move(next(batches)), steps) for _ in range(2)][1]


def draw(options: argparse.Namespace, encoder: Encoder, without: Kept, default: Kept) -> None:
    """A held-out photo and painting, and what both decoders make of them."""
    files = [find_picture(options.data / PICTURES, name) for name in STAND_INS.values()]
    photo, painting = (resize_shorter(read_image(file), side) for file, side in zip(files, (384, 256)))
    drawn = [Stylizer(encoder, kept[2]).stylize(photo, [painting]) for kept in (without, default)]
    shown = [photo, ImageOps.pad(painting, photo.size, color="white"), *drawn]
    labels = [*map(caption, files), "without identity steps", f"identity steps: {settings({}).identity.share:.0%}"]
    after = " and ".join(dict.fromkeys((without[1], default[1])))
    note = f"after {after} iterations: not the pipeline's results"
    with figures.style():
        grid = figures.image_grid([shown[:2], shown[2:]], column_labels=labels, note=note, cell=4.8)
        figures.save_figure(grid, options.figure)


if __name__ == "__main__":
    main()
