"""Stylising against pytorch-AdaIN's test.py, on this machine: time per image, and our time and memory by image size.

    python benchmarks/adain_stylize.py <checkout of naoto0804/pytorch-AdaIN> [<folder of pictures>]

The reference's own functions run unchanged: `test_transform`, `style_transfer` and `coral` are taken out of its test.py
and function.py, the networks out of its net.py, and its loop over files is repeated here line by line. Both sides read
picture files and write .jpg files, take turns in one process, and get the same networks (those that ship with nnlab).
"""

import argparse
import ast
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from nnlab.adain.shipped import networks
from nnlab.adain.stylize import Stylizer, open_picture
from nnlab.adain.weights import write_reference_files
from nnlab.data.images import list_images, save_image
from nnlab.training.device import pick_precision

SIZES = ((512, 512), (2048, 1536), (6000, 4000))


def reference(checkout: Path, weights: Path):
    """Return a function (content path, style path, output path) that does what the reference's test.py does."""
    sys.path.insert(0, str(checkout))
    import net
    from function import adaptive_instance_normalization
    from torchvision import transforms
    from torchvision.utils import save_image

    names = {
        "torch": torch, "transforms": transforms, "device": torch.device("cpu"),
        "adaptive_instance_normalization": adaptive_instance_normalization,
    }  # fmt: skip
    tree = ast.parse((checkout / "test.py").read_text())
    wanted = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    exec(compile(ast.Module(wanted, []), "test.py", "exec"), names)
    decoder, vgg = net.decoder.eval(), net.vgg.eval()
    decoder.load_state_dict(torch.load(weights / "decoder.pth"))
    vgg.load_state_dict(torch.load(weights / "vgg_normalised.pth"))
    vgg = torch.nn.Sequential(*list(vgg.children())[:31])
    transform = names["test_transform"](512, False)

    def run(content_path: Path, style_path: Path, output: Path) -> None:
        content = transform(Image.open(str(content_path))).unsqueeze(0)
        style = transform(Image.open(str(style_path))).unsqueeze(0)
        with torch.no_grad():
            drawn = names["style_transfer"](vgg, decoder, content, style, 1.0)
        save_image(drawn.cpu(), str(output))

    return run


def ours(precision: torch.dtype):
    """Return the same function for this project; every call encodes both pictures again, as the reference does."""
    stylizer = Stylizer(*networks(), precision=precision)

    def run(content_path: Path, style_path: Path, output: Path) -> None:
        save_image(stylizer.stylize(open_picture(content_path, 512), [open_picture(style_path, 512)]), output)

    return run


def pictures(folder: Path, given: Path | None) -> list[Path]:
    """Four 512 x 512 picture files: cut from the given ones, or coloured noise."""
    if given:
        shown = [Image.open(path).convert("RGB") for path in list_images(given)[:4]]
    else:
        noise = np.random.default_rng(0).integers(0, 255, (4, 24, 24, 3), np.uint8)
        shown = [Image.fromarray(values) for values in noise]
    paths = [folder / f"{number}.jpg" for number in range(len(shown))]
    for path, picture in zip(paths, shown):
        save_image(picture.resize((512, 512), Image.Resampling.BICUBIC), path)
    return paths


def side_by_side(checkout: Path, given: Path | None, rounds: int) -> None:
    """Print seconds per image of the reference and of ours, in turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_reference_files(*networks(), folder)
        fast = pick_precision("auto", torch.device("cpu"))
        sides = {"pytorch-AdaIN test.py": reference(checkout, folder), "nnlab, float32": ours(torch.float32)}
        if fast != torch.float32:
            sides["nnlab, bfloat16 (automatic here)"] = ours(fast)
        files = pictures(folder, given)
        seconds: dict[str, list[float]] = {side: [] for side in sides}
        for turn in range(rounds + 1):  # the first turn warms up
            for side, run in sides.items():
                content, style = files[turn % len(files)], files[(turn + 1) % len(files)]
                begin = time.perf_counter()
                run(content, style, folder / "output.jpg")
                if turn:
                    seconds[side].append(time.perf_counter() - begin)
    first = statistics.median(next(iter(seconds.values())))
    print(f"\n512 x 512, {torch.get_num_threads()} threads, median (least - most) of {rounds} turns\n")
    print("| | s per image | times the reference |\n|---|---|---|", flush=True)
    for side, values in seconds.items():
        middle = statistics.median(values)
        print(f"| {side} | {middle:.3f} ({min(values):.3f} - {max(values):.3f}) | {first / middle:.2f} |", flush=True)


def one_size(width: int, height: int, precision: str) -> None:
    """Stylise noise of one size and print a row: seconds, and the most memory that the process had."""
    import resource

    stylizer = Stylizer(*networks(), precision=getattr(torch, precision))
    noise = np.random.default_rng(0).integers(0, 255, (height // 16, width // 16, 3), np.uint8)
    content, style = Image.fromarray(noise).resize((width, height)), Image.fromarray(noise).resize((512, 512))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    stylizer.stylize(content, [style])
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"| {width} x {height} | {precision} | {seconds:.1f} | {before / 2**20:.2f} | {peak / 2**20:.2f} |", flush=True
    )


def by_size() -> None:
    """Print time and memory over image size, each in a process of its own."""
    fast = str(pick_precision("auto", torch.device("cpu"))).removeprefix("torch.")
    print(
        "\n| picture | precision | s | GB before (libraries, networks, picture) | GB at most |\n|---|---|---|---|---|"
    )
    for precision in dict.fromkeys(["float32", fast]):
        for width, height in SIZES:
            command = [sys.executable, __file__, "--one", str(width), str(height), precision]
            subprocess.run(command, check=True)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", nargs="?", type=Path, help="of naoto0804/pytorch-AdaIN; without it: sizes alone")
    parser.add_argument("pictures", nargs="?", type=Path, help="folder of pictures to use instead of noise")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-sizes", action="store_true", help="leave out the table of sizes")
    parser.add_argument("--one", nargs=3, metavar=("WIDTH", "HEIGHT", "PRECISION"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one_size(int(options.one[0]), int(options.one[1]), options.one[2])
        return
    if options.checkout:
        side_by_side(options.checkout.resolve(), options.pictures, options.rounds)
    if not options.no_sizes:
        by_size()


if __name__ == "__main__":
    main()
