"""A picture of any source -> a JPEG ready for a shard, or the reason why it is left out."""

import errno
import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from nnlab.data.images import MAX_PIXELS, decode, resize_shorter

SMALLEST_SIDE = 64  # pixels; nothing can be learnt from a smaller picture
LONGEST = 8.0  # longer side over shorter side; resized, such a strip would be huge
MAX_BYTES = 128 << 20  # of one encoded picture
# Refused for the file's own sake, the last one where a damaged zip names no place in itself. Anything else, an I/O
# error or a network drive that went away say, concerns every picture: a set without them must not pass for whole.
_OF_THE_FILE = (None, errno.EACCES, errno.EINVAL)


class LeftOut(Exception):
    """A picture that cannot be used; the text begins with the kind of reason and a colon."""


@dataclass(frozen=True)
class Picture:
    """A picture of a source: its name there, and a function that reads its bytes or raises `LeftOut`."""

    name: str
    read: Callable[[], bytes]


def at_hand(name: str, data: bytes, problem: str) -> Picture:
    """A picture whose bytes have been read already; where there is a `problem`, it is left out for that."""

    def read() -> bytes:
        if problem:
            raise LeftOut(problem)
        return data

    return Picture(name, read)


@dataclass(frozen=True)
class Packed:
    """A JPEG of `size` (width, height) pixels; or, if `problem` is not empty, the reason why there is none."""

    name: str
    jpeg: bytes = b""
    size: tuple[int, int] = (0, 0)
    sha256: str = ""
    problem: str = ""


def convert(picture: Picture, short_side: int, quality: int) -> Packed:
    """Decode a picture, check it, resize its shorter side to at most `short_side` pixels, encode it as JPEG.

    Raises only what is not the picture's fault: `MemoryError`, and an `OSError` that names it.
    """
    try:
        image = _usable(picture.read(), short_side)
        buffer = io.BytesIO()
        resize_shorter(image, min(short_side, *image.size)).save(buffer, "JPEG", quality=quality)
    except LeftOut as reason:
        return Packed(picture.name, problem=str(reason))
    except Image.DecompressionBombError:
        return Packed(picture.name, problem=f"too large: more than {MAX_PIXELS} pixels")
    except UnidentifiedImageError:
        return Packed(picture.name, problem="damaged: not an image")
    except MemoryError:
        raise
    except Exception as error:  # a damaged file can raise anything in Pillow's parsers
        if isinstance(error, OSError) and error.errno not in _OF_THE_FILE:
            raise OSError(error.errno, os.strerror(error.errno), error.filename or picture.name) from None
        return Packed(picture.name, problem=f"damaged: {type(error).__name__}: {str(error)[:120]}")
    jpeg = buffer.getvalue()
    with Image.open(io.BytesIO(jpeg)) as packed:
        return Packed(picture.name, jpeg, packed.size, hashlib.sha256(jpeg).hexdigest())


def _usable(data: bytes, short_side: int) -> Image.Image:
    """Decode `data`; raises `LeftOut` for a picture whose size or shape is of no use."""
    check_size(len(data))
    image = decode(io.BytesIO(data), short_side)
    shorter, longer = sorted(image.size)
    if shorter < SMALLEST_SIDE:
        raise LeftOut(f"too small: {image.width}x{image.height} pixels")
    if longer / shorter > LONGEST:
        raise LeftOut(f"too long: {image.width}x{image.height} pixels")
    return image


def check_size(size: int) -> None:
    """Refuse a picture of more than `MAX_BYTES` bytes, before it is read where the size is known."""
    if size > MAX_BYTES:
        raise LeftOut(f"too large: {size} bytes, at most {MAX_BYTES}")
