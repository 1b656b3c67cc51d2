"""A job of `gatys.jobs` -> the painted picture: coarse levels first, then full size; an interrupted run goes on."""

import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pandas as pd
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.transforms.v2.functional import rgb_to_grayscale

from nnlab.data.images import read_image, save_image
from nnlab.data.tensors import to_tensor
from nnlab.errors import UserError
from nnlab.files import atomic_dir
from nnlab.gatys.levels import plan
from nnlab.gatys.losses import Objective, network
from nnlab.gatys.optimizer import Lbfgs
from nnlab.gatys.pictures import Pictures, with_colors_of
from nnlab.params import JobParams
from nnlab.results import write_csv, write_metrics
from nnlab.training.progress import Progress
from nnlab.training.seeds import generator
from nnlab.training.state import STATE, load_tensors, resume_dir, save_tensors
from nnlab.training.tensorboard import log_writer
from nnlab.vgg.network import VGG19
from nnlab.vgg.weights import read_weights

LONGEST_STEP = 0.05
"""Of L-BFGS, root mean square over the pixels: without it an early step can make noise that many more must clear."""

RARE = 30.0
"""Seconds since the last saved state after which one is saved where no snapshot comes."""

Row = dict[str, float]
"""`total`, its parts `content` and `style`, and all weighted terms by name (see `Objective`)."""


@dataclass
class Painting:
    """A picture at work: everything that the next iteration depends on, and what has been seen so far."""

    image: Tensor  # (1, 3, H, W) in [0, 1], at the size of its level; luminance (1, 1, H, W) where colours stay
    iteration: int = 0  # done, in all levels
    losses: list[Row] = field(default_factory=list)  # [i]: after i iterations
    snapshots: list[Tensor] = field(default_factory=list)  # (1, 3, H, W) uint8, at full size
    optimizer: dict[str, Tensor] = field(default_factory=dict)  # its state at this level


def stylize(name: str, job: JobParams, vgg: Path, out: Path, device: torch.device, dtype: torch.dtype) -> None:
    """Paint one job and write pictures, losses.csv and info.json into `out`.

    After an interruption a second call goes on from the last state that was saved. UserError for pictures or weights
    that are of no use.
    """
    pictures = Pictures(read_image(Path(job.content)), read_image(Path(job.style)), job.style_scale)
    weights = read_weights(vgg)
    files = [vgg, *(Path(file) for file in (job.content, job.style, job.start) if file not in ("content", "noise"))]
    machine = f"{device.type}-{str(dtype)[6:]}-{torch.get_num_threads()}"
    folder = resume_dir(f"gatys-{name}", job.model_dump(), files, machine)
    painting = _load(folder, device) or begin(pictures, job, device)
    work = paint(painting, pictures, network(weights, job, dtype).to(device), job)
    _watch(name, painting, work, plan(job)[-1][1], folder)
    _write(painting, pictures, job, network(weights, job), out)
    shutil.rmtree(folder)


def begin(pictures: Pictures, job: JobParams, device: torch.device) -> Painting:
    """The painting before the first iteration of the coarsest level."""
    image, _ = pictures.at(plan(job)[0][0])
    if job.start == "noise":
        image = torch.rand(image.shape, generator=generator(job.seed, "noise"))
    elif job.start != "content":
        height, width = image.shape[2:]
        image = to_tensor(read_image(Path(job.start)).resize((width, height), Image.Resampling.LANCZOS))
    return Painting((rgb_to_grayscale(image) if job.preserve_color else image).to(device))


def paint(painting: Painting, pictures: Pictures, vgg: VGG19, job: JobParams) -> Iterator[Painting]:
    """Do the iterations of `job` that are left; give `painting`, which is changed in place, after each.

    A painting from a checkpoint ends with the same bits as without the interruption; `vgg` is the job's `network`.
    UserError if the loss is not a number any more.
    """
    levels = plan(job)
    for size, end in levels:
        if painting.iteration >= end:
            continue
        content, style = pictures.at(size)
        if painting.image.shape[2:] != content.shape[2:]:
            painting.image, painting.optimizer = _enlarged(painting.image, content), {}
        image = painting.image.clone(memory_format=torch.contiguous_format).requires_grad_()
        painting.image = image.detach()  # the same memory
        objective = Objective(vgg, content.to(image), style.to(image), job)
        optimizer: torch.optim.Optimizer = Lbfgs(image, job.learning_rate, job.history, LONGEST_STEP)
        if job.optimizer == "adam":
            optimizer = torch.optim.Adam([image], job.learning_rate)
        if painting.optimizer:
            optimizer.load_state_dict({**optimizer.state_dict(), "state": {0: painting.optimizer}})
        while painting.iteration < end:
            painting.losses.append(_step(objective, optimizer, image))
            painting.iteration, painting.optimizer = painting.iteration + 1, optimizer.state[image]
            if painting.iteration % job.snapshot_every == 0 or painting.iteration == levels[-1][1]:
                painting.snapshots.append(_snapshot(painting.image.cpu(), pictures.at(job.size)[0], job))
            yield painting


def _step(objective: Objective, optimizer: torch.optim.Optimizer, image: Tensor) -> Row:
    """One iteration; returns the losses before it."""
    terms = objective(image)
    (image.grad,) = torch.autograd.grad(torch.stack(list(terms.values())).sum(), image)
    row = _row(terms)
    if not math.isfinite(row["total"]):
        raise UserError(f"the loss is {row['total']}: lower learning_rate or the weights")
    optimizer.step()
    image.detach().clamp_(0, 1)  # what a file can hold: clipping at the end alone doubles its loss
    return row


def _enlarged(image: Tensor, content: Tensor) -> Tensor:
    """`image` (1, C, H, W) in [0, 1] at the size of `content` (bicubic)."""
    return interpolate(image, size=content.shape[2:], mode="bicubic", align_corners=False).clamp(0, 1)


def _snapshot(image: Tensor, content: Tensor, job: JobParams) -> Tensor:
    """What a user would get now, (1, 3, H, W) uint8; `content` is at full size."""
    shown = _enlarged(image, content)
    return (with_colors_of(content, shown) if job.preserve_color else shown).mul(255).round().to(torch.uint8)


def _row(terms: dict[str, Tensor]) -> Row:
    values = torch.stack([term.detach() for term in terms.values()]).tolist()  # read from the device at once
    named = dict(zip(terms, values))
    content, style = (sum(named[x] for x in named if x.startswith(kind)) for kind in ("content.", "style."))
    return {"total": math.fsum(values), "content": content, "style": style, **named}


def _watch(name: str, painting: Painting, work: Iterator[Painting], total: int, folder: Path) -> None:
    """Do the work on `painting`, shown on standard error and in TensorBoard; save its state in `folder`.

    That is at snapshots, and where these are rare after `RARE` seconds. Where they are many, and with them the bytes of
    a state, some are passed over: a tenth of the time goes into saving at most.
    """
    logged, shown, saved, pause = 0, len(painting.snapshots), monotonic(), 0.0
    with log_writer(f"gatys-{name}") as writer, Progress(total, f"gatys-{name}", start=painting.iteration) as bar:
        for _ in work:
            row = painting.losses[-1]
            bar.update(1, loss=row["total"], content=row["content"], style=row["style"])
            for iteration in range(logged, painting.iteration):  # at first also those of the interrupted run
                for key, value in painting.losses[iteration].items():
                    writer.add_scalar(f"loss/{key}", value, iteration)
            logged = painting.iteration
            if new := painting.snapshots[shown:]:
                shown = len(painting.snapshots)
                writer.add_image("result", new[-1][0], logged)
            if (begin := monotonic()) - saved >= (pause if new else max(pause, RARE)):
                snapshots = {f"snapshot{number}": snapshot for number, snapshot in enumerate(painting.snapshots)}
                tensors = {**painting.optimizer, **snapshots, "image": painting.image}
                save_tensors(folder / STATE, tensors, {"iteration": logged, "losses": painting.losses})
                saved = monotonic()
                pause = 9 * (saved - begin)


def _load(folder: Path, device: torch.device) -> Painting | None:
    """The newest state in `folder`; None if there is none."""
    if not (folder / STATE).exists():
        return None
    tensors, values = load_tensors(folder / STATE)
    # Copies begin where torch's own tensors do: on AMD's processors MKL's dot products depend on the address.
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    image, count = tensors.pop("image").to(device), sum(name.startswith("snapshot") for name in tensors)
    snapshots = [tensors.pop(f"snapshot{number}") for number in range(count)]
    return Painting(**values, image=image, snapshots=snapshots, optimizer=tensors)


def _write(painting: Painting, pictures: Pictures, job: JobParams, vgg: VGG19, out: Path) -> None:
    """The job's folder, whole or not at all. The final losses are in float32, comparable between machines."""
    content, style = pictures.at(job.size)
    with torch.no_grad():
        final = _row(Objective(vgg, content, style, job)(painting.image.cpu()))
    info: dict[str, float] = {f"{kind}_loss": final[kind] for kind in ("content", "style", "total")}
    info |= {"width": content.shape[3], "height": content.shape[2], "iterations": painting.iteration, "seed": job.seed}
    with atomic_dir(out) as folder:
        save_image(content, folder / "content.png")
        save_image(style, folder / "style.png")
        for number, snapshot in enumerate(painting.snapshots, 1):
            iteration = min(number * job.snapshot_every, painting.iteration)
            save_image(snapshot / 255, folder / f"snapshot_{iteration:04d}.png")
        save_image(painting.snapshots[-1] / 255, folder / "result.png")
        table = pd.DataFrame([*painting.losses, final]).rename_axis("iteration").reset_index()
        write_csv(folder / "losses.csv", table[["iteration", *final]])
        write_metrics(folder / "info.json", info)
