"""Image files <-> RGB pictures and tensors (B, 3, H, W) in [0, 1]."""

import math
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from nnlab.errors import UserError
from nnlab.files import atomic

if TYPE_CHECKING:
    from torch import Tensor

MAX_PIXELS = 89_478_485  # Pillow's own limit against decompression bombs (0.25 GiB as RGB), which stays on
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP")  # no EPS: Pillow would run Ghostscript on it
# The longest side in pixels that a format can hold, by ending.
LONGEST = {".webp": 16_383, ".jpg": 65_500, ".jpeg": 65_500, ".gif": 65_535}
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}


def read_image(path: Path, transparency: bool = False) -> Image.Image:
    """Read any image file as RGB: EXIF rotation applied, alpha laid over white, 16-bit, CMYK and palette converted.

    With `transparency` a picture that has some comes as RGBA. Of an animation the first frame is taken. Raises
    `UserError` naming the file if it is missing, damaged, no image, or has more than `MAX_PIXELS` pixels.
    """
    path = Path(path)
    if not path.is_file():  # opening a pipe would wait for ever
        raise UserError(f"{path}: {_not_a_file(path)}; give an image file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata, and about sizes that are refused anyway
            return decode(path, transparency=transparency)
    except Image.DecompressionBombError:
        raise UserError(f"{path}: more than {MAX_PIXELS:,} pixels, refused; scale it down first") from None
    except UnidentifiedImageError:
        raise UserError(f"{path}: not an image that can be read ({path.stat().st_size} bytes)") from None
    except Exception as error:  # damaged files fail in Pillow's decoders with a dozen types of error
        if isinstance(error, OSError) and error.errno:
            raise UserError(f"{path}: {os.strerror(error.errno)}") from None
        raise UserError(f"{path}: damaged image ({str(error) or type(error).__name__}); replace it") from None


def _not_a_file(path: Path) -> str:
    """Why there is no regular file at `path`."""
    if path.is_dir():
        return "a folder"
    if path.is_symlink():
        return "a link that leads nowhere"
    return "not a regular file" if path.exists() else "not found"


def decode(source: Path | BinaryIO, side: int | None = None, transparency: bool = False) -> Image.Image:
    """Decode an image file or its bytes as RGB (see `read_image`); raises Pillow's own errors.

    With `side` a JPEG may come smaller than it is, its shorter side still at least `side` pixels: decoding at 1/2, 1/4
    or 1/8 costs a fraction of the time.
    """
    with Image.open(source, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise Image.DecompressionBombError
        if side:
            scale = side / min(image.size)
            image.draft(None, (math.ceil(image.width * scale), math.ceil(image.height * scale)))
        image.load()
        return _to_rgb(_upright(image), transparency)


def _upright(image: Image.Image) -> Image.Image:
    """Turn the picture as its EXIF data ask; unreadable EXIF data ask for nothing."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # the parser of a damaged block fails with many types of error
        return image


def _to_rgb(image: Image.Image, transparency: bool) -> Image.Image:
    """Any Pillow mode -> RGB, or with `transparency` RGBA where there is some."""
    if image.mode.startswith("I") or image.mode == "F":  # Pillow's own conversion clips at 255 instead of scaling
        values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0)
        highest = values.max()
        white = 1.0 if image.mode == "F" and highest <= 1 else max(highest, 65535.0)  # floats mostly go from 0 to 1
        return Image.fromarray((values.clip(0) / white * 255).round().astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if transparency:
            return image
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def resize_shorter(image: Image.Image, size: int | None) -> Image.Image:
    """Resize so that the shorter side has `size` pixels, aspect kept; 0 or None leaves the picture as it is.

    Raises `UserError` if a narrow strip would grow beyond `MAX_PIXELS` pixels.
    """
    if not size or min(image.size) == size:
        return image
    scale = size / min(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    if width * height > MAX_PIXELS:
        raise UserError(f"a strip of {image.width}x{image.height} pixels is too narrow to be enlarged to {size} pixels")
    return image.resize((width, height), Image.Resampling.LANCZOS)


def to_tensor(image: Image.Image) -> "Tensor":
    """RGB picture -> (1, 3, H, W) float32 in [0, 1]."""
    import torch

    return torch.from_numpy(np.array(image, dtype=np.uint8)).permute(2, 0, 1)[None].float().div_(255.0)


def to_pil(tensor: "Tensor") -> Image.Image:
    """(1, 3, H, W) or (3, H, W), any float type, clipped to [0, 1] -> RGB picture."""
    pixels = tensor.detach().squeeze(0).float().clamp(0, 1).mul(255).round().byte()
    return Image.fromarray(pixels.permute(1, 2, 0).cpu().contiguous().numpy())


def load_image(path: Path, size: int | None = None) -> "Tensor":
    """Read a file as (1, 3, H, W) float32 in [0, 1], the shorter side resized to `size` pixels (0, None: as it is)."""
    image = read_image(path)
    try:
        return to_tensor(resize_shorter(image, size))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def check_savable(path: Path, size: tuple[int, int]) -> None:
    """UserError if the format that `path` names does not exist or cannot hold (width, height): known before drawing."""
    suffix = Path(path).suffix.lower()
    if suffix not in Image.registered_extensions():
        raise UserError(f"{path}: no image format has this ending; use .png or .jpg")
    if max(size) > LONGEST.get(suffix, max(size)):
        raise UserError(
            f"{path}: {size[0]}x{size[1]} pixels, but {suffix} holds at most {LONGEST[suffix]:,} a side; use .png, "
            "or a smaller size"
        )


def save_image(image: "Tensor | Image.Image", path: Path) -> None:
    """Write a picture or a (1, 3, H, W) tensor in [0, 1], whole or not at all; the suffix chooses the format."""
    picture = image if isinstance(image, Image.Image) else to_pil(image)
    check_savable(path, picture.size)
    options: dict[str, Any] = {"quality": 92} if Path(path).suffix.lower() in {".jpg", ".jpeg", ".webp"} else {}
    with atomic(path) as temporary:
        picture.save(temporary, **options)


def list_images(folder: Path) -> list[Path]:
    """All files with an image's ending below `folder` (see `list_files`)."""
    return [path for path in list_files(folder) if path.suffix.lower() in SUFFIXES]


def list_files(folder: Path) -> list[Path]:
    """All files below `folder`, sorted by name; hidden files and folders and links to folders are left out."""
    if not Path(folder).is_dir():
        raise UserError(f"{folder}: not a folder")
    found = []
    for here, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(here) / name for name in names if not name.startswith(".")]
    return sorted(found, key=lambda path: os.fsencode(path))
