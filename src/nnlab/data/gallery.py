"""Whole paintings and photos with their titles and licences, made of the files of GCompris.

A folder of them has `paintings/` and `photos/`, each with `train/` and `held_out/`, and `provenance.csv`.
"""

import csv
import re
import shutil
import unicodedata
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from PIL import Image, ImageChops

from nnlab.data.images import list_images
from nnlab.data.works import Piece, Work, read_works
from nnlab.errors import UserError
from nnlab.files import atomic_dir

PAINTINGS, PHOTOS = "paintings", "photos"
TRAIN, HELD_OUT = "train", "held_out"
TABLE = "provenance.csv"

# What stands in for the assignment's pair: a palace by the water, a portrait with a hat.
STAND_IN_PHOTO, STAND_IN_PAINTING = "germany_schwerinPalace", "portrait_of_pere_tanguy"

# Whole pictures that nothing is trained on: figures show them, metrics judge by them. No photo in training shows the
# same place or the same individual.
HELD_OUT_PAINTINGS = {
    STAND_IN_PAINTING,
    "cafe_terrace_at_night",
    "composition_viii",
    "spring",
    "summertime",
    "the_great_wave_off_kanagawa",
}
HELD_OUT_PHOTOS = {
    STAND_IN_PHOTO,
    "details_FanoeWindmill",
    "details_Nagoya",
    "details_TowerBridgeLondon",
    "erase_cheetah",
    "erase_horse",
    "erase_kingfisher",
    "erase_kitten",
    "erase_meerkats",
    "erase_red_panda",
    "explore_world_animals_koala",
    "fishes_fish9",
    "france_pontduGard",
    "india_hawaMahal",
    "usa_canyondeChelly",
    "wonders_machuPicchu",
}

FIELD = (702, 515)  # pixels, width and height: what the centres of GCompris's tiles are fractions of
MARGIN = 8  # pixels cut off around a painting: the jigsaw's dark outline, the white edge of a scan

_PAINTING_TITLE = re.compile(r"(?P<artist>[^,]+), (?P<title>.+?)(?:[ -]+(?P<year>\d{4}(?:-\d+)?))?")


@dataclass(frozen=True)
class Entry:
    """A row of the provenance table. Artist and year are empty for photos, and where GCompris does not tell."""

    file: str  # relative to the table
    held_out: str  # yes or no
    title: str
    artist: str
    year: str
    copyright: str
    licence: str
    source: str  # the file in GCompris's src/activities; of a painting in tiles, the first one
    origin: str  # where GCompris has it from

    @property
    def caption(self) -> str:
        """As figures name it: "Vincent van Gogh: Portrait of Père Tanguy (1887-8)"."""
        return (f"{self.artist}: " if self.artist else "") + self.title + (f" ({self.year})" if self.year else "")


def build_gallery(resources: Path, folder: Path) -> None:
    """Write the gallery of `gcompris_asset`'s files in `resources`: paintings as PNG, photos as they are."""
    with atomic_dir(folder) as temporary:
        entries = []
        for work in read_works(resources):
            entry = _entry(work, resources)
            target = temporary / entry.file
            target.parent.mkdir(parents=True, exist_ok=True)
            if work.is_painting:
                assemble(work.pieces).save(target)
            else:
                shutil.copyfile(work.pieces[0].file, target)
            entries.append(entry)
        with (temporary / TABLE).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(Entry)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(map(asdict, sorted(entries, key=lambda entry: entry.file)))


def read_entries(folder: Path) -> list[Entry]:
    """The provenance table of the gallery in `folder`. `UserError` where there is none."""
    try:
        with (folder / TABLE).open(newline="", encoding="utf-8") as file:
            if entries := [Entry(**row) for row in csv.DictReader(file)]:
                return entries
    except (OSError, TypeError, ValueError):
        pass
    raise UserError(f"{folder / TABLE}: missing or damaged; run `dvc repro -f -s fetch_pictures`")


def caption(picture: Path) -> str:
    """What a picture of a gallery shows, by its provenance table; of any other file, its name."""
    folder = picture.parent.parent.parent
    if not (folder / TABLE).is_file():
        return picture.name
    entries = {entry.file: entry.caption for entry in read_entries(folder)}
    return entries.get(picture.relative_to(folder).as_posix(), picture.name)


def find_picture(folder: Path, stem: str) -> Path:
    """The picture of that name (without its ending) in a gallery. `UserError` where it is not there."""
    for path in list_images(folder):
        if path.stem == stem:
            return path
    raise UserError(f"{folder}: has no picture {stem}; run `dvc repro -f -s fetch_pictures`")


def assemble(pieces: list[Piece]) -> Image.Image:
    """A painting, RGB, of one whole file or of the tiles of a jigsaw, without `MARGIN` around it."""
    whole = _jigsaw(pieces) if len(pieces) > 1 else _open(pieces[0].file)
    return whole.crop((MARGIN, MARGIN, whole.width - MARGIN, whole.height - MARGIN)).convert("RGB")


def _jigsaw(tiles: list[Piece]) -> Image.Image:
    """The tiles in their places, the later ones on top; where they leave a gap of a pixel, the pixel above it shows."""
    field = Image.new("RGBA", FIELD)
    for tile in tiles:
        image, layer = _open(tile.file), Image.new("RGBA", FIELD)  # a layer, for a tile may stick out of the field
        left, top = (round(at * side - own / 2) for at, side, own in zip(tile.centre or (), FIELD, image.size))
        layer.paste(image, (left, top))
        field = Image.alpha_composite(field, layer)
    opaque = field.getchannel("A").point(lambda alpha: 255 * (alpha > 250))
    return Image.alpha_composite(ImageChops.offset(field, 0, 1), field).crop(opaque.getbbox())


def _open(file: Path) -> Image.Image:
    with Image.open(file) as image:
        return image.convert("RGBA")


def _entry(work: Work, resources: Path) -> Entry:
    source = work.pieces[0].file.relative_to(resources)
    found = _PAINTING_TITLE.fullmatch(work.title) if work.is_painting else None
    title, artist, year = (found["title"], found["artist"], found["year"] or "") if found else (work.title, "", "")
    if work.is_painting:
        kind, stem, suffix, held_out = PAINTINGS, _plain(title), ".png", HELD_OUT_PAINTINGS
    else:
        folder = next(name for name in reversed(source.parts[:-1]) if name not in ("resource", "image", "animals"))
        stem = f"{folder}_{source.stem.removesuffix('_background')}"
        kind, suffix, held_out = PHOTOS, source.suffix, HELD_OUT_PHOTOS
    part = HELD_OUT if stem in held_out else TRAIN
    return Entry(
        file=f"{kind}/{part}/{stem}{suffix}",
        held_out="yes" if part == HELD_OUT else "no",
        title=title,
        artist=artist,
        year=year,
        copyright=work.rights.copyright,
        licence=work.rights.licence,
        source=source.as_posix(),
        origin=work.rights.origin,
    )


def _plain(title: str) -> str:
    """ "Portrait of Père Tanguy" -> "portrait_of_pere_tanguy"."""
    letters = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")
