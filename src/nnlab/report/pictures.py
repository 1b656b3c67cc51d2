"""Pictures for the report: small enough that a whole page is one file, and how near two of them are in numbers."""

import base64
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageStat

from nnlab.measures import edges

LARGEST = (2200, 22_000)  # pixels: on A4, in one column, these are more than 300 an inch; many Gatys jobs are tall
_PHOTO = 0.4  # of the bytes as PNG: where a JPEG needs less, the picture holds photos, else it is a drawing


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


def encoded(path: Path, largest: tuple[int, int] = LARGEST) -> Encoded:
    """A picture, reduced to fit into `largest` pixels: drawings as PNG, photos as JPEG of a fifth of the bytes."""
    image = Image.open(path).convert("RGB")
    image.thumbnail(largest, Image.Resampling.LANCZOS)
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


def edges_kept(photo: Path, result: Path) -> float:
    """Those of a photo in a result of its size, see `edges`."""
    seen, drawn = (np.asarray(Image.open(path).convert("RGB")) for path in (photo, result))
    return edges(seen, drawn)


def color_distance(first: Path, second: Path) -> float:
    """Distance between the pictures' colour statistics, 0 or more: 2-Wasserstein distance of the per-channel Gaussians.

    Root of the mean over R, G, B of (difference of means)^2 + (difference of deviations)^2, in units of the full scale.
    """
    a, b = (ImageStat.Stat(Image.open(path).convert("RGB")) for path in (first, second))
    gaps = np.subtract([a.mean, a.stddev], [b.mean, b.stddev]) / 255  # (2, 3)
    return float(np.sqrt((gaps**2).sum(0).mean()))
