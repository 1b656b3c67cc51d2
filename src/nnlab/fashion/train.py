"""Training of one classifier. The data set is one tensor; a batch is a slice of a seeded permutation."""

import torch
import torch.nn.functional as F
from torch import Tensor

from nnlab.fashion.model import Network, build
from nnlab.params import NetworkParams
from nnlab.training.device import autocast
from nnlab.training.loop import Loss, Measure, Row, Split, in_chunks
from nnlab.training.seeds import generator


def prepare(
    data: Split, settings: NetworkParams, device: torch.device, precision: torch.dtype
) -> tuple[Network, Loss, Measure]:
    """A classifier, the cross-entropy (nats) on `data` that it is to minimise, and accuracy and loss of any images."""
    images, labels = data[0], data[1].to(device)
    network = build(settings).to(device)
    network.fit_inputs(images)
    inputs = network.inputs(images, precision)
    # In the first epoch a random half is mirrored, in the next one the other half, in turn: two epochs in a row show
    # every image both ways round (cifar10-airbench, Jordan 2024).
    mirrored = torch.randint(0, 2, (len(images),), generator=generator(settings.seed, "mirror")).bool().to(device)

    def loss(batch: Tensor, epoch: int, step: int) -> Tensor:
        x = inputs.index_select(0, batch)  # copies whole images; inputs[batch] takes three times as long
        if settings.augment_flip:
            now = mirrored[batch] ^ bool(epoch % 2)
            x = torch.where(now.view(-1, 1, 1, 1), x.flip(-1), x)
        with autocast(device, precision):
            scores = network(x)
        return F.cross_entropy(scores.float(), labels[batch])

    def measure(shown: Tensor, truth: Tensor) -> Row:
        scores = predict(network, shown, precision)
        return {"accuracy": accuracy(scores, truth), "loss": F.cross_entropy(scores, truth).item()}

    return network, loss, measure


def predict(network: Network, images: Tensor, precision: torch.dtype) -> Tensor:
    """Scores (N, 10) float32, on the CPU, of images (N, 28, 28) uint8."""
    with autocast(network.mean.device, precision):
        return in_chunks(lambda chunk: network(network.inputs(chunk)), images)


def accuracy(scores: Tensor, labels: Tensor) -> float:
    """Fraction of images whose highest of (N, 10) scores is that of the label (N,)."""
    return (scores.argmax(1) == labels).double().mean().item()
