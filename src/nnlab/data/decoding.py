"""Encoded pictures -> RGB in sRGB, upright, 8 bits a channel: whatever cameras, phones and tools write."""

import io
import math
from contextlib import suppress

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from nnlab.errors import UserError

try:
    import pillow_heif
except ImportError:  # the extra "heic"
    pillow_heif = None

FORMATS = ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "AVIF"]  # no EPS: Pillow would run Ghostscript on it
_END = b"\xff\xd9"  # of a JPEG
_HEIC = (b"ftyphei", b"ftyphev", b"ftypmif1", b"ftypmsf1")


def decode(data: bytes, side: int = 0) -> tuple[Image.Image, list[str]]:
    """Decode the bytes of an image file; return it as RGB, or RGBA if parts are transparent, and remarks on it.

    It stands upright as its EXIF data ask, its colour profile is applied (perceptual, to sRGB). Greys of more than 8
    bits: see `_eight_bits`. Of an animation the first frame is taken, of a TIFF the largest page, not the thumbnail. A
    JPEG that lacks only its end marker is whole. With `side` a JPEG may come smaller than it is, its shorter side still
    at least `side` pixels: decoding at 1/2, 1/4 or 1/8 costs a fraction of the time. `UserError` says why there is no
    picture, the kind of reason before a colon or bracket; so beyond Pillow's limit of 179 megapixels (a phone has 108).
    """
    try:
        try:
            return _decode(data, side)
        except OSError:
            if not (whole := _mended(data)):
                raise
            return _decode(whole, side)
    except Image.DecompressionBombError as error:
        raise UserError(f"too large: {error} Scale it down first") from None
    except UnidentifiedImageError:
        if data[4:].startswith(_HEIC) and b"avif" not in data[:64]:
            raise UserError("HEIC: needs `pip install pillow-heif`, or save it as .jpg") from None
        raise UserError(f"not an image that can be read ({len(data)} bytes)") from None
    except MemoryError:
        raise
    except Exception as error:  # damaged files fail in Pillow's decoders with a dozen types of error
        raise UserError(f"damaged image ({str(error) or type(error).__name__}); replace it") from None


def _decode(data: bytes, side: int) -> tuple[Image.Image, list[str]]:
    if pillow_heif:
        pillow_heif.register_heif_opener()
    with Image.open(io.BytesIO(data), formats=[*FORMATS, "HEIF"] if pillow_heif else FORMATS) as image:
        notes = _choose_frame(image)
        if side:
            scale = side / min(image.size)
            image.draft(None, (math.ceil(image.width * scale), math.ceil(image.height * scale)))
        image.load()
        profile = image.info.get("icc_profile")
        with suppress(Exception):  # of the parser, or of writing odd EXIF entries again: the picture is turned by then
            ImageOps.exif_transpose(image, in_place=True)
        return _to_srgb(image, profile, notes), notes


def _choose_frame(image: Image.Image) -> list[str]:
    """Go to the frame that is the picture; a remark if others are left out. An MPO holds previews of its first one."""
    frames = getattr(image, "n_frames", 1)
    if frames == 1 or image.format == "MPO":
        return []
    if image.format != "TIFF":
        return [f"an animation of {frames} frames; the first one is used"]
    sizes = []
    for page in range(frames):
        image.seek(page)
        sizes.append(image.width * image.height)
    image.seek(sizes.index(max(sizes)))
    return [f"{frames} pages; the largest one is used"]


def _to_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """Any mode -> RGB or RGBA in sRGB."""
    image = _eight_bits(image)
    if image.has_transparency_data and image.mode != "RGBA":
        image = image.convert("RGBA")
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image if image.mode in ("RGB", "L", "CMYK", "LAB") else image.convert("RGB")
    if profile:
        colours = _managed(colours, profile, notes)
    if colours.mode != "RGB":
        colours = colours.convert("RGB")
    colours.info = {}  # the profile there is no longer true
    if alpha is not None:
        colours.putalpha(alpha)
    return colours


def _managed(image: Image.Image, profile: bytes, notes: list[str]) -> Image.Image:
    """The picture in sRGB, or as it is where its profile is broken or of another kind of picture."""
    try:
        given, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        if ImageCms.getProfileDescription(given).startswith("sRGB"):
            return image
        return ImageCms.profileToProfile(image, given, srgb, ImageCms.Intent.PERCEPTUAL, "RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        notes.append("its colour profile cannot be used; read as sRGB")
        return image


def _eight_bits(image: Image.Image) -> Image.Image:
    """Greys of 16 or 32 bits or floats -> 8 bits; others as they are. Pillow's own conversion clips at 255.

    White is the lowest of 255, 4095 (12 bits) and 65535 that no pixel exceeds, in floats the lowest of 1, 255 and 65535
    that at most a hundredth of the pixels exceeds (highlights, which are clipped); beyond these, the highest value. In
    a TIFF whose tag PhotometricInterpretation (262) is 0 it is black: scanners write these.
    """
    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    values, floats = np.asarray(image, dtype=np.float32), image.mode == "F"
    finite = values[np.isfinite(values)]
    reach = np.quantile(finite, 0.99) if floats and finite.size else finite.max(initial=0)
    white = next((level for level in ((1, 255, 65535) if floats else (255, 4095, 65535)) if reach <= level), reach)
    shades = (np.nan_to_num(values).clip(0, white) / white * 255).round().astype(np.uint8)
    return Image.fromarray(255 - shades if getattr(image, "tag_v2", {}).get(262) == 0 else shades)


def _mended(data: bytes) -> bytes:
    """A JPEG with its end marker, if that is all it lacks, else nothing: what is put in its place must not matter."""
    data = data.rstrip(b"\xff")
    if not data.startswith(b"\xff\xd8"):
        return b""
    fillings = [b"", *(bytes([byte]) * 64 for byte in (0x55, 0xAA, 0x2D, 0xD2, 0x93))]
    if b"\xff\xdd" in data:  # parts that begin with restart markers, of which one may be next
        fillings += [bytes([0xFF, 0xD0 + n]) + fillings[1] for n in range(8)]
    pixels = (Image.open(io.BytesIO(data + some + _END), formats=["JPEG"]).tobytes() for some in fillings)
    first = next(pixels)
    return data + _END if all(other == first for other in pixels) else b""
