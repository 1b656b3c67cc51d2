"""Image files <-> RGB pictures and tensors (B, 3, H, W) in [0, 1]."""

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from nnlab.errors import UserError
from nnlab.files import atomic

if TYPE_CHECKING:
    from torch import Tensor

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}


def read_image(path: Path) -> Image.Image:
    """Read any image file as RGB: EXIF rotation applied, alpha laid over white, 16-bit, CMYK and palette converted.

    Of an animation the first frame is taken. Raises `UserError` naming the file if it is missing, damaged, no image,
    or larger than Pillow's limit against decompression bombs.
    """
    path = Path(path)
    try:
        return decode(path)
    except FileNotFoundError:
        raise UserError(f"{path}: not found; give an image file") from None
    except Image.DecompressionBombError:
        raise UserError(f"{path}: more than {Image.MAX_IMAGE_PIXELS} pixels, refused; scale it down first") from None
    except UnidentifiedImageError:
        raise UserError(f"{path}: not an image that can be read ({path.stat().st_size} bytes)") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f"{path}: damaged image ({error}); replace it") from None


def decode(source: Path | BinaryIO, side: int | None = None) -> Image.Image:
    """Decode an image file or its bytes as RGB (see `read_image`); raises Pillow's own errors.

    With `side` a JPEG may come smaller than it is, its shorter side still at least `side` pixels: decoding at 1/2, 1/4
    or 1/8 costs a fraction of the time.
    """
    with Image.open(source) as image:
        if image.width * image.height > (Image.MAX_IMAGE_PIXELS or 0):
            raise Image.DecompressionBombError
        if side:
            scale = side / min(image.size)
            image.draft(None, (math.ceil(image.width * scale), math.ceil(image.height * scale)))
        image.load()
        return _to_rgb(ImageOps.exif_transpose(image))


def _to_rgb(image: Image.Image) -> Image.Image:
    """Any Pillow mode -> RGB."""
    if image.mode.startswith("I") or image.mode == "F":  # 16-bit grey: Pillow's own conversion clips instead of scaling
        values = np.asarray(image, dtype=np.float64)
        return Image.fromarray((values / max(values.max(), 65535.0) * 255).round().astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def resize_shorter(image: Image.Image, size: int | None) -> Image.Image:
    """Resize so that the shorter side has `size` pixels, aspect kept; 0 or None leaves the picture as it is."""
    if not size or min(image.size) == size:
        return image
    scale = size / min(image.size)
    return image.resize(
        (max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.LANCZOS
    )


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
    return to_tensor(resize_shorter(read_image(path), size))


def save_image(image: "Tensor | Image.Image", path: Path) -> None:
    """Write a picture or a (1, 3, H, W) tensor in [0, 1], whole or not at all; the suffix chooses the format."""
    picture = image if isinstance(image, Image.Image) else to_pil(image)
    if Path(path).suffix.lower() not in Image.registered_extensions():
        raise UserError(f"{path}: no image format has this ending; use .png or .jpg")
    options = {"quality": 92} if Path(path).suffix.lower() in {".jpg", ".jpeg", ".webp"} else {}
    with atomic(path) as temporary:
        picture.save(temporary, **options)


def list_images(folder: Path) -> list[Path]:
    """All files with an image's ending below `folder`, sorted by name; hidden ones and link loops are left out."""
    if not Path(folder).is_dir():
        raise UserError(f"{folder}: not a folder")
    found = []
    for here, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(here) / n for n in names if not n.startswith(".") and Path(n).suffix.lower() in SUFFIXES]
    return sorted(found, key=lambda path: os.fsencode(path))
