"""Training of one classifier. The data set is one tensor; a batch is a slice of a seeded permutation."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from nnlab.data.idx import epoch_batches
from nnlab.fashion.model import Network, build
from nnlab.params import NetworkParams
from nnlab.training.device import autocast
from nnlab.training.schedule import one_cycle, set_learning_rate
from nnlab.training.seeds import generator


def train(
    images: Tensor,
    labels: Tensor,
    settings: NetworkParams,
    device: torch.device,
    precision: torch.dtype,
    after_epoch: Callable[[int, Network], None] = lambda epoch, network: None,
) -> Network:
    """Train on `images` (N, 28, 28) uint8 and `labels` (N,) int64; return the network of the last epoch.

    Cross-entropy, AdamW, one-cycle learning rate. `after_epoch(epoch, network)` is called with 1, 2 ...
    """
    network = build(settings.hidden, settings.convolutions, settings.seed).to(device)
    network.fit_inputs(images)
    inputs, labels = network.inputs(images, precision), labels.to(device)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=settings.weight_decay, fused=True)
    batches = math.ceil((len(images) - 1) / settings.batch_size)  # not a last one of one image: BatchNorm fails
    steps, step = batches * settings.epochs, 0
    for epoch in range(settings.epochs):
        network.train()
        mirrored = mirrors(len(images), settings.seed, epoch).to(device) if settings.augment_flip else None
        for batch in epoch_batches(len(images), settings.batch_size, settings.seed, epoch)[:batches]:
            batch = batch.to(device)
            set_learning_rate(optimizer, settings.learning_rate * one_cycle(step, steps))
            x = inputs.index_select(0, batch)  # copies whole images; inputs[batch] takes three times as long
            x = x if mirrored is None else mirror(x, mirrored[batch])
            with autocast(device, precision):
                scores = network(x)
            loss = F.cross_entropy(scores.float(), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
        after_epoch(epoch + 1, network)
    return network


def mirrors(count: int, seed: int, epoch: int) -> Tensor:
    """Which of `count` images are mirrored in `epoch`, (count,) bool: a random half, then the others, in turn.

    Two epochs in a row show every image both ways round (cifar10-airbench, Jordan 2024).
    """
    first = torch.randint(0, 2, (count,), generator=generator(seed, "mirror")).bool()
    return first ^ bool(epoch % 2)


def mirror(images: Tensor, chosen: Tensor) -> Tensor:
    """Mirror left-right those images of (N, C, H, W) where `chosen` (N,) is true."""
    return torch.where(chosen.view(-1, 1, 1, 1), images.flip(-1), images)
