"""What the small networks share: the epochs of a training, its curves, and the file of what was trained."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pandas as pd
import torch
from torch import Tensor, nn

from nnlab.errors import UserError
from nnlab.params import HardwareParams, TrainingParams
from nnlab.training.device import pick_device, pick_precision
from nnlab.training.progress import Progress
from nnlab.training.seeds import generator
from nnlab.training.state import load_tensors, save_tensors
from nnlab.training.tensorboard import log_writer

CHUNK = 500  # images at a time where nothing is learnt: their features stay in the processor's cache
RISE = 0.2  # part of a training over which the learning rate rises
Network = TypeVar("Network", bound=nn.Module)
Settings = TypeVar("Settings", bound=TrainingParams)
Split = tuple[Tensor, Tensor]  # images (N, 28, 28) uint8, labels (N,) int64
Row = dict[str, float]  # of the curves: the epoch, counted from 1, and what was measured after it
Loss = Callable[[Tensor, int, int], Tensor]  # of the images with the indices (B,), in an epoch and a step from 0
Measure = Callable[[Tensor, Tensor], Row]  # of images and labels
Prepare = Callable[[Split, Settings, torch.device, torch.dtype], tuple[Network, Loss, Measure]]


def fit(
    prepare: Prepare[Settings, Network],
    data: Split,
    test: Split,
    settings: Settings,
    device: torch.device,
    precision: torch.dtype,
    after_epoch: Callable[[Row], None] = lambda row: None,
) -> tuple[Network, pd.DataFrame]:
    """Train the network that `prepare` makes for `data`: AdamW, one-cycle learning rate.

    Returns the network of the last epoch, on the CPU, and the curves: a row per epoch, which `after_epoch` gets, with
    the measures of `test` and of as many training images. A last batch of one image is left out: batch normalisation
    cannot take it.
    """
    network, loss, measure = prepare(data, settings, device, precision)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=settings.weight_decay, fused=True)
    count, tested = len(data[0]), len(test[0])
    batches = max(1, math.ceil((count - 1) / settings.batch_size))
    judged = {"train": (data[0][:tested], data[1][:tested]), "test": test}
    rows: list[Row] = []
    step = 0
    for epoch in range(settings.epochs):
        network.train()
        order = torch.randperm(count, generator=generator(settings.seed, "epoch", epoch))
        for batch in order.split(settings.batch_size)[:batches]:
            optimizer.param_groups[0]["lr"] = settings.learning_rate * one_cycle(step, batches * settings.epochs)
            value = loss(batch.to(device), epoch, step)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            step += 1
        network.eval()
        values = {f"{name}_{key}": value for name in judged for key, value in measure(*judged[name]).items()}
        rows.append({"epoch": epoch + 1, **values})
        after_epoch(rows[-1])
    return network.cpu(), pd.DataFrame(rows)


def one_cycle(step: int, steps: int) -> float:
    """Factor of the highest learning rate at `step` of `steps`: a straight line up, then one down to (almost) 0.

    Smith & Topin 2017, "Super-Convergence". Never 0: the first and the last step count.
    """
    position = (step + 0.5) / steps
    return position / RISE if position < RISE else (1 - position) / (1 - RISE)


def in_chunks(function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """What `function` makes of images (N, ...), some at a time, without gradients: float32 on the CPU."""
    with torch.inference_mode():
        return torch.cat([function(chunk).float().cpu() for chunk in images.split(CHUNK)])


def train_and_save(
    name: str, prepare: Prepare[Settings, Network], data: Split, test: Split, settings: Settings,
    hardware: HardwareParams, path: Path,
) -> None:  # fmt: skip
    """Train what an experiment's `prepare` makes for `data`; `name` is that of the TensorBoard run.

    Writes weights, settings and curves to `path` as one safetensors file; equal trainings make equal files. Raises
    `UserError` after an epoch with a value that is not finite: the training has diverged.
    """
    device = pick_device(hardware.device)
    precision = pick_precision(hardware.precision, device)
    with log_writer(name) as writer, Progress(settings.epochs, name, "epoch") as bar:

        def after_epoch(row: Row) -> None:
            measured = {key: value for key, value in row.items() if key != "epoch"}
            if not all(map(math.isfinite, measured.values())):
                raise UserError(f"{name}: the loss is not finite after epoch {row['epoch']}; lower its learning_rate")
            for key, value in measured.items():
                writer.add_scalar("/".join(reversed(key.split("_"))), value, row["epoch"])  # loss/train ...
            bar.update(1, **measured)

        network, history = fit(prepare, data, test, settings, device, precision, after_epoch)
    about = {"settings": settings.model_dump(mode="json"), "history": history.to_dict("records")}
    save_tensors(path, network.state_dict(), about)


def load(
    path: Path, section: type[Settings], build: Callable[[Settings], Network]
) -> tuple[Network, Settings, pd.DataFrame]:
    """Read what `train_and_save` wrote with settings of that `section`: network, settings, curves."""
    tensors, about = load_tensors(path)
    settings = section.model_validate(about["settings"])
    network = build(settings)
    network.load_state_dict(tensors)
    return network.eval(), settings, pd.DataFrame(about["history"])
