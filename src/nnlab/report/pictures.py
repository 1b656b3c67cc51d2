"""Pictures for the report: small enough that a whole page is one file, and how near two of them are in numbers."""

import base64
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageStat

MAX_SIDE = 1500  # pixels; wider figures are reduced, which no screen that shows the page in one column can tell
_PHOTO = 0.4  # of the bytes as PNG: where a JPEG needs less, the picture holds photos, else it is a drawing
_COMPARED_SIDE = 128  # pixels; both pictures are reduced to the same small size before they are compared


class Encoded(NamedTuple):
    """A picture file's bytes; `kind` is png or jpeg."""

    kind: str
    data: bytes
    width: int
    height: int

    @property
    def uri(self) -> str:
        """The file as a data URI."""
        return as_uri(f"image/{self.kind}", self.data)


def encoded(path: Path, max_side: int = MAX_SIDE) -> Encoded:
    """A picture, reduced to `max_side` pixels: drawings as PNG, photos as JPEG of a fifth of the bytes."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    png, jpeg = io.BytesIO(), io.BytesIO()
    image.save(png, "PNG", optimize=True)
    image.save(jpeg, "JPEG", quality=88)
    photo = jpeg.tell() < _PHOTO * png.tell()
    return Encoded("jpeg" if photo else "png", (jpeg if photo else png).getvalue(), *image.size)


def sprite(images: np.ndarray) -> str:
    """Grey pictures (rows, columns, h, w) uint8 as one sheet, a lossless data URI."""
    rows, columns, height, width = images.shape
    sheet, png = images.swapaxes(1, 2).reshape(rows * height, columns * width), io.BytesIO()
    Image.fromarray(sheet).save(png, "PNG", optimize=True)
    return as_uri("image/png", png.getvalue())


def as_uri(kind: str, data: bytes) -> str:
    """Bytes of a MIME type as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def same_shapes(first: Path, second: Path) -> float:
    """Pearson correlation of the two pictures' brightness, -1 to 1: 1 where light and dark lie at the same places."""
    a, b = (np.asarray(_small(path).convert("F")).ravel() for path in (first, second))
    return float(np.corrcoef(a, b)[0, 1])


def color_distance(first: Path, second: Path) -> float:
    """Distance between the pictures' colour statistics, 0 or more: 2-Wasserstein distance of the per-channel Gaussians.

    Root of the mean over R, G, B of (difference of means)^2 + (difference of deviations)^2, in units of the full scale.
    """
    a, b = (ImageStat.Stat(_small(path)) for path in (first, second))
    gaps = np.subtract([a.mean, a.stddev], [b.mean, b.stddev]) / 255  # (2, 3)
    return float(np.sqrt((gaps**2).sum(0).mean()))


def _small(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB").resize((_COMPARED_SIDE, _COMPARED_SIDE), Image.Resampling.BOX)
