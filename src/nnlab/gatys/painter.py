"""Pictures and a job -> the painted picture: coarse levels first, then full size; an interrupted run goes on."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from nnlab.errors import UserError
from nnlab.gatys.objective import Objective, build_objective
from nnlab.gatys.optimizers import Adam, Lbfgs, Optimizer
from nnlab.gatys.painting import Painting, Row, load_painting, save_painting
from nnlab.gatys.pictures import Pictures, level_sizes, only_luminance, upscaled, with_colors_of
from nnlab.params import JobParams
from nnlab.training.seeds import generator
from nnlab.training.state import Checkpoints
from nnlab.vgg import VGG19


class Level(NamedTuple):
    """One size of the picture; the last level is the full size."""

    number: int
    size: int  # longer side, pixels
    iterations: int
    last: bool


@dataclass(frozen=True)
class Step:
    """What an observer learns after every iteration; `replayed` ones were done by an earlier, interrupted run."""

    level: Level
    iteration: int  # in this level
    losses: Row  # before the iteration
    image: Tensor  # the picture itself (see `Painting`); later steps change it
    snapshot: Tensor | None  # (1, 3, H, W) uint8, where one was taken
    replayed: bool = False


@dataclass(frozen=True)
class _Canvas:
    content: Tensor  # at the level's size, in colour
    start: Tensor
    objective: Objective


OnStep = Callable[[Step], None]


def plan(pictures: Pictures, job: JobParams) -> list[Level]:
    """The levels of `job`, coarsest first."""
    sizes = [*level_sizes(pictures.content, job.size, job.coarse_iterations), (job.size, job.iterations)]
    return [Level(number, *size, number == len(sizes) - 1) for number, size in enumerate(sizes)]


def paint(
    pictures: Pictures,
    vgg: VGG19,
    job: JobParams,
    device: torch.device,
    checkpoints: Checkpoints | None = None,
    on_step: OnStep = lambda step: None,
) -> Painting:
    """Run all levels of `job`, from the newest checkpoint on: the same bits come out with or without an interruption.

    A coarse level only makes the start of the next one; losses and snapshots are those of the full size.
    UserError if the loss is no longer a finite number.
    """
    levels = plan(pictures, job)
    painting = load_painting(checkpoints, device) if checkpoints else None
    if painting is not None:
        for iteration, row in enumerate(painting.losses, 1):
            snapshot = painting.snapshots.get(iteration)
            on_step(Step(levels[painting.level], iteration, row, painting.image, snapshot, replayed=True))
    for level in levels[painting.level if painting else 0 :]:
        canvas = _canvas(pictures, vgg, job, device, level.size)
        if painting is None:
            painting = Painting(level.number, 0, canvas.start)
        elif painting.level < level.number:
            painting = Painting(level.number, 0, upscaled(painting.image, canvas.content))
        _run(painting, level, canvas, job, checkpoints, on_step)
    assert painting is not None
    return painting


def _canvas(pictures: Pictures, vgg: VGG19, job: JobParams, device: torch.device, size: int) -> _Canvas:
    """Pictures at a level's size, and the objective that they make."""
    content = pictures.content_at(size).to(device)
    style = pictures.style_at(content, job.style_scale).to(device)
    noise = torch.rand(content.shape, generator=generator(job.seed, "noise"))
    start = noise.to(device) if job.start == "noise" else pictures.start_at(content).to(device)
    target = content
    if job.preserve_color:
        start = only_luminance(start, start)[0]
        target, style = only_luminance(content, style)
    return _Canvas(content, start, build_objective(vgg, target, style, job))


def _run(
    painting: Painting,
    level: Level,
    canvas: _Canvas,
    job: JobParams,
    checkpoints: Checkpoints | None,
    on_step: OnStep,
) -> None:
    """All iterations of one level that are left; `painting` is changed in place."""
    image = painting.image = painting.image.clone(memory_format=torch.contiguous_format)
    optimizer = _optimizer(image.view(-1), job)
    if painting.optimizer:
        optimizer.load(painting.optimizer)
        painting.optimizer = {}
    while painting.iteration < level.iterations:
        begin = time.perf_counter()
        row, gradient = evaluate(canvas.objective, image)
        if not math.isfinite(row["total"]):
            found = f"the loss is {row['total']} after {painting.iteration} iterations at {level.size} pixels"
            raise UserError(f"{found}: lower learning_rate or the weights")
        optimizer.step(image.view(-1), gradient.reshape(-1))
        image.clamp_(0, 1)  # what a file can hold: clipping at the end alone doubles the loss of the finished picture
        painting.iteration += 1
        painting.losses.append(row)
        painting.seconds.append(time.perf_counter() - begin)
        snapshot = None
        if painting.iteration % job.snapshot_every == 0 or painting.iteration == level.iterations:
            snapshot = painting.snapshots[painting.iteration] = to_bytes(shown(image, canvas.content, job))
            if checkpoints:
                save_painting(painting, optimizer.state(), checkpoints)
        on_step(Step(level, painting.iteration, row, image, snapshot))
    with torch.no_grad():
        painting.losses.append(_row(canvas.objective(image)))


@torch.no_grad()
def measure(image: Tensor, pictures: Pictures, vgg: VGG19, job: JobParams) -> Row:
    """The loss terms of a finished full-size picture, in the precision and on the device of `vgg`."""
    device = vgg.mean.device
    return _row(_canvas(pictures, vgg, job, device, job.size).objective(image.to(device)))


def evaluate(objective: Objective, image: Tensor) -> tuple[Row, Tensor]:
    """The loss terms at `image` and the gradient of their sum, of the image's shape."""
    leaf = image.detach().requires_grad_()
    terms = objective(leaf)
    (gradient,) = torch.autograd.grad(torch.stack(list(terms.values())).sum(), leaf)
    return _row(terms), gradient


def _row(terms: dict[str, Tensor]) -> Row:
    values = torch.stack([term.detach() for term in terms.values()]).tolist()  # the only read from the device
    return {**dict(zip(terms, values)), "total": math.fsum(values)}


def shown(image: Tensor, content: Tensor, job: JobParams) -> Tensor:
    """The picture that a user sees: with the content's colours if the job keeps them."""
    return with_colors_of(content, image) if job.preserve_color else image


def to_bytes(image: Tensor) -> Tensor:
    """[0, 1] -> uint8 on the CPU."""
    return image.mul(255).round().to(torch.uint8).cpu()


def _optimizer(x: Tensor, job: JobParams) -> Optimizer:
    return Lbfgs(x, job.learning_rate, job.history) if job.optimizer == "lbfgs" else Adam(x, job.learning_rate)
