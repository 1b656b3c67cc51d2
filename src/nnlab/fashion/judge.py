"""A trained classifier and what it says about the test images, as arrays."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from nnlab.fashion.evaluate import Epoch, accuracy, class_accuracy, predict
from nnlab.fashion.trained import load
from nnlab.params import NetworkParams
from nnlab.training.device import count_parameters, pick_device, pick_precision


@dataclass(frozen=True)
class Judged:
    """Results on the test images; accuracies are fractions."""

    settings: NetworkParams
    history: list[Epoch]
    parameters: int
    labels: np.ndarray  # (N,) int64
    confidences: np.ndarray  # (N, 10) float32, rows sum to 1
    accuracy: float
    class_accuracy: list[float | None]

    @property
    def predicted(self) -> np.ndarray:
        """(N,) the class with the highest confidence."""
        return self.confidences.argmax(1)


def judge(path: Path, test: tuple[Tensor, Tensor], device: str, precision: str) -> Judged:
    """Load the network at `path` and let it classify the (images, labels) of `test`."""
    trained = load(path)
    target = pick_device(device)
    images, labels = test
    scores = predict(trained.network.to(target), images, target, pick_precision(precision, target))
    return Judged(
        trained.settings,
        trained.history,
        count_parameters(trained.network),
        labels.numpy(),
        scores.softmax(1).numpy(),
        accuracy(scores, labels),
        class_accuracy(scores, labels),
    )
