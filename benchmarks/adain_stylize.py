"""Stylising beside pytorch-AdaIN's plain forward pass: seconds per picture, files read and written, in turns.

    python benchmarks/adain_stylize.py [--size 512]

Both sides read a photo and a painting, encode both, draw and write a JPEG, with the same networks; the results in
float32 are compared first. How time and memory grow with the picture: growth.py.
"""

import argparse
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import torch
from measure import in_turns, name, setting, table
from PIL import Image
from pytorch_adain import Plain
from torchvision.transforms.functional import to_tensor
from torchvision.utils import save_image as save_tensor

from nnlab.adain.model import Decoder, Encoder
from nnlab.adain.shipped import DECODER
from nnlab.adain.stylize import Stylizer
from nnlab.adain.weights import load_decoder, load_encoder
from nnlab.data.gallery import HELD_OUT, PAINTINGS, PHOTOS
from nnlab.data.images import list_images, read_image, save_image
from nnlab.training.device import autocast, pick_precision

Run = Callable[[Path, Path, Path], None]  # photo, painting, result


def ours(encoder: Encoder, decoder: Decoder, precision: torch.dtype) -> Run:
    """This project's way from files to a file."""
    stylizer = Stylizer(deepcopy(encoder), deepcopy(decoder), precision=precision)

    def run(photo: Path, painting: Path, result: Path) -> None:
        save_image(stylizer.stylize(read_image(photo), [read_image(painting)]), result)

    return run


def plain(encoder: Encoder, decoder: Decoder, precision: torch.dtype) -> Run:
    """The same as pytorch-AdaIN does it; bfloat16 by autocast, which it has not."""
    network = Plain(encoder, decoder).eval()

    def run(photo: Path, painting: Path, result: Path) -> None:
        content, style = (to_tensor(Image.open(path).convert("RGB"))[None] for path in (photo, painting))
        with torch.no_grad(), autocast(torch.device("cpu"), precision):
            drawn = network.draw(content, style)
        save_tensor(drawn.float(), result)

    return run


def main() -> None:
    """Compare, measure in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=Path("data/models/adain/encoder.safetensors"))
    parser.add_argument("--pictures", type=Path, default=Path("data/raw/pictures"))
    parser.add_argument("--size", type=int, default=512, help="sides of both pictures in pixels, a multiple of 8")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    networks = load_encoder(options.encoder), load_decoder(DECODER)
    dtypes = list(dict.fromkeys([torch.float32, pick_precision("auto", torch.device("cpu"))]))
    sides = {
        f"{side}, {name(dtype)}": way(*networks, dtype)
        for dtype in dtypes for side, way in (("pytorch-AdaIN", plain), ("nnlab", ours))
    }  # fmt: skip
    with TemporaryDirectory() as folder:
        files = [Path(folder) / f"{kind}.jpg" for kind in (PHOTOS, PAINTINGS)]
        for file, kind in zip(files, (PHOTOS, PAINTINGS)):
            picture = read_image(list_images(options.pictures / kind / HELD_OUT)[0])
            save_image(picture.resize((options.size, options.size), Image.Resampling.LANCZOS), file)
        results = [Path(folder) / f"{number}.png" for number in range(2)]
        for run, result in zip(sides.values(), results):
            run(*files, result)
        apart = np.abs(np.subtract(*(np.asarray(read_image(result), dtype=int) for result in results))).max()
        jobs = {side: partial(run, *files, Path(folder) / "result.jpg") for side, run in sides.items()}
        times = in_turns(jobs, options.rounds)
    print(
        f"{setting(*dtypes)}; {options.size} x {options.size} pixels, median (least - most) of {options.rounds} turns."
    )
    print(f"In float32 the pictures differ by at most {apart} of 255 levels.\n")
    first = median(next(iter(times.values())))
    rows = [
        [side, f"{median(found):.3f} ({min(found):.3f} - {max(found):.3f})", f"{first / median(found):.2f}"]
        for side, found in times.items()
    ]
    print(table(["", "seconds per picture", "times as fast"], rows))


if __name__ == "__main__":
    main()
