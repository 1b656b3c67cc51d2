"""Train one recipe and write its held-out losses by iteration: compare recipes, or the pictures that teach.

    python benchmarks/adain_recipes.py NAME ENCODER CONTENT STYLE OUT [key=value ...] [--judge CONTENT STYLE]

CONTENT and STYLE are packed image sets (data/pools/...) or folders of pictures. Each key is one of adain.train in
params.yaml, whose values are the default. OUT/NAME.csv gets a row per tenth of the run, with the losses of held-out
pairs of the sets, or of those that `--judge` names (held out by the same rule: a decoder trained on them never saw
them). OUT/NAME.safetensors is the decoder, OUT/recipes.png shows all tables in OUT. `--seconds` ends a run early; the
same command goes on. `--checkpoints FOLDER` trains nothing and judges the milestones of a finished training, such as
the pipeline's data/models/adain/training. `--ship "on what, for how long"` makes the decoder and its encoder's scales
those that come with the package (src/nnlab/adain/decoder.md).
"""

import argparse
import shutil
import time
from functools import reduce
from pathlib import Path

import pandas as pd
import torch
import yaml

from nnlab import figures
from nnlab.adain import checkpoint
from nnlab.adain.held_out import held_out_losses, held_out_pairs
from nnlab.adain.launch import training_batches
from nnlab.adain.model import Encoder
from nnlab.adain.processes import Processes
from nnlab.adain.schedule import milestones
from nnlab.adain.shipped import ship
from nnlab.adain.train import Setting, train
from nnlab.adain.weights import load_decoder, load_encoder
from nnlab.data.containers import Picture
from nnlab.data.images import list_images
from nnlab.data.packing import pack
from nnlab.data.pools import Pool
from nnlab.figures import save_figure
from nnlab.params import AdainTrainParams
from nnlab.results import write_csv
from nnlab.training.device import pick_device, pick_precision

CACHE = 2 << 30  # bytes
SIDE = 192  # pixels; held-out pictures are judged at this shorter side, as `adain.evaluate.side` has it


class TimeIsUp(Exception):
    """The run has lasted as long as it may."""


def main() -> None:
    """Train, then judge the checkpoints."""
    arguments = _arguments()
    params = _params(arguments.settings)
    device = pick_device("auto")
    encoder = load_encoder(arguments.encoder)
    folder = arguments.checkpoints or arguments.out / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    if not arguments.checkpoints and not _trained(arguments, params, encoder, folder, device):
        return
    judged = arguments.judge or (arguments.content, arguments.style)
    pools = (Pool(_packed(path, arguments.out), SIDE) for path in judged)
    pairs = held_out_pairs(*pools, params.held_out_pairs, SIDE, params.seed)
    rows = []
    # a finished training may have fewer
    kept = {p: step for p, step in milestones(params).items() if checkpoint.milestone(folder, p).exists()}
    decoders = [load_decoder(checkpoint.milestone(folder, percent)) for percent in kept]
    for step, (content, style) in zip(kept.values(), held_out_losses(encoder, decoders, pairs, device)):
        rows.append((arguments.name, step, content, style, content + 10 * style))
        print(*rows[-1])
    columns = ("recipe", "iteration", "heldout_content_loss", "heldout_style_loss", "heldout_total")
    write_csv(arguments.out / f"{arguments.name}.csv", columns, rows)
    _figure(arguments.out)
    decoder = arguments.out / f"{arguments.name}.safetensors"
    shutil.copyfile(checkpoint.milestone(folder, 100), decoder)
    if arguments.ship:
        ship(arguments.encoder, decoder, arguments.ship)


def _trained(
    arguments: argparse.Namespace, params: AdainTrainParams, encoder: Encoder, folder: Path, device: torch.device
) -> bool:
    """Train into `folder`; False if the time was up before the end."""
    sets = [_packed(path, arguments.out) for path in (arguments.content, arguments.style)]
    batches = training_batches(params, *sets, CACHE)
    setting = Setting(Processes(0, 1, device), pick_precision("auto", device), 4, arguments.save_every)
    began = time.monotonic()
    try:
        train(encoder, batches, params, setting, folder, lambda r: _watch(r, began, arguments.seconds))
    except TimeIsUp:
        print(f"{arguments.name}: stopped after {time.monotonic() - began:.0f} s; the same command goes on")
        return False
    print(f"{arguments.name}: {time.monotonic() - began:.1f} s of training in this run")
    return True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    for name in ("encoder", "content", "style", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("settings", nargs="*", metavar="key=value")
    parser.add_argument("--judge", type=Path, nargs=2)
    parser.add_argument("--checkpoints", type=Path)
    parser.add_argument("--ship", metavar="WHAT")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--save-every", type=int, default=1000)
    return parser.parse_intermixed_args()


def _params(settings: list[str]) -> AdainTrainParams:
    values = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["adain"]["train"]
    values["checkpoint_fractions"] = [number / 10 for number in range(1, 11)]
    for setting in settings:
        key, _, text = setting.partition("=")
        *sections, name = key.split(".")
        reduce(dict.__getitem__, sections, values)[name] = yaml.safe_load(text)
    return AdainTrainParams(**values)


def _packed(path: Path, work: Path) -> Path:
    """A packed set as it is; a folder of pictures is packed first, once."""
    if not (path / "manifest.csv").exists():
        packed = work / "packed" / "-".join(path.resolve().parts[-2:])
        if not packed.exists():
            images = list_images(path)
            pack((Picture(image.name, image.read_bytes()) for image in images), packed, 512)
        path = packed
    return path


def _figure(out: Path) -> None:
    """Draw the held-out loss by iteration of every table in ``out``."""
    import matplotlib.pyplot as plt

    with figures.style():
        figure, axis = plt.subplots(figsize=(7, 4))
        for path in sorted(out.glob("*.csv")):
            table = pd.read_csv(path)
            axis.plot(table.iteration, table.heldout_total, "o-", markersize=4, label=path.stem)
        axis.set(title="AdaIN recipes on held-out pairs", xlabel="iteration", ylabel="content + 10 × style loss")
        axis.set(yscale="log", xlim=(0, None))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("{x:g}")
        axis.legend()
        save_figure(figure, out / "recipes.png")


def _watch(report, began: float, limit: float) -> None:
    seconds = time.monotonic() - began
    if len(report.losses) and report.step % 500 == 0:
        content, style = report.losses.mean(dim=0).tolist()
        print(
            f"{report.step} {seconds:.0f} s, content {content:.3f}, style {style:.3f}, waited {report.waited:.1f} s",
            flush=True,
        )
    if seconds > limit:
        raise TimeIsUp


if __name__ == "__main__":
    main()
