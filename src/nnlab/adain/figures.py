"""Figures of stylised pictures: checkpoints side by side, two photos in one style, a row of alphas."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageOps

from nnlab.adain.choice import PAIR, find_photos, find_style
from nnlab.adain.stylize import Stylizer, open_picture, open_style
from nnlab.adain.weights import ENCODER, iterations, load_decoder, load_encoder
from nnlab.data.gallery import caption, find_picture
from nnlab.data.images import flatten, save_image
from nnlab.data.pair import STYLE, stand_ins
from nnlab.figures import image_grid, save_figure, style
from nnlab.files import atomic_dir
from nnlab.params import ASSIGNED_ITERATIONS, HardwareParams, PictureParams
from nnlab.training.device import pick_device, pick_precision

SAMPLES = ("france_pontduGard", "erase_red_panda")  # held-out photos of the gallery: a landmark, a portrait
CELL_PIXELS = (480, 480)  # at most: what a cell shows in print
CELL_INCHES = 3.0
COLUMNS = 3  # pictures of one photo in a row


def choose(
    pictures: PictureParams, key: str, photos: Path, gallery: Path, pair: Path, count: int = 2
) -> tuple[list[Image.Image], Image.Image, list[str]]:
    """Open `count` photos and the style that `adain.pictures.<key>` names, RGB or RGBA; also lines on what they are.

    The photos are those that the parameters name, then the first others in the folder `photos` by name. What is missing
    comes from `SAMPLES`: for both a landmark and a portrait, for the second one the portrait.
    """
    own, name = find_photos(photos, pictures.photos)[:count], getattr(pictures, key)
    samples = [find_picture(gallery, sample) for sample in SAMPLES[len(own) : count]]
    painting = find_style(key, name) or (pair / STYLE if name == PAIR else find_picture(gallery, name))
    notes = [stand_ins(pair, [STYLE]) if name == PAIR else f"Style: {caption(painting)}"]
    if samples:
        what = f"Sample photo{'s' if len(samples) > 1 else ''} ({', '.join(map(caption, samples))})"
        notes.append(f"{what}: put two photos of your own into {photos.as_posix()}")
    shown = [open_picture(path, pictures.size) for path in (*own, *samples)]
    return shown, open_style(painting, pictures.style_size), notes


def open_stylizer(decoder: Path, hardware: HardwareParams) -> Stylizer:
    """Load a decoder, and the encoder beside it, onto the device that `hardware` names, in its precision."""
    device = pick_device(hardware.device)
    networks = load_encoder(decoder.with_name(ENCODER)), load_decoder(decoder)
    return Stylizer(*networks, device, pick_precision(hardware.precision, device))


def save_sheet(path: Path, rows: Sequence[Sequence[Image.Image]], labels: Sequence[str], title: str, note: str) -> None:
    """Write a figure of rows of pictures; `labels` are those of the columns, or of all pictures.

    Every picture is shown in the shape of its row's first one, a painting of another shape in a white frame.
    """
    fitted = [ImageOps.contain(row[0], CELL_PIXELS).size for row in rows]
    shapes = [(max(width, height // 2), height) for width, height in fitted]  # a long screenshot stands in a frame
    cells = [
        [ImageOps.pad(flatten(picture), shape, Image.Resampling.LANCZOS, color="white") for picture in row]
        for shape, row in zip(shapes, rows)
    ]
    with style():
        save_figure(image_grid(cells, column_labels=labels, title=title, note=note or None, cell=CELL_INCHES), path)


def save_pictures(folder: Path, pictures: Mapping[str, Image.Image]) -> None:
    """Replace `folder` by one with these pictures, over white as in the figures: `<name>.png` each, or nothing."""
    with atomic_dir(folder) as temporary:
        for name, picture in pictures.items():
            save_image(flatten(picture), temporary / f"{name}.png")


def note(decoder: Path, *texts: str) -> str:
    """The line below a figure: `texts`, and whether the training was short; "" if all is as asked."""
    count = iterations(decoder)
    told = f"Reduced training: {count:,} iterations instead of {ASSIGNED_ITERATIONS:,}"
    return ". ".join(text.rstrip(".") for text in (*texts, told if count < ASSIGNED_ITERATIONS else "") if text)
