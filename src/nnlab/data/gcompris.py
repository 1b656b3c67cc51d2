"""The paintings and photos of GCompris, an educational suite: how they are fetched, and made whole.

`gcompris.csv` lists every file that is taken, by its path in the project's folder `src/activities`; it is the choice of
pictures. All were looked at. Left out: drawings and objects, fish and solar cookers on plain grounds, Michelangelo's
Pietà (a photo of a sculpture), three monuments that occur twice, two spoilt scans, a mill that occurs twice, and
Trier's basilica, whose licence is noted for a file of another name.
"""

import csv
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from PIL import Image, ImageChops

from nnlab.data.catalog import Asset
from nnlab.data.download import DownloadError, Source, debian_source, url_source
from nnlab.data.gallery import ENTRIES, TABLE
from nnlab.files import atomic_dir

FIELD = (702, 515)  # pixels, width and height: what the centres of tiles are fractions of
MARGIN = 8  # pixels cut off around a painting: the jigsaw's dark outline, the white edge of a scan


class Piece(NamedTuple):
    """A file: a whole picture, or a tile of a jigsaw with its centre, in fractions of the field's width and height."""

    picture: str  # its name in the gallery, without ending
    source: str
    x: str
    y: str
    sha256: str


with Path(__file__).with_suffix(".csv").open(newline="", encoding="utf-8") as _file:
    PIECES = [Piece(**row) for row in csv.DictReader(_file)]
FILES = {piece.source: piece.sha256 for piece in PIECES}


# ---- fetch ----


def rcc_source(package: Source) -> Source:
    """Files in a package's Qt resource files, one for each activity; which file in it is which, its SHA-256 tells."""

    @cache
    def contents(activity: str) -> dict[str, bytes]:
        with TemporaryDirectory(prefix="nnlab-") as work:
            packed = Path(work) / activity
            package.get(activity, packed)
            return {hashlib.sha256(data).hexdigest(): data for data in _read_rcc(packed.read_bytes())}

    def get(file: str, path: Path) -> None:
        activity = file.partition("/")[0]
        if (data := contents(activity).get(FILES[file])) is None:
            raise DownloadError(f"{activity}.rcc has no such {file}")
        path.write_bytes(data)

    return Source(package.name, get, package.near)


def _read_rcc(content: bytes) -> Iterator[bytes]:
    """The files in a Qt resource file, as they are stored.

    The header has magic, version, and the offsets of tree, data and names, 4 bytes each, big-endian; the data are each
    file's length (4 bytes) and its bytes, up to the names. Source: Qt, `qtbase/src/tools/rcc/rcc.cpp`.
    """
    at, end = (int.from_bytes(content[place : place + 4], "big") for place in (12, 16))
    while at < min(end, len(content)):
        length = int.from_bytes(content[at : at + 4], "big")
        yield content[at + 4 : at + 4 + length]
        at += 4 + length


GCOMPRIS = Asset(
    name="gcompris",
    note="paintings and photos of GCompris 3.1 (gcompris.net)",
    files=FILES,
    sources=(  # the package first: one download of 44 MB in the place of 447; another release of it may serve as well
        rcc_source(debian_source("gcompris-qt-data", "usr/share/gcompris-qt/rcc", ".rcc")),
        url_source("https://raw.githubusercontent.com/gcompris/GCompris-qt/V3.1/src/activities"),
    ),
)


# ---- make whole ----


def build_gallery(resources: Path, folder: Path) -> None:
    """Write the gallery of the asset's files in `resources`: paintings as PNG, photos as they are."""
    with atomic_dir(folder) as temporary:
        for entry in ENTRIES:
            target = temporary / entry.file
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.suffix == ".png":
                assemble(resources, [piece for piece in PIECES if piece.picture == target.stem]).save(target)
            else:
                shutil.copyfile(resources / entry.source, target)
        shutil.copyfile(Path(__file__).with_name("gallery.csv"), temporary / TABLE)


def assemble(resources: Path, pieces: Sequence[Piece]) -> Image.Image:
    """A painting, RGB, of one whole file or of the tiles of a jigsaw, without `MARGIN` around it."""
    images = []
    for piece in pieces:
        with Image.open(resources / piece.source) as image:
            images.append(image.convert("RGBA"))
    whole = _jigsaw(pieces, images) if len(pieces) > 1 else images[0]
    return whole.crop((MARGIN, MARGIN, whole.width - MARGIN, whole.height - MARGIN)).convert("RGB")


def _jigsaw(pieces: Sequence[Piece], images: Sequence[Image.Image]) -> Image.Image:
    """The tiles in their places, the later ones on top; where they leave a gap of a pixel, the pixel above it shows."""
    field = Image.new("RGBA", FIELD)
    for piece, image in zip(pieces, images):
        layer = Image.new("RGBA", FIELD)  # a layer, for a tile may stick out of the field
        centre = float(piece.x), float(piece.y)
        left, top = (round(at * side - own / 2) for at, side, own in zip(centre, FIELD, image.size))
        layer.paste(image, (left, top))
        field = Image.alpha_composite(field, layer)
    opaque = field.getchannel("A").point(lambda alpha: 255 * (alpha > 250))
    return Image.alpha_composite(ImageChops.offset(field, 0, 1), field).crop(opaque.getbbox())
