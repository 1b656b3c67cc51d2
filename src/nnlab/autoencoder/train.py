"""Training of one autoencoder, with or without noise on what it sees."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nnlab.autoencoder.losses import bce
from nnlab.autoencoder.model import PLANE, Autoencoder, build
from nnlab.autoencoder.noise import add_noise
from nnlab.data.idx import epoch_batches
from nnlab.errors import UserError
from nnlab.params import AutoencoderParams, DenoiserParams
from nnlab.training.device import autocast
from nnlab.training.schedule import one_cycle, set_learning_rate
from nnlab.training.seeds import generator

CHUNK = 1000  # images at a time where nothing is learnt


@dataclass(frozen=True)
class Epoch:
    """One row of the curves: BCE in nats per pixel after an epoch."""

    epoch: int
    train_loss: float
    test_loss: float


def train(
    images: Tensor,
    settings: AutoencoderParams,
    device: torch.device,
    precision: torch.dtype,
    after_epoch: Callable[[int, Autoencoder], None] = lambda epoch, model: None,
) -> Autoencoder:
    """Train on `images` (N, 784) float32 in [0, 1]; return the model of the last epoch.

    BCE against the clean images, AdamW, one-cycle learning rate. `DenoiserParams` bring their noise, fresh in every
    epoch, and their code; else the code has two numbers. `after_epoch(epoch, model)` is called with 1, 2 ...
    """
    code, factor = code_and_noise(settings)
    model = build(settings.hidden, code, settings.seed).to(device)
    images = images.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=settings.weight_decay, fused=True)
    steps, step = math.ceil(len(images) / settings.batch_size) * settings.epochs, 0
    for epoch in range(settings.epochs):
        model.train()
        for batch in epoch_batches(len(images), settings.batch_size, settings.seed, epoch):
            set_learning_rate(optimizer, settings.learning_rate * one_cycle(step, steps))
            clean = images.index_select(0, batch.to(device))  # copies whole images: faster than images[batch]
            with autocast(device, precision):
                scores = model(add_noise(clean, factor, generator(settings.seed, "noise", step)))
            loss = bce(scores, clean)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
        after_epoch(epoch + 1, model)
    return model


def code_and_noise(settings: AutoencoderParams) -> tuple[int, float]:
    """Size of the code, factor of the noise."""
    return (settings.code, settings.noise_factor) if isinstance(settings, DenoiserParams) else (PLANE, 0.0)


def as_judged(images: Tensor, settings: AutoencoderParams) -> Tensor:
    """What the model sees of `images` (N, 784) when it is judged: one draw of noise, the same after every epoch."""
    return add_noise(images, code_and_noise(settings)[1], generator(settings.seed, "judge"))


def rebuild(model: Autoencoder, seen: Tensor) -> Tensor:
    """Pixel scores (N, 784) float32 of the reconstructions of (N, 784), on the CPU, in float32."""
    device = next(model.parameters()).device
    model.eval()
    with torch.inference_mode():
        return torch.cat([model(chunk.to(device)).cpu() for chunk in seen.split(CHUNK)])


class History:
    """Rows of the curves: judges the model after each epoch on test images and as many training images."""

    def __init__(self, train_images: Tensor, test_images: Tensor, settings: AutoencoderParams) -> None:
        clean = (train_images[: len(test_images)], test_images)
        self._splits = [(images, as_judged(images, settings)) for images in clean]
        self.epochs: list[Epoch] = []

    def add(self, epoch: int, model: Autoencoder) -> Epoch:
        """Judge the model as it is now. A training that has diverged is a `UserError`."""
        row = Epoch(epoch, *(bce(rebuild(model, seen), clean).item() for clean, seen in self._splits))
        if not math.isfinite(row.train_loss + row.test_loss):
            raise UserError(f"autoencoder: the loss is not a number after epoch {epoch}; lower learning_rate")
        self.epochs.append(row)
        return row
