"""What the stages after training share: opening pictures and networks, the line below a figure."""

from pathlib import Path

from PIL import Image

from nnlab.adain.model import MIN_SIDE
from nnlab.adain.stylize import Stylizer
from nnlab.adain.weights import load_decoder, load_encoder
from nnlab.data.catalog import PROVENANCE, read_provenance
from nnlab.data.images import read_image, resize_shorter
from nnlab.errors import UserError
from nnlab.params import ASSIGNED_ITERATIONS
from nnlab.training.device import pick_device, pick_precision
from nnlab.training.state import load_tensors

CONTENT, STYLE = "content.jpg", "style.jpg"  # file names in the pair's folder


def open_stylizer(encoder: Path, decoder: Path, device: str, precision: str) -> Stylizer:
    """Load both networks onto the device that `hardware` names, in its precision."""
    place = pick_device(device)
    return Stylizer(load_encoder(encoder), load_decoder(decoder), place, pick_precision(precision, place))


def open_picture(path: Path, size: int) -> Image.Image:
    """Read a picture with its shorter side resized to `size` pixels; 0 keeps the original size.

    UserError that names the file if it cannot be read, enlarged so far, or is too small for the encoder.
    """
    picture = read_image(path)
    try:
        picture = resize_shorter(picture, size)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    if min(picture.size) < MIN_SIDE:
        at = f" at size {size}" if size else ""
        raise UserError(f"{path}: {picture.width}x{picture.height} pixels{at}; at least {MIN_SIDE} a side are needed")
    return picture


def iterations(decoder: Path) -> int | None:
    """Training iterations that a decoder file says it had, None if it does not say."""
    text = load_tensors(decoder)[1].get("iteration", "")
    return int(text) if text.isdecimal() else None


def notes(pair: Path | None, decoder: Path, *others: str) -> str:
    """The line below a figure: stand-ins in the pair's folder, `others`, a short training; "" if all is as asked."""
    found = [_stand_in(pair) if pair else "", *others]
    count = iterations(decoder)
    if count is not None and count < ASSIGNED_ITERATIONS:
        found.append(f"Reduced training: {count:,} iterations instead of {ASSIGNED_ITERATIONS:,}")
    return ". ".join(text.rstrip(".") for text in found if text)


def _stand_in(folder: Path) -> str:
    """The note of a folder's provenance.json if it holds stand-ins."""
    record = read_provenance(folder / PROVENANCE)
    return str(record["note"]) if record["stand_in"] else ""
