"""Pictures for the report: small enough that a whole page is one file, and how near two of them are in numbers."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nnlab.errors import UserError

MAX_SIDE = 1500  # pixels; wider figures are reduced, which no screen that shows the page in one column can tell
DRAWING = 250_000  # bytes; a larger PNG holds photos, for which lossless formats are too large and slow
_QUALITY = 86
_LOSSLESS_LIMIT = 90_000  # bytes; drawings stay lossless as long as they are this small
_COMPARED_SIDE = 128  # pixels; both pictures are reduced to the same small size before they are compared
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, 2.5.1


def existing(path: Path) -> Path:
    """The path itself, if there is such a file; else `UserError`."""
    if not path.is_file():
        raise UserError(f"{path}: not found; the report is made from it: run `dvc repro`")
    return path


def read_picture(path: Path) -> Image.Image:
    """A picture that another stage wrote, as RGB."""
    try:
        with Image.open(existing(path)) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f"{path}: not a whole picture ({error}); delete it and run `dvc repro`") from None


def for_screen(path: Path, max_side: int = MAX_SIDE) -> dict[str, Any]:
    """A picture file as {"uri", "width", "height"}: WebP, lossless where that is small."""
    image = read_picture(path)
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    data = _webp(image, lossless=False)
    if path.stat().st_size <= DRAWING:
        data = min(_webp(image, lossless=True), data, key=lambda found: max(len(found), _LOSSLESS_LIMIT))
    return {"uri": as_uri(data, "image/webp"), "width": image.width, "height": image.height}


def for_print(path: Path) -> tuple[str, bytes]:
    """(ending, bytes): a large PNG holds photos and becomes a JPEG of a fifth of the bytes; others stay as they are."""
    image = read_picture(path)
    if path.suffix.lower() != ".png" or path.stat().st_size <= DRAWING:
        return path.suffix, path.read_bytes()
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=92, subsampling=0, optimize=True)
    return ".jpg", buffer.getvalue()


def sprite(images: np.ndarray) -> str:
    """Pictures (rows, columns, h, w) uint8 as one sheet, a lossless data URI."""
    rows, columns, height, width = images.shape
    sheet = images.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)
    return as_uri(_webp(Image.fromarray(np.ascontiguousarray(sheet)).convert("RGB"), lossless=True), "image/webp")


def as_uri(data: bytes, kind: str) -> str:
    """Bytes of a MIME type as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _webp(image: Image.Image, *, lossless: bool) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="WEBP", lossless=lossless, quality=50 if lossless else _QUALITY, method=3)
    return buffer.getvalue()


def same_shapes(first: Path, second: Path) -> float:
    """Pearson correlation of the two pictures' brightness, -1 to 1: 1 where light and dark lie at the same places."""
    a, b = (_pixels(path) @ np.array(_LUMA) for path in (first, second))
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / scale) if scale > 1e-12 else 0.0


def color_distance(first: Path, second: Path) -> float:
    """Distance between the pictures' colour statistics, 0 or more: 2-Wasserstein distance of the per-channel Gaussians.

    Root of the mean over R, G, B of (difference of means)^2 + (difference of deviations)^2, in units of the full scale.
    """
    a, b = (_pixels(path).reshape(-1, 3) for path in (first, second))
    gap = (a.mean(0) - b.mean(0)) ** 2 + (a.std(0) - b.std(0)) ** 2
    return float(np.sqrt(gap.mean()))


def _pixels(path: Path) -> np.ndarray:
    """A picture as (side, side, 3) float64 in [0, 1]."""
    small = read_picture(path).resize((_COMPARED_SIDE, _COMPARED_SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64) / 255
