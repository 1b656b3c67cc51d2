"""The shared look of figures: colours, style, grids of pictures, the file."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlab.files import atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe & Ito (2008), "Color Universal Design": told apart with any colour vision, and in grey print.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
BLUE, RED = PALETTE[0], PALETTE[1]
# Ten classes need ten colours: Paul Tol's "muted" scheme with black (https://personal.sron.nl/~pault/).
TEN_COLORS = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499", "#000000",
)  # fmt: skip

_STYLE: dict[Any, Any] = {
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "figure.facecolor": "white",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "figure.constrained_layout.use": True,
}


def style() -> AbstractContextManager:
    """Matplotlib settings that every figure shares: `with style(): ...`. Selects the backend that needs no screen."""
    import matplotlib as mpl
    from matplotlib.rcsetup import cycler

    mpl.use("Agg")
    return mpl.rc_context({**_STYLE, "axes.prop_cycle": cycler(color=PALETTE)})


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure as PNG, whole or not at all, the same bytes for the same figure; closes it."""
    import matplotlib.pyplot as plt
    from PIL import Image

    with atomic(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
        plt.close(figure)
        with Image.open(temporary) as image:
            image.convert("RGB").save(temporary, format="PNG", optimize=True)


def image_grid(
    rows: Sequence[Sequence[Any]],
    *,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    title: str = "",
    note: str | None = None,
    cell: float = 2.2,
) -> "Figure":
    """Draw pictures as a grid; call it inside `style()`.

    `rows` holds arrays (H, W) or (H, W, 3) in [0, 1] or uint8, or Pillow images; None leaves a cell empty, and a row
    may be shorter than the first. `column_labels` stand over the first row (or, with one label per picture, over each),
    `cell` is a cell's side in inches, `note` a line below for stand-ins and reduced settings.
    """
    import matplotlib.pyplot as plt

    columns = max(len(row) for row in rows)
    heights = [max(np.asarray(i).shape[0] / np.asarray(i).shape[1] for i in row if i is not None) for row in rows]
    size = (cell * columns + 0.4, cell * sum(heights) + 0.3 * len(rows) + 0.7)
    figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False, height_ratios=heights)
    each = len(column_labels) == sum(len(row) for row in rows)
    for r, row in enumerate(rows):
        for c in range(columns):
            axis = axes[r][c]
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            if c >= len(row) or row[c] is None:
                continue
            axis.imshow(np.asarray(row[c]), cmap="gray_r", vmin=None if np.ndim(row[c]) != 2 else 0,
                        vmax=None if np.ndim(row[c]) != 2 else _white(row[c]))  # fmt: skip
            if column_labels and (each or r == 0):
                axis.set_title(column_labels[sum(len(x) for x in rows[:r]) + c if each else c])
            if row_labels and c == 0:
                axis.set_ylabel(row_labels[r])
    if title:
        figure.suptitle(title)
    if note:
        footnote(figure, note)
    return figure


def footnote(figure: "Figure", note: str) -> None:
    """Write a line under a figure, broken where it would be cut off at the figure's sides."""
    import textwrap

    width = max(20, int(figure.get_figwidth() * 13))  # characters of 9 points in so many inches
    lines = [part for line in note.splitlines() for part in textwrap.wrap(line, width)]
    figure.supxlabel("\n".join(lines), fontsize=9, color="#444444")


def _white(image: Any) -> float:
    """The value that a grey picture's full tone has: 255 for bytes, 1 for floats."""
    return 255 if np.asarray(image).dtype == np.uint8 else 1.0
