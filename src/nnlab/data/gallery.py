"""A folder of whole paintings and photos: `paintings/` and `photos/`, each with `train/` and `held_out/`, and a table.

`gallery.csv` is that table: what there is, titles, authors, licences, and what is held out. Figures show the pictures
that are held out, metrics judge by them, and nothing is trained on them; no photo in training shows the same place or
the same individual. It is made of GCompris's boards and READMEs; artists' names and spellings are mended.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from nnlab.errors import UserError

PAINTINGS, PHOTOS = "paintings", "photos"
HELD_OUT = "held_out"
TABLE = "provenance.csv"


@dataclass(frozen=True)
class Entry:
    """A row of the table. Artist and year are empty for photos, and where GCompris does not tell."""

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


with Path(__file__).with_suffix(".csv").open(newline="", encoding="utf-8") as _file:
    ENTRIES = [Entry(**row) for row in csv.DictReader(_file)]
HELD_OUT_PAINTINGS = [Path(entry.file).stem for entry in ENTRIES if entry.file.startswith(f"{PAINTINGS}/{HELD_OUT}")]


def caption(picture: Path) -> str:
    """What a picture of the gallery shows, by the table; of any other file, its name."""
    captions = {entry.file: entry.caption for entry in ENTRIES}
    return captions.get("/".join(picture.parts[-3:]), picture.name)


def find_picture(folder: Path, name: str) -> Path:
    """The picture of that name (without its ending) in a gallery. `UserError` where it is not there."""
    if found := next(folder.glob(f"*/*/{name}.*"), None):
        return found
    raise UserError(f"{folder}: has no picture {name}; run `dvc repro -f -s fetch_pictures`")
