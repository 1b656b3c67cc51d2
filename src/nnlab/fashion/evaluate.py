"""A trained classifier -> its metrics, and what it says about every test image."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from nnlab.fashion.model import CLASSES, build
from nnlab.fashion.train import predict
from nnlab.params import HardwareParams, NetworkParams
from nnlab.training.device import pick_device, pick_precision
from nnlab.training.loop import load


@dataclass(frozen=True)
class Judged:
    """A trained network and what it says about the N test images."""

    metrics: dict[str, Any]  # named numbers: accuracies are fractions, losses mean cross-entropies in nats
    history: pd.DataFrame  # a row per epoch: epoch, accuracy and loss of training and test images
    labels: np.ndarray  # (N,) int64
    confidences: np.ndarray  # (N, 10) float32, rows sum to 1
    predicted: np.ndarray  # (N,) the class with the highest confidence


def judge(path: Path, test: tuple[Tensor, Tensor], hardware: HardwareParams) -> Judged:
    """Load the network at `path` and let it classify the (images, labels) of `test`."""
    network, settings, history = load(path, NetworkParams, build)
    device = pick_device(hardware.device)
    scores = predict(network.to(device), test[0], pick_precision(hardware.precision, device))
    labels, predicted = test[1].numpy(), scores.argmax(1).numpy()
    right = pd.Series(predicted == labels)
    metrics = {
        "test_accuracy": right.mean(),
        "train_accuracy": history["train_accuracy"].iloc[-1],
        "test_loss": history["test_loss"].iloc[-1],
        "per_class": right.groupby(labels).mean().rename(dict(enumerate(CLASSES))).to_dict(),  # of those with images
        "parameters": sum(weights.numel() for weights in network.parameters()),
        "epochs": settings.epochs,
        "seed": settings.seed,
        "test_images": len(labels),
    }
    return Judged(metrics, history, labels, scores.softmax(1).numpy(), predicted)
