"""The shared look of figures: colours, style, curves, grids of pictures, the file. Draw inside `style()`."""

import math
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib.metadata import distribution
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.rcsetup import cycler
from matplotlib.ticker import MaxNLocator
from PIL import Image

from nnlab.files import atomic

# Okabe & Ito (2008), "Color Universal Design": told apart with any colour vision, and in grey print.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
BLUE, RED = PALETTE[0], PALETTE[1]
# Ten classes need ten colours: Paul Tol's "muted" scheme with black (https://personal.sron.nl/~pault/).
TEN_COLORS = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499", "#000000",
)  # fmt: skip

WIDEST = 10.0  # inches: as wide as a page, on which the text of a wider figure would be too small to read

_STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans", "Noto Sans CJK SC"],  # the second for names of files
    "figure.dpi": 110,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=PALETTE),
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "figure.constrained_layout.use": True,
}


def style() -> AbstractContextManager:
    """Matplotlib settings that every figure shares: `with style(): ...`. Selects the backend that needs no screen."""
    mpl.use("Agg")
    fontManager.addfont(str(distribution("mplfonts").locate_file("mplfonts/fonts/NotoSansCJKsc-Regular.otf")))
    return mpl.rc_context(_STYLE)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all, the same bytes for the same figure; closes it."""
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
        plt.close(figure)
        with Image.open(temporary) as image:
            image.convert("RGB").save(temporary, format="PNG", optimize=True)


def epoch_curves(axis: Axes, history: pd.DataFrame, key: str, count: int) -> None:
    """Draw train_<key> of `count` training images and test_<key> of as many test images against the epoch."""
    labels = [f"first {count:,} training images", f"{count:,} test images"]
    marks = ["o-", "s-"] if len(history) <= 12 else ["-", "-"]
    history.plot(x="epoch", y=[f"train_{key}", f"test_{key}"], label=labels, style=marks, ax=axis)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def image_grid(
    rows: Sequence[Sequence[Any]],
    *,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    title: str = "",
    note: str | None = None,
    cell: float = 2.2,
) -> Figure:
    """Draw pictures as a grid.

    `rows` holds arrays (H, W) or (H, W, 3) in [0, 1] or uint8, or Pillow images; rows may differ in length.
    `column_labels` stand over the first row (or, with one label per picture, over each), `cell` is a cell's side in
    inches, `note` a line below for stand-ins and reduced settings. In a grid wider than `WIDEST` the cells are smaller
    and have as many pixels.
    """
    columns = max(len(row) for row in rows)
    dense = max(1.0, cell * columns / WIDEST)
    cell /= dense
    heights = [max(np.shape(picture)[0] / np.shape(picture)[1] for picture in row) for row in rows]
    titled = len(rows) if len(column_labels) > columns else 1
    lines = 0.18 * max((label.count("\n") for label in column_labels), default=0)
    size = (cell * columns + (1.2 if row_labels else 0.4), cell * sum(heights) + (0.3 + lines) * titled + 0.7)
    dots = dense * plt.rcParams["figure.dpi"]
    figure, axes = plt.subplots(len(rows), columns, figsize=size, dpi=dots, squeeze=False, height_ratios=heights)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    labels = chain(column_labels, repeat(""))
    for line, row in zip(axes, rows):
        for axis, picture, label in zip(line, row, labels):
            pixels = np.asarray(picture)
            axis.imshow(pixels, cmap="gray_r", vmin=0, vmax=255 if pixels.dtype == np.uint8 else 1)
            axis.set_title(label, parse_math=False)  # may hold a file's name
    for axis, label in zip(axes[:, 0], row_labels):
        axis.set_ylabel(label, rotation=0, ha="right", va="center")
    if title:
        figure.suptitle(title)
    if note:
        footnote(figure, note)
    return figure


def thinned(items: Sequence[Any], most: int) -> list[Any]:
    """At most so many of `items`, evenly from the first to the last."""
    return [items[round(i)] for i in np.linspace(0, len(items) - 1, min(len(items), most))]


def in_rows(items: Sequence[Any], most: int) -> list[Sequence[Any]]:
    """One or more items in rows of `most` at most, about equally long: of three at most, four are two twos."""
    columns = math.ceil(len(items) / math.ceil(len(items) / most))
    return [items[start : start + columns] for start in range(0, len(items), columns)]


def footnote(figure: Figure, note: str) -> None:
    """Write a line under a figure, broken where it would be cut off at the figure's sides."""
    lines = []
    for line in note.splitlines():
        each = 6.5 if any(x > "\u2e80" for x in line) else 13  # characters to the inch; Chinese ones are twice as wide
        lines += textwrap.wrap(line, max(20, int(figure.get_figwidth() * each)))
    figure.supxlabel("\n".join(lines), fontsize=9, color="#444444", parse_math=False)
