"""Judged classifiers -> figures."""

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from nnlab.fashion import predictions
from nnlab.fashion.classes import CLASSES
from nnlab.figures import BLUE, image_grid, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nnlab.fashion.judge import Judged


def draw(images: np.ndarray, judged: "Judged", variants: dict[str, "Judged"], folder: Path) -> None:
    """Write every figure; `images` are the test images (N, 28, 28) uint8. Call inside `reports.style()`."""
    right = np.flatnonzero(judged.predicted == judged.labels)
    wrong = np.flatnonzero(judged.predicted != judged.labels)
    for name, found in (("right", right), ("wrong", wrong)):
        chosen = predictions.telling(judged.confidences, found)
        save_figure(predictions.one(images, judged, chosen, name), folder / f"prediction_{name}.png")
    save_figure(_samples(images, judged.labels), folder / "samples.png")
    save_figure(predictions.several(images, judged, predictions.mixed(right, wrong)), folder / "predictions.png")
    save_figure(_per_class(judged), folder / "per_class.png")
    save_figure(_accuracy(judged), folder / "accuracy.png")
    save_figure(_confusion(judged), folder / "confusion.png")
    save_figure(_variants(variants), folder / "variants.png")


def _samples(images: np.ndarray, labels: np.ndarray) -> "Figure":
    """Eight images of each class, a row per class."""
    rows = [(name, images[labels == label][:8]) for label, name in enumerate(CLASSES) if (labels == label).any()]
    figure = image_grid([list(row) for _, row in rows], cell=0.75, title="Fashion-MNIST: eight test images per class")
    figure.set_size_inches(7.6, 0.68 * len(rows) + 0.5)
    for axis, (name, _) in zip(figure.axes[:: max(len(row) for _, row in rows)], rows):
        axis.set_ylabel(name, rotation=0, ha="right", va="center")
    return figure


def _per_class(judged: "Judged") -> "Figure":
    figure, axis = plt.subplots(figsize=(6.4, 3.8))
    values = [100 * (value or 0.0) for value in judged.class_accuracy]
    axis.barh(range(len(CLASSES)), values, color=BLUE)
    for position, value in enumerate(values):
        axis.text(2, position, f"{value:.1f}", color="white", va="center")
    axis.axvline(100 * judged.accuracy, color="#333333", linestyle="--", linewidth=1.2,
                 label=f"all classes: {100 * judged.accuracy:.2f} %")  # fmt: skip
    axis.set_yticks(range(len(CLASSES)), CLASSES)
    axis.set(xlabel="test accuracy (%)", xlim=(0, 100), title="Accuracy per class")
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    figure.legend(loc="outside lower center")
    return figure


def _accuracy(judged: "Judged") -> "Figure":
    """Accuracy and loss per epoch, training and test."""
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.3))
    epochs, count = [row.epoch for row in judged.history], f"{len(judged.labels):,}"
    labels = {"train": f"first {count} training images", "test": f"{count} test images"}
    for axis, (key, factor, label) in zip(
        axes, (("accuracy", 100, "accuracy (%)"), ("loss", 1, "cross-entropy (nats)"))
    ):
        for split, marker in (("train", "o"), ("test", "s")):
            values = [factor * getattr(row, f"{split}_{key}") for row in judged.history]
            axis.plot(epochs, values, marker=marker, label=labels[split])
        axis.set(xlabel="epoch", ylabel=label)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes[0].legend()
    figure.suptitle(f"Training: {100 * judged.accuracy:.2f} % of the test images right at the end")
    return figure


def _confusion(judged: "Judged") -> "Figure":
    """Counts per true and predicted class; the shade is the share of the true class."""
    counts = np.zeros((len(CLASSES), len(CLASSES)), int)
    np.add.at(counts, (judged.labels, judged.predicted), 1)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    figure, axis = plt.subplots(figsize=(7.4, 6.6))
    image = axis.imshow(100 * shares, cmap="Blues", vmin=0, vmax=100)
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if shares[row, column] > 0.5 else "black"
        axis.text(column, row, count or "", ha="center", va="center", color=color, fontsize=9)
    axis.set_xticks(range(len(CLASSES)), CLASSES, rotation=45, ha="right")
    axis.set_yticks(range(len(CLASSES)), CLASSES)
    axis.grid(visible=False)
    axis.set(xlabel="predicted class", ylabel="true class", title="Confusion matrix (test images)")
    figure.colorbar(image, ax=axis, label="share of the true class (%)", shrink=0.8)
    return figure


def _variants(variants: dict[str, "Judged"]) -> "Figure":
    """Test accuracy per epoch of every variant, and at the end."""
    figure, (curves, bars) = plt.subplots(1, 2, figsize=(10, 0.25 * len(variants) + 2.9), width_ratios=[1.2, 1])
    for position, (name, judged) in enumerate(variants.items()):
        values = [100 * row.test_accuracy for row in judged.history]
        marker = "os^Dv<>pP*"[position % 10]
        line = curves.plot([row.epoch for row in judged.history], values, marker=marker, label=name)[0]
        bar = bars.barh(position, 100 * judged.accuracy, color=line.get_color())
        bars.bar_label(bar, labels=[f"{100 * judged.accuracy:.2f}"], padding=3, fontsize=9)
    curves.set(xlabel="epoch", ylabel="test accuracy (%)")
    curves.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figure.legend(loc="outside lower center", ncols=min(len(variants), 6))
    labels = [f"{name}\n{judged.parameters:,} weights" for name, judged in variants.items()]
    bars.set_yticks(range(len(variants)), labels)
    low = min(judged.accuracy for judged in variants.values())
    bars.set(xlabel="test accuracy (%), axis cut", xlim=(max(0, np.floor(100 * low) - 4), 100))
    bars.invert_yaxis()
    bars.grid(axis="y", visible=False)
    figure.suptitle("Networks side by side")
    return figure
