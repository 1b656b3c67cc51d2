"""Test images with the confidences of a classifier: blue is the true class, red a wrong prediction."""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from nnlab.fashion.classes import CLASSES
from nnlab.figures import BLUE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nnlab.fashion.judge import Judged

# The red of Paul Tol's "vibrant" scheme, told from the blue with any colour vision. Not `reports.RED`, which is the
# second curve's colour: an orange, where captions and legends say "red".
RED, GREY = "#CC3311", "#999999"
COLUMNS = 3  # predictions beside each other


def telling(confidences: np.ndarray, found: np.ndarray) -> int | None:
    """The first of the images `found` with a confidence that is neither near 0.1 nor near 1; else the first; or None.

    A bar chart with a single full bar shows nothing about the other classes.
    """
    best = confidences[found].max(1) if len(found) else np.empty(0)
    clear = found[(best > 0.5) & (best < 0.9)]
    return int([*clear, *found][0]) if len(found) else None


def mixed(right: np.ndarray, wrong: np.ndarray, count: int = 15) -> list[int]:
    """Up to `count` images in the order of the test set, a third of them wrong ones (as far as there are any)."""
    few = wrong[: count // 3]
    return sorted([*few.tolist(), *right[: count - len(few)].tolist()])


def one(images: np.ndarray, judged: "Judged", index: int | None, kind: str) -> "Figure":
    """One image and the ten confidences."""
    figure, (picture, bars) = plt.subplots(1, 2, figsize=(8, 3.2), width_ratios=[1, 1.7])
    if index is None:
        picture.set_axis_off()
        bars.set_axis_off()
        figure.suptitle(f"No {kind} prediction among the test images")
        return figure
    _show(picture, images[index], judged, index)
    _bars(bars, judged, index)
    bars.set_yticks(range(len(CLASSES)), CLASSES)
    bars.set_xlabel("confidence (%)")
    figure.suptitle(f"A {kind} prediction (test image {index})")
    _legend(figure, wrong=kind == "wrong")
    return figure


def several(images: np.ndarray, judged: "Judged", chosen: list[int]) -> "Figure":
    """Images with their confidences, several in a row."""
    lines = -(-len(chosen) // COLUMNS)
    figure, axes = plt.subplots(
        lines, 2 * COLUMNS, figsize=(12, 2.1 * lines + 0.9), squeeze=False, width_ratios=[1, 1.1] * COLUMNS
    )
    for position in range(lines * COLUMNS):
        picture, bars = axes[position // COLUMNS][2 * (position % COLUMNS) :][:2]
        if position >= len(chosen):
            picture.set_axis_off()
            bars.set_axis_off()
            continue
        _show(picture, images[chosen[position]], judged, chosen[position])
        _bars(bars, judged, chosen[position])
        bars.set_yticks(range(len(CLASSES)), CLASSES, fontsize=9)
        if position >= len(chosen) - COLUMNS:
            bars.set_xlabel("confidence (%)")
    figure.suptitle("Predictions for test images, a third of them wrong ones")
    _legend(figure, wrong=True)
    return figure


def _show(axis: "Axes", image: np.ndarray, judged: "Judged", index: int) -> None:
    """The image over the predicted class, its confidence, and the true class where that is another."""
    predicted, actual = judged.predicted[index], judged.labels[index]
    text = f"{CLASSES[predicted]}, {100 * judged.confidences[index, predicted]:.0f} %"
    if predicted != actual:
        text += f"\ntrue: {CLASSES[actual]}"
    axis.imshow(image, cmap="gray_r", vmin=0, vmax=255)
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
    axis.set_xlabel(text, color=BLUE if predicted == actual else RED)


def _bars(axis: "Axes", judged: "Judged", index: int) -> None:
    """Ten horizontal bars: grey, the true class blue, a wrong prediction red."""
    colors = [GREY] * len(CLASSES)
    colors[judged.predicted[index]] = RED
    colors[judged.labels[index]] = BLUE
    axis.barh(range(len(CLASSES)), 100 * judged.confidences[index], color=colors)
    axis.set_xlim(0, 100)
    axis.set_xticks([0, 50, 100])
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)


def _legend(figure: "Figure", wrong: bool) -> None:
    """What the colours mean, below everything."""
    meaning = {"true class": BLUE, **({"wrong prediction": RED} if wrong else {}), "other classes": GREY}
    handles = [plt.Rectangle((0, 0), 1, 1, color=color) for color in meaning.values()]
    figure.legend(handles, list(meaning), loc="outside lower center", ncols=len(meaning))
