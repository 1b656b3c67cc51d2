"""Judged classifiers -> tables and figures."""

from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from sklearn.metrics import ConfusionMatrixDisplay

from nnlab.fashion.evaluate import Judged
from nnlab.fashion.model import CLASSES
from nnlab.figures import BLUE, PALETTE, epoch_curves, image_grid, save_figure, style
from nnlab.files import atomic_dir
from nnlab.results import write_csv

# The red of Paul Tol's "vibrant" scheme, told from the blue with any colour vision. Not `figures.RED`, which is the
# second curve's colour: an orange, where captions and legends say "red".
RED, GREY, ORANGE = "#CC3311", "#999999", PALETTE[4]
PREDICTIONS = 15  # in predictions.png, a third of them wrong


def draw(images: np.ndarray, judged: Judged, variants: dict[str, Judged], plots: Path) -> None:
    """Write all tables and figures into the folder `plots`; `images` are the test images (N, 28, 28) uint8."""
    with atomic_dir(plots) as folder, style():
        curves = ["epoch", "train_accuracy", "test_accuracy", "train_loss", "test_loss"]
        write_csv(folder / "accuracy.csv", judged.history[curves])
        per_class = pd.DataFrame(judged.metrics["per_class"].items(), columns=["class", "accuracy"])
        write_csv(folder / "per_class.csv", per_class)
        named = {"actual": np.take(CLASSES, judged.labels), "predicted": np.take(CLASSES, judged.predicted)}
        write_csv(folder / "confusion.csv", pd.DataFrame(named))
        table = pd.DataFrame({"variant": name, **variant.metrics} for name, variant in variants.items())
        write_csv(folder / "variants.csv", table[["variant", "test_accuracy", "train_accuracy", "parameters"]])
        rows = [images[judged.labels == label][:8] for label in range(len(CLASSES))]
        samples = image_grid(rows, row_labels=CLASSES, title="Fashion-MNIST: eight test images per class", cell=0.7)
        save_figure(samples, folder / "samples.png")
        for name, chosen, title in _chosen(judged):
            save_figure(_predictions(images, judged, chosen, title), folder / f"{name}.png")
        for name, make in (("per_class", _per_class), ("accuracy", _accuracy), ("confusion", _confusion)):
            save_figure(make(judged), folder / f"{name}.png")
        save_figure(_variants(variants), folder / "variants.png")


def _chosen(judged: Judged) -> Iterator[tuple[str, Sequence[int], str]]:
    """Figures of predictions: name, which test images are in it, title."""
    right = judged.predicted == judged.labels
    best = judged.confidences.max(axis=1)
    telling = (best > 0.5) & (best < 0.9)  # a chart with a single full bar shows nothing about the other classes
    for name, wanted in (("right", right), ("wrong", ~right)):
        chosen = [*np.flatnonzero(wanted & telling), *np.flatnonzero(wanted)][:1]
        which = f" (test image {chosen[0]})" if chosen else ": none among the test images"
        yield f"prediction_{name}", chosen, f"A {name} prediction{which}"
    few = np.flatnonzero(~right)[: PREDICTIONS // 3]
    several = sorted([*few, *np.flatnonzero(right)[: PREDICTIONS - len(few)]])
    yield "predictions", several, "Predictions for test images, a third of them wrong ones"


def _predictions(images: np.ndarray, judged: Judged, chosen: Sequence[int], title: str) -> Figure:
    """The chosen images with their ten confidences: the true class blue, a wrong prediction red, the others grey."""
    columns, width, height, ratio = (3, 10, 2.1, 1.1) if len(chosen) > 1 else (1, 8, 2.3, 1.7)
    lines = max(1, -(-len(chosen) // columns))
    size = (width, height * lines + 0.9)
    figure, axes = plt.subplots(lines, 2 * columns, figsize=size, squeeze=False, width_ratios=[1, ratio] * columns)
    for axis in axes.flat[2 * len(chosen) :]:
        axis.set_axis_off()
    for index, (picture, bars) in zip(chosen, axes.reshape(-1, 2)):
        predicted, actual = judged.predicted[index], judged.labels[index]
        truth, color = ("", BLUE) if predicted == actual else (f"\ntrue: {CLASSES[actual]}", RED)
        percents = 100 * judged.confidences[index]
        sure = "> 99" if percents[predicted] > 99 else f"{percents[predicted]:.0f}"
        picture.imshow(images[index], cmap="gray_r", vmin=0, vmax=255)
        picture.set_xlabel(f"{CLASSES[predicted]}, {sure} %{truth}", color=color, fontsize=9)
        picture.set(xticks=[], yticks=[])
        picture.spines[:].set_visible(False)
        bars.barh(CLASSES, percents, color=class_colors(predicted, actual))
        bars.set(xlim=(0, 100), xticks=[0, 50, 100])
        bars.tick_params(axis="y", labelsize=9)
        bars.invert_yaxis()
        bars.grid(axis="y", visible=False)
    figure.suptitle(title)
    meaning = {"confidence (%) in the true class": BLUE, "in a wrong prediction": RED, "in other classes": GREY}
    handles = [plt.Rectangle((0, 0), 1, 1, color=color) for color in meaning.values()]
    figure.legend(handles, list(meaning), loc="outside lower center", ncols=3)
    return figure


def class_colors(predicted: int, actual: int | None) -> list[str]:
    """Of each class: the true one blue, a wrong prediction red, or orange where nobody knows; the others grey."""
    meant = {predicted: ORANGE if actual is None else RED, actual: BLUE}  # in this order: a right prediction is blue
    return [meant.get(label, GREY) for label in range(len(CLASSES))]


def _per_class(judged: Judged) -> Figure:
    figure, axis = plt.subplots(figsize=(6.4, 3.8))
    accuracies = 100 * pd.Series(judged.metrics["per_class"])
    bars = axis.barh(accuracies.index, accuracies, color=BLUE)
    axis.bar_label(bars, fmt="%.1f", label_type="center", color="white")
    mean = 100 * judged.metrics["test_accuracy"]
    axis.axvline(mean, color=ORANGE, linestyle="--", label=f"all classes: {mean:.2f} %")
    axis.set(xlabel="test accuracy (%)", xlim=(0, 100), title="Accuracy per class")
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    figure.legend(loc="outside lower center")
    return figure


def _accuracy(judged: Judged) -> Figure:
    """Accuracy and loss per epoch, training and test."""
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.3))
    for axis, key, label in zip(axes, ("accuracy", "loss"), ("accuracy (%)", "cross-entropy (nats)")):
        epoch_curves(axis, judged.history, key, len(judged.labels))
        axis.set_ylabel(label)
    axes[0].yaxis.set_major_formatter(PercentFormatter(1.0, symbol=""))
    figure.suptitle(f"Training: {100 * judged.metrics['test_accuracy']:.2f} % of the test images right at the end")
    return figure


def _confusion(judged: Judged) -> Figure:
    """Counts per true and predicted class."""
    figure, axis = plt.subplots(figsize=(7.4, 6.6))
    shown = ConfusionMatrixDisplay.from_predictions(
        judged.labels, judged.predicted, labels=range(len(CLASSES)), display_labels=CLASSES, cmap="Blues",
        colorbar=False, ax=axis,
    )  # fmt: skip
    for text in shown.text_.flat:
        text.set_visible(text.get_text() != "0")
    axis.set_xticks(range(len(CLASSES)), CLASSES, rotation=45, ha="right")
    axis.grid(visible=False)
    axis.set(xlabel="predicted class", ylabel="true class", title="Confusion matrix (test images)")
    return figure


def _variants(variants: dict[str, Judged]) -> Figure:
    """Test accuracy per epoch of every variant, and at the end."""
    height = 0.45 * max(5, len(variants)) + 1.9  # inches: a label has two lines
    figure, (curves, ends) = plt.subplots(1, 2, figsize=(10, height), width_ratios=[1.2, 1])
    accuracies = {name: 100 * judged.metrics["test_accuracy"] for name, judged in variants.items()}
    for (name, judged), marker in zip(variants.items(), cycle("os^Dv<>pP*")):
        line = curves.plot(judged.history["epoch"], 100 * judged.history["test_accuracy"], marker=marker, label=name)[0]
        size = f"{name}\n{judged.metrics['parameters']:,} parameters"
        ends.plot([accuracies[name]], [size], marker=marker, markersize=8, color=line.get_color())
        ends.text(accuracies[name], size, f"    {accuracies[name]:.2f}", va="center")
    curves.set(xlabel="epoch", ylabel="test accuracy (%)")
    curves.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ends.set(xlabel="test accuracy at the end (%)", xlim=(np.floor(min(accuracies.values())) - 1, 100))
    ends.margins(y=0.15)
    ends.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=min(len(variants), 120 // (10 + max(map(len, variants)))))
    figure.suptitle("Networks side by side")
    return figure
