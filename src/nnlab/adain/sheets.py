"""Figures of stylised pictures: checkpoints side by side, two photos in one style, a row of alphas."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from nnlab.figures import image_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL_INCHES = 3.0
CELL_PIXELS = 480  # on the longer side: what a cell shows in print
WIDTH_INCHES = 14.0  # of a row of many pictures


def checkpoints_sheet(
    content: Image.Image, style: Image.Image, results: Sequence[tuple[str, Image.Image]], note: str
) -> "Figure":
    """Content, style and the result of each checkpoint, three to a row; `results` are (label, picture)."""
    labels = ["content", "style", *(label for label, _ in results)]
    cells = [_cell(content), _beside(style, content), *(_cell(picture) for _, picture in results)]
    rows = [cells[start : start + 3] for start in range(0, len(cells), 3)]
    title = "The assigned pair, drawn by each checkpoint of the decoder"
    return image_grid(rows, column_labels=labels, title=title, note=note or None, cell=CELL_INCHES)


def photos_sheet(rows: Sequence[tuple[Image.Image, Image.Image, Image.Image]], note: str) -> "Figure":
    """One row per photo: photo, style, result."""
    cells = [[_cell(photo), _beside(style, photo), _cell(result)] for photo, style, result in rows]
    labels = ["photo", "style", "result"]
    return image_grid(cells, column_labels=labels, title="Two photos in one style", note=note or None, cell=CELL_INCHES)


def alpha_sheet(
    photo: Image.Image, style: Image.Image, results: Sequence[tuple[float, Image.Image]], note: str
) -> "Figure":
    """One row: the original, the result for each alpha, the style."""
    labels = ["original", *(f"α = {alpha:g}" for alpha, _ in results), "style"]
    cells = [_cell(photo), *(_cell(picture) for _, picture in results), _beside(style, photo)]
    title = "Strength of the style: decoder(α · AdaIN + (1 − α) · content)"
    cell = min(CELL_INCHES, WIDTH_INCHES / len(cells))
    return image_grid([cells], column_labels=labels, title=title, note=note or None, cell=cell)


def _cell(picture: Image.Image) -> Image.Image:
    """The picture as large as a cell shows it: a figure's file need not hold more."""
    return ImageOps.contain(picture, (CELL_PIXELS, CELL_PIXELS), Image.Resampling.LANCZOS)


def _beside(style: Image.Image, content: Image.Image) -> Image.Image:
    """The style in a white frame of the content's shape, so that all cells of a row are equal."""
    return ImageOps.pad(style, _cell(content).size, Image.Resampling.LANCZOS, color="white")
