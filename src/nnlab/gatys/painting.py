"""A picture at work, and its way to a checkpoint and back."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from nnlab.training.state import Checkpoints

Row = dict[str, float]
"""Weighted terms of the loss by name (see `Objective`) and their sum, `total`."""


@dataclass
class Painting:
    """Everything that the next iteration depends on, and what has been seen so far."""

    level: int  # 0 is the coarsest
    iteration: int  # done in this level
    image: Tensor  # (1, 3, H, W) in [0, 1]
    losses: list[Row] = field(default_factory=list)  # [i]: after i iterations of this level
    snapshots: dict[int, Tensor] = field(default_factory=dict)  # by iteration of this level: (1, 3, H, W) uint8
    optimizer: dict[str, Tensor] = field(default_factory=dict)  # its state when the checkpoint was written
    seconds: list[float] = field(default_factory=list)  # per iteration of this level that this process did


def save_painting(painting: Painting, optimizer: dict[str, Tensor], checkpoints: Checkpoints) -> None:
    """Write `painting` with the present state of its optimiser."""
    tensors = {"image": painting.image, **{f"optimizer.{name}": value for name, value in optimizer.items()}}
    tensors |= {f"snapshot.{iteration}": image for iteration, image in painting.snapshots.items()}
    values = {"level": painting.level, "iteration": painting.iteration, "losses": painting.losses}
    checkpoints.save(painting.level * 1_000_000 + painting.iteration, tensors, values)


def load_painting(checkpoints: Checkpoints, device: torch.device) -> Painting | None:
    """The newest whole state; None if there is none."""
    found = next(checkpoints.whole(), None)
    if found is None:
        return None
    tensors, values = found
    parts: dict[str, dict[str, Tensor]] = {"optimizer": {}, "snapshot": {}}
    for name, tensor in tensors.items():
        kind, _, key = name.partition(".")
        parts.setdefault(kind, {})[key] = tensor
    snapshots = {int(key): image for key, image in sorted(parts["snapshot"].items(), key=lambda item: int(item[0]))}
    fields: dict[str, Any] = dict(values)
    return Painting(**fields, image=tensors["image"].to(device), snapshots=snapshots, optimizer=parts["optimizer"])
