"""A job of `gatys.jobs` -> the painted picture: coarse levels first, then full size; an interrupted run goes on."""

import math
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from nnlab.data.images import save_image
from nnlab.errors import UserError
from nnlab.files import atomic_dir
from nnlab.gatys.losses import Objective, layer_weights
from nnlab.gatys.optimizer import Lbfgs
from nnlab.gatys.pictures import Pictures, only_luminance, read_pictures, upscaled, with_colors_of
from nnlab.params import JobParams
from nnlab.results import record_timing, write_csv, write_metrics
from nnlab.training.progress import Progress
from nnlab.training.seeds import generator
from nnlab.training.state import Checkpoints, resume_dir
from nnlab.training.tensorboard import log_writer
from nnlab.vgg import VGG19
from nnlab.vgg_weights import read_weights

SMALLEST_COARSE_SIDE = 48
"""Pixels: a coarse level whose shorter side would be smaller is left out, there is no style to learn from it."""

# A saved state of other code must not go on.
_NAMES = ("gatys/losses", "gatys/optimizer", "gatys/pictures", "gatys/transfer", "data/images", "training/state")
CODE = [Path(__file__).parents[1] / f"{name}.py" for name in (*_NAMES, "vgg", "vgg_layers", "vgg_weights")]

Row = dict[str, float]
"""`total`, its parts `content` and `style`, and all weighted terms by name (see `Objective`)."""


@dataclass
class Painting:
    """A picture at work: everything that the next iteration depends on, and what has been seen so far."""

    level: int  # 0 is the coarsest
    image: Tensor  # (1, 3, H, W) in [0, 1]
    iteration: int = 0  # done in this level
    losses: list[Row] = field(default_factory=list)  # [i]: after i iterations of this level
    snapshots: list[Tensor] = field(default_factory=list)  # of this level: (1, 3, H, W) uint8
    optimizer: dict[str, Tensor] = field(default_factory=dict)  # its state when the checkpoint was written
    seconds: list[float] = field(default_factory=list)  # per iteration of this level that this process did


def stylize(name: str, job: JobParams, vgg: Path, out: Path, device: torch.device, dtype: torch.dtype) -> None:
    """Paint one job and write pictures, losses.csv and info.json into `out`.

    After an interruption a second call goes on from the last snapshot. `metrics/timings.json` gets the mean seconds per
    iteration at full size. UserError for pictures or weights that cannot be used.
    """
    pictures, weights = read_pictures(job), read_weights(vgg)
    layers = [layer for kind in layer_weights(job) for layer in kind]
    network = VGG19(weights, layers, pooling=job.pooling, dtype=dtype).to(device)
    _check_sides(pictures, job, network.smallest)
    files = [Path(job.content), Path(job.style), *([Path(job.start)] if pictures.start else [])]
    settings = {**job.model_dump(), "device": str(device), "dtype": str(dtype), "threads": torch.get_num_threads()}
    checkpoints = Checkpoints(resume_dir(f"gatys-{name}", settings, CODE, [vgg, *files]))
    begun = _load(checkpoints, device) or begin(pictures, job, device)
    work = paint(begun, pictures, network, job, checkpoints)
    *_, painting = begun, *watched(f"gatys-{name}", begun, work, pictures, job)
    _write(painting, pictures, job, VGG19(weights, layers, pooling=job.pooling), out)
    if painting.seconds:
        record_timing(f"gatys.{name}.seconds_per_iteration", sum(painting.seconds) / len(painting.seconds))
    shutil.rmtree(checkpoints.folder)


def plan(content: Image.Image, job: JobParams) -> list[tuple[int, int]]:
    """(longer side in pixels, iterations) of the levels, coarsest first; each has half the size of the next."""
    aspect, coarse = min(content.size) / max(content.size), job.coarse_iterations
    levels = [(round(job.size / 2 ** (len(coarse) - k)), count) for k, count in enumerate(coarse)]
    kept = [(size, count) for size, count in levels if count and size * aspect >= SMALLEST_COARSE_SIDE]
    return [*kept, (job.size, job.iterations)]


def begin(pictures: Pictures, job: JobParams, device: torch.device) -> Painting:
    """The painting before the first iteration of the coarsest level."""
    content = pictures.content_at(plan(pictures.content, job)[0][0])
    start = pictures.start_at(content)
    if job.start == "noise":
        start = torch.rand(content.shape, generator=generator(job.seed, "noise"))
    return Painting(0, (only_luminance(start, start)[0] if job.preserve_color else start).to(device))


def paint(
    painting: Painting, pictures: Pictures, vgg: VGG19, job: JobParams, checkpoints: Checkpoints | None = None
) -> Iterator[Painting]:
    """Run the rest of all levels of `job`; give the painting after every iteration.

    A coarse level only makes the start of the next one; losses and snapshots are those of the full size. A painting
    from a checkpoint ends with the same bits as without the interruption. UserError if the loss is no longer a number.
    """
    levels = plan(pictures.content, job)
    for number in range(painting.level, len(levels)):
        size, iterations = levels[number]
        content = pictures.content_at(size).to(painting.image)
        if painting.level < number:
            painting = Painting(number, upscaled(painting.image, content))
        objective = _objective(vgg, pictures, job, content)
        yield from _optimize(painting, iterations, objective, content, job, checkpoints)


def watched(
    name: str, painting: Painting, work: Iterator[Painting], pictures: Pictures, job: JobParams
) -> Iterator[Painting]:
    """Show the work: progress with losses, rate and ETA; in TensorBoard losses and pictures at full size."""
    counts = [iterations for _, iterations in plan(pictures.content, job)]
    logged, done = 0, sum(counts[: painting.level]) + painting.iteration
    with log_writer(name) as writer, Progress(sum(counts), name, start=done) as bar:
        for painting in work:
            row = painting.losses[-1]
            bar.update(1, loss=row["total"], content=row["content"], style=row["style"])
            if painting.level == len(counts) - 1:
                for iteration in range(logged, painting.iteration):  # at first also those of the interrupted run
                    for key, value in painting.losses[iteration].items():
                        writer.add_scalar(f"loss/{key}", value, iteration)
                logged = painting.iteration
                if logged % job.snapshot_every == 0 or logged == job.iterations:
                    writer.add_image("result", painting.snapshots[-1][0], logged)
            yield painting


def _check_sides(pictures: Pictures, job: JobParams, smallest: int) -> None:
    content = pictures.content_at(job.size)
    for file, image in ((job.content, content), (job.style, pictures.style_at(content, job.style_scale))):
        height, width = image.shape[2:]
        if min(height, width) < smallest:
            found = f"{width}x{height} pixels after resizing"
            raise UserError(f"{file}: {found}; these layers need at least {smallest} a side")


def _objective(vgg: VGG19, pictures: Pictures, job: JobParams, content: Tensor) -> Objective:
    """The job's objective at the size of `content`."""
    style = pictures.style_at(content, job.style_scale).to(content)
    if job.preserve_color:
        content, style = only_luminance(content, style)
    return Objective(vgg, content, style, job)


def _optimize(
    painting: Painting,
    iterations: int,
    objective: Objective,
    content: Tensor,
    job: JobParams,
    checkpoints: Checkpoints | None,
) -> Iterator[Painting]:
    """All iterations of one level that are left; `painting` is changed in place and given after each."""
    image = painting.image.clone(memory_format=torch.contiguous_format).requires_grad_()
    painting.image = image.detach()  # the same memory
    optimizer = _optimizer(image, painting.optimizer, job)
    while painting.iteration < iterations:
        begun = time.perf_counter()
        terms = objective(image)
        (image.grad,) = torch.autograd.grad(torch.stack(list(terms.values())).sum(), image)
        painting.losses.append(_row(terms))
        if not math.isfinite(total := painting.losses[-1]["total"]):
            found = f"the loss is {total} after {painting.iteration} iterations at {max(image.shape)} pixels"
            raise UserError(f"{found}: lower learning_rate or the weights")
        optimizer.step()
        painting.image.clamp_(0, 1)  # what a file can hold: clipping at the end alone doubles the loss of the result
        painting.iteration += 1
        painting.seconds.append(time.perf_counter() - begun)
        if painting.iteration % job.snapshot_every == 0 or painting.iteration == iterations:
            shown = with_colors_of(content, painting.image) if job.preserve_color else painting.image
            painting.snapshots.append(shown.mul(255).round().to(torch.uint8).cpu())
            if checkpoints:
                _save(painting, optimizer.state[image], checkpoints)
        yield painting
    with torch.no_grad():
        painting.losses.append(_row(objective(image)))


def _optimizer(image: Tensor, state: dict[str, Tensor], job: JobParams) -> torch.optim.Optimizer:
    """The job's optimiser, in the state of a checkpoint if that is not empty."""
    optimizer: torch.optim.Optimizer = torch.optim.Adam([image], job.learning_rate)
    if job.optimizer == "lbfgs":
        optimizer = Lbfgs([image], job.learning_rate, job.history)
    if state:
        optimizer.load_state_dict({**optimizer.state_dict(), "state": {0: state}})
    return optimizer


def _row(terms: dict[str, Tensor]) -> Row:
    values = torch.stack([term.detach() for term in terms.values()]).tolist()  # read from the device at once
    named = dict(zip(terms, values))
    sums = {kind: sum(named[key] for key in named if key.startswith(f"{kind}.")) for kind in ("content", "style")}
    return {"total": math.fsum(values), **sums, **named}


def _save(painting: Painting, optimizer: dict[str, Tensor], checkpoints: Checkpoints) -> None:
    """Write `painting` with the present state of its optimiser."""
    tensors = {**optimizer, "image": painting.image, "snapshots": torch.cat(painting.snapshots)}
    values = {"level": painting.level, "iteration": painting.iteration, "losses": painting.losses}
    checkpoints.save(painting.level * 1_000_000 + painting.iteration, tensors, values)


def _load(checkpoints: Checkpoints, device: torch.device) -> Painting | None:
    """The newest whole state; None if there is none."""
    for tensors, values in checkpoints.whole():
        image, snapshots = tensors.pop("image").to(device), list(tensors.pop("snapshots").split(1))
        return Painting(**values, image=image, snapshots=snapshots, optimizer=tensors)
    return None


def _write(painting: Painting, pictures: Pictures, job: JobParams, vgg: VGG19, out: Path) -> None:
    """The job's folder, whole or not at all. The final losses are in float32, comparable between machines."""
    content = pictures.content_at(job.size)
    with torch.no_grad():
        final = _row(_objective(vgg, pictures, job, content)(painting.image.cpu()))
    losses = {f"{kind}_loss": final[kind] for kind in ("content", "style", "total")}
    size = {"width": content.shape[3], "height": content.shape[2], "iterations": job.iterations, "seed": job.seed}
    with atomic_dir(out) as folder:
        save_image(content, folder / "content.png")
        save_image(pictures.style_at(content, job.style_scale), folder / "style.png")
        for number, snapshot in enumerate(painting.snapshots, 1):
            iteration = min(number * job.snapshot_every, job.iterations)
            save_image(snapshot / 255, folder / f"snapshot_{iteration:04d}.png")
        save_image(painting.snapshots[-1] / 255, folder / "result.png")
        rows = [[i, *row.values()] for i, row in enumerate(painting.losses)]
        write_csv(folder / "losses.csv", ["iteration", *final], rows)
        write_metrics(folder / "info.json", {**losses, **size})
