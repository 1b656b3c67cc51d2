"""One generator of every fault that a picture file can have, for pools, photos and single pictures."""

import os
import random
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 96  # pixels on the shorter side of the sound pictures: enough for a pool


def photo(seed: int, mode: str = "RGB", size: tuple[int, int] = (120, SIDE)) -> Image.Image:
    """Coloured blocks with noise: no two seeds give the same picture."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (size[1] // 8 + 1, size[0] // 8 + 1, 3), dtype=np.uint8)
    picture = Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC)
    return picture.convert(mode)


def sound(folder: Path) -> list[Path]:
    """Write pictures that are unusual but whole; every reader must take them."""
    found = []

    def add(name: str, picture: Image.Image, **options: object) -> None:
        found.append(folder / name)
        with found[-1].open("wb") as file:
            picture.save(file, format=options.pop("format", None) or Image.registered_extensions()[found[-1].suffix],
                         **options)  # fmt: skip

    add("plain.jpg", photo(1))
    add("png called.jpg", photo(2), format="PNG")
    add("16-bit.png", Image.fromarray(np.asarray(photo(3, "L")).astype(np.uint16) * 257))
    add("cmyk.jpg", photo(4, "CMYK"))
    palette = photo(5).quantize(16)
    add("palette with alpha.png", palette, transparency=0)
    add("animated.gif", photo(6, "P"), save_all=True, append_images=[photo(7, "P")])
    exif = Image.Exif()
    exif[0x0112] = 6
    add("rotated.jpg", photo(8), exif=exif)
    add("grey.png", photo(9, "L"))
    add("alpha.png", photo(10, "RGBA"))
    add("progressive.jpg", photo(11), progressive=True)
    add("图 片.webp", photo(12))
    return found


def tiny(folder: Path) -> Path:
    """Write a picture of one pixel: nothing can be learnt from it, and enlarged it can be drawn."""
    photo(30, size=(1, 1)).save(folder / "one pixel.png")
    return folder / "one pixel.png"


def unsound(folder: Path, seed: int = 0) -> list[Path]:
    """Write files that hold no picture, or none that is whole; every reader must refuse them, in one line."""
    draw = random.Random(seed)
    found = []

    def add(name: str, content: bytes) -> None:
        found.append(folder / name)
        found[-1].write_bytes(content)

    for number, kind in enumerate(("jpg", "png", "gif", "webp", "bmp", "tif")):
        whole = folder / f"whole.{kind}"
        photo(20 + number).save(whole)
        content = whole.read_bytes()
        whole.unlink()
        for length in (draw.randrange(1, 40), draw.randrange(40, len(content) // 2)):
            add(f"cut at {length}.{kind}", content[:length])
    add("empty.jpg", b"")
    add("zeros.png", bytes(5000))
    add("text.jpg", b"not a picture at all\n" * 50)
    add("page.png", b"<!DOCTYPE html><title>404</title>")
    add("bomb.png", bomb())
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "nowhere.jpg").symlink_to("no such file")
    return [*found, folder / "loop.png", folder / "nowhere.jpg"]


def bomb(side: int = 60_000) -> bytes:
    """A PNG of a few kilobytes that would decode to `side` x `side` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")


def odd_names(folder: Path) -> list[Path]:
    """Write sound pictures under names that are no Unicode or hidden in deep folders, beside a loop of links."""
    found = [Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe\xe9.png")), folder / "a" / "b" / "c" / "deep.png"]
    for number, path in enumerate(found):
        path.parent.mkdir(parents=True, exist_ok=True)
        photo(40 + number).save(path)
    (folder / "a" / "back").symlink_to(folder)
    return found
