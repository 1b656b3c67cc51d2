"""A trained classifier -> metrics and tables."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from nnlab.fashion.model import CLASSES, build
from nnlab.fashion.train import predict
from nnlab.params import HardwareParams, NetworkParams
from nnlab.results import write_csv
from nnlab.training.device import count_parameters, pick_device, pick_precision
from nnlab.training.loop import load

CURVES = ("epoch", "train_accuracy", "test_accuracy", "train_loss", "test_loss")


@dataclass(frozen=True)
class Judged:
    """A trained network and what it says about the N test images; accuracies are fractions."""

    settings: NetworkParams
    history: pd.DataFrame  # with the columns CURVES
    parameters: int
    labels: np.ndarray  # (N,) int64
    confidences: np.ndarray  # (N, 10) float32, rows sum to 1
    predicted: np.ndarray  # (N,) the class with the highest confidence
    accuracy: float
    class_accuracy: pd.Series  # by class name, in the order of the labels, without classes that have no images


def judge(path: Path, test: tuple[Tensor, Tensor], hardware: HardwareParams) -> Judged:
    """Load the network at `path` and let it classify the (images, labels) of `test`."""
    network, settings, history = load(path, "classifier", NetworkParams, build)
    device = pick_device(hardware.device)
    scores = predict(network.to(device), test[0], pick_precision(hardware.precision, device))
    labels, predicted = test[1].numpy(), scores.argmax(1).numpy()
    right = pd.Series(predicted == labels).groupby(labels).mean().rename(dict(enumerate(CLASSES)))
    accuracy = float((predicted == labels).mean())
    confidences = scores.softmax(1).numpy()
    return Judged(settings, history, count_parameters(network), labels, confidences, predicted, accuracy, right)


def metrics(judged: Judged) -> dict[str, Any]:
    """Named numbers of one network; accuracies are fractions, losses mean cross-entropies in nats."""
    last = judged.history.iloc[-1]
    return {
        "test_accuracy": judged.accuracy,
        "train_accuracy": last.train_accuracy,
        "test_loss": last.test_loss,
        "per_class": judged.class_accuracy.to_dict(),
        "parameters": judged.parameters,
        "epochs": judged.settings.epochs,
        "seed": judged.settings.seed,
        "test_images": len(judged.labels),
    }


def write_tables(judged: Judged, variants: dict[str, Judged], folder: Path) -> None:
    """Write accuracy.csv, per_class.csv, confusion.csv of the network, and variants.csv."""
    write_csv(folder / "accuracy.csv", CURVES, judged.history)
    write_csv(folder / "per_class.csv", ["class", "accuracy"], judged.class_accuracy.items())
    named = ((CLASSES[actual], CLASSES[predicted]) for actual, predicted in zip(judged.labels, judged.predicted))
    write_csv(folder / "confusion.csv", ["actual", "predicted"], named)
    table = pd.DataFrame({"variant": name, **metrics(variant)} for name, variant in variants.items())
    write_csv(folder / "variants.csv", ["variant", "test_accuracy", "train_accuracy", "parameters"], table)
