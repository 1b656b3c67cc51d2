"""Figures of stylised pictures: checkpoints side by side, two photos in one style, a row of alphas."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageOps

from nnlab.adain.colors import over_white
from nnlab.adain.stylize import Stylizer
from nnlab.adain.weights import load_decoder, load_encoder
from nnlab.data.catalog import PROVENANCE, read_provenance
from nnlab.data.images import save_image
from nnlab.figures import image_grid, save_figure, style
from nnlab.files import atomic_dir
from nnlab.params import ASSIGNED_ITERATIONS, HardwareParams
from nnlab.training.device import pick_device, pick_precision
from nnlab.training.state import load_tensors

CONTENT, STYLE = "content.jpg", "style.jpg"  # file names in the pair's folder
CELL_INCHES = 3.0
CELL_PIXELS = 480  # on the longer side: what a cell shows in print
WIDTH_INCHES = 14.0  # of a row of many pictures


def open_stylizer(encoder: Path, decoder: Path, hardware: HardwareParams) -> Stylizer:
    """Load both networks onto the device that `hardware` names, in its precision."""
    device = pick_device(hardware.device)
    return Stylizer(load_encoder(encoder), load_decoder(decoder), device, pick_precision(hardware.precision, device))


def save_sheet(
    path: Path, rows: Sequence[Sequence[Image.Image]], labels: Sequence[str], title: str, note: str = ""
) -> None:
    """Write a figure of rows of pictures; `labels` are those of the columns, or of all pictures.

    Every picture is shown in the shape of its row's first one, a painting of another shape in a white frame.
    """
    size = (CELL_PIXELS, CELL_PIXELS)
    shapes = [ImageOps.contain(row[0], size).size for row in rows]
    cells = [
        [ImageOps.pad(over_white(picture), shape, Image.Resampling.LANCZOS, color="white") for picture in row]
        for shape, row in zip(shapes, rows)
    ]
    cell = min(CELL_INCHES, WIDTH_INCHES / len(rows[0]))
    with style():
        save_figure(image_grid(cells, column_labels=labels, title=title, note=note or None, cell=cell), path)


def save_pictures(folder: Path, pictures: Mapping[str, Image.Image]) -> None:
    """Replace `folder` by one with these pictures, `<name>.png` each, whole or not at all."""
    with atomic_dir(folder) as temporary:
        for name, picture in pictures.items():
            save_image(picture, temporary / f"{name}.png")


def iterations(decoder: Path) -> int | None:
    """Training iterations that a decoder file says it had, None if it does not say."""
    text = load_tensors(decoder)[1].get("iteration", "")
    return int(text) if text.isdecimal() else None


def notes(pair: Path | None, decoder: Path, *others: str) -> str:
    """The line below a figure: stand-ins in the pair's folder, `others`, a short training; "" if all is as asked."""
    found = [*others]
    if pair and (record := read_provenance(pair / PROVENANCE))["stand_in"]:
        found.insert(0, str(record["note"]))
    count = iterations(decoder)
    if count is not None and count < ASSIGNED_ITERATIONS:
        found.append(f"Reduced training: {count:,} iterations instead of {ASSIGNED_ITERATIONS:,}")
    return ". ".join(text.rstrip(".") for text in found if text)
