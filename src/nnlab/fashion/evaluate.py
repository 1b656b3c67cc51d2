"""What a trained classifier gets right."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nnlab.errors import UserError
from nnlab.fashion.model import Network
from nnlab.training.device import autocast

CHUNK = 1000  # images at a time


def predict(network: Network, images: Tensor, device: torch.device, precision: torch.dtype) -> Tensor:
    """Scores (N, 10) float32, on the CPU, of images (N, 28, 28) uint8."""
    network.eval()
    with torch.inference_mode(), autocast(device, precision):
        return torch.cat([network(network.inputs(chunk)).float().cpu() for chunk in images.split(CHUNK)])


def accuracy(scores: Tensor, labels: Tensor) -> float:
    """Fraction of images whose highest of (N, 10) scores is that of the label (N,)."""
    return (scores.argmax(1) == labels).double().mean().item()


def cross_entropy(scores: Tensor, labels: Tensor) -> float:
    """Mean cross-entropy in nats."""
    return F.cross_entropy(scores, labels).item()


def class_accuracy(scores: Tensor, labels: Tensor) -> list[float | None]:
    """Accuracy for the images of each class, in the order of the labels; None for a class without images."""
    right = scores.argmax(1) == labels
    counted = [right[labels == label] for label in range(scores.shape[1])]
    return [hits.double().mean().item() if len(hits) else None for hits in counted]


@dataclass(frozen=True)
class Epoch:
    """One row of the curves: fractions and nats after an epoch."""

    epoch: int
    train_accuracy: float
    test_accuracy: float
    train_loss: float
    test_loss: float


class History:
    """Rows of the curves: called after each epoch, keeps and returns an `Epoch`.

    `train` and `test` are (images, labels); of the training images, as many are used as there are test images.
    """

    def __init__(
        self, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], device: torch.device, precision: torch.dtype
    ) -> None:
        count = len(test[0])
        self._splits = ((train[0][:count], train[1][:count]), test)
        self._device, self._precision = device, precision
        self.epochs: list[Epoch] = []

    def add(self, epoch: int, network: Network) -> Epoch:
        """Judge the network as it is now. A training that has diverged is a `UserError`."""
        scores = [predict(network, images, self._device, self._precision) for images, _ in self._splits]
        pairs = [(values, labels) for values, (_, labels) in zip(scores, self._splits)]
        row = Epoch(epoch, *(accuracy(*pair) for pair in pairs), *(cross_entropy(*pair) for pair in pairs))
        if not torch.isfinite(torch.tensor([row.train_loss, row.test_loss])).all():
            raise UserError(f"fashion: the loss is not a number after epoch {epoch}; lower learning_rate")
        self.epochs.append(row)
        return row
