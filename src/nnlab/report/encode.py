"""Pictures as data URIs, small enough that a whole report is one page."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nnlab.report.inputs import read_picture

MAX_SIDE = 1500  # pixels; wider figures are reduced, which no screen that shows the page in one column can tell
DRAWING = 250_000  # bytes; a larger PNG holds photos, for which lossless formats are too large and slow
_QUALITY = 86
_LOSSLESS_LIMIT = 90_000  # bytes; drawings stay lossless as long as they are this small


def picture(path: Path, max_side: int = MAX_SIDE) -> dict[str, Any]:
    """A picture file as {"uri", "width", "height"}: WebP, lossless where that is small."""
    image = read_picture(path)
    scale = max_side / max(image.size)
    if scale < 1:
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    data = _webp(image, lossless=False)
    if path.stat().st_size <= DRAWING:
        data = min(_webp(image, lossless=True), data, key=lambda found: max(len(found), _LOSSLESS_LIMIT))
    return {"uri": _uri(data, "image/webp"), "width": image.width, "height": image.height}


def for_print(path: Path) -> bytes | None:
    """A PNG of photos as JPEG in its full size, a fifth of the bytes; None for a picture that is best left as it is."""
    if path.suffix.lower() != ".png" or path.stat().st_size <= DRAWING:
        return None
    buffer = io.BytesIO()
    read_picture(path).save(buffer, format="JPEG", quality=92, subsampling=0, optimize=True)
    return buffer.getvalue()


def sprite(images: np.ndarray) -> str:
    """Pictures (rows, columns, h, w) uint8 as one sheet, a lossless data URI."""
    rows, columns, height, width = images.shape
    sheet = images.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)
    return _uri(_webp(Image.fromarray(np.ascontiguousarray(sheet)).convert("RGB"), lossless=True), "image/webp")


def vector(svg: str) -> str:
    """An SVG document as a data URI."""
    return _uri(svg.encode("utf-8"), "image/svg+xml")


def _webp(image: Image.Image, *, lossless: bool) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="WEBP", lossless=lossless, quality=50 if lossless else _QUALITY, method=3)
    return buffer.getvalue()


def _uri(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
