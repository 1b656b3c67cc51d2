"""A job from its files to its folder of results: what the stage gatys_stylize runs."""

import shutil
from pathlib import Path

import torch

from nnlab.data.images import save_image
from nnlab.files import atomic_dir
from nnlab.gatys.monitor import Monitor
from nnlab.gatys.painter import measure, paint, plan
from nnlab.gatys.painting import Painting, Row
from nnlab.gatys.pictures import Pictures, check_side, read_pictures
from nnlab.params import JobParams
from nnlab.results import record_timing, write_csv, write_metrics
from nnlab.training.state import Checkpoints, resume_dir
from nnlab.vgg import load_vgg
from nnlab.vgg_layers import LAYERS, minimum_side

SNAPSHOT = "snapshot_{:04d}.png"
# As dvc.yaml has it: a saved state of other code must not go on.
CODE = [
    Path(__file__).parents[1] / f"{name}.py"
    for name in (
        "gatys/losses", "gatys/monitor", "gatys/objective", "gatys/optimizers", "gatys/painter", "gatys/painting",
        "gatys/pictures", "gatys/results", "data/images", "results",
        "training/device", "training/seeds", "training/state", "vgg", "vgg_layers", "vgg_weights",
    )
]  # fmt: skip


def stylize(
    name: str,
    job: JobParams,
    vgg: Path,
    content: Path,
    style: Path,
    out: Path,
    device: torch.device,
    dtype: torch.dtype,
) -> None:
    """Paint one job and write pictures, losses.csv and info.json into `out`.

    After an interruption a second call goes on from the last snapshot. `metrics/timings.json` gets the mean seconds per
    iteration at full size. UserError for pictures or weights that cannot be used.
    """
    pictures = read_pictures(content, style, job.start)
    deepest = max([*job.content_layers, *job.style_layers], key=LAYERS.index)
    _check(pictures, job, content, style, deepest)
    network = load_vgg(vgg, pooling=job.pooling, deepest=deepest, dtype=dtype).to(device)
    started = [] if job.start in ("content", "noise") else [Path(job.start)]
    settings = {**job.model_dump(), "device": str(device), "dtype": str(dtype), "threads": torch.get_num_threads()}
    folder = resume_dir(f"gatys-{name}", settings, CODE, [vgg, content, style, *started])
    with Monitor(f"gatys-{name}", plan(pictures, job)) as monitor:
        painting = paint(pictures, network, job, device, Checkpoints(folder), monitor)
    del network
    _write(painting, pictures, job, vgg, deepest, name, out)
    shutil.rmtree(folder)


def _check(pictures: Pictures, job: JobParams, content: Path, style: Path, deepest: str) -> None:
    smallest = minimum_side(deepest, "zero", False)
    resized = pictures.content_at(job.size)
    check_side(resized, content, smallest)
    check_side(pictures.style_at(resized, job.style_scale), style, smallest)


def _write(
    painting: Painting, pictures: Pictures, job: JobParams, vgg: Path, deepest: str, name: str, out: Path
) -> None:
    """The job's folder, whole or not at all. The final losses are in float32, comparable between machines."""
    content = pictures.content_at(job.size)
    final = measure(painting.image.cpu(), pictures, load_vgg(vgg, pooling=job.pooling, deepest=deepest), job)
    height, width = content.shape[2:]
    size = {"width": width, "height": height, "iterations": job.iterations, "seed": job.seed}
    columns = ["total", *(key for key in painting.losses[0] if key != "total")]
    rows = [[i, *(row[key] for key in columns)] for i, row in enumerate(painting.losses)]
    with atomic_dir(out) as folder:
        save_image(content, folder / "content.png")
        save_image(pictures.style_at(content, job.style_scale), folder / "style.png")
        for iteration, snapshot in painting.snapshots.items():
            save_image(snapshot / 255, folder / SNAPSHOT.format(iteration))
        save_image(painting.snapshots[job.iterations] / 255, folder / "result.png")
        write_csv(folder / "losses.csv", ["iteration", *columns], rows)
        write_metrics(folder / "info.json", {**_by_kind(final), **size})
    if painting.seconds:
        record_timing(f"gatys.{name}.seconds_per_iteration", sum(painting.seconds) / len(painting.seconds))


def _by_kind(losses: Row) -> dict[str, float]:
    """Weighted losses, layers added up."""
    kinds = {kind: sum(v for k, v in losses.items() if k.startswith(f"{kind}.")) for kind in ("content", "style")}
    return {"content_loss": kinds["content"], "style_loss": kinds["style"], "total_loss": losses["total"]}
