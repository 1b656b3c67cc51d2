"""Autoencoders' results -> figures. Call inside `reports.style()`."""

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from nnlab.figures import TEN_COLORS, image_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIGITS = range(10)
AXES = tuple(f"asinh((code - median) / scale), {which} number of the code" for which in ("first", "second"))


def loss(history: list[Any], title: str, count: int) -> "Figure":
    """BCE per epoch: of the first `count` training images, and of the as many test images."""
    figure, axis = plt.subplots(figsize=(5.6, 3.6))
    epochs = [row.epoch for row in history]
    many = len(epochs) > 12
    axis.plot(
        epochs,
        [row.train_loss for row in history],
        marker=None if many else "o",
        label=f"first {count:,} training images",
    )
    axis.plot(epochs, [row.test_loss for row in history], marker=None if many else "s", label=f"{count:,} test images")
    axis.set(xlabel="epoch", ylabel="BCE (nats per pixel)", title=f"{title}: {history[-1].test_loss:.4f} at the end")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axis.legend()
    return figure


def digit_rows(rows: dict[str, np.ndarray], labels: np.ndarray, title: str, note: str | None = None) -> "Figure":
    """One column per digit 0-9, its first image in each row; `rows` maps names to images (N, 28, 28) in [0, 1].

    A digit that is not among the labels leaves its column empty.
    """
    found = [np.flatnonzero(labels == digit) for digit in DIGITS]
    pictures = [[images[where[0]] if len(where) else None for where in found] for images in rows.values()]
    figure = image_grid(pictures, row_labels=list(rows), column_labels=[str(d) for d in DIGITS], title=title,
                        note=note, cell=0.95)  # fmt: skip
    figure.set_size_inches(9.6, 0.98 * len(rows) + (1.1 if note else 0.8))
    return figure


def latent(codes: np.ndarray, labels: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> "Figure":
    """Codes (N, 2) coloured by digit; each digit's number stands about its median; the grid's region is framed."""
    figure, axis = plt.subplots(figsize=(7.6, 6.6))
    placed: list[np.ndarray] = []
    for digit in DIGITS:
        own = codes[labels == digit]
        if not len(own):
            continue
        color = TEN_COLORS[digit]
        axis.scatter(own[:, 0], own[:, 1], s=5, alpha=0.55, color=color, label=str(digit), linewidths=0)
        placed.append(_apart(np.median(own, 0), placed, 0.05 * np.ptp(codes, axis=0)))
        box = {"boxstyle": "circle,pad=0.15", "fc": "white", "ec": color}
        x, y = placed[-1]
        axis.text(x, y, str(digit), fontsize=15, weight="bold", color=color, ha="center", va="center", bbox=box)
    axis.add_patch(plt.Rectangle((xs[0], ys[0]), xs[-1] - xs[0], ys[-1] - ys[0], fill=False, color="#333333",
                                 linestyle="--", linewidth=1, label="grid"))  # fmt: skip
    axis.set(xlabel=AXES[0], ylabel=AXES[1], title="Codes of the test images by digit, on asinh axes")
    legend = axis.legend(title="digit", loc="center left", bbox_to_anchor=(1, 0.5), markerscale=3)
    for handle in filter(None, legend.legend_handles):
        handle.set_alpha(1)
    return figure


def _apart(wanted: np.ndarray, placed: list[np.ndarray], gap: np.ndarray) -> np.ndarray:
    """The place (2,) nearest below `wanted` that is `gap` (2,) away from all that are `placed`."""
    while any((np.abs(wanted - other) < gap).all() for other in placed):
        wanted = wanted - np.array([0.0, 0.25]) * gap
    return wanted


def grid(images: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> "Figure":
    """Decoded pictures (rows, columns, 28, 28) uint8 laid over the plane, row 0 at the top."""
    rows, columns = images.shape[:2]
    sheet = images.transpose(0, 2, 1, 3).reshape(28 * rows, 28 * columns)
    half_x, half_y = (xs[1] - xs[0]) / 2, (ys[1] - ys[0]) / 2
    figure, axis = plt.subplots(figsize=(7.2, 7.2))
    axis.imshow(255 - sheet, cmap="gray", vmin=0, vmax=255, aspect="auto",
                extent=(xs[0] - half_x, xs[-1] + half_x, ys[0] - half_y, ys[-1] + half_y))  # fmt: skip
    axis.grid(visible=False)
    axis.set(xlabel=AXES[0], ylabel=AXES[1],
             title=f"What the decoder draws at {columns} x {rows} points, uniform on asinh axes")  # fmt: skip
    return figure
