"""Judged classifiers -> metrics and CSV tables."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from nnlab.fashion.classes import CLASSES
from nnlab.fashion.judge import Judged
from nnlab.results import write_csv


def metrics(judged: Judged) -> dict[str, Any]:
    """Named numbers of one network; accuracies are fractions, losses mean cross-entropies in nats."""
    last = judged.history[-1]
    return {
        "test_accuracy": judged.accuracy,
        "train_accuracy": last.train_accuracy,
        "test_loss": last.test_loss,
        "per_class": {n: value for n, value in zip(CLASSES, judged.class_accuracy) if value is not None},
        "parameters": judged.parameters,
        "epochs": judged.settings.epochs,
        "seed": judged.settings.seed,
        "test_images": len(judged.labels),
    }


def summary(judged: Judged, variants: dict[str, Judged]) -> dict[str, float]:
    """The headline numbers, for `dvc metrics show` and the columns of `dvc exp show`."""
    best = {"best_variant_accuracy": max(v.accuracy for v in variants.values())} if variants else {}
    return {"fashion_accuracy": judged.accuracy, **best}


def write(judged: Judged, variants: dict[str, Judged], folder: Path) -> None:
    """Write accuracy.csv, per_class.csv, confusion.csv of the network, and variants.csv."""
    rows = [asdict(row) for row in judged.history]
    write_csv(folder / "accuracy.csv", list(rows[0]), [list(row.values()) for row in rows])
    pairs = [(n, value) for n, value in zip(CLASSES, judged.class_accuracy) if value is not None]
    write_csv(folder / "per_class.csv", ["class", "accuracy"], pairs)
    named = [(CLASSES[a], CLASSES[p]) for a, p in zip(judged.labels, judged.predicted)]
    write_csv(folder / "confusion.csv", ["actual", "predicted"], named)
    columns = ["variant", "test_accuracy", "train_accuracy", "parameters"]
    table = [(n, v.accuracy, v.history[-1].train_accuracy, v.parameters) for n, v in variants.items()]
    write_csv(folder / "variants.csv", columns, table)
