"""Image files <-> RGB pictures: the one reader and writer. Resized by Pillow: Lanczos exists for its pictures alone,
torchvision's `transforms.v2` hands them to it; without torch, the stages that only handle files start at once.
"""

import logging
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from nnlab.data.decoding import decode
from nnlab.errors import UserError
from nnlab.files import atomic

if TYPE_CHECKING:
    from torch import Tensor

SUFFIXES = {".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".avif", ".heic", ".heif"}
NO_PICTURES = ("README.md", "*.dvc")  # what may lie beside a user's pictures
OF_WINDOWS = ("Thumbs.db", "desktop.ini", "*:Zone.Identifier")  # what its Explorer leaves, the last in WSL's folders
# The longest side in pixels that a format can hold, by ending.
LONGEST = {".webp": 16_383, ".jpg": 65_500, ".jpeg": 65_500, ".jfif": 65_500, ".gif": 65_535}

_log = logging.getLogger(__name__)  # its warnings go to standard error


def read_image(path: Path, alpha: bool = False) -> Image.Image:
    """Read an image file as RGB (see `decode`); transparent parts are laid over white, or with `alpha` kept as RGBA.

    Raises `UserError` naming the file if it is missing, damaged, no image or too large.
    """
    if not path.is_file():  # opening a pipe would wait for ever
        raise UserError(f"{path}: {'not a regular file' if path.exists() else 'not found'}; give an image file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata, and about sizes that are refused anyway
            image, notes = decode(path.read_bytes())
    except UserError as reason:
        raise UserError(f"{path}: {reason}") from None
    except OSError as error:
        raise UserError(f"{path}: {os.strerror(error.errno or 0)}") from None
    for note in notes:
        _log.warning("%s: %s", path, note)
    return image if alpha else flatten(image)


def flatten(image: Image.Image) -> Image.Image:
    """RGBA -> RGB over white; RGB as it is."""
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def resize_shorter(image: Image.Image, size: int | None) -> Image.Image:
    """Resize so that the shorter side has `size` pixels, aspect kept; 0 or None leaves the picture as it is."""
    if not size or min(image.size) == size:
        return image
    scale = size / min(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def to_pil(tensor: "Tensor") -> Image.Image:
    """(1, 3, H, W) or (3, H, W), any float type, clipped to [0, 1] -> RGB picture."""
    pixels = tensor.detach().squeeze(0).float().clamp(0, 1).mul(255).round().byte()
    return Image.fromarray(pixels.permute(1, 2, 0).cpu().contiguous().numpy())


def check_savable(path: Path, size: tuple[int, int]) -> None:
    """UserError if the format that `path` names does not exist or cannot hold (width, height): known before drawing."""
    suffix = path.suffix.lower()
    if suffix not in Image.registered_extensions():
        raise UserError(f"{path}: no image format has this ending; use .png or .jpg")
    if max(size) > LONGEST.get(suffix, max(size)):
        found = f"{size[0]}x{size[1]} pixels, but {suffix} holds at most {LONGEST[suffix]:,} a side"
        raise UserError(f"{path}: {found}; use .png, or a smaller size")


def save_image(image: "Tensor | Image.Image", path: Path) -> None:
    """Write a picture or a (1, 3, H, W) tensor in [0, 1], whole or not at all; the suffix chooses the format."""
    picture = image if isinstance(image, Image.Image) else to_pil(image)
    check_savable(path, picture.size)
    with atomic(path) as temporary:
        picture.save(temporary, quality=92)  # formats without loss take no notice


def list_images(folder: Path, tell: bool = False) -> list[Path]:
    """All files with an image's ending below `folder` (see `list_files`); with `tell`, a line names all others."""
    files = list_files(folder)
    others = [path for path in files if path.suffix.lower() not in SUFFIXES and not any(map(path.match, NO_PICTURES))]
    if others and tell:
        names = ", ".join(str(path.relative_to(folder)) for path in others)
        _log.warning("%s: left out, for their endings are no picture's: %s", folder, names)
    return [path for path in files if path.suffix.lower() in SUFFIXES]


def list_files(folder: Path) -> list[Path]:
    """All files below `folder`, sorted by name; hidden ones, links to folders and `OF_WINDOWS` are left out."""
    if not folder.is_dir():
        raise UserError(f"{folder}: not a folder")
    found = [path for path in folder.rglob("*") if not path.is_dir() and not any(map(path.match, OF_WINDOWS))]
    visible = [path for path in found if not any(part[0] == "." for part in path.relative_to(folder).parts)]
    return sorted(visible, key=os.fsencode)
